/** Reads what aggregated API servers say of themselves, with the front-proxy certificate; what clients ask them goes through `http-forward.ts`. */
import { request } from "node:https";
import { isIP } from "node:net";
import type { FetchRemote } from "../api/aggregation/remote.ts";
import { dialText } from "./dial-text.ts";
import { isForbiddenAddress } from "./http-forward.ts";
import { trusting } from "./trust.ts";
import { wholeAnswer } from "./whole-answer.ts";

/** `credentials`: PEM; asked for each time, so that a renewed certificate is used at once. */
export function createFetchRemote(credentials: () => { readonly cert: string; readonly key: string }, isForbidden: (address: string) => boolean = isForbiddenAddress): FetchRemote {
  return async ({ at, path, headers, timeoutMs, bytesMax }) => {
    const place = `${isIP(at.address) === 6 ? `[${at.address}]` : at.address}:${at.port}`;
    const url = `https://${place}${path}`;
    const refused = (why: string): Error => new Error(`Get ${JSON.stringify(url)}: ${why}`);
    if (isIP(at.address) !== 0 && isForbidden(at.address)) throw refused("address not allowed");
    const { trust } = at;
    const outgoing = request({
      ...credentials(), method: "GET", host: at.address, port: at.port, path, servername: trust.serverName, rejectUnauthorized: !trust.insecure, minVersion: "TLSv1.2",
      ...trusting(trust.ca), headers: { host: place, "user-agent": "kube-aggregator", ...headers as { [name: string]: string | string[] } },
    });
    const late = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)";
    const answer = await wholeAnswer(outgoing, undefined, { timeoutMs, late, bytesMax }).catch((error: NodeJS.ErrnoException) => { throw refused(dialText(error, place)); });
    return { ...answer, headers: Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : value])) };
  };
}
