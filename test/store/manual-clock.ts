import type { Clock } from "../../src/base/clock.ts";

type Timer = { readonly at: number; readonly callback: () => void };

/** A clock that moves only when told to. */
export class ManualClock implements Clock {
  #now = 0;
  #timers: Timer[] = [];

  /** How many timers are armed. */
  get waiting(): number {
    return this.#timers.length;
  }
  now(): number {
    return this.#now;
  }
  monotonic(): number {
    return this.#now;
  }
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      if (signal?.aborted) return resolve();
      const cancel = this.after(ms, resolve);
      signal?.addEventListener("abort", () => { cancel(); resolve(); }, { once: true });
    });
  }
  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + ms, callback };
    this.#timers.push(timer);
    return () => { this.#timers = this.#timers.filter(each => each !== timer); };
  }
  /** Fires what is due within `ms`, in order, letting promises settle in between. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await new Promise(resolve => setImmediate(resolve));
      const next = this.#timers.filter(timer => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter(timer => timer !== next);
      this.#now = next.at;
      next.callback();
    }
    this.#now = end;
  }
}
