import { closeSync, fdatasyncSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Log } from "../base/log.ts";
import type { Engine, EngineEvents, EngineFeed, EngineWrite } from "../store/store.ts";
import { SqliteLog } from "./sqlite-log.ts";
import { SqliteWorkerEngine } from "./sqlite-worker-engine.ts";

// Records read at a time at start.
export const replayRecords = 1_000;
// Dead revisions leave with later commits, twice as many as come in, and the rest in steps that no commit notices.
const deadPerWrite = 2;
const deadPerStep = 64;

// However little has been written by then.
const holdSpaceAfterMs = 1_000;

/** The embedded engine on this thread: commits and fsyncs block it, which is cheaper than a second thread as long as a flush takes well under a millisecond. */
export class SqliteEngine implements Engine {
  readonly #path: string;
  #log: SqliteLog | undefined;
  #feed: EngineFeed = () => {};
  #dead: number[] = [];
  #checkpoint: NodeJS.Immediate | undefined;
  #holdSpace: NodeJS.Timeout | undefined;
  #events: EngineEvents = { failed: () => {}, short: () => {} };

  constructor(path: string) {
    this.#path = path;
  }

  async open(events: EngineEvents): Promise<{ revision: number; oldest: number }> {
    this.#events = events;
    mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
    this.#log = new SqliteLog(this.#path);
    this.#holdSpace = setTimeout(() => this.#told(log => log.holdSpace()), holdSpaceAfterMs).unref();
    return { revision: this.#log.revision, oldest: this.#log.oldest };
  }

  async replay(feed: EngineFeed): Promise<void> {
    const log = this.#opened();
    for (let after = 0; ; ) {
      const records = log.read(after, replayRecords);
      if (records.length > 0) feed(records);
      if (records.length < replayRecords) break;
      after = records.at(-1)!.revision;
    }
    this.#feed = feed;
  }

  /** One page of `replay`, for a caller on another thread. */
  async read(after: number): Promise<ReturnType<SqliteLog["read"]>> {
    return this.#opened().read(after, replayRecords);
  }

  async commit(writes: readonly EngineWrite[], options: { readonly frees: boolean }): Promise<readonly number[]> {
    const log = this.#opened();
    const remove = this.#dead.splice(0, writes.length * deadPerWrite);
    let records;
    try {
      records = log.commit(writes, remove, options);
    } catch (error) {
      this.#dead.unshift(...remove);
      throw error;
    }
    this.#planCheckpoint();
    this.#feed(records);
    if (log.short) this.#events.short();
    return records.map(({ revision }) => revision);
  }

  async sync(): Promise<number> {
    return this.#opened().revision;
  }

  async compact(revision: number, dead: readonly number[]): Promise<void> {
    this.#opened().forget(revision);
    for (const each of dead) this.#dead.push(each);
    while (this.#dead.length > 0 && this.#log !== undefined) {
      this.#opened().commit([], this.#dead.slice(0, deadPerStep), { frees: false });
      this.#dead.splice(0, deadPerStep);
      this.#planCheckpoint();
      await nextTurn();
    }
  }

  async close(): Promise<void> {
    clearImmediate(this.#checkpoint);
    clearTimeout(this.#holdSpace);
    this.#log?.close();
    this.#log = undefined;
  }

  /** After those who wait for the commit have been told. */
  #planCheckpoint(): void {
    if (this.#checkpoint !== undefined || this.#log?.wantsCheckpoint !== true) return;
    this.#checkpoint = setImmediate(() => {
      this.#checkpoint = undefined;
      this.#told(log => log.checkpoint());
    });
  }

  /** Work that nobody waits for. */
  #told(work: (log: SqliteLog) => void): void {
    try {
      if (this.#log !== undefined) work(this.#log);
    } catch (error) {
      this.#events.failed(error);
    }
  }

  #opened(): SqliteLog {
    if (this.#log === undefined) throw new Error(`the store ${this.#path} is not open`);
    return this.#log;
  }
}

/** From this flush time on, a thread of its own keeps the event loop free (performance.md, a2). */
const ownThreadFromMs = 1;

/** The default engine for `path`: on this thread when the disk flushes fast, else on its own. */
export function sqliteEngine(path: string, options: { readonly log: Log; readonly thread?: "main" | "own" }): Engine {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const flushMs = options.thread === undefined ? measureFlush(dirname(path)) : undefined;
  const own = options.thread === "own" || (flushMs !== undefined && flushMs >= ownThreadFromMs);
  options.log.info("store", { path, thread: own ? "own" : "main", ...(flushMs === undefined ? {} : { flushMs: Number(flushMs.toFixed(3)) }) });
  return own ? new SqliteWorkerEngine(path) : new SqliteEngine(path);
}

/** The least time that a flushed 4 KiB write takes in `directory`: what the disk can do, whatever else the machine does just now. */
function measureFlush(directory: string): number {
  const path = join(directory, `.flush-${process.pid}`);
  const file = openSync(path, "w", 0o600);
  try {
    const block = new Uint8Array(4096);
    const times = Array.from({ length: 5 }, (_, i) => {
      writeSync(file, block, 0, block.length, i * block.length);
      const started = performance.now();
      fdatasyncSync(file);
      return performance.now() - started;
    });
    return Math.min(...times);
  } finally {
    closeSync(file);
    rmSync(path, { force: true });
  }
}
