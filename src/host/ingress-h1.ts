/** A client's HTTP/1.1 connection: requests read strictly, one after the other, and answered in order. */
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { changed } from "../ingress/header-changes.ts";
import { responseChanges, type Asked, type Forward } from "../ingress/router.ts";
import type { Body } from "./ingress-backend.ts";
import { Chunks } from "./ingress-chunks.ts";
import { BadMessage, linesOf, pairsOf, readRequest, type RequestHead, type ResponseHead } from "./ingress-fields.ts";
import type { IngressServer } from "./ingress-serve.ts";
import { Transfer, type Asker } from "./ingress-transfer.ts";

// Long enough for a client to read why its upload was refused before the connection goes (Go's rstAvoidanceDelay).
const lingerMs = 500;
/** What a client may send ahead of an answer before it is no longer read. */
const aheadBytesMax = 64 * 1024;
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const reasons: { readonly [status: number]: string } = {
  301: "Moved Permanently", 302: "Found", 303: "See Other", 307: "Temporary Redirect", 308: "Permanent Redirect", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 408: "Request Timeout",
  413: "Request Entity Too Large", 417: "Expectation Failed", 429: "Too Many Requests", 431: "Request Header Fields Too Large", 500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Temporarily Unavailable", 504: "Gateway Time-out",
};
export const reasonOf = (status: number): string => reasons[status] ?? (status < 400 ? "Redirect" : "Error");

export type Http1Limits = { readonly headerBytes: number; readonly headerCount: number; readonly headerMs: number; readonly idleMs: number };
export type Http1Context = { readonly server: IngressServer; readonly limits: Http1Limits; readonly port: number; readonly secure: boolean; readonly address: string; /** Takes over a connection that begins with HTTP/2's preface. */ readonly http2?: (socket: Socket, first: Buffer) => void };

class Http1Asked implements Asked {
  readonly head: RequestHead;
  readonly path: string;
  readonly query: string;
  readonly address: string;
  readonly secure: boolean;
  constructor(head: RequestHead, address: string, secure: boolean) {
    this.head = head;
    this.address = address;
    this.secure = secure;
    const mark = head.target.indexOf("?");
    this.path = mark < 0 ? head.target : head.target.slice(0, mark);
    this.query = mark < 0 ? "" : head.target.slice(mark);
  }
  get method(): string { return this.head.method; }
  get host(): string { return this.head.framing.host ?? ""; }
  get contentLength(): number { return this.head.framing.contentLength ?? 0; }
  field(name: string): string | undefined { return name === "host" ? this.host : this.head.fields.get(name); }
}

export class Http1Client implements Asker {
  readonly #socket: Socket;
  readonly #context: Http1Context;
  #rest: Buffer | undefined;
  #headTimer: NodeJS.Timeout | undefined;
  /** The request under way. */
  #asked: Http1Asked | undefined;
  #forward: Forward | undefined;
  #transfer: Transfer | undefined;
  #beganAt = 0;
  #keep = false;
  #begun = false;
  /** The body's end has not been read. */
  #isUploading = false;
  #wantsBody = false;
  #left = 0;
  #chunks: Chunks | undefined;
  #bodyBytes = 0;
  /** The answer ends with the connection or is framed by us. */
  #frames = false;
  #ended = false;
  #lingering = false;
  #first = true;

  constructor(socket: Socket, context: Http1Context) {
    this.#socket = socket;
    this.#context = context;
    socket.setTimeout(context.limits.idleMs);
    socket.on("data", this.#onData);
    socket.on("drain", this.#onDrain);
    socket.on("timeout", this.#onTimeout);
    socket.on("end", this.#onEnd);
    socket.on("close", this.#onClose);
  }

  get isIdle(): boolean { return this.#asked === undefined; }
  get framedChunks(): boolean { return this.#asked?.head.minor === 1; }

  /** Closes when nothing is under way, else after it. */
  finish(): void {
    this.#keep = false;
    if (this.isIdle) this.#socket.destroy();
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#lingering) return;
    if (this.#wantsBody) return this.#readBody(chunk);
    const bytes = this.#rest ? Buffer.concat([this.#rest, chunk]) : chunk;
    if (!this.isIdle) {
      this.#rest = bytes;
      if (bytes.length > aheadBytesMax) this.#socket.pause();
      return;
    }
    this.#rest = undefined;
    this.#readHead(bytes);
  };
  readonly #onDrain = (): void => this.#transfer?.resume();
  readonly #onTimeout = (): void => {
    // Who waits for a backend may wait as long as that may take; who does not send or take anything may not.
    if (this.isIdle || this.#isUploading && this.#wantsBody || this.#socket.writableNeedDrain) this.#socket.destroy();
  };
  readonly #onEnd = (): void => {
    this.#ended = true;
    if (this.#isUploading || this.isIdle) this.#socket.destroy();
  };
  readonly #onClose = (): void => {
    clearTimeout(this.#headTimer);
    const transfer = this.#transfer;
    this.#transfer = undefined;
    if (this.#asked && !this.#begun) this.#log(499);
    this.#asked = undefined;
    transfer?.abort();
  };

  #readHead(given: Buffer): void {
    const { limits, server, port, secure, address } = this.#context;
    let bytes = given;
    for (let i = 0; i < 4 && bytes.length >= 2 && bytes[0] === 13 && bytes[1] === 10; i++) bytes = bytes.subarray(2);
    if (bytes.length === 0) return;
    if (bytes.length === 1 && bytes[0] === 13) { this.#rest = bytes; return; }
    if (this.#first && this.#context.http2 && bytes[0] === 80 && bytes.toString("latin1", 0, preface.length) === preface) return this.#become2(bytes, this.#context.http2);
    const at = bytes.indexOf("\r\n\r\n");
    if (at < 0 ? bytes.length > limits.headerBytes : at > limits.headerBytes) return this.#refuse(431);
    if (at < 0) {
      // A line end that is none, or something that is not HTTP: no need to wait for more of it.
      if (bytes[0]! < 32 || bytes[0]! > 126 || /(?<!\r)\n/.test(bytes.toString("latin1"))) return this.#refuse(400);
      this.#rest = bytes;
      this.#headTimer ??= setTimeout(() => this.#refuse(408), limits.headerMs);
      return;
    }
    if (this.#headTimer) { clearTimeout(this.#headTimer); this.#headTimer = undefined; }
    this.#first = false;
    let head: RequestHead;
    try {
      head = readRequest(bytes.toString("latin1", 0, at + 4), limits.headerCount);
    } catch (error) {
      if (!(error instanceof BadMessage)) throw error;
      return this.#refuse(error.status);
    }
    this.#rest = at + 4 < bytes.length ? bytes.subarray(at + 4) : undefined;
    const { framing, minor, method } = head;
    const asked = this.#asked = new Http1Asked(head, address, secure);
    this.#beganAt = server.now();
    this.#begun = false;
    this.#forward = undefined;
    this.#keep = (minor === 1 ? !framing.close : framing.keepAlive) && !server.isClosing;
    this.#isUploading = framing.chunked || (framing.contentLength ?? 0) > 0;
    this.#left = framing.contentLength ?? 0;
    this.#chunks = undefined;
    this.#bodyBytes = 0;
    const upgrade = minor === 1 && framing.upgrade === "websocket" && method === "GET" ? framing.upgrade : undefined;
    if (method === "TRACE" || method === "CONNECT") return this.#answer(405);
    if (upgrade !== undefined && this.#isUploading) return this.#answer(400);
    if (framing.expect !== undefined && framing.expect !== "100-continue") return this.#answer(417);
    const plan = server.router.decide(port, asked);
    if (plan.type === "answer") return this.#answer(plan.status, plan.location);
    this.#forward = plan;
    this.#transfer = new Transfer(server, this, { method, fields: head.fields, framing, secure, about: server.about(address, secure, asked.host), upgrade }, plan);
    this.#transfer.start();
  }

  #readBody(bytes: Buffer): void {
    const transfer = this.#transfer;
    if (!transfer) return;
    let used: number;
    let more = true;
    try {
      if (this.#chunks) {
        used = this.#chunks.feed(bytes, part => { more = transfer.sendBody(part) && more; });
        this.#bodyBytes = this.#chunks.length;
        this.#isUploading = !this.#chunks.done;
      } else {
        used = Math.min(this.#left, bytes.length);
        this.#left -= used;
        more = transfer.sendBody(used === bytes.length ? bytes : bytes.subarray(0, used));
        this.#isUploading = this.#left > 0;
      }
    } catch (error) {
      if (!(error instanceof BadMessage)) throw error;
      return this.#stop(error.status);
    }
    const { bodyBytesMax } = this.#forward!.route.options;
    if (bodyBytesMax > 0 && this.#bodyBytes > bodyBytesMax) return this.#stop(413);
    if (!more) this.#socket.pause();
    if (this.#isUploading) return;
    this.#wantsBody = false;
    if (used < bytes.length) this.#rest = bytes.subarray(used);
    transfer.bodySent();
  }

  // --- what the transfer tells ---

  wantBody(): void {
    const { framing } = this.#asked!.head;
    if (framing.chunked) this.#chunks = new Chunks(true);
    if (framing.expect !== undefined && this.#rest === undefined) this.#socket.write("HTTP/1.1 100 Continue\r\n\r\n", "latin1");
    this.#wantsBody = true;
    const first = this.#rest;
    this.#rest = undefined;
    if (first) this.#readBody(first);
    this.#socket.resume();
  }
  resumeBody(): void { this.#socket.resume(); }

  early(head: ResponseHead): void {
    if (this.#asked?.head.minor === 1) this.#socket.write(`HTTP/1.1 ${head.status} ${head.reason}\r\n${head.fields.answered(head.framing.nominated)}\r\n`, "latin1");
  }

  head(head: ResponseHead, body: Body, cookie: string | undefined, text: string | undefined): void {
    const asked = this.#asked!;
    const minor = asked.head.minor;
    this.#begun = true;
    let lines = head.fields.answered(head.framing.nominated);
    const changes = responseChanges(this.#forward!);
    if (changes.length > 0) lines = linesOf(changed(pairsOf(lines), changes));
    if (cookie !== undefined) lines += `Set-Cookie: ${cookie}\r\n`;
    this.#frames = body.type === "close" && minor === 1;
    // Without a length HTTP/1.0 knows the end by the connection's.
    if ((body.type === "close" || body.type === "chunked") && minor === 0) this.#keep = false;
    if (this.#isUploading) this.#keep = false;
    const framing = body.type === "none" ? (body.length >= 0 && head.status !== 204 ? `Content-Length: ${body.length}\r\n` : "") : body.type === "length" ? `Content-Length: ${body.length}\r\n` : minor === 1 ? "Transfer-Encoding: chunked\r\n" : "";
    this.#socket.write(`HTTP/1.1 ${head.status} ${head.reason}\r\n${lines}${framing}${this.#connectionLine()}\r\n${text ?? ""}`, "latin1");
    this.#log(head.status);
  }
  bytes(part: Buffer): boolean {
    if (!this.#frames) return this.#socket.write(part);
    this.#socket.cork();
    this.#socket.write(`${part.length.toString(16)}\r\n`, "latin1");
    this.#socket.write(part);
    const more = this.#socket.write("\r\n", "latin1");
    this.#socket.uncork();
    return more;
  }
  end(): void {
    if (this.#frames) this.#socket.write("0\r\n\r\n", "latin1");
    this.#frames = false;
    this.#done();
  }
  cut(): void {
    this.#socket.destroy();
  }
  fail(status: number): void { this.#answer(status); }

  join(head: ResponseHead, backend: Socket, rest: Buffer): void {
    const client: Duplex = this.#socket;
    for (const event of ["data", "drain", "timeout", "end", "close"]) client.removeAllListeners(event);
    this.#socket.setTimeout(0);
    this.#log(101);
    let lines = "";
    for (let i = 0; i < head.fields.names.length; i++) lines += head.fields.lineAt(i);
    this.#socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines}\r\n`, "latin1");
    if (rest.length > 0) client.write(rest);
    if (this.#rest) backend.write(this.#rest);
    this.#context.server.joined(client, backend);
    for (const [from, to] of [[client, backend], [backend, client]] as const) {
      from.on("error", () => to.destroy());
      from.on("close", () => to.destroy());
      from.pipe(to);
    }
  }

  // --- ends ---

  #connectionLine(): string {
    return this.#keep ? (this.#asked?.head.minor === 0 ? "Connection: keep-alive\r\n" : "") : "Connection: close\r\n";
  }

  /** An answer of our own. */
  #answer(status: number, location?: string): void {
    if (this.#begun) return void this.#socket.destroy();
    if (this.#isUploading) this.#keep = false;
    const text = location === undefined ? `${status} ${reasonOf(status)}\n` : "";
    this.#log(status);
    const body = this.#asked?.method === "HEAD" ? "" : text;
    this.#socket.write(`HTTP/1.1 ${status} ${reasonOf(status)}\r\nDate: ${this.#context.server.date()}\r\n${location === undefined ? "Content-Type: text/plain\r\n" : `Location: ${location}\r\n`}Content-Length: ${text.length}\r\n${this.#connectionLine()}\r\n${body}`, "latin1");
    this.#done();
  }

  /** What could not be read is answered once and the connection closed: nothing after it can be trusted. */
  #refuse(status: number): void {
    clearTimeout(this.#headTimer);
    this.#headTimer = undefined;
    this.#keep = false;
    const text = `${status} ${reasonOf(status)}`;
    this.#socket.write(`HTTP/1.1 ${text}\r\nContent-Type: text/plain\r\nContent-Length: ${text.length + 1}\r\nConnection: close\r\n\r\n${text}\n`, "latin1");
    this.#linger();
  }

  /** The request's own body was wrong. */
  #stop(status: number): void {
    const transfer = this.#transfer;
    this.#transfer = undefined;
    this.#wantsBody = false;
    transfer?.abort();
    this.#answer(status);
  }

  #done(): void {
    this.#asked = undefined;
    this.#transfer = undefined;
    this.#forward = undefined;
    this.#wantsBody = false;
    if (!this.#keep || this.#isUploading || this.#ended) return this.#linger();
    const rest = this.#rest;
    if (!rest) return;
    // Not from within: a client that sends a thousand requests at once would otherwise deepen the stack with each.
    setImmediate(() => {
      const bytes = this.#rest;
      this.#rest = undefined;
      if (bytes && !this.#socket.destroyed) this.#readHead(bytes);
      this.#socket.resume();
    });
  }

  #linger(): void {
    this.#lingering = true;
    this.#rest = undefined;
    const socket = this.#socket;
    socket.end();
    socket.resume();
    const timer = setTimeout(() => socket.destroy(), lingerMs);
    socket.once("close", () => clearTimeout(timer));
  }

  #become2(first: Buffer, http2: (socket: Socket, first: Buffer) => void): void {
    const socket = this.#socket;
    for (const [event, listener] of [["data", this.#onData], ["drain", this.#onDrain], ["timeout", this.#onTimeout], ["end", this.#onEnd], ["close", this.#onClose]] as const) socket.off(event, listener);
    clearTimeout(this.#headTimer);
    socket.setTimeout(0);
    http2(socket, first);
  }

  #log(status: number): void {
    const asked = this.#asked;
    if (asked) this.#context.server.log({ status, asked, target: asked.head.target, owner: this.#forward?.route.owner, beganAt: this.#beganAt });
  }
}
