/** A load generator over a few HTTP/2 connections: cheap enough that the server, not the client, is what is measured. */
import { connect, constants, type ClientHttp2Session } from "node:http2";
import type { Credentials } from "./cluster.ts";

export type Answer = { readonly status: number; readonly retryAfter: string | undefined; readonly body: Buffer };

export class LoadClient {
  readonly #sessions: ClientHttp2Session[];
  readonly #headers: { readonly [name: string]: string };
  #next = 0;

  private constructor(sessions: ClientHttp2Session[], headers: { readonly [name: string]: string }) {
    this.#sessions = sessions;
    this.#headers = headers;
  }

  /** `headers` go with every request. */
  static async open({ server, ca, cert, key }: Pick<Credentials, "server" | "ca"> & Partial<Credentials>, sessions: number, headers: { readonly [name: string]: string } = {}): Promise<LoadClient> {
    return new LoadClient(await Promise.all(Array.from({ length: sessions }, () => new Promise<ClientHttp2Session>((resolve, reject) => {
      const session = connect(server, { ca, ...(cert === undefined ? {} : { cert, key }), settings: { initialWindowSize: 8 << 20 } });
      session.once("error", reject);
      session.once("connect", () => {
        session.setLocalWindowSize(32 << 20);
        resolve(session);
      });
    }))), headers);
  }

  /** One request; the body of the answer is kept only if asked for. */
  request(method: string, path: string, body?: Buffer, keep = false, type = "application/json"): Promise<Answer> {
    const session = this.#sessions[this.#next++ % this.#sessions.length]!;
    return new Promise((resolve, reject) => {
      const stream = session.request({ ...this.#headers, [constants.HTTP2_HEADER_METHOD]: method, [constants.HTTP2_HEADER_PATH]: path, ...(body === undefined ? {} : { "content-type": type }) });
      const chunks: Buffer[] = [];
      let status = 0, retryAfter: string | undefined;
      stream.on("response", headers => { status = Number(headers[":status"]); retryAfter = headers["retry-after"] as string | undefined; });
      stream.on("data", (chunk: Buffer) => { if (keep || status >= 300) chunks.push(chunk); });
      stream.on("error", reject);
      stream.on("end", () => resolve({ status, retryAfter, body: Buffer.concat(chunks) }));
      stream.end(body);
    });
  }

  /** An open watch; `onBytes` hears what arrives. */
  watch(path: string, onBytes: (bytes: Buffer) => void): { close(): void } {
    const session = this.#sessions[this.#next++ % this.#sessions.length]!;
    const stream = session.request({ ...this.#headers, [constants.HTTP2_HEADER_PATH]: path });
    stream.on("data", onBytes);
    stream.on("error", () => stream.close());
    return { close: () => stream.close() };
  }

  close(): void {
    for (const session of this.#sessions) session.destroy();
  }
}

/** Keeps `concurrency` of `work` going for `ms`; returns how many were done and how long each took, sorted. */
export async function load(concurrency: number, ms: number, work: (i: number) => Promise<void>): Promise<{ readonly done: number; readonly seconds: number; readonly sortedMs: readonly number[] }> {
  const started = performance.now();
  const times: number[] = [];
  let next = 0;
  await Promise.all(Array.from({ length: concurrency }, async () => {
    while (performance.now() - started < ms) {
      const began = performance.now();
      await work(next++);
      times.push(performance.now() - began);
    }
  }));
  return { done: times.length, seconds: (performance.now() - started) / 1_000, sortedMs: times.sort((a, b) => a - b) };
}
