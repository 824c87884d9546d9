/** How many requests run at once, and for how long (apiserver pkg/server/filters/maxinflight.go, timeout.go). */
import type { Clock } from "../base/clock.ts";
import { timeout } from "./errors.ts";

export const readsInFlightMax = 400;
export const writesInFlightMax = 200;
/** Upstream's --request-timeout. */
export const requestTimeoutMs = 60_000;

const reading: ReadonlySet<string> = new Set(["get", "list", "watch", "head", "options"]);

/** Counts what is under way. `system:masters` is not limited: an administrator must get in to mend what fills the server. */
export class InFlight {
  reads = 0;
  writes = 0;

  /** A function to call at the end, or `undefined` when the server is full. */
  enter(verb: string, privileged: boolean): (() => void) | undefined {
    const read = reading.has(verb);
    if (!privileged && (read ? this.reads >= readsInFlightMax : this.writes >= writesInFlightMax)) return undefined;
    if (read) this.reads++;
    else this.writes++;
    return () => {
      if (read) this.reads--;
      else this.writes--;
    };
  }
}

/** The work's outcome, or 504 when it takes longer than `ms`. The work itself is told through the signal and may still finish. */
export async function within<T>(clock: Clock, ms: number, work: (signal: AbortSignal) => Promise<T>, parent: AbortSignal): Promise<T> {
  const controller = new AbortController();
  const forward = (): void => controller.abort();
  parent.addEventListener("abort", forward, { once: true });
  let stop: () => void = () => undefined;
  const late = new Promise<never>((_, reject) => {
    stop = clock.after(ms, () => {
      controller.abort();
      reject(timeout("request did not complete within the allotted timeout", 0));
    });
  });
  try {
    return await Promise.race([work(controller.signal), late]);
  } finally {
    stop();
    parent.removeEventListener("abort", forward);
  }
}

/** `?timeout=10s`, in Go's notation; only shortens. */
export function timeoutOf(query: URLSearchParams): number {
  const match = /^([0-9]{1,7})(ms|s|m|h)?$/.exec(query.get("timeout") ?? "");
  if (match === null) return requestTimeoutMs;
  const unit = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[match[2] ?? "s"] ?? 1000;
  const asked = Number(match[1]) * unit;
  return asked === 0 ? requestTimeoutMs : Math.min(asked, requestTimeoutMs);
}
