/** HTTP/1.1 connections to backends: one request at a time each, kept for the next one, and the answer read strictly. */
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { Chunks } from "./ingress-chunks.ts";
import { BadMessage, readResponse, type ResponseHead } from "./ingress-fields.ts";

const headBytesMax = 64 * 1024;
const headerCountMax = 256;
/** Free connections kept to one endpoint, and for how long: shorter than common servers keep theirs. */
const keptPerEndpoint = 256;
const keptMs = 4_000;

/** `length`: this many bytes; `chunked`: framed; `close`: until the connection ends. */
export type Body = { readonly type: "none" | "length" | "chunked" | "close"; readonly length: number };
/** Who waits for an answer. */
export interface Receiver {
  readonly method: string;
  /** Whether chunks are wanted with their framing. */
  readonly framedChunks: boolean;
  /** Whether a short answer is better late than broken off: it could be asked for again. */
  readonly holds: boolean;
  /** Whether it may be joined (101). */
  readonly joins: boolean;
  connected(): void;
  /** `text` is the rest of a short answer that came with its head. */
  head(head: ResponseHead, body: Body, text: string | undefined): void;
  /** An answer before the answer: 103. */
  early(head: ResponseHead): void;
  bytes(part: Buffer): void;
  end(): void;
  /** The socket is the receiver's from now on. */
  joined(head: ResponseHead, rest: Buffer): void;
  /** No more will come. `late`: it was silent for too long. */
  gone(late: boolean, error: Error | undefined): void;
  drained(): void;
}

export class BackendConnection {
  readonly endpoint: string;
  readonly key: string;
  readonly socket: Socket;
  /** Requests answered before the one under way. */
  served = 0;
  idleSince = 0;
  /** Whether a byte of the answer under way has come. */
  answering = false;
  isConnected = false;
  #receiver: Receiver | undefined;
  #pool: BackendPool;
  #rest: Buffer | undefined;
  #body: Body | undefined;
  #left = 0;
  #chunks: Chunks | undefined;
  #keep = false;
  #timeoutMs = -1;
  #sentAll = false;
  #over = false;
  #hold: NodeJS.Timeout | undefined;
  #heldLong = false;

  constructor(pool: BackendPool, endpoint: string, secure: boolean, connectMs: number) {
    this.endpoint = endpoint;
    this.key = (secure ? "s " : "p ") + endpoint;
    this.#pool = pool;
    const colon = endpoint.lastIndexOf(":");
    const host = endpoint.startsWith("[") ? endpoint.slice(1, colon - 1) : endpoint.slice(0, colon);
    const port = Number(endpoint.slice(colon + 1));
    // A backend's certificate is nobody's concern here: the address came from the cluster.
    this.socket = secure ? connectTls({ host, port, rejectUnauthorized: false, ALPNProtocols: ["http/1.1"] }) : connect({ host, port, noDelay: true });
    this.#wait(connectMs);
    this.socket.on(secure ? "secureConnect" : "connect", () => { this.isConnected = true; this.#receiver?.connected(); });
    this.socket.on("data", (chunk: Buffer) => this.#read(chunk));
    this.socket.on("drain", () => this.#receiver?.drained());
    this.socket.on("timeout", () => this.#lost(true, undefined));
    this.socket.on("end", () => this.#ended());
    this.socket.on("error", error => this.#lost(false, error));
    this.socket.on("close", () => this.#lost(false, undefined));
  }

  take(receiver: Receiver): void {
    this.#receiver = receiver;
    this.answering = false;
    this.#body = undefined;
    this.#rest = undefined;
    this.#heldLong = false;
    this.#sentAll = false;
  }

  /** Silence of `readMs` from here on is a failure. False: wait for `drained`. */
  send(bytes: string | Buffer, readMs: number): boolean {
    this.#wait(readMs);
    return typeof bytes === "string" ? this.socket.write(bytes, "latin1") : this.socket.write(bytes);
  }

  /** The request is out as a whole; only then can the connection serve another. */
  sentAll(): void {
    this.#sentAll = true;
    if (this.#over) this.#free();
  }

  /** Nobody waits any more. */
  drop(): void {
    this.#receiver = undefined;
    if (this.#hold) { clearTimeout(this.#hold); this.#hold = undefined; }
    this.socket.destroy();
  }

  #wait(ms: number): void {
    if (ms === this.#timeoutMs) return;
    this.#timeoutMs = ms;
    this.socket.setTimeout(ms);
  }

  #read(chunk: Buffer): void {
    const receiver = this.#receiver;
    // A server that speaks without being asked, or says more than it announced, is not asked again: its words could be taken for the next answer.
    if (!receiver || this.#over) return void this.socket.destroy();
    this.answering = true;
    try {
      if (this.#body === undefined) this.#readHead(receiver, this.#rest ? Buffer.concat([this.#rest, chunk]) : chunk);
      else this.#readBody(receiver, chunk);
    } catch (error) {
      if (!(error instanceof BadMessage)) throw error;
      this.socket.destroy();
      this.#lost(false, error);
    }
  }

  #readHead(receiver: Receiver, bytes: Buffer): void {
    const at = bytes.indexOf("\r\n\r\n");
    if (at < 0) {
      if (bytes.length > headBytesMax) throw new BadMessage("a head that is too large", 502);
      this.#rest = bytes;
      return;
    }
    this.#rest = undefined;
    const end = at + 4;
    const head = readResponse(bytes.toString("latin1", 0, end), headerCountMax);
    if (head.status === 101) {
      if (!receiver.joins) throw new BadMessage("a 101 that nobody asked for", 502);
      this.#receiver = undefined;
      this.socket.removeAllListeners();
      this.socket.setTimeout(0);
      return receiver.joined(head, bytes.subarray(end));
    }
    if (head.status < 200) {
      if (head.status !== 100) receiver.early(head);
      if (end < bytes.length) this.#readHead(receiver, bytes.subarray(end));
      return;
    }
    const { contentLength, chunked, close, keepAlive } = head.framing;
    const bodyless = receiver.method === "HEAD" || head.status === 204 || head.status === 304;
    const body: Body = bodyless ? { type: "none", length: contentLength ?? -1 } : chunked ? { type: "chunked", length: -1 } : contentLength !== undefined ? { type: contentLength === 0 ? "none" : "length", length: contentLength } : { type: "close", length: -1 };
    const here = bytes.length - end;
    if (receiver.holds && body.type === "length" && body.length <= smallBytes && here < body.length && !this.#heldLong) {
      this.#rest = bytes;
      this.#hold ??= setTimeout(() => this.#letGo(), holdMs);
      return;
    }
    if (this.#hold) { clearTimeout(this.#hold); this.#hold = undefined; }
    this.#body = body;
    this.#keep = !close && (head.minor === 1 || keepAlive) && body.type !== "close";
    if (body.type === "length" && here === body.length && here <= smallBytes) {
      receiver.head(head, body, bytes.toString("latin1", end));
      return this.#finish(receiver);
    }
    this.#left = body.length;
    this.#chunks = body.type === "chunked" ? new Chunks(receiver.framedChunks) : undefined;
    receiver.head(head, body, undefined);
    if (body.type === "none") {
      if (here > 0) this.#keep = false;
      this.#finish(receiver);
    } else if (here > 0 && this.#receiver === receiver) this.#readBody(receiver, bytes.subarray(end));
  }

  /** The rest of a short answer has not come: the client gets what there is. */
  #letGo(): void {
    this.#hold = undefined;
    this.#heldLong = true;
    const bytes = this.#rest;
    if (this.#receiver && bytes) this.#readHead(this.#receiver, bytes);
  }

  #readBody(receiver: Receiver, bytes: Buffer): void {
    if (this.#chunks) {
      const used = this.#chunks.feed(bytes, part => receiver.bytes(part));
      if (!this.#chunks.done) return;
      if (used < bytes.length) this.#keep = false;
      return this.#finish(receiver);
    }
    if (this.#body?.type === "close") return receiver.bytes(bytes);
    const mine = bytes.length > this.#left ? bytes.subarray(0, this.#left) : bytes;
    this.#left -= mine.length;
    if (mine.length < bytes.length) this.#keep = false;
    receiver.bytes(mine);
    if (this.#left === 0) this.#finish(receiver);
  }

  #finish(receiver: Receiver): void {
    if (this.#receiver !== receiver) return;
    this.#over = true;
    // The connection is free before the next request of the same client looks for one.
    if (this.#sentAll) this.#free();
    receiver.end();
    // An answer that did not wait for the request's end: what is still to be sent goes nowhere.
    if (this.#over) this.drop();
  }

  #free(): void {
    this.#over = false;
    this.#receiver = undefined;
    this.#body = undefined;
    this.#chunks = undefined;
    if (!this.#keep) return void this.socket.destroy();
    this.served++;
    this.#pool.put(this);
  }

  #ended(): void {
    const receiver = this.#receiver;
    if (receiver && this.#body?.type === "close") {
      this.#receiver = undefined;
      receiver.end();
    }
    this.socket.destroy();
    this.#lost(false, undefined);
  }

  #lost(late: boolean, error: Error | undefined): void {
    this.#pool.forget(this);
    if (this.#hold) { clearTimeout(this.#hold); this.#hold = undefined; }
    const receiver = this.#receiver;
    this.#receiver = undefined;
    if (late) this.socket.destroy();
    receiver?.gone(late, error);
  }
}
/** Answers up to this size are sent on whole, if the rest of them comes soon. */
const smallBytes = 16 * 1024;
const holdMs = 1_000;

export class BackendPool {
  readonly #free = new Map<string, BackendConnection[]>();
  readonly #now: () => number;
  #known: ReadonlySet<string> | undefined;
  #sweep: NodeJS.Timeout | undefined;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** A kept connection that was used less than `idleMsMax` ago, the latest first. */
  take(endpoint: string, secure: boolean, idleMsMax: number): BackendConnection | undefined {
    const free = this.#free.get((secure ? "s " : "p ") + endpoint);
    for (let kept = free?.pop(); kept; kept = free?.pop()) {
      if (!kept.socket.destroyed && kept.socket.readable && this.#now() - kept.idleSince < idleMsMax) return kept;
      kept.socket.destroy();
    }
    return undefined;
  }

  open(endpoint: string, secure: boolean, connectMs: number): BackendConnection {
    return new BackendConnection(this, endpoint, secure, connectMs);
  }

  put(connection: BackendConnection): void {
    if (this.#known?.has(connection.endpoint) === false) return void connection.socket.destroy();
    let free = this.#free.get(connection.key);
    if (!free) this.#free.set(connection.key, free = []);
    if (free.length >= keptPerEndpoint) return void connection.socket.destroy();
    connection.idleSince = this.#now();
    free.push(connection);
    this.#sweep ??= setTimeout(() => this.#sweepOld(), keptMs).unref();
  }

  forget(connection: BackendConnection): void {
    const free = this.#free.get(connection.key);
    const at = free?.indexOf(connection) ?? -1;
    if (at >= 0) free?.splice(at, 1);
  }

  /** Connections to endpoints that are gone are not used again; requests under way go on. */
  keepOnly(endpoints: ReadonlySet<string>): void {
    this.#known = endpoints;
    for (const [key, free] of this.#free) {
      if (endpoints.has(key.slice(2))) continue;
      this.#free.delete(key);
      for (const { socket } of free) socket.destroy();
    }
  }

  close(): void {
    clearTimeout(this.#sweep);
    this.keepOnly(new Set());
  }

  #sweepOld(): void {
    this.#sweep = undefined;
    const oldest = this.#now() - keptMs;
    for (const [key, free] of this.#free) {
      const young = free.filter(({ idleSince }) => idleSince > oldest);
      for (const connection of free) if (connection.idleSince <= oldest) connection.socket.destroy();
      if (young.length === 0) this.#free.delete(key);
      else this.#free.set(key, young);
    }
    if (this.#free.size > 0) this.#sweep = setTimeout(() => this.#sweepOld(), keptMs / 4).unref();
  }
}
