/** What clients did and were told, and what the store really did: the material of the checkers. Times are any numbers that only grow. */

/** One record of the persisted log: the truth. `value` undefined: deleted. */
export type LogRecord = { readonly revision: number; readonly key: string; readonly value: string | undefined };

export type Seen = { readonly value: string; readonly revision: number } | undefined;
export type Operation = { readonly client: number; readonly call: number; readonly end: number } & (
  | { readonly type: "get"; readonly key: string; readonly seen: Seen }
  /** A compare-and-set: `expected` is the revision it was conditional on (0: must not exist), `value` undefined deletes. */
  | { readonly type: "write"; readonly key: string; readonly expected: number; readonly value: string | undefined; readonly outcome: { readonly ok: true; readonly revision: number } | { readonly ok: false } | "unknown" }
  /** All pages of one list, which claims to show `revision`. */
  | { readonly type: "list"; readonly prefix: string; readonly revision: number; readonly entries: readonly { readonly key: string; readonly value: string; readonly revision: number }[] }
);

/** Replays the log: what a key, or everything under a prefix, was at a revision. */
export class Replay {
  readonly log: readonly LogRecord[];
  readonly #byKey = new Map<string, LogRecord[]>();

  constructor(log: readonly LogRecord[]) {
    this.log = log;
    for (const record of log) {
      const records = this.#byKey.get(record.key);
      if (records === undefined) this.#byKey.set(record.key, [record]);
      else records.push(record);
    }
  }

  get newest(): number {
    return this.log.at(-1)?.revision ?? 1;
  }
  /** The last record of `key` at or before `revision`, deletions included. */
  recordAt(key: string, revision: number): LogRecord | undefined {
    return this.#byKey.get(key)?.findLast(record => record.revision <= revision);
  }
  at(key: string, revision: number): Seen {
    const record = this.recordAt(key, revision);
    return record?.value === undefined ? undefined : { value: record.value, revision: record.revision };
  }
  /** Whether a deletion of `key` after `revision` passes `possible`. */
  deletedAfter(key: string, revision: number, possible: (revision: number) => boolean): boolean {
    return this.#byKey.get(key)?.some(record => record.revision > revision && record.value === undefined && possible(record.revision)) === true;
  }
  under(prefix: string, revision: number): { key: string; value: string; revision: number }[] {
    return [...this.#byKey.keys()].filter(key => key.startsWith(prefix)).sort().flatMap(key => {
      const seen = this.at(key, revision);
      return seen === undefined ? [] : [{ key, ...seen }];
    });
  }
}
