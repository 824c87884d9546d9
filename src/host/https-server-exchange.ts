/** One request and the means to answer it, whichever HTTP version carried it. Only host/ sees this. */
import type { Duplex, Readable, Writable } from "node:stream";
import type { HttpRequest, HttpResponse } from "../api/http.ts";

/**
 * What a handler inside host/ may answer besides the core's answers: `takeover`, a connection that it goes on with itself (the node agent's
 * exec, attach, port-forward), and `writable`, a long body that waits for a slow reader (logs).
 */
export type HostResponse = HttpResponse | (Pick<HttpResponse, "status" | "headers"> & { readonly content: HostContent });
export type HostContent =
  | { readonly type: "takeover"; readonly run: (connection: Upgraded) => Promise<void> }
  | { readonly type: "writable"; readonly run: (out: Writable, signal: AbortSignal) => Promise<void> };
export type Handler = (request: HttpRequest) => Promise<HostResponse>;
export type OutgoingHeaders = { readonly [name: string]: string | readonly string[] };

/** A connection after its upgrade: nothing of HTTP is left on it, and `head` is what had already arrived. */
export type Upgraded = { readonly socket: Duplex; readonly head: Buffer };

export interface Exchange {
  readonly request: HttpRequest;
  /** What it shares with the other requests of its connection. */
  readonly connection: object;
  /** The body as it arrives, for whoever passes it on instead of calling `request.body()`. */
  readonly upload: Readable;
  /** Whether the request has a body at all, be it of unknown length. */
  readonly hasBody: boolean;
  /** Sends the head of the answer; what is written afterwards is its body. `open`, the default: the head goes out at once, the body later. */
  begin(status: number, headers: OutgoingHeaders, body?: "none" | "whole" | "open", length?: number): Writable;
  /** Present when the client asked for an upgrade: the raw connection, to be used instead of `begin`. */
  readonly upgraded: Upgraded | undefined;
  /** Tells a long answer to come to its end: aborts the request's signal. */
  abort(): void;
  /** Ends it without an answer, or in the middle of one. */
  destroy(): void;
  readonly destroyed: boolean;
}

/** Carries out a `forward` answer. */
export type Forward = (exchange: Exchange, response: HttpResponse) => Promise<void>;

/** Headers that speak of one connection only (RFC 9110 section 7.6.1); never passed on, not allowed in HTTP/2. */
export const hopByHop: ReadonlySet<string> = new Set(["connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "http2-settings"]);
