/** How long a request may take (apiserver pkg/server/filters/timeout.go); how many run at once is `flow-control/`. */
import type { Clock } from "../base/clock.ts";
import { durationProblem, parseDuration } from "../base/duration.ts";
import { badRequest, timeout } from "./errors.ts";

/** Upstream's --request-timeout. */
export const requestTimeoutMs = 60_000;
export const lateText = "request did not complete within the allotted timeout";

/** The work's outcome, or 504 when it takes longer than `ms`. The work itself is told through the signal and may still finish. */
export async function within<T>(clock: Clock, ms: number, work: (limit: { readonly signal: AbortSignal }) => Promise<T>, parent: { readonly signal: AbortSignal }): Promise<T> {
  const limit = new Limit(parent);
  let stop: () => void = () => undefined;
  const late = new Promise<never>((_, reject) => {
    stop = clock.after(ms, () => {
      limit.abort();
      reject(timeout(lateText, 0));
    });
  });
  try {
    return await Promise.race([work(limit), late]);
  } finally {
    stop();
    limit.release();
  }
}

/** A signal that aborts with its parent's or when told to; neither exists before somebody asks, and few do. */
class Limit {
  readonly #parent: { readonly signal: AbortSignal };
  readonly #forward = (): void => this.abort();
  #controller: AbortController | undefined;
  #aborted = false;

  constructor(parent: { readonly signal: AbortSignal }) {
    this.#parent = parent;
  }
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      const { signal } = this.#parent;
      if (this.#aborted || signal.aborted) this.#controller.abort();
      else signal.addEventListener("abort", this.#forward, { once: true });
    }
    return this.#controller.signal;
  }
  abort(): void {
    this.#aborted = true;
    this.#controller?.abort();
  }
  release(): void {
    if (this.#controller !== undefined) this.#parent.signal.removeEventListener("abort", this.#forward);
  }
}

/** `?timeout=10s`, in Go's notation; only shortens. Throws for what is no duration (apiserver pkg/endpoints/filters/request_deadline.go). */
export function timeoutOf(query: URLSearchParams): number {
  const asked = query.get("timeout") ?? "";
  if (asked === "") return requestTimeoutMs;
  const nanos = parseDuration(asked);
  if (nanos === undefined) throw badRequest(`invalid timeout specified in the request URL - ${durationProblem(asked)}`);
  return nanos <= 0n ? requestTimeoutMs : Math.min(Number(nanos) / 1e6, requestTimeoutMs);
}
