/** Requests of every kind a client can send, and many that none should. */
import { stringifyJson } from "../../src/base/json-codec.ts";
import { apiVersionOf, type AnyKind } from "../../src/kinds/kind.ts";
import type { Json } from "../../src/base/json.ts";
import { decode, DecodeError } from "../../src/schema/decode.ts";
import { sealEnvelope } from "../../src/schema/envelope.ts";
import { encodeProtobuf } from "../../src/schema/protobuf.ts";
import { seedOf } from "./seeds.ts";
import { anything, below, mutated, object, pick, valueOf, word, type Random } from "./values.ts";

export type FuzzRequest = { readonly method: string; readonly target: string; readonly headers: { readonly [name: string]: string }; readonly body: Uint8Array };

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const names = ["a", "b", "web"] as const;
const acceptable = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf", "application/vnd.kubernetes.protobuf,application/json", "application/json;as=Table;v=v1;g=meta.k8s.io", "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io", "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io", "application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io", "*/*", "text/html", "application/json;as=;v=", ";;;,,", "application/json;q=abc"] as const;
const patchTypes = ["application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json", "application/apply-patch+yaml"] as const;
const wrongPatchTypes = ["application/json", "text/plain", ""] as const;
const others = ["/", "/api", "/apis", "/api/v1", "/apis/apps", "/apis/apps/v1", "/apis/nope/v1", "/version", "/livez", "/readyz?verbose", "/healthz/ping", "/metrics", "/openapi/v2", "/openapi/v3", "/openapi/v3/api/v1", "/openapi/v3/apis/apps/v1?hash=x", "/api/v1/watch/pods", "/api/v1/namespaces/a/", "/api//v1", "/api/v1/%2e%2e/x", "/api/v1/namespaces/%00/pods", "/api/v1/namespaces/a/pods/..", "/apis/apps/v1/namespaces/../pods", "//", "/%", "/%zz", "/logs/x", "/debug/pprof", "/swagger.json", "*", ""] as const;

/** What is asked for most: it must be reached often enough to be in many states. */
const common = new Set(["Pod", "Deployment", "ReplicaSet", "DaemonSet", "StatefulSet", "Job", "Service", "ConfigMap", "Secret", "Node", "Namespace", "ServiceAccount", "Ingress", "Role", "ClusterRole", "Lease", "EndpointSlice", "CustomResourceDefinition", "Kidget", "ValidatingAdmissionPolicy", "ResourceQuota"]);

export function makeRequest(kinds: readonly AnyKind[], random: Random): FuzzRequest {
  if (random() < 0.04) return { method: pick(random, ["GET", "GET", "POST", "PUT", "OPTIONS", "HEAD", "TRACE"]), target: pick(random, others), headers: { accept: pick(random, acceptable) }, body: new Uint8Array(0) };
  const stored = kinds.filter(kind => kind.virtual !== true);
  const share = random();
  const kind = pick(random, share < 0.6 ? stored.filter(({ kind }) => common.has(kind)) : share < 0.95 ? stored : kinds);
  const verb = pick(random, ["get", "list", "list", "watch", "create", "create", "create", "update", "update", "patch", "patch", "patch", "delete", "deletecollection"]);
  const name = random() < 0.9 ? pick(random, names) : encode(word(random), random);
  const headers: { [name: string]: string } = random() < 0.7 ? {} : { accept: pick(random, random() < 0.8 ? acceptable.slice(0, 6) : acceptable) };
  if (random() < 0.02) headers["impersonate-user"] = word(random).replace(/[^\x20-\x7e]/g, "");
  const base = collection(kind, random);
  const single = `${base}/${name}`;
  switch (verb) {
    case "get": return { method: "GET", target: `${single}${subresource(kind, random)}${query(random, ["resourceVersion", "pretty", "timeout", "container", "command", "stdin", "ports"])}`, headers, body: new Uint8Array(0) };
    case "list": return { method: "GET", target: base + query(random, ["limit", "continue", "resourceVersion", "resourceVersionMatch", "labelSelector", "fieldSelector", "timeoutSeconds", "includeObject"]), headers, body: new Uint8Array(0) };
    case "watch": return { method: "GET", target: `${base}?watch=${pick(random, ["true", "1", "x"])}&${query(random, ["resourceVersion", "labelSelector", "fieldSelector", "timeoutSeconds", "allowWatchBookmarks", "sendInitialEvents", "resourceVersionMatch"]).slice(1)}`, headers, body: new Uint8Array(0) };
    case "create": return write("POST", `${random() < 0.1 ? single + subresource(kind, random) : base}`, kind, name, headers, random);
    case "update": return write("PUT", `${single}${subresource(kind, random)}`, kind, name, headers, random);
    case "patch": return patch(`${single}${subresource(kind, random)}`, kind, name, headers, random);
    case "delete": return { ...write("DELETE", single, kind, name, headers, random), ...(random() < 0.6 ? { body: bytes(JSON.stringify(deleteOptions(random))) } : {}) };
    default: return { method: "DELETE", target: base + query(random, ["labelSelector", "fieldSelector", "limit", "dryRun", "propagationPolicy", "gracePeriodSeconds"]), headers, body: new Uint8Array(0) };
  }
}

function collection(kind: AnyKind, random: Random): string {
  const root = kind.group === "" ? `/api/${kind.version}` : `/apis/${kind.group}/${random() < 0.97 ? kind.version : "v9"}`;
  const namespace = random() < 0.93 ? pick(random, ["default", "default", "other"]) : encode(word(random), random);
  return kind.namespaced ? (random() < 0.95 ? `${root}/namespaces/${namespace}/${kind.plural}` : `${root}/${kind.plural}`) : `${root}/${kind.plural}`;
}

function subresource(kind: AnyKind, random: Random): string {
  if (random() < 0.8) return "";
  return `/${pick(random, ["status", "scale", "binding", "eviction", "log", "exec", "attach", "portforward", "proxy", "proxy/a/b", "token", "ephemeralcontainers", "resize", "finalize", "approval", "nope", ...(kind.subresources ?? [])])}`;
}

function query(random: Random, from: readonly string[]): string {
  const share = random() < 0.5 ? 0 : 0.25;
  const given = from.filter(() => random() < share).map(name => `${name}=${encode(queryValue(name, random), random)}`);
  return given.length === 0 ? "" : `?${given.join("&")}`;
}
function queryValue(name: string, random: Random): string {
  if (random() < 0.15) return word(random);
  switch (name) {
    case "limit": return pick(random, ["1", "2", "0", "-1", "500", "99999999999999999999"]);
    case "resourceVersion": return pick(random, ["0", "1", "5", "-1", "abc", "999999999", "99999999999999999999", ""]);
    case "resourceVersionMatch": return pick(random, ["Exact", "NotOlderThan", "x"]);
    case "force": return pick(random, ["true", "true", "false", "x"]);
    case "labelSelector": return pick(random, ["app=web", "app in (web,db)", "!app", "app!=web", "a in (", ",,", "a=b,c", "x>1", "(((", "app notin (web)"]);
    case "fieldSelector": return pick(random, ["metadata.name=a", "status.phase=Running", "spec.nodeName=", "metadata.namespace!=x", "nope=1", "a=b=c", "spec.nodeName=x,status.phase!=Failed", "\\=\\,"]);
    case "timeoutSeconds": return pick(random, ["0", "1", "-5", "x"]);
    case "timeout": return pick(random, ["1s", "0", "1ms", "x", "99999h"]);
    case "continue": return pick(random, ["e30", "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiJhXHUwMDAwIn0", "%%%", "AAAA"]);
    case "fieldValidation": return pick(random, ["Strict", "Warn", "Ignore", "Strict", "Warn", "Ignore", "x"]);
    case "propagationPolicy": return pick(random, ["Background", "Foreground", "Orphan", "Background", "Foreground", "Orphan", "x"]);
    case "dryRun": return pick(random, ["All", "All", "All", "All", "x", ""]);
    default: return pick(random, ["true", "false", "1", "x", "a"]);
  }
}
const encode = (text: string, random: Random): string => (random() < 0.97 ? encodeURIComponent(text.toWellFormed()) : text);

function objectFor(kind: AnyKind, name: string, random: Random): unknown {
  const node = kind.schema.node;
  const seed = seedOf(kind, name);
  const metadata = { name, ...(random() < 0.2 ? { namespace: "default" } : {}), ...(random() < 0.05 ? { generateName: word(random) } : {}), ...(random() < 0.1 ? { resourceVersion: pick(random, ["1", "0", "x", ""]) } : {}), ...(random() < 0.1 ? { finalizers: [pick(random, ["example.com/x", "foregroundDeletion", "orphan", word(random)])] } : {}) };
  let made: unknown = seed !== undefined && random() < 0.7 ? { apiVersion: apiVersionOf(kind), kind: kind.kind, ...seed } : { apiVersion: apiVersionOf(kind), kind: kind.kind, ...(valueOf(node, random, { nodes: 200 }) as object), metadata };
  for (let n = pick(random, [0, 0, 0, 1, 1, 2]); n > 0; n--) made = mutated(made, random, node);
  return made;
}

function write(method: string, path: string, kind: AnyKind, name: string, headers: { readonly [name: string]: string }, random: Random): FuzzRequest {
  const target = path + query(random, ["dryRun", "fieldManager", "fieldValidation", "pretty", "propagationPolicy", "gracePeriodSeconds"]);
  const made = objectFor(kind, name, random);
  const form = random();
  if (form < 0.6) return { method, target, headers: { ...headers, "content-type": "application/json" }, body: spoiled(bytes(json(made, random)), random) };
  if (form < 0.8) return { method, target, headers: { ...headers, "content-type": "application/yaml" }, body: spoiled(bytes(yaml(made, random)), random) };
  if (form < 0.97 && kind.custom !== true) return { method, target, headers: { ...headers, "content-type": "application/vnd.kubernetes.protobuf" }, body: spoiled(protobuf(kind, made), random) };
  return { method, target, headers: { ...headers, "content-type": word(random).replace(/[^\x20-\x7e]/g, "") }, body: bytes(json(made, random)) };
}

function json(value: unknown, random: Random): string {
  const text = stringifyJson(value) ?? "null";
  if (random() < 0.02) return text.replace("{", '{"kind":"Pod","kind":"Pod",');
  if (random() < 0.01) return `${"[".repeat(below(random, 3_000))}${text}`;
  return text;
}
function yaml(value: unknown, random: Random): string {
  const text = stringifyJson(value) ?? "null";
  if (random() < 0.1) return pick(random, ["a: &a [1]\nb: *a\n", `${"a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b]\n"}`, "---\n---\n", "? [1]\n: 2\n", "!!js/function 'x'\n", "a: !!binary x\n", "<<: {a: b}\n", `${"- ".repeat(400)}x`, "\t", "%YAML 9.9\n---\na: b", "2001-01-01: 1"]);
  return text;
}
function protobuf(kind: AnyKind, value: unknown): Uint8Array {
  try {
    return sealEnvelope(apiVersionOf(kind), kind.kind, encodeProtobuf(kind.schema.node, decode(kind.schema.node, value as Json).object));
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    // A value of the wrong type has no encoding; some other message must do.
    return sealEnvelope(apiVersionOf(kind), kind.kind, new Uint8Array([10, 3, 10, 1, 97]));
  }
}

/** The bytes, sometimes with some changed, missing or added. */
function spoiled(given: Uint8Array, random: Random): Uint8Array {
  if (random() < 0.8 || given.length === 0) return given;
  const at = below(random, given.length);
  switch (below(random, 4)) {
    case 0: return given.slice(0, at);
    case 1: return Uint8Array.from([...given.slice(0, at), below(random, 256), ...given.slice(at)]);
    case 2: return Uint8Array.from(given, (byte, i) => (i === at ? byte ^ (1 << below(random, 8)) : byte));
    default: return Uint8Array.from([...given.slice(0, at), ...given.slice(at, at + below(random, 50)), ...given.slice(at)]);
  }
}

function patch(path: string, kind: AnyKind, name: string, headers: { readonly [name: string]: string }, random: Random): FuzzRequest {
  const type = random() < 0.95 ? pick(random, patchTypes) : pick(random, wrongPatchTypes);
  const target = path + query(random, ["fieldManager", ...(type.includes("apply") ? ["force"] : []), "dryRun", "fieldValidation"]) + (type.includes("apply") && random() < 0.8 ? `${path.includes("?") ? "&" : "?"}fieldManager=fuzz` : "");
  const made = objectFor(kind, name, random);
  const body = type === "application/json-patch+json" ? Array.from({ length: below(random, 6) }, () => jsonPatch(random)) : type.includes("strategic") && random() < 0.5 ? withDirectives(made, random) : made;
  return { method: "PATCH", target: target.replace(/\?(.*)\?/, "?$1&"), headers: { ...headers, "content-type": type }, body: spoiled(bytes(json(body, random)), random) };
}
function jsonPatch(random: Random): unknown {
  const path = pick(random, ["/metadata/labels/a", "/spec/replicas", "/spec/template/spec/containers/0", "/spec/containers/-", "/metadata", "", "/", "/metadata/name", "/spec/ports/0/port", "/__proto__/x", "/metadata/annotations/a~1b", "/a~2", "/spec/containers/99", "/spec/containers/01", "noslash", "/metadata/managedFields", "/status", "/data"]);
  return object([["op", pick(random, ["add", "remove", "replace", "move", "copy", "test", "nope"])], ["path", path], ...(random() < 0.8 ? [["value", anything(random, 2)] as const] : []), ...(random() < 0.3 ? [["from", pick(random, ["/metadata", "/spec", "", "/x"])] as const] : [])]);
}
function withDirectives(value: unknown, random: Random): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return [...value.map((item: unknown) => withDirectives(item, random)), ...(random() < 0.2 ? [{ $patch: pick(random, ["replace", "delete", "merge", "x"]) }] : [])];
  const entries = Object.entries(value).map(([name, item]) => [name, withDirectives(item, random)] as const);
  return object(random() < 0.2 ? [...entries, pick(random, [["$patch", "delete"], ["$patch", "replace"], ["$retainKeys", ["a"]], ["$setElementOrder/containers", [{ name: "c" }]], ["$deleteFromPrimitiveList/finalizers", ["a"]], ["$setElementOrder/x", 5]] as const)] : entries);
}
function deleteOptions(random: Random): unknown {
  return object([["kind", "DeleteOptions"], ["apiVersion", "v1"], ...(random() < 0.4 ? [["gracePeriodSeconds", pick(random, [0, 1, -1, 30, "x"])] as const] : []), ...(random() < 0.3 ? [["propagationPolicy", pick(random, ["Background", "Foreground", "Orphan", "x"])] as const] : []), ...(random() < 0.3 ? [["preconditions", pick(random, [{ uid: "x" }, { resourceVersion: "1" }, {}, 5])] as const] : []), ...(random() < 0.1 ? [["dryRun", pick(random, [["All"], ["x"], "All"])] as const] : [])]);
}
