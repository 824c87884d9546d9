/** Carries out a `forward` answer for a component in our own process: one request, one whole answer. What clients ask goes through `http-forward.ts`. */
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP } from "node:net";
import type { ForwardTarget } from "../api/http.ts";
import { isForbiddenAddress, tlsOf, type ForwardOptions } from "./http-forward.ts";

export type ForwardCall = (to: ForwardTarget, given: { readonly method: string; readonly body?: string; readonly signal: AbortSignal }) => Promise<{ readonly status: number; readonly body: string }>;
export type ForwardCallOptions = Pick<ForwardOptions, "node" | "frontProxy" | "isForbidden">;

const answerBytesMax = 32 * 1024 * 1024;
const timeoutMs = 30_000;

/** Rejects with an Error that says what went wrong; no redirect is followed. */
export function createForwardCall(options: ForwardCallOptions): ForwardCall {
  return (to, { method, body, signal }) => new Promise((resolve, reject) => {
    const place = `${isIP(to.address) === 6 ? `[${to.address}]` : to.address}:${to.port}`;
    const refuse = (why: string): void => reject(new Error(`${method} "${to.scheme}://${place}${to.target}": ${why}`));
    if (to.trust.type !== "node" && isIP(to.address) !== 0 && (options.isForbidden ?? isForbiddenAddress)(to.address)) return refuse("address not allowed");
    if (to.trust.type !== "aggregated" && isIP(to.address) === 0) return refuse("a request is passed on to an address, not to a name");
    const common = {
      host: to.address, port: to.port, path: to.target, method, agent: false, signal,
      headers: { host: place, accept: "application/json", ...(body === undefined ? {} : { "content-type": "application/json", "content-length": String(Buffer.byteLength(body)) }), ...to.headers },
    };
    const outgoing = to.scheme === "http" ? httpRequest(common) : httpsRequest({ ...common, minVersion: "TLSv1.2", ...tlsOf(to, options) });
    const timer = setTimeout(() => outgoing.destroy(new Error("context deadline exceeded")), timeoutMs);
    const fail = (error: Error): void => {
      clearTimeout(timer);
      refuse(error.message);
    };
    outgoing.on("error", fail);
    outgoing.on("response", incoming => {
      const chunks: Buffer[] = [];
      let size = 0;
      incoming.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size > answerBytesMax) outgoing.destroy(new Error(`the answer is larger than ${answerBytesMax} bytes`));
        else chunks.push(chunk);
      });
      incoming.on("error", fail);
      incoming.on("end", () => {
        clearTimeout(timer);
        resolve({ status: incoming.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") });
      });
    });
    outgoing.end(body);
  });
}
