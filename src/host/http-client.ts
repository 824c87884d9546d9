/**
 * Carries out `Transport` over one HTTP/2 connection with a client certificate or a token. The connection is opened by the first request,
 * checked with pings when it is silent, and opened again after a wait that grows with every failure.
 */
import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream, type IncomingHttpHeaders } from "node:http2";
import { isIP } from "node:net";
import type { Clock } from "../base/clock.ts";
import { messageOf, type Log } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import type { Transport, TransportRequest, TransportResponse, TransportStream } from "../client/transport.ts";
import { linesOf } from "./lines.ts";

/** PEM; either part may be replaced while running. */
export type ClientIdentity = { readonly cert: string; readonly key: string };
export type HttpClientOptions = {
  readonly address: string;
  readonly port: number;
  /** The serving authorities, PEM. */
  readonly ca: string;
  /** The name that the server's certificate must carry; default: the address. */
  readonly serverName?: string;
  readonly identity?: ClientIdentity;
  /** Asked for every request, so that a rotated token is used at once. */
  readonly token?: () => string;
  readonly userAgent: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly limits?: Partial<ClientLimits>;
};
export type ClientLimits = {
  readonly connectMs: number;
  /** One request and its whole answer; a watch only until its headers. */
  readonly requestMs: number;
  /** A connection that has been silent this long is asked whether it lives (client-go's ReadIdleTimeout and PingTimeout). */
  readonly silentMs: number;
  readonly pingMs: number;
  readonly backoffMs: number;
  readonly backoffMsMax: number;
  /** A whole answer. */
  readonly bodyBytes: number;
  /** One line of a stream; objects are smaller than 3 MiB. */
  readonly lineChars: number;
};
const clientLimits: ClientLimits = { connectMs: 10_000, requestMs: 60_000, silentMs: 30_000, pingMs: 15_000, backoffMs: 50, backoffMsMax: 2_000, bodyBytes: 512 * 1024 * 1024, lineChars: 8 * 1024 * 1024 };

// Like Go's client: a watch that bursts must never wait for window.
const streamWindowBytes = 4 * 1024 * 1024;
const connectionWindowBytes = 256 * 1024 * 1024;

/** A transport that owns a connection. */
export class HttpClient implements Transport {
  readonly #options: HttpClientOptions;
  readonly #limits: ClientLimits;
  #identity: ClientIdentity | undefined;
  #session: ClientHttp2Session | undefined;
  #connecting: Promise<ClientHttp2Session> | undefined;
  #failures = 0;
  #retryAt = 0;
  #closed = false;
  readonly #stop = new AbortController();

  constructor(options: HttpClientOptions) {
    this.#options = options;
    this.#limits = { ...clientLimits, ...options.limits };
    this.#identity = options.identity;
  }

  async request(request: TransportRequest, signal?: AbortSignal): Promise<TransportResponse> {
    return this.#retryRefused(async () => {
      const stream = await this.#open(request, signal);
      const unlink = linkAbort(stream, signal);
      const cancel = this.#options.clock.after(this.#limits.requestMs, () => stream.destroy(new Error(`no whole answer within ${this.#limits.requestMs} ms`)));
      try {
        const headers = await headersOf(stream);
        const chunks: Buffer[] = [];
        let size = 0;
        for await (const chunk of stream as AsyncIterable<Buffer>) {
          size += chunk.length;
          if (size > this.#limits.bodyBytes) throw new Error(`the answer is larger than ${this.#limits.bodyBytes} bytes`);
          chunks.push(chunk);
        }
        if (cutOff(stream) || (headers["content-length"] !== undefined && Number(headers["content-length"]) !== size)) throw new Error("the connection broke in the middle of the answer");
        return { status: Number(headers[":status"]), headers: plain(headers), body: Buffer.concat(chunks, size).toString() };
      } catch (error) {
        throw signal?.aborted ? new Error(`${request.method} ${request.target} was given up`) : failed(request, error, stream);
      } finally {
        cancel();
        unlink();
        if (!stream.closed) stream.close(constants.NGHTTP2_CANCEL);
      }
    });
  }

  async stream(request: TransportRequest, signal: AbortSignal): Promise<TransportStream> {
    return this.#retryRefused(async () => {
      const stream = await this.#open(request, signal);
      const unlink = linkAbort(stream, signal);
      stream.on("close", unlink);
      const cancel = this.#options.clock.after(this.#limits.requestMs, () => stream.destroy(new Error(`no answer within ${this.#limits.requestMs} ms`)));
      try {
        const headers = await headersOf(stream);
        return { status: Number(headers[":status"]), headers: plain(headers), lines: checkedLines(stream, this.#limits.lineChars, signal) };
      } catch (error) {
        throw signal.aborted ? new Error(`${request.method} ${request.target} was given up`) : failed(request, error, stream);
      } finally {
        cancel();
      }
    });
  }

  /** The certificate for connections from now on. The present connection takes no new request; its streams go on until they end. */
  setIdentity(identity: ClientIdentity): void {
    this.#identity = identity;
    const old = this.#session;
    this.#session = undefined;
    old?.close();
  }

  /** Ends the connection and everything on it. */
  close(): void {
    this.#closed = true;
    this.#stop.abort();
    this.#session?.destroy();
  }

  async #open(request: TransportRequest, signal: AbortSignal | undefined): Promise<ClientHttp2Stream> {
    const session = await this.#connected(signal);
    const body = request.body === undefined ? undefined : Buffer.from(request.body);
    const stream = session.request({
      ...request.headers,
      ":method": request.method, ":path": request.target, "user-agent": this.#options.userAgent,
      ...(this.#options.token ? { authorization: `Bearer ${this.#options.token()}` } : {}),
      ...(body ? { "content-length": String(body.length) } : {}),
    }, { endStream: body === undefined });
    // Every reader of the stream sees its error; without this listener one that comes before the reader would end the process.
    stream.on("error", () => stream.destroy());
    if (body) stream.end(body);
    return stream;
  }

  async #connected(signal: AbortSignal | undefined): Promise<ClientHttp2Session> {
    signal?.throwIfAborted();
    if (this.#closed) throw new Error("the client is closed");
    if (this.#session && !this.#session.closed && !this.#session.destroyed) return this.#session;
    return await (this.#connecting ??= this.#connect().finally(() => { this.#connecting = undefined; }));
  }

  async #connect(): Promise<ClientHttp2Session> {
    const { clock, address, port, random, log } = this.#options;
    await clock.sleep(Math.max(0, this.#retryAt - clock.monotonic()), this.#stop.signal);
    try {
      const session = await this.#dial();
      if (this.#closed) {
        session.destroy();
        throw new Error("the client is closed");
      }
      this.#failures = 0;
      this.#session = session;
      this.#watchOver(session);
      return session;
    } catch (error) {
      const wait = Math.min(this.#limits.backoffMs * 2 ** this.#failures++, this.#limits.backoffMsMax) * (0.5 + random.next() / 2);
      this.#retryAt = clock.monotonic() + wait;
      log.debug("cannot connect", { address, port, error: messageOf(error), waitMs: Math.round(wait) });
      throw new Error(`cannot connect to ${address}, port ${port}`, { cause: error });
    }
  }

  #dial(): Promise<ClientHttp2Session> {
    const { address, port, ca, serverName, clock } = this.#options;
    return new Promise((resolve, reject) => {
      const host = address.includes(":") ? `[${address}]` : address;
      // An address has no server name in TLS; Node then checks it against the certificate's addresses.
      const name = serverName ?? (isIP(address) === 0 ? address : undefined);
      const session = connect(`https://${host}:${port}`, {
        ca, minVersion: "TLSv1.2", ...this.#identity, ...(name === undefined ? {} : { servername: name }),
        settings: { initialWindowSize: streamWindowBytes, enablePush: false },
      });
      const cancel = clock.after(this.#limits.connectMs, () => session.destroy(new Error(`no connection within ${this.#limits.connectMs} ms`)));
      session.once("connect", () => {
        cancel();
        session.setLocalWindowSize(connectionWindowBytes);
        resolve(session);
      });
      session.on("error", error => { cancel(); reject(error); });
      session.on("close", () => { cancel(); reject(new Error("the connection was closed")); });
    });
  }

  /** Pings a silent connection and gives it up when nothing comes back: a vanished server is otherwise noticed only by the kernel's patience. */
  #watchOver(session: ClientHttp2Session): void {
    const { clock, log } = this.#options;
    const { silentMs, pingMs } = this.#limits;
    let bytes = -1;
    let cancel = (): void => undefined;
    const check = (): void => {
      if (session.destroyed) return;
      const now = session.socket.bytesRead;
      if (now !== bytes) {
        bytes = now;
        cancel = clock.after(silentMs, check);
        return;
      }
      cancel = clock.after(pingMs, () => { log.warn("the server does not answer pings, connecting again"); session.destroy(new Error("the server does not answer pings")); });
      if (!session.ping(() => { cancel(); bytes = -1; cancel = clock.after(silentMs, check); })) session.destroy();
    };
    cancel = clock.after(silentMs, check);
    session.on("close", () => {
      cancel();
      if (this.#session === session) this.#session = undefined;
    });
    // The server says that it stops: what is under way may finish here, new requests need a new connection.
    session.on("goaway", () => { if (this.#session === session) this.#session = undefined; });
  }

  // A stream that the server refused, or that never left because the connection was going away, has done nothing: safe to send again, once.
  async #retryRefused<T>(attempt: () => Promise<T>): Promise<T> {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof RefusedStream) || this.#closed) throw error;
      return await attempt();
    }
  }
}

class RefusedStream extends Error {}

function failed(request: TransportRequest, error: unknown, stream: ClientHttp2Stream): Error {
  const text = `${request.method} ${request.target.split("?")[0]} failed`;
  const unsent = (error as { code?: string }).code === "ERR_HTTP2_GOAWAY_SESSION" || (error as { code?: string }).code === "ERR_HTTP2_INVALID_SESSION";
  return stream.rstCode === constants.NGHTTP2_REFUSED_STREAM || unsent ? new RefusedStream(text, { cause: error }) : new Error(text, { cause: error });
}

function headersOf(stream: ClientHttp2Stream): Promise<IncomingHttpHeaders> {
  return new Promise((resolve, reject) => {
    stream.once("response", resolve);
    stream.once("error", reject);
    stream.once("close", () => reject(new Error("the connection broke before the answer")));
  });
}

function plain(headers: IncomingHttpHeaders): { [name: string]: string | undefined } {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith(":")).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : value]));
}

// Node ends a stream in an orderly way when its connection is lost: only this tells that the server did not.
function cutOff(stream: ClientHttp2Stream): boolean {
  return stream.rstCode !== undefined && stream.rstCode !== constants.NGHTTP2_NO_ERROR || stream.session?.destroyed === true || stream.session === undefined && stream.aborted;
}

async function* checkedLines(stream: ClientHttp2Stream, lineChars: number, signal: AbortSignal): AsyncGenerator<string, void, void> {
  stream.setEncoding("utf8");
  async function* chunks(): AsyncGenerator<string, void, void> {
    yield* stream as AsyncIterable<string>;
    if (signal.aborted || cutOff(stream)) throw new Error("the connection broke");
  }
  try {
    yield* linesOf(chunks(), lineChars);
  } catch (error) {
    if (signal.aborted) return;
    throw new Error("the stream broke", { cause: error });
  } finally {
    if (!stream.closed) stream.close(constants.NGHTTP2_CANCEL);
  }
}

function linkAbort(stream: ClientHttp2Stream, signal: AbortSignal | undefined): () => void {
  const abort = (): void => stream.close(constants.NGHTTP2_CANCEL);
  signal?.addEventListener("abort", abort, { once: true });
  return () => signal?.removeEventListener("abort", abort);
}
