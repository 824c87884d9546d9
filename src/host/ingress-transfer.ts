/** One request on its way to a backend: endpoints tried until one takes it, the body as it comes, the answer back. */
import type { Socket } from "node:net";
import type { InFlight } from "../base/in-flight.ts";
import type { Forward, Router } from "../ingress/router.ts";
import { requestChanges } from "../ingress/router.ts";
import { changed } from "../ingress/header-changes.ts";
import type { BackendConnection, BackendPool, Body, Receiver } from "./ingress-backend.ts";
import type { Copy, Mirrors } from "./ingress-mirror.ts";
import { linesOf, pairsOf, type Fields, type Framing, type ResponseHead } from "./ingress-fields.ts";

/** Who asked: a connection of HTTP/1.1 or a stream of HTTP/2. */
export interface Asker {
  readonly framedChunks: boolean;
  /** It may send its body now, by `sendBody` and `bodySent`. */
  wantBody(): void;
  resumeBody(): void;
  /** `text`: the whole body, where it is short and came at once. */
  head(head: ResponseHead, body: Body, cookie: string | undefined, text: string | undefined): void;
  early(head: ResponseHead): void;
  /** False: wait, `resume` will be called. */
  bytes(part: Buffer): boolean;
  end(): void;
  /** The answer has begun and will not become whole. */
  cut(): void;
  /** There will be none. */
  fail(status: number): void;
  join(head: ResponseHead, socket: Socket, rest: Buffer): void;
}
/** What is sent on. */
export type Request = { readonly method: string; readonly fields: Fields; readonly framing: Pick<Framing, "nominated" | "contentLength" | "chunked">; readonly secure: boolean; /** Lines that tell of the client. */ readonly about: string; readonly upgrade: string | undefined };
export type Means = { readonly router: Router; readonly pool: BackendPool; readonly requestId: () => string; readonly mirrors: Mirrors; /** Those under way. */ readonly transfers: InFlight<Transfer> };

/** Connections that could not be made, for one request; and rounds over all endpoints, with a pause between for the table to change. */
const connectsMax = 20;
const roundsMax = 2;
const pauseMs = 100;
/** A connection that is not there by now will hardly come: while there are others, they are asked. */
const patienceMs = 1_000;
/** What an endpoint that is gone may still have had on its way. */
const lastWordsMs = 1_000;
/** Answers that broke off before they began. */
const repeatsMax = 2;
// A kept connection may be closed by its server at any moment. Who cannot be asked again gets one that was just used.
const keptMs = 4_000;
const freshMs = 1_000;
// Asking again changes nothing, so an endpoint that broke off before its answer may be replaced (nginx' proxy_next_upstream).
const repeatable = new Set(["GET", "HEAD", "OPTIONS"]);
/** RFC 9110 section 9.2.2: may be sent again when a kept connection turns out to be closed. */
const idempotent = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]);

export class Transfer implements Receiver {
  readonly method: string;
  readonly framedChunks: boolean;
  readonly holds: boolean;
  readonly joins: boolean;
  readonly hasBody: boolean;
  place = -1;
  readonly #means: Means;
  readonly #asker: Asker;
  readonly #request: Request;
  readonly #forward: Forward;
  #text = "";
  #connection: BackendConnection | undefined;
  #tried: string[] = [];
  #connects = 0;
  #rounds = 0;
  #repeats = 0;
  #reuse = true;
  #begun = false;
  #over = false;
  #timer: NodeJS.Timeout | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #farewell: NodeJS.Timeout | undefined;
  #isPaused = false;
  #copies: readonly Copy[] = [];

  constructor(means: Means, asker: Asker, request: Request, forward: Forward) {
    this.#means = means;
    this.#asker = asker;
    this.#request = request;
    this.#forward = forward;
    this.method = request.method;
    this.framedChunks = asker.framedChunks;
    this.joins = request.upgrade !== undefined;
    this.hasBody = request.framing.chunked || (request.framing.contentLength ?? 0) > 0;
    this.holds = !this.hasBody && !this.joins && repeatable.has(this.method);
  }

  start(): void {
    this.#means.transfers.add(this);
    this.#text = headText(this.#request, this.#forward, this.#means);
    const { requestMs } = this.#forward.route.options;
    if (requestMs !== undefined && requestMs > 0) this.#deadline = setTimeout(() => this.#late(), requestMs);
    if (this.#forward.route.filters?.mirrors && !this.joins) {
      this.#copies = this.#means.mirrors.start(this.#forward, this.#text);
      if (!this.hasBody) for (const copy of this.#copies) copy.whole();
    }
    this.#attempt();
  }

  /** The client is gone, or wants no more. */
  abort(): void {
    if (this.#over) return;
    this.#finish();
    this.#connection?.drop();
  }

  /** A pod that is gone says no more, not even that it is: its address is nobody's, and packets to it vanish. */
  endpointsChanged(asked: ReadonlySet<string>, present: ReadonlySet<string>): void {
    const connection = this.#connection;
    if (this.#over || !connection || asked.has(connection.endpoint)) return;
    const lost = (): void => {
      if (this.#over || this.#connection !== connection) return;
      connection.drop();
      this.gone(false, undefined);
    };
    if (!connection.isConnected) lost();
    else if (!present.has(connection.endpoint)) this.#farewell ??= setTimeout(lost, lastWordsMs);
  }

  /** False: wait for `resumeBody`. */
  sendBody(part: Buffer): boolean {
    if (this.#over) return true;
    for (const copy of this.#copies) copy.body(part);
    return this.#connection?.send(part, this.#forward.route.options.readMs) !== false;
  }
  bodySent(): void {
    if (this.#over) return;
    for (const copy of this.#copies) copy.whole();
    this.#copies = [];
    this.#connection?.sentAll();
  }

  /** The client takes more again. */
  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#connection?.socket.resume();
  }

  connected(): void { this.#send(); }

  head(head: ResponseHead, body: Body, text: string | undefined): void {
    const { router } = this.#means;
    const { endpoint } = this.#connection!;
    router.worked(endpoint);
    const { affinity, sticky } = this.#forward;
    // Rule A: no 101, no joined connection; the status is told, the body is not passed on.
    if (this.joins) {
      this.#finish();
      this.#connection?.drop();
      return this.#asker.fail(head.status >= 400 ? head.status : 502);
    }
    this.#begun = true;
    this.#asker.head(head, body, affinity && endpoint !== sticky ? router.cookie(affinity, endpoint, this.#request.secure) : undefined, text);
  }
  early(head: ResponseHead): void { this.#asker.early(head); }
  bytes(part: Buffer): void {
    if (this.#over || this.#asker.bytes(part) || this.#isPaused) return;
    this.#isPaused = true;
    this.#connection?.socket.pause();
  }
  end(): void {
    this.resume();
    this.#finish();
    this.#asker.end();
  }
  joined(head: ResponseHead, rest: Buffer): void {
    const { socket } = this.#connection!;
    this.#finish();
    this.#asker.join(head, socket, rest);
  }
  drained(): void { this.#asker.resumeBody(); }

  gone(late: boolean, _error: Error | undefined): void {
    const connection = this.#connection;
    if (this.#over || !connection) return;
    this.#connection = undefined;
    if (this.#farewell) { clearTimeout(this.#farewell); this.#farewell = undefined; }
    if (this.#begun) {
      this.#finish();
      return this.#asker.cut();
    }
    const { router } = this.#means;
    if (!connection.isConnected) {
      // Nothing has been sent: somebody else may have it, whatever it is.
      router.failed(connection.endpoint);
      if (++this.#connects >= connectsMax) return this.#fail(late ? 504 : 502);
      return this.#attempt();
    }
    if (late) return this.#fail(504);
    if (connection.served > 0 && !connection.answering && !this.hasBody && idempotent.has(this.method)) {
      this.#reuse = false;
      this.#tried.pop();
      return this.#attempt();
    }
    router.failed(connection.endpoint);
    if (this.hasBody || this.joins || !repeatable.has(this.method) || this.#repeats++ >= repeatsMax) return this.#fail(502);
    // With a single endpoint that one is asked again.
    if (!router.hasAnother(this.#forward, this.#tried)) this.#tried = [];
    this.#attempt();
  }

  #attempt(): void {
    const { router, pool } = this.#means;
    const { options } = this.#forward.route;
    const endpoint = router.next(this.#forward, this.#tried);
    if (endpoint === undefined) {
      // All refused: they may be on their way out and others on their way in.
      if (this.#rounds++ >= roundsMax) return this.#fail(502);
      this.#tried = [];
      this.#timer = setTimeout(() => this.#attempt(), pauseMs * this.#rounds);
      return;
    }
    this.#tried.push(endpoint);
    const secure = options.backend === "HTTPS";
    const kept = this.#reuse && !this.joins ? pool.take(endpoint, secure, !this.hasBody && idempotent.has(this.method) ? keptMs : freshMs) : undefined;
    this.#connection = kept ?? pool.open(endpoint, secure, router.hasAnother(this.#forward, this.#tried) ? Math.min(options.connectMs, patienceMs) : options.connectMs);
    this.#connection.take(this);
    if (kept) this.#send();
  }

  #send(): void {
    const connection = this.#connection!;
    if (!this.hasBody) {
      connection.send(this.#text, this.#forward.route.options.readMs);
      return connection.sentAll();
    }
    // What has come of the body goes out with the head.
    connection.socket.cork();
    connection.send(this.#text, this.#forward.route.options.readMs);
    this.#asker.wantBody();
    connection.socket.uncork();
  }

  #late(): void {
    const begun = this.#begun;
    const connection = this.#connection;
    this.#finish();
    connection?.drop();
    if (begun) this.#asker.cut();
    else this.#asker.fail(504);
  }

  #fail(status: number): void {
    this.#finish();
    this.#asker.fail(status);
  }

  #finish(): void {
    this.#over = true;
    this.#means.transfers.delete(this);
    // Copies of a request that will not become whole.
    if (this.hasBody) for (const copy of this.#copies) copy.drop();
    this.#copies = [];
    if (this.#farewell) clearTimeout(this.#farewell);
    if (this.#timer) clearTimeout(this.#timer);
    if (this.#deadline) clearTimeout(this.#deadline);
  }
}

function headText({ method, fields, framing: { nominated, contentLength, chunked }, about, upgrade }: Request, forward: Forward, { requestId }: Means): string {
  const changes = requestChanges(forward);
  let lines = fields.passed(nominated);
  let { host } = forward;
  if (changes.length > 0) {
    const pairs = changed([["Host", host], ...pairsOf(lines)], changes);
    host = pairs.findLast(([name]) => name.toLowerCase() === "host")?.[1] ?? host;
    lines = linesOf(pairs.filter(([name]) => name.toLowerCase() !== "host"));
  }
  const id = fields.get("x-request-id") === undefined ? `X-Request-ID: ${requestId()}\r\n` : "";
  const framing = upgrade !== undefined ? `Connection: Upgrade\r\nUpgrade: ${upgrade}\r\n` : chunked ? "Transfer-Encoding: chunked\r\n" : contentLength !== undefined ? `Content-Length: ${contentLength}\r\n` : "";
  return `${method} ${forward.path} HTTP/1.1\r\nHost: ${host}\r\n${lines}${id}${about}${framing}\r\n`;
}
