/** P18: requests made at random from the API's own words, whole and broken, never get a 5xx and never crash the server. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { bodyOf, settle, startHarness } from "./transcripts/harness.ts";

const requests = Number(process.env["FUZZ"] ?? 20_000);
const seed = Number(process.env["SEED"] ?? 1);

/** mulberry32: the same seed makes the same requests. */
function chance(from: number): () => number {
  let state = from;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 4294967296;
  };
}

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "FOO"];
const prefixes = ["/api/v1", "/apis/apps/v1", "/apis/events.k8s.io/v1", "/apis/coordination.k8s.io/v1", "/apis/rbac.authorization.k8s.io/v1", "/apis/discovery.k8s.io/v1", "/apis/authorization.k8s.io/v1", "/apis/authentication.k8s.io/v1", "/apis/policy/v1", "/apis/nothing/v1", "", "/openapi/v3", "/api", "/apis"];
const resources = ["pods", "services", "configmaps", "secrets", "namespaces", "nodes", "events", "endpoints", "serviceaccounts", "deployments", "replicasets", "leases", "roles", "clusterroles", "rolebindings", "endpointslices", "bindings", "subjectaccessreviews", "selfsubjectaccessreviews", "selfsubjectrulesreviews", "tokenreviews", "podtemplates", "controllerrevisions", "nothings", ""];
const names = ["a", "b", "c", "default", "https:a:80", "A_b", "..", "%2e%2e", "a%2Fb", "%zz", "__proto__", "constructor", "x".repeat(300), "%00", "💥", ""];
const subresources = ["", "", "", "", "status", "scale", "binding", "eviction", "log", "exec", "attach", "portforward", "proxy", "proxy/x/../y", "token", "ephemeralcontainers", "resize", "finalize", "nothing"];
const queries = ["", "", "dryRun=All", "fieldValidation=Strict", "fieldManager=x", "fieldManager=x&force=true", "limit=1", "limit=-5", "continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiJhXHUwMDAwIn0", "resourceVersion=0", "resourceVersion=99999999999999", "resourceVersion=x", "resourceVersion=1&resourceVersionMatch=Exact", "labelSelector=a%3Db", "labelSelector=a in (b", "fieldSelector=metadata.name%3Da", "fieldSelector=%5C", "watch=true", "watch=true&timeoutSeconds=1", "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true", "propagationPolicy=Foreground", "propagationPolicy=Orphan", "gracePeriodSeconds=-3", "pretty=true", "container=c", "tailLines=x", "timeout=1ms", "includeObject=Object", "%", "a=b&".repeat(50)];
const types = ["application/json", "application/json", "application/json", "application/yaml", "application/vnd.kubernetes.protobuf", "application/merge-patch+json", "application/json-patch+json", "application/strategic-merge-patch+json", "application/apply-patch+yaml", "text/plain", ""];
const accepts = ["application/json", "*/*", "application/vnd.kubernetes.protobuf", "application/json;as=Table;v=v1;g=meta.k8s.io", "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io", "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io", "application/yaml", "text/html", ";;;,,,q=", "application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io"];
const keys = ["metadata", "spec", "status", "data", "name", "namespace", "labels", "annotations", "finalizers", "ownerReferences", "managedFields", "uid", "resourceVersion", "generateName", "deletionTimestamp", "containers", "template", "selector", "matchLabels", "replicas", "ports", "port", "type", "clusterIP", "clusterIPs", "image", "rules", "roleRef", "subjects", "target", "kind", "apiVersion", "involvedObject", "resources", "limits", "cpu", "op", "path", "value", "$patch", "$retainKeys", "$setElementOrder/containers", "__proto__", "constructor", "toString", "f:x"];
const scalars: readonly unknown[] = ["a", "b", "", "default", "v1", "Pod", "None", "10.96.0.1", "NodePort", "100m", "1e999", "-1", "replace", "remove", "add", "test", "/spec/replicas", "/metadata/labels/a", "2026-01-01T00:00:00Z", "not a time", 0, 1, -1, 80, 2 ** 31, 2 ** 53, 1e300, 0.5, true, false, null, "\u0000", "\ud800", "💥", "x".repeat(2_000)];

/** Where a request can arrive, and which body it may carry there. */
const places: readonly (readonly [path: string, seed: number])[] = [
  ["/api/v1/namespaces/default/pods", 0], ["/api/v1/namespaces/default/services", 1], ["/api/v1/namespaces/default/configmaps", 2], ["/apis/apps/v1/namespaces/default/deployments", 3],
  ["/api/v1/namespaces", 4], ["/apis/authorization.k8s.io/v1/subjectaccessreviews", 7], ["/apis/rbac.authorization.k8s.io/v1/clusterroles", 10],
];

const seeds: readonly unknown[] = [
  { apiVersion: "v1", kind: "Pod", metadata: { name: "a" }, spec: { containers: [{ name: "c", image: "i", ports: [{ containerPort: 80 }] }] } },
  { apiVersion: "v1", kind: "Service", metadata: { name: "a" }, spec: { selector: { a: "b" }, ports: [{ port: 80, nodePort: 30_080 }], type: "NodePort" } },
  { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a", finalizers: ["x.y/z"] }, data: { a: "b" } },
  { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "a" }, spec: { replicas: 1, selector: { matchLabels: { a: "b" } }, template: { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "i" }] } } } },
  { apiVersion: "v1", kind: "Namespace", metadata: { name: "b" } }, { apiVersion: "v1", kind: "Binding", metadata: { name: "a" }, target: { kind: "Node", name: "n" } },
  { apiVersion: "autoscaling/v1", kind: "Scale", metadata: { name: "a" }, spec: { replicas: 2 } }, { spec: { user: "x", resourceAttributes: { verb: "get", resource: "pods" } } },
  [{ op: "replace", path: "/spec/replicas", value: 3 }], { kind: "DeleteOptions", apiVersion: "v1", propagationPolicy: "Foreground", gracePeriodSeconds: 0 },
  { rules: [{ verbs: ["get"], apiGroups: [""], resources: ["pods"] }], metadata: { name: "a" } },
];

test(`${requests} fuzzed requests get no 5xx (SEED=${seed})`, async () => {
  const harness = await startHarness();
  const next = chance(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)]!;
  const value = (depth: number): unknown => {
    const kind = next();
    if (depth > 4 || kind < 0.45) return pick(scalars);
    if (kind < 0.6) return Array.from({ length: Math.floor(next() * 3) }, () => value(depth + 1));
    return Object.fromEntries(Array.from({ length: Math.floor(next() * 4) }, () => [pick(keys), value(depth + 1)]));
  };
  /** A copy of `from` with a few places changed. */
  const mutate = (from: unknown, rate: number): unknown => {
    if (next() < rate) return value(1);
    if (Array.isArray(from)) return from.map(item => mutate(item, rate));
    if (typeof from !== "object" || from === null) return from;
    const entries = Object.entries(from).map(([key, item]) => [key, mutate(item, rate)] as const).filter(() => next() > rate / 2);
    return Object.fromEntries(next() < rate ? [...entries, [pick(keys), value(1)]] : entries);
  };
  const body = (): string => {
    const kind = next();
    if (kind < 0.1) return "";
    if (kind < 0.15) return pick(["{", "[]", "null", "\"x\"", "{\"a\":1,\"a\":2}", "[".repeat(3_000), "k8s\u0000", "{\"metadata\":{\"name\":\"a\",\"name\":\"b\"}}", "1e999", "9007199254740993"]);
    const text = JSON.stringify(kind < 0.25 ? value(0) : mutate(pick(seeds), pick([0, 0.02, 0.1])));
    return next() < 0.03 ? text.slice(0, Math.floor(next() * text.length)) : text;
  };
  for (const name of ["default", "a"]) await harness.send("POST", "/api/v1/namespaces", { headers: { "content-type": "application/json" }, body: JSON.stringify({ metadata: { name } }) });
  const codes = new Map<number, number>();
  for (let i = 0; i < requests; i++) {
    const [place, seedAt] = pick(places);
    const namespace = next() < 0.6 ? `/namespaces/${pick(names)}` : "";
    const [resource, name, subresource, query] = [pick(resources), pick(names), pick(subresources), pick(queries)];
    const wild = next() < 0.4;
    const method = wild ? pick(methods) : pick(["GET", "POST", "POST", "PUT", "PATCH", "DELETE"]);
    const tail = wild ? `${name === "" ? "" : `/${name}`}${subresource === "" ? "" : `/${subresource}`}` : method === "POST" || next() < 0.2 ? "" : `/a${next() < 0.2 && subresource !== "" ? `/${subresource}` : ""}`;
    const target = `${wild ? `${pick(prefixes)}${namespace}/${resource}` : place}${tail}${query === "" || (!wild && next() < 0.5) ? "" : `?${query}`}`;
    const sent = wild ? body() : method === "GET" ? "" : JSON.stringify(mutate(method === "PATCH" && next() < 0.3 ? seeds[8] : method === "DELETE" ? seeds[9] : seeds[seedAt], pick([0, 0, 0.02, 0.1])));
    const type = wild ? pick(types) : method === "PATCH" ? (sent.startsWith("[") ? "application/json-patch+json" : pick(types.slice(5, 9))) : "application/json";
    const sending = harness.send(method, target, { headers: { "content-type": type, accept: pick(accepts) }, body: sent, upgrade: next() < 0.1 });
    // A revision of the future is waited for: let that time pass.
    if (/resourceVersion=9{5}/.test(query)) { await settle(); await harness.clock.advance(4_000); }
    const response = await sending;
    const raw = await bodyOf(response);
    const text = typeof raw === "string" ? raw : Buffer.from(raw).toString("latin1");
    codes.set(response.status, (codes.get(response.status) ?? 0) + 1);
    const expected = [501, 503].includes(response.status) || (response.status === 504 && /resourceVersion=9{5}|timeout=1ms/.test(query));
    assert.ok(response.status < 500 || expected, `request ${i}: ${method} ${target}\n${sent}\n→ ${response.status} ${text.slice(0, 500)}`);
  }
  assert.ok((codes.get(201) ?? 0) > requests / 200 && (codes.get(200) ?? 0) > requests / 50, `the requests reach the store: ${JSON.stringify([...codes])}`);
  assert.equal((await harness.send("GET", "/livez")).status, 200);
  await harness.close();
});
