/**
 * Carries out `forward` answers: sends a client's request to one exact address and relays what comes back. Never a second DNS look-up, never
 * a redirect, never the caller's credentials; an upgrade is joined only after a 101 (rules A, B and C of the security plan).
 */
import { request as httpRequest, type ClientRequest, type IncomingMessage, type OutgoingHttpHeaders, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import { BlockList, isIP } from "node:net";
import type { Duplex } from "node:stream";
import type { SecureContextOptions } from "node:tls";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { deflateRaw, gunzip, gzip, inflateRaw } from "node:zlib";
import { ApiError } from "../base/api-error.ts";
import type { Log } from "../base/log.ts";
import { json, type ForwardTarget, type HttpResponse } from "../api/http.ts";
import { dialText } from "./dial-text.ts";
import { hopByHop, type Exchange, type Forward } from "./https-server-exchange.ts";
import { serverLimits } from "./https-server-limits.ts";
import { trusting } from "./trust.ts";
import { bearerProtocol } from "./websocket.ts";
import { Responder } from "./https-server-respond.ts";
import { forwardedUri, rewriteHtml, rewriteUrl, type Rewriting } from "./http-forward-rewrite.ts";

/** With what the API server goes to its node agents: PEM; asked for each time, so that renewed certificates are used at once. */
export type NodeCredentials = { readonly ca: string; readonly cert: string; readonly key: string };
export type ForwardOptions = {
  readonly node: () => NodeCredentials;
  /** With what aggregated API servers know us: the front-proxy certificate, PEM. */
  readonly frontProxy: () => { readonly cert: string; readonly key: string };
  readonly log: Log;
  readonly limits?: Partial<ForwardLimits>;
  /** Addresses that no pod or service may lead to; default: loopback, link-local, multicast and the unspecified one. */
  readonly isForbidden?: (address: string) => boolean;
};
export type ForwardLimits = {
  /** To connect and finish the TLS handshake; upstream's dialer gives it 30 s. */
  readonly connectMs: number;
  /** The largest page whose links are rewritten; a larger one goes through as it is. */
  readonly htmlBytes: number;
  /** What a node agent may say when it refuses an upgrade. */
  readonly refusalBytes: number;
  /** After one side of a tunnel has ended, the other has this long without traffic. */
  readonly halfClosedMs: number;
};
const forwardLimits: ForwardLimits = { connectMs: 30_000, htmlBytes: 8 * 1024 * 1024, refusalBytes: 64 * 1024, halfClosedMs: 30_000 };

const corsHeaders = new Set(["access-control-allow-credentials", "access-control-allow-headers", "access-control-allow-methods", "access-control-allow-origin"]);
// Where no pod lives, and what a pod's status could be made to point at (rule C; upstream's IsProxyableIP).
// One list each: Node takes an IPv4 address to lie in the network of mapped ones.
const forbidden = { ipv4: new BlockList(), ipv6: new BlockList() };
for (const [network, prefix] of [["0.0.0.0", 8], ["127.0.0.0", 8], ["169.254.0.0", 16], ["224.0.0.0", 3]] as const) forbidden.ipv4.addSubnet(network, prefix, "ipv4");
for (const [network, prefix] of [["::", 128], ["::1", 128], ["fe80::", 10], ["ff00::", 8], ["::ffff:0:0", 96]] as const) forbidden.ipv6.addSubnet(network, prefix, "ipv6");

/** Whether no pod or service may lead there. */
export function isForbiddenAddress(address: string): boolean {
  const family = isIP(address) === 4 ? "ipv4" : "ipv6";
  return forbidden[family].check(address, family);
}

export function createForward(options: ForwardOptions): Forward {
  const limits = { ...forwardLimits, ...options.limits };
  const responder = new Responder(serverLimits);
  return async (exchange, response) => {
    if (response.content.type !== "forward") throw new Error("only forward answers are carried out here");
    const to = response.content.to;
    const ours = { "cache-control": "no-cache, private", ...response.headers };
    try {
      const isName = isIP(to.address) === 0;
      if (isName && to.trust.type !== "aggregated") throw new ApiError("InternalError", `a request is forwarded to an address, not to the name "${to.address}"`);
      if (to.trust.type !== "node" && !isName && (options.isForbidden ?? isForbiddenAddress)(to.address)) throw new ApiError("BadRequest", "address not allowed");
      await (exchange.upgraded ? tunnel(exchange, to, exchange.upgraded.socket, exchange.upgraded.head, options, limits) : relay(exchange, to, ours, options, limits));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const told = to.trust.type === "aggregated" && (error.code === 502 || error.code === 503) ? plain(error) : json(error.code, error.status());
      await responder.respond(exchange, { ...told, headers: { ...ours, ...told.headers } });
    }
  };
}

/** Upstream's aggregator says in plain text that a server was not reached, and that it wanted to lead elsewhere. */
const plain = ({ code, message }: ApiError): HttpResponse => ({ status: code, headers: { "content-type": "text/plain; charset=utf-8", ...(code === 503 ? { "x-content-type-options": "nosniff" } : {}) }, content: { type: "text", text: code === 503 ? `${message}\n` : message } });

/** An ordinary request and its answer, both as streams with back-pressure; `ours`: what the API server says in the head of every answer. */
async function relay(exchange: Exchange, to: ForwardTarget, ours: HttpResponse["headers"], options: ForwardOptions, limits: ForwardLimits): Promise<void> {
  const backend = send(exchange, to, {}, options, limits);
  const gone = (): void => void backend.destroy();
  exchange.request.signal.addEventListener("abort", gone, { once: true });
  try {
    // Not `pipeline`: on HTTP/2 the upload is the same stream as the answer, which must not be ended with it. A cut upload aborts the request.
    if (exchange.hasBody) exchange.upload.pipe(backend);
    else backend.end();
    const answer = await answerOf(backend, exchange, to);
    await relayAnswer(exchange, answer, to, ours, limits);
  } finally {
    exchange.request.signal.removeEventListener("abort", gone);
    backend.destroy();
  }
}

async function relayAnswer(exchange: Exchange, answer: IncomingMessage, to: ForwardTarget, ours: HttpResponse["headers"], limits: ForwardLimits): Promise<void> {
  const status = answer.statusCode ?? 502;
  const headers = answerHeaders(answer, ours);
  const { location } = answer.headers;
  const rewriting: Rewriting | undefined = to.proxyPrefix === undefined ? undefined : { prefix: to.proxyPrefix, hosts: [String(exchange.request.headers["host"] ?? ""), hostOf(to)] };
  if (location !== undefined && status >= 300 && status < 400) {
    if (!rewriting) throw new ApiError("", "the backend attempted to redirect this request, which is not permitted", undefined, 502);
    headers["location"] = rewriteUrl(location, rewriting);
  } else if (rewriting && exchange.request.method !== "HEAD" && String(answer.headers["content-type"] ?? "").split(";")[0]?.trim() === "text/html") {
    return relayHtml(exchange, answer, status, headers, rewriting, limits);
  }
  const bodyless = exchange.request.method === "HEAD" || status === 204 || status === 304;
  const out = exchange.begin(status, headers, bodyless ? "none" : "open");
  if (bodyless) return void answer.resume();
  await copy(answer, out, exchange);
}

/** Rewriting needs the whole page; one that is too large, or encoded in a way that we do not know, passes as it is. */
async function relayHtml(exchange: Exchange, answer: IncomingMessage, status: number, headers: { [name: string]: string | string[] }, rewriting: Rewriting, limits: ForwardLimits): Promise<void> {
  const encoding = answer.headers["content-encoding"] ?? "";
  const codec = encoding === "gzip" ? { decode: promisify(gunzip), encode: promisify(gzip) } : encoding === "deflate" ? { decode: promisify(inflateRaw), encode: promisify(deflateRaw) } : undefined;
  const chunks: Buffer[] = [];
  let size = 0;
  if (codec || encoding === "")
    for await (const chunk of answer.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > limits.htmlBytes) break;
    }
  const page = Buffer.concat(chunks, size);
  if (!answer.readableEnded) {
    const out = exchange.begin(status, headers);
    out.write(page);
    return copy(answer, out, exchange);
  }
  const plain = codec ? await codec.decode(page, { maxOutputLength: 4 * limits.htmlBytes }) : page;
  // Latin-1 keeps every byte what it was; markup and URLs are ASCII.
  const changed = Buffer.from(rewriteHtml(plain.toString("latin1"), rewriting), "latin1");
  const body = codec ? await codec.encode(changed) : changed;
  exchange.begin(status, headers, "whole", body.length).end(body);
}

/** An upgrade: the backend's 101 joins both connections for good, any other answer becomes an error and its connection ends. */
async function tunnel(exchange: Exchange, to: ForwardTarget, client: Duplex, head: Buffer, options: ForwardOptions, limits: ForwardLimits): Promise<void> {
  const protocol = String(exchange.request.headers["upgrade"] ?? "");
  const backend = send(exchange, to, { connection: "Upgrade", upgrade: protocol }, options, limits);
  const gone = (): void => void backend.destroy();
  exchange.request.signal.addEventListener("abort", gone, { once: true });
  const joined = new Promise<{ answer: IncomingMessage; socket: Duplex; rest: Buffer }>((resolve, reject) => {
    backend.on("upgrade", (answer, socket, rest) => resolve({ answer, socket, rest }));
    answerOf(backend, exchange, to).then(answer => refusal(answer, to, limits)).then(reject, reject);
  });
  backend.end();
  try {
    const { answer, socket, rest } = await joined;
    if (String(answer.headers.upgrade ?? "").toLowerCase() !== protocol.toLowerCase()) {
      socket.destroy();
      throw new ApiError("", "the backend switched to another protocol than was asked for", undefined, 502);
    }
    client.write(headText(answer));
    if (rest.length > 0) client.write(rest);
    if (head.length > 0) socket.write(head);
    await join(client, socket, limits);
  } finally {
    exchange.request.signal.removeEventListener("abort", gone);
    if (!exchange.destroyed) backend.destroy();
  }
}

/** Copies both ways with back-pressure until both sides have ended; a side that breaks takes the other with it. */
function join(client: Duplex, backend: Duplex, limits: ForwardLimits): Promise<void> {
  return new Promise(resolve => {
    const sides = [client, backend] as const;
    let open = 2;
    for (const [from, to] of [sides, [backend, client]] as const) {
      // Half-close: what one side ends, the other may still answer.
      from.allowHalfOpen = true;
      from.on("error", () => to.destroy());
      from.on("end", () => (to as Duplex & { setTimeout?: (ms: number, callback: () => void) => void }).setTimeout?.(limits.halfClosedMs, () => to.destroy()));
      from.on("close", () => {
        to.destroy();
        if (--open === 0) resolve();
      });
      from.pipe(to);
    }
    if (client.destroyed) backend.destroy();
  });
}

function send(exchange: Exchange, to: ForwardTarget, upgrade: { readonly [name: string]: string }, options: ForwardOptions, limits: ForwardLimits): ClientRequest {
  const common: RequestOptions = {
    host: to.address, port: to.port, path: to.target, method: to.method ?? exchange.request.method, agent: false, setDefaultHeaders: false,
    headers: { ...requestHeaders(exchange, to), ...upgrade } as OutgoingHttpHeaders,
  };
  const backend = to.scheme === "http" ? httpRequest(common) : httpsRequest({
    ...common, minVersion: "TLSv1.2",
    ...tlsOf(to, options),
  });
  backend.setNoDelay(true);
  const timer = setTimeout(() => backend.destroy(new ConnectTimeout()), limits.connectMs);
  const answerTimer = to.answerMs === undefined ? undefined : setTimeout(() => backend.destroy(new Error("context deadline exceeded")), to.answerMs);
  const connected = (): void => clearTimeout(timer);
  backend.on("response", () => clearTimeout(answerTimer));
  backend.on("socket", socket => socket.once(to.scheme === "http" ? "connect" : "secureConnect", connected));
  backend.on("close", () => {
    connected();
    clearTimeout(answerTimer);
  });
  return backend;
}

export function tlsOf({ trust }: ForwardTarget, options: Pick<ForwardOptions, "node" | "frontProxy">): SecureContextOptions & { readonly servername: string; readonly rejectUnauthorized?: boolean } {
  switch (trust.type) {
    case "node": {
      const { ca, cert, key } = options.node();
      return { cert, key, servername: trust.serverName, ...trusting(ca) };
    }
    case "none": return { rejectUnauthorized: false, servername: "" };
    case "aggregated": return { ...options.frontProxy(), servername: trust.serverName, rejectUnauthorized: !trust.insecure, ...trusting(trust.ca) };
  }
}

class ConnectTimeout extends Error {
  readonly code = "ETIMEDOUT";
}

/** What goes on to the backend: nothing of the connection, nothing of the caller's identity. */
function requestHeaders(exchange: Exchange, to: ForwardTarget): { [name: string]: string | readonly string[] } {
  const { headers, peer } = exchange.request;
  const proxied = to.proxyPrefix !== undefined;
  const aggregated = to.trust.type === "aggregated";
  const named = new Set(String(headers["connection"] ?? "").toLowerCase().split(",").map(name => name.trim()));
  const sent: { [name: string]: string | readonly string[] } = {};
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || hopByHop.has(name) || named.has(name)) continue;
    if (name === "authorization" || name === "proxy-authorization" || name.startsWith("impersonate-") || name.startsWith("x-remote-")) continue;
    if (name === "cookie" && !proxied && !aggregated || name === "content-length" && !exchange.hasBody || name === "expect") continue;
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name)) throw new ApiError("BadRequest", "a header name has characters that are not allowed");
    sent[name] = value;
  }
  // Browsers carry the bearer token as a subprotocol (apiserver authentication/request/websocket).
  const protocols = headers["sec-websocket-protocol"];
  if (protocols !== undefined) {
    const kept = String(protocols).split(",").map(item => item.trim()).filter(item => !item.startsWith(bearerProtocol));
    if (kept.length > 0) sent["sec-websocket-protocol"] = kept.join(", ");
    else delete sent["sec-websocket-protocol"];
  }
  sent["x-forwarded-for"] = [...(headers["x-forwarded-for"] === undefined ? [] : [String(headers["x-forwarded-for"])]), peer.address].join(", ");
  if (proxied) sent["x-forwarded-uri"] = forwardedUri(to.proxyPrefix, to.target.split("?")[0] ?? "/");
  if (aggregated) {
    sent["x-forwarded-uri"] = to.target.split("?")[0] ?? "/";
    sent["x-forwarded-host"] = hostOf(to);
    sent["x-forwarded-proto"] = to.scheme;
  }
  if (!proxied || sent["host"] === undefined) sent["host"] = hostOf(to);
  if (exchange.hasBody && sent["content-length"] === undefined) sent["transfer-encoding"] = "chunked";
  return { ...sent, connection: "close", ...to.headers };
}

/** The answer's head, or an error in upstream's words when there is none. */
function answerOf(backend: ClientRequest, exchange: Exchange, to: ForwardTarget): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    backend.on("response", resolve);
    backend.on("error", (error: NodeJS.ErrnoException) => {
      const reason = dialText(error, hostOf(to));
      if (exchange.upgraded) reject(new ApiError("", `error dialing backend: ${reason}`, undefined, 500));
      else if (to.proxyPrefix !== undefined || to.trust.type === "aggregated") reject(new ApiError("ServiceUnavailable", `error trying to reach service: ${reason}`));
      else reject(new ApiError("", `Get "${to.scheme}://${hostOf(to)}${to.target}": ${reason}`, undefined, 500));
    });
  });
}

/** Why an upgrade was not joined. A Status of our own agent or of an API server is passed on; what a pod says is not (rule A). */
async function refusal(answer: IncomingMessage, to: ForwardTarget, limits: ForwardLimits): Promise<ApiError> {
  const status = answer.statusCode ?? 0;
  const generic = new ApiError("", status < 400 ? `invalid upgrade response: status code ${status}` : `the backend refused the upgrade with status code ${status}`, undefined, status < 400 ? 502 : status);
  if (to.trust.type === "none" || status < 400) {
    answer.destroy();
    return generic;
  }
  let text = "";
  answer.setEncoding("utf8");
  for await (const chunk of answer as AsyncIterable<string>) {
    text += chunk;
    if (text.length > limits.refusalBytes) return generic;
  }
  try {
    const told = JSON.parse(text) as { message?: unknown; reason?: unknown; details?: ApiError["details"] };
    return new ApiError((typeof told.reason === "string" ? told.reason : "") as ApiError["reason"], typeof told.message === "string" ? told.message : "", told.details, status);
  } catch {
    // Not a Status: the agent says it in plain text.
    return new ApiError("", text.trim(), undefined, status);
  }
}

/** Ours, and the backend's beside them. */
function answerHeaders(answer: IncomingMessage, ours: HttpResponse["headers"]): { [name: string]: string | string[] } {
  const headers: { [name: string]: string | string[] } = Object.fromEntries(Object.entries(ours).map(([name, value]) => [name, typeof value === "string" ? value : [...value]]));
  const named = new Set(String(answer.headers.connection ?? "").toLowerCase().split(",").map(name => name.trim()));
  for (const [name, values] of Object.entries(answer.headersDistinct))
    if (values && !hopByHop.has(name) && !corsHeaders.has(name) && !named.has(name)) {
      const all = [...new Set([headers[name] ?? [], values].flat())];
      headers[name] = all.length === 1 ? all[0] as string : all;
    }
  return headers;
}

function headText(answer: IncomingMessage): string {
  let text = "HTTP/1.1 101 Switching Protocols\r\n";
  for (let i = 0; i + 1 < answer.rawHeaders.length; i += 2) if (!corsHeaders.has((answer.rawHeaders[i] as string).toLowerCase())) text += `${answer.rawHeaders[i]}: ${answer.rawHeaders[i + 1]}\r\n`;
  return `${text}\r\n`;
}

async function copy(from: IncomingMessage, to: NodeJS.WritableStream, exchange: Exchange): Promise<void> {
  try {
    await pipeline(from, to);
  } catch {
    // Either side went away in the middle: the client must see a cut answer, not an end.
    exchange.destroy();
  }
}

function hostOf(to: ForwardTarget): string {
  return `${to.address.includes(":") ? `[${to.address}]` : to.address}:${to.port}`;
}
