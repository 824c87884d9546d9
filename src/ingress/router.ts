/** What is done with a request: answered here, or sent to one of a route's endpoints. Decides only; the proxy acts. */
import { parseCidr, parseIp, within, type Cidr } from "../base/ip.ts";
import type { Affinity, RouteOptions } from "./annotations.ts";
import { Matcher, plainPath, type Asking, type Patterns } from "./match.ts";
import type { Filters, Listener, PathChange, Redirect, Route, Table, Weighted } from "./table.ts";

/** A request, as far as it decides. */
export interface Asked extends Asking {
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  readonly host: string;
  /** Who asks: an address. */
  readonly address: string;
  readonly secure: boolean;
  /** Of the body, where it is declared. */
  readonly contentLength: number;
}
export type Answer = { readonly type: "answer"; readonly status: number; readonly location?: string; readonly owner?: string };
export type Forward = {
  readonly type: "forward";
  readonly route: Route;
  readonly target: Weighted;
  /** With its query. */
  readonly path: string;
  /** What the backend is to see as `Host`. */
  readonly host: string;
  /** The endpoint that the client's cookie names, if it is one. */
  readonly sticky?: string;
  /** Whether a canary or affinity makes an endpoint's cookie needed. */
  readonly affinity?: Affinity;
};
export type RouterOptions = {
  readonly patterns: Patterns;
  readonly random: () => number;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** A short hexadecimal digest: what a cookie says of an endpoint. */
  readonly digest: (text: string) => string;
  readonly warn: (text: string) => void;
  /** The port that is really listened on, where another was asked for. */
  readonly portOf: (port: number) => number;
};

// An endpoint that has just failed is asked last for this long: it is usually on its way out.
const avoidMs = 1_000;
const failedMax = 10_000;

export class Router {
  readonly #options: RouterOptions;
  #matchers = new Map<number, { readonly listener: Listener; readonly matcher: Matcher }>();
  #backends = new Map<string, readonly string[]>();
  #ranges = new WeakMap<RouteOptions, { readonly allow: readonly Cidr[]; readonly deny: readonly Cidr[] }>();
  #tags = new Map<string, string>();
  #listeners = "";
  readonly #failedAt = new Map<string, number>();
  #turn = 0;
  #leaving: ReadonlySet<string> = new Set();

  constructor(options: RouterOptions) {
    this.#options = options;
  }

  /** Requests under way keep the route they have, but see new endpoints when they try again. */
  setTable(table: Table): void {
    const listeners = JSON.stringify(table.listeners);
    if (listeners !== this.#listeners) {
      this.#listeners = listeners;
      this.#matchers = new Map(table.listeners.map(listener => [listener.port, { listener, matcher: new Matcher(listener.hosts, this.#options.patterns, this.#options.warn, listener.names) }]));
    }
    this.#backends = new Map(Object.entries(table.backends));
    this.#leaving = new Set(table.leaving);
    this.#tags = new Map();
  }

  /** Every endpoint that may be asked at all. */
  endpoints(): ReadonlySet<string> {
    return new Set([...this.#backends.values()].flat());
  }

  /** Every endpoint that may still answer, whether or not it gets new requests. */
  present(): ReadonlySet<string> {
    return new Set([...this.endpoints(), ...this.#leaving]);
  }

  /** `port` is the listener's, as the table names it. */
  decide(port: number, asked: Asked): Answer | Forward {
    const match = this.#matchers.get(port)?.matcher.find(asked.host, plainPath(asked.path), asked);
    if (!match) return { type: "answer", status: 404 };
    const { route, host } = match;
    const { options, filters, owner } = route;
    if (!this.#mayAsk(options, asked.address)) return { type: "answer", status: 403, owner };
    if (!asked.secure && (options.sslRedirect === "always" || (options.sslRedirect === "with-tls" && host.tls))) {
      const to = this.#options.portOf(443);
      return { type: "answer", status: 308, location: `https://${withoutPort(asked.host)}${to === 443 ? "" : `:${to}`}${asked.path}${asked.query}`, owner };
    }
    if (filters?.redirect) return { type: "answer", status: filters.redirect.status, location: redirected(filters.redirect, route, asked, match.path, this.#options.portOf(port)), owner };
    if (options.redirect) return { type: "answer", status: options.redirect.status, location: options.redirect.to, owner };
    if (options.appRoot !== undefined && asked.path === "/" && asked.query === "") return { type: "answer", status: 302, location: options.appRoot, owner };
    if (options.bodyBytesMax > 0 && asked.contentLength > options.bodyBytesMax) return { type: "answer", status: 413, owner };
    const target = this.#targetOf(route, asked);
    if (target?.backend === undefined) return { type: "answer", status: 500, owner };
    const endpoints = this.#backends.get(target.backend) ?? [];
    if (endpoints.length === 0) return { type: "answer", status: 503, owner };
    const path = filters?.rewritePath ? changedPath(filters.rewritePath, route, match.path) : match.path;
    const forward: Forward = { type: "forward", route, target, path: path + asked.query, host: filters?.rewriteHost ?? options.upstreamHost ?? asked.host };
    if (!options.affinity) return forward;
    const wanted = cookieOf(asked, options.affinity.cookie);
    const sticky = wanted === undefined ? undefined : endpoints.find(endpoint => this.tag(endpoint) === wanted);
    return { ...forward, affinity: options.affinity, ...(sticky === undefined ? {} : { sticky }) };
  }

  /** The next endpoint to try, from what the table says now: each in turn, none twice, those that have just failed last. */
  next({ target, sticky }: Forward, tried: readonly string[]): string | undefined {
    const endpoints = this.#backends.get(target.backend ?? "") ?? [];
    const now = this.#failedAt.size === 0 ? 0 : this.#options.now();
    const isBad = (endpoint: string): boolean => now - (this.#failedAt.get(endpoint) ?? -Infinity) < avoidMs;
    if (sticky !== undefined && tried.length === 0 && endpoints.includes(sticky) && !isBad(sticky)) return sticky;
    if (this.#turn >= 0x3fffffff) this.#turn = 0;
    const start = this.#turn++;
    let last: string | undefined;
    for (let i = 0; i < endpoints.length; i++) {
      const endpoint = endpoints[(start + i) % endpoints.length] as string;
      if (tried.includes(endpoint)) continue;
      if (this.#failedAt.size === 0 || !isBad(endpoint)) return endpoint;
      last ??= endpoint;
    }
    return last;
  }

  /** Whether there is one that has not been tried. */
  hasAnother({ target }: Forward, tried: readonly string[]): boolean {
    return (this.#backends.get(target.backend ?? "") ?? []).some(endpoint => !tried.includes(endpoint));
  }

  mirror(backend: string): string | undefined {
    const endpoints = this.#backends.get(backend) ?? [];
    return endpoints[Math.floor(this.#options.random() * endpoints.length)];
  }

  failed(endpoint: string): void {
    if (this.#failedAt.size >= failedMax) this.#failedAt.clear();
    this.#failedAt.set(endpoint, this.#options.now());
  }

  /** It answers again. */
  worked(endpoint: string): void {
    if (this.#failedAt.size > 0) this.#failedAt.delete(endpoint);
  }

  /** What a cookie says of an endpoint. */
  tag(endpoint: string): string {
    let tag = this.#tags.get(endpoint);
    if (tag === undefined) this.#tags.set(endpoint, tag = this.#options.digest(endpoint));
    return tag;
  }

  cookie({ cookie, maxAgeSeconds, path }: Affinity, endpoint: string, secure: boolean): string {
    return `${cookie}=${this.tag(endpoint)}; Path=${path}${maxAgeSeconds > 0 ? `; Max-Age=${maxAgeSeconds}` : ""}${secure ? "; Secure" : ""}; HttpOnly`;
  }

  #mayAsk(options: RouteOptions, address: string): boolean {
    if (options.allow.length === 0 && options.deny.length === 0) return true;
    let ranges = this.#ranges.get(options);
    if (!ranges) this.#ranges.set(options, ranges = { allow: options.allow.flatMap(rangeOf), deny: options.deny.flatMap(rangeOf) });
    const ip = parseIp(address);
    if (!ip) return false;
    return !ranges.deny.some(range => within(ip, range)) && (options.allow.length === 0 || ranges.allow.some(range => within(ip, range)));
  }

  #targetOf({ backends, canary }: Route, asked: Asked): Weighted | undefined {
    if (canary && (this.#backends.get(canary.backend) ?? []).length > 0 && this.#isForCanary(canary.rules, asked)) return { backend: canary.backend, weight: 1 };
    if (backends.length === 1) return backends[0]!.weight > 0 ? backends[0] : undefined;
    const total = backends.reduce((sum, { weight }) => sum + weight, 0);
    let at = this.#options.random() * total;
    for (const backend of backends) if ((at -= backend.weight) < 0) return backend;
    return undefined;
  }

  #isForCanary(rules: NonNullable<Route["canary"]>["rules"], asked: Asked): boolean {
    const header = rules.header === "" ? undefined : asked.field(rules.header);
    if (header !== undefined && rules.headerValue !== "" && header === rules.headerValue) return true;
    if (header !== undefined && rules.headerValue === "" && (header === "always" || header === "never")) return header === "always";
    const cookie = rules.cookie === "" ? undefined : cookieOf(asked, rules.cookie);
    if (cookie === "always" || cookie === "never") return cookie === "always";
    return this.#options.random() * rules.weightTotal < rules.weight;
  }
}

function cookieOf(asked: Asked, name: string): string | undefined {
  for (const part of (asked.field("cookie") ?? "").split(";")) {
    const [key, value] = part.split("=", 2);
    if (key?.trim().toLowerCase() === name.toLowerCase()) return value?.trim();
  }
  return undefined;
}

function rangeOf(cidr: string): readonly Cidr[] {
  const ip = cidr.includes("/") ? undefined : parseIp(cidr);
  const range = ip ? { ...ip, bits: ip.family === 4 ? 32 : 128 } : parseCidr(cidr);
  return range ? [range] : [];
}

function withoutPort(host: string): string {
  return host.replace(/:\d+$/, "");
}

/** Gateway API's rules: what is not given stays as it was; a port only where it is not the scheme's own. */
function redirected(redirect: Redirect, route: Route, asked: Asked, path: string, listening: number): string {
  const scheme = redirect.scheme ?? (asked.secure ? "https" : "http");
  const usual = scheme === "https" ? 443 : 80;
  const port = redirect.port ?? (redirect.scheme === undefined ? listening : usual);
  const to = redirect.path ? changedPath(redirect.path, route, path) : asked.path;
  return `${scheme}://${redirect.host ?? withoutPort(asked.host)}${port === usual ? "" : `:${port}`}${to}${asked.query}`;
}

function changedPath({ type, value }: PathChange, { path: matched, type: matchedBy }: Route, path: string): string {
  if (type === "full" || matchedBy !== "Prefix") return value;
  const rest = path.slice(matched.endsWith("/") ? matched.length - 1 : matched.length);
  const joined = (value.endsWith("/") ? value.slice(0, -1) : value) + rest;
  return joined === "" ? "/" : joined;
}

/** The response header changes of a route and of the backend that was chosen, in order. */
export function responseChanges({ route: { filters }, target }: Forward): readonly NonNullable<Filters["responseHeaders"]>[] {
  return [filters?.responseHeaders, target.responseHeaders].filter(change => change !== undefined);
}
export function requestChanges({ route: { filters }, target }: Forward): readonly NonNullable<Filters["requestHeaders"]>[] {
  return [filters?.requestHeaders, target.requestHeaders].filter(change => change !== undefined);
}
