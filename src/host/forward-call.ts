/** Carries out a `forward` answer for a component in our own process: one request, one whole answer or one of many lines. What clients ask goes through `http-forward.ts`. */
import { request as httpRequest, type ClientRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP } from "node:net";
import type { ForwardTarget } from "../api/http.ts";
import { isForbiddenAddress, tlsOf, type ForwardOptions } from "./http-forward.ts";
import { linesOf } from "./lines.ts";
import { wholeAnswer } from "./whole-answer.ts";

export type ForwardAsked = { readonly method: string; readonly headers?: { readonly [name: string]: string }; readonly body?: string; readonly signal: AbortSignal };
export type ForwardCall = (to: ForwardTarget, asked: ForwardAsked) => Promise<{ readonly status: number; readonly body: string }>;
/** A long answer made of lines, such as a watch: until its head, then line by line. */
export type ForwardLines = (to: ForwardTarget, asked: ForwardAsked) => Promise<{ readonly status: number; readonly lines: AsyncIterable<string> }>;
export type ForwardCallOptions = Pick<ForwardOptions, "node" | "frontProxy" | "isForbidden">;

const answerBytesMax = 32 * 1024 * 1024;
const lineCharsMax = 8 * 1024 * 1024;
const timeoutMs = 30_000;
const late = "context deadline exceeded";

/** Rejects with an Error that says what went wrong; no redirect is followed. */
export function createForwardCall(options: ForwardCallOptions): ForwardCall {
  return async (to, asked) => {
    const { outgoing, refused } = open(to, asked, options);
    return wholeAnswer(outgoing, asked.body, { timeoutMs, late, bytesMax: answerBytesMax }).catch((error: Error) => { throw refused(error.message, error); });
  };
}

/** The same for an answer that lasts. */
export function createForwardLines(options: ForwardCallOptions): ForwardLines {
  return async (to, asked) => {
    const { outgoing, refused } = open(to, asked, options);
    const incoming = await new Promise<IncomingMessage>((resolve, reject) => {
      const timer = setTimeout(() => outgoing.destroy(new Error(late)), timeoutMs);
      outgoing.once("close", () => clearTimeout(timer));
      outgoing.once("response", answer => {
        clearTimeout(timer);
        resolve(answer);
      });
      outgoing.on("error", error => reject(refused(error.message, error)));
      outgoing.end(asked.body);
    });
    return { status: incoming.statusCode ?? 0, lines: linesOf(incoming.setEncoding("utf8"), lineCharsMax) };
  };
}

function open(to: ForwardTarget, { method, headers, body, signal }: ForwardAsked, options: ForwardCallOptions): { readonly outgoing: ClientRequest; readonly refused: (why: string, cause?: Error) => Error } {
  const place = `${isIP(to.address) === 6 ? `[${to.address}]` : to.address}:${to.port}`;
  const refused = (why: string, cause?: Error): Error => new Error(`${method} "${to.scheme}://${place}${to.target}": ${why}`, { cause });
  if (to.trust.type !== "node" && isIP(to.address) !== 0 && (options.isForbidden ?? isForbiddenAddress)(to.address)) throw refused("address not allowed");
  if (to.trust.type !== "aggregated" && isIP(to.address) === 0) throw refused("a request is passed on to an address, not to a name");
  const common = {
    host: to.address, port: to.port, path: to.target, method, agent: false, signal,
    headers: { host: place, accept: "application/json", ...(body === undefined ? {} : { "content-type": "application/json", "content-length": String(Buffer.byteLength(body)) }), ...headers, ...to.headers },
  };
  return { outgoing: to.scheme === "http" ? httpRequest(common) : httpsRequest({ ...common, minVersion: "TLSv1.2", ...tlsOf(to, options) }), refused };
}
