/** Carries out a `forward` answer for a component in our own process: one request, one whole answer. What clients ask goes through `http-forward.ts`. */
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP } from "node:net";
import type { ForwardTarget } from "../api/http.ts";
import { isForbiddenAddress, tlsOf, type ForwardOptions } from "./http-forward.ts";
import { wholeAnswer } from "./whole-answer.ts";

export type ForwardCall = (to: ForwardTarget, given: { readonly method: string; readonly body?: string; readonly signal: AbortSignal }) => Promise<{ readonly status: number; readonly body: string }>;
export type ForwardCallOptions = Pick<ForwardOptions, "node" | "frontProxy" | "isForbidden">;

const answerBytesMax = 32 * 1024 * 1024;
const timeoutMs = 30_000;

/** Rejects with an Error that says what went wrong; no redirect is followed. */
export function createForwardCall(options: ForwardCallOptions): ForwardCall {
  return async (to, { method, body, signal }) => {
    const place = `${isIP(to.address) === 6 ? `[${to.address}]` : to.address}:${to.port}`;
    const refused = (why: string, cause?: Error): Error => new Error(`${method} "${to.scheme}://${place}${to.target}": ${why}`, { cause });
    if (to.trust.type !== "node" && isIP(to.address) !== 0 && (options.isForbidden ?? isForbiddenAddress)(to.address)) throw refused("address not allowed");
    if (to.trust.type !== "aggregated" && isIP(to.address) === 0) throw refused("a request is passed on to an address, not to a name");
    const common = {
      host: to.address, port: to.port, path: to.target, method, agent: false, signal,
      headers: { host: place, accept: "application/json", ...(body === undefined ? {} : { "content-type": "application/json", "content-length": String(Buffer.byteLength(body)) }), ...to.headers },
    };
    const outgoing = to.scheme === "http" ? httpRequest(common) : httpsRequest({ ...common, minVersion: "TLSv1.2", ...tlsOf(to, options) });
    return wholeAnswer(outgoing, body, { timeoutMs, late: "context deadline exceeded", bytesMax: answerBytesMax }).catch((error: Error) => { throw refused(error.message, error); });
  };
}
