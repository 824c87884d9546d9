/** Calling other people's servers: admission and conversion webhooks. The host carries the call out; here is what is called and what its failures are named. */
import { decodeBase64 } from "../base/base64.ts";
import type { Random } from "../base/random.ts";
import type { Reader } from "./context.ts";
import { endpointOf } from "./subresources/proxy.ts";

/** One POST of JSON over HTTPS. Redirects are followed only to the same server. Rejects with an Error that says what went wrong. */
export type PostJson = (call: WebhookCall) => Promise<{ readonly status: number; readonly body: string; readonly contentType?: string }>;
export type WebhookCall = {
  readonly url: string;
  /** Where to connect, when that is not what the URL's host resolves to. */
  readonly address?: { readonly host: string; readonly port: number };
  /** PEM; absent: the system's authorities. */
  readonly ca?: string;
  readonly body: string;
  readonly timeoutMs: number;
  /** A longer answer is an error; absent: 3 MiB. */
  readonly answerBytesMax?: number;
};

export type ClientConfig = { readonly url?: string; readonly caBundle?: string; readonly service?: { readonly name: string; readonly namespace: string; readonly path?: string; readonly port?: number } };

/** What to call for this configuration; it hears how long it has. Throws an Error when a service has no endpoint. */
export function callOf(config: ClientConfig, body: string, seconds: number, read: Reader, random: Random): WebhookCall {
  const pem = new TextDecoder().decode(decodeBase64(config.caBundle ?? "") ?? new Uint8Array());
  const ca = pem.trim() === "" ? {} : { ca: pem };
  const query = `timeout=${seconds}s`;
  const common = { ...ca, body, timeoutMs: seconds * 1000 };
  if (config.service === undefined) return { ...common, url: withQuery(config.url ?? "", query) };
  const { name, namespace, path = "", port = 443 } = config.service;
  const endpoint = endpointOf(read, random, namespace, name, port);
  const place = `https://${name}.${namespace}.svc:${port}${path.startsWith("/") ? "" : "/"}${path}`;
  if (typeof endpoint === "string") throw new Error(`Post "${withQuery(place, query)}": ${endpoint}`);
  return { ...common, url: withQuery(place, query), address: { host: endpoint.address, port: endpoint.port } };
}

const withQuery = (url: string, query: string): string => `${url}${url.includes("?") ? "&" : "?"}${query}`;
