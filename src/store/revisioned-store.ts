import { assert, must } from "../base/assert.ts";
import type { Clock } from "../base/clock.ts";
import { messageOf, type Log } from "../base/log.ts";
import { History } from "./history.ts";
import { SortedIndex } from "./sorted-index.ts";
import { StoreBusy, StoreClosed, StoreFailed, StoreFull, type Batch, type Change, type Compacted, type Engine, type EngineRecord, type Entry, type ListOptions, type ListResult, type Only, type PutOptions, type Store, type Watch, type WriteResult } from "./store.ts";
import { covers, valuesOf, Watches } from "./watches.ts";

/** Every bound of the store, by name. */
export const storeLimits = {
  /** Writes accepted but not yet durable; the next one is `StoreBusy`. The API lets 200 in at once, controllers and agents some hundreds. */
  pendingWrites: 20_000,
  /** One commit's size: bounds how long it can hold up the next one, and the memory of the write-ahead log. */
  batchWrites: 1_000,
  batchBytes: 8 << 20,
  /** History is kept for at least this long and at most twice that, as upstream's compactor does (apiserver storage/etcd3/compact.go) … */
  compactionIntervalMs: 5 * 60_000,
  /** … unless there is more of it than this. */
  historyChanges: 100_000,
  historyBytes: 256 << 20,
} as const;
export type StoreLimits = { readonly [name in keyof typeof storeLimits]: number };

export type RevisionedStoreOptions = {
  readonly clock: Clock;
  readonly log: Log;
  /** Called once when the engine can no longer promise anything: end the process. */
  readonly onFailure: (error: StoreFailed) => void;
  /** Runs the callback once what is going on now is over, so that writes which arrive together are committed together: `setImmediate` on a host. By default a microtask. */
  readonly defer?: (callback: () => void) => void;
  readonly limits?: Partial<StoreLimits>;
};

type Pending = { readonly key: string; readonly value: string | undefined; readonly expected: number; readonly frees: boolean; readonly resolve: (result: WriteResult) => void; readonly reject: (error: Error) => void };

/** The `Store` over any `Engine`: everything current in memory, one commit at a time, history within a window. */
export class RevisionedStore implements Store {
  readonly #engine: Engine;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #onFailure: (error: StoreFailed) => void;
  readonly #defer: (callback: () => void) => void;
  readonly #limits: StoreLimits;
  readonly #index = new SortedIndex();
  readonly #history = new History();
  readonly #watches = new Watches();
  #revision = 0;
  #oldest = 0;
  /** How far the engine has been told to forget. */
  #engineOldest = 0;
  #loading = true;
  #dead: number[] = [];
  #queue: Pending[] = [];
  #flushing = false;
  #idle: (() => void)[] = [];
  #ended: Error | undefined;
  #cancelCompaction: (() => void) | undefined;
  #compacting: Promise<void> | undefined;
  /** The engine had to use the space it holds back. */
  #short = false;

  private constructor(engine: Engine, options: RevisionedStoreOptions) {
    this.#engine = engine;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#onFailure = options.onFailure;
    this.#defer = options.defer ?? queueMicrotask;
    this.#limits = { ...storeLimits, ...options.limits };
  }

  /** Reads everything that the engine retained; when this resolves, reads and watches see all of it. */
  static async open(engine: Engine, options: RevisionedStoreOptions): Promise<RevisionedStore> {
    const store = new RevisionedStore(engine, options);
    const { revision, oldest } = await engine.open({ failed: error => void store.#fail(error), short: () => { store.#short = true; } });
    store.#oldest = oldest;
    await engine.replay(records => store.#take(records));
    assert(store.#revision <= revision, "the newest revision given out is never older than a record");
    store.#revision = revision;
    store.#loading = false;
    store.#engineOldest = oldest;
    store.#bound();
    // Not awaited: on a busy disk it takes long, and nothing depends on it.
    void store.#compactEngine();
    store.#planCompaction();
    return store;
  }

  get revision(): number {
    return this.#revision;
  }
  get oldestRevision(): number {
    return this.#oldest;
  }
  /** How many watches are open: for metrics and leak checks. */
  get watchCount(): number {
    return this.#watches.size;
  }

  get(key: string): Entry | undefined {
    return this.#index.get(key);
  }

  list(prefix: string, options: ListOptions = {}): ListResult {
    const [from, to] = bounds(prefix, options.after);
    const entries = this.#index.range(from, to, options.limit);
    const remaining = options.limit === undefined ? 0 : this.#index.count(from, to) - entries.length;
    return { entries, revision: this.#revision, remaining };
  }

  listAt(prefix: string, revision: number, options: ListOptions = {}): ListResult | Compacted {
    if (revision < this.#oldest || revision > this.#revision) return { compacted: true, oldest: this.#oldest };
    if (revision === this.#revision) return this.list(prefix, options);
    const [from, to] = bounds(prefix, options.after);
    const then = this.#history.undo(revision, key => key >= from && key < to);
    const changed = [...then.values()].filter(entry => entry !== undefined).sort((a, b) => (a.key < b.key ? -1 : 1));
    const entries = merge(this.#index.range(from, to).filter(entry => !then.has(entry.key)), changed);
    const page = options.limit === undefined ? entries : entries.slice(0, options.limit);
    return { entries: page, revision, remaining: entries.length - page.length };
  }

  count(prefix: string): number {
    return this.#index.count(...bounds(prefix));
  }

  put(key: string, value: string, expected: number, options: PutOptions = {}): Promise<WriteResult> {
    return this.#write(key, value, expected, options.frees ?? false);
  }

  delete(key: string, expected: number): Promise<WriteResult> {
    return this.#write(key, undefined, expected, true);
  }

  sync(): Promise<number> {
    return this.#engine.sync();
  }

  watch(prefix: string, revision: number, sink: (batch: Batch) => void, only?: Only): Watch | Compacted {
    if (revision < this.#oldest) return { compacted: true, oldest: this.#oldest };
    const missed = this.#history.after(revision).filter(change => covers(prefix, change.key) && (only === undefined || valuesOf(change, only.index).includes(only.value)));
    const watch = this.#watches.add(prefix, Math.max(revision, this.#revision), sink, only);
    if (missed.length > 0) sink({ changes: missed, progress: this.#revision });
    return watch;
  }

  async compact(revision: number): Promise<void> {
    assert(revision <= this.#revision, "only the past can be compacted");
    this.#forget(revision);
    await this.#compactEngine();
  }

  async close(): Promise<void> {
    this.#ended ??= new StoreClosed("the store is closed");
    this.#cancelCompaction?.();
    if (this.#flushing) await new Promise<void>(resolve => this.#idle.push(resolve));
    this.#watches.clear();
    // Ends a compaction that is under way; the next start goes on with it.
    await this.#engine.close();
    await this.#compacting;
  }

  #write(key: string, value: string | undefined, expected: number, frees: boolean): Promise<WriteResult> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    if (this.#queue.length >= this.#limits.pendingWrites) return Promise.reject(new StoreBusy(`${this.#queue.length} writes are waiting for the disk`));
    return new Promise((resolve, reject) => {
      this.#queue.push({ key, value, expected, frees, resolve, reject });
      if (this.#flushing) return;
      this.#flushing = true;
      this.#defer(() => void this.#flush());
    });
  }

  /** One batch at a time, so that every decision is made on what the last commit left; in between, others have their turn. */
  async #flush(): Promise<void> {
    try {
      await this.#commit(this.#nextBatch());
    } catch (error) {
      this.#fail(error);
    }
    if (this.#short) this.#makeRoom();
    if (this.#queue.length > 0) {
      this.#defer(() => void this.#flush());
      return;
    }
    this.#flushing = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #nextBatch(): Pending[] {
    let bytes = 0;
    let size = 0;
    for (const write of this.#queue) {
      bytes += write.value?.length ?? 0;
      if (size > 0 && (size >= this.#limits.batchWrites || bytes > this.#limits.batchBytes)) break;
      size++;
    }
    return this.#queue.splice(0, size);
  }

  async #commit(batch: readonly Pending[]): Promise<void> {
    const { writes, losers } = this.#decide(batch);
    if (writes.length === 0) return;
    const freeing = writes.filter(write => write.frees);
    try {
      const revisions = await this.#engine.commit(writes, { frees: freeing.length === writes.length });
      writes.forEach((write, i) => write.resolve(this.#outcome(write, revisions[i])));
      for (const write of losers) write.resolve({ ok: false, current: this.get(write.key) });
    } catch (error) {
      if (!(error instanceof StoreFull)) {
        const failure = this.#fail(error);
        for (const write of [...writes, ...losers]) write.reject(failure);
        return;
      }
      // Nothing of the batch was written. What frees space gets a second chance without the rest.
      const again = freeing.length < writes.length ? new Set(freeing) : new Set<Pending>();
      for (const write of [...writes, ...losers]) if (!again.has(write)) write.reject(error);
      if (again.size > 0) await this.#commit([...again]);
    }
  }

  /** Which writes hold against memory and the batch's earlier writes. Those that lose to an earlier write of the batch are answered once it is visible. */
  #decide(batch: readonly Pending[]): { writes: Pending[]; losers: Pending[] } {
    const writes: Pending[] = [];
    const losers: Pending[] = [];
    const exists = new Map<string, boolean>();
    for (const write of batch) {
      const earlier = exists.get(write.key);
      const current = this.#index.get(write.key);
      // Nobody can know the revision of an earlier write of the same batch yet, so only "must not exist" can still hold after one.
      const holds = earlier === undefined ? (current?.revision ?? 0) === write.expected : !earlier && write.expected === 0;
      const pointless = write.value === undefined && write.expected === 0;
      if (holds && !pointless) {
        writes.push(write);
        exists.set(write.key, write.value !== undefined);
      } else if (earlier !== undefined) losers.push(write);
      else write.resolve({ ok: false, current });
    }
    return { writes, losers };
  }

  #outcome(write: Pending, revision: number | undefined): WriteResult {
    if (revision === undefined) return { ok: false, current: this.get(write.key) };
    const { entry, previous } = must(this.#history.at(revision), "a commit is fed back before it resolves");
    return { ok: true, entry, previous };
  }

  /** Durable records become visible: in memory, in the history, to the watches, in this order. */
  #take(records: readonly EngineRecord[]): void {
    // Before the new changes come in: whoever made them still has to find them.
    if (!this.#loading) this.#bound();
    const changes: Change[] = [];
    for (const { revision, key, value } of records) {
      assert(revision > this.#revision, "revisions only grow");
      const previous = this.#index.get(key);
      this.#revision = revision;
      if (value === undefined && previous === undefined) {
        if (revision <= this.#oldest) this.#dead.push(revision);
        continue;
      }
      const entry: Entry = { key, value: value ?? previous!.value, revision, memo: undefined };
      if (value === undefined) this.#index.delete(key);
      else this.#index.set(entry);
      const change: Change = { type: value === undefined ? "delete" : "put", key, revision, entry, previous };
      if (revision > this.#oldest) {
        this.#history.add(change);
        changes.push(change);
      } else {
        if (previous !== undefined) this.#dead.push(previous.revision);
        if (value === undefined) this.#dead.push(revision);
      }
    }
    if (this.#loading || changes.length === 0) return;
    this.#planCompaction();
    this.#watches.publish(changes, this.#revision);
  }

  /** Too much history goes at once, a tenth at a time, so that the engine is not bothered for each write. */
  #bound(): void {
    const { historyChanges, historyBytes } = this.#limits;
    const { length } = this.#history;
    if (length <= historyChanges && this.#history.bytes <= historyBytes) return;
    const dropped = Math.ceil(Math.max(length - historyChanges * 0.9, length * 0.1));
    this.#forget(must(this.#history.revisionAt(dropped - 1), "there is history to drop"));
    void this.#compactEngine();
  }

  /** What is in the history now goes one interval from now. An idle store has no history and no timer. */
  #planCompaction(): void {
    if (this.#history.length === 0 || this.#cancelCompaction !== undefined || this.#ended !== undefined) return;
    const revision = this.#revision;
    this.#cancelCompaction = this.#clock.after(this.#limits.compactionIntervalMs, () => {
      this.#cancelCompaction = undefined;
      this.#forget(revision);
      void this.#compactEngine();
      this.#planCompaction();
    });
  }

  /** On a full disk: replaced and deleted values go at once, so that the deletes to come find room. */
  #makeRoom(): void {
    this.#short = false;
    if (this.#oldest === this.#revision) return;
    this.#log.warn("the disk is full: the history is dropped to make room", { revision: this.#revision });
    this.#forget(this.#revision);
    void this.#compactEngine();
  }

  #forget(revision: number): void {
    if (revision <= this.#oldest) return;
    for (const dead of this.#history.drop(revision)) this.#dead.push(dead);
    this.#oldest = revision;
  }

  /** Tells the engine what was forgotten; calls that come while one runs are served by it. */
  #compactEngine(): Promise<void> {
    this.#compacting ??= this.#tellEngine().finally(() => { this.#compacting = undefined; });
    return this.#compacting;
  }

  async #tellEngine(): Promise<void> {
    try {
      while ((this.#dead.length > 0 || this.#engineOldest < this.#oldest) && this.#ended === undefined) {
        this.#engineOldest = this.#oldest;
        await this.#engine.compact(this.#oldest, this.#dead.splice(0));
      }
    } catch (error) {
      // A full disk is no reason to end: the file only stays larger, and a restart finds the dead revisions again.
      if (error instanceof StoreFull) this.#log.warn("no space to compact the store", { error: messageOf(error) });
      else this.#fail(error);
    }
  }

  #fail(error: unknown): StoreFailed {
    if (this.#ended instanceof StoreFailed) return this.#ended;
    const failure = error instanceof StoreFailed ? error : new StoreFailed(`the store cannot go on: ${messageOf(error)}`, { cause: error });
    this.#ended = failure;
    this.#cancelCompaction?.();
    for (const write of this.#queue.splice(0)) write.reject(failure);
    this.#onFailure(failure);
    return failure;
  }
}

/** The keys of a prefix as a half-open range, optionally only those after a key. */
function bounds(prefix: string, after?: string): [string, string] {
  assert(prefix.endsWith("/"), "a prefix ends with a separator");
  const from = after === undefined || after < prefix ? prefix : `${after}\0`;
  const to = `${prefix.slice(0, -1)}0`; // "0" follows "/"
  return [from < to ? from : to, to];
}

/** Two ordered lists without common keys as one. */
function merge(a: readonly Entry[], b: readonly Entry[]): Entry[] {
  const merged: Entry[] = [];
  let i = 0;
  for (const entry of a) {
    for (; i < b.length && b[i]!.key < entry.key; i++) merged.push(b[i]!);
    merged.push(entry);
  }
  for (; i < b.length; i++) merged.push(b[i]!);
  return merged;
}
