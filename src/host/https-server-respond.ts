/** Writes an answer of any kind onto an exchange: whole, in pieces, or for as long as it lasts. */
import { once } from "node:events";
import type { Writable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { constants, createGzip, gzip } from "node:zlib";
import type { Headers, HttpResponse, Sink } from "../api/http.ts";
import type { Exchange, OutgoingHeaders } from "./https-server-exchange.ts";
import type { ServerLimits } from "./https-server-limits.ts";

const chunkBytes = 64 * 1024;
// Lists: what is encoded at a time, at first and later, and what may wait for the connection.
const firstChunkBytes = 16 * 1024;
const listChunkBytes = 256 * 1024;
const listBufferedBytes = 512 * 1024;
// Watch events handed to connections in one turn of the event loop.
const sliceBytes = 96 * 1024;
// Upstream's defaultGzipContentEncodingLevel: speed matters more than the last percent.
const gzipLevel = { level: constants.Z_BEST_SPEED };

/** Writes answers for one server. */
export class Responder {
  readonly #limits: ServerLimits;
  readonly #streaming = new Set<Exchange>();
  #stopped = false;
  // One event goes to many watchers as the same string, one after another: remembering the last conversion makes it once for all of them.
  #text = "";
  #bytes: Uint8Array = Buffer.alloc(0);
  readonly #encode = (text: string): Uint8Array => {
    if (text !== this.#text) {
      this.#bytes = Buffer.from(text);
      this.#text = text;
    }
    return this.#bytes;
  };

  // Streams with something to write. A burst to thousands of watches is handed to the connections a slice at a time: others have their turn, and the
  // memory of one slice is used again for the next instead of being fetched from the kernel anew.
  #due: StreamSink[] = [];
  readonly #schedule = (sink: StreamSink): void => {
    if (this.#due.push(sink) === 1) setImmediate(this.#flush);
  };
  readonly #flush = (): void => {
    const due = this.#due, more: StreamSink[] = [];
    let next = 0;
    for (let left = sliceBytes; next < due.length && left > 0; next++) {
      const sink = due[next]!;
      left -= sink.flush(left);
      if (!sink.empty) more.push(sink);
    }
    this.#due = [...due.slice(next), ...more];
    if (this.#due.length > 0) setImmediate(this.#flush);
  };

  constructor(limits: ServerLimits) {
    this.#limits = limits;
  }

  /** Everything but `forward`, which goes to the forwarder. Resolves when the answer is written or the client is gone. */
  async respond(exchange: Exchange, response: HttpResponse): Promise<void> {
    if (exchange.destroyed) return;
    const { status, headers, content } = response;
    const head = exchange.request.method === "HEAD";
    switch (content.type) {
      case "text": return whole(exchange, status, headers, Buffer.from(content.text), this.#limits);
      case "bytes": return whole(exchange, status, headers, content.bytes, this.#limits);
      case "pieces": return head ? void exchange.begin(status, headers, "none") : pieces(exchange, status, headers, content.pieces, this.#limits);
      case "stream": return head ? void exchange.begin(status, headers, "none") : this.#stream(exchange, status, headers, content.run);
      case "forward": throw new Error("a forward answer is not written but carried out");
    }
  }

  /** The server stops: long answers are told to come to their end. */
  stop(): void {
    this.#stopped = true;
    for (const exchange of this.#streaming) exchange.abort();
  }

  async #stream(exchange: Exchange, status: number, headers: OutgoingHeaders, run: (out: Sink, signal: AbortSignal) => Promise<void>): Promise<void> {
    const out = new StreamSink(exchange, exchange.begin(status, headers), this.#limits.outputBytes, this.#encode, this.#schedule);
    this.#streaming.add(exchange);
    if (this.#stopped) exchange.abort();
    try {
      await run(out, exchange.request.signal);
    } finally {
      this.#streaming.delete(exchange);
    }
    out.end();
  }
}

async function whole(exchange: Exchange, status: number, headers: OutgoingHeaders, bytes: Uint8Array, limits: ServerLimits): Promise<void> {
  let body = bytes;
  let sent = headers;
  if (bytes.length >= limits.gzipBytes && compressible(exchange.request.headers, headers)) {
    body = await compress(bytes);
    sent = compressedHeaders(headers);
    if (exchange.destroyed) return;
  }
  // 204 and 304 have no body and say nothing of its length (RFC 9110 section 8.6).
  const bare = status === 204 || status === 304;
  const empty = bare || body.length === 0 || exchange.request.method === "HEAD";
  const out = exchange.begin(status, sent, empty ? "none" : "whole", bare ? undefined : body.length);
  if (!empty) {
    out.end(body);
    if (out.writableLength > chunkBytes) await finished(exchange, out, limits);
  }
}

async function pieces(exchange: Exchange, status: number, headers: OutgoingHeaders, source: Iterable<string>, limits: ServerLimits): Promise<void> {
  const used: Buffer<ArrayBuffer>[] = [];
  const iterator = chunked(source, used)[Symbol.iterator]();
  // Whether to compress is known only from the size: what fits below the threshold is an ordinary answer.
  const early: Buffer[] = [];
  let size = 0;
  let next = iterator.next();
  for (; !next.done && size < limits.gzipBytes; next = iterator.next()) {
    early.push(next.value);
    size += next.value.length;
  }
  if (next.done) return whole(exchange, status, headers, Buffer.concat(early, size), limits);

  const zip = compressible(exchange.request.headers, headers) ? createGzip({ ...gzipLevel, chunkSize: chunkBytes }) : undefined;
  const out = exchange.begin(status, zip ? compressedHeaders(headers) : headers);
  const sink: Writable = zip ?? out;
  zip?.pipe(out);
  out.on("close", () => zip?.destroy());
  for (const chunk of early) sink.write(chunk);
  for (; !next.done; next = iterator.next()) {
    if (exchange.destroyed) return;
    // One big list must not keep all others waiting: everybody gets a turn between two chunks.
    const { buffer } = next.value;
    if (sink.write(next.value, () => { if (buffer.byteLength === listChunkBytes) used.push(Buffer.from(buffer)); }) || sink.writableLength < listBufferedBytes) await nextTurn();
    else if (!(await drained(exchange, sink, limits))) return;
  }
  sink.end();
  await finished(exchange, out, limits);
}

/** Pieces encoded straight into chunks; the first are small, since most lists are. Chunks that `used` holds have been sent: fresh ones for a whole list would make V8 collect garbage all the time. */
function* chunked(source: Iterable<string>, used: Buffer<ArrayBuffer>[]): Generator<Buffer<ArrayBuffer>> {
  let chunk = Buffer.allocUnsafeSlow(firstChunkBytes);
  let at = 0;
  for (const piece of source) {
    // As UTF-8 a character takes three bytes at most.
    const room = piece.length * 3;
    if (room > chunk.length - at) {
      if (at > 0) {
        yield chunk.subarray(0, at);
        chunk = used.pop() ?? Buffer.allocUnsafeSlow(Math.min(4 * chunk.length, listChunkBytes));
        at = 0;
      }
      if (room > chunk.length) {
        yield Buffer.from(piece);
        continue;
      }
    }
    at += chunk.write(piece, at);
  }
  if (at > 0) yield chunk.subarray(0, at);
}

/**
 * Gathers what is written in one turn of the event loop and hands it over as one vector: a burst of watch events costs a third that way.
 * A reader that lets more than `max` bytes pile up is cut off here if the writer has not given up before.
 */
class StreamSink implements Sink {
  readonly #exchange: Exchange;
  readonly #out: Writable;
  readonly #max: number;
  readonly #encode: (text: string) => Uint8Array;
  readonly #schedule: (sink: StreamSink) => void;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;

  constructor(exchange: Exchange, out: Writable, max: number, encode: (text: string) => Uint8Array, schedule: (sink: StreamSink) => void) {
    this.#exchange = exchange;
    this.#out = out;
    this.#max = max;
    this.#encode = encode;
    this.#schedule = schedule;
  }

  get buffered(): number { return this.#pendingBytes + this.#out.writableLength; }

  write(chunk: string | Uint8Array): void {
    if (this.#exchange.destroyed) return;
    const bytes = typeof chunk === "string" ? this.#encode(chunk) : chunk;
    if (this.#pending.push(bytes) === 1) this.#schedule(this);
    this.#pendingBytes += bytes.length;
    if (this.buffered > this.#max) this.#exchange.destroy();
  }

  end(): void {
    this.flush();
    if (!this.#exchange.destroyed) this.#out.end();
  }

  get empty(): boolean { return this.#pending.length === 0; }

  /** Hands over at most `max` bytes of what was written; tells how many. */
  flush(max = Infinity): number {
    if (this.#exchange.destroyed || this.#out.writableEnded) {
      this.#pending = [];
      this.#pendingBytes = 0;
    }
    let bytes = 0;
    if (this.#pending.length > 1) this.#out.cork();
    const cork = this.#pending.length > 1;
    let next = 0;
    for (; next < this.#pending.length && bytes < max; next++) {
      const chunk = this.#pending[next]!, part = chunk.length <= max - bytes ? chunk : chunk.subarray(0, max - bytes);
      this.#out.write(part);
      bytes += part.length;
      if (part !== chunk) {
        this.#pending[next] = chunk.subarray(part.length);
        break;
      }
    }
    if (cork) this.#out.uncork();
    this.#pending = this.#pending.slice(next);
    this.#pendingBytes -= bytes;
    return bytes;
  }
}

function compress(bytes: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve, reject) => gzip(bytes, gzipLevel, (error, result) => error ? reject(error) : resolve(result)));
}

function compressible(request: Headers, headers: OutgoingHeaders): boolean {
  if (headers["content-encoding"] !== undefined) return false;
  return String(request["accept-encoding"] ?? "").split(",").some(item => item.trim().split(";")[0] === "gzip");
}

function compressedHeaders(headers: OutgoingHeaders): OutgoingHeaders {
  return { ...headers, "content-encoding": "gzip", vary: "Accept-Encoding" };
}

/** False when the client is gone, or was cut off because it took nothing for too long. */
export async function drained(exchange: Exchange, out: Writable, limits: ServerLimits): Promise<boolean> {
  return waited(exchange, out, "drain", limits);
}

async function finished(exchange: Exchange, out: Writable, limits: ServerLimits): Promise<boolean> {
  return out.writableFinished || waited(exchange, out, "finish", limits);
}

async function waited(exchange: Exchange, out: Writable, event: string, limits: ServerLimits): Promise<boolean> {
  if (exchange.destroyed || out.destroyed) return false;
  const stop = new AbortController();
  const timer = setTimeout(() => exchange.destroy(), limits.stalledMs);
  try {
    await Promise.race([once(out, event, { signal: stop.signal }), once(out, "close", { signal: stop.signal })]);
  } catch {
    // An error on the way out means that the client is gone; the exchange says so.
    exchange.destroy();
  } finally {
    clearTimeout(timer);
    stop.abort();
  }
  return !exchange.destroyed && !out.destroyed;
}
