/** The one place that reads a request's URL (upstream's rules: apiserver pkg/endpoints/request/requestinfo.go). */
import { badRequest } from "./errors.ts";

/** Longest URL that is looked at; longer ones are refused before anything else. */
export const targetCharsMax = 64 * 1024;

export type RequestInfo = {
  /** Decoded path without query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly resourceRequest: boolean;
  readonly verb: string;
  /** "api" or "apis" for resource requests. */
  readonly prefix: string;
  readonly group: string;
  readonly version: string;
  readonly namespace: string;
  readonly resource: string;
  readonly name: string;
  readonly subresource: string;
  /** What follows the subresource (or, without one, the name): the tail of a proxy path, with its leading slash or "". */
  readonly rest: string;
  /** The deprecated `/api/v1/watch/…` form. */
  readonly watchPrefix: boolean;
};

const namespaceSubresources: ReadonlySet<string> = new Set(["status", "finalize"]);
const verbs = new Map([["POST", "create"], ["GET", "get"], ["HEAD", "get"], ["PUT", "update"], ["PATCH", "patch"], ["DELETE", "delete"]]);

/** Go passes over parameters with a semicolon or a bad escape (net/url ParseQuery). */
const passedOver = /;|%(?![0-9A-Fa-f]{2})/;

function parametersOf(text: string): URLSearchParams {
  return new URLSearchParams(passedOver.test(text) ? text.split("&").filter(pair => !passedOver.test(pair)).join("&") : text);
}

/** Throws BadRequest for a URL that could not name anything here: bad escapes, `..`, encoded slashes, control characters. */
export function parseRequest(method: string, target: string): RequestInfo {
  if (target.length > targetCharsMax) throw badRequest(`the request URL is longer than ${targetCharsMax} characters`);
  const mark = target.indexOf("?");
  const rawPath = mark < 0 ? target : target.slice(0, mark);
  const query = parametersOf(mark < 0 ? "" : target.slice(mark + 1));
  if (!rawPath.startsWith("/")) throw badRequest("the request URL must be a path");
  const raw = rawPath.split("/").slice(1);
  // Only resource paths are taken apart; a proxied tail keeps its own escapes and is never a key of ours.
  const api = raw[0] === "api" ? 2 : raw[0] === "apis" ? 3 : 0;
  const base = { path: decodePath(raw), query, resourceRequest: false, verb: method.toLowerCase(), prefix: "", group: "", version: "", namespace: "", resource: "", name: "", subresource: "", rest: "", watchPrefix: false };
  const segments = raw.slice(api);
  if (api === 0 || (segments[0] ?? "") === "") return base;
  const group = api === 3 ? segmentOf(raw[1]!) : "";
  const version = segmentOf(raw[api - 1]!);
  let verb = verbs.get(method) ?? "";
  let parts = segments;
  const watchPrefix = parts[0] === "watch" && parts.length > 1;
  // The old way to proxy is a verb still, though nothing answers it any more.
  if (watchPrefix || (parts[0] === "proxy" && parts.length > 1)) {
    verb = parts[0]!;
    parts = parts.slice(1);
  }
  let namespace = "";
  if (parts[0] === "namespaces" && parts.length > 1 && parts[1] !== "") {
    namespace = segmentOf(parts[1]!);
    if (parts.length > 2 && parts[2] !== "" && !namespaceSubresources.has(parts[2]!)) parts = parts.slice(2);
  }
  const resource = segmentOf(parts[0]!);
  const name = segmentOf(parts[1] ?? "");
  const subresource = segmentOf(parts[2] ?? "");
  const tailAt = subresource === "" ? 2 : 3;
  const rest = parts.length > tailAt ? `/${parts.slice(tailAt).join("/")}` : "";
  if (name === "" && !watchPrefix) {
    if (verb === "get") verb = isTrue(query.get("watch")) ? "watch" : "list";
    if (verb === "delete") verb = "deletecollection";
  }
  return { ...base, resourceRequest: true, verb, prefix: raw[0]!, group, version, namespace, resource, name: name === "" ? nameOfSelector(verb, query) : name, subresource, rest, watchPrefix };
}

/** A list or watch of one name is judged by the authorizer as that name's, so that `resourceNames` rules allow informers of one object. */
function nameOfSelector(verb: string, query: URLSearchParams): string {
  if (verb !== "list" && verb !== "watch") return "";
  const match = /^metadata\.name==?([^,\\=!]+)$/.exec(query.get("fieldSelector") ?? "");
  return match !== null && isSafeSegment(match[1]!) ? match[1]! : "";
}

/** Booleans of query parameters: all but two words are true, a bare `watch` too (apimachinery pkg/runtime/conversion.go). */
export function isTrue(text: string | null): boolean {
  return text !== null && !/^(0|false)$/i.test(text);
}

function segmentOf(raw: string): string {
  const text = decode(raw);
  if (!isSafeSegment(text)) throw badRequest(`invalid path segment ${JSON.stringify(text)}`);
  return text;
}

/** A segment may become part of a store key: upstream's path-segment names (no ".", "..", "/", "%"), and no control characters. */
export function isSafeSegment(text: string): boolean {
  return text.length <= 1024 && text !== "." && text !== ".." && !/[/%\u0000-\u001f\u007f]/.test(text);
}

function decodePath(raw: readonly string[]): string {
  return `/${raw.map(decode).join("/")}`;
}

function decode(raw: string): string {
  if (!raw.includes("%")) return raw;
  try {
    return decodeURIComponent(raw);
  } catch (error) {
    if (error instanceof URIError) throw badRequest("invalid URL escape");
    throw error;
  }
}

const longSubresources: ReadonlySet<string> = new Set(["attach", "exec", "proxy", "log", "portforward"]);

/** Requests that take as long as somebody listens: no time is set for them, and they wait for no turn (kube-apiserver's long-running checks). */
export function isLongRunning({ resourceRequest, verb, subresource, path }: RequestInfo): boolean {
  return resourceRequest ? verb === "watch" || verb === "proxy" || longSubresources.has(subresource) : path.startsWith("/debug/pprof/");
}
