/** gRPC backends: HTTP/2 from end to end, streams both ways at once, and trailers that say how it ended. */
import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream, type OutgoingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import { changed } from "../ingress/header-changes.ts";
import { requestChanges, responseChanges, type Asked, type Forward } from "../ingress/router.ts";
import { hopByHop, type Exchange } from "./https-server-exchange.ts";
import { pairsOf, type Fields } from "./ingress-fields.ts";
import type { Means } from "./ingress-transfer.ts";

const triesMax = 10;
/** gRPC's codes for what HTTP would say with a status. */
const unavailable = "14";
const deadlineExceeded = "4";

export class GrpcBackends {
  readonly #sessions = new Map<string, Promise<ClientHttp2Session>>();

  /** Resolves with the status when the answer has been carried over; never rejects. */
  async carry(means: Means & { about(address: string, secure: boolean, host: string): string }, exchange: Exchange, stream: ServerHttp2Stream, forward: Forward, asked: Asked & { readonly fields: Fields }): Promise<number> {
    const tried: string[] = [];
    const { options } = forward.route;
    for (let endpoint = means.router.next(forward, tried); endpoint !== undefined && tried.length < triesMax; endpoint = means.router.next(forward, tried)) {
      tried.push(endpoint);
      let session: ClientHttp2Session;
      try {
        session = await this.#session(endpoint, options.backend === "GRPCS", options.connectMs);
      } catch {
        // Nothing has been sent: another may have it. The client is told only when none is left.
        means.router.failed(endpoint);
        continue;
      }
      if (exchange.destroyed) return 499;
      means.router.worked(endpoint);
      return new Promise(resolve => this.#stream(means, session, exchange, stream, forward, asked, resolve));
    }
    return refuse(stream, unavailable, "no endpoint can be reached");
  }

  #stream(means: Parameters<GrpcBackends["carry"]>[0], session: ClientHttp2Session, exchange: Exchange, stream: ServerHttp2Stream, forward: Forward, asked: Parameters<GrpcBackends["carry"]>[4], done: (status: number) => void): void {
    const { options } = forward.route;
    const lines = pairsOf(asked.fields.passed(undefined) + means.about(asked.address, asked.secure, asked.host));
    const headers: OutgoingHttpHeaders = Object.create(null);
    for (const [name, value] of changed(lines, requestChanges(forward))) headers[name.toLowerCase()] = value;
    const backend: ClientHttp2Stream = session.request({
      ...headers, ":method": asked.method, ":path": forward.path, ":scheme": options.backend === "GRPCS" ? "https" : "http", ":authority": forward.host,
      // gRPC servers insist on it, and it is the one value that HTTP/2 allows.
      te: "trailers",
    }, { endStream: !exchange.hasBody });
    let late = false;
    let status = 0;
    let trailers: { [name: string]: string | string[] } = {};
    const tooLate = (): void => { late = true; backend.close(constants.NGHTTP2_CANCEL); };
    backend.setTimeout(options.readMs, tooLate);
    const deadline = options.requestMs ? setTimeout(tooLate, options.requestMs) : undefined;
    backend.on("response", (answer, flags) => {
      if (stream.destroyed) return;
      status = Number(answer[":status"] ?? 502);
      const pairs = Object.entries(answer).flatMap(([name, value]) => (name.startsWith(":") || hopByHop.has(name) ? [] : [value].flat().map(one => [name, String(one)] as const)));
      const out: { [name: string]: string | string[] | number } = Object.create(null);
      out[":status"] = status;
      for (const [name, value] of changed(pairs, responseChanges(forward))) {
        const lower = name.toLowerCase();
        const before = out[lower];
        out[lower] = before === undefined ? value : [...[before].flat().map(String), value];
      }
      const ended = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
      stream.respond(out, ended ? { endStream: true } : { waitForTrailers: true });
      if (ended) return;
      stream.on("wantTrailers", () => stream.sendTrailers(trailers));
      backend.pipe(stream);
    });
    backend.on("trailers", given => { trailers = Object.fromEntries(Object.entries(given).filter(([name]) => !name.startsWith(":"))) as { [name: string]: string }; });
    // `close` follows and says it all.
    backend.on("error", () => undefined);
    backend.on("close", () => {
      clearTimeout(deadline);
      if (!stream.headersSent && !stream.destroyed) return done(late ? refuse(stream, deadlineExceeded, "the backend did not answer in time") : refuse(stream, unavailable, "the backend closed the stream"));
      if (backend.rstCode !== constants.NGHTTP2_NO_ERROR) exchange.destroy();
      done(status || 499);
    });
    stream.on("close", () => { if (!backend.closed) backend.close(constants.NGHTTP2_CANCEL); });
    for (const { copy, endpoint, secure } of means.mirrors.pick(forward)) {
      if (exchange.hasBody) stream.on("data", (part: Buffer) => copy.body(part)).on("end", () => copy.whole());
      else copy.whole();
      stream.on("close", () => { if (!stream.readableEnded) copy.drop(); });
      this.#session(endpoint, secure, options.connectMs).then(session => {
        const mirrored = session.request({ ...headers, ":method": asked.method, ":path": forward.path, ":scheme": secure ? "https" : "http", ":authority": forward.host, te: "trailers" });
        mirrored.setTimeout(options.readMs, () => mirrored.close(constants.NGHTTP2_CANCEL));
        // Nobody reads the answer, and nobody minds if there is none.
        mirrored.on("error", () => undefined).on("close", () => copy.finished()).resume();
        copy.open({ write: part => { mirrored.write(part); }, waiting: () => mirrored.writableLength, end: () => mirrored.end(), drop: () => mirrored.close(constants.NGHTTP2_CANCEL) });
      }, () => copy.finished());
    }
    if (exchange.hasBody) stream.pipe(backend);
  }

  keepOnly(endpoints: ReadonlySet<string>): void {
    for (const [key, session] of this.#sessions) if (!endpoints.has(key.slice(2))) {
      this.#sessions.delete(key);
      // Streams under way go on.
      void session.then(open => open.close(), () => undefined);
    }
  }

  close(): void {
    for (const session of this.#sessions.values()) void session.then(open => open.destroy(), () => undefined);
    this.#sessions.clear();
  }

  #session(endpoint: string, secure: boolean, connectMs: number): Promise<ClientHttp2Session> {
    const key = (secure ? "s " : "p ") + endpoint;
    const kept = this.#sessions.get(key);
    if (kept) return kept;
    const opening = new Promise<ClientHttp2Session>((resolve, reject) => {
      const session = connect(`${secure ? "https" : "http"}://${endpoint}`, { rejectUnauthorized: false });
      const timer = setTimeout(() => session.destroy(new Error("no connection in time")), connectMs);
      const forget = (): void => { clearTimeout(timer); if (this.#sessions.get(key) === opening) this.#sessions.delete(key); };
      session.once("connect", () => { clearTimeout(timer); resolve(session); });
      session.on("error", error => { forget(); reject(error); });
      session.on("goaway", forget);
      session.on("close", () => { forget(); reject(new Error("closed")); });
    });
    this.#sessions.set(key, opening);
    return opening;
  }
}

/** gRPC clients read a status from headers, never from HTTP's. */
function refuse(stream: ServerHttp2Stream, code: string, message: string): number {
  if (!stream.destroyed && !stream.headersSent) stream.respond({ ":status": 200, "content-type": "application/grpc", "grpc-status": code, "grpc-message": message }, { endStream: true });
  return code === unavailable ? 503 : 504;
}
