import assert from "node:assert/strict";
import { test } from "node:test";
import { bodyOf, settle, startHarness, type Harness } from "../../../test/transcripts/harness.ts";
import type { HttpResponse } from "../http.ts";
import type { FetchRemote, RemoteCall } from "./remote.ts";
import { mergeDocuments } from "./remote-openapi.ts";

const json = { "content-type": "application/json" };
const post = (harness: Harness, target: string, body: unknown): Promise<HttpResponse> => harness.send("POST", target, { headers: json, body: JSON.stringify(body) });
const read = async (harness: Harness, target: string, headers: { readonly [name: string]: string } = {}): Promise<any> => JSON.parse(String(await bodyOf(await harness.send("GET", target, { headers }))));

const apiService = { metadata: { name: "v1.wardle.example.com" }, spec: { group: "wardle.example.com", version: "v1", groupPriorityMinimum: 2000, versionPriority: 200, service: { namespace: "wardle", name: "api", port: 7443 }, caBundle: Buffer.from("PEM").toString("base64") } };
const service = (ports: unknown = [{ port: 7443, targetPort: 443 }]) => ({ metadata: { name: "api", namespace: "wardle" }, spec: { selector: { app: "wardle" }, ports } });
const slice = (ready: boolean) => ({ metadata: { name: "api-1", namespace: "wardle", labels: { "kubernetes.io/service-name": "api" } }, addressType: "IPv4", endpoints: [{ addresses: ["10.1.2.3"], conditions: { ready } }], ports: [{ name: "", port: 443 }] });

const flunders = { resource: "flunders", responseKind: { group: "wardle.example.com", version: "v1", kind: "Flunder" }, scope: "Namespaced", singularResource: "flunder", verbs: ["get", "list"] };
const openapi = {
  swagger: "2.0", paths: { "/apis/wardle.example.com/v1/flunders": { get: { responses: { 200: { schema: { $ref: "#/definitions/wardle.v1.Flunder" } } } } }, "/apis/other/v1/x": {} },
  definitions: { "wardle.v1.Flunder": { properties: { metadata: { $ref: "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta" } } }, "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta": { description: "another" }, unused: {} },
};

type Other = { down?: string; legacy?: boolean; onlyV2?: boolean; openapi?: object; readonly calls: RemoteCall[]; readonly fetch: FetchRemote };
function otherServer(): Other {
  const other: Other = { calls: [], fetch: async call => {
    other.calls.push(call);
    if (other.down !== undefined) throw new Error(other.down);
    const answer = (body: unknown, type = "application/json") => ({ status: 200, headers: { "content-type": type }, body: JSON.stringify(body) });
    switch (call.path) {
      case "/apis": return other.legacy === true ? { status: 404, headers: {}, body: "" } : answer({ items: [{ metadata: { name: "wardle.example.com" }, versions: [{ version: "v1", resources: [flunders] }] }] }, "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList");
      case "/apis/wardle.example.com/v1": return answer({ resources: [{ name: "flunders", namespaced: true, kind: "Flunder", singularName: "flunder", verbs: ["get"] }, { name: "flunders/status", namespaced: true, kind: "Flunder", verbs: ["update"] }] });
      case "/openapi/v2": return answer(other.openapi ?? openapi);
      case "/openapi/v3": return other.onlyV2 === true ? { status: 404, headers: {}, body: "" } : answer({ paths: Object.fromEntries(["apis/wardle.example.com/v1", "apis/wardle.example.com", "version", "apis/apps"].map(path => [path, { serverRelativeURL: `/openapi/v3/${path}?hash=AB` }])) });
      default: return { status: 404, headers: {}, body: "" };
    }
  } };
  return other;
}

async function start(): Promise<{ readonly harness: Harness; readonly other: Other; readonly stop: () => Promise<void>; readonly condition: () => Promise<string> }> {
  const other = otherServer();
  const harness = await startHarness({ fetchRemote: other.fetch, authorizer: () => ({ authorize: () => ({ allowed: true }), rules: () => ({ resourceRules: [], nonResourceRules: [], incomplete: false }) }) });
  const until = new AbortController();
  const running = harness.api.run(until.signal);
  for (const name of ["default", "wardle"]) await post(harness, "/api/v1/namespaces", { metadata: { name } });
  const rest = async (): Promise<void> => {
    for (let i = 0; i < 60; i++) await settle();
  };
  return {
    harness, other,
    stop: async () => {
      until.abort();
      await running;
      await harness.close();
    },
    condition: async () => {
      await rest();
      const { status } = await read(harness, "/apis/apiregistration.k8s.io/v1/apiservices/v1.wardle.example.com");
      return (status.conditions ?? []).map((each: any) => `${each.status} ${each.reason}: ${each.message}`).join("; ");
    },
  };
}

test("whether another API server can be reached is said in upstream's words, step by step", async () => {
  const { harness, other, condition, stop } = await start();
  assert.equal((await post(harness, "/apis/apiregistration.k8s.io/v1/apiservices", apiService)).status, 201);
  assert.equal(await condition(), 'False ServiceNotFound: service/api in "wardle" is not present');
  await post(harness, "/api/v1/namespaces/wardle/services", service([{ port: 80 }]));
  assert.equal(await condition(), 'False ServicePortError: service/api in "wardle" is not listening on port 7443');
  await harness.send("DELETE", "/api/v1/namespaces/wardle/services/api");
  await post(harness, "/api/v1/namespaces/wardle/services", service());
  assert.equal(await condition(), 'False EndpointsNotFound: cannot find endpointslices for service/api in "wardle"');
  await post(harness, "/apis/discovery.k8s.io/v1/namespaces/wardle/endpointslices", slice(false));
  assert.equal(await condition(), 'False MissingEndpoints: endpointslices for service/api in "wardle" have no addresses with port name ""');
  assert.equal((await harness.send("GET", "/apis/wardle.example.com/v1/flunders")).status, 503);
  other.down = 'Get "https://10.1.2.3:443/apis/wardle.example.com/v1": dial tcp 10.1.2.3:443: connect: connection refused';
  await harness.send("PUT", "/apis/discovery.k8s.io/v1/namespaces/wardle/endpointslices/api-1", { headers: json, body: JSON.stringify(slice(true)) });
  assert.equal(await condition(), `False FailedDiscoveryCheck: failing or missing response from https://10.1.2.3:443/apis/wardle.example.com/v1: ${other.down}`);
  const before = other.calls.length;
  delete other.down;
  await harness.clock.advance(30_000);
  assert.equal(await condition(), "True Passed: all checks passed");
  assert.ok(other.calls.length > before);
  assert.deepEqual([other.calls.at(-1)!.headers["x-remote-user"], other.calls.at(-1)!.headers["x-remote-group"], other.calls.at(-1)!.at], ["system:kube-aggregator", ["system:masters"], { address: "10.1.2.3", port: 443, trust: { type: "aggregated", serverName: "api.wardle.svc", insecure: false, ca: "PEM" } }]);
  other.down = "gone";
  await harness.clock.advance(31_000);
  assert.match(await condition(), /^False FailedDiscoveryCheck: .*gone$/);
  await harness.send("DELETE", "/apis/apiregistration.k8s.io/v1/apiservices/v1.wardle.example.com");
  assert.equal((await harness.send("GET", "/apis/wardle.example.com/v1/flunders")).status, 404);
  await stop();
});

async function available(): Promise<Awaited<ReturnType<typeof start>>> {
  const made = await start();
  await post(made.harness, "/apis/apiregistration.k8s.io/v1/apiservices", apiService);
  await post(made.harness, "/api/v1/namespaces/wardle/services", service());
  await post(made.harness, "/apis/discovery.k8s.io/v1/namespaces/wardle/endpointslices", slice(true));
  assert.equal(await made.condition(), "True Passed: all checks passed");
  return made;
}

test("a request is passed on to the endpoint with who asks, whatever its verb", async () => {
  const { harness, stop } = await available();
  for (const [method, target] of [["GET", "/apis/wardle.example.com/v1/namespaces/x/flunders?watch=1"], ["POST", "/apis/wardle.example.com/v1/namespaces/x/flunders"]] as const) {
    const { content } = await harness.send(method, target, { user: "alice", headers: { "x-remote-user": "mallory", "audit-id": "a1" } });
    assert.deepEqual(content.type === "forward" && content.to, { address: "10.1.2.3", port: 443, scheme: "https", target, trust: { type: "aggregated", serverName: "api.wardle.svc", insecure: false, ca: "PEM" }, headers: { "x-remote-user": "alice", "x-remote-group": ["system:authenticated"], "audit-id": "a1" } });
  }
  const discovery = await harness.send("GET", "/apis/wardle.example.com/v1");
  assert.equal(discovery.content.type === "forward" && discovery.content.to.answerMs, 5_000);
  const absent = ["/apis/wardle.example.com/v9", "/apis/wardle.example.com/v9/x", "/apis/apps/v9", "/apis/apps/v9/x"];
  assert.deepEqual(await Promise.all(absent.map(async target => (await harness.send("GET", target)).headers["content-type"])), ["text/plain; charset=utf-8", "text/plain; charset=utf-8", "application/json", "application/json"], "only our own groups have a router that knows them");
  await stop();
});

test("discovery and OpenAPI show other servers' groups where their priority puts them; a server that is gone leaves a stale version", async () => {
  const { harness, other, condition, stop } = await available();
  const aggregated = { accept: "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList" };
  const groups = (await read(harness, "/apis")).groups;
  assert.deepEqual(groups.at(-2), { name: "wardle.example.com", versions: [{ groupVersion: "wardle.example.com/v1", version: "v1" }], preferredVersion: { groupVersion: "wardle.example.com/v1", version: "v1" } });
  assert.equal((await read(harness, "/apis/wardle.example.com")).kind, "APIGroup");
  assert.deepEqual((await read(harness, "/apis", aggregated)).items.at(-2), { metadata: { name: "wardle.example.com" }, versions: [{ version: "v1", resources: [flunders], freshness: "Current" }] });
  const v2 = await read(harness, "/openapi/v2");
  const meta = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
  assert.deepEqual([Object.keys(v2.paths).filter(path => path.includes("wardle") || path.includes("other")), v2.definitions["wardle.v1.Flunder"].properties.metadata.$ref, v2.definitions[`${meta}_v2`].description, "unused" in v2.definitions], [["/apis/wardle.example.com/v1/flunders"], `#/definitions/${meta}_v2`, "another", false]);
  const theirs = ["apis/wardle.example.com", "apis/wardle.example.com/v1"].map(path => `/openapi/v3/${path}?hash=AB`);
  assert.deepEqual(Object.values<any>((await read(harness, "/openapi/v3")).paths).map(each => each.serverRelativeURL).filter(each => each.endsWith("AB")), theirs, "the version's and its group's, nobody else's");
  for (const target of theirs) assert.equal((await harness.send("GET", target)).content.type, "forward");
  other.down = "gone";
  await harness.clock.advance(31_000);
  await condition();
  assert.deepEqual((await read(harness, "/apis", aggregated)).items.at(-2).versions, [{ version: "v1", freshness: "Stale" }]);
  delete other.down;
  other.legacy = true;
  const bare = { group: "", version: "", kind: "Flunder" }; // clients take the list's own
  await harness.clock.advance(31_000);
  await condition();
  assert.deepEqual((await read(harness, "/apis", aggregated)).items.at(-2).versions, [{ version: "v1", resources: [{ resource: "flunders", responseKind: bare, scope: "Namespaced", singularResource: "flunder", verbs: ["get"], subresources: [{ subresource: "status", responseKind: bare, verbs: ["update"] }] }], freshness: "Current" }]);
  await stop();
});

test("a server that has only OpenAPI v2 is described in v3 too; what it describes changes with it, and goes with the API service", async () => {
  const { harness, other, condition, stop } = await available();
  const path = "apis/wardle.example.com/v1";
  other.onlyV2 = true;
  await harness.clock.advance(31_000);
  await condition();
  const place = async (): Promise<string | undefined> => (await read(harness, "/openapi/v3")).paths[path]?.serverRelativeURL;
  const first = await place();
  assert.match(first ?? "", /^\/openapi\/v3\/apis\/wardle\.example\.com\/v1\?hash=[0-9A-F]{128}$/);
  assert.deepEqual((await read(harness, first!)).components.schemas["wardle.v1.Flunder"].properties, { metadata: { $ref: "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta" } });
  const etags = async (): Promise<readonly unknown[]> => [(await harness.send("GET", "/openapi/v2")).headers.etag, await place()];
  const before = await etags();
  await harness.clock.advance(31_000);
  assert.deepEqual(await etags(), before, "what has not changed keeps its ETag");
  other.openapi = { ...openapi, definitions: { ...openapi.definitions, "wardle.v1.Flunder": { description: "changed" } } };
  await harness.clock.advance(31_000);
  await condition();
  assert.deepEqual((await etags()).map((etag, i) => etag === before[i]), [false, false]);
  assert.equal((await harness.send("GET", first!)).status, 301, "an old hash leads to the new one");
  const v2 = async (): Promise<any> => read(harness, "/openapi/v2");
  assert.equal((await v2()).definitions["wardle.v1.Flunder"].description, "changed");
  await harness.send("DELETE", "/apis/apiregistration.k8s.io/v1/apiservices/v1.wardle.example.com");
  assert.deepEqual([await place(), Object.keys((await v2()).paths).filter(each => each.includes("wardle")), "wardle.v1.Flunder" in (await v2()).definitions], [undefined, [], false]);
  await stop();
});

test("an API service is defaulted and refused as upstream does", async () => {
  const harness = await startHarness();
  const refused = async (spec: object): Promise<string> => JSON.parse(String(await bodyOf(await post(harness, "/apis/apiregistration.k8s.io/v1/apiservices", { metadata: { name: "v1.a.b" }, spec: { group: "a.b", version: "v1", groupPriorityMinimum: 1, versionPriority: 1, ...spec } })))).message;
  assert.match(await refused({ service: { port: 0 } }), /\[spec.service.namespace: Required value, spec.service.name: Required value, spec.service.port: Invalid value: 0: port is not valid: must be between 1 and 65535, inclusive\]/);
  assert.match(await refused({ insecureSkipTLSVerify: true, caBundle: "QQ==" }), /spec.caBundle: Invalid value: "1 bytes": local APIServices may not have a caBundle, spec.insecureSkipTLSVerify: Invalid value: true: local APIServices may not have insecureSkipTLSVerify/);
  assert.equal(await refused({ service: { namespace: "x", name: "y" } }), undefined);
  assert.equal((await read(harness, "/apis/apiregistration.k8s.io/v1/apiservices/v1.a.b")).spec.service.port, 443);
  await harness.close();
});

test("metrics.k8s.io is answered without an APIService, so that a chart can install its own", async () => {
  const { harness, stop, condition } = await start();
  await post(harness, "/apis/apiregistration.k8s.io/v1/apiservices", apiService);
  await condition();
  const names = (await read(harness, "/apis/apiregistration.k8s.io/v1/apiservices")).items.map((each: any) => each.metadata.name);
  assert.deepEqual(["v1.", "v1.apps", "v1beta1.metrics.k8s.io"].filter(name => names.includes(name)), ["v1.", "v1.apps"]);
  assert.ok((await read(harness, "/apis")).groups.some((each: any) => each.name === "metrics.k8s.io"));
  const theirs = { metadata: { name: "v1beta1.metrics.k8s.io" }, spec: { ...apiService.spec, group: "metrics.k8s.io", version: "v1beta1", groupPriorityMinimum: 100, versionPriority: 100 } };
  assert.equal((await post(harness, "/apis/apiregistration.k8s.io/v1/apiservices", theirs)).status, 201);
  await stop();
});

test("what two versions of another server have in common is renamed once", () => {
  const theirs = (path: string) => ({ paths: { [path]: { $ref: "#/definitions/M" } }, definitions: { M: { type: "string" } } });
  const merged = mergeDocuments({ paths: {}, definitions: { M: { type: "object" } } }, [theirs("/v1/"), theirs("/v2/")]);
  assert.deepEqual(merged, { paths: { "/v1/": { $ref: "#/definitions/M_v2" }, "/v2/": { $ref: "#/definitions/M_v2" } }, definitions: { M: { type: "object" }, M_v2: { type: "string" } }, parameters: {} });
});

test("an APIService of our own groups is its owner's once it is made; a custom resource's is kept as it is wanted", async () => {
  const { harness, stop, condition } = await start();
  const at = "/apis/apiregistration.k8s.io/v1/apiservices";
  await post(harness, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", { metadata: { name: "foos.x.io" }, spec: { group: "x.io", scope: "Namespaced", names: { plural: "foos", kind: "Foo" }, versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } }] } });
  for (const [name, automanaged] of [["v1.other.io", "onstart"], ["v1.gone.io", "true"]] as const) await post(harness, at, { metadata: { name, labels: { "kube-aggregator.kubernetes.io/automanaged": automanaged } }, spec: { group: name.slice(3), version: "v1", groupPriorityMinimum: 5, versionPriority: 5 } });
  await condition();
  await harness.send("DELETE", `${at}/v1.apps`);
  for (const name of ["v1.x.io", "v1.batch"]) await harness.send("PATCH", `${at}/${name}`, { headers: { "content-type": "application/merge-patch+json" }, body: JSON.stringify({ spec: { groupPriorityMinimum: 7 } }) });
  await condition();
  const states = await Promise.all(["v1.apps", "v1.batch", "v1.x.io", "v1.other.io", "v1.gone.io"].map(async name => (await read(harness, `${at}/${name}`)).spec?.groupPriorityMinimum));
  assert.deepEqual(states, [undefined, 7, 1000, 5, undefined]);
  await stop();
});
