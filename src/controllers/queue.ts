import type { Clock } from "../base/clock.ts";
import type { QueueFigures } from "./queue-figures.ts";

const failureWaitMs = 5;
const failureWaitMaxDefaultMs = 1_000_000;
// Retries of all keys together, as upstream's default limiter: 10 a second after a burst of 100.
const retriesPerSecond = 10;
const retriesBurst = 100;

export type Counted = { readonly name: string; readonly figures: QueueFigures };

/**
 * A set of keys to look at. A key is handed to one worker at a time; asking again while it runs runs it once more.
 * Each key has at most one timer: a later decision replaces an earlier one.
 */
export class KeyQueue {
  /** With the time since when, where somebody counts. */
  readonly #ready = new Map<string, number>();
  readonly #running = new Map<string, number>();
  readonly #again = new Set<string>();
  readonly #failures = new Map<string, number>();
  readonly #timers = new Map<string, () => void>();
  readonly #takers: ((key: string | undefined) => void)[] = [];
  readonly #clock: Clock;
  readonly #counted: Counted | undefined;
  readonly #failureWaitMaxMs: number;
  #allowance = retriesBurst;
  #allowanceAt: number;
  #closed = false;

  constructor(clock: Clock, counted?: Counted, failureWaitMaxMs = failureWaitMaxDefaultMs) {
    this.#failureWaitMaxMs = failureWaitMaxMs;
    this.#clock = clock;
    this.#counted = counted;
    counted?.figures.follow(counted.name, { depth: () => this.#ready.size, underway: () => [...this.#running.values()].map(since => (this.#now() - since) / 1000) });
    this.#allowanceAt = clock.monotonic();
  }
  /** Keys waiting for a worker. */
  get depth(): number {
    return this.#ready.size;
  }
  add(key: string): void {
    if (this.#closed) return;
    if (this.#running.has(key)) {
      if (!this.#again.has(key)) this.#count();
      this.#again.add(key);
    } else {
      if (!this.#ready.has(key)) {
        this.#count();
        this.#ready.set(key, this.#now());
      }
      this.#hand();
    }
  }
  /** Adds `key` after `ms`, instead of whatever wait it had. */
  addAfter(key: string, ms: number): void {
    this.cancel(key);
    if (this.#closed) return;
    this.#timers.set(key, this.#clock.after(ms, () => {
      this.#timers.delete(key);
      this.add(key);
    }));
  }
  cancel(key: string): void {
    this.#timers.get(key)?.();
    this.#timers.delete(key);
  }
  /** The next key, or `undefined` when the queue is closed. */
  take(): Promise<string | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    return new Promise(resolve => {
      this.#takers.push(resolve);
      this.#hand();
    });
  }
  done(key: string): void {
    this.#counted?.figures.worked.observe((this.#now() - (this.#running.get(key) ?? 0)) / 1000, this.#counted.name);
    this.#running.delete(key);
    if (!this.#again.delete(key) || this.#closed) return;
    // It was counted when it was asked for.
    this.#ready.set(key, this.#now());
    this.#hand();
  }
  succeeded(key: string): void {
    this.#failures.delete(key);
  }
  /** How long to wait before the next try: 5 ms, doubling up to 1000 s or what was given, and longer when very many keys fail at once. */
  failed(key: string): number {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    this.#counted?.figures.retries.add(1, this.#counted.name);
    const now = this.#clock.monotonic();
    this.#allowance = Math.min(this.#allowance + ((now - this.#allowanceAt) / 1000) * retriesPerSecond, retriesBurst) - 1;
    this.#allowanceAt = now;
    return Math.max(Math.min(failureWaitMs * 2 ** failures, this.#failureWaitMaxMs), this.#allowance < 0 ? (-this.#allowance / retriesPerSecond) * 1000 : 0);
  }
  /** Lets every worker go and forgets all timers. */
  close(): void {
    this.#closed = true;
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
    for (const taker of this.#takers.splice(0)) taker(undefined);
  }
  #count(): void {
    this.#counted?.figures.adds.add(1, this.#counted.name);
  }
  #now(): number {
    return this.#counted === undefined ? 0 : this.#clock.monotonic();
  }
  #hand(): void {
    for (const [key, since] of this.#ready) {
      const taker = this.#takers.shift();
      if (taker === undefined) return;
      const now = this.#now();
      this.#counted?.figures.waited.observe((now - since) / 1000, this.#counted.name);
      this.#ready.delete(key);
      this.#running.set(key, now);
      taker(key);
    }
  }
}
