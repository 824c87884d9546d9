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
  ...([["null", "0"], ['b"a"', "[]uint8{0x61}"], ["2u", "0x2"], ['duration("1h")', "3600000000000"], ['timestamp("2020-01-02T03:04:05Z")', "time.Date(2020, time.January, 2, 3, 4, 5, 0, time.UTC)"]] as const).map(([given, told]) =>
    [`what is no text: ${given}`, map(), { mutations: [apply(`Object{data: {"n": dyn(${given})}}`)] }, (body: any) => body.message, `policy 'p' with binding 'p-b' denied request: error applying patch: failed to convert patch object to typed object: .data.n: expected string, got &value.valueUnstructured{Value:${told}}`] as const),
  ["what does not fit Go's type", map(), { mutations: [apply("Object{metadata: Object.metadata{generation: 1.5}}")] }, body => body.message, "policy 'p' with binding 'p-b' denied request: unable to convert unstructured object to /v1, Kind=ConfigMap: cannot convert float64 to int64"],
  ["an optional value is its own", map(), { mutations: [apply('Object{data: {"a": dyn(optional.of("x"))}}')] }, body => body.data, { k: "v", a: "x" }],
  ["a JSON patch with a field that is not there", map(), { mutations: [patch('[JSONPatch{op: "add", path: "/nope", value: 1}]')] }, body => [body.code, body.message], [500, 'Internal error occurred: strict decoding error: unknown field "nope"']],
  ["a JSON patch that makes another kind", map(), { mutations: [patch('[JSONPatch{op: "replace", path: "/kind", value: "v"}]')] }, body => [body.code, body.message], [500, 'Internal error occurred: no kind "v" is registered for version "v1" in scheme "pkg/runtime/scheme.go:111"']],
  ["a JSON patch that makes a kind that is no text", map(), { mutations: [patch('[JSONPatch{op: "replace", path: "/kind", value: {"toString": 5}}]')] }, body => [body.code, body.message], [500, "Internal error occurred: couldn't get version/kind; json parse error: json: cannot unmarshal object into Go struct field .kind of type string"]],
  ["a JSON patch with what JSON has not", map(), { mutations: [patch('[JSONPatch{op: "add", path: "/data/a", value: dyn(optional.none())}]')] }, body => body.message, "policy 'p' with binding 'p-b' denied request: JSONPath valueExpression evaluated to a type that could not marshal to JSON: optional.none() dereference"],
  ["a JSON patch with a number that no double holds", map(), { mutations: [patch('[JSONPatch{op: "add", path: "/data/a", value: 9007199254740993}]')] }, body => body.data, { k: "v", a: "9007199254740993" }],
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

test("the generation is counted when all changes are made", async () => {
  const harness = await start();
  const at = "/apis/apps/v1/namespaces/default/deployments";
  await send(harness, "POST", at, { metadata: { name: "d" }, spec: { selector: { matchLabels: { a: "b" } }, template: { metadata: { labels: { a: "b" } }, spec: pod.spec } } });
  await install(harness, "p", { matchConstraints: about("deployments"), mutations: [apply('Object{metadata: Object.metadata{labels: {"seen": string(object.metadata.generation)}}}')] });
  const { body } = await harness.send("PATCH", `${at}/d`, { headers: { "content-type": "application/merge-patch+json" }, body: JSON.stringify({ spec: { replicas: 3 } }) }).then(async response => ({ body: JSON.parse(String(await bodyOf(response))) }));
  assert.deepEqual([body.metadata.labels.seen, body.metadata.generation], ["1", 2]);
  await harness.close();
});

test("a workload's size is changed by JSON patches alone, and must be one", async () => {
  const harness = await start();
  const at = "/apis/apps/v1/namespaces/default/deployments";
  await send(harness, "POST", at, { metadata: { name: "d" }, spec: { selector: { matchLabels: { a: "b" } }, template: { metadata: { labels: { a: "b" } }, spec: pod.spec } } });
  const scale = async (mutation: object): Promise<unknown> => {
    await install(harness, "p", { matchConstraints: about("deployments/scale"), mutations: [mutation] });
    const { body } = await send(harness, "PUT", `${at}/d/scale?dryRun=All`, { kind: "Scale", apiVersion: "autoscaling/v1", metadata: { name: "d" }, spec: { replicas: 3 } });
    for (const path of ["policies/p", "policybindings/p-b"]) await send(harness, "DELETE", `${admission}/mutatingadmission${path}`);
    return body.message ?? body.spec.replicas;
  };
  const replicas = (value: string): object => patch(`[JSONPatch{op: "replace", path: "/spec/replicas", value: ${value}}]`);
  assert.equal(await scale(replicas("9")), 9);
  assert.equal(await scale(replicas("-1")), 'Scale.autoscaling "d" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0');
  assert.equal(await scale(replicas('"x"')), "Internal error occurred: json: cannot unmarshal string into Go struct field ScaleSpec.spec.replicas of type int32");
  assert.equal(await scale(apply("Object{spec: Object.spec{replicas: 9}}")), "policy 'p' with binding 'p-b' denied request: error applying patch: failed to convert patch object to typed object: no corresponding type for autoscaling/v1, Kind=Scale");
  await harness.close();
});
