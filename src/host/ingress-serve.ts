/** What an ingress does with a request: find its route, apply the route's options, choose an endpoint, try again where that is safe. */
import { createHash, randomUUID } from "node:crypto";
import { BlockList, isIP } from "node:net";
import type { OutgoingHttpHeaders } from "node:http";
import type { Log } from "../base/log.ts";
import { Matcher, plainPath, type CompilePattern, type Match } from "../ingress/match.ts";
import type { Backend, Route, Table } from "../ingress/routes.ts";
import { BackendFailure, Backends, type Sent } from "./ingress-backend.ts";
import { hopByHop, type Exchange } from "./https-server-exchange.ts";

// Never what a client says: the backends trust these.
const ours = new Set(["x-forwarded-for", "x-forwarded-host", "x-forwarded-port", "x-forwarded-proto", "x-forwarded-scheme", "x-real-ip", "x-scheme", "x-original-forwarded-for", "forwarded", "host", "expect"]);
const triesMax = 3;
// An endpoint that has just failed is asked last for this long: it is usually on its way out.
const avoidMs = 1_000;
// Asking again changes nothing, so an endpoint that broke off before its answer may be replaced (nginx' proxy_next_upstream).
const repeatable = new Set(["GET", "HEAD", "OPTIONS"]);

export type ServeOptions = { readonly log: Log; readonly random: () => number; readonly compile: CompilePattern; readonly access?: (line: string) => void; readonly now: () => number; readonly httpsPort: () => number };

export class IngressServer {
  readonly #options: ServeOptions;
  readonly #backends = new Backends();
  #matcher: Matcher;
  #ranges = new Map<Route, { readonly allow: BlockList | undefined; readonly deny: BlockList | undefined }>();
  #tags = new Map<string, string>();
  readonly #failedAt = new Map<string, number>();
  #turn = 0;

  constructor(options: ServeOptions) {
    this.#options = options;
    this.#matcher = new Matcher({ hosts: [], certificates: [] }, options.compile, () => undefined);
  }

  /** Requests under way keep the route they have. */
  setTable(table: Table): void {
    this.#matcher = new Matcher(table, this.#options.compile, text => this.#options.log.warn(text));
    this.#ranges = new Map();
    const endpoints = new Set(table.hosts.flatMap(({ routes }) => routes.flatMap(({ backend, canary }) => [...backend.endpoints, ...canary?.backend.endpoints ?? []])));
    this.#tags = new Map([...endpoints].map(endpoint => [endpoint, createHash("sha256").update(endpoint).digest("hex").slice(0, 32)]));
    this.#failedAt.clear();
    this.#backends.keepOnly(endpoints);
  }

  close(): void { this.#backends.close(); }

  async serve(exchange: Exchange, secure: boolean): Promise<void> {
    const { access, now } = this.#options;
    const began = access ? now() : 0;
    const [, path = "/", query = ""] = /^([^?]*)(.*)$/.exec(exchange.request.target) ?? [];
    const match = this.#matcher.find(String(exchange.request.headers["host"] ?? ""), plainPath(path));
    let outcome = 0;
    try {
      outcome = match ? await this.#answer(exchange, secure, match, query) : plain(exchange, 404, "404 Not Found");
    } catch (error) {
      outcome = this.#fail(exchange, error);
    }
    access?.(JSON.stringify({ time: new Date(began).toISOString(), client: exchange.request.peer.address, host: exchange.request.headers["host"], method: exchange.request.method, target: exchange.request.target, ...(outcome > 0 ? { status: outcome } : {}), ms: Math.round(now() - began), ingress: match?.route.ingress }));
  }

  async #answer(exchange: Exchange, secure: boolean, match: Match, query: string): Promise<number> {
    const { route, host } = match;
    const { options } = route;
    const { request } = exchange;
    if (!this.#mayAsk(route, request.peer.address)) return plain(exchange, 403, "403 Forbidden");
    const name = String(request.headers["host"] ?? "");
    if (!secure && (options.sslRedirect === "always" || (options.sslRedirect === "with-tls" && host.tls))) {
      const port = this.#options.httpsPort();
      return redirect(exchange, 308, `https://${name.replace(/:\d+$/, "")}${port === 443 ? "" : `:${port}`}${request.target}`);
    }
    if (options.redirect) return redirect(exchange, options.redirect.status, options.redirect.to);
    if (options.appRoot !== undefined && request.target === "/") return redirect(exchange, 302, options.appRoot);
    if (options.bodyBytesMax > 0 && Number(request.headers["content-length"] ?? 0) > options.bodyBytesMax) return plain(exchange, 413, "413 Request Entity Too Large");
    const backend = this.#backendOf(route, exchange);
    if (backend.endpoints.length === 0) return plain(exchange, 503, "503 Service Temporarily Unavailable");
    const headers = forwarded(exchange, secure, options.upstreamHost ?? name);
    const order = this.#order(route, backend, exchange);
    let last: unknown;
    for (let i = 0; i < triesMax; i++) {
      // With fewer endpoints than tries the same one is asked again: a kept connection may just have been closed.
      const endpoint = order.endpoints[i % order.endpoints.length] as string;
      const cookies = order.sticky === endpoint || !options.affinity ? [] : [this.#cookie(options.affinity, endpoint, secure)];
      const sent: Sent = { exchange, headers, path: match.path + query, options, cookies, bodyBytesMax: options.bodyBytesMax };
      try {
        await this.#backends.carry(endpoint, sent);
        return 200;
      } catch (error) {
        last = error;
        if (!(error instanceof BackendFailure) || exchange.destroyed) break;
        if (error.kind === "connect" || error.kind === "answer") this.#failedAt.set(endpoint, this.#options.now());
        if (error.kind !== "connect" && !(error.kind === "answer" && repeatable.has(request.method) && !exchange.hasBody && !exchange.upgraded)) break;
      }
    }
    throw last;
  }

  #fail(exchange: Exchange, error: unknown): number {
    if (exchange.destroyed || exchange.request.signal.aborted) return 499;
    const kind = error instanceof BackendFailure ? error.kind : undefined;
    if (kind === undefined) this.#options.log.warn("request failed", { error: error instanceof Error ? error.message : String(error) });
    try {
      return kind === "timeout" ? plain(exchange, 504, "504 Gateway Time-out") : kind === "too-large" ? plain(exchange, 413, "413 Request Entity Too Large") : plain(exchange, 502, "502 Bad Gateway");
    } catch {
      // The answer had already begun: cut it.
      exchange.destroy();
      return 502;
    }
  }

  #mayAsk(route: Route, address: string): boolean {
    if (route.options.allow.length === 0 && route.options.deny.length === 0) return true;
    let ranges = this.#ranges.get(route);
    if (!ranges) this.#ranges.set(route, ranges = { allow: blockList(route.options.allow), deny: blockList(route.options.deny) });
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    return ranges.deny?.check(address, family) !== true && ranges.allow?.check(address, family) !== false;
  }

  #backendOf(route: Route, exchange: Exchange): Backend {
    const { canary } = route;
    if (!canary || canary.backend.endpoints.length === 0) return route.backend;
    const { rules } = canary;
    const header = rules.header === "" ? undefined : exchange.request.headers[rules.header];
    if (header !== undefined && rules.headerValue !== "" && header === rules.headerValue) return canary.backend;
    if (header !== undefined && rules.headerValue === "" && (header === "always" || header === "never")) return header === "always" ? canary.backend : route.backend;
    const cookie = rules.cookie === "" ? undefined : cookieOf(exchange, rules.cookie);
    if (cookie === "always" || cookie === "never") return cookie === "always" ? canary.backend : route.backend;
    return this.#options.random() * rules.weightTotal < rules.weight ? canary.backend : route.backend;
  }

  /** Each endpoint in turn; the one that the client's cookie names first. */
  #order(route: Route, { endpoints }: Backend, exchange: Exchange): { readonly endpoints: readonly string[]; readonly sticky?: string } {
    const wanted = route.options.affinity && cookieOf(exchange, route.options.affinity.cookie);
    const sticky = wanted === undefined ? undefined : endpoints.find(endpoint => this.#tags.get(endpoint) === wanted);
    const start = this.#turn++ % endpoints.length;
    const turned = endpoints.length === 1 ? endpoints : [...endpoints.slice(start), ...endpoints.slice(0, start)];
    const now = this.#options.now();
    const isBad = (endpoint: string): boolean => now - (this.#failedAt.get(endpoint) ?? -Infinity) < avoidMs;
    const order = this.#failedAt.size === 0 ? turned : [...turned.filter(endpoint => !isBad(endpoint)), ...turned.filter(isBad)];
    return sticky === undefined || isBad(sticky) ? { endpoints: order } : { endpoints: [sticky, ...order.filter(endpoint => endpoint !== sticky)], sticky };
  }

  #cookie({ cookie, maxAgeSeconds, path }: NonNullable<Route["options"]["affinity"]>, endpoint: string, secure: boolean): string {
    return `${cookie}=${this.#tags.get(endpoint)}; Path=${path}${maxAgeSeconds > 0 ? `; Max-Age=${maxAgeSeconds}` : ""}${secure ? "; Secure" : ""}; HttpOnly`;
  }
}

function forwarded(exchange: Exchange, secure: boolean, host: string): OutgoingHttpHeaders {
  const { headers, peer } = exchange.request;
  const sent: OutgoingHttpHeaders = {};
  const named = headers["connection"] === undefined ? undefined : String(headers["connection"]).toLowerCase().split(",").map(name => name.trim());
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined && !hopByHop.has(name) && !ours.has(name) && !named?.includes(name) && (name !== "content-length" || exchange.hasBody)) sent[name] = value as string | string[];
  }
  const scheme = secure ? "https" : "http";
  sent["host"] = host;
  sent["x-request-id"] ??= randomUUID().replaceAll("-", "");
  sent["x-real-ip"] = peer.address;
  sent["x-forwarded-for"] = peer.address;
  sent["x-forwarded-host"] = String(headers["host"] ?? host);
  sent["x-forwarded-port"] = secure ? "443" : "80";
  sent["x-forwarded-proto"] = scheme;
  sent["x-forwarded-scheme"] = scheme;
  sent["x-scheme"] = scheme;
  return sent;
}

function cookieOf(exchange: Exchange, name: string): string | undefined {
  for (const part of String(exchange.request.headers["cookie"] ?? "").split(";")) {
    const [key, value] = part.split("=", 2);
    if (key?.trim().toLowerCase() === name.toLowerCase()) return value?.trim();
  }
  return undefined;
}

function blockList(cidrs: readonly string[]): BlockList | undefined {
  if (cidrs.length === 0) return undefined;
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [address = "", length] = cidr.split("/");
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    if (isIP(address) !== 0) list.addSubnet(address, length === undefined ? (family === "ipv6" ? 128 : 32) : Number(length), family);
  }
  return list;
}

function plain(exchange: Exchange, status: number, text: string): number {
  const body = Buffer.from(`${text}\n`);
  if (exchange.request.method === "HEAD") exchange.begin(status, { "content-type": "text/plain" }, "none");
  else exchange.begin(status, { "content-type": "text/plain" }, "whole", body.length).end(body);
  return status;
}

function redirect(exchange: Exchange, status: number, location: string): number {
  exchange.begin(status, { location }, "none");
  return status;
}
