/**
 * A key-value map with a history: one revision per write, in one order, and watches that replay it.
 *
 * Two layers. The `Store` holds everything current in memory, decides what is visible and feeds the watches; reads are
 * synchronous. An `Engine` makes writes durable and remembers them: SQLite, memory, later etcd. Nothing is visible or
 * acknowledged before the engine says it is durable.
 *
 * Keys are paths whose segments were checked against the name grammar: `/registry/<group or "core">/<plural>/<namespace or ""-less>/<name>`;
 * a prefix always ends with "/"; `watch` also takes a whole key. Values are JSON text without `metadata.resourceVersion`, which is the entry's revision.
 */

/** One current (or, in a snapshot, once current) value. `memo` is for whoever reads: parsed object, spliced text. */
export type Entry = {
  readonly key: string;
  readonly value: string;
  /** The revision of the write that made this value. */
  readonly revision: number;
  /** What the reader derived from `value`; filled by `api/`, never by the store. */
  memo: unknown;
};

/** One write as a watch sees it. `entry` is the new value, or the last value for a delete; `previous` what was there before. */
export type Change = {
  readonly type: "put" | "delete";
  readonly key: string;
  readonly revision: number;
  /** For a delete: the last value, with `revision` the delete's own. */
  readonly entry: Entry;
  readonly previous: Entry | undefined;
};

/** A conflict is an answer, not an exception: `current` is what is there instead. */
export type WriteResult =
  | { readonly ok: true; readonly entry: Entry; readonly previous: Entry | undefined }
  | { readonly ok: false; readonly current: Entry | undefined };

export type ListOptions = {
  /** Only keys strictly after this one, for paging. */
  readonly after?: string;
  readonly limit?: number;
};
/** `remaining` counts the entries under the prefix after the last one returned. */
export type ListResult = { readonly entries: readonly Entry[]; readonly revision: number; readonly remaining: number };

/** The revision asked for is no longer (`revision` < `oldest`) or not yet in the history. */
export type Compacted = { readonly compacted: true; readonly oldest: number };

export interface Store {
  /** The newest revision that is durable and visible; at least 1. Every change up to it was handed to every watch, so it can be sent as a bookmark at any time. */
  readonly revision: number;
  /** Reads at or after this revision can be answered and watched; earlier ones are compacted. */
  readonly oldestRevision: number;
  get(key: string): Entry | undefined;
  /** Everything under `prefix` now, in key order. */
  list(prefix: string, options?: ListOptions): ListResult;
  /** The same as of `revision`, as long as it is in the history. */
  listAt(prefix: string, revision: number, options?: ListOptions): ListResult | Compacted;
  /** How many entries are under `prefix` now. */
  count(prefix: string): number;
  /**
   * Writes only if the key is at revision `expected`; 0 means "must not exist". Resolves when durable and visible.
   * Rejects with `StoreFull`, `StoreBusy`, `StoreClosed` or `StoreFailed`. A write that leads to space being freed (a deletion mark, a finalizer
   * taken off) says `{ frees: true }`: it may use the space held back for the day the disk is full, as every delete may.
   */
  put(key: string, value: string, expected: number, options?: PutOptions): Promise<WriteResult>;
  delete(key: string, expected: number): Promise<WriteResult>;
  /** Resolves once this store shows every write acknowledged anywhere before the call (at once for embedded engines). */
  sync(): Promise<number>;
  /**
   * Every change under `prefix` after `revision`, in order, each exactly once: the retained ones before this returns, later ones
   * as they become visible, in one call per commit that touched the prefix. `sink` must not throw and must not wait: what it cannot pass on at once
   * it has to bound itself. `progress` in a batch says that everything up to that revision was delivered. A `revision` of the future skips what comes before it.
   * `only`: changes from or to an entry with this value; such watches cost the others' changes nothing.
   */
  watch(prefix: string, revision: number, sink: (batch: Batch) => void, only?: Only): Watch | Compacted;
  /** Forgets history before `revision`. */
  compact(revision: number): Promise<void>;
  /** Lets the accepted writes finish, then frees the engine. */
  close(): Promise<void>;
}
export type PutOptions = { readonly frees?: boolean };
export type Batch = { readonly changes: readonly Change[]; readonly progress: number };
export type Watch = { close(): void };
/** A text that every entry of one kind has. Watches with the same `Index` object are found by it together. */
export type Index = { of(entry: Entry): string };
export type Only = { readonly index: Index; readonly value: string };

/** No space left: reads, watches and deletes go on, the write was not made. */
export class StoreFull extends Error {
  override name = "StoreFull";
}
/** More writes are waiting than `storeLimits.pendingWrites`: this one was not made, try later. */
export class StoreBusy extends Error {
  override name = "StoreBusy";
}
/** The store is closing or closed: the write was not made. */
export class StoreClosed extends Error {
  override name = "StoreClosed";
}
/** The engine can no longer promise anything, nobody knows whether the write was made: the process must end. */
export class StoreFailed extends Error {
  override name = "StoreFailed";
}

/** One write as the engine sees it. `value` undefined deletes. */
export type EngineWrite = { readonly key: string; readonly value: string | undefined; readonly expected: number };
export type EngineRecord = { readonly revision: number; readonly key: string; readonly value: string | undefined };
export type EngineFeed = (records: readonly EngineRecord[]) => void;

export type EngineEvents = {
  /** It went wrong where no call was waiting for it: nothing is promised any more. */
  readonly failed: (error: unknown) => void;
  /** A write had to use the space held back: room is worth more than history now. */
  readonly short: () => void;
};

/**
 * What durability needs: SQLite and memory decide nothing and only append; etcd also decides `expected` and sees other
 * servers' writes, so the outcome of a commit and the feed of records come from the engine.
 */
export interface Engine {
  /** `revision` is the newest ever given out, `oldest` the oldest that the history can still answer for. */
  open(events: EngineEvents): Promise<{ readonly revision: number; readonly oldest: number }>;
  /**
   * Feeds everything retained, in revision order, and then resolves: the newest record of each key at or before `oldest` (and perhaps older ones of
   * the same key), and every record after it. From then on the feed hears every later durable record, ours included, in revision order, before the commit that made it resolves.
   */
  replay(feed: EngineFeed): Promise<void>;
  /**
   * Makes the writes durable together; per write the revision it got, or `undefined` when `expected` did not hold. Rejects with `StoreFull`
   * (nothing written) or anything else (nothing promised). `frees` says that the writes may use the space held back for a full disk.
   */
  commit(writes: readonly EngineWrite[], options: { readonly frees: boolean }): Promise<readonly (number | undefined)[]>;
  sync(): Promise<number>;
  /** History before `revision` is no longer wanted; `dead` are the revisions that nobody can ask for any more. Commits go on meanwhile. */
  compact(revision: number, dead: readonly number[]): Promise<void>;
  close(): Promise<void>;
}
