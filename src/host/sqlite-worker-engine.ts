import { Worker } from "node:worker_threads";
import { messageOf } from "../base/log.ts";
import { StoreFailed, StoreFull, type Engine, type EngineEvents, type EngineFeed, type EngineRecord, type EngineWrite } from "../store/store.ts";
import { StoreFileError } from "./sqlite-log.ts";

/** What goes to the thread, and what comes back. */
export type EngineCall = { readonly id: number; readonly method: "open" | "read" | "commit" | "sync" | "compact" | "close"; readonly arguments: readonly unknown[] };
/** A reply to no call (id 0) is an event: a failure that no call waits for or, without an error, that space is short. */
export type EngineReply = { readonly id: number; readonly value?: unknown; readonly error?: { readonly name: string; readonly message: string } };

// A disk that does not answer for this long will not be believed any more.
const answerMsMax = 60_000;
const errors: { readonly [name: string]: new (message: string) => Error } = { StoreFull, StoreFailed, StoreFileError };

/** The same engine on a thread of its own, for disks whose flushes would hold up the event loop. */
export class SqliteWorkerEngine implements Engine {
  readonly #path: string;
  readonly #answerMsMax: number;
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  #worker: Worker | undefined;
  #feed: EngineFeed = () => {};
  #events: EngineEvents = { failed: () => {}, short: () => {} };
  #calls = 0;

  constructor(path: string, options: { readonly answerMsMax?: number } = {}) {
    this.#path = path;
    this.#answerMsMax = options.answerMsMax ?? answerMsMax;
  }

  async open(events: EngineEvents): Promise<{ revision: number; oldest: number }> {
    this.#events = events;
    const entry = import.meta.url.endsWith(".ts") ? "./sqlite-worker.ts" : "./sqlite-worker.js";
    const worker = new Worker(new URL(entry, import.meta.url), { workerData: { path: this.#path } });
    worker.on("message", (reply: EngineReply) => this.#settle(reply));
    worker.on("error", error => this.#end(new StoreFailed(`the store's thread died: ${messageOf(error)}`, { cause: error })));
    worker.on("exit", () => this.#end(new StoreFailed("the store's thread is gone")));
    this.#worker = worker;
    try {
      return (await this.#call("open", [])) as { revision: number; oldest: number };
    } catch (error) {
      worker.removeAllListeners();
      await worker.terminate();
      throw error;
    }
  }

  async replay(feed: EngineFeed): Promise<void> {
    for (let after = 0; ; ) {
      const records = (await this.#call("read", [after])) as EngineRecord[];
      if (records.length === 0) break;
      feed(records);
      after = records.at(-1)!.revision;
    }
    this.#feed = feed;
  }

  async commit(writes: readonly EngineWrite[], options: { readonly frees: boolean }): Promise<readonly number[]> {
    const revisions = (await this.#call("commit", [writes.map(({ key, value, expected }) => ({ key, value, expected })), options])) as readonly number[];
    // The values are here already; only their revisions had to travel back.
    this.#feed(writes.map(({ key, value }, i) => ({ revision: revisions[i]!, key, value })));
    return revisions;
  }

  async sync(): Promise<number> {
    return (await this.#call("sync", [])) as number;
  }

  async compact(revision: number, dead: readonly number[]): Promise<void> {
    await this.#call("compact", [revision, dead], Infinity);
  }

  async close(): Promise<void> {
    if (this.#worker === undefined) return;
    await this.#call("close", []);
    const worker = this.#worker;
    this.#worker = undefined;
    worker.removeAllListeners();
    await worker.terminate();
    // Only a compaction can still be waiting: it ended with its thread.
    for (const { resolve } of this.#waiting.values()) resolve(undefined);
    this.#waiting.clear();
  }

  #call(method: EngineCall["method"], args: readonly unknown[], deadlineMs = this.#answerMsMax): Promise<unknown> {
    const worker = this.#worker;
    if (worker === undefined) return Promise.reject(new StoreFailed(`the store ${this.#path} is not open`));
    const id = ++this.#calls;
    return new Promise((resolve, reject) => {
      worker.postMessage({ id, method, arguments: args } satisfies EngineCall);
      const late = Number.isFinite(deadlineMs) ? setTimeout(() => this.#end(new StoreFailed(`the disk of ${this.#path} has not answered for ${deadlineMs / 1_000} s`)), deadlineMs) : undefined;
      const settle = <T>(then: (value: T) => void) => (value: T) => { clearTimeout(late); then(value); };
      this.#waiting.set(id, { resolve: settle(resolve), reject: settle(reject) });
    });
  }

  #settle(reply: EngineReply): void {
    const error = reply.error && new (errors[reply.error.name] ?? StoreFailed)(reply.error.message);
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (waiting === undefined) (error === undefined ? this.#events.short : this.#events.failed)(error);
    else if (error === undefined) waiting.resolve(reply.value);
    else waiting.reject(error);
  }

  #end(error: Error): void {
    this.#events.failed(error);
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
