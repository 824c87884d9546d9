import assert from "node:assert/strict";
import { test } from "node:test";
import { buildTable } from "../build.ts";
import { Matcher, plainPath } from "../match.ts";
import { Router, type Asked } from "../router.ts";
import type { Sources } from "../services.ts";
import type { Gateway, Listener } from "./gateway.ts";
import { commonHost } from "./hosts.ts";
import type { HTTPRule } from "./httproute.ts";
import { gatewayController, type GatewayObjects, type RoutePlan } from "./plan.ts";
import type { Stored } from "./schema.ts";
import { durationMs } from "./translate.ts";

const meta = (name: string, namespace = "default", created = "2026-01-01T00:00:00Z") => ({ name, namespace, uid: name, creationTimestamp: created, generation: 1 });
const http: Listener = { name: "http", port: 80, protocol: "HTTP", allowedRoutes: { namespaces: { from: "Same" } } };
const https: Listener = { ...http, name: "https", port: 443, protocol: "HTTPS", tls: { mode: "Terminate", certificateRefs: [{ name: "cert" }] } };
const gateway = (listeners: readonly Listener[] = [http], more: Partial<Gateway["spec"]> = {}, name = "g"): Stored<Gateway> => ({ metadata: meta(name), spec: { gatewayClassName: "ours", listeners, ...more } });
type HTTP = GatewayObjects["httpRoutes"][number];
const route = (name: string, rules: readonly HTTPRule[], more: { namespace?: string; hostnames?: readonly string[]; parent?: object; created?: string } = {}): HTTP => ({ metadata: meta(name, more.namespace, more.created), spec: { parentRefs: [{ name: "g", ...more.parent }], ...(more.hostnames ? { hostnames: more.hostnames } : {}), rules } });
const to = (name: string, more: object = {}) => ({ name, port: 80, ...more });
const rule = (path: string, backend: string, more: Partial<HTTPRule> = {}): HTTPRule => ({ matches: [{ path: { type: "PathPrefix", value: path } }], backendRefs: [to(backend)], ...more });
const sources: Sources = {
  decodeBase64: text => text,
  service: (_namespace, name) => (name === "gone" ? undefined : { spec: { ports: [{ name: "web", port: 80, ...(name === "h2c" ? { appProtocol: "kubernetes.io/h2c" } : {}) }] } } as never),
  slices: (namespace, name) => (name === "empty" ? [] : [{ ports: [{ name: "web", port: 8080 }], endpoints: [{ addresses: [`${namespace}-${name}`], conditions: { ready: true } }] }] as never),
  secret: (_namespace, name) => (name === "cert" ? { data: { "tls.crt": "-----BEGIN CERTIFICATE-----\nC\n-----END CERTIFICATE-----", "tls.key": "-----BEGIN PRIVATE KEY-----\nK\n-----END PRIVATE KEY-----" } } : name === "broken" ? { data: { "tls.crt": "x", "tls.key": "y" } } : undefined) as never,
};
function build(objects: Partial<GatewayObjects>, listening: { [port: number]: number | string } | undefined = { 80: 80, 443: 443 }) {
  return buildTable({
    ingresses: [], classes: [], sources, listening, address: "192.0.2.1",
    gateways: { classes: [{ metadata: meta("ours"), spec: { controllerName: gatewayController } }, { metadata: meta("other"), spec: { controllerName: "example.org/x" } }], gateways: [gateway()], httpRoutes: [], grpcRoutes: [], grants: [], namespaceLabels: name => ({ "kubernetes.io/metadata.name": name }), ...objects },
  });
}
const said = (conditions: readonly { type: string; status: string; reason: string }[]): string => conditions.map(({ type, status, reason }) => `${type}=${status === "True" ? "" : "!"}${reason}`).join(" ");
const routeSaid = (plans: readonly RoutePlan[] | undefined): string => (plans ?? []).map(({ parents }) => parents.map(({ conditions }) => said(conditions)).join("; ")).join(" | ");
/** What a request is answered: `backend path`, or the status and place of our own answer. */
function ask(built: ReturnType<typeof build>, url: string, { method = "GET", headers = {}, port = 80, random = 0 }: { method?: string; headers?: { [name: string]: string }; port?: number; random?: number } = {}): string {
  const compile = (pattern: string) => (text: string): readonly string[] | undefined => new RegExp(`^(?:${pattern})$`).exec(text) ?? undefined;
  const router = new Router({ patterns: { path: compile, whole: compile }, random: () => random, now: () => 0, digest: text => text, warn: assert.fail, portOf: wanted => wanted });
  router.setTable(built.table);
  const [, host = "", path = "/", query = ""] = /^([^/]*)([^?]*)(.*)$/.exec(url) ?? [];
  const asked: Asked = { method, path: path || "/", query, host, address: "127.0.0.1", secure: port === 443, contentLength: 0, field: name => headers[name] };
  const plan = router.decide(port, asked);
  return plan.type === "answer" ? `${plan.status}${plan.location === undefined ? "" : ` ${plan.location}`}` : `${router.next(plan, [])} ${plan.path}${plan.host === host ? "" : ` as ${plan.host}`}`;
}

for (const [a, b, want] of [["", "", ""], ["", "a", "a"], ["a", "", "a"], ["a", "a", "a"], ["a", "b", undefined], ["*.a", "b.a", "b.a"], ["*.a", "c.b.a", "c.b.a"], ["*.a", "a", undefined], ["c.b.a", "*.a", "c.b.a"], ["*.a", "*.b.a", "*.b.a"], ["*.b.a", "*.a", "*.b.a"], ["*.a", "*.b", undefined]] as const)
  test(`hosts "${a}" and "${b}" have in common: ${want}`, () => assert.equal(commonHost(a, b), want));

for (const [text, want] of [["1s", 1_000], ["500ms", 500], ["1h30m", 5_400_000], ["0s", 0]] as const)
  test(`${text} is ${want} ms`, () => assert.equal(durationMs(text), want));

// What is said of a listener and its gateway.
for (const [name, listeners, more, listening, wantListener, wantGateway] of [
  ["served", [http], {}, { 80: 80 }, "Accepted=Accepted Programmed=Programmed ResolvedRefs=ResolvedRefs Conflicted=!NoConflicts", "Accepted=Accepted Programmed=Programmed"],
  ["served elsewhere", [http], {}, { 80: 8080 }, "Accepted=Accepted Programmed=Programmed ResolvedRefs=ResolvedRefs Conflicted=!NoConflicts", "Accepted=Accepted Programmed=Programmed"],
  ["not yet listened on", [http], {}, undefined, "Accepted=Accepted Programmed=!Pending ResolvedRefs=ResolvedRefs Conflicted=!NoConflicts", "Accepted=Accepted Programmed=!Pending"],
  ["a port that is taken", [http], {}, { 80: "taken" }, "Accepted=!PortUnavailable Programmed=!Invalid ResolvedRefs=ResolvedRefs Conflicted=!NoConflicts", "Accepted=!ListenersNotValid Programmed=!Invalid"],
  ["TLS", [https], {}, { 443: 443 }, "Accepted=Accepted Programmed=Programmed ResolvedRefs=ResolvedRefs Conflicted=!NoConflicts", "Accepted=Accepted Programmed=Programmed"],
  ["TLS without a secret", [{ ...https, tls: { certificateRefs: [{ name: "lost" }] } }], {}, { 443: 443 }, "Accepted=Accepted Programmed=!Invalid ResolvedRefs=!InvalidCertificateRef Conflicted=!NoConflicts", "Accepted=ListenersNotValid Programmed=!Invalid"],
  ["TLS with a broken secret", [{ ...https, tls: { certificateRefs: [{ name: "broken" }] } }], {}, { 443: 443 }, "Accepted=Accepted Programmed=!Invalid ResolvedRefs=!InvalidCertificateRef Conflicted=!NoConflicts", "Accepted=ListenersNotValid Programmed=!Invalid"],
  ["TLS with another namespace's secret", [{ ...https, tls: { certificateRefs: [{ name: "cert", namespace: "n" }] } }], {}, { 443: 443 }, "Accepted=Accepted Programmed=!Invalid ResolvedRefs=!RefNotPermitted Conflicted=!NoConflicts", "Accepted=ListenersNotValid Programmed=!Invalid"],
  ["an unknown protocol", [{ ...http, protocol: "UDP" }], {}, { 80: 80 }, "Accepted=!UnsupportedProtocol Programmed=!Invalid ResolvedRefs=ResolvedRefs Conflicted=!NoConflicts", "Accepted=!ListenersNotValid Programmed=!Invalid"],
  ["TLS on port 80", [{ ...https, port: 80 }], {}, { 80: 80 }, "Accepted=!ProtocolConflict Programmed=!Invalid ResolvedRefs=ResolvedRefs Conflicted=ProtocolConflict", "Accepted=!ListenersNotValid Programmed=!Invalid"],
  ["an unknown kind of route", [{ ...http, allowedRoutes: { kinds: [{ kind: "HTTPRoute" }, { kind: "TCPRoute" }] } }], {}, { 80: 80 }, "Accepted=Accepted Programmed=Programmed ResolvedRefs=!InvalidRouteKinds Conflicted=!NoConflicts", "Accepted=ListenersNotValid Programmed=Programmed"],
  ["another address", [http], { addresses: [{ type: "IPAddress", value: "203.0.113.1" }] }, { 80: 80 }, "Accepted=Accepted Programmed=Programmed ResolvedRefs=ResolvedRefs Conflicted=!NoConflicts", "Accepted=Accepted Programmed=!AddressNotUsable"],
  ["parameters that nobody knows", [http], { infrastructure: { parametersRef: { group: "x", kind: "Y", name: "z" } } }, { 80: 80 }, "", "Accepted=!InvalidParameters Programmed=!Invalid"],
  ["a named address", [http], { addresses: [{ type: "NamedAddress", value: "x" }] }, { 80: 80 }, "Accepted=Accepted Programmed=Programmed ResolvedRefs=ResolvedRefs Conflicted=!NoConflicts", "Accepted=!UnsupportedAddress Programmed=!Invalid"],
] as const)
  test(`a listener: ${name}`, () => {
    const { gateways } = buildTable({ ingresses: [], classes: [], sources, listening, address: "192.0.2.1", gateways: { classes: [{ metadata: meta("ours"), spec: { controllerName: gatewayController } }], gateways: [gateway(listeners, more)], httpRoutes: [], grpcRoutes: [], grants: [], namespaceLabels: () => ({}) } });
    assert.deepEqual([said(gateways?.gateways[0]?.listeners[0]?.conditions ?? []), said(gateways?.gateways[0]?.conditions ?? [])], [wantListener, wantGateway]);
  });

test("fields of a gateway that do nothing here are told", () => {
  const { gateways } = build({ gateways: [gateway([http, { ...https, tls: { ...https.tls!, options: { "example.org/ciphers": "all" } } }], { infrastructure: { labels: { team: "a" }, annotations: { x: "y", a: "b" } } })] });
  assert.deepEqual(gateways?.gateways[0]?.warnings, [
    "spec.infrastructure.labels (team) have no effect: nothing is made on behalf of a gateway here", "spec.infrastructure.annotations (a, x) have no effect: nothing is made on behalf of a gateway here",
    "listener https: tls.options (example.org/ciphers) have no effect: expected none",
  ]);
});

// What is said of a route.
const fine = "Accepted=Accepted ResolvedRefs=ResolvedRefs";
for (const [name, objects, want] of [
  ["accepted", { httpRoutes: [route("r", [rule("/", "web")])] }, fine],
  ["no such listener", { httpRoutes: [route("r", [rule("/", "web")], { parent: { sectionName: "other" } })] }, "Accepted=!NoMatchingParent ResolvedRefs=ResolvedRefs"],
  ["no such port", { httpRoutes: [route("r", [rule("/", "web")], { parent: { port: 81 } })] }, "Accepted=!NoMatchingParent ResolvedRefs=ResolvedRefs"],
  ["another namespace", { httpRoutes: [route("r", [rule("/", "web")], { namespace: "n", parent: { namespace: "default" } })] }, "Accepted=!NotAllowedByListeners ResolvedRefs=ResolvedRefs"],
  ["another namespace, allowed", { gateways: [gateway([{ ...http, allowedRoutes: { namespaces: { from: "All" } } }])], httpRoutes: [route("r", [rule("/", "web")], { namespace: "n", parent: { namespace: "default" } })] }, fine],
  ["another namespace, by its labels", { gateways: [gateway([{ ...http, allowedRoutes: { namespaces: { from: "Selector", selector: { matchLabels: { "kubernetes.io/metadata.name": "n" } } } } }])], httpRoutes: [route("r", [rule("/", "web")], { namespace: "n", parent: { namespace: "default" } })] }, fine],
  ["a kind that is not allowed", { gateways: [gateway([{ ...http, allowedRoutes: { kinds: [{ kind: "GRPCRoute" }] } }])], httpRoutes: [route("r", [rule("/", "web")])] }, "Accepted=!NotAllowedByListeners ResolvedRefs=ResolvedRefs"],
  ["no common name", { gateways: [gateway([{ ...http, hostname: "a.org" }])], httpRoutes: [route("r", [rule("/", "web")], { hostnames: ["b.org"] })] }, "Accepted=!NoMatchingListenerHostname ResolvedRefs=ResolvedRefs"],
  ["no such service", { httpRoutes: [route("r", [rule("/", "gone")])] }, "Accepted=Accepted ResolvedRefs=!BackendNotFound"],
  ["no such port of the service", { httpRoutes: [route("r", [{ backendRefs: [{ name: "web", port: 81 }] }])] }, "Accepted=Accepted ResolvedRefs=!BackendNotFound"],
  ["a backend that is no service", { httpRoutes: [route("r", [{ backendRefs: [{ name: "x", kind: "Bucket", group: "example.org" }] }])] }, "Accepted=Accepted ResolvedRefs=!InvalidKind"],
  ["a backend of another namespace", { httpRoutes: [route("r", [{ backendRefs: [to("web", { namespace: "n" })] }])] }, "Accepted=Accepted ResolvedRefs=!RefNotPermitted"],
  ["the same, permitted", { httpRoutes: [route("r", [{ backendRefs: [to("web", { namespace: "n" })] }])], grants: [{ metadata: meta("x", "n"), spec: { from: [{ group: "gateway.networking.k8s.io", kind: "HTTPRoute", namespace: "default" }], to: [{ group: "", kind: "Service", name: "web" }] } }] }, fine],
  ["the same, another service permitted", { httpRoutes: [route("r", [{ backendRefs: [to("web", { namespace: "n" })] }])], grants: [{ metadata: meta("x", "n"), spec: { from: [{ group: "gateway.networking.k8s.io", kind: "HTTPRoute", namespace: "default" }], to: [{ group: "", kind: "Service", name: "api" }] } }] }, "Accepted=Accepted ResolvedRefs=!RefNotPermitted"],
  ["a filter that we do not have", { httpRoutes: [route("r", [rule("/", "web", { filters: [{ type: "ExtensionRef", extensionRef: { group: "x", kind: "Y", name: "z" } }] })])] }, "Accepted=!UnsupportedValue ResolvedRefs=ResolvedRefs"],
  ["a backend that wants HTTP/2", { httpRoutes: [route("r", [rule("/", "h2c")])] }, "Accepted=Accepted ResolvedRefs=!UnsupportedProtocol"],
  ["somebody else's gateway", { gateways: [gateway([http], { gatewayClassName: "other" })], httpRoutes: [route("r", [rule("/", "web")])] }, ""],
] as const)
  test(`a route: ${name}`, () => assert.equal(routeSaid(build(objects as Partial<GatewayObjects>).gateways?.routes), want));

test("routes are counted at the listeners that take them", () => {
  const { gateways } = build({ gateways: [gateway([http, { ...http, name: "named", port: 81, hostname: "a.org" }])], httpRoutes: [route("one", [rule("/", "web")], { hostnames: ["b.org"] }), route("two", [rule("/", "web")])] });
  assert.deepEqual(gateways?.gateways[0]?.listeners.map(({ name, attachedRoutes }) => `${name} ${attachedRoutes}`), ["http 2", "named 1"]);
});

const site = build({ httpRoutes: [
  route("site", [
    rule("/", "front"), rule("/api/", "api"), { matches: [{ path: { type: "Exact", value: "/api" } }], backendRefs: [to("exact")] },
    { matches: [{ path: { type: "PathPrefix", value: "/" }, headers: [{ name: "Version", value: "2" }] }], backendRefs: [to("v2")] },
    { matches: [{ path: { type: "PathPrefix", value: "/" }, headers: [{ name: "version", value: "3", type: "RegularExpression" }, { name: "color", value: "blue" }] }], backendRefs: [to("blue")] },
    { matches: [{ path: { type: "PathPrefix", value: "/" }, method: "POST" }], backendRefs: [to("post")] },
    { matches: [{ path: { type: "PathPrefix", value: "/" }, queryParams: [{ name: "animal", value: "whale" }] }], backendRefs: [to("whale")] },
    { matches: [{ path: { type: "RegularExpression", value: "/re/[0-9]+" } }], backendRefs: [to("regex")] },
  ], { hostnames: ["a.org", "*.b.org"] }),
  route("any", [rule("/any", "any")]),
  route("old", [rule("/same", "old")], { created: "2025-01-01T00:00:00Z" }), route("new", [rule("/same", "new")]),
  route("split", [{ matches: [{ path: { value: "/split" } }], backendRefs: [to("nine", { weight: 9 }), to("one", { weight: 1 })] }, { matches: [{ path: { value: "/half" } }], backendRefs: [to("gone", { weight: 1 }), to("web", { weight: 1 })] }, { matches: [{ path: { value: "/zero" } }], backendRefs: [to("web", { weight: 0 })] }, rule("/empty", "empty")]),
  route("changes", [
    rule("/prefix", "web", { filters: [{ type: "URLRewrite", urlRewrite: { hostname: "inner.org", path: { type: "ReplacePrefixMatch", replacePrefixMatch: "/p" } } }] }),
    rule("/root", "web", { filters: [{ type: "URLRewrite", urlRewrite: { path: { type: "ReplacePrefixMatch", replacePrefixMatch: "/" } } }] }),
    rule("/full", "web", { filters: [{ type: "URLRewrite", urlRewrite: { path: { type: "ReplaceFullPath", replaceFullPath: "/f" } } }] }),
    { matches: [{ path: { value: "/to-host" } }], filters: [{ type: "RequestRedirect", requestRedirect: { hostname: "else.org", statusCode: 301 } }] },
    { matches: [{ path: { value: "/to-https" } }], filters: [{ type: "RequestRedirect", requestRedirect: { scheme: "https" } }] },
    { matches: [{ path: { value: "/to-port" } }], filters: [{ type: "RequestRedirect", requestRedirect: { port: 8443, path: { type: "ReplacePrefixMatch", replacePrefixMatch: "/there" } } }] },
    { matches: [{ path: { value: "/nothing" } }] },
  ]),
] });
for (const [url, want, more] of [
  ["a.org/", "default-front:8080 /"], ["x.b.org/y", "default-front:8080 /y"], ["y.x.b.org/", "default-front:8080 /"], ["b.org/", "404"], ["c.org/", "404"], ["c.org/any", "default-any:8080 /any"], ["a.org/any", "default-front:8080 /any"],
  ["a.org/api", "default-exact:8080 /api"], ["a.org/api/x?y", "default-api:8080 /api/x?y"], ["a.org/apix", "default-front:8080 /apix"],
  ["a.org/", "default-v2:8080 /", { headers: { version: "2" } }], ["a.org/", "default-blue:8080 /", { headers: { version: "3", color: "blue" } }], ["a.org/", "default-front:8080 /", { headers: { version: "33", color: "blue" } }],
  ["a.org/", "default-post:8080 /", { method: "POST" }], ["a.org/?x=1&animal=whale", "default-whale:8080 /?x=1&animal=whale"], ["a.org/?animal=whales", "default-front:8080 /?animal=whales"],
  ["a.org/re/12", "default-regex:8080 /re/12"], ["a.org/re/12x", "default-front:8080 /re/12x"], ["c.org/same", "default-old:8080 /same"],
  ["c.org/split", "default-nine:8080 /split", { random: 0.89 }], ["c.org/split", "default-one:8080 /split", { random: 0.9 }], ["c.org/half", "500", { random: 0.4 }], ["c.org/half", "default-web:8080 /half", { random: 0.6 }], ["c.org/zero", "500"], ["c.org/empty", "503"], ["c.org/nothing", "500"],
  ["c.org/prefix/x", "default-web:8080 /p/x as inner.org"], ["c.org/root/x", "default-web:8080 /x"], ["c.org/root", "default-web:8080 /"], ["c.org/full/x?y", "default-web:8080 /f?y"],
  ["c.org/to-host/x?y", "301 http://else.org/to-host/x?y"], ["c.org/to-https", "302 https://c.org/to-https"], ["c.org:80/to-port/x", "302 http://c.org:8443/there/x"],
] as const)
  test(`${url} ${JSON.stringify(more ?? "")}: ${want}`, () => assert.equal(ask(site, url, more), want));

test("a call of gRPC goes by service and method", () => {
  const call = (method: object | undefined, backend: string) => ({ ...(method ? { matches: [{ method }] } : {}), backendRefs: [to(backend)] });
  const built = build({ grpcRoutes: [{ metadata: meta("r"), spec: { parentRefs: [{ name: "g" }], rules: [call({ service: "a.B", method: "C" }, "exact"), call({ service: "a.B" }, "service"), call({ method: "Only" }, "method"), call({ type: "RegularExpression", service: "x\\.[A-Z]", method: "Get.*" }, "regex"), call(undefined, "rest")] } }] as never });
  assert.deepEqual(["/a.B/C", "/a.B/D", "/z.Z/Only", "/x.Y/GetIt", "/q/q"].map(path => ask(built, `h${path}`, { method: "POST" })), ["default-exact:8080 /a.B/C", "default-service:8080 /a.B/D", "default-method:8080 /z.Z/Only", "default-regex:8080 /x.Y/GetIt", "default-rest:8080 /q/q"]);
  assert.equal(built.table.listeners[0]?.hosts[0]?.routes[0]?.options.backend, "GRPC");
});

test("a request belongs to the most special listener of its port: routes of the others do not see it", () => {
  const listeners = ["", "*.org", "*.a.org", "x.a.org"].map((hostname, i) => ({ ...http, name: `l${i}`, ...(hostname ? { hostname } : {}) }));
  const built = build({ gateways: [gateway(listeners)], httpRoutes: listeners.map(({ name }) => route(name, [rule(`/${name}`, name)], { parent: { sectionName: name } })) });
  for (const [host, own] of [["com", "l0"], ["b.org", "l1"], ["b.a.org", "l2"], ["c.b.a.org", "l2"], ["x.a.org", "l3"]] as const)
    assert.deepEqual(listeners.map(({ name }) => ask(built, `${host}/${name}`) !== "404"), listeners.map(({ name }) => name === own), host);
});

test("listeners of one port share it; certificates are by name", () => {
  const { table } = build({ gateways: [gateway([http, { ...https, hostname: "*.a.org" }]), gateway([{ ...http, hostname: "b.org" }], {}, "other")], httpRoutes: [route("r", [rule("/", "web")]), route("s", [rule("/", "api")], { parent: { name: "other" } })] });
  assert.deepEqual(table.listeners.map(({ port, secure, hosts, certificates }) => [port, secure, hosts.map(({ host }) => host), certificates.map(({ hosts: names }) => names)]), [[80, false, ["", "b.org"], []], [443, true, ["**.a.org"], [["**.a.org"]]]]);
  assert.equal(new Matcher(table.listeners[0]?.hosts ?? [], { path: () => () => undefined, whole: () => () => undefined }, assert.fail).find("b.org", plainPath("/"), { method: "GET", query: "", field: () => undefined })?.route.backends[0]?.backend, "default/api:80");
});
