/** Writes an answer of any kind onto an exchange: whole, in pieces, or for as long as it lasts. */
import { once } from "node:events";
import type { Writable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { constants, createGzip, gzip } from "node:zlib";
import type { Headers, HttpResponse, Sink, Tally } from "../api/http.ts";
import { eventHandshake, eventSocket } from "./event-socket.ts";
import type { Exchange, OutgoingHeaders } from "./https-server-exchange.ts";
import type { ServerLimits } from "./https-server-limits.ts";
import { Outlet, StreamSink, Turns } from "./https-server-outlet.ts";
import { endGently } from "./socket-carrier.ts";
import { isWebSocket } from "./websocket.ts";

const chunkBytes = 64 * 1024;
// How long a WebSocket's client may take to end its side.
const lingerMs = 5_000;
// Lists: what is encoded at a time, at first and later, and what may wait for the connection.
const firstChunkBytes = 16 * 1024;
const listChunkBytes = 256 * 1024;
const listBufferedBytes = 512 * 1024;
// Upstream's defaultGzipContentEncodingLevel: speed matters more than the last percent.
const gzipLevel = { level: constants.Z_BEST_SPEED };

/** Writes answers for one server. */
export class Responder {
  readonly #limits: ServerLimits;
  readonly #streaming = new Set<Exchange>();
  #stopped = false;
  readonly #turns = new Turns();
  readonly #outlets = new WeakMap<object, Outlet>();

  constructor(limits: ServerLimits) {
    this.#limits = limits;
  }

  /** Everything but `forward`, which goes to the forwarder. Resolves when the answer is written or the client is gone. */
  async respond(exchange: Exchange, response: HttpResponse): Promise<void> {
    if (exchange.destroyed) return;
    const { status, headers, content, sent } = response;
    const head = exchange.request.method === "HEAD";
    switch (content.type) {
      case "text": return whole(exchange, status, headers, Buffer.from(content.text), this.#limits, sent);
      case "bytes": return whole(exchange, status, headers, content.bytes, this.#limits, sent);
      case "pieces":
        if (Array.isArray(content.pieces)) return whole(exchange, status, headers, joined(content.pieces), this.#limits, sent);
        return head ? void exchange.begin(status, headers, "none") : pieces(exchange, status, headers, content.pieces, this.#limits, sent);
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
    const { request, upgraded } = exchange, socket = upgraded !== undefined && isWebSocket(request.headers) ? upgraded : undefined;
    const handshake = socket === undefined ? undefined : eventHandshake(request);
    if (handshake?.ok === false) return whole(exchange, handshake.status, handshake.headers, Buffer.from(handshake.message), this.#limits);
    const out = socket?.socket ?? exchange.begin(status, headers), sink = new StreamSink(exchange, out, this.#limits.outputBytes, this.#outletOf(exchange.connection));
    if (handshake !== undefined) sink.write(handshake.head);
    const messages = socket === undefined ? undefined : eventSocket(exchange, socket, sink);
    this.#streaming.add(exchange);
    if (this.#stopped) exchange.abort();
    try {
      await run(messages?.events ?? sink, request.signal);
    } finally {
      this.#streaming.delete(exchange);
    }
    await messages?.close();
    sink.end();
    // A reader that does not take the end either is cut off.
    await finished(exchange, out, this.#limits);
    if (socket !== undefined) endGently(socket.socket, lingerMs);
  }

  #outletOf(connection: object): Outlet {
    let outlet = this.#outlets.get(connection);
    if (outlet === undefined) this.#outlets.set(connection, (outlet = new Outlet(this.#turns)));
    return outlet;
  }
}

async function whole(exchange: Exchange, status: number, headers: OutgoingHeaders, bytes: Uint8Array, limits: ServerLimits, tally?: Tally): Promise<void> {
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
  tally?.add(empty ? 0 : body.length);
  if (!empty) {
    out.end(body);
    if (out.writableLength > chunkBytes) await finished(exchange, out, limits);
  }
}

/** Written where they are sent from: as one string they would be copied first. */
function joined(texts: readonly string[]): Buffer {
  let length = 0;
  for (let i = 0; i < texts.length; i++) length += Buffer.byteLength(texts[i]!);
  const all = Buffer.allocUnsafe(length);
  let at = 0;
  for (let i = 0; i < texts.length; i++) at += all.write(texts[i]!, at);
  return all;
}

async function pieces(exchange: Exchange, status: number, headers: OutgoingHeaders, source: Iterable<string>, limits: ServerLimits, tally?: Tally): Promise<void> {
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
  if (next.done) return whole(exchange, status, headers, Buffer.concat(early, size), limits, tally);

  const zip = compressible(exchange.request.headers, headers) ? createGzip({ ...gzipLevel, chunkSize: chunkBytes }) : undefined;
  const out = exchange.begin(status, zip ? compressedHeaders(headers) : headers);
  const sink: Writable = zip ?? out;
  zip?.pipe(out);
  out.on("close", () => zip?.destroy());
  let written = 0;
  zip?.on("data", (chunk: Buffer) => { written += chunk.length; });
  if (tally !== undefined) out.on("close", () => tally.add(zip === undefined ? size : written));
  for (const chunk of early) sink.write(chunk);
  for (; !next.done; next = iterator.next()) {
    if (exchange.destroyed) return;
    // One big list must not keep all others waiting: everybody gets a turn between two chunks.
    const { buffer } = next.value;
    size += next.value.length;
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

function compress(bytes: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve, reject) => gzip(bytes, gzipLevel, (error, result) => error ? reject(error) : resolve(result)));
}

function compressible(request: Headers, headers: OutgoingHeaders): boolean {
  if (headers["content-encoding"] !== undefined || headers["content-range"] !== undefined) return false;
  return String(request["accept-encoding"] ?? "").split(",").some(item => item.trim().split(";")[0] === "gzip");
}

function compressedHeaders(headers: OutgoingHeaders): OutgoingHeaders {
  return { ...headers, "content-encoding": "gzip", vary: headers.vary === undefined ? "Accept-Encoding" : `${String(headers.vary)}, Accept-Encoding` };
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
