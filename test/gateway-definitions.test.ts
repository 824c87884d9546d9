/** Gateway API's definitions as an ordinary client would bring them: their rules compile and cost little, and objects get upstream's verdicts. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { celWith } from "../src/api/cel-library.ts";
import { celHost, compilePattern } from "../src/host/regex.ts";
import { gateways } from "../src/ingress/gateway/gateway.ts";
import { gatewayClasses } from "../src/ingress/gateway/gatewayclass.ts";
import { grpcRoutes } from "../src/ingress/gateway/grpcroute.ts";
import { httpRoutes } from "../src/ingress/gateway/httproute.ts";
import { referenceGrants } from "../src/ingress/gateway/referencegrant.ts";
import { bodyOf, settle, startHarness, type Harness } from "./transcripts/harness.ts";

let harness: Harness;
let running: Promise<void>;
const stop = new AbortController();
/** An object as clients send it: custom resources must say what they are. */
function typed(target: string, body: unknown): unknown {
  const [, group, version, plural] = /^\/apis\/(gateway\.networking\.k8s\.io)\/(\w+)\/(?:namespaces\/\w+\/)?(\w+)/.exec(target) ?? [];
  const of = [gatewayClasses, gateways, httpRoutes, grpcRoutes, referenceGrants].find(({ definition }) => definition.spec.names.plural === plural);
  return of === undefined ? body : { apiVersion: `${group}/${version}`, kind: of.definition.spec.names.kind, ...(body as object) };
}
async function call(method: string, target: string, body?: unknown, headers = {}): Promise<{ readonly status: number; readonly body: any }> {
  const response = await harness.send(method, target, { headers: { "content-type": "application/json", ...headers }, body: body === undefined ? "" : JSON.stringify(typed(target, body)) });
  const text = await bodyOf(response);
  for (let i = 0; i < 5; i++) await settle();
  return { status: response.status, body: typeof text === "string" && text.startsWith("{") ? JSON.parse(text) : text };
}
before(async () => {
  harness = await startHarness({ compilePattern, loadCel: async () => celWith(celHost) });
  running = harness.api.run(stop.signal);
  await call("POST", "/api/v1/namespaces", { metadata: { name: "default" } });
  for (const { definition } of [gatewayClasses, gateways, httpRoutes, grpcRoutes, referenceGrants]) {
    const { status, body } = await call("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition);
    assert.equal(status, 201, JSON.stringify(body));
  }
});
after(async () => {
  stop.abort();
  await running;
  await harness.close();
});

const at = (version: string, plural: string): string => `/apis/gateway.networking.k8s.io/${version}/namespaces/default/${plural}`;
const gateway = (...listeners: object[]) => ({ metadata: { name: "g" }, spec: { gatewayClassName: "timonier", listeners } });
const http = { name: "http", port: 80, protocol: "HTTP" };
const route = (spec: object) => ({ metadata: { name: "r" }, spec });
const filter = (...filters: object[]) => route({ rules: [{ filters }] });
const path = (type: string, value: string) => route({ rules: [{ matches: [{ path: { type, value } }] }] });
const backend = (ref: object) => route({ rules: [{ backendRefs: [ref] }] });
const modify = { type: "RequestHeaderModifier", requestHeaderModifier: { set: [{ name: "a", value: "b" }] } };

for (const [plural, object, want] of [
  ["gateways", gateway(http), "ok"],
  ["gateways", gateway(), "spec.listeners in body should have at least 1 items"],
  ["gateways", gateway({ ...http, port: 0 }), "greater than or equal to 1"],
  ["gateways", gateway({ ...http, hostname: "*.*.org" }), "should match"],
  ["gateways", gateway({ ...http, tls: {} }), "tls must not be specified for protocols ['HTTP', 'TCP', 'UDP']"],
  ["gateways", gateway({ name: "s", port: 443, protocol: "HTTPS", tls: { mode: "Terminate" } }), "certificateRefs or options must be specified when mode is Terminate"],
  ["gateways", gateway({ name: "s", port: 443, protocol: "HTTPS", tls: { mode: "Passthrough" } }), "tls mode must be Terminate for protocol HTTPS"],
  ["gateways", gateway({ ...http, protocol: "TCP", hostname: "a" }), "hostname must not be specified for protocols ['TCP', 'UDP']"],
  ["gateways", gateway(http, { ...http, name: "other" }), "Combination of port, protocol and hostname must be unique for each listener"],
  ["gateways", gateway(http, { ...http, port: 81 }), "Duplicate value"],
  ["gateways", { metadata: { name: "g" }, spec: { gatewayClassName: "t", listeners: [http], addresses: [{ value: "not an address" }] } }, "Invalid value"],
  ["gateways", { metadata: { name: "g" }, spec: { gatewayClassName: "t", listeners: [http], addresses: [{ value: "1.2.3.4" }, { value: "1.2.3.4" }] } }, "IPAddress values must be unique"],
  ["httproutes", route({}), "ok"],
  ["httproutes", route({ hostnames: ["1.example.org", "*.example.org"] }), "ok"],
  ["httproutes", route({ hostnames: ["UPPER"] }), "should match"],
  ["httproutes", path("PathPrefix", "/a"), "ok"], ["httproutes", path("RegularExpression", "a(b"), "ok"],
  ["httproutes", path("PathPrefix", "a"), "value must be an absolute path and start with '/'"],
  ["httproutes", path("Exact", "/a//b"), "must not contain '//'"], ["httproutes", path("Exact", "/a/./b"), "must not contain '/./'"], ["httproutes", path("Exact", "/a/%2f"), "must not contain '%2f'"], ["httproutes", path("Exact", "/a/.."), "must not end with '/..'"],
  ["httproutes", path("Exact", "/a b"), "must only contain valid characters"],
  ["httproutes", filter(modify), "ok"],
  ["httproutes", filter({ type: "RequestHeaderModifier" }), "filter.requestHeaderModifier must be specified for RequestHeaderModifier filter.type"],
  ["httproutes", filter({ ...modify, type: "RequestMirror" }), "filter.requestHeaderModifier must be nil if the filter.type is not RequestHeaderModifier"],
  ["httproutes", filter(modify, modify), "RequestHeaderModifier filter cannot be repeated"],
  ["httproutes", filter({ type: "RequestRedirect", requestRedirect: { statusCode: 307 } }), "supported values: \"301\", \"302\""],
  ["httproutes", filter({ type: "RequestRedirect", requestRedirect: {} }, { type: "URLRewrite", urlRewrite: {} }), "May specify either httpRouteFilterRequestRedirect or httpRouteFilterRequestRewrite, but not both"],
  ["httproutes", route({ rules: [{ filters: [{ type: "RequestRedirect", requestRedirect: {} }], backendRefs: [{ name: "s", port: 80 }] }] }), "RequestRedirect filter must not be used together with backendRefs"],
  ["httproutes", filter({ type: "URLRewrite", urlRewrite: { path: { type: "ReplacePrefixMatch", replacePrefixMatch: "/x" } } }), "ok"],
  ["httproutes", route({ rules: [{ matches: [{ path: { type: "Exact", value: "/a" } }], filters: [{ type: "URLRewrite", urlRewrite: { path: { type: "ReplacePrefixMatch", replacePrefixMatch: "/x" } } }] }] }), "When using URLRewrite filter with path.replacePrefixMatch, exactly one PathPrefix match must be specified"],
  ["httproutes", filter({ type: "URLRewrite", urlRewrite: { path: { type: "ReplaceFullPath", replacePrefixMatch: "/x" } } }), "replaceFullPath must be specified when type is set to 'ReplaceFullPath'"],
  ["httproutes", filter({ type: "RequestMirror", requestMirror: { backendRef: { name: "s", port: 80 }, percent: 10, fraction: { numerator: 1 } } }), "Only one of percent or fraction may be specified in HTTPRequestMirrorFilter"],
  ["httproutes", backend({ name: "s" }), "Must have port for Service reference"], ["httproutes", backend({ name: "s", kind: "Other" }), "ok"], ["httproutes", backend({ name: "s", port: 80, weight: -1 }), "greater than or equal to 0"],
  ["httproutes", route({ rules: [{ timeouts: { request: "1s", backendRequest: "2s" } }] }), "backendRequest timeout cannot be longer than request timeout"], ["httproutes", route({ rules: [{ timeouts: { request: "0s", backendRequest: "2s" } }] }), "ok"], ["httproutes", route({ rules: [{ timeouts: { request: "1.5s" } }] }), "should match"],
  ["httproutes", route({ parentRefs: [{ name: "g" }, { name: "g" }] }), "sectionName must be unique when parentRefs includes 2 or more references to the same parent"],
  ["httproutes", route({ parentRefs: [{ name: "g", sectionName: "a" }, { name: "g" }] }), "sectionName must be specified when parentRefs includes 2 or more references to the same parent"],
  ["httproutes", route({ parentRefs: [{ name: "g", sectionName: "a" }, { name: "g", sectionName: "b" }, { name: "g", namespace: "n" }] }), "ok"],
  ["httproutes", route({ rules: Array.from({ length: 3 }, () => ({ matches: Array.from({ length: 64 }, () => ({})) })) }), "total number of matches across all rules in a route must be less than 128"],
  ["grpcroutes", route({ rules: [{ matches: [{ method: { service: "a.B", method: "C" } }] }] }), "ok"],
  ["grpcroutes", route({ rules: [{ matches: [{ method: {} }] }] }), "One or both of 'service' or 'method' must be specified"],
  ["grpcroutes", route({ rules: [{ matches: [{ method: { service: "a/b" } }] }] }), "service must only contain valid characters"],
  ["grpcroutes", route({ rules: [{ filters: [{ type: "URLRewrite" }] }] }), "Unsupported value"],
] as const)
  test(`${plural} ${JSON.stringify("spec" in object ? object.spec : object).slice(0, 160)}: ${want}`, async () => {
    const { status, body } = await call("POST", `${at("v1", plural)}?dryRun=All`, object);
    if (want === "ok") assert.equal(status, 201, body.message);
    else assert.deepEqual([status, body.message.includes(want) || body.message], [422, true]);
  });

test("defaults are upstream's, v1beta1 is served too, and a class keeps its controller", async () => {
  const { body } = await call("POST", at("v1beta1", "httproutes"), route({ parentRefs: [{ name: "g" }], rules: [{ backendRefs: [{ name: "s", port: 80 }] }] }));
  assert.deepEqual(body.spec, { parentRefs: [{ group: "gateway.networking.k8s.io", kind: "Gateway", name: "g" }], rules: [{ matches: [{ path: { type: "PathPrefix", value: "/" } }], backendRefs: [{ group: "", kind: "Service", name: "s", port: 80, weight: 1 }] }] });
  assert.equal((await call("GET", `${at("v1", "httproutes")}/r`)).body.apiVersion, "gateway.networking.k8s.io/v1");
  const classes = "/apis/gateway.networking.k8s.io/v1/gatewayclasses";
  assert.equal((await call("POST", classes, { metadata: { name: "c" }, spec: { controllerName: "example.org/x" } })).body.status.conditions[0].reason, "Pending");
  const changed = await call("PATCH", `${classes}/c`, { spec: { controllerName: "example.org/y" } }, { "content-type": "application/merge-patch+json" });
  assert.deepEqual([changed.status, changed.body.message], [422, 'GatewayClass.gateway.networking.k8s.io "c" is invalid: spec.controllerName: Invalid value: "example.org/y": Value is immutable']);
});
