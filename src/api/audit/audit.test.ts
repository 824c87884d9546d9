import assert from "node:assert/strict";
import { test } from "node:test";
import { bodyOf, Collector, settle, startHarness, TestClock, type Harness } from "../../../test/transcripts/harness.ts";
import { silent } from "../../base/log.ts";
import type { Json } from "../../base/json.ts";
import { parseRequest } from "../request-info.ts";
import { attributesOf } from "../server.ts";
import { loadAuditPolicy } from "./policy.ts";
import { AuditRecorder } from "./recorder.ts";
import { AuditWebhook, batchLimits } from "./webhook.ts";

const policyOf = (rules: Json, more: object = {}) => loadAuditPolicy({ apiVersion: "audit.k8s.io/v1", kind: "Policy", rules, ...more } as Json, []);
const user = (name: string, ...groups: readonly string[]) => ({ name, uid: "", groups, extra: {} });
const alice = user("alice", "dev");

const rows: readonly (readonly [string, object, string, string, boolean])[] = [
  ["everything", {}, "GET", "/api/v1/pods", true],
  ["a user", { users: ["bob"] }, "GET", "/api/v1/pods", false],
  ["a group", { userGroups: ["ops", "dev"] }, "GET", "/api/v1/pods", true],
  ["a verb", { verbs: ["list"] }, "GET", "/api/v1/namespaces/x/pods/p", false],
  ["a group of resources", { resources: [{ group: "apps" }] }, "GET", "/apis/apps/v1/deployments", true],
  ["the core group", { resources: [{ group: "" }] }, "GET", "/apis/apps/v1/deployments", false],
  ["any group", { resources: [{ group: "*", resources: ["deployments"] }] }, "GET", "/apis/apps/v1/deployments", true],
  ["a resource, not its subresources", { resources: [{ group: "", resources: ["pods"] }] }, "GET", "/api/v1/namespaces/x/pods/p/log", false],
  ["a subresource", { resources: [{ group: "", resources: ["pods/log"] }] }, "GET", "/api/v1/namespaces/x/pods/p/log", true],
  ["all subresources of one", { resources: [{ group: "", resources: ["pods/*"] }] }, "GET", "/api/v1/namespaces/x/pods/p/log", true],
  ["one subresource of all", { resources: [{ group: "", resources: ["*/log"] }] }, "GET", "/api/v1/namespaces/x/pods/p/log", true],
  ["all resources", { resources: [{ group: "", resources: ["*"] }] }, "GET", "/api/v1/namespaces/x/pods/p/log", true],
  ["a name", { resources: [{ group: "", resources: ["pods"], resourceNames: ["q"] }] }, "GET", "/api/v1/namespaces/x/pods/p", false],
  ["a namespace", { namespaces: ["x"] }, "GET", "/api/v1/namespaces/x/pods/p", true],
  ["what is in no namespace", { namespaces: [""] }, "GET", "/api/v1/nodes", true],
  ["resources, not paths", { namespaces: [""] }, "GET", "/version", false],
  ["a path", { nonResourceURLs: ["/version"] }, "GET", "/version", true],
  ["paths that begin so", { nonResourceURLs: ["/openapi/*"] }, "GET", "/openapi/v2", true],
  ["paths, not resources", { nonResourceURLs: ["*"] }, "GET", "/api/v1/pods", false],
];
for (const [name, rule, method, target, matches] of rows) test(`an audit rule for ${name}: ${method} ${target}`, () => {
  const policy = policyOf([{ level: "Metadata", ...rule }]);
  assert.equal(policy(alice, attributesOf(parseRequest(method, target))).level, matches ? "Metadata" : "None");
});

test("the first rule counts, and stages and managed fields come from both", () => {
  const policy = policyOf([{ level: "None", users: ["bob"] }, { level: "Request", omitStages: ["Panic"], omitManagedFields: false }], { omitStages: ["RequestReceived"], omitManagedFields: true });
  const pods = attributesOf(parseRequest("GET", "/api/v1/pods"));
  assert.deepEqual(policy(user("bob"), pods), { level: "None", omitStages: new Set(["RequestReceived"]), omitManagedFields: true });
  assert.deepEqual(policy(alice, pods), { level: "Request", omitStages: new Set(["RequestReceived", "Panic"]), omitManagedFields: false });
});

for (const [name, rules, more, why] of [
  ["no rule", [], {}, /rules: Required value/],
  ["an unknown level", [{ level: "All" }], {}, /rules\[0\].level: Unsupported value: "All"/],
  ["resources and paths", [{ level: "None", namespaces: ["x"], nonResourceURLs: ["/x"] }], {}, /rules cannot apply to both/],
  ["a path without a slash", [{ level: "None", nonResourceURLs: ["version"] }], {}, /must begin with a '\/'/],
  ["a star in the middle", [{ level: "None", nonResourceURLs: ["/a*/b"] }], {}, /must be the final character/],
  ["names without resources", [{ level: "None", resources: [{ group: "", resourceNames: ["x"] }] }], {}, /requires at least one resource/],
  ["an unknown stage", [{ level: "None" }], { omitStages: ["Begin"] }, /omitStages\[0\]: Invalid value: "Begin": allowed stages are/],
  ["an unknown field", [{ level: "None", user: "x" }], {}, /unknown field "rules\[0\].user"/],
] as const) test(`an audit policy with ${name} is refused at start`, () => assert.throws(() => policyOf(rules as unknown as Json, more), why));

async function audited(rules: Json, more: object = {}): Promise<Harness & { readonly events: () => any[] }> {
  const lines: string[] = [];
  let recorder: AuditRecorder | undefined;
  const policy = policyOf(rules, more);
  const allow = () => ({ authorize: () => ({ allowed: true, reason: "because" }), rules: () => ({ resourceRules: [], nonResourceRules: [], incomplete: false }) });
  const harness = await startHarness({ authorizer: allow, auditor: api => (recorder ??= new AuditRecorder({ policy, sink: line => void lines.push(line), registry: api.registry, parseYaml: api.services.parseYaml, now: () => api.core.clock.now(), attributesOf })) });
  return { ...harness, events: () => lines.splice(0).map(line => JSON.parse(line)) };
}
const json = { "content-type": "application/json" };
const configmap = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" }, data: { k: "v" } };

test("stages and levels: received, then complete; with what was sent, with what was answered", async () => {
  for (const level of ["Metadata", "Request", "RequestResponse"]) {
    const harness = await audited([{ level, resources: [{ group: "", resources: ["configmaps"] }] }], { omitManagedFields: true });
    await harness.send("POST", "/api/v1/namespaces", { headers: json, body: '{"metadata":{"name":"default"}}' });
    assert.deepEqual(harness.events(), [], "no rule for namespaces");
    await harness.send("POST", "/api/v1/namespaces/default/configmaps", { headers: json, body: JSON.stringify(configmap), user: "alice" });
    const [received, complete, ...none] = harness.events();
    assert.deepEqual([none, received.stage, received.level, received.responseStatus, received.requestObject, received.annotations], [[], "RequestReceived", level, undefined, undefined, undefined]);
    assert.deepEqual([complete.stage, complete.auditID, complete.user.username, complete.responseStatus.code, complete.objectRef.name], ["ResponseComplete", received.auditID, "alice", 201, "a"]);
    assert.deepEqual(complete.annotations, { "authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": "because" });
    assert.deepEqual(complete.requestObject, level === "Metadata" ? undefined : configmap);
    assert.deepEqual(complete.responseObject === undefined ? undefined : [complete.responseObject.kind, complete.responseObject.data, complete.responseObject.metadata.managedFields], level === "RequestResponse" ? ["ConfigMap", { k: "v" }, undefined] : undefined);
    await harness.close();
  }
});

test("lists and protobuf are kept as JSON, patches as they are, and what the client gets is the same", async () => {
  const harness = await audited([{ level: "RequestResponse", omitStages: ["RequestReceived"] }]);
  await harness.send("POST", "/api/v1/namespaces", { headers: json, body: '{"metadata":{"name":"default"}}' });
  await harness.send("POST", "/api/v1/namespaces/default/configmaps", { headers: json, body: JSON.stringify(configmap) });
  harness.events();
  const list = await harness.send("GET", "/api/v1/configmaps");
  assert.equal(JSON.parse(String(await bodyOf(list))).items.length, 1);
  assert.deepEqual(harness.events().map(event => [event.verb, event.responseObject.kind, event.responseObject.items[0].data]), [["list", "ConfigMapList", { k: "v" }]]);
  const got = await harness.send("GET", "/api/v1/namespaces/default/configmaps/a", { headers: { accept: "application/vnd.kubernetes.protobuf" } });
  const bytes = await bodyOf(got);
  assert.ok(bytes instanceof Uint8Array);
  assert.deepEqual(harness.events()[0].responseObject.data, { k: "v" });
  await harness.send("PUT", "/api/v1/namespaces/default/configmaps/a", { headers: { "content-type": "application/vnd.kubernetes.protobuf" }, body: bytes });
  assert.deepEqual(harness.events()[0].requestObject.data, { k: "v" });
  await harness.send("PATCH", "/api/v1/namespaces/default/configmaps/a", { headers: { "content-type": "application/json-patch+json" }, body: '[{"op":"add","path":"/data/x","value":"y"}]' });
  assert.deepEqual(harness.events()[0].requestObject, [{ op: "add", path: "/data/x", value: "y" }]);
  await harness.send("POST", "/api/v1/namespaces/default/configmaps", { headers: json, body: "{not json" });
  const [refused] = harness.events();
  assert.deepEqual([refused.responseStatus.code, refused.requestObject, refused.responseObject.kind], [400, undefined, "Status"]);
  await harness.close();
});

test("what was asked for is told as it was understood: its name, its defaults, no name that it was given", async () => {
  const harness = await audited([{ level: "Request" }], { omitStages: ["RequestReceived"] });
  const told = async (target: string, body: object, method = "POST", type = "application/json"): Promise<readonly unknown[]> => {
    await harness.send(method, target, { headers: { "content-type": type, accept: "application/vnd.kubernetes.protobuf" }, body: JSON.stringify(body) });
    const [{ objectRef, requestObject, responseStatus }] = harness.events();
    return [objectRef.name, requestObject, responseStatus.code, responseStatus.details];
  };
  const labels = (name: string): object => ({ labels: { "kubernetes.io/metadata.name": name } });
  assert.deepEqual(await told("/api/v1/namespaces", { metadata: { name: "default" } }), ["default", { kind: "Namespace", apiVersion: "v1", metadata: { name: "default", ...labels("default") }, spec: {}, status: { phase: "Active" } }, 201, undefined]);
  const [name, object] = await told("/api/v1/namespaces/default/configmaps", { metadata: { generateName: "some-" } });
  assert.deepEqual([name, object], [undefined, { kind: "ConfigMap", apiVersion: "v1", metadata: { generateName: "some-" } }]);
  assert.deepEqual((await told("/api/v1/namespaces", { metadata: { name: "default" } })).slice(2), [409, { name: "default", kind: "namespaces" }]);
  const used = (await told("/apis/apps/v1/namespaces/default/deployments", { metadata: { name: "Bad_" }, spec: { selector: { matchLabels: { a: "b" } }, template: { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "i" }] } } } }))[1] as any;
  assert.deepEqual([used.metadata.name, used.spec.replicas, used.spec.template.spec.restartPolicy, used.spec.template.spec.containers[0].imagePullPolicy], ["Bad_", 1, "Always", "Always"]);
  assert.deepEqual((await told("/api/v1/namespaces/default/secrets/s", { kind: "DeleteOptions", gracePeriodSeconds: 0 }, "DELETE")).slice(0, 3), ["s", { kind: "DeleteOptions", apiVersion: "meta.k8s.io/__internal", gracePeriodSeconds: 0 }, 404]);
  await harness.close();
});

test("what is long, or passed on, is told when it starts and when it ends", async () => {
  const harness = await audited([{ level: "Metadata" }], { omitStages: ["RequestReceived"] });
  await harness.send("GET", "/api/v1/namespaces/default/pods/p/log");
  assert.deepEqual(harness.events().map(({ stage, responseStatus }) => [stage, responseStatus.code]), [["ResponseStarted", 404], ["ResponseComplete", 404]]);
  await harness.send("POST", "/api/v1/namespaces", { headers: json, body: '{"metadata":{"name":"default"}}' });
  await harness.send("POST", "/api/v1/namespaces/default/services", { headers: json, body: '{"metadata":{"name":"s"},"spec":{"ports":[{"port":80}]}}' });
  await harness.send("POST", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", { headers: json, body: '{"metadata":{"name":"s","labels":{"kubernetes.io/service-name":"s"}},"addressType":"IPv4","ports":[{"port":80}],"endpoints":[{"addresses":["192.0.2.9"],"conditions":{"ready":true}}]}' });
  harness.events();
  const { content } = await harness.send("GET", "/api/v1/namespaces/default/services/s/proxy/");
  assert.deepEqual([content.type, harness.events().map(({ stage }) => stage)], ["forward", ["ResponseStarted"]]);
  if (content.type === "forward") content.done?.();
  assert.deepEqual(harness.events().map(({ stage }) => stage), ["ResponseComplete"]);
  await harness.close();
});

test("a watch is told when it starts and when it ends", async () => {
  const harness = await audited([{ level: "Metadata" }], { omitStages: ["RequestReceived"] });
  const response = await harness.send("GET", "/api/v1/configmaps?watch=1");
  assert.deepEqual(harness.events().map(({ stage, verb }) => [stage, verb]), [["ResponseStarted", "watch"]]);
  const stop = new AbortController();
  assert.equal(response.content.type, "stream");
  const run = response.content.type === "stream" ? response.content.run(new Collector(), stop.signal) : undefined;
  stop.abort();
  await run;
  assert.deepEqual(harness.events().map(({ stage }) => stage), ["ResponseComplete"]);
  await harness.close();
});

test("Pod Security says in the event what it enforced and what it would have refused", async () => {
  const harness = await audited([{ level: "Metadata" }], { omitStages: ["RequestReceived"] });
  await harness.send("POST", "/api/v1/namespaces", { headers: json, body: JSON.stringify({ metadata: { name: "default", labels: { "pod-security.kubernetes.io/enforce": "baseline", "pod-security.kubernetes.io/audit": "restricted" } } }) });
  harness.events();
  await harness.send("POST", "/api/v1/namespaces/default/pods", { headers: json, body: JSON.stringify({ metadata: { name: "p" }, spec: { containers: [{ name: "c", image: "x" }] } }) });
  const [{ annotations }] = harness.events();
  assert.equal(annotations["pod-security.kubernetes.io/enforce-policy"], "baseline:latest");
  assert.match(annotations["pod-security.kubernetes.io/audit-violations"], /^would violate PodSecurity "restricted:latest": allowPrivilegeEscalation != false/);
  await harness.close();
});

test("the audit webhook gets batches: when 400 wait or after 30 s, tried again when it fails, with a limit on what waits", async () => {
  const clock = new TestClock();
  const sent: number[] = [];
  const errors: string[] = [];
  let status = 200;
  const webhook = new AuditWebhook(async body => { sent.push(JSON.parse(body).items.length); return { status, body: "" }; }, clock, { ...silent, error: message => void errors.push(message) });
  const append = (count: number): void => { for (let i = 0; i < count; i++) webhook.append('{"kind":"Event"}'); };
  append(3);
  await settle();
  assert.deepEqual(sent, []);
  await clock.advance(batchLimits.waitMs);
  assert.deepEqual(sent, [3]);
  append(batchLimits.batchEvents + 1);
  await settle();
  assert.deepEqual(sent, [3, 400]);
  status = 500;
  await clock.advance(batchLimits.waitMs);
  assert.deepEqual(sent, [3, 400, 1]);
  status = 200;
  await clock.advance(batchLimits.backOffMs);
  assert.deepEqual([sent, errors], [[3, 400, 1, 1], []]);
  status = 400;
  append(batchLimits.bufferEvents + 5);
  assert.deepEqual(errors, ["the audit webhook is too slow: events are being lost"]);
  await webhook.close();
  assert.equal(sent.slice(4).reduce((sum, each) => sum + each, 0), batchLimits.bufferEvents, "what waits is sent before the end");
});
