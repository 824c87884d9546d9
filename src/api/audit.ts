/**
 * Who did what, when and with which outcome, as upstream's audit events at level Metadata (k8s.io/apiserver pkg/audit, pkg/apis/audit). Bodies are never
 * written: they hold secrets. Writes, reads of secrets, everything acted on as somebody else and everything refused are kept; the heartbeat of
 * nodes and leader election is not.
 */
import { stringifyJson } from "../base/json-codec.ts";
import { isObject, type Json, type JsonObject } from "../base/json.ts";
import { microTimeOf } from "../base/time.ts";
import { Status } from "../kinds/meta/status.ts";
import { openEnvelope } from "../schema/envelope.ts";
import { decodeProtobuf } from "../schema/protobuf.ts";
import type { Decision, User } from "./context.ts";
import type { Flow } from "./flow-control/levels.ts";
import type { HttpRequest, HttpResponse } from "./http.ts";
import type { Trail } from "./core.ts";
import type { RequestInfo } from "./request-info.ts";

/** What is learnt of a request on its way; the parts that it did not reach are absent. */
export type AuditTrail = Trail & { readonly auditId: string; user?: User; impersonated?: User; /** The constrained way in which that was allowed. */ constraint?: string; decision?: Decision; flow?: Flow; /** Refused or cut off in self-defence. */ terminated?: true; annotations?: { [key: string]: string }; /** Told once the caller is known. */ known?: (info: RequestInfo) => void; /** What is asked for, by what was sent; for an administrator's policy. */ ref?: ObjectRef };
export type ObjectRef = { readonly namespace?: string; readonly name?: string; readonly uid?: string; readonly resourceVersion?: string };
/** Where events go, one line of JSON each. Must not throw and not wait. */
export type AuditSink = (line: string) => void;

const reads: ReadonlySet<string> = new Set(["get", "list", "watch"]);
const secretive: ReadonlySet<string> = new Set(["secrets.", "serviceaccounts/token."]);
const uriCharsMax = 4096;

export function isAudited(info: RequestInfo | undefined, { user, impersonated }: Pick<AuditTrail, "user" | "impersonated">, status: number): boolean {
  if (status === 401 || status === 403) return true;
  if (info === undefined || !info.resourceRequest) return false;
  if (impersonated !== undefined) return true;
  const what = `${info.resource}${info.subresource === "" ? "" : `/${info.subresource}`}.${info.group}`;
  if (secretive.has(what)) return user?.groups.includes("system:nodes") !== true || !reads.has(info.verb);
  if (reads.has(info.verb)) return false;
  if (info.resource === "leases" || info.resource === "events" || info.resource.endsWith("reviews")) return false;
  return !(info.subresource === "status" && user?.groups.includes("system:nodes") === true);
}

export type AuditFacts = {
  readonly request: HttpRequest;
  readonly info: RequestInfo | undefined;
  readonly trail: AuditTrail;
  /** Absent: not yet answered. */
  readonly response: HttpResponse | undefined;
  readonly receivedMs: number;
  readonly nowMs: number;
};

/** One `audit.k8s.io/v1` Event as a line of JSON. */
export function auditLine(facts: AuditFacts & { readonly response: HttpResponse }): string {
  const { content } = facts.response;
  return stringifyJson(auditEvent(facts, "Metadata", content.type === "stream" || content.type === "forward" ? "ResponseStarted" : "ResponseComplete"));
}

/** `recorded`: by an administrator's policy, in upstream's own form; else nothing is told that might be a secret. */
export function auditEvent({ request, info, trail, response, receivedMs, nowMs }: AuditFacts, level: string, stage: string, recorded = false): JsonObject {
  const { auditId, user, impersonated, decision } = trail;
  const agent = request.headers["user-agent"];
  const annotations = { ...trail.annotations, ...(decision === undefined || response === undefined ? {} : !decision.allowed && decision.error !== undefined ? { "authorization.k8s.io/reason": "internal error" } : { "authorization.k8s.io/decision": decision.allowed ? "allow" : "forbid", "authorization.k8s.io/reason": decision.reason ?? "" }) };
  return {
    kind: "Event", apiVersion: "audit.k8s.io/v1", level, auditID: auditId, stage,
    requestURI: recorded ? request.target : uriOf(request.target), verb: info?.verb ?? request.method.toLowerCase(),
    user: user === undefined ? {} : userInfo(user), ...(impersonated === undefined ? {} : { impersonatedUser: userInfo(impersonated) }), ...(trail.constraint === undefined ? {} : { authenticationMetadata: { impersonationConstraint: trail.constraint } }),
    sourceIPs: [request.peer.address], ...(typeof agent === "string" ? { userAgent: agent } : {}),
    ...(info?.resourceRequest === true ? { objectRef: objectRef(info, recorded ? trail.ref ?? {} : { name: response === undefined ? "" : nameIn(response) }) } : {}),
    ...(response === undefined ? {} : { responseStatus: { metadata: {}, code: response.status, ...statusOf(response) } }),
    requestReceivedTimestamp: microTimeOf(receivedMs), stageTimestamp: microTimeOf(nowMs),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  };
}

/** How the caller was authenticated is in `extra`: a certificate's or a token's id (NCC finding 9). */
function userInfo({ name, uid, groups, extra }: User): Json {
  return { username: name, ...(uid === "" ? {} : { uid }), groups, ...(Object.keys(extra).length === 0 ? {} : { extra }) };
}

function objectRef({ resource, namespace, name, group, version, subresource }: RequestInfo, sent: ObjectRef): Json {
  const all = { resource, namespace: namespace || (sent.namespace ?? ""), name: name || (sent.name ?? ""), uid: sent.uid ?? "", apiGroup: group, apiVersion: version, resourceVersion: sent.resourceVersion ?? "", subresource };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ""));
}

/** The name that a create was given, from the beginning of its answer. */
function nameIn({ status, content }: HttpResponse): string {
  if (status !== 201) return "";
  if (content.type === "bytes") return nameInProtobuf(content.bytes);
  const text = content.type === "text" ? content.text : content.type === "pieces" && Array.isArray(content.pieces) ? String(content.pieces[0]) : "";
  return /"metadata":\s*\{\s*"name":\s*"([^"\\]+)"/.exec(text.slice(0, 2048))?.[1] ?? "";
}

/** Every kind's first field is its metadata, whose first field is the name. */
function nameInProtobuf(bytes: Uint8Array): string {
  const { raw } = openEnvelope(bytes);
  const body = (from: number): readonly [start: number, end: number] => {
    let [length, shift, at] = [0, 0, from + 1];
    if (raw[from] !== 0x0a) return [0, 0];
    for (; shift < 28; shift += 7) {
      const byte = raw[at++] ?? 0;
      length |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    return [at, at + length];
  };
  const [start, end] = body(body(0)[0]);
  return start === 0 || end > raw.length ? "" : new TextDecoder().decode(raw.subarray(start, end));
}

/** What a `Status` says that is the answer, in whatever form. */
function statusOf({ status, content }: HttpResponse): JsonObject {
  if (content.type === "bytes" && status < 400) return {};
  const body: unknown = content.type === "bytes" ? decodeProtobuf(Status.node, openEnvelope(content.bytes).raw) : content.type === "text" && content.text.startsWith("{") && (status >= 400 || /^\{\s*"kind":\s*"Status"/.test(content.text)) ? JSON.parse(content.text) : undefined;
  if (!isObject(body)) return {};
  return Object.fromEntries(["status", "reason", "message", "details"].flatMap(field => (body[field] === undefined || body[field] === "" || (field === "status" && isObject(body[field])) ? [] : [[field, body[field]!]])));
}

/** Tokens in URLs (`?access_token=`, a command's arguments) stay out of the log: only a query's names are kept, but for those that say what was asked. */
function uriOf(target: string): string {
  const [path = "", query] = target.split("?", 2);
  if (query === undefined) return path.slice(0, uriCharsMax);
  const shown = /^(fieldManager|fieldValidation|dryRun|force|labelSelector|fieldSelector|limit|watch|resourceVersion|resourceVersionMatch|timeoutSeconds|timeout|allowWatchBookmarks|container|stdin|stdout|stderr|tty|propagationPolicy|gracePeriodSeconds)=/;
  return `${path}?${query.split("&").map(pair => (shown.test(pair) ? pair : pair.replace(/=.*$/s, "=[redacted]"))).join("&")}`.slice(0, uriCharsMax);
}
