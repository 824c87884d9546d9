/** The only source of time. The core never sees `Date.now` or `setTimeout`; tests hand in a virtual clock. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Milliseconds that never go back, from an arbitrary origin: for durations, leases and back-off. */
  monotonic(): number;
  /** Resolves after `ms`, or at once when `signal` aborts. Never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `callback` once after `ms` unless the returned function is called first. */
  after(ms: number, callback: () => void): () => void;
}
