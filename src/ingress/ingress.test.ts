import assert from "node:assert/strict";
import { test } from "node:test";
import type { Ingress } from "../kinds/networking/ingress.ts";
import { defaultOptions, routeOptions } from "./annotations.ts";
import { hostName, Matcher, plainPath } from "./match.ts";
import { ingressController, ingressTable, isOurs } from "./ingresses.ts";
import { Services, type Sources } from "./services.ts";
import type { Host } from "./table.ts";

const nginx = "nginx.ingress.kubernetes.io/";
const compile = (pattern: string) => {
  const regex = new RegExp(`^${pattern}`, "i");
  return (path: string): readonly string[] | undefined => regex.exec(path) ?? undefined;
};
type Rule = readonly [host: string, type: string, path: string, service: string];
/** An ingress: its rules, and what differs. Services are named `name:port`. */
function ingress(name: string, rules: readonly Rule[], more: { annotations?: { [name: string]: string }; className?: string; tls?: { hosts?: string[]; secretName?: string }[]; created?: string; defaultBackend?: string } = {}): Ingress {
  const backend = (service: string) => ({ service: { name: service.split(":")[0], port: /\d/.test(service.split(":")[1] ?? "") ? { number: Number(service.split(":")[1]) } : { name: service.split(":")[1] } } });
  return {
    metadata: { name, namespace: "default", uid: name, creationTimestamp: more.created ?? "2026-01-01T00:00:00Z", annotations: more.annotations ?? {} },
    spec: {
      ...(more.className === "" ? {} : { ingressClassName: more.className ?? "timonier" }), tls: more.tls ?? [],
      ...(more.defaultBackend ? { defaultBackend: backend(more.defaultBackend) } : {}),
      rules: rules.map(([host, pathType, path, service]) => ({ ...(host ? { host } : {}), http: { paths: [{ path, pathType, backend: backend(service) }] } })),
    },
    status: {},
  } as unknown as Ingress;
}
const classes = [{ metadata: { name: "timonier", annotations: { "ingressclass.kubernetes.io/is-default-class": "true" } }, spec: { controller: ingressController } }, { metadata: { name: "nginx" }, spec: { controller: ingressController } }, { metadata: { name: "other" }, spec: { controller: "example.com/other" } }] as never as Parameters<typeof ingressTable>[1];
function sources(): Sources {
  return {
    decodeBase64: text => `decoded ${text}`,
    service: (_namespace, name) => (name === "gone" ? undefined : { spec: { ports: [{ name: "web", port: 80 }, { name: "api", port: 81 }] } } as never),
    slices: (_namespace, name) => [{
      ports: [{ name: "web", port: 8080 }, { name: "api", port: 8081 }],
      endpoints: name === "ending"
        ? [{ addresses: ["10.0.0.1"], conditions: { ready: false, serving: true, terminating: true } }, { addresses: ["10.0.0.2"], conditions: { ready: false, serving: false, terminating: true } }]
        : [{ addresses: [`10.0.1.${name.length}`], conditions: { ready: true } }, { addresses: [`10.0.0.${name.length}`], conditions: {} }, { addresses: ["10.9.9.9"], conditions: { ready: false } }],
    }] as never,
    secret: (_namespace, name) => (name === "cert" ? { data: { "tls.crt": "C", "tls.key": "K" } } as never : undefined),
  };
}
const built = (...ingresses: Ingress[]) => { const services = new Services(sources()); return { ...ingressTable(ingresses, classes, services), backends: services.backends }; };
const table = (...ingresses: Ingress[]): readonly Host[] => built(...ingresses).hosts;
const asking = { method: "GET", query: "", field: () => undefined };
const patterns = { path: compile, whole: compile };
function found(hosts: readonly Host[], host: string, path: string): string {
  const match = new Matcher(hosts, patterns, assert.fail).find(host, plainPath(path), asking);
  return match ? `${match.route.backends[0]?.backend} ${match.path}` : "none";
}

const rules = ingress("site", [
  ["a.example.org", "Prefix", "/", "front:80"], ["a.example.org", "Prefix", "/api", "api:80"], ["a.example.org", "Exact", "/api", "exact:80"], ["a.example.org", "Prefix", "/api/v2/", "v2:web"],
  ["a.example.org", "ImplementationSpecific", "/im", "im:80"], ["*.example.org", "Prefix", "/", "wild:80"], ["", "Exact", "/any", "any:80"],
]);
for (const [host, path, want] of [
  ["a.example.org", "/", "front:80 /"], ["a.example.org", "/x", "front:80 /x"], ["A.Example.ORG:8443", "/x", "front:80 /x"], ["a.example.org.", "/x", "front:80 /x"],
  ["a.example.org", "/api", "exact:80 /api"], ["a.example.org", "/api/", "api:80 /api/"], ["a.example.org", "/api/x", "api:80 /api/x"], ["a.example.org", "/apix", "front:80 /apix"],
  ["a.example.org", "/api/v2", "v2:web /api/v2"], ["a.example.org", "/api/v2/x", "v2:web /api/v2/x"], ["a.example.org", "/im/x", "im:80 /im/x"],
  ["b.example.org", "/x", "wild:80 /x"], ["b.c.example.org", "/x", "none"], ["example.org", "/x", "none"], ["elsewhere", "/any", "any:80 /any"], ["elsewhere", "/any/x", "none"], ["", "/any", "any:80 /any"],
  ["a.example.org", "/x/../api/y", "api:80 /api/y"], ["a.example.org", "/x/%2E%2e/api/y", "api:80 /api/y"], ["a.example.org", "//api//y", "api:80 /api/y"],
] as const)
  test(`${host}${path} goes to ${want}`, () => assert.equal(found(table(rules), host, path).replace("default/", ""), want));

for (const [path, want] of [["/", "/"], ["/a/./b", "/a/b"], ["/a/../b/", "/b/"], ["/../../a", "/a"], ["/a/..", "/"], ["/a/.", "/a/"], ["/a/.b", "/a/.b"], ["/a/..b/c", "/a/..b/c"], ["//", "/"], ["/a//b", "/a/b"], ["/%2e%2E/a", "/a"], ["/a%2fb/../c", "/c"]] as const)
  test(`the path ${path} is plainly ${want}`, () => assert.equal(plainPath(path), want));

test("a host is what stands before the port", () => {
  assert.deepEqual(["a:80", "[::1]:80", "A.B.", ""].map(hostName), ["a", "[::1]", "a.b", ""]);
});

test("rewrite-target replaces the path, groups of a regular expression are kept", () => {
  const plain = table(ingress("a", [["", "Prefix", "/old", "web:80"]], { annotations: { [`${nginx}rewrite-target`]: "/new" } }));
  assert.equal(found(plain, "", "/old/x"), "default/web:80 /new");
  const groups = table(ingress("a", [["", "ImplementationSpecific", "/app(/|$)(.*)", "web:80"]], { annotations: { [`${nginx}rewrite-target`]: "/$2" } }));
  assert.deepEqual([found(groups, "", "/app/x/y"), found(groups, "", "/app"), found(groups, "", "/apple")], ["default/web:80 /x/y", "default/web:80 /", "none"]);
});

test("a pattern that is not supported leaves out its path only", () => {
  const hosts = table(ingress("a", [["", "ImplementationSpecific", "/(?!x)", "web:80"], ["", "Exact", "/y", "web:80"]], { annotations: { [`${nginx}use-regex`]: "true" } }));
  const warnings: string[] = [];
  const matcher = new Matcher(hosts, { path: pattern => { throw new Error(`no ${pattern}`); }, whole: compile }, text => warnings.push(text));
  assert.equal(matcher.find("", "/y", asking)?.route.path, "/y");
  assert.match(warnings[0] ?? "", /of default\/a/);
});

test("endpoints: the ready ones; if none is, those that still serve while ending; a service that is missing has none", () => {
  const endpoints = (service: string): readonly string[] | undefined => built(ingress("a", [["", "Prefix", "/", service]])).backends[`default/${service}`];
  assert.deepEqual([endpoints("web:api"), endpoints("ending:80"), endpoints("gone:80"), endpoints("web:99")], [["10.0.0.3:8081", "10.0.1.3:8081"], ["10.0.0.1:8080"], [], []]);
});

test("the older ingress keeps a path that two claim", () => {
  const hosts = table(ingress("young", [["h", "Prefix", "/", "young:80"]], { created: "2026-02-01T00:00:00Z" }), ingress("old", [["h", "Prefix", "/", "old:80"]]));
  assert.equal(found(hosts, "h", "/"), "default/old:80 /");
});

test("a default backend answers what no rule takes", () => {
  assert.deepEqual([found(table(ingress("a", [["h", "Exact", "/x", "web:80"]], { defaultBackend: "rest:80" })), "h", "/y"), found(table(ingress("a", [], { defaultBackend: "rest:80" })), "any", "/")], ["default/rest:80 /y", "default/rest:80 /"]);
});

for (const [className, annotation, want] of [["timonier", undefined, true], ["nginx", undefined, true], ["other", undefined, false], ["missing", undefined, false], ["", undefined, true], ["", "nginx", true], ["", "other", false]] as const)
  test(`class "${className}" and annotation ${annotation}: ours is ${want}`, () => {
    assert.equal(isOurs(ingress("a", [], { className, ...(annotation ? { annotations: { "kubernetes.io/ingress.class": annotation } } : {}) }), classes), want);
  });

test("a canary joins the path that it shadows, and is nothing alone", () => {
  const canary = ingress("canary", [["h", "Prefix", "/", "new:80"], ["h", "Prefix", "/alone", "new:80"]], { annotations: { [`${nginx}canary`]: "true", [`${nginx}canary-weight`]: "10" } });
  const hosts = table(canary, ingress("main", [["h", "Prefix", "/", "web:80"]]));
  assert.deepEqual(hosts.map(({ host, routes }) => [host, routes.map(route => [route.path, route.backends[0]?.backend, route.canary?.backend, route.canary?.rules.weight])]), [["h", [["/", "default/web:80", "default/new:80", 10]]]]);
});

test("certificates come from secrets; a missing one is said", () => {
  const { hosts, certificates, warnings } = built(ingress("a", [["h", "Prefix", "/", "web:80"], ["i", "Prefix", "/", "web:80"]], { tls: [{ hosts: ["h"], secretName: "cert" }, { hosts: ["i"], secretName: "lost" }] }));
  assert.deepEqual(certificates, [{ hosts: ["h"], cert: "decoded C", key: "decoded K" }]);
  assert.deepEqual([hosts.map(({ tls }) => tls), warnings.length], [[true, true], 1]);
});

for (const [annotations, want] of [
  [{}, {}],
  [{ "proxy-body-size": "8m", "proxy-read-timeout": "600", "backend-protocol": "grpc" }, { bodyBytesMax: 8 * 1024 * 1024, readMs: 600_000, backend: "GRPC" }],
  [{ "proxy-body-size": "0", "ssl-redirect": "false" }, { bodyBytesMax: 0, sslRedirect: "never" }],
  [{ "force-ssl-redirect": "true" }, { sslRedirect: "always" }],
  [{ "whitelist-source-range": "10.0.0.0/8, 192.168.0.1" }, { allow: ["10.0.0.0/8", "192.168.0.1"] }],
  [{ affinity: "cookie", "session-cookie-name": "route", "session-cookie-max-age": "60" }, { affinity: { cookie: "route", maxAgeSeconds: 60, path: "/" } }],
  [{ "permanent-redirect": "https://elsewhere/" }, { redirect: { to: "https://elsewhere/", status: 301 } }],
] as const)
  test(`annotations ${JSON.stringify(annotations)} are understood`, () => {
    assert.deepEqual(routeOptions(Object.fromEntries(Object.entries(annotations).map(([name, value]) => [nginx + name, value])), assert.fail), { ...defaultOptions, ...want });
  });

for (const [name, value] of [["proxy-body-size", "big"], ["configuration-snippet", "deny all;"], ["server-snippet", "x"], ["backend-protocol", "FCGI"], ["session-cookie-name", "a;b"], ["rewrite-target", "no-slash"], ["permanent-redirect", "javascript:x"], ["nothing-known", "1"]] as const)
  test(`annotation ${name}: ${value} has no effect and a warning`, () => {
    const warnings: string[] = [];
    assert.deepEqual(routeOptions({ [nginx + name]: value, "example.com/other": "x" }, text => warnings.push(text)), defaultOptions);
    assert.ok(warnings.length >= 1);
  });

test("annotations that lack what they belong to, paths of another Ingress, canaries without a main one: each is said", () => {
  const said: string[] = [];
  routeOptions({ [`${nginx}session-cookie-path`]: "/x", [`${nginx}canary-weight`]: "5", [`${nginx}permanent-redirect-code`]: "301", [`${nginx}whitelist-source-range`]: "10.0.0.0/8", [`${nginx}allowlist-source-range`]: "11.0.0.0/8" }, text => said.push(text));
  assert.deepEqual(said.map(text => text.replaceAll(nginx, "").replace("annotation ", "")), [
    "session-cookie-path has no effect without affinity: cookie", 'canary-weight has no effect without canary: "true"', "permanent-redirect-code has no effect without permanent-redirect", "allowlist-source-range has no effect beside whitelist-source-range, which is the same",
  ]);
  const { warnings } = built(
    ingress("first", [["h", "Prefix", "/", "web:80"], ["h", "Prefix", "/", "web:80"]], { created: "2025-01-01T00:00:00Z" }), ingress("second", [["h", "Prefix", "/", "web:80"]]),
    ingress("canary", [["h", "Prefix", "/alone", "new:80"]], { annotations: { [`${nginx}canary`]: "true" } }),
  );
  assert.deepEqual(warnings.map(({ ingress: { metadata }, text }) => `${metadata.name}: ${text}`), [
    "second: path / of host h is served as the older Ingress default/first says", "canary: path /alone of host h is not served: a canary needs an Ingress without canary for the same path",
  ]);
});
