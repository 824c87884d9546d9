import { assert } from "../base/assert.ts";
import type { Clock } from "../base/clock.ts";
import { StoreFailed, StoreFull, type Engine, type EngineFeed, type EngineRecord, type EngineWrite } from "./store.ts";

/** What a machine keeps when the server on it dies: the records that were flushed. Give it to the next `MemoryEngine`. */
export class MemoryDisk {
  /** By revision; a `Map` keeps the order of insertion, which is the order of revisions. */
  readonly records = new Map<number, EngineRecord>();
  revision = 1;
  oldest = 1;
  /** While true, a commit that does not free space is `StoreFull`. */
  full = false;
  /** When set, the next flush fails with it, as a broken disk does. */
  error: string | undefined;
  /** The engine that uses the disk; an older one is dead. */
  owner: MemoryEngine | undefined;
}

export type MemoryEngineOptions = { readonly disk?: MemoryDisk; readonly clock?: Clock; /** How long a flush takes; 0 commits at once. */ readonly flushMs?: number };

/**
 * An engine that forgets nothing as long as its `MemoryDisk` lives. For tests and the simulator: `crash` ends it at any moment, with the commit
 * that is under way lost or kept, as it happens to a real server.
 */
export class MemoryEngine implements Engine {
  readonly #disk: MemoryDisk;
  readonly #clock: Clock | undefined;
  readonly #flushMs: number;
  #feed: EngineFeed | undefined;
  #underWay: EngineRecord[] = [];

  constructor(options: MemoryEngineOptions = {}) {
    this.#disk = options.disk ?? new MemoryDisk();
    this.#clock = options.clock;
    this.#flushMs = options.flushMs ?? 0;
    assert(this.#flushMs === 0 || this.#clock !== undefined, "a flush that takes time needs a clock");
  }

  async open(): Promise<{ revision: number; oldest: number }> {
    assert(this.#disk.owner === undefined, "a disk has one engine at a time");
    this.#disk.owner = this;
    return { revision: this.#disk.revision, oldest: this.#disk.oldest };
  }

  async replay(feed: EngineFeed): Promise<void> {
    if (this.#disk.records.size > 0) feed([...this.#disk.records.values()]);
    this.#feed = feed;
  }

  async commit(writes: readonly EngineWrite[], options: { readonly frees: boolean }): Promise<readonly number[]> {
    this.#mustBeAlive();
    if (this.#disk.full && !options.frees) throw new StoreFull("no space left on the simulated disk");
    this.#underWay = writes.map(({ key, value }, i) => ({ revision: this.#disk.revision + 1 + i, key, value }));
    if (this.#flushMs > 0) await this.#clock!.sleep(this.#flushMs);
    this.#mustBeAlive();
    const { error } = this.#disk;
    if (error !== undefined) {
      this.#disk.error = undefined;
      throw new StoreFailed(error);
    }
    const records = this.#underWay;
    this.#flush(records);
    this.#underWay = [];
    this.#feed?.(records);
    return records.map(({ revision }) => revision);
  }

  async sync(): Promise<number> {
    return this.#disk.revision;
  }

  async compact(revision: number, dead: readonly number[]): Promise<void> {
    this.#mustBeAlive();
    this.#disk.oldest = Math.max(this.#disk.oldest, revision);
    for (const each of dead) this.#disk.records.delete(each);
  }

  async close(): Promise<void> {
    if (this.#disk.owner === this) this.#disk.owner = undefined;
    this.#feed = undefined;
  }

  /** The process dies here. `kept`: the commit under way had just reached the disk; nobody was told. A commit is kept whole or not at all. */
  crash(kept: boolean): void {
    if (kept && this.#underWay.length > 0 && this.#disk.owner === this) this.#flush(this.#underWay);
    this.#underWay = [];
    this.#feed = undefined;
    if (this.#disk.owner === this) this.#disk.owner = undefined;
  }

  #flush(records: readonly EngineRecord[]): void {
    for (const record of records) this.#disk.records.set(record.revision, record);
    this.#disk.revision += records.length;
  }

  #mustBeAlive(): void {
    if (this.#disk.owner !== this) throw new StoreFailed("the engine is gone: its process died or it was closed");
  }
}
