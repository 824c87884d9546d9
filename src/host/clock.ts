import type { Clock } from "../base/clock.ts";

/** The machine's time. Timers longer than what `setTimeout` can hold (24 days) are made of pieces. */
export function systemClock(): Clock {
  return {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    sleep: (ms, signal) => new Promise(resolve => {
      if (signal?.aborted) return resolve();
      const cancel = after(ms, () => { signal?.removeEventListener("abort", ended); resolve(); });
      const ended = (): void => { cancel(); resolve(); };
      signal?.addEventListener("abort", ended, { once: true });
    }),
    after,
  };
}

const timeoutMsMax = 2 ** 31 - 1;

function after(ms: number, callback: () => void): () => void {
  let timer: NodeJS.Timeout;
  const wait = (left: number): void => {
    timer = setTimeout(() => (left > timeoutMsMax ? wait(left - timeoutMsMax) : callback()), Math.max(0, Math.min(left, timeoutMsMax)));
  };
  wait(ms);
  return () => clearTimeout(timer);
}
