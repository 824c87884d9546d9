import assert from "node:assert/strict";
import { test } from "node:test";
import { bodyOf, Collector, openWatch, settle, startHarness, type Harness } from "../../../test/transcripts/harness.ts";
import { slowReaderBytesMax } from "../watch.ts";
import type { WebhookCall } from "../webhook.ts";

type Sent = { readonly status: number; readonly body: any };
type Running = Harness & {
  /** `desired version: names`, one for each call of the webhook. */
  readonly asked: string[];
  answer: (review: any) => object;
  call(method: string, target: string, body?: unknown, headers?: { readonly [name: string]: string }): Promise<Sent>;
  stop(): Promise<void>;
};

/** v1 has spec.hostPort, v2 has spec.host and spec.port. */
function converted(object: any, apiVersion: string): any {
  const { hostPort, host, port, ...rest } = object.spec ?? {};
  const [a = "", b = ""] = String(hostPort ?? "").split(":");
  const spec = object.apiVersion.endsWith("v1") ? { ...rest, host: a, port: b } : { ...rest, hostPort: `${host}:${port}` };
  return { ...object, apiVersion, spec };
}

async function start(): Promise<Running> {
  const asked: string[] = [];
  const running: { answer: Running["answer"] } = { answer: () => ({}) };
  const harness = await startHarness({ compilePattern: () => () => true, postJson: async ({ body, url }: WebhookCall) => {
    const { request } = JSON.parse(body);
    if (request.objects === undefined) return { status: 200, body: JSON.stringify({ kind: "AdmissionReview", apiVersion: "admission.k8s.io/v1", response: { uid: request.uid, allowed: true, ...self.answer({ request, url }) } }) };
    asked.push(`${request.desiredAPIVersion.slice(12)}: ${request.objects.map((each: any) => each.metadata.name).join(" ")}`);
    const response = { uid: request.uid, result: { status: "Success" }, convertedObjects: request.objects.map((each: any) => converted(each, request.desiredAPIVersion)) };
    const answer = { kind: "ConversionReview", apiVersion: "apiextensions.k8s.io/v1", response, ...self.answer({ request, response, url }) };
    return { status: 200, body: JSON.stringify(answer) };
  } });
  const stop = new AbortController();
  const run = harness.api.run(stop.signal);
  const rest = async (): Promise<void> => {
    for (let i = 0; i < 10; i++) await settle();
  };
  const self: Running = Object.assign(running, harness, {
    asked,
    call: async (method: string, target: string, body?: unknown, headers = {}): Promise<Sent> => {
      const response = await harness.send(method, target, { headers: { "content-type": "application/json", ...headers }, body: body === undefined ? "" : JSON.stringify(body) });
      const text = String(await bodyOf(response));
      await rest();
      return { status: response.status, body: text.startsWith("{") ? JSON.parse(text) : text };
    },
    stop: async () => {
      stop.abort();
      await run;
      await harness.close();
    },
  });
  await self.call("POST", "/api/v1/namespaces", { metadata: { name: "default" } });
  await self.call("POST", definitions, definition("v1"));
  return self;
}

const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const at = (version: string, name = "") => `/apis/example.com/${version}/namespaces/default/hosts${name === "" ? "" : `/${name}`}`;
const merge = { "content-type": "application/merge-patch+json" };
const apply = { "content-type": "application/apply-patch+yaml" };
const text = { type: "string" };
function definition(storage: string, conversion: object = { strategy: "Webhook", webhook: { conversionReviewVersions: ["v1"], clientConfig: { url: "https://hooks/convert" } } }) {
  const version = (name: string, properties: object, more: object = {}) => ({ name, served: true, storage: name === storage, subresources: { status: {} }, schema: { openAPIV3Schema: { type: "object", properties: { spec: { type: "object", properties: { note: text, ...properties } }, status: { type: "object", properties: { up: { type: "boolean" } } } } } }, ...more });
  return {
    metadata: { name: "hosts.example.com" },
    spec: { group: "example.com", scope: "Namespaced", names: { plural: "hosts", kind: "Host" }, conversion, versions: [version("v1", { hostPort: text }), version("v2", { host: text, port: text }, { selectableFields: [{ jsonPath: ".spec.host" }], additionalPrinterColumns: [{ name: "Host", type: "string", jsonPath: ".spec.host" }] })] },
  };
}
const host = (name: string, spec: object, version = "v1") => ({ apiVersion: `example.com/${version}`, kind: "Host", metadata: { name }, spec });
const storedVersion = (server: Running, name: string): string => JSON.parse(server.store.get(`/registry/example.com/hosts/default/${name}`)!.value).apiVersion;

test("an object is read, changed and stored in whatever version is asked for", async () => {
  const server = await start();
  assert.deepEqual((await server.call("POST", at("v1"), host("a", { hostPort: "x:1" }))).body.spec, { hostPort: "x:1" });
  assert.deepEqual(server.asked, []);
  const { body } = await server.call("GET", at("v2", "a"));
  assert.deepEqual([body.apiVersion, body.spec, body.metadata.name, body.metadata.resourceVersion !== undefined], ["example.com/v2", { host: "x", port: "1" }, "a", true]);
  assert.deepEqual(server.asked, ["v2: a"]);
  assert.deepEqual((await server.call("POST", at("v2"), host("b", { host: "y", port: "2" }, "v2"))).body.spec, { host: "y", port: "2" });
  assert.deepEqual([storedVersion(server, "b"), (await server.call("GET", at("v1", "b"))).body.spec], ["example.com/v1", { hostPort: "y:2" }]);
  assert.deepEqual((await server.call("PATCH", at("v2", "a"), { spec: { port: "9" } }, merge)).body.spec, { host: "x", port: "9" });
  assert.deepEqual((await server.call("GET", at("v1", "a"))).body.spec, { hostPort: "x:9" });
  const status = await server.call("PUT", `${at("v2", "a")}/status`, { ...(await server.call("GET", at("v2", "a"))).body, status: { up: true } });
  assert.deepEqual([status.body.status, status.body.spec], [{ up: true }, { host: "x", port: "9" }]);
  assert.deepEqual((await server.call("GET", at("v1", "a"))).body.status, { up: true });
  assert.equal((await server.call("DELETE", at("v2", "a"))).status, 200);
  await server.stop();
});

test("a webhook for one version sees and changes what is patched in another, in each manner", async () => {
  const server = await start();
  const { resourceVersion } = (await server.call("POST", at("v1"), host("a", { hostPort: "x:1" }))).body.metadata;
  const seen: string[] = [];
  server.answer = ({ request }) => {
    if (request.objects !== undefined) return {};
    const of = (object: any) => `${object.apiVersion.slice(12)} ${object.spec.host}:${object.spec.port} ${object.metadata.resourceVersion !== undefined}`;
    seen.push(`${of(request.oldObject)} -> ${of(request.object)}`);
    return { patchType: "JSONPatch", patch: Buffer.from(JSON.stringify([{ op: "replace", path: "/spec/port", value: `${request.object.spec.port}0` }])).toString("base64") };
  };
  await server.call("POST", "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations", {
    metadata: { name: "m" },
    webhooks: [{ name: "m.example.com", sideEffects: "None", admissionReviewVersions: ["v1"], clientConfig: { url: "https://m" }, rules: [{ apiGroups: ["example.com"], apiVersions: ["v2"], operations: ["UPDATE"], resources: ["hosts"] }] }],
  });
  const put = (await server.call("PUT", at("v1", "a"), { ...host("a", { hostPort: "x:2" }), metadata: { name: "a", resourceVersion } })).body;
  const merged = (await server.call("PATCH", at("v1", "a"), { spec: { hostPort: "x:3" } }, merge)).body;
  const replaced = (await server.call("PATCH", at("v1", "a"), [{ op: "replace", path: "/spec/hostPort", value: "x:4" }], { "content-type": "application/json-patch+json" })).body;
  const applied = (await server.call("PATCH", `${at("v1", "a")}?fieldManager=me&force=true`, host("a", { hostPort: "x:5" }), apply)).body;
  assert.deepEqual([put, merged, replaced, applied].map(each => each.spec?.hostPort ?? each.message), ["x:20", "x:30", "x:40", "x:50"]);
  assert.deepEqual(seen, ["v2 x:1 true -> v2 x:2 true", "v2 x:20 true -> v2 x:3 true", "v2 x:30 true -> v2 x:4 true", "v2 x:40 true -> v2 x:5 true"]);
  await server.stop();
});

test("a list is converted in one call, mixed storage versions included, and a write that changes nothing moves an object to the storage version", async () => {
  const server = await start();
  await server.call("POST", at("v1"), host("a", { hostPort: "x:1" }));
  await server.call("POST", at("v1"), host("b", { hostPort: "x:2" }));
  await server.call("PATCH", `${definitions}/hosts.example.com`, { spec: definition("v2").spec }, merge);
  assert.deepEqual((await server.call("GET", `${definitions}/hosts.example.com`)).body.status.storedVersions, ["v1", "v2"]);
  await server.call("POST", at("v2"), host("c", { host: "y", port: "3" }, "v2"));
  server.asked.length = 0;
  assert.deepEqual((await server.call("GET", at("v2"))).body.items.map(({ apiVersion, spec }: any) => [apiVersion, spec.port]), [["example.com/v2", "1"], ["example.com/v2", "2"], ["example.com/v2", "3"]]);
  assert.deepEqual((await server.call("GET", at("v1"))).body.items.map(({ spec }: any) => spec.hostPort), ["x:1", "x:2", "y:3"]);
  assert.deepEqual(server.asked, ["v2: a b", "v1: c"]);
  const table = await server.call("GET", at("v2"), undefined, { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" });
  assert.deepEqual(table.body.rows.map(({ cells }: any) => cells.join(" ")), ["a x", "b x", "c y"]);
  assert.deepEqual([storedVersion(server, "a"), storedVersion(server, "c")], ["example.com/v1", "example.com/v2"]);
  const before = (await server.call("GET", at("v1", "a"))).body.metadata.resourceVersion;
  const after = (await server.call("PATCH", at("v1", "a"), {}, merge)).body.metadata.resourceVersion;
  assert.deepEqual([storedVersion(server, "a"), before === after], ["example.com/v2", false]);
  assert.equal((await server.call("PATCH", at("v1", "a"), {}, merge)).body.metadata.resourceVersion, after);
  await server.stop();
});

test("watchers of each version see its own form, in order", async () => {
  const server = await start();
  await server.call("POST", at("v1"), host("a", { hostPort: "x:1" }));
  const out = new Collector();
  const stop = new AbortController();
  const response = await server.send("GET", `${at("v2")}?watch=1`);
  const run = response.content.type === "stream" ? response.content.run(out, stop.signal) : undefined;
  await server.call("PATCH", at("v1", "a"), { spec: { hostPort: "x:2" } }, merge);
  await server.call("PATCH", at("v2", "a"), { spec: { port: "3" } }, merge);
  await server.call("DELETE", at("v1", "a"));
  const events = out.take().join("").trim().split("\n").map(line => JSON.parse(line));
  assert.deepEqual(events.map(({ type, object }) => [type, object.apiVersion, object.spec.port]), [["ADDED", "example.com/v2", "1"], ["MODIFIED", "example.com/v2", "2"], ["MODIFIED", "example.com/v2", "3"], ["DELETED", "example.com/v2", "3"]]);
  server.answer = () => ({ response: undefined });
  await server.call("POST", at("v1"), host("b", { hostPort: "x:1" }));
  assert.match(out.take().join(""), /"type":"ERROR".*conversion webhook for example.com\/v1, Kind=Host failed: no response provided/);
  stop.abort();
  await run;
  await server.stop();
});

test("what a watcher of another version has missed is converted and sent no faster than it reads", async () => {
  const server = await start();
  const note = "x".repeat(slowReaderBytesMax / 4);
  const { body: { metadata: { resourceVersion } } } = await server.call("GET", at("v1"));
  for (let i = 0; i < 12; i++) await server.call("POST", at("v1"), host(`a${i}`, { hostPort: "x:1", note }));
  server.asked.length = 0;
  const { out, ended, stop } = await openWatch(server, `${at("v2")}?watch=1&resourceVersion=${resourceVersion}`);
  const names: string[] = [];
  for (let turn = 0; turn < 200 && names.length < 13; turn++) {
    assert.ok(out.buffered <= slowReaderBytesMax, `${out.buffered} bytes wait`);
    names.push(...out.events().map(({ object }) => object.metadata.name));
    if (turn === 3) await server.call("POST", at("v1"), host("last", { hostPort: "x:1" }));
    await server.clock.advance(5);
  }
  assert.deepEqual([names, ended()], [[...Array.from({ length: 12 }, (_, i) => `a${i}`), "last"], false]);
  assert.ok(server.asked.length >= 6, "not all at once");
  await stop();
  await server.stop();
});

test("fields are selected in the version of the URL, in lists and watches", async () => {
  const server = await start();
  for (const [name, hostPort] of [["a", "x:1"], ["b", "y:1"], ["c", "x:2"]] as const) await server.call("POST", at("v1"), host(name, { hostPort }));
  const names = async (query: string): Promise<string> => ((await server.call("GET", `${at("v2")}?fieldSelector=${query}`)).body.items ?? []).map(({ metadata }: any) => metadata.name).join(" ");
  assert.deepEqual([await names("spec.host=x"), await names("spec.host!=x"), await names("spec.host=x,metadata.name=c")], ["a c", "b", "c"]);
  assert.equal((await server.call("GET", `${at("v1")}?fieldSelector=spec.host=x`)).body.message, "field label not supported: spec.host");
  server.asked.length = 0;
  await names("spec.host=x");
  assert.deepEqual(server.asked, ["v2: a b c"]);
  const out = new Collector();
  const stop = new AbortController();
  const response = await server.send("GET", `${at("v2")}?watch=1&fieldSelector=spec.host=x&resourceVersion=${(await server.call("GET", at("v2"))).body.metadata.resourceVersion}`);
  const run = response.content.type === "stream" ? response.content.run(out, stop.signal) : undefined;
  await server.call("PATCH", at("v1", "b"), { spec: { hostPort: "x:9" } }, merge);
  await server.call("PATCH", at("v1", "a"), { spec: { hostPort: "z:1" } }, merge);
  await server.call("POST", at("v1"), host("d", { hostPort: "y:1" }));
  assert.deepEqual(out.take().join("").trim().split("\n").map(line => JSON.parse(line)).map(({ type, object }) => `${type} ${object.metadata.name} ${object.spec.host}`), ["ADDED b x", "DELETED a x"]);
  stop.abort();
  await run;
  await server.stop();
});

test("owners of fields keep them across versions", async () => {
  const server = await start();
  const one = (version: string, spec: object, manager: string, force = "") => server.call("PATCH", `${at(version, "a")}?fieldManager=${manager}${force}`, host("a", spec, version), apply);
  assert.equal((await one("v1", { hostPort: "x:1", note: "n" }, "first")).status, 201);
  const refused = await one("v2", { host: "z" }, "second");
  assert.deepEqual([refused.status, refused.body.details.causes.map(({ field }: any) => field)], [409, [".spec.hostPort"]]);
  const forced = await one("v2", { host: "z" }, "second", "&force=true");
  assert.deepEqual([forced.status, forced.body.spec], [200, { host: "z", port: "1", note: "n" }]);
  const owners = (object: any) => object.metadata.managedFields.map(({ manager, apiVersion, fieldsV1 }: any) => `${manager} ${apiVersion} ${Object.keys(fieldsV1["f:spec"]).filter(key => key !== ".").join(" ")}`);
  assert.deepEqual(owners(forced.body), ["first example.com/v1 f:note", "second example.com/v2 f:host"]);
  const gone = await one("v1", {}, "first");
  assert.deepEqual(gone.body.spec, { hostPort: "z:1" });
  await server.stop();
});

test("so they do across versions that the server converts itself", async () => {
  const server = await start();
  const hpa = "/horizontalpodautoscalers/a";
  const scaled = { kind: "HorizontalPodAutoscaler", metadata: { name: "a" } };
  const target = { scaleTargetRef: { kind: "Deployment", name: "web", apiVersion: "apps/v1" } };
  await server.call("PATCH", `/apis/autoscaling/v1/namespaces/default${hpa}?fieldManager=first`, { apiVersion: "autoscaling/v1", ...scaled, spec: { ...target, maxReplicas: 3, targetCPUUtilizationPercentage: 50 } }, apply);
  const { body } = await server.call("PATCH", `/apis/autoscaling/v2/namespaces/default${hpa}?fieldManager=second`, { apiVersion: "autoscaling/v2", ...scaled, spec: { ...target, maxReplicas: 3, minReplicas: 2 } }, apply);
  assert.deepEqual(body.metadata.managedFields.map(({ manager, apiVersion, fieldsV1 }: any) => `${manager} ${apiVersion} ${Object.keys(fieldsV1["f:spec"]).join(" ")}`), [
    "first autoscaling/v1 f:maxReplicas f:scaleTargetRef f:targetCPUUtilizationPercentage", "second autoscaling/v2 f:maxReplicas f:minReplicas f:scaleTargetRef",
  ]);
  await server.call("PATCH", `/apis/autoscaling/v1/namespaces/default${hpa}?fieldManager=third`, { spec: { targetCPUUtilizationPercentage: 60 } }, merge);
  const { metadata } = (await server.call("GET", `/apis/autoscaling/v2/namespaces/default${hpa}`)).body;
  assert.deepEqual(metadata.managedFields.find(({ manager }: any) => manager === "third").fieldsV1, { "f:spec": { "f:targetCPUUtilizationPercentage": {} } });
  await server.stop();
});

test("what a webhook may not answer is refused in upstream's words", async () => {
  const server = await start();
  await server.call("POST", at("v1"), host("a", { hostPort: "x:1" }));
  const cases: readonly (readonly [(review: any) => object, string])[] = [
    [() => { throw new Error("boom"); }, "conversion webhook for example.com/v1, Kind=Host failed: boom"],
    [() => ({ kind: "X" }), "conversion webhook for example.com/v1, Kind=Host failed: expected webhook response of apiextensions.k8s.io/v1, Kind=ConversionReview, got apiextensions.k8s.io/v1, Kind=X"],
    [({ response, request }) => ({ response: { ...response, uid: "x" }, request }), 'failed: expected response.uid="'],
    [({ response }) => ({ response: { ...response, result: { status: "Failed", message: "no way" } } }), "conversion webhook for example.com/v1, Kind=Host failed: no way"],
    [({ response }) => ({ response: { ...response, result: {} } }), "failed: response.result.status was '', not 'Success'"],
    [({ response }) => ({ response: { ...response, convertedObjects: [] } }), "conversion webhook for example.com/v1, Kind=Host returned 0 objects, expected 1"],
    [({ response, request }) => ({ response: { ...response, convertedObjects: request.objects } }), "returned invalid object at index 0: invalid groupVersion (expected example.com/v2, received example.com/v1)"],
    [({ response }) => ({ response: { ...response, convertedObjects: response.convertedObjects.map((each: any) => ({ ...each, metadata: { ...each.metadata, name: "b" } })) } }), "returned invalid object: must have the same name: a != b"],
    [({ response }) => ({ response: { ...response, convertedObjects: response.convertedObjects.map((each: any) => ({ ...each, metadata: { ...each.metadata, labels: { a: "b c" } } })) } }), 'returned invalid metadata: metadata.labels: Invalid value: "b c": a valid label'],
  ];
  for (const [answer, message] of cases) {
    server.answer = answer;
    const { status, body } = await server.call("GET", at("v2", "a"));
    assert.deepEqual([status, body.reason, body.message.includes(message)], [500, undefined, true], `${message}\n${body.message}`);
  }
  assert.match((await server.call("GET", at("v2"))).body.message, /^conversion webhook for example.com\/v1, Kind=Host returned invalid metadata: /);
  server.answer = ({ response }) => ({ response: { ...response, convertedObjects: response.convertedObjects.map((each: any) => ({ ...each, metadata: { name: "a", namespace: "default", uid: each.metadata.uid, labels: { a: "b" }, finalizers: ["x/y"] } })) } });
  const { metadata } = (await server.call("GET", at("v2", "a"))).body;
  assert.deepEqual([metadata.labels, metadata.finalizers, typeof metadata.creationTimestamp], [{ a: "b" }, undefined, "string"]);
  await server.stop();
});

test("a definition's conversion is checked as upstream checks it", async () => {
  const server = await start();
  const refused = async (conversion: object): Promise<string> => (await server.call("PUT", `${definitions}/hosts.example.com?dryRun=All`, { ...definition("v1", conversion), metadata: (await server.call("GET", `${definitions}/hosts.example.com`)).body.metadata })).body.message ?? "";
  assert.match(await refused({ strategy: "Other" }), /spec.conversion.strategy: Unsupported value: "Other": supported values: "None", "Webhook"/);
  assert.match(await refused({ strategy: "Webhook" }), /spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook, spec.conversion.conversionReviewVersions: Required value/);
  assert.match(await refused({ strategy: "None", webhook: { conversionReviewVersions: ["v1"], clientConfig: {} } }), /spec.conversion.webhookClientConfig: Forbidden: should not be set when strategy is not set to Webhook/);
  assert.match(await refused({ strategy: "Webhook", webhook: { conversionReviewVersions: ["v9", "v9"], clientConfig: { url: "http://x" } } }), /url: Invalid value: "http": 'https' is the only allowed URL scheme; .*conversionReviewVersions\[1\]: Invalid value: "v9": duplicate version, .*must include at least one of v1, v1beta1/);
  assert.match(await refused({ strategy: "Webhook", webhook: { conversionReviewVersions: ["v1"], clientConfig: { service: { name: "x", namespace: "y", port: 0 } } } }), /spec.conversion.webhookClientConfig.service.port: Invalid value: 0/);
  await server.stop();
});
