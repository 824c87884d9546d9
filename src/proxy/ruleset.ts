/**
 * Rules as data: named chains, and sets and maps with their elements. Two rule sets give the commands that turn one into the
 * other in a single transaction, so a change costs what it changes.
 */

export type Ruleset = {
  /** Chain to its rules, in order. */
  readonly chains: ReadonlyMap<string, readonly string[]>;
  /** Declaration of each dynamic set (session affinity). */
  readonly sets: ReadonlyMap<string, string>;
  /** Map or set to its elements: key to value, "" for a set. */
  readonly elements: ReadonlyMap<string, ReadonlyMap<string, string>>;
};

export const emptyRuleset: Ruleset = { chains: new Map(), sets: new Map(), elements: new Map() };

/** nft commands, one a line, from one rule set to another. `table` is `ip name` or `ip6 name`. */
export function changes(table: string, from: Ruleset, to: Ruleset): readonly string[] {
  const added: string[] = [];
  const filled: string[] = [];
  const removed: string[] = [];
  for (const [name, declaration] of to.sets) if (!from.sets.has(name)) added.push(`add set ${table} ${name} ${declaration}`);
  for (const [name, rules] of to.chains) {
    const before = from.chains.get(name);
    if (before && before.length === rules.length && before.every((rule, i) => rule === rules[i])) continue;
    added.push(before ? `flush chain ${table} ${name}` : `add chain ${table} ${name}`);
    // Rules may jump to chains that come later: every chain first, then the rules.
    for (const rule of rules) filled.push(`add rule ${table} ${name} ${rule}`);
  }
  const elements: string[] = [];
  for (const name of new Set([...from.elements.keys(), ...to.elements.keys()])) {
    const before = from.elements.get(name) ?? new Map<string, string>();
    const after = to.elements.get(name) ?? new Map<string, string>();
    // nft cannot change an element: delete and add, which one transaction makes atomic.
    const gone = [...before].filter(([key, value]) => after.get(key) !== value);
    const come = [...after].filter(([key, value]) => before.get(key) !== value);
    if (gone.length > 0) elements.push(`delete element ${table} ${name} { ${gone.map(([key]) => key).join(", ")} }`);
    if (come.length > 0) elements.push(`add element ${table} ${name} { ${come.map(([key, value]) => (value === "" ? key : `${key} : ${value}`)).join(", ")} }`);
  }
  for (const name of from.chains.keys()) if (!to.chains.has(name)) removed.push(`flush chain ${table} ${name}`);
  for (const name of from.chains.keys()) if (!to.chains.has(name)) removed.push(`delete chain ${table} ${name}`);
  for (const name of from.sets.keys()) if (!to.sets.has(name)) removed.push(`delete set ${table} ${name}`);
  return [...added, ...filled, ...elements, ...removed];
}

/** Who is remembered by a dynamic set, and for how many seconds more. */
export type Remembered = ReadonlyMap<string, readonly { readonly key: string; readonly seconds: number }[]>;

/** Commands that give the dynamic sets of a rule set back what they remembered before their table was replaced. */
export function restored(table: string, { sets }: Ruleset, remembered: Remembered): readonly string[] {
  return [...remembered].flatMap(([name, members]) => {
    const timeout = Number(/timeout (\d+)s/.exec(sets.get(name) ?? "")?.[1] ?? 0);
    // Nobody is remembered for longer than the set says now.
    const kept = members.filter(({ seconds }) => seconds > 0).map(({ key, seconds }) => `${key} expires ${Math.min(seconds, timeout)}s`);
    return timeout === 0 || kept.length === 0 ? [] : [`add element ${table} ${name} { ${kept.join(", ")} }`];
  });
}
/** From the text of `nft -j list sets`: the sets of one table (`ip name`) whose elements expire. */
export function parseRemembered(text: string, table: string): Remembered {
  const { nftables } = JSON.parse(text) as { readonly nftables: readonly { readonly set?: { readonly family: string; readonly table: string; readonly name: string; readonly timeout?: number; readonly elem?: readonly unknown[] } }[] };
  return new Map(nftables.flatMap(({ set }) => {
    if (set === undefined || `${set.family} ${set.table}` !== table || set.timeout === undefined) return [];
    return [[set.name, (set.elem ?? []).flatMap(each => { const { elem } = each as { readonly elem?: { readonly val?: unknown; readonly expires?: unknown } }; return typeof elem?.val === "string" && typeof elem.expires === "number" ? [{ key: elem.val, seconds: elem.expires }] : []; })] as const];
  }));
}

/** Collects a rule set. */
export class RulesetBuilder {
  readonly #chains = new Map<string, readonly string[]>();
  readonly #sets = new Map<string, string>();
  readonly #elements = new Map<string, Map<string, string>>();
  chain(name: string, rules: () => readonly string[]): string {
    if (!this.#chains.has(name)) this.#chains.set(name, rules());
    return name;
  }
  set(name: string, declaration: string): string {
    this.#sets.set(name, declaration);
    return name;
  }
  /** The first one to claim a key keeps it: two services cannot both have it. */
  element(map: string, key: string, value = ""): void {
    const elements = this.#elements.get(map) ?? new Map<string, string>();
    this.#elements.set(map, elements);
    if (!elements.has(key)) elements.set(key, value);
  }
  done(): Ruleset {
    return { chains: this.#chains, sets: this.#sets, elements: this.#elements };
  }
}
