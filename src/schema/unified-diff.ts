/** Differences of two texts by lines, as Python's difflib and its port to Go show them (github.com/pmezard/go-difflib): same matches, same hunks. */

const context = 3;
/** From this many lines on, those that make up more than a hundredth are no anchors. */
const popularFrom = 200;
type Match = { readonly a: number; readonly b: number; readonly size: number };
type Step = { readonly same: boolean; readonly a: readonly [number, number]; readonly b: readonly [number, number] };

/** Empty when there is none. */
export function unifiedDiff(before: string, after: string): string {
  const a = before.split("\n"), b = after.split("\n");
  let out = "";
  for (const steps of grouped(stepsOf(a, b))) {
    const [first, last] = [steps[0]!, steps.at(-1)!];
    out += `@@ -${range(first.a[0], last.a[1])} +${range(first.b[0], last.b[1])} @@\n`;
    for (const { same, a: [a1, a2], b: [b1, b2] } of steps) {
      for (const line of a.slice(a1, a2)) out += `${same ? " " : "-"}${line}\n`;
      if (!same) for (const line of b.slice(b1, b2)) out += `+${line}\n`;
    }
  }
  return out;
}
function range(start: number, stop: number): string {
  const length = stop - start;
  return length === 1 ? String(start + 1) : `${length === 0 ? start : start + 1},${length}`;
}

function stepsOf(a: readonly string[], b: readonly string[]): readonly Step[] {
  const steps: Step[] = [];
  let [i, j] = [0, 0];
  for (const match of [...matches(a, b), { a: a.length, b: b.length, size: 0 }]) {
    if (i < match.a || j < match.b) steps.push({ same: false, a: [i, match.a], b: [j, match.b] });
    [i, j] = [match.a + match.size, match.b + match.size];
    if (match.size > 0) steps.push({ same: true, a: [match.a, i], b: [match.b, j] });
  }
  return steps;
}
/** Changes with the lines around them; far ones apart. */
function grouped(all: readonly Step[]): readonly (readonly Step[])[] {
  const groups: Step[][] = [[]];
  all.forEach((step, i) => {
    if (!step.same) return void groups.at(-1)!.push(step);
    const { a: [a1, a2], b: [b1, b2] } = step, size = a2 - a1;
    const [leads, ends] = [Math.min(size, context), Math.min(size, context)];
    if (i === 0) groups.at(-1)!.push({ same: true, a: [a2 - Math.min(size, context), a2], b: [b2 - Math.min(size, context), b2] });
    else if (i === all.length - 1) groups.at(-1)!.push({ same: true, a: [a1, a1 + Math.min(size, context)], b: [b1, b1 + Math.min(size, context)] });
    else if (size > 2 * context) {
      groups.at(-1)!.push({ same: true, a: [a1, a1 + leads], b: [b1, b1 + leads] });
      groups.push([{ same: true, a: [a2 - ends, a2], b: [b2 - ends, b2] }]);
    } else groups.at(-1)!.push(step);
  });
  return groups.filter(group => group.some(({ same }) => !same));
}

/** Runs of equal lines, the longest first found, then what lies before and after it. */
function matches(a: readonly string[], b: readonly string[]): readonly Match[] {
  const places = new Map<string, number[]>();
  b.forEach((line, j) => { const known = places.get(line); if (known === undefined) places.set(line, [j]); else known.push(j); });
  if (b.length >= popularFrom) for (const [line, all] of places) if (all.length > Math.floor(b.length / 100) + 1) places.delete(line);
  const found: Match[] = [];
  const waiting: [number, number, number, number][] = [[0, a.length, 0, b.length]];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const [alo, ahi, blo, bhi] = next;
    const match = longest(a, b, places, alo, ahi, blo, bhi);
    if (match.size === 0) continue;
    found.push(match);
    waiting.push([alo, match.a, blo, match.b], [match.a + match.size, ahi, match.b + match.size, bhi]);
  }
  found.sort((one, other) => one.a - other.a);
  const joined: Match[] = [];
  for (const match of found) {
    const last = joined.at(-1);
    if (last !== undefined && last.a + last.size === match.a && last.b + last.size === match.b) joined[joined.length - 1] = { ...last, size: last.size + match.size };
    else joined.push(match);
  }
  return joined;
}
function longest(a: readonly string[], b: readonly string[], places: ReadonlyMap<string, readonly number[]>, alo: number, ahi: number, blo: number, bhi: number): Match {
  let best = { a: alo, b: blo, size: 0 };
  let lengths = new Map<number, number>();
  for (let i = alo; i < ahi; i++) {
    const now = new Map<number, number>();
    for (const j of places.get(a[i]!) ?? []) {
      if (j < blo) continue;
      if (j >= bhi) break;
      const size = (lengths.get(j - 1) ?? 0) + 1;
      now.set(j, size);
      if (size > best.size) best = { a: i - size + 1, b: j - size + 1, size };
    }
    lengths = now;
  }
  while (best.a > alo && best.b > blo && a[best.a - 1] === b[best.b - 1]) best = { a: best.a - 1, b: best.b - 1, size: best.size + 1 };
  while (best.a + best.size < ahi && best.b + best.size < bhi && a[best.a + best.size] === b[best.b + best.size]) best = { ...best, size: best.size + 1 };
  return best;
}
