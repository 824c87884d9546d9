/** Where a problem that the schema found stands among those that a kind's rules tell: upstream checks field by field, in the order of its types. */
import type { Problem } from "./problem.ts";
import type { Node } from "./t.ts";

/**
 * `ruled` in its own order, and each of `found` before the first of them that is about a later field; one that `ruled` tells by itself, or of which it says more than that it must be there, is left out. Fields come in the order of their protobuf numbers.
 */
export function inOrder(node: Node, found: readonly Problem[], ruled: readonly Problem[]): readonly Problem[] {
  if (found.length === 0) return ruled;
  const out = ruled.map(problem => ({ problem, key: keyOf(node, problem.field) }));
  const told = new Set(ruled.flatMap(({ field, reason }) => [`${reason} ${field}`, `Required ${field}`]));
  for (const problem of found) {
    if (told.has(`${problem.reason} ${problem.field}`)) continue;
    const key = keyOf(node, problem.field), at = out.findIndex(other => isLater(other.key, key));
    out.splice(at < 0 ? out.length : at, 0, { problem, key });
  }
  return out.map(({ problem }) => problem);
}

function keyOf(root: Node, path: string): readonly number[] {
  const key: number[] = [];
  let node: Node | undefined = root;
  for (const [, name, index] of path.matchAll(/([^.[\]]+)|\[([^\]]*)\]/g)) {
    if (index === undefined) {
      node = node?.fields?.[name!];
      key.push((node?.within?.[0] ?? node?.pb ?? 0) + (node?.within === undefined ? 0 : (node.pb ?? 0) / 1_000));
    } else {
      key.push(/^\d+$/.test(index) ? Number(index) : 0);
      node = node?.items;
    }
  }
  return key;
}
function isLater(key: readonly number[], than: readonly number[]): boolean {
  for (let i = 0; i < Math.min(key.length, than.length); i++) if (key[i] !== than[i]) return key[i]! > than[i]!;
  return false;
}
