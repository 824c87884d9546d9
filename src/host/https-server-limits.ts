/** Every bound of the HTTPS servers, by name: what a client may take before it is refused. */
export type ServerLimits = {
  /** A request body; past it 413. Upstream's 3 MiB (apiserver pkg/server/config.go, MaxRequestBodyBytes). */
  readonly bodyBytes: number;
  /** A whole body must have arrived within this time. */
  readonly bodyMs: number;
  /** Request line and headers together. An exec's command line travels in the URL, so more than Node's 16 KiB. */
  readonly headerBytes: number;
  /** Headers of one request. */
  readonly headerCount: number;
  /** From the first byte to the end of the headers; upstream's ReadHeaderTimeout. */
  readonly headerMs: number;
  readonly handshakeMs: number;
  /** A connection with nothing under way is closed after this; upstream's IdleTimeout. */
  readonly idleMs: number;
  /** Open connections in all, and from one address that is not loopback. */
  readonly connections: number;
  readonly connectionsPerAddress: number;
  /** HTTP/2 streams at once on a connection: Go's default for callers without a certificate, more for agents and controllers with many watches. */
  readonly streams: number;
  readonly streamsTrusted: number;
  /** What a `stream` answer may pile up before the reader is cut off. The writer's own limit is lower; this is the net below it. */
  readonly outputBytes: number;
  /** A finished answer must be taken off our hands within this time. */
  readonly stalledMs: number;
  /** Streams that an address may cancel at once, and how many more each second (rapid reset, CVE-2023-44487). */
  readonly resetBurst: number;
  readonly resetsPerSecond: number;
  /** How long an address that went past it is refused. */
  readonly banMs: number;
  /** Addresses remembered for the counters above. */
  readonly guardedAddresses: number;
  /** Answers of at least this size are compressed when the client accepts it; upstream's defaultGzipThresholdBytes. */
  readonly gzipBytes: number;
};

export const serverLimits: ServerLimits = {
  bodyBytes: 3 * 1024 * 1024, bodyMs: 60_000,
  headerBytes: 128 * 1024, headerCount: 256, headerMs: 32_000, handshakeMs: 10_000, idleMs: 90_000,
  connections: 10_000, connectionsPerAddress: 1_000,
  streams: 250, streamsTrusted: 1_000,
  outputBytes: 16 * 1024 * 1024, stalledMs: 60_000,
  resetBurst: 1_000, resetsPerSecond: 200, banMs: 30_000, guardedAddresses: 10_000,
  gzipBytes: 128 * 1024,
};
