/** A gRPC client in one page: unary calls and server streams over one HTTP/2 session. */
import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream } from "node:http2";
import { createConnection } from "node:net";
import { decodeMessage, encodeMessage, type Message, type Wire } from "../base/protowire.ts";

/** gRPC status codes that callers tell apart (grpc/status.md). */
export const grpcCode = { cancelled: 1, unknown: 2, invalidArgument: 3, deadlineExceeded: 4, notFound: 5, alreadyExists: 6, unimplemented: 12, unavailable: 14 } as const;

/** The server's refusal, or `unavailable` when there was no server. */
export class GrpcError extends Error {
  override name = "GrpcError";
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}
export function isGrpcError(error: unknown, code: number): error is GrpcError {
  return error instanceof GrpcError && error.code === code;
}

export type Method<Q extends Message, A extends Message> = { readonly path: string; readonly request: Q; readonly answer: A };

export type Target = string | { readonly host: string; readonly port: number };

/** Larger than any answer of ours (a list of ten thousand containers): past it the peer is broken. */
const answerBytesMax = 64 << 20;

export class GrpcClient {
  readonly #target: Target;
  readonly #headers: { readonly [name: string]: string };
  #session: ClientHttp2Session | undefined;
  /** `target` is a unix socket's path or an address; connects at the first call and again after a loss. `headers` go with every call. */
  constructor(target: Target, headers: { readonly [name: string]: string } = {}) {
    this.#target = target;
    this.#headers = headers;
  }

  /** One request, one answer. */
  call<Q extends Message, A extends Message>(method: Method<Q, A>, request: Wire<Q>, options: { readonly timeoutMs: number; readonly signal?: AbortSignal }): Promise<Wire<A>> {
    return new Promise((resolve, reject) => {
      let answer: Wire<A> | undefined;
      let over = false;
      const finish = (error: GrpcError | undefined): void => {
        if (over) return;
        over = true;
        clearTimeout(timer);
        options.signal?.removeEventListener("abort", cancel);
        if (error) reject(error);
        else if (answer === undefined) reject(new GrpcError(grpcCode.unknown, `${method.path}: the server answered nothing`));
        else resolve(answer);
      };
      const stream = this.#open(method, request, options.timeoutMs, message => { answer = message; }, finish);
      const cancel = (): void => {
        stream?.close(constants.NGHTTP2_CANCEL);
        finish(new GrpcError(grpcCode.cancelled, `${method.path}: cancelled`));
      };
      const timer = setTimeout(() => {
        stream?.close(constants.NGHTTP2_CANCEL);
        finish(new GrpcError(grpcCode.deadlineExceeded, `${method.path}: no answer in ${options.timeoutMs} ms`));
      }, options.timeoutMs);
      if (options.signal?.aborted) cancel();
      else options.signal?.addEventListener("abort", cancel, { once: true });
    });
  }

  /** Messages until the server ends the stream (resolves), fails (rejects) or `signal` aborts (resolves). */
  subscribe<Q extends Message, A extends Message>(method: Method<Q, A>, request: Wire<Q>, onMessage: (message: Wire<A>) => void, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        stream?.close(constants.NGHTTP2_CANCEL);
        resolve();
      };
      const stream = this.#open(method, request, undefined, onMessage, error => {
        signal.removeEventListener("abort", stop);
        if (error && !signal.aborted) reject(error);
        else resolve();
      });
      if (signal.aborted) stop();
      else signal.addEventListener("abort", stop, { once: true });
    });
  }

  close(): void {
    this.#session?.destroy();
    this.#session = undefined;
  }

  #open<Q extends Message, A extends Message>(method: Method<Q, A>, request: Wire<Q>, timeoutMs: number | undefined, onMessage: (message: Wire<A>) => void, onEnd: (error: GrpcError | undefined) => void): ClientHttp2Stream | undefined {
    const fail = (error: Error): void => onEnd(new GrpcError(grpcCode.unavailable, `${method.path}: ${error.message}`));
    let stream: ClientHttp2Stream;
    try {
      stream = this.#connected().request({
        ":method": "POST", ":path": method.path, ":scheme": "http", ":authority": "localhost",
        "content-type": "application/grpc", te: "trailers", ...this.#headers, ...(timeoutMs === undefined ? {} : { "grpc-timeout": timeoutText(timeoutMs) }),
      });
    } catch (error) {
      queueMicrotask(() => fail(error as Error));
      return undefined;
    }
    const pieces = new Frames(frame => onMessage(decodeMessage(method.answer, frame)));
    let status: { readonly code: number; readonly message: string } | undefined;
    const note = (headers: { readonly [name: string]: unknown }): void => {
      const code = headers["grpc-status"];
      if (code !== undefined) status = { code: Number(code), message: decodeMessageHeader(String(headers["grpc-message"] ?? "")) };
    };
    stream.on("response", note);
    stream.on("trailers", note);
    stream.on("data", (chunk: Buffer) => {
      try {
        pieces.add(chunk);
      } catch (error) {
        stream.destroy(error as Error);
      }
    });
    stream.on("error", fail);
    stream.on("close", () => {
      if (status === undefined) onEnd(new GrpcError(grpcCode.unavailable, `${method.path}: the connection was lost`));
      else if (status.code !== 0) onEnd(new GrpcError(status.code, status.message));
      else onEnd(undefined);
    });
    const body = encodeMessage(method.request, request);
    const frame = Buffer.alloc(5 + body.length);
    frame.writeUInt32BE(body.length, 1);
    frame.set(body, 5);
    stream.end(frame);
    return stream;
  }

  #connected(): ClientHttp2Session {
    if (this.#session && !this.#session.closed && !this.#session.destroyed) return this.#session;
    const session = connect("http://localhost", { createConnection: () => (typeof this.#target === "string" ? createConnection(this.#target) : createConnection(this.#target)), settings: { initialWindowSize: 1 << 20 } });
    const drop = (): void => { if (this.#session === session) this.#session = undefined; };
    session.on("error", drop);
    session.on("close", drop);
    session.on("goaway", drop);
    // The process may end while the connection idles.
    session.unref();
    return (this.#session = session);
  }
}

/** At most eight digits, says the protocol: longer times in seconds. */
function timeoutText(ms: number): string {
  return ms < 1e8 ? `${Math.max(1, Math.round(ms))}m` : `${Math.min(99_999_999, Math.round(ms / 1000))}S`;
}

/** Cuts a byte stream into gRPC's length-prefixed messages. */
class Frames {
  #rest: Buffer = Buffer.alloc(0);
  readonly #onFrame: (frame: Uint8Array) => void;
  constructor(onFrame: (frame: Uint8Array) => void) {
    this.#onFrame = onFrame;
  }
  add(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= 5) {
      const length = this.#rest.readUInt32BE(1);
      if (this.#rest[0] !== 0) throw new Error("gRPC: a compressed message, which was not asked for");
      if (length > answerBytesMax) throw new Error(`gRPC: a message of ${length} bytes`);
      if (this.#rest.length < 5 + length) return;
      const frame = this.#rest.subarray(5, 5 + length);
      this.#rest = this.#rest.subarray(5 + length);
      this.#onFrame(frame);
    }
  }
}

/** grpc-message is percent-encoded; a malformed one is shown as it is. */
function decodeMessageHeader(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return text;
    throw error;
  }
}
