import { setImmediate } from "node:timers/promises";
import type { Clock } from "../../src/base/clock.ts";

type Timer = { readonly at: number; readonly sequence: number; readonly fire: () => void; cancelled: boolean };

/** Time that moves only when everything that could run has run. The same seed gives the same order, every time. */
export class VirtualClock implements Clock {
  // A moment in 2030, so that objects have believable times.
  readonly #origin = 1_893_456_000_000;
  #now = 0;
  #sequence = 0;
  /** A binary heap by time, then by the order of asking. */
  readonly #timers: Timer[] = [];

  now(): number {
    return this.#origin + this.#now;
  }
  monotonic(): number {
    return this.#now;
  }
  after(ms: number, callback: () => void): () => void {
    const timer: Timer = { at: this.#now + Math.max(0, ms), sequence: this.#sequence++, fire: callback, cancelled: false };
    this.#push(timer);
    return () => void (timer.cancelled = true);
  }
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise(resolve => {
      const cancel = this.after(ms, () => {
        signal?.removeEventListener("abort", aborted);
        resolve();
      });
      const aborted = (): void => {
        cancel();
        resolve();
      };
      signal?.addEventListener("abort", aborted, { once: true });
    });
  }
  /** Runs until `goal` holds, or fails once virtual time would pass `deadlineMs` from now. */
  async until(goal: () => boolean, deadlineMs: number, what = "the goal"): Promise<void> {
    const deadline = this.#now + deadlineMs;
    for (;;) {
      await setImmediate(); // drains every microtask: the system is at rest
      if (goal()) return;
      const next = this.#pop();
      if (next === undefined || next.at > deadline) {
        if (next !== undefined) this.#push(next);
        throw new Error(`${what} was not reached within ${deadlineMs} ms (now ${Math.round(this.#now)} ms)`);
      }
      this.#now = next.at;
      next.fire();
    }
  }
  /** Lets `ms` of virtual time pass. */
  async pass(ms: number): Promise<void> {
    let over = false;
    this.after(ms, () => (over = true));
    await this.until(() => over, ms);
  }

  #push(timer: Timer): void {
    const heap = this.#timers;
    let i = heap.push(timer) - 1;
    for (let parent = (i - 1) >> 1; i > 0 && before(timer, heap[parent]!); i = parent, parent = (i - 1) >> 1) heap[i] = heap[parent]!;
    heap[i] = timer;
  }
  #pop(): Timer | undefined {
    const heap = this.#timers;
    for (;;) {
      const top = heap[0];
      const last = heap.pop();
      if (top === undefined || last === undefined) return undefined;
      if (heap.length > 0) {
        let i = 0;
        for (;;) {
          let child = 2 * i + 1;
          if (child >= heap.length) break;
          if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
          if (!before(heap[child]!, last)) break;
          heap[i] = heap[child]!;
          i = child;
        }
        heap[i] = last;
      }
      if (!top.cancelled) return top;
    }
  }
}
function before(a: Timer, b: Timer): boolean {
  return a.at < b.at || (a.at === b.at && a.sequence < b.sequence);
}
