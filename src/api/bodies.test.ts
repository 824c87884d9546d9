/** What objects look like after writes, where upstream surprises: each row was compared with a kube-apiserver 1.36.3. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { bodyOf, startHarness } from "../../test/transcripts/harness.ts";

type Step = readonly [method: string, path: string, body?: unknown, type?: string];
type Row = readonly [what: string, steps: readonly Step[], field: string, expected: unknown, of?: (found: any) => unknown];

const ns = "/api/v1/namespaces/t", apps = "/apis/apps/v1/namespaces/t", merge = "application/merge-patch+json", strategic = "application/strategic-merge-patch+json", apply = "application/apply-patch+yaml";
const template = { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "i", lifecycle: { stopSignal: "SIGTERM" } }] } };
const deployment = (name: string) => ({ metadata: { name, labels: { l: "1" } }, spec: { selector: { matchLabels: { a: "b" } }, template } });
const pod = (name: string) => ({ metadata: { name }, spec: { containers: template.spec.containers } });
const condition = { type: "Ready", status: "True" };
const owners = (...names: readonly string[]) => names.map(name => ({ apiVersion: "v1", kind: "ConfigMap", name, uid: name }));

const rows: readonly Row[] = [
  ["parameters for a driver may hold numbers of 64 bits", [["POST", "/apis/resource.k8s.io/v1/deviceclasses", { metadata: { name: "d" }, spec: { config: [{ opaque: { driver: "d.example.com", parameters: { a: 2 ** 60 } } }] } }]], "spec.config.0.opaque.parameters.a", 2 ** 60],
  ["a role without rules says null", [["POST", "/apis/rbac.authorization.k8s.io/v1/namespaces/t/roles", { metadata: { name: "r" } }]], "rules", null],
  ["… and its writer owns an empty list if given", [["POST", "/apis/rbac.authorization.k8s.io/v1/namespaces/t/roles", { metadata: { name: "s" }, rules: [] }]], "metadata.managedFields.0.fieldsV1", { "f:rules": {} }],
  ["… and stays none in a list", [["GET", "/apis/rbac.authorization.k8s.io/v1/namespaces/t/roles?fieldSelector=metadata.name%3Ds"]], "items.0.rules", null],
  ["… and for JSON patches", [["PATCH", "/apis/rbac.authorization.k8s.io/v1/namespaces/t/roles/s", [{ op: "test", path: "/rules", value: null }], "application/json-patch+json"]], "rules", null],
  ["a map that is too long is so as a whole", [["POST", "/api/v1/namespaces/t/configmaps", { metadata: { name: "big" }, data: { a: "x".repeat(1_048_577) } }]], "message", 'ConfigMap "big" is invalid: []: Too long: may not be more than 1048576 bytes'],
  ["what a dry run makes says null, too", [["POST", "/apis/discovery.k8s.io/v1/namespaces/t/endpointslices?dryRun=All", { metadata: { name: "e" }, addressType: "IPv4", endpoints: [{ addresses: ["1.2.3.4"], deprecatedTopology: { x: "y" } }] }]], "ports", null],
  ["the older topology of endpoints is not written", [["POST", "/apis/discovery.k8s.io/v1/namespaces/t/endpointslices?dryRun=All", { metadata: { name: "e" }, addressType: "IPv4", endpoints: [{ addresses: ["1.2.3.4"], deprecatedTopology: { x: "y" } }] }]], "endpoints.0.deprecatedTopology", undefined],
  ["a gated field is dropped", [["POST", `${apps}/deployments`, deployment("d")]], "spec.template.spec.containers.0.lifecycle", undefined],
  ["… but owned", [["GET", `${apps}/deployments/d`]], "metadata.managedFields.0.fieldsV1.f:spec.f:template.f:spec.f:containers.k:{\"name\":\"c\"}.f:lifecycle", { ".": {}, "f:stopSignal": {} }],
  ["annotations make a new generation of a deployment", [["PATCH", `${apps}/deployments/d`, { metadata: { annotations: { x: "y" } } }, merge]], "metadata.generation", 2],
  ["… but not through its status, which writes no labels either", [["PATCH", `${apps}/deployments/d/status`, { metadata: { annotations: { x: "z" }, labels: { l: "2" } }, status: { replicas: 1 } }, merge], ["GET", `${apps}/deployments/d`]], "metadata", [2, { l: "1" }, { x: "z" }], (metadata: any) => [metadata.generation, metadata.labels, metadata.annotations]],
  ["who scales first has no time", [["PATCH", `${apps}/deployments/d/scale?fieldManager=s`, { spec: { replicas: 2 } }, merge], ["GET", `${apps}/deployments/d`]], "metadata.managedFields", undefined, (entries: readonly any[]) => entries.find(({ manager }) => manager === "s").time],
  ["an empty list of owners resets them", [["PATCH", `${apps}/deployments/d`, { metadata: { managedFields: [] } }, merge]], "metadata.managedFields", undefined],
  ["a pod's status writes no owners, keeps its quality", [["POST", `${ns}/pods`, pod("p")], ["PATCH", `${ns}/pods/p/status`, { metadata: { ownerReferences: owners("x") }, status: { qosClass: null, conditions: [condition] } }, merge]], "", [undefined, "BestEffort", [{ ...condition, lastProbeTime: null, lastTransitionTime: null }]], ({ metadata, status }: any) => [metadata.ownerReferences, status.qosClass, status.conditions]],
  ["… and what it spoke of", [["PATCH", `${ns}/pods/p/status`, { status: { observedGeneration: 1, conditions: [{ ...condition, observedGeneration: 1 }] } }, merge], ["PATCH", `${ns}/pods/p/status`, { status: { observedGeneration: null, conditions: [condition, { type: "Other", status: "True" }] } }, merge]], "status", [1, 1, undefined], ({ observedGeneration, conditions }: any) => [observedGeneration, ...conditions.map((each: any) => each.observedGeneration)]],
  ["an atomic list that Go wrote nulls into is another one than was applied", [["PATCH", `${ns}/pods/p/status?fieldManager=a&force=true`, { apiVersion: "v1", kind: "Pod", metadata: { name: "p" }, status: { conditions: [condition] } }, apply]], "metadata.managedFields", [{ ".": {}, "f:status": {}, "f:type": {} }], (entries: readonly any[]) => entries.filter(({ operation }) => operation === "Apply").map(({ fieldsV1 }) => fieldsV1["f:status"]["f:conditions"]["k:{\"type\":\"Ready\"}"])],
  ["a strategic patch does not come to own the nulls", [["POST", "/apis/discovery.k8s.io/v1/namespaces/t/endpointslices", { metadata: { name: "e" }, addressType: "IPv4" }], ["PATCH", "/apis/discovery.k8s.io/v1/namespaces/t/endpointslices/e?fieldManager=s", { metadata: { labels: { a: "b" } } }, strategic]], "metadata.managedFields", { "f:metadata": { "f:labels": { ".": {}, "f:a": {} } } }, (entries: readonly any[]) => entries.find(({ manager }) => manager === "s").fieldsV1],
  ["a volume's phase changes at its time", [["POST", "/api/v1/persistentvolumes", { metadata: { name: "v" }, spec: { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"], hostPath: { path: "/x" } } }], ["PATCH", "/api/v1/persistentvolumes/v/status", { status: { phase: "Available", lastPhaseTransitionTime: null } }, merge]], "status", ["Available", "string"], ({ phase, lastPhaseTransitionTime }: any) => [phase, typeof lastPhaseTransitionTime]],
  ["a kind without generations keeps what it is given", [["POST", `${ns}/configmaps`, { metadata: { name: "g", generation: 7 } }]], "metadata.generation", 7],
  ["… others begin with one", [["POST", `${ns}/pods`, { ...pod("g"), metadata: { name: "g", generation: 7 } }]], "metadata.generation", 1],
  ["a dry run shows a version that storage would refuse", [["POST", `${ns}/configmaps?dryRun=All`, { metadata: { name: "h", resourceVersion: "7" } }]], "metadata.resourceVersion", "7"],
  ["a node's old configuration is dropped", [["POST", "/api/v1/nodes", { metadata: { name: "n" }, spec: { configSource: {} } }]], "", [{}, { "f:spec": { "f:configSource": {} } }], ({ spec: { taints: _, ...spec }, metadata }: any) => [spec, metadata.managedFields[0].fieldsV1]],
  ["whose lists cannot be told apart is owned by nobody", [["POST", `${ns}/serviceaccounts`, { metadata: { name: "s" }, secrets: [{}] }]], "metadata.managedFields", undefined],
  ["a claim's source stays under both names", [["POST", `${ns}/persistentvolumeclaims`, { metadata: { name: "c" }, spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, dataSource: { kind: "PersistentVolumeClaim", name: "x" } } }], ["PATCH", `${ns}/persistentvolumeclaims/c`, { spec: { dataSource: null } }, merge]], "spec", [{ apiGroup: null, kind: "PersistentVolumeClaim", name: "x" }, { apiGroup: null, kind: "PersistentVolumeClaim", name: "x" }], ({ dataSource, dataSourceRef }: any) => [dataSource, dataSourceRef]],
  ["a priority class stays at its first generation", [["POST", "/apis/scheduling.k8s.io/v1/priorityclasses", { metadata: { name: "p" }, value: 1 }], ["PATCH", "/apis/scheduling.k8s.io/v1/priorityclasses/p", { description: "x" }, merge]], "metadata.generation", 1],
  ["an empty list of policies is not the default one", [["POST", "/apis/autoscaling/v2/namespaces/t/horizontalpodautoscalers", { metadata: { name: "h" }, spec: { scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "d" }, maxReplicas: 2, behavior: { scaleUp: { policies: [] } } } }]], "message", 'HorizontalPodAutoscaler.autoscaling "h" is invalid: spec.behavior.scaleUp.policies: Required value: must specify at least one Policy'],
  ["an applied container without a name is invalid, not beyond words", [["PATCH", `${ns}/pods/x?fieldManager=a`, { apiVersion: "v1", kind: "Pod", metadata: { name: "x" }, spec: { containers: [{ image: "i" }] } }, apply]], "message", 'Pod "x" is invalid: spec.containers[0].name: Required value'],
  ["a job made from another's text is refused", [["POST", "/apis/batch/v1/namespaces/t/jobs", { metadata: { name: "j" }, spec: { template: { ...template, metadata: { labels: { "controller-uid": "other" } }, spec: { ...template.spec, restartPolicy: "Never" } } } }]], "details.causes.0.field", "spec.template.metadata.labels[controller-uid]"],
  ["events own nothing and go at once", [["POST", `${ns}/events`, { metadata: { name: "e" }, involvedObject: { kind: "Pod", namespace: "t", name: "p" } }], ["DELETE", `${ns}/events/e?propagationPolicy=Foreground`]], "status", "Success"],
  ["who is going is in the way of a new one", [["POST", `${ns}/configmaps`, { metadata: { name: "c", finalizers: ["a.b/c"] } }], ["DELETE", `${ns}/configmaps/c`], ["POST", `${ns}/configmaps`, { metadata: { name: "c" } }]], "message", 'object is being deleted: configmaps "c" already exists'],
  ["a namespace on its way out takes no other finalizers", [["DELETE", "/api/v1/namespaces/t"], ["DELETE", "/api/v1/namespaces/t?propagationPolicy=Foreground"]], "metadata.finalizers", undefined],
];

test("objects after writes are as upstream's", async t => {
  const harness = await startHarness();
  const send = async ([method, path, body, type = "application/json"]: Step): Promise<any> =>
    JSON.parse(String(await bodyOf(await harness.send(method, path, { headers: { "content-type": type }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }))));
  await send(["POST", "/api/v1/namespaces", { metadata: { name: "t" } }]);
  for (const [what, steps, field, expected, of = (found: unknown) => found] of rows) await t.test(what, async () => {
    let answer: any;
    for (const step of steps) answer = await send(step);
    const found = field === "" ? answer : pathOf(field).reduce((value, key) => value?.[key], answer);
    assert.deepEqual(of(found), expected);
  });
  await harness.close();
});

/** Keys of list items have dots and colons of their own. */
const pathOf = (field: string): readonly string[] => field.match(/k:\{[^}]*\}|[^.]+/g) ?? [];
