/** Carries one request to one of a route's endpoints and the answer back: HTTP/1.1 with connections kept, gRPC over HTTP/2, WebSockets. */
import { Agent, request as httpRequest, type ClientRequest, type IncomingMessage, type OutgoingHttpHeaders, type RequestOptions, type ServerResponse } from "node:http";
import { connect as connectHttp2, constants, type ClientHttp2Session, type ServerHttp2Stream } from "node:http2";
import { Agent as TlsAgent, request as httpsRequest } from "node:https";
import type { Duplex } from "node:stream";
import type { RouteOptions } from "../ingress/annotations.ts";
import { hopByHop, type Exchange } from "./https-server-exchange.ts";

/** Free connections that are kept to one endpoint, and for how long: shorter than common servers keep theirs. */
const keptPerEndpoint = 64;
const keptMs = 4_000;

export type Sent = { readonly exchange: Exchange; readonly headers: OutgoingHttpHeaders; readonly path: string; readonly options: RouteOptions; /** Added to the answer. */ readonly cookies: readonly string[]; /** 0: no limit. */ readonly bodyBytesMax: number };
/** Why there is no answer: `connect` may be tried elsewhere, nothing has been sent. */
export class BackendFailure extends Error {
  readonly kind: "connect" | "answer" | "timeout" | "too-large";
  constructor(kind: BackendFailure["kind"], cause: unknown) {
    super(kind, { cause });
    this.kind = kind;
  }
}

export class Backends {
  readonly #plain = new Agent({ keepAlive: true, maxFreeSockets: keptPerEndpoint, timeout: keptMs, scheduling: "lifo" });
  readonly #secure = new TlsAgent({ keepAlive: true, maxFreeSockets: keptPerEndpoint, timeout: keptMs, scheduling: "lifo", rejectUnauthorized: false });
  readonly #sessions = new Map<string, ClientHttp2Session>();

  /** Resolves when the answer has been carried over; rejects with `BackendFailure` while nothing of it has. */
  async carry(endpoint: string, sent: Sent): Promise<void> {
    if (sent.options.backend.startsWith("GRPC") && "respond" in sent.exchange.upload) return this.#carryHttp2(endpoint, sent, sent.exchange.upload as ServerHttp2Stream);
    return sent.exchange.upgraded ? this.#join(endpoint, sent) : this.#carryHttp1(endpoint, sent);
  }

  /** Connections to endpoints that are gone are not used again; requests under way go on. */
  keepOnly(endpoints: ReadonlySet<string>): void {
    for (const agent of [this.#plain, this.#secure])
      for (const [name, sockets] of Object.entries(agent.freeSockets)) if (!endpoints.has(endpointOf(name))) for (const socket of sockets ?? []) socket.destroy();
    for (const [key, session] of this.#sessions) if (!endpoints.has(key.slice(key.indexOf("|") + 1))) session.close();
  }

  close(): void {
    this.#plain.destroy();
    this.#secure.destroy();
    for (const session of this.#sessions.values()) session.destroy();
  }

  async #carryHttp1(endpoint: string, sent: Sent): Promise<void> {
    const { exchange } = sent;
    const backend = this.#request(endpoint, sent, {});
    const gone = (): void => void backend.destroy();
    exchange.request.signal.addEventListener("abort", gone, { once: true });
    try {
      await connected(backend, sent);
      let tooLarge = false;
      if (exchange.hasBody) {
        let size = 0;
        if (sent.bodyBytesMax > 0) exchange.upload.on("data", (chunk: Buffer) => {
          size += chunk.length;
          if (size <= sent.bodyBytesMax || tooLarge) return;
          tooLarge = true;
          backend.destroy();
        });
        exchange.upload.pipe(backend);
      } else backend.end();
      const answer = await answerOf(backend, sent).catch((error: unknown) => {
        // A kept connection that the server was just closing: nothing of the request was handled.
        if (!tooLarge && !exchange.hasBody && backend.reusedSocket && (error as BackendFailure).kind === "answer") throw new BackendFailure("connect", error);
        throw tooLarge ? new BackendFailure("too-large", error) : error;
      });
      if (bodyless(exchange, answer)) {
        exchange.begin(answer.statusCode ?? 502, answerHeaders(answer, sent), "none");
        return void answer.resume();
      }
      const out = exchange.begin(answer.statusCode ?? 502, answerHeaders(answer, sent), "whole");
      // The head travels with the first bytes of the body when they are here already; a body that takes its time must not hold it back.
      let begun = false;
      answer.once("data", () => { begun = true; }).once("end", () => { begun = true; });
      if ("flushHeaders" in out) setImmediate(() => { if (!begun && !out.destroyed) (out as ServerResponse).flushHeaders(); });
      await new Promise<void>(resolve => {
        answer.on("error", () => { exchange.destroy(); resolve(); });
        answer.on("aborted", () => { exchange.destroy(); resolve(); });
        out.on("close", () => { if (!answer.complete) backend.destroy(); resolve(); });
        answer.on("end", () => resolve());
        answer.pipe(out);
      });
    } finally {
      exchange.request.signal.removeEventListener("abort", gone);
    }
  }

  /** A WebSocket: joined after a 101, refused as the backend refuses it otherwise. */
  async #join(endpoint: string, sent: Sent): Promise<void> {
    const { exchange } = sent;
    const client = exchange.upgraded?.socket as Duplex;
    const backend = this.#request(endpoint, sent, { connection: "Upgrade", upgrade: String(exchange.request.headers["upgrade"] ?? "") });
    const gone = (): void => void backend.destroy();
    client.once("close", gone);
    await connected(backend, sent);
    const joined = new Promise<{ answer: IncomingMessage; socket: Duplex; head: Buffer } | undefined>((resolve, reject) => {
      backend.on("upgrade", (answer, socket, head) => resolve({ answer, socket, head }));
      answerOf(backend, sent).then(answer => {
        // Rule A: no 101, no joined connection; the status is told, the body and the connection are not passed on.
        exchange.begin(answer.statusCode !== undefined && answer.statusCode >= 400 ? answer.statusCode : 502, {}, "none");
        answer.destroy();
        resolve(undefined);
      }, reject);
    });
    backend.end();
    const both = await joined;
    if (!both) return;
    let head = "HTTP/1.1 101 Switching Protocols\r\n";
    for (let i = 0; i + 1 < both.answer.rawHeaders.length; i += 2) head += `${both.answer.rawHeaders[i]}: ${both.answer.rawHeaders[i + 1]}\r\n`;
    client.write(`${head}${sent.cookies.map(cookie => `Set-Cookie: ${cookie}\r\n`).join("")}\r\n`);
    if (both.head.length > 0) client.write(both.head);
    if (exchange.upgraded && exchange.upgraded.head.length > 0) both.socket.write(exchange.upgraded.head);
    await new Promise<void>(resolve => {
      for (const [from, to] of [[client, both.socket], [both.socket, client]] as const) {
        from.on("error", () => to.destroy());
        from.on("close", () => { to.destroy(); resolve(); });
        from.pipe(to);
      }
    });
  }

  /** gRPC: streams both ways at once, and trailers that say how it ended. */
  async #carryHttp2(endpoint: string, sent: Sent, stream: ServerHttp2Stream): Promise<void> {
    const session = await this.#session(endpoint, sent);
    const { host, connection: _connection, te, ...headers } = sent.headers;
    const backend = session.request({
      ...headers, ":method": sent.exchange.request.method, ":path": sent.path, ":scheme": sent.options.backend === "GRPCS" ? "https" : "http", ":authority": String(host ?? endpoint),
      // gRPC servers insist on it, and it is the one value that HTTP/2 allows.
      te: "trailers",
    }, { endStream: !sent.exchange.hasBody });
    const gone = (): void => backend.close(constants.NGHTTP2_CANCEL);
    sent.exchange.request.signal.addEventListener("abort", gone, { once: true });
    await new Promise<void>((resolve, reject) => {
      let trailers: { [name: string]: string | string[] } | undefined;
      backend.setTimeout(sent.options.readMs, () => backend.close(constants.NGHTTP2_CANCEL));
      backend.on("response", (answer, flags) => {
        const out: { [name: string]: string | string[] | number } = {};
        for (const [name, value] of Object.entries(answer)) if (value !== undefined && !hopByHop.has(name)) out[name] = value as string | string[];
        if (stream.destroyed) return;
        const ended = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
        stream.respond(out, ended ? { endStream: true } : { waitForTrailers: true });
        if (!ended) stream.on("wantTrailers", () => stream.sendTrailers(trailers ?? {}));
        if (!ended) backend.pipe(stream);
      });
      backend.on("trailers", given => { trailers = Object.fromEntries(Object.entries(given).filter(([name]) => !name.startsWith(":"))) as { [name: string]: string }; });
      backend.on("error", error => { if (stream.headersSent) sent.exchange.destroy(); else reject(new BackendFailure("answer", error)); });
      backend.on("close", () => {
        if (!stream.headersSent) reject(new BackendFailure("answer", new Error("the backend closed the stream")));
        else if (backend.rstCode !== constants.NGHTTP2_NO_ERROR) sent.exchange.destroy();
        resolve();
      });
      if (sent.exchange.hasBody) stream.pipe(backend);
    }).finally(() => sent.exchange.request.signal.removeEventListener("abort", gone));
  }

  async #session(endpoint: string, { options }: Sent): Promise<ClientHttp2Session> {
    const key = `${options.backend}|${endpoint}`;
    const kept = this.#sessions.get(key);
    if (kept && !kept.closed && !kept.destroyed) return kept;
    const session = connectHttp2(`${options.backend === "GRPCS" ? "https" : "http"}://${endpoint}`, { rejectUnauthorized: false });
    session.on("close", () => { if (this.#sessions.get(key) === session) this.#sessions.delete(key); });
    session.on("goaway", () => { if (this.#sessions.get(key) === session) this.#sessions.delete(key); });
    await new Promise<void>((resolve, reject) => {
      session.setTimeout(options.connectMs, () => { if (session.connecting) session.destroy(new Error("timeout")); });
      session.once("connect", () => resolve());
      session.on("error", error => reject(new BackendFailure("connect", error)));
      session.once("close", () => reject(new BackendFailure("connect", new Error("closed"))));
    });
    this.#sessions.set(key, session);
    return session;
  }

  #request(endpoint: string, { exchange, headers, path, options }: Sent, upgrade: OutgoingHttpHeaders): ClientRequest {
    const colon = endpoint.lastIndexOf(":");
    const common: RequestOptions = {
      host: endpoint.slice(0, colon).replace(/^\[|\]$/g, ""), port: Number(endpoint.slice(colon + 1)), path, method: exchange.request.method, setDefaultHeaders: false,
      headers: { ...headers, ...(exchange.hasBody && headers["content-length"] === undefined ? { "transfer-encoding": "chunked" } : {}), connection: "keep-alive", ...upgrade },
    };
    return options.backend === "HTTPS" ? httpsRequest({ ...common, agent: upgrade["upgrade"] ? false : this.#secure, rejectUnauthorized: false, servername: "" }) : httpRequest({ ...common, agent: upgrade["upgrade"] ? false : this.#plain });
  }
}

/** Before a byte of the request has left: so that another endpoint can be tried. */
function connected(backend: ClientRequest, { options }: Sent): Promise<void> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    const done = (): void => { clearTimeout(timer); backend.off("error", failed); resolve(); };
    const failed = (error: Error): void => { clearTimeout(timer); reject(new BackendFailure("connect", error)); };
    backend.once("error", failed);
    backend.once("socket", socket => {
      // A kept connection is there already.
      if (!socket.connecting) return done();
      socket.setNoDelay(true);
      timer = setTimeout(() => backend.destroy(new Error("no connection in time")), options.connectMs);
      socket.once("secureConnect" in socket ? "secureConnect" : "connect", done);
    });
  });
}

function answerOf(backend: ClientRequest, { options }: Sent): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    let late = false;
    let answered = false;
    backend.setTimeout(options.readMs, () => { late = true; backend.destroy(new Error("the backend said nothing in time")); });
    backend.on("response", answer => { answered = true; resolve(answer); });
    backend.on("error", error => reject(new BackendFailure(late ? "timeout" : "answer", error)));
    backend.on("close", () => { if (!answered) reject(new BackendFailure(late ? "timeout" : "answer", new Error("closed"))); });
  });
}

function answerHeaders(answer: IncomingMessage, { cookies }: Sent): { [name: string]: string | string[] } {
  const headers: { [name: string]: string | string[] } = {};
  const raw = answer.rawHeaders;
  const named = answer.headers.connection === undefined || answer.headers.connection === "keep-alive" || answer.headers.connection === "close" ? undefined : answer.headers.connection.toLowerCase().split(",").map(name => name.trim());
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase();
    if (hopByHop.has(name) || named?.includes(name)) continue;
    const before = headers[name];
    headers[name] = before === undefined ? raw[i + 1] as string : [...(Array.isArray(before) ? before : [before]), raw[i + 1] as string];
  }
  if (cookies.length > 0) headers["set-cookie"] = [...[headers["set-cookie"] ?? []].flat(), ...cookies];
  return headers;
}

function bodyless(exchange: Exchange, answer: IncomingMessage): boolean {
  return exchange.request.method === "HEAD" || answer.statusCode === 204 || answer.statusCode === 304;
}

// An agent names its connections `host:port:…`.
function endpointOf(name: string): string {
  const [, host = "", port = ""] = /^(.*?):(\d+):/.exec(name) ?? [];
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}
