/** What a client of a store that gets killed knows, and what it must find afterwards. */

type Known = { acknowledged: { id: string; revision: number } | undefined; unknown: Set<string> };
export type Found = { readonly key: string; readonly id: string; readonly revision: number };

/** Per key: the last acknowledged write, and the writes begun since that nobody heard of again. */
export class Ledger {
  readonly #keys = new Map<string, Known>();
  readonly #writeOf = new Map<number, string>();
  #highest = 0;
  acknowledged = 0;

  begin(key: string, id: string): void {
    this.#known(key).unknown.add(id);
  }

  /** Returns what is wrong with the acknowledgement itself. */
  acknowledge(key: string, id: string, revision: number): string | undefined {
    const known = this.#known(key);
    known.acknowledged = { id, revision };
    known.unknown.clear();
    this.acknowledged++;
    const problem = this.#claim(revision, `${key}=${id}`);
    this.#highest = Math.max(this.#highest, revision);
    return problem;
  }

  /** Refused for certain: it never happened. */
  refuse(key: string, id: string): void {
    this.#known(key).unknown.delete(id);
  }

  /** What is wrong with the state found after a kill. What is found is then known. */
  check(found: readonly Found[], revision: number): string[] {
    const problems: string[] = [];
    if (revision < this.#highest) problems.push(`the store is at revision ${revision}, but ${this.#highest} was acknowledged`);
    const left = new Map(this.#keys);
    for (const { key, id, revision: at } of found) {
      const known = left.get(key);
      left.delete(key);
      const kept = known?.acknowledged?.id === id && known.acknowledged.revision === at;
      if (!kept && known?.unknown.has(id) !== true) problems.push(`${key} is ${id}@${at}, expected ${JSON.stringify(known?.acknowledged)} or one of ${[...(known?.unknown ?? [])].join(" ")}`);
      else if (!kept && at <= (known?.acknowledged?.revision ?? 0)) problems.push(`${key} is ${id}@${at}, older than the acknowledged ${known?.acknowledged?.revision}`);
      const reuse = this.#claim(at, `${key}=${id}`);
      if (reuse !== undefined) problems.push(reuse);
      this.#keys.set(key, { acknowledged: { id, revision: at }, unknown: new Set() });
    }
    for (const [key, known] of left) {
      if (known.acknowledged !== undefined) problems.push(`lost: ${key} ${known.acknowledged.id}@${known.acknowledged.revision}`);
      known.unknown.clear();
    }
    this.#highest = Math.max(this.#highest, revision);
    return problems;
  }

  /** A revision belongs to one write, for ever. */
  #claim(revision: number, write: string): string | undefined {
    const owner = this.#writeOf.get(revision);
    this.#writeOf.set(revision, write);
    return owner !== undefined && owner !== write ? `revision ${revision} was given to ${owner} and to ${write}` : undefined;
  }

  #known(key: string): Known {
    let known = this.#keys.get(key);
    if (known === undefined) this.#keys.set(key, (known = { acknowledged: undefined, unknown: new Set() }));
    return known;
  }
}

/** A value that shows when it is not whole: its id, a filler whose length follows from it, and the id again. */
export function valueOf(id: string): string {
  let sum = 0;
  for (const character of id) sum = (sum * 31 + character.charCodeAt(0)) % 4_000;
  return `${id}|${"x".repeat(sum)}|${id}`;
}

/** The id of a whole value; `torn:…` of anything else. */
export function idOf(value: string): string {
  const id = value.split("|")[0]!;
  return valueOf(id) === value ? id : `torn:${value.slice(0, 40)}`;
}
