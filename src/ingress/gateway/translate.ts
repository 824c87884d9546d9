/** A rule of an HTTPRoute or GRPCRoute as routes of the table. */
import { defaultOptions, type RouteOptions } from "../annotations.ts";
import type { Condition, Filters, HeaderChange, Mirror, PathChange, PathType, Route, Weighted } from "../table.ts";
import type { GRPCMatch } from "./grpcroute.ts";
import type { HTTPMatch, HTTPRule } from "./httproute.ts";
import type { BackendRef, Filter, HeaderModifier, PathModifier, ValueMatch } from "./route-schema.ts";

/** Where a reference leads: a key of the table's backends, or why nowhere. */
export type Resolved = { readonly key: string; readonly appProtocol?: string } | { readonly reason: "BackendNotFound" | "RefNotPermitted" | "InvalidKind" | "UnsupportedProtocol"; readonly message: string };
export type Resolve = (ref: Omit<BackendRef, "weight" | "filters">) => Resolved;
export type Translated = { readonly routes: readonly Route[]; /** The first reference that leads nowhere. */ readonly unresolved?: { readonly reason: string; readonly message: string }; /** What this implementation does not have. */ readonly unsupported?: string };
type Found = { readonly key: string; readonly secure: boolean };
type Rule = Pick<HTTPRule, "filters" | "backendRefs" | "timeouts">;
type Where = Pick<Route, "type" | "path" | "method" | "headers" | "query">;

/** Without annotations nothing is limited or redirected. */
const options: RouteOptions = { ...defaultOptions, sslRedirect: "never", bodyBytesMax: 0 };

export function httpRule(rule: HTTPRule, owner: string, resolve: Resolve): Translated {
  return translate(rule, (rule.matches ?? [{}]).map(httpMatch), owner, resolve, false);
}
export function grpcRule(rule: Rule & { readonly matches?: readonly GRPCMatch[] }, owner: string, resolve: Resolve): Translated {
  return translate(rule, rule.matches === undefined || rule.matches.length === 0 ? [grpcMatch({})] : rule.matches.map(grpcMatch), owner, resolve, true);
}

function translate(rule: Rule, places: readonly Where[], owner: string, resolve: Resolve, isGRPC: boolean): Translated {
  let unresolved: Translated["unresolved"];
  let unsupported: string | undefined;
  let backend: RouteOptions["backend"] = isGRPC ? "GRPC" : "HTTP";
  const find = (ref: Omit<BackendRef, "weight" | "filters">): Found | undefined => {
    const found = resolve(ref);
    if ("reason" in found) { unresolved ??= found; return undefined; }
    if (found.appProtocol === "kubernetes.io/h2c" && !isGRPC) { unresolved ??= { reason: "UnsupportedProtocol", message: `service ${ref.name}: backends of an HTTPRoute are spoken to in HTTP/1.1, not in ${found.appProtocol}` }; return undefined; }
    return { key: found.key, secure: found.appProtocol === "https" };
  };
  const findBackend = (ref: Omit<BackendRef, "weight" | "filters">): string | undefined => {
    const found = find(ref);
    if (found?.secure) backend = isGRPC ? "GRPCS" : "HTTPS";
    return found?.key;
  };
  const lacking = (text: string): void => { unsupported ??= text; };
  const filters = filtersOf(rule.filters ?? [], find, lacking);
  const backends = (rule.backendRefs ?? []).map((ref): Weighted => ({ backend: findBackend(ref), weight: ref.weight ?? 1, ...backendFilters(ref.filters ?? [], lacking) }));
  const limits = [rule.timeouts?.request, rule.timeouts?.backendRequest].flatMap(text => (text === undefined || durationMs(text) === 0 ? [] : [durationMs(text)]));
  const own: RouteOptions = { ...options, backend, ...(limits.length > 0 ? { requestMs: Math.min(...limits) } : {}) };
  // A filter that is not there must not be passed over: such requests fail.
  const used = unsupported === undefined ? backends : [];
  return { routes: places.map(where => ({ ...where, backends: used, options: own, owner, ...(Object.keys(filters).length > 0 ? { filters } : {}) })), ...(unresolved ? { unresolved } : {}), ...(unsupported === undefined ? {} : { unsupported }) };
}

function httpMatch({ path, headers, queryParams, method }: HTTPMatch): Where {
  const types: { readonly [type: string]: PathType } = { Exact: "Exact", PathPrefix: "Prefix", RegularExpression: "WholeRegex" };
  return { type: types[path?.type ?? "PathPrefix"] ?? "Prefix", path: path?.value ?? "/", ...(method === undefined ? {} : { method }), ...conditionsOf("headers", headers), ...conditionsOf("query", queryParams) };
}

/** A call is a POST to `/service/method`. */
function grpcMatch({ method: call, headers }: GRPCMatch): Where {
  const { type = "Exact", service, method } = call ?? {};
  const more = conditionsOf("headers", headers);
  if (service === undefined && method === undefined) return { type: "Prefix", path: "/", ...more };
  if (type === "RegularExpression") return { type: "WholeRegex", path: `/${service === undefined ? "[^/]+" : `(?:${service})`}/${method === undefined ? "[^/]+" : `(?:${method})`}`, ...more };
  if (service === undefined) return { type: "WholeRegex", path: `/[^/]+/${method}`, ...more };
  return method === undefined ? { type: "Prefix", path: `/${service}`, ...more } : { type: "Exact", path: `/${service}/${method}`, ...more };
}

function conditionsOf<K extends "headers" | "query">(key: K, matches: readonly ValueMatch[] | undefined): { readonly [key: string]: readonly Condition[] } {
  return matches === undefined || matches.length === 0 ? {} : { [key]: matches.map(({ name, value, type }) => ({ name, value, regex: type === "RegularExpression" })) };
}

function filtersOf(given: readonly Filter[], find: (ref: Omit<BackendRef, "weight" | "filters">) => Found | undefined, lacking: (text: string) => void): Filters {
  const filters: { -readonly [K in keyof Filters]: Filters[K] } = {};
  const mirrors: Mirror[] = [];
  for (const { type, requestHeaderModifier, responseHeaderModifier, requestMirror, requestRedirect: redirect, urlRewrite: rewrite } of given) {
    if (type === "ExtensionRef") lacking("filters of type ExtensionRef are not supported");
    if (requestHeaderModifier) filters.requestHeaders = changeOf(requestHeaderModifier);
    if (responseHeaderModifier) filters.responseHeaders = changeOf(responseHeaderModifier);
    if (redirect) filters.redirect = {
      status: redirect.statusCode ?? 302, ...(redirect.scheme === undefined ? {} : { scheme: redirect.scheme }), ...(redirect.hostname === undefined ? {} : { host: redirect.hostname }),
      ...(redirect.port === undefined ? {} : { port: redirect.port }), ...(redirect.path === undefined ? {} : { path: pathOf(redirect.path) }),
    };
    if (rewrite?.hostname !== undefined) filters.rewriteHost = rewrite.hostname;
    if (rewrite?.path) filters.rewritePath = pathOf(rewrite.path);
    if (requestMirror) {
      const found = find(requestMirror.backendRef);
      const { numerator, denominator = 100 } = requestMirror.fraction ?? { numerator: requestMirror.percent ?? 100 };
      if (found !== undefined) mirrors.push({ backend: found.key, secure: found.secure, numerator, denominator });
    }
  }
  return { ...filters, ...(mirrors.length > 0 ? { mirrors } : {}) };
}

function backendFilters(given: readonly Filter[], lacking: (text: string) => void): Pick<Weighted, "requestHeaders" | "responseHeaders"> {
  for (const { type } of given) if (type !== "RequestHeaderModifier" && type !== "ResponseHeaderModifier") lacking(`filters of type ${type} are not supported within backendRefs`);
  const request = given.find(({ requestHeaderModifier }) => requestHeaderModifier)?.requestHeaderModifier;
  const response = given.find(({ responseHeaderModifier }) => responseHeaderModifier)?.responseHeaderModifier;
  return { ...(request ? { requestHeaders: changeOf(request) } : {}), ...(response ? { responseHeaders: changeOf(response) } : {}) };
}

function changeOf({ set = [], add = [], remove = [] }: HeaderModifier): HeaderChange {
  const pairs = (headers: NonNullable<HeaderModifier["set"]>) => headers.map(({ name, value }) => [name, value] as const);
  return { set: pairs(set), add: pairs(add), remove };
}

function pathOf({ replaceFullPath, replacePrefixMatch }: PathModifier): PathChange {
  return replaceFullPath === undefined ? { type: "prefix", value: replacePrefixMatch ?? "/" } : { type: "full", value: replaceFullPath };
}

/** `1h30m`, `500ms` (GEP-2257). */
export function durationMs(text: string): number {
  const units: { readonly [unit: string]: number } = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 };
  return [...text.matchAll(/(\d{1,5})(ms|h|m|s)/g)].reduce((sum, [, count, unit]) => sum + Number(count) * (units[unit ?? ""] ?? 0), 0);
}
