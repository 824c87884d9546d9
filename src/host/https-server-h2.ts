/** HTTP/2 connections: the core stream API of node:http2, which is twice as fast as its request/response one. */
import { constants, performServerHandshake, type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { Duplex, Writable } from "node:stream";
import type { Headers, HttpRequest, Peer } from "../api/http.ts";
import type { Guard } from "./https-server-guard.ts";
import { readBody } from "./https-server-body.ts";
import { hopByHop, type Exchange, type OutgoingHeaders } from "./https-server-exchange.ts";
import { headersOf, isTarget } from "./https-server-headers.ts";
import type { ServerLimits } from "./https-server-limits.ts";

// Uploads: as much as upstream gives a stream (apiserver secure_serving.go: 99 % of all objects fit) and a hundred of them a connection.
const uploadWindowBytes = 256 * 1024;
const connectionWindowBytes = 100 * uploadWindowBytes;
// After this many cancelled streams a session's requests start one turn late: those that are cancelled in the same packet cost nothing then.
const suspiciousResets = 20;

export type Http2Options = { readonly limits: ServerLimits; readonly guard: Guard; readonly serve: (exchange: Exchange) => void };

/** Takes over a connection whose client chose `h2`, or began to speak it. */
export function serveHttp2(socket: Duplex, peer: Peer, options: Http2Options): ServerHttp2Session {
  const { limits, guard, serve } = options;
  const session = performServerHandshake(socket, {
    maxHeaderListPairs: limits.headerCount, maxSettings: 32, maxOutstandingPings: 10,
    // In megabytes; a thousand watches with their headers and buffers need about twenty.
    maxSessionMemory: 64, maxSessionInvalidFrames: 100, maxSessionRejectedStreams: 100,
    // The library's own counter only ends the session; ours, which also sends the address away, comes first.
    streamResetBurst: 2 * limits.resetBurst, streamResetRate: 2 * limits.resetsPerSecond,
    settings: {
      maxConcurrentStreams: peer.certificate ? limits.streamsTrusted : limits.streams,
      initialWindowSize: uploadWindowBytes, maxHeaderListSize: limits.headerBytes, enablePush: false,
    },
  });
  let open = 0;
  let resets = 0;
  session.setLocalWindowSize(connectionWindowBytes);
  session.setTimeout(limits.idleMs, () => { if (open === 0) session.close(); });
  // A broken connection ends its streams, and each of them knows; there is nothing to do for the session itself.
  session.on("error", () => session.destroy());
  const ended = (code: number): void => {
    open--;
    if (code !== constants.NGHTTP2_CANCEL) return;
    resets++;
    if (!guard.reset(peer.address)) return;
    session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    session.destroy();
  };
  session.on("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, flags: number, raw: string[]) => {
    open++;
    const exchange = new Http2Exchange(stream, headers, flags, raw, peer, limits);
    follow(stream, { exchange }, ended);
    if (!isTarget(exchange.request.target)) return void stream.respond({ ":status": 400 }, { endStream: true });
    if (resets < suspiciousResets) serve(exchange);
    else setImmediate(() => { if (!exchange.destroyed) serve(exchange); });
  });
  return session;
}

/**
 * Tells the exchange of its stream's errors and end, and lets go of it then: the session's table of streams, outgrown and garbage, keeps ended streams
 * until the next full collection (`base/in-flight.ts`), and with them would go all that the request was made of.
 */
function follow(stream: ServerHttp2Stream, of: { exchange: Http2Exchange | undefined }, ended: (code: number) => void): void {
  stream.on("close", () => {
    const { exchange } = of;
    of.exchange = undefined;
    exchange?.gone?.();
    // Who has been answered in full has nobody left to tell; telling makes an error object each time.
    if (stream.rstCode !== constants.NGHTTP2_NO_ERROR || !stream.writableFinished) exchange?.abort();
    ended(stream.rstCode);
  });
  // Reported again by `close`; without a listener it would end the process.
  stream.on("error", error => {
    of.exchange?.gone?.(error);
    of.exchange?.abort();
  });
}

class Http2Request implements HttpRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: Headers;
  readonly peer: Peer;
  readonly upgrade = false;
  readonly #exchange: Http2Exchange;
  readonly #limits: ServerLimits;
  constructor(exchange: Http2Exchange, headers: IncomingHttpHeaders, raw: string[], peer: Peer, limits: ServerLimits) {
    this.method = headers[":method"] ?? "";
    this.target = headers[":path"] ?? "";
    this.headers = headersOf(raw);
    this.peer = peer;
    this.#exchange = exchange;
    this.#limits = limits;
  }
  body(): Promise<Uint8Array> {
    const { hasBody, upload } = this.#exchange;
    if (!hasBody) return Promise.resolve(new Uint8Array(0));
    return readBody(upload, this.headers, this.#limits, () => upload.aborted || upload.rstCode !== constants.NGHTTP2_NO_ERROR, this.#exchange);
  }
  get signal(): AbortSignal { return this.#exchange.stop.signal; }
}

class Http2Exchange implements Exchange {
  readonly request: HttpRequest;
  readonly upload: ServerHttp2Stream;
  readonly upgraded = undefined;
  readonly hasBody: boolean;
  readonly stop = new Stop();
  /** Whoever reads the upload is told here that it is over before its end. */
  gone: ((error?: Error) => void) | undefined = undefined;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, flags: number, raw: string[], peer: Peer, limits: ServerLimits) {
    this.upload = stream;
    this.hasBody = (flags & constants.NGHTTP2_FLAG_END_STREAM) === 0;
    this.request = new Http2Request(this, headers, raw, peer, limits);
  }

  get destroyed(): boolean { return this.upload.destroyed || this.upload.closed; }
  get connection(): object { return this.upload.session ?? this; }

  begin(status: number, headers: OutgoingHeaders, body: "none" | "whole" | "open" = "open", length?: number): Writable {
    const stream = this.upload;
    const sent: { [name: string]: string | string[] | number } = { ":status": status };
    for (const name in headers) if (!hopByHop.has(name)) sent[name] = headers[name] as string | string[];
    if (length !== undefined) sent["content-length"] = length;
    if (!this.destroyed) stream.respond(sent, { endStream: body === "none" });
    // The answer is out, the rest of the upload is not wanted: say so, or the client waits for window for ever.
    if (this.hasBody && !stream.readableEnded) stream.once("finish", () => { if (!stream.readableEnded && !stream.closed) stream.close(constants.NGHTTP2_NO_ERROR); });
    return stream;
  }

  abort(): void { this.stop.abort(); }
  destroy(): void { this.upload.close(constants.NGHTTP2_CANCEL); }
}

// One for all: making an exception for every request that ends would cost more than the rest of its end.
const over = new Error("the request is over: its client is gone, it was answered, or the server stops");

/** An abort signal that is made only when somebody asks for it: most requests end before anyone does. */
export class Stop {
  #controller: AbortController | undefined;
  #aborted = false;
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#aborted) this.#controller.abort(over);
    }
    return this.#controller.signal;
  }
  abort(): void {
    this.#aborted = true;
    this.#controller?.abort(over);
  }
}
