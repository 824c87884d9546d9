import type { Clock } from "../base/clock.ts";

/** Entries not asked about for this many times the longest wait are forgotten. */
const forgetAfter = 2;

/** Waits that double with each failure: client-go's flowcontrol.Backoff, as kubelet uses it for restarts and image pulls. */
export class BackOff {
  readonly #clock: Clock;
  readonly #firstMs: number;
  readonly #maxMs: number;
  readonly #entries = new Map<string, { waitMs: number; updated: number }>();
  constructor(clock: Clock, firstMs: number, maxMs: number) {
    this.#clock = clock;
    this.#firstMs = firstMs;
    this.#maxMs = maxMs;
  }
  /** The wait now in force for `key`; 0 when there is none. */
  waitMs(key: string): number {
    return this.#entries.get(key)?.waitMs ?? 0;
  }
  /** Milliseconds until `key` may be tried again, counted from `since` (monotonic) or from the last failure; 0: now, or it went well for long. */
  remainingMs(key: string, since?: number): number {
    const entry = this.#entries.get(key);
    if (!entry || (since !== undefined && since - entry.updated > forgetAfter * this.#maxMs)) return 0;
    return Math.max(0, (since ?? entry.updated) + entry.waitMs - this.#clock.monotonic());
  }
  /** One more failure. A failure long after the last one (twice the longest wait) starts over. `at`: when it failed, if not now. */
  next(key: string, at = this.#clock.monotonic()): void {
    const entry = this.#entries.get(key);
    if (!entry || at - entry.updated > forgetAfter * this.#maxMs) this.#entries.set(key, { waitMs: this.#firstMs, updated: this.#clock.monotonic() });
    else {
      entry.waitMs = Math.min(entry.waitMs * 2, this.#maxMs);
      entry.updated = this.#clock.monotonic();
    }
  }
  forget(prefix: string): void {
    for (const key of this.#entries.keys()) if (key.startsWith(prefix)) this.#entries.delete(key);
  }
}

/** A duration as Go prints it: `10s`, `1m20s`, `5m0s`, `250ms`, `1.5s`. */
export function goDuration(ms: number): string {
  if (ms === 0) return "0s";
  if (ms < 1) return `${trimmed(ms * 1000)}µs`;
  if (ms < 1000) return `${trimmed(ms)}ms`;
  const seconds = ms / 1000;
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  const rest = `${trimmed(Math.round((seconds % 60) * 1e6) / 1e6)}s`;
  return hours > 0 ? `${hours}h${minutes}m${rest}` : minutes > 0 ? `${minutes}m${rest}` : rest;
}
function trimmed(value: number): string {
  return String(Math.round(value * 1e6) / 1e6);
}
