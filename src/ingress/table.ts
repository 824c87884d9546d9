/** The routing table: plain data, made from the API's objects, that a proxy without any credentials can work with. */
import type { RouteOptions } from "./annotations.ts";

/** `Regex` at the start of the path whatever the case, as ingress-nginx; `WholeRegex` all of it. */
export type PathType = "Exact" | "Prefix" | "ImplementationSpecific" | "Regex" | "WholeRegex";
export type HeaderChange = { readonly set: readonly (readonly [name: string, value: string])[]; readonly add: readonly (readonly [name: string, value: string])[]; readonly remove: readonly string[] };
/** `backend` is a key of the table's `backends`; undefined is one that cannot be used: its share of the requests fails. */
export type Weighted = { readonly backend: string | undefined; readonly weight: number; readonly requestHeaders?: HeaderChange; readonly responseHeaders?: HeaderChange };
/** A header or query parameter that must have this value, or match this regular expression as a whole. */
export type Condition = { readonly name: string; readonly value: string; readonly regex: boolean };
export type PathChange = { readonly type: "full" | "prefix"; readonly value: string };
export type Redirect = { readonly scheme?: string; readonly host?: string; readonly port?: number; readonly path?: PathChange; readonly status: number };
/** A copy of each request, or of `numerator` in `denominator` of them, goes there; its answer is thrown away. */
export type Mirror = { readonly backend: string; /** Over TLS. */ readonly secure: boolean; readonly numerator: number; readonly denominator: number };
export type Filters = {
  readonly requestHeaders?: HeaderChange;
  readonly responseHeaders?: HeaderChange;
  readonly redirect?: Redirect;
  readonly rewriteHost?: string;
  readonly rewritePath?: PathChange;
  readonly mirrors?: readonly Mirror[];
};
export type Route = {
  readonly type: PathType;
  readonly path: string;
  /** What must hold besides the path. */
  readonly method?: string;
  readonly headers?: readonly Condition[];
  readonly query?: readonly Condition[];
  /** One of them, by weight. */
  readonly backends: readonly Weighted[];
  /** Part of the requests goes there instead. */
  readonly canary?: { readonly backend: string; readonly rules: NonNullable<RouteOptions["canary"]> };
  readonly filters?: Filters;
  readonly options: RouteOptions;
  /** Of a gateway: the name of the listener that it is attached to, as `Listener.names` has it. */
  readonly listener?: string;
  /** Which object asked for it, for the access log: `default/site` (an Ingress), `HTTPRoute default/site`. */
  readonly owner: string;
};
export type Host = {
  /** "" for any, `*.example.org` for one label in front, `**.example.org` for one or more. */
  readonly host: string;
  /** Plain HTTP may be sent on to HTTPS. */
  readonly tls: boolean;
  /** Best match first. */
  readonly routes: readonly Route[];
};
/** `hosts` as above; "" stands for any name. */
export type Certificate = { readonly hosts: readonly string[]; readonly cert: string; readonly key: string };
/** What is served on one port. */
export type Listener = {
  readonly port: number;
  readonly secure: boolean;
  readonly hosts: readonly Host[];
  readonly certificates: readonly Certificate[];
  /** Names of the gateways' listeners on this port: a request belongs to the most special one, and no other's routes. */
  readonly names: readonly string[];
};
export type Table = {
  readonly listeners: readonly Listener[];
  /** `address:port` of those that should get requests, by `namespace/service:port`. */
  readonly backends: { readonly [key: string]: readonly string[] };
  /** Endpoints that get no new request but may still answer: they are ending, or not ready. What is in neither list is gone. */
  readonly leaving: readonly string[];
};
/** Where the proxy really listens, by the port that was asked for; a text says why it does not. */
export type Listening = { readonly [port: number]: number | string };
