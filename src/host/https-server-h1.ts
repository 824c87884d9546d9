/** HTTP/1.1 connections: old clients, curl, and everything that wants an upgrade (exec, attach, port-forward, WebSockets). */
import { createServer, ServerResponse, type IncomingMessage, type Server } from "node:http";
import type { Socket } from "node:net";
import type { Duplex, Writable } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { Headers, HttpRequest, Peer } from "../api/http.ts";
import { readBody } from "./https-server-body.ts";
import type { Exchange, OutgoingHeaders, Upgraded } from "./https-server-exchange.ts";
import { Stop } from "./https-server-h2.ts";
import { headersOf, isTarget } from "./https-server-headers.ts";
import type { ServerLimits } from "./https-server-limits.ts";

// Long enough for a client to read why its upload was refused before the connection goes (Go's rstAvoidanceDelay).
const lingerMs = 500;
const upgrades = new Set(["websocket", "spdy/3.1"]);

export type Http1Options = { readonly limits: ServerLimits; readonly peer: (socket: TLSSocket) => Peer; readonly serve: (exchange: Exchange) => void };

/** Not listening: it is handed the TLS connections of clients that chose `http/1.1`. */
export function createHttp1(options: Http1Options): Server {
  const { limits, peer, serve } = options;
  const server = createServer({
    insecureHTTPParser: false, requireHostHeader: true, joinDuplicateHeaders: false,
    maxHeaderSize: limits.headerBytes, headersTimeout: limits.headerMs, keepAliveTimeout: limits.idleMs, requestTimeout: 0,
    connectionsCheckingInterval: Math.min(5_000, limits.headerMs / 4),
    // Rule A: only these two are ever joined; with any other `Upgrade` it stays an ordinary request.
    shouldUpgradeCallback: request => upgrades.has(String(request.headers.upgrade ?? "").toLowerCase()),
  });
  server.maxHeadersCount = limits.headerCount;
  const take = (request: IncomingMessage, out: ServerResponse | undefined, upgraded: Upgraded | undefined) => {
    const exchange = new Http1Exchange(request, out, upgraded, peer(request.socket as TLSSocket), limits);
    // Node silently drops what exceeds maxHeadersCount: refuse instead of acting on half of the headers.
    if (request.rawHeaders.length >= 2 * limits.headerCount) return void exchange.begin(431, {}, "none");
    if (!isTarget(exchange.request.target)) return void exchange.begin(400, {}, "none");
    serve(exchange);
  };
  server.on("request", (request, out) => take(request, out, undefined));
  server.on("upgrade", (request, socket, head) => take(request, undefined, { socket: unmerged(socket), head }));
  server.on("clientError", refuse);
  // It never listens itself, and Node starts the clock for slow headers and idle connections only on this event.
  server.emit("listening");
  return server;
}

/**
 * What is written while the socket is busy stays as it was written, each in TLS records of its own. Node would merge it into one, of which Python's client (and whoever
 * waits for the socket, not for TLS) reads the first WebSocket frame and then waits for more to come, with the others in its hands.
 */
function unmerged<S extends Duplex>(socket: S): S {
  (socket as { _writev: unknown })._writev = null;
  return socket;
}

/** What could not be read as HTTP/1.1 is answered as Go's server does, and the connection closed: nothing after it can be trusted. */
function refuse(error: Error & { code?: string }, socket: Duplex): void {
  if (!socket.writable || (socket as Socket).bytesWritten === undefined) return void socket.destroy();
  const line = error.code === "HPE_HEADER_OVERFLOW" ? "431 Request Header Fields Too Large" : error.code === "ERR_HTTP_REQUEST_TIMEOUT" ? "408 Request Timeout" : "400 Bad Request";
  socket.end(`HTTP/1.1 ${line}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n${line}`);
  linger(socket);
}

function linger(socket: Duplex): void {
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  socket.once("close", () => clearTimeout(timer));
  socket.resume();
}

class Http1Request implements HttpRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: Headers;
  readonly peer: Peer;
  readonly upgrade: boolean;
  readonly #incoming: IncomingMessage;
  readonly #stop: Stop;
  readonly #limits: ServerLimits;
  constructor(incoming: IncomingMessage, stop: Stop, peer: Peer, upgrade: boolean, limits: ServerLimits) {
    this.method = incoming.method ?? "";
    this.target = incoming.url ?? "";
    this.headers = headersOf(incoming.rawHeaders);
    this.peer = peer;
    this.upgrade = upgrade;
    this.#incoming = incoming;
    this.#stop = stop;
    this.#limits = limits;
  }
  readonly body = (): Promise<Uint8Array> => readBody(this.#incoming, this.headers, this.#limits, () => !this.#incoming.complete);
  get signal(): AbortSignal { return this.#stop.signal; }
}

class Http1Exchange implements Exchange {
  readonly request: HttpRequest;
  readonly upload: IncomingMessage;
  readonly upgraded: Upgraded | undefined;
  readonly #socket: Duplex;
  readonly #stop = new Stop();
  #out: ServerResponse | undefined;

  constructor(request: IncomingMessage, out: ServerResponse | undefined, upgraded: Upgraded | undefined, peer: Peer, limits: ServerLimits) {
    this.upload = request;
    this.upgraded = upgraded;
    this.#out = out;
    this.#socket = upgraded?.socket ?? request.socket;
    this.request = new Http1Request(request, this.#stop, peer, upgraded !== undefined, limits);
    if (out) out.on("close", () => this.abort()).on("error", () => this.abort());
    else this.#socket.on("close", () => this.abort()).on("error", () => this.abort());
    // A body that breaks off is reported to whoever reads it; otherwise by `close`.
    request.on("error", () => this.abort());
  }

  get hasBody(): boolean {
    const { "content-length": length, "transfer-encoding": coding } = this.request.headers;
    return coding !== undefined || (length !== undefined && length !== "0");
  }

  get destroyed(): boolean { return this.#socket.destroyed || this.#out?.destroyed === true; }

  begin(status: number, headers: OutgoingHeaders, body: "none" | "whole" | "open" = "open", length?: number): Writable {
    let out = this.#out;
    if (!out) {
      // An upgrade that is answered instead of joined: the connection has left Node's server and ends with this answer.
      out = this.#out = new ServerResponse(this.upload);
      out.assignSocket(this.#socket as Socket);
      out.shouldKeepAlive = false;
      out.on("finish", () => { this.#socket.end(); linger(this.#socket); });
    } else if (!this.upload.complete) {
      out.shouldKeepAlive = false;
      out.on("finish", () => { if (!this.upload.complete) linger(this.#socket); });
    }
    const sent: { [name: string]: string | string[] | number } = {};
    for (const name in headers) sent[name] = headers[name] as string | string[];
    if (length !== undefined) sent["content-length"] = length;
    out.writeHead(status, sent);
    if (body === "none") out.end();
    else if (body === "open") out.flushHeaders();
    return out;
  }

  get connection(): object { return this.#socket; }
  abort(): void { this.#stop.abort(); }
  destroy(): void { this.#socket.destroy(); }
}
