/** A client's HTTP/2 stream: to backends over HTTP/1.1, or as it is where the backend speaks gRPC. */
import type { ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import { changed } from "../ingress/header-changes.ts";
import { responseChanges, type Asked, type Forward } from "../ingress/router.ts";
import { hopByHop, type Exchange } from "./https-server-exchange.ts";
import type { Body } from "./ingress-backend.ts";
import { BadMessage, fieldsOf, pairsOf, type Fields, type ResponseHead } from "./ingress-fields.ts";
import { reasonOf } from "./ingress-h1.ts";
import type { IngressServer } from "./ingress-serve.ts";
import { Transfer, type Asker } from "./ingress-transfer.ts";

class Http2Asked implements Asked {
  readonly fields: Fields;
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly host: string;
  readonly address: string;
  readonly secure: boolean;
  readonly contentLength: number;
  constructor({ request }: Exchange, fields: Fields, secure: boolean) {
    const mark = request.target.indexOf("?");
    this.fields = fields;
    this.method = request.method;
    this.path = mark < 0 ? request.target : request.target.slice(0, mark);
    this.query = mark < 0 ? "" : request.target.slice(mark);
    this.host = String(request.headers["host"] ?? "");
    this.address = request.peer.address;
    this.secure = secure;
    this.contentLength = Number(request.headers["content-length"] ?? 0);
  }
  field(name: string): string | undefined { return name === "host" ? this.host : this.fields.get(name); }
}

export function serveStream(server: IngressServer, exchange: Exchange, port: number, secure: boolean): void {
  const stream = exchange.upload as ServerHttp2Stream;
  const beganAt = server.now();
  let fields: Fields;
  try {
    fields = fieldsOf(Object.entries(exchange.request.headers).flatMap(([name, value]) => (name === "host" || value === undefined ? [] : [[name, String(value)] as const])));
    if (!/^[A-Za-z0-9._~:[\]%-]*$/.test(String(exchange.request.headers["host"] ?? ""))) throw new BadMessage("a Host that is no name");
  } catch (error) {
    if (!(error instanceof BadMessage)) throw error;
    return answer(exchange, stream, error.status);
  }
  const asked = new Http2Asked(exchange, fields, secure);
  const log = (status: number, owner: string | undefined): void => server.log({ status, asked, target: exchange.request.target, owner, beganAt });
  const { method } = asked;
  const plan = method === "TRACE" || method === "CONNECT" ? { type: "answer", status: 405 } as const : server.router.decide(port, asked);
  if (plan.type === "answer") {
    log(plan.status, "owner" in plan ? plan.owner : undefined);
    return answer(exchange, stream, plan.status, "location" in plan ? plan.location : undefined);
  }
  if (plan.route.options.backend.startsWith("GRPC")) {
    void server.grpc.carry(server, exchange, stream, plan, asked).then(status => log(status, plan.route.owner));
    return;
  }
  new Http2Client(server, exchange, stream, plan, asked, status => log(status, plan.route.owner)).start();
}

function answer(exchange: Exchange, stream: ServerHttp2Stream, status: number, location?: string): void {
  if (exchange.destroyed || stream.headersSent) return void exchange.destroy();
  const text = location === undefined && exchange.request.method !== "HEAD" ? `${status} ${reasonOf(status)}\n` : "";
  exchange.begin(status, location === undefined ? { "content-type": "text/plain" } : { location }, text === "" ? "none" : "whole").end(text === "" ? undefined : text);
}

class Http2Client implements Asker {
  readonly framedChunks = false;
  readonly #server: IngressServer;
  readonly #exchange: Exchange;
  readonly #stream: ServerHttp2Stream;
  readonly #forward: Forward;
  readonly #asked: Http2Asked;
  readonly #log: (status: number) => void;
  readonly #transfer: Transfer;
  readonly #chunked: boolean;
  #isOver = false;
  #bodyBytes = 0;

  constructor(server: IngressServer, exchange: Exchange, stream: ServerHttp2Stream, forward: Forward, asked: Http2Asked, log: (status: number) => void) {
    this.#server = server;
    this.#exchange = exchange;
    this.#stream = stream;
    this.#forward = forward;
    this.#asked = asked;
    this.#log = log;
    const declared = exchange.request.headers["content-length"];
    this.#chunked = exchange.hasBody && declared === undefined;
    this.#transfer = new Transfer(this.#server, this, {
      method: asked.method, fields: asked.fields, framing: { nominated: undefined, contentLength: exchange.hasBody && !this.#chunked ? asked.contentLength : declared === undefined ? undefined : 0, chunked: this.#chunked },
      secure: asked.secure, about: server.about(asked.address, asked.secure, asked.host), upgrade: undefined,
    }, forward);
    stream.on("close", () => {
      if (this.#isOver) return;
      this.#isOver = true;
      if (!stream.headersSent) this.#log(499);
      this.#transfer.abort();
    });
    stream.on("drain", () => this.#transfer.resume());
  }

  start(): void { this.#transfer.start(); }

  wantBody(): void {
    const { bodyBytesMax } = this.#forward.route.options;
    this.#stream.on("data", (chunk: Buffer) => {
      this.#bodyBytes += chunk.length;
      if (bodyBytesMax > 0 && this.#bodyBytes > bodyBytesMax && !this.#isOver) {
        this.#transfer.abort();
        return this.fail(413);
      }
      const more = this.#chunked ? this.#sendChunk(chunk) : this.#transfer.sendBody(chunk);
      if (!more) this.#stream.pause();
    });
    this.#stream.on("end", () => {
      if (this.#chunked) this.#transfer.sendBody(lastChunk);
      this.#transfer.bodySent();
    });
  }
  #sendChunk(chunk: Buffer): boolean {
    if (chunk.length === 0) return true;
    this.#transfer.sendBody(Buffer.from(`${chunk.length.toString(16)}\r\n`, "latin1"));
    this.#transfer.sendBody(chunk);
    return this.#transfer.sendBody(lineEnd);
  }
  resumeBody(): void { this.#stream.resume(); }

  early(): void { /* Browsers take 103 over HTTP/2, but nothing depends on it. */ }
  head(head: ResponseHead, body: Body, cookie: string | undefined, text: string | undefined): void {
    if (this.#exchange.destroyed) return;
    const headers: { [name: string]: string | string[] } = Object.create(null);
    const changes = responseChanges(this.#forward);
    const lines = pairsOf(head.fields.answered(head.framing.nominated));
    for (const [name, value] of [...changes.length > 0 ? changed(lines, changes) : lines, ...cookie === undefined ? [] : [["set-cookie", cookie] as const]]) {
      const lower = name.toLowerCase();
      if (hopByHop.has(lower)) continue;
      const before = headers[lower];
      headers[lower] = before === undefined ? value : lower === "set-cookie" ? [...[before].flat(), value] : `${String(before)}, ${value}`;
    }
    this.#log(head.status);
    const out = this.#exchange.begin(head.status, headers, body.type === "none" ? "none" : "whole", body.length >= 0 && head.status !== 204 ? body.length : undefined);
    if (text !== undefined) out.write(text, "latin1");
  }
  bytes(part: Buffer): boolean { return this.#exchange.destroyed || this.#stream.write(part); }
  end(): void {
    this.#isOver = true;
    this.#stream.end();
  }
  cut(): void {
    this.#isOver = true;
    this.#exchange.destroy();
  }
  fail(status: number): void {
    this.#isOver = true;
    this.#log(status);
    answer(this.#exchange, this.#stream, status);
  }
  join(_head: ResponseHead, socket: Socket): void { socket.destroy(); }
}
const lastChunk = Buffer.from("0\r\n\r\n");
const lineEnd = Buffer.from("\r\n");
