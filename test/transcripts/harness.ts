/** One API server in memory, with a clock and chance of its own, and the notation of the transcripts. */
import { createHash } from "node:crypto";
import type { Clock } from "../../src/base/clock.ts";
import { silent } from "../../src/base/log.ts";
import type { Random } from "../../src/base/random.ts";
import { privileged } from "../../src/api/authz/authorizer.ts";
import type { User } from "../../src/api/context.ts";
import type { HttpRequest, HttpResponse, Sink } from "../../src/api/http.ts";
import { ApiServer, type ApiServerOptions } from "../../src/api/server.ts";
import { kinds } from "../../src/kinds/index.ts";
import { MemoryEngine } from "../../src/store/memory.ts";
import { RevisionedStore } from "../../src/store/revisioned-store.ts";

export class TestClock implements Clock {
  #now = Date.UTC(2026, 0, 1);
  #timers: { at: number; callback: () => void }[] = [];
  get pending(): number {
    return this.#timers.length;
  }
  now = (): number => this.#now;
  monotonic = (): number => this.#now;
  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + ms, callback };
    this.#timers.push(timer);
    return () => void (this.#timers = this.#timers.filter(each => each !== timer));
  }
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      const stop = this.after(ms, resolve);
      signal?.addEventListener("abort", () => { stop(); resolve(); }, { once: true });
    });
  }
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    for (;;) {
      const next = this.#timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter(each => each !== next);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
      await settle();
    }
    this.#now = until;
    await settle();
  }
}

export const settle = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

export function countingRandom(): Random {
  let [uuids, seed] = [0, 1];
  const next = (): number => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed / 2147483648;
  };
  return { next, uuid: () => `00000000-0000-4000-8000-${String(++uuids).padStart(12, "0")}`, bytes: length => Uint8Array.from({ length }, () => Math.floor(next() * 256)) };
}

export type Harness = { readonly api: ApiServer; readonly store: RevisionedStore; readonly clock: TestClock; send(method: string, target: string, options?: Sending): Promise<HttpResponse>; close(): Promise<void> };
export type Sending = { readonly headers?: { readonly [name: string]: string }; readonly body?: string | Uint8Array; readonly user?: string; readonly signal?: AbortSignal; readonly upgrade?: boolean };

export async function startHarness(more: Partial<ApiServerOptions> = {}): Promise<Harness> {
  const clock = new TestClock();
  const failures: Error[] = [];
  const store = await RevisionedStore.open(new MemoryEngine(), { clock, log: silent, onFailure: error => void failures.push(error) });
  const api = new ApiServer({
    store, kinds, clock, random: countingRandom(), log: { ...silent, error: (message, fields) => console.error(message, fields) },
    authenticator: () => ({
      authenticate: async ({ headers }) => userNamed(String(headers["x-test-user"] ?? "admin")),
      reviewToken: async () => ({ authenticated: false }),
    }),
    authorizer: () => privileged,
    parseYaml: text => ({ value: JSON.parse(text), duplicates: [] }),
    sha512: text => createHash("sha512").update(text).digest(),
    build: { gitVersion: "v1.36.0+timonier", gitCommit: "0000000", buildDate: "2026-01-01T00:00:00Z", platform: "linux/amd64", runtime: "node" },
    address: "10.0.0.1:6443", fatal: error => void failures.push(error), freeze: true, ...more,
  });
  const never = new AbortController();
  const send = (method: string, target: string, { headers = {}, body = "", user, signal, upgrade = false }: Sending = {}): Promise<HttpResponse> => {
    const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
    const request: HttpRequest = {
      method, target, headers: { "user-agent": "transcript/1", ...headers, ...(user === undefined ? {} : { "x-test-user": user }) }, body: async () => bytes,
      peer: { address: "127.0.0.1" }, upgrade, signal: signal ?? never.signal,
    };
    return api.handle(request);
  };
  return { api, store, clock, send, close: () => store.close() };
}

function userNamed(name: string): User {
  return { name, uid: "", groups: name === "admin" ? ["system:masters", "system:authenticated"] : ["system:authenticated"], extra: {} };
}

export async function bodyOf({ content }: HttpResponse): Promise<string | Uint8Array> {
  switch (content.type) {
    case "text": return content.text;
    case "bytes": return content.bytes;
    case "pieces": return [...content.pieces].join("");
    case "stream": return "";
    case "forward": return `${JSON.stringify(content.to)}\n`;
  }
}

/** A reader of a stream that takes everything at once. */
export class Collector implements Sink {
  readonly chunks: (string | Uint8Array)[] = [];
  buffered = 0;
  write(chunk: string | Uint8Array): void {
    this.chunks.push(chunk);
  }
  take(): (string | Uint8Array)[] {
    return this.chunks.splice(0);
  }
  drop(): void {
    this.buffered = 0;
    this.chunks.length = 0;
  }
}

/** Holds what it is given until it is read. */
export class Reader extends Collector {
  override write(chunk: string | Uint8Array): void {
    super.write(chunk);
    this.buffered += chunk.length;
  }
  read(): string {
    this.buffered = 0;
    return this.take().join("");
  }
  /** Events that came since, parsed. */
  events(): any[] {
    return this.read().split("\n").filter(line => line !== "").map(line => JSON.parse(line));
  }
}

export type Watching = { readonly out: Reader; readonly ended: () => boolean; readonly stop: () => Promise<unknown> };
/** A watch, open until it ends or is stopped. */
export async function openWatch(harness: Harness, target: string, headers: { readonly [name: string]: string } = {}): Promise<Watching> {
  const out = new Reader(), abort = new AbortController();
  const { status, content } = await harness.send("GET", target, { headers });
  if (content.type !== "stream") throw new Error(`${target}: ${status}`);
  let ended = false;
  const over = content.run(out, abort.signal).then(() => (ended = true));
  await settle();
  return { out, ended: () => ended, stop: () => { abort.abort(); return over; } };
}
