/** Reads what aggregated API servers say of themselves, with the front-proxy certificate; what clients ask them goes through `http-forward.ts`. */
import { request } from "node:https";
import { isIP } from "node:net";
import type { FetchRemote } from "../api/aggregation/remote.ts";
import { dialText } from "./dial-text.ts";
import { isForbiddenAddress } from "./http-forward.ts";

/** `credentials`: PEM; asked for each time, so that a renewed certificate is used at once. */
export function createFetchRemote(credentials: () => { readonly cert: string; readonly key: string }, isForbidden: (address: string) => boolean = isForbiddenAddress): FetchRemote {
  return ({ at, path, headers, timeoutMs, bytesMax }) => new Promise((resolve, reject) => {
    const place = `${isIP(at.address) === 6 ? `[${at.address}]` : at.address}:${at.port}`;
    const url = `https://${place}${path}`;
    const refuse = (why: string): void => reject(new Error(`Get ${JSON.stringify(url)}: ${why}`));
    if (isIP(at.address) !== 0 && isForbidden(at.address)) return refuse("address not allowed");
    const { trust } = at;
    const outgoing = request({
      ...credentials(), method: "GET", host: at.address, port: at.port, path, agent: false, servername: trust.serverName, rejectUnauthorized: !trust.insecure, minVersion: "TLSv1.2",
      ...(trust.ca === undefined ? {} : { ca: trust.ca }), headers: { host: place, "user-agent": "kube-aggregator", ...headers as { [name: string]: string | string[] } },
    });
    const timer = setTimeout(() => outgoing.destroy(new Error("context deadline exceeded (Client.Timeout exceeded while awaiting headers)")), timeoutMs);
    const fail = (error: NodeJS.ErrnoException): void => {
      clearTimeout(timer);
      refuse(dialText(error, place));
    };
    outgoing.on("error", fail);
    outgoing.on("response", incoming => {
      const chunks: Buffer[] = [];
      let size = 0;
      incoming.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size <= bytesMax) return void chunks.push(chunk);
        // Refused before the connection is: a small answer may have ended already.
        fail(new Error(`the answer is larger than ${bytesMax} bytes`));
        outgoing.destroy();
      });
      incoming.on("error", fail);
      incoming.on("end", () => {
        clearTimeout(timer);
        const said = Object.fromEntries(Object.entries(incoming.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : value]));
        resolve({ status: incoming.statusCode ?? 0, headers: said, body: Buffer.concat(chunks).toString("utf8") });
      });
    });
    outgoing.end();
  });
}
