/** MutatingAdmissionPolicies: what they change, what they may not, and what is told when they fail. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { bodyOf, startHarness, type Harness } from "../../../../test/transcripts/harness.ts";
import { celHost } from "../../../host/regex.ts";
import { celWith } from "../../cel-library.ts";
import type { ApiServerOptions } from "../../server.ts";

type Sent = { readonly status: number; readonly body: any };
const admission = "/apis/admissionregistration.k8s.io/v1", configmaps = "/api/v1/namespaces/default/configmaps", pods = "/api/v1/namespaces/default/pods";

async function send(harness: Harness, method: string, target: string, body?: unknown): Promise<Sent> {
  const response = await harness.send(method, target, { headers: { "content-type": "application/json" }, body: body === undefined ? "" : JSON.stringify(body) });
  return { status: response.status, body: JSON.parse(String(await bodyOf(response))) };
}

const about = (...resources: readonly string[]) => ({ resourceRules: [{ operations: ["CREATE", "UPDATE"], apiGroups: ["*"], apiVersions: ["*"], resources }] });
const apply = (expression: string) => ({ patchType: "ApplyConfiguration", applyConfiguration: { expression } });
const patch = (expression: string) => ({ patchType: "JSONPatch", jsonPatch: { expression } });
async function install(harness: Harness, name: string, spec: object, binding: object = {}): Promise<Sent> {
  assert.equal((await send(harness, "POST", `${admission}/mutatingadmissionpolicybindings`, { metadata: { name: `${name}-b` }, spec: { policyName: name, ...binding } })).status, 201);
  return send(harness, "POST", `${admission}/mutatingadmissionpolicies`, { metadata: { name }, spec: { matchConstraints: about("configmaps", "pods"), reinvocationPolicy: "Never", ...spec } });
}
async function start(more: Partial<ApiServerOptions> = {}): Promise<Harness> {
  const harness = await startHarness({ loadCel: async () => celWith(celHost), ...more });
  await send(harness, "POST", "/api/v1/namespaces", { metadata: { name: "default", labels: { team: "red" } } });
  await send(harness, "POST", configmaps, { metadata: { name: "limits" }, data: { max: "3" } });
  return harness;
}
const map = (more: object = {}): object => ({ metadata: { name: "a", labels: { x: "y" } }, data: { k: "v" }, ...more });
const pod = { metadata: { name: "p" }, spec: { containers: [{ name: "one", image: "i", env: [{ name: "A", value: "1" }] }, { name: "two", image: "i" }] } };

/** What a config map or pod looks like after the policy, or what its sender is told. */
const table: readonly (readonly [string, object, object, (body: any) => unknown, unknown])[] = [
  ["sets a label and leaves the others", map(), { mutations: [apply('Object{metadata: Object.metadata{labels: {"team": namespaceObject.metadata.labels.team}}}')] }, body => body.metadata.labels, { x: "y", team: "red" }],
  ["adds to lists by their keys", pod, { mutations: [apply('Object{spec: Object.spec{containers: object.spec.containers.map(c, Object.spec.containers{name: c.name, env: [Object.spec.containers.env{name: "B", value: c.name}]})}}')] }, body => body.spec.containers.map(({ env }: any) => env.map((each: any) => `${each.name}=${each.value}`)), [["A=1", "B=one"], ["B=two"]]],
  ["one after another", map(), { mutations: [apply('Object{data: {"a": "1"}}'), apply('Object{data: {"b": object.data.a + "2"}}')] }, body => body.data, { k: "v", a: "1", b: "12" }],
  ["a JSON patch", map(), { mutations: [patch('[JSONPatch{op: "add", path: "/metadata/labels/" + jsonpatch.escapeKey("example.com/a"), value: "z"}, JSONPatch{op: "remove", path: "/data/k"}]')] }, body => [body.metadata?.labels?.["example.com/a"], body.message], ["z", undefined]],
  ["a JSON patch of an object", pod, { mutations: [patch('[JSONPatch{op: "add", path: "/spec/containers/-", value: Object.spec.containers{name: "three", image: "j"}}]')] }, body => body.spec.containers.map(({ name }: any) => name), ["one", "two", "three"]],
  ["a JSON patch whose test fails changes nothing", map(), { mutations: [patch('[JSONPatch{op: "test", path: "/data/k", value: "no"}, JSONPatch{op: "remove", path: "/data/k"}]')] }, body => body.data, { k: "v" }],
  ["a list that depends", map(), { mutations: [patch('has(object.data.none) ? [JSONPatch{op: "remove", path: "/data/none"}] : []')] }, body => body.data, { k: "v" }],
  ["variables and optional fields", map(), { variables: [{ name: "v", expression: "object.data.k + object.data.k" }], mutations: [apply('Object{data: {"a": variables.v, ?"b": object.data[?"none"]}}')] }, body => body.data, { k: "v", a: "vv" }],
  ["a condition that does not hold", map(), { matchConditions: [{ name: "c", expression: "object.metadata.name != 'a'" }], mutations: [apply('Object{data: {"a": "1"}}')] }, body => body.data, { k: "v" }],
  ["another resource", map(), { matchConstraints: about("secrets"), mutations: [apply('Object{data: {"a": "1"}}')] }, body => body.data, { k: "v" }],
  ["defaults of what was added", pod, { mutations: [apply('Object{spec: Object.spec{containers: [Object.spec.containers{name: "one", ports: [Object.spec.containers.ports{containerPort: 80}]}]}}')] }, body => body.spec.containers[0].ports, [{ containerPort: 80, protocol: "TCP" }]],
  ["what is atomic is not touched", pod, { mutations: [apply('Object{spec: Object.spec{containers: [Object.spec.containers{name: "one", command: ["a"]}]}}')] }, body => body.message, "policy 'p' with binding 'p-b' denied request: error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: .spec.containers[0].command"],
  ["types must stand where they say", map(), { mutations: [apply("Object{metadata: Object.spec{}}")] }, body => body.message, "policy 'p' with binding 'p-b' denied request: type mismatch: unexpected type name \"Object.spec\", expected \"Object.metadata\", which matches field name path from root Object type"],
  ["a field that is not there", map(), { mutations: [apply('Object{nope: "x"}')] }, body => body.message, "policy 'p' with binding 'p-b' denied request: error applying patch: failed to convert patch object to typed object: .nope: field not declared in schema"],
  ["an error", map(), { mutations: [apply('Object{data: {"a": object.nope}}')] }, body => [body.reason, body.code, body.message, body.details.causes], ["Invalid", 403, "policy 'p' with binding 'p-b' denied request: expression 'Object{data: {\"a\": object.nope}}' resulted in error: no such key: nope", [{ message: "policy 'p' with binding 'p-b' denied request: expression 'Object{data: {\"a\": object.nope}}' resulted in error: no such key: nope" }]]],
  ["an error that is ignored", map(), { failurePolicy: "Ignore", mutations: [apply('Object{data: {"a": object.nope}}'), apply('Object{data: {"b": "1"}}')] }, body => body.data, { k: "v", b: "1" }],
  ["a patch that does not apply", map(), { mutations: [patch('[JSONPatch{op: "remove", path: "/spec"}]')] }, body => body.message, "policy 'p' with binding 'p-b' denied request: JSON Patch: error in remove for path: '/spec': Unable to remove nonexistent key: spec: missing value"],
  ["parameters of a kind that is not there", map(), { paramKind: { apiVersion: "example.com/v1", kind: "Nope" }, mutations: [apply("Object{}")] }, body => [body.reason, body.message], ["Forbidden", "policy \"p\" denied request: failed to configure policy: failed to find resource referenced by paramKind: 'example.com/v1, Kind=Nope'"]],
];
for (const [name, object, spec, see, expected] of table) test(`a mutating policy: ${name}`, async () => {
  const harness = await start();
  const installed = await install(harness, "p", spec);
  assert.equal(installed.status, 201, JSON.stringify(installed.body));
  const { body } = await send(harness, "POST", "spec" in object ? pods : configmaps, object);
  assert.deepEqual(see(body), expected, JSON.stringify(body).slice(0, 600));
  await harness.close();
});

test("parameters are given by the binding, and each is one run", async () => {
  const harness = await start();
  await send(harness, "POST", configmaps, { metadata: { name: "one", labels: { param: "yes" } }, data: { key: "a" } });
  await send(harness, "POST", configmaps, { metadata: { name: "two", labels: { param: "yes" } }, data: { key: "b" } });
  await install(harness, "p", { paramKind: { apiVersion: "v1", kind: "ConfigMap" }, mutations: [patch('[JSONPatch{op: "add", path: "/data/" + params.data.key, value: params.metadata.name}]')] }, { paramRef: { selector: { matchLabels: { param: "yes" } }, parameterNotFoundAction: "Deny" } });
  assert.deepEqual((await send(harness, "POST", configmaps, map())).body.data, { k: "v", a: "one", b: "two" });
  await harness.close();
});

test("a policy is asked again when later ones and webhooks have changed the object, if it wants to be", async () => {
  const count = 'has(object.data.KEY) ? object.data.KEY + "1" : "1"';
  const counter = (key: string): object => apply(`Object{data: {"${key}": ${count.replaceAll("KEY", key)}}}`);
  const asked: string[] = [];
  const harness = await start({ postJson: async ({ body }) => {
    const { request } = JSON.parse(body);
    asked.push(JSON.stringify(request.object.data));
    const operation = { op: "add", path: "/data/hook", value: String(asked.length) };
    return { status: 200, body: JSON.stringify({ kind: "AdmissionReview", apiVersion: "admission.k8s.io/v1", response: { uid: request.uid, allowed: true, patchType: "JSONPatch", patch: Buffer.from(JSON.stringify([operation])).toString("base64") } }) };
  } });
  await install(harness, "a", { reinvocationPolicy: "IfNeeded", mutations: [counter("first")] });
  await install(harness, "b", { mutations: [counter("second")] });
  await send(harness, "POST", `${admission}/mutatingwebhookconfigurations`, { metadata: { name: "w" }, webhooks: [{ name: "w.example.com", clientConfig: { url: "https://w/" }, rules: [{ operations: ["*"], apiGroups: ["*"], apiVersions: ["*"], resources: ["configmaps"] }], sideEffects: "None", admissionReviewVersions: ["v1"], reinvocationPolicy: "IfNeeded" }] });
  assert.deepEqual((await send(harness, "POST", configmaps, map())).body.data, { k: "v", first: "11", second: "1", hook: "2" });
  assert.deepEqual(asked, ['{"k":"v","first":"1","second":"1"}', '{"k":"v","first":"11","second":"1","hook":"1"}']);
  await harness.close();
});

test("expressions are checked when a policy is written", async () => {
  const harness = await start();
  const refused = async (mutation: object): Promise<string> => (await send(harness, "POST", `${admission}/mutatingadmissionpolicies`, { metadata: { name: "x" }, spec: { matchConstraints: about("pods"), reinvocationPolicy: "Never", mutations: [mutation] } })).body.message;
  assert.match(await refused(apply("1 + 1")), /spec.mutations\[0\].applyConfiguration.expression: Invalid value: "1 \+ 1": must evaluate to Object but got int$/);
  assert.match(await refused(patch("Object{}")), /spec.mutations\[0\].jsonPatch.expression: Invalid value: .*: must evaluate to list\(JSONPatch\) but got Object$/);
  assert.match(await refused(patch("[JSONPatch{op: 1}]")), /expected type of field 'op' is 'string' but provided type is 'int'/);
  assert.match(await refused(patch('[JSONPatch{operation: "x"}]')), /undefined field 'operation'/);
  assert.match(await refused(apply("Other{}")), /undeclared reference to 'Other'/);
  await harness.close();
});
