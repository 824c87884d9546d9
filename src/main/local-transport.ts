/** HTTP to the server in this very process, as one of its components; what another server answers is passed on to it. */
import type { ApiServer } from "../api/server.ts";
import type { User } from "../api/context.ts";
import type { ForwardTarget, HttpResponse } from "../api/http.ts";
import { ApiError } from "../base/api-error.ts";
import { messageOf } from "../base/log.ts";
import type { Transport, TransportRequest, TransportResponse, TransportStream } from "../client/transport.ts";

export type Asked = { readonly method: string; readonly headers?: { readonly [name: string]: string }; readonly body?: string; readonly signal: AbortSignal };
/** Carries out `forward` answers. Both reject with an Error when no answer came. */
export type PassOn = {
  readonly whole: (to: ForwardTarget, asked: Asked) => Promise<{ readonly status: number; readonly body: string }>;
  /** A watch: lines as they arrive. */
  readonly lines: (to: ForwardTarget, asked: Asked) => Promise<{ readonly status: number; readonly lines: AsyncIterable<string> }>;
};
export type LocalTransportOptions = {
  readonly user: User;
  /** Names the manager of fields that it writes, as a User-Agent does. */
  readonly userAgent: string;
  /** Absent: requests that other servers answer fail. */
  readonly passOn?: PassOn;
  /** Every request ends when it aborts. */
  readonly signal?: AbortSignal;
};

export class LocalTransport implements Transport {
  readonly #server: ApiServer;
  readonly #options: LocalTransportOptions;
  readonly #signal: AbortSignal;

  constructor(server: ApiServer, options: LocalTransportOptions) {
    this.#server = server;
    this.#options = options;
    this.#signal = options.signal ?? new AbortController().signal;
  }

  async request(request: TransportRequest, signal = this.#signal): Promise<TransportResponse> {
    const { status, content } = await this.#ask(request, signal);
    if (content.type !== "forward") return { status, headers: {}, body: textOf(content) };
    return { headers: {}, ...await this.#passOn(content.to, request, signal, "whole") };
  }

  async stream(request: TransportRequest, signal: AbortSignal): Promise<TransportStream> {
    const { status, content } = await this.#ask(request, signal);
    if (content.type !== "forward") return { status, headers: {}, lines: only(textOf(content)) };
    const passed = await this.#passOn(content.to, request, AbortSignal.any([signal, this.#signal]), "lines");
    return { headers: {}, status: passed.status, lines: "lines" in passed ? passed.lines : only(passed.body) };
  }

  #ask({ method, target, headers, body }: TransportRequest, signal: AbortSignal): Promise<HttpResponse> {
    const bytes = body === undefined ? new Uint8Array() : new TextEncoder().encode(body);
    return this.#server.handle({ method, target, headers: { "user-agent": this.#options.userAgent, ...headers }, body: async () => bytes, peer: { address: "127.0.0.1" }, upgrade: false, signal }, this.#options.user);
  }

  /** A server that cannot be reached is a 503, as it is for everybody else. */
  async #passOn<How extends keyof PassOn>(to: ForwardTarget, { method, headers, body }: TransportRequest, signal: AbortSignal, how: How): Promise<Awaited<ReturnType<PassOn[How]>> | { readonly status: number; readonly body: string }> {
    const { passOn, userAgent } = this.#options;
    if (passOn === undefined) throw new ApiError("ServiceUnavailable", "requests are not passed on to other servers here");
    try {
      return await passOn[how](to, { method, headers: { "user-agent": userAgent, ...headers }, signal, ...(body === undefined ? {} : { body }) }) as Awaited<ReturnType<PassOn[How]>>;
    } catch (error) {
      return { status: 503, body: `error trying to reach service: ${messageOf(error)}\n` };
    }
  }
}

async function* only(text: string): AsyncGenerator<string> {
  yield text;
}

function textOf(content: Exclude<HttpResponse["content"], { readonly type: "forward" }>): string {
  switch (content.type) {
    case "text": return content.text;
    case "bytes": return new TextDecoder().decode(content.bytes);
    case "pieces": return [...content.pieces].join("");
    case "stream": throw new ApiError("BadRequest", "a stream is not read whole: use watch");
  }
}
