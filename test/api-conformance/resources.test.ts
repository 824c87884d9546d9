/** Upstream's other conformance tests that need no pod: namespaces, quotas, services, immutability, volumes, permissions. Names are upstream's. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { World, type Any } from "./world.ts";

let world: World;
before(async () => { world = await World.start(); });
after(() => world.stop());

const container = { name: "c", image: "i" };
const label = (name: string): string => `labelSelector=${encodeURIComponent(`e2e=${name}`)}`;

test("[sig-api-machinery] Namespaces should patch a Namespace [Serial] [Conformance]", async () => {
  const name = await world.namespace("nspatchtest");
  assert.equal((await world.strategic(`/api/v1/namespaces/${name}`, { metadata: { labels: { testLabel: "testValue" } } })).metadata.labels.testLabel, "testValue");
  assert.equal((await world.get(`/api/v1/namespaces/${name}`)).metadata.labels.testLabel, "testValue");
});
test("[sig-api-machinery] Namespaces should apply an update to a Namespace [Serial] [Conformance]", async () => {
  const path = `/api/v1/namespaces/${await world.namespace("update")}`;
  const stored = await world.get(path);
  assert.equal((await world.update(path, { ...stored, metadata: { ...stored.metadata, labels: { ...stored.metadata.labels, updated: "yes" } } })).metadata.labels.updated, "yes");
});
test("[sig-api-machinery] Namespaces should apply changes to a namespace status [Serial] [Conformance]", async () => {
  const path = `/api/v1/namespaces/${await world.namespace("status")}/status`;
  assert.equal((await world.get(path)).status.phase, "Active");
  const patched = await world.merge(path, { metadata: { annotations: { patched: "yes" } }, status: { conditions: [{ type: "StatusPatch", status: "True", reason: "E2E", message: "Patched" }] } });
  assert.deepEqual([patched.status.phase, patched.status.conditions[0].type], ["Active", "StatusPatch"]);
  const updated = await world.update(path, { ...patched, status: { ...patched.status, conditions: [...patched.status.conditions, { type: "StatusUpdate", status: "True", reason: "E2E", message: "Updated" }] } });
  assert.deepEqual([updated.status.phase, updated.status.conditions.map(({ type }: Any) => type)], ["Active", ["StatusPatch", "StatusUpdate"]]);
});
test("[sig-api-machinery] Namespaces should apply a finalizer to a Namespace [Serial] [Conformance]", async () => {
  const path = `/api/v1/namespaces/${await world.namespace("finalizer")}`;
  const stored = await world.get(path);
  const added = await world.update(`${path}/finalize`, { ...stored, spec: { finalizers: [...stored.spec.finalizers, "e2e.example.com/fakeFinalizer"] } });
  assert.deepEqual(added.spec.finalizers, ["kubernetes", "e2e.example.com/fakeFinalizer"]);
  assert.deepEqual((await world.update(`${path}/finalize`, { ...added, spec: { finalizers: ["kubernetes"] } })).spec.finalizers, ["kubernetes"]);
});
for (const [name, resource, object] of [
  ["[sig-api-machinery] Namespaces should ensure that all pods are removed when a namespace is deleted", "pods", { metadata: { name: "test-pod" }, spec: { schedulerName: "nobody", containers: [container] } }],
  ["[sig-api-machinery] Namespaces should ensure that all services are removed when a namespace is deleted", "services", { metadata: { name: "test-service" }, spec: { selector: { foo: "bar" }, ports: [{ port: 80, targetPort: 80 }] } }],
] as const) test(`${name} [Serial] [Conformance]`, async () => {
  const gone = await world.namespace("nsdelete");
  await world.create(`/api/v1/namespaces/${gone}/${resource}`, object);
  await world.delete(`/api/v1/namespaces/${gone}`);
  await world.eventually(`/api/v1/namespaces/${gone}`, each => each === undefined, "it is gone");
  await world.create("/api/v1/namespaces", { metadata: { name: gone } });
  assert.deepEqual((await world.get(`/api/v1/namespaces/${gone}/${resource}`)).items, []);
});

const quotas = (namespace: string): string => `/api/v1/namespaces/${namespace}/resourcequotas`;
async function limited(hard: object, more: object = {}, name = "test-quota"): Promise<{ readonly namespace: string; readonly path: string; readonly used: (wanted: object) => Promise<Any> }> {
  const namespace = await world.namespace("resourcequota");
  await world.create(quotas(namespace), { metadata: { name }, spec: { hard, ...more } });
  return { namespace, path: `${quotas(namespace)}/${name}`, used: wanted => usedIs(`${quotas(namespace)}/${name}`, wanted) };
}
const usedIs = (path: string, wanted: object): Promise<Any> => world.eventually(path, ({ status }) => Object.entries(wanted).every(([resource, value]) => status?.used?.[resource] === value), `used is ${JSON.stringify(wanted)}`);
test("[sig-api-machinery] ResourceQuota should create a ResourceQuota and ensure its status is promptly calculated. [Conformance]", async () => {
  const { used } = await limited({ pods: "5", services: "10", secrets: "10", configmaps: "10", resourcequotas: "1" });
  await used({ pods: "0", services: "0", resourcequotas: "1" });
});
for (const [name, resource, at, object] of [
  ["[sig-api-machinery] ResourceQuota should create a ResourceQuota and capture the life of a configMap.", "configmaps", "/api/v1", { data: { a: "b" } }], ["[sig-api-machinery] ResourceQuota should create a ResourceQuota and capture the life of a secret.", "secrets", "/api/v1", { data: { a: "Yg==" } }],
  ["[sig-api-machinery] ResourceQuota should create a ResourceQuota and capture the life of a replica set.", "count/replicasets.apps", "/apis/apps/v1", { spec: { replicas: 0, selector: { matchLabels: { a: "b" } }, template: { metadata: { labels: { a: "b" } }, spec: { containers: [container] } } } }],
  ["[sig-api-machinery] ResourceQuota should create a ResourceQuota and capture the life of a replication controller.", "replicationcontrollers", "/api/v1", { spec: { replicas: 0, selector: { a: "b" }, template: { metadata: { labels: { a: "b" } }, spec: { containers: [container] } } } }],
] as const) test(`${name} [Conformance]`, async () => {
  const { namespace, path, used } = await limited({ [resource]: "5" });
  const before = Number((await world.eventually(path, ({ status }) => status?.used?.[resource] !== undefined, "it is counted")).status.used[resource]);
  const collection = `${at}/namespaces/${namespace}/${resource.replace(/^count\/(\w+)\..*$/, "$1")}`;
  await world.create(collection, { metadata: { name: "counted" }, ...object });
  await used({ [resource]: String(before + 1) });
  await world.delete(`${collection}/counted`);
  await used({ [resource]: String(before) });
});
test("[sig-api-machinery] ResourceQuota should create a ResourceQuota and capture the life of a service. [Conformance]", async () => {
  const { namespace, used } = await limited({ services: "3", "services.nodeports": "1", "services.loadbalancers": "1" });
  const services = `/api/v1/namespaces/${namespace}/services`;
  const service = (name: string, type: string) => ({ metadata: { name }, spec: { type, ports: [{ port: 80 }], ...(type === "LoadBalancer" ? { allocateLoadBalancerNodePorts: false } : {}) } });
  await world.create(services, service("clusterip", "ClusterIP"));
  await world.create(services, service("nodeport", "NodePort"));
  await world.refused(403, "POST", services, { body: { ...service("loadbalancer", "LoadBalancer"), spec: { type: "LoadBalancer", ports: [{ port: 80 }] } } });
  await used({ services: "2", "services.nodeports": "1", "services.loadbalancers": "0" });
  await world.delete(`${services}/clusterip`);
  await world.delete(`${services}/nodeport`);
  await used({ services: "0", "services.nodeports": "0" });
});
const pod = (name: string, more: object = {}, spec: object = {}) => ({ metadata: { name }, spec: { schedulerName: "nobody", terminationGracePeriodSeconds: 0, containers: [{ ...container, ...more }], ...spec } });
test("[sig-api-machinery] ResourceQuota should create a ResourceQuota and capture the life of a pod. [Conformance]", async () => {
  const { namespace, used } = await limited({ pods: "5", cpu: "1", memory: "500Mi", "ephemeral-storage": "50Gi", "requests.example.com/dongle": "3" });
  const pods = `/api/v1/namespaces/${namespace}/pods`;
  const asks = (cpu: string, memory: string, storage = "30Gi", dongles = "2") => ({ resources: { requests: { cpu, memory, "ephemeral-storage": storage, "example.com/dongle": dongles }, limits: { "example.com/dongle": dongles } } });
  await world.create(pods, pod("fits", asks("500m", "252Mi")));
  await used({ pods: "1", cpu: "500m", memory: "252Mi", "ephemeral-storage": "30Gi", "requests.example.com/dongle": "2" });
  for (const [name, more] of [["cpu", asks("600m", "100Mi", "1Gi", "1")], ["dongles", asks("100m", "100Mi", "1Gi", "2")]] as const) assert.match(await world.refused(403, "POST", pods, { body: pod(name, more) }), /exceeded quota: test-quota/);
  await world.refused(422, "PATCH", `${pods}/fits`, { type: "application/merge-patch+json", body: { spec: { containers: [{ ...container, ...asks("100m", "100Mi") }] } } });
  await used({ pods: "1", cpu: "500m" });
  await world.ask("DELETE", `${pods}/fits`);
  await used({ pods: "0", cpu: "0", memory: "0" });
});
for (const [name, scopes, first, second] of [
  ["[sig-api-machinery] ResourceQuota should verify ResourceQuota with best effort scope.", ["BestEffort", "NotBestEffort"], pod("first"), pod("second", { resources: { requests: { cpu: "100m" } } })],
  ["[sig-api-machinery] ResourceQuota should verify ResourceQuota with terminating scopes.", ["Terminating", "NotTerminating"], pod("first", {}, { activeDeadlineSeconds: 3600 }), pod("second")],
] as const) test(`${name} [Conformance]`, async () => {
  const namespace = await world.namespace("scopes");
  for (const scope of scopes) await world.create(quotas(namespace), { metadata: { name: scope.toLowerCase() }, spec: { hard: { pods: "5" }, scopes: [scope] } });
  const shown = async (...pods: readonly string[]): Promise<void> => { for (const [i, scope] of scopes.entries()) await usedIs(`${quotas(namespace)}/${scope.toLowerCase()}`, { pods: pods[i] }); };
  await shown("0", "0");
  await world.create(`/api/v1/namespaces/${namespace}/pods`, first);
  await shown("1", "0");
  await world.create(`/api/v1/namespaces/${namespace}/pods`, second);
  await shown("1", "1");
  for (const each of [first, second]) await world.ask("DELETE", `/api/v1/namespaces/${namespace}/pods/${each.metadata.name}`);
  await shown("0", "0");
});
test("[sig-api-machinery] ResourceQuota should be able to update and delete ResourceQuota. [Conformance]", async () => {
  const { path } = await limited({ cpu: "1", memory: "500Mi" });
  const stored = await world.get(path);
  assert.deepEqual(stored.spec.hard, { cpu: "1", memory: "500Mi" });
  assert.deepEqual((await world.update(path, { ...stored, spec: { hard: { cpu: "2", memory: "1Gi" } } })).spec.hard, { cpu: "2", memory: "1Gi" });
  await world.delete(path);
  await world.refused(404, "GET", path);
});
test("[sig-api-machinery] ResourceQuota should manage the lifecycle of a ResourceQuota [Conformance]", async () => {
  const namespace = await world.namespace("quota-life");
  await world.create(quotas(namespace), { metadata: { name: "q", labels: { e2e: namespace } }, spec: { hard: { cpu: "1" } } });
  assert.equal((await world.get(`/api/v1/resourcequotas?${label(namespace)}`)).items.length, 1);
  assert.equal((await world.strategic(`${quotas(namespace)}/q`, { metadata: { labels: { patched: "yes" } }, spec: { hard: { memory: "750Mi" } } })).spec.hard.memory, "750Mi");
  await world.delete(`${quotas(namespace)}?${label(namespace)}`);
  assert.deepEqual((await world.get(`/api/v1/resourcequotas?${label(namespace)}`)).items, []);
});
test("[sig-api-machinery] ResourceQuota should apply changes to a resourcequota status [Conformance]", async () => {
  const { path, used } = await limited({ cpu: "500", memory: "500Gi" });
  await used({ cpu: "0" });
  const stored = await world.get(path);
  const updated = await world.update(`${path}/status`, { ...stored, spec: { hard: { cpu: "1" } }, status: { ...stored.status, hard: { cpu: "300", memory: "200Gi" } } });
  assert.deepEqual([updated.status.hard, updated.spec.hard], [{ cpu: "300", memory: "200Gi" }, { cpu: "500", memory: "500Gi" }]);
  await world.eventually(path, ({ status }) => status.hard.cpu === "500", "the controller puts the status right");
  assert.equal((await world.merge(`${path}/status`, { status: { hard: { cpu: "250" } } })).status.hard.cpu, "250");
  await world.merge(path, { spec: { hard: { cpu: "1k" } } });
  await world.eventually(path, ({ status }) => status.hard.cpu === "1k", "a new spec shows in the status");
});

test("[sig-architecture] Conformance Tests should have at least two untainted nodes [Conformance]", async () => {
  // Nodes are the user's (`timonier up --nodes 2`): here, that the API tells untainted and schedulable ones apart.
  for (const [name, spec] of [["ready-a", {}], ["ready-b", {}], ["cordoned", { unschedulable: true }], ["tainted", { taints: [{ key: "x", effect: "NoSchedule" }] }]] as const) await world.create("/api/v1/nodes", { metadata: { name }, spec });
  const { items } = await world.get("/api/v1/nodes?fieldSelector=spec.unschedulable%3Dfalse");
  assert.deepEqual(items.filter(({ spec, metadata }: Any) => spec.taints === undefined || (metadata.name.startsWith("ready") && spec.taints.every(({ key }: Any) => key.startsWith("node.kubernetes.io/")))).map(({ metadata }: Any) => metadata.name).filter((name: string) => name.startsWith("ready")), ["ready-a", "ready-b"]);
});
test("[sig-auth] SubjectReview should support SubjectReview API operations [Conformance]", async () => {
  const namespace = await world.namespace("subjectreview");
  await world.create(`/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name: "e2e" } });
  const user = `system:serviceaccount:${namespace}:e2e`;
  const spec = { user, resourceAttributes: { namespace, verb: "list", resource: "configmaps", version: "v1" } };
  const review = async (): Promise<readonly boolean[]> => [
    (await world.create("/apis/authorization.k8s.io/v1/subjectaccessreviews", { spec })).status.allowed,
    (await world.create(`/apis/authorization.k8s.io/v1/namespaces/${namespace}/localsubjectaccessreviews`, { metadata: { namespace }, spec })).status.allowed,
    (await world.ask("GET", `/api/v1/namespaces/${namespace}/configmaps`, { user })).status === 200,
  ];
  assert.deepEqual(await review(), [false, false, false]);
  await world.create(`/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings`, { metadata: { name: "view" }, roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "view" }, subjects: [{ kind: "ServiceAccount", namespace, name: "e2e" }] });
  assert.deepEqual(await review(), [true, true, true]);
});

test("[sig-network] API Server should have Endpoints and EndpointSlices pointing to API Server [Conformance]", async () => {
  const { subsets } = await world.get("/api/v1/namespaces/default/endpoints/kubernetes");
  const { items } = await world.get("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3Dkubernetes");
  assert.deepEqual([subsets[0].addresses[0].ip, items[0].endpoints[0].addresses], ["10.0.0.1", ["10.0.0.1"]]);
  assert.deepEqual([subsets[0].ports[0].port, items[0].ports[0].port], [6443, 6443]);
});
test("[sig-network] API Server should provide secure master service [Conformance]", async () => {
  assert.deepEqual((await world.get("/api/v1/namespaces/default/services/kubernetes")).spec.ports.map(({ name, port }: Any) => [name, port]), [["https", 443]]);
});
test("[sig-network] EndpointSliceMirroring should mirror a custom Endpoints resource through create update and delete [Conformance]", async () => {
  const namespace = await world.namespace("mirroring");
  await world.create(`/api/v1/namespaces/${namespace}/services`, { metadata: { name: "custom" }, spec: { ports: [{ name: "example", port: 80 }] } });
  const endpoints = `/api/v1/namespaces/${namespace}/endpoints`;
  const slices = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3Dcustom`;
  const mirrored = (address: string | undefined): Promise<Any> => world.eventually(slices, ({ items }) => (address === undefined ? items.length === 0 : items.length === 1 && items[0].endpoints[0].addresses[0] === address), `it shows ${address}`);
  await world.create(endpoints, { metadata: { name: "custom" }, subsets: [{ addresses: [{ ip: "10.1.2.3" }], ports: [{ name: "example", port: 80 }] }] });
  await mirrored("10.1.2.3");
  await world.merge(`${endpoints}/custom`, { subsets: [{ addresses: [{ ip: "10.2.3.4" }], ports: [{ name: "example", port: 80 }] }] });
  await mirrored("10.2.3.4");
  await world.delete(`${endpoints}/custom`);
  await mirrored(undefined);
});
test("[sig-network] EndpointsController should create and delete Endpoints for a Service with a selector that matches no pods [Conformance]", async () => {
  const namespace = await world.namespace("empty-endpoints");
  await world.create(`/api/v1/namespaces/${namespace}/services`, { metadata: { name: "empty" }, spec: { selector: { matches: "nothing" }, ports: [{ port: 80 }] } });
  const path = `/api/v1/namespaces/${namespace}/endpoints/empty`;
  assert.equal((await world.eventually(path, each => each !== undefined, "they appear")).subsets, undefined);
  await world.delete(`/api/v1/namespaces/${namespace}/services/empty`);
  await world.eventually(path, each => each === undefined, "they go");
});
const service = (name: string, labels: object = {}) => ({ metadata: { name, labels }, spec: { ports: [{ name: "http", port: 80, targetPort: 80 }] } });
test("[sig-network] Services should complete a service status lifecycle [Conformance]", async () => {
  const services = `/api/v1/namespaces/${await world.namespace("service-status")}/services`;
  const watching = await world.watch(services);
  await world.create(services, { ...service("s"), spec: { ...service("s").spec, type: "LoadBalancer", loadBalancerClass: "example.com/internal-vip" } });
  assert.deepEqual((await world.get(`${services}/s/status`)).status, { loadBalancer: {} });
  assert.deepEqual((await world.merge(`${services}/s/status`, { metadata: { annotations: { patched: "yes" } }, status: { loadBalancer: { ingress: [{ ip: "203.0.113.1" }] } } })).status.loadBalancer.ingress.map(({ ip }: Any) => ip), ["203.0.113.1"]);
  const stored = await world.get(`${services}/s`);
  const condition = { type: "StatusUpdate", status: "True", reason: "E2E", message: "Set by e2e test", lastTransitionTime: "2026-01-01T00:00:00Z" };
  assert.deepEqual((await world.update(`${services}/s/status`, { ...stored, status: { ...stored.status, conditions: [condition] } })).status.conditions, [condition]);
  await world.delete(`${services}/s`);
  assert.deepEqual([watching.seen()[0], watching.seen().at(-1)], ["ADDED s", "DELETED s"]);
  await watching.close();
});
test("[sig-network] Services should delete a collection of services [Conformance]", async () => {
  const namespace = await world.namespace("services");
  const services = `/api/v1/namespaces/${namespace}/services`;
  for (const [name, labels] of [["a", { e2e: namespace }], ["b", { e2e: namespace }], ["c", {}]] as const) await world.create(services, service(name, labels));
  await world.delete(`${services}?${label(namespace)}`);
  assert.deepEqual((await world.get(services)).items.map(({ metadata }: Any) => metadata.name), ["c"]);
});
test("[sig-network] Services should find a service from listing all namespaces [Conformance]", async () => {
  assert.ok((await world.get("/api/v1/services")).items.some(({ metadata }: Any) => metadata.namespace === "default" && metadata.name === "kubernetes"));
});

for (const [name, resource] of [["[sig-node] ConfigMap should fail to create ConfigMap with empty key", "configmaps"], ["[sig-node] Secrets should fail to create secret due to empty secret key", "secrets"]] as const) test(`${name} [Conformance]`, async () => {
  assert.match(await world.refused(422, "POST", `/api/v1/namespaces/${await world.namespace("keys")}/${resource}`, { body: { metadata: { name: "empty" }, data: { "": "dmFsdWU=" } } }), /data\[\]: Invalid value: ""/);
});
for (const [name, resource] of [["[sig-storage] ConfigMap should be immutable if `immutable` field is set", "configmaps"], ["[sig-storage] Secrets should be immutable if `immutable` field is set", "secrets"]] as const) test(`${name} [Conformance]`, async () => {
  const path = `/api/v1/namespaces/${await world.namespace("immutable")}/${resource}`;
  const made = await world.create(path, { metadata: { name: "i" }, data: { "data-1": "dmFsdWU=" } });
  const marked = await world.update(`${path}/i`, { ...made, data: { "data-1": "b3RoZXI=" }, immutable: true });
  assert.equal(marked.immutable, true);
  for (const change of [{ immutable: false }, { data: { "data-1": "bmV3" } }, { data: { "data-2": "bmV3" } }]) assert.match(await world.refused(422, "PATCH", `${path}/i`, { type: "application/merge-patch+json", body: change }), /field is immutable when `immutable` is set/);
  assert.equal((await world.merge(`${path}/i`, { metadata: { labels: { label1: "value1" } } })).metadata.labels.label1, "value1");
});
test("[sig-node] Pods Extended Pods Set QOS Class should be set on Pods with matching resource requests and limits for memory and cpu [Conformance]", async () => {
  const resources = { cpu: "100m", memory: "100Mi" };
  const path = `/api/v1/namespaces/${await world.namespace("qos")}/pods`;
  await world.create(path, pod("guaranteed", { resources: { requests: resources, limits: resources } }));
  assert.equal((await world.get(`${path}/guaranteed`)).status.qosClass, "Guaranteed");
});
test("[sig-storage] CSIInlineVolumes should support CSIVolumeSource in Pod API [Conformance]", async () => {
  const namespace = await world.namespace("csi");
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const inline = { ...pod("inline"), metadata: { name: "inline", labels: { e2e: namespace } }, spec: { ...pod("inline").spec, volumes: [{ name: "v", csi: { driver: "e2e.example.com" } }] } };
  assert.deepEqual((await world.create(path, inline)).spec.volumes[0].csi, { driver: "e2e.example.com" });
  assert.equal((await world.get(`/api/v1/pods?${label(namespace)}`)).items[0].spec.volumes[0].csi.driver, "e2e.example.com");
  assert.equal((await world.merge(`${path}/inline`, { metadata: { annotations: { patched: "yes" } } })).metadata.annotations.patched, "yes");
  await world.delete(`${path}/inline`);
  await world.eventually(`${path}/inline`, each => each === undefined, "it is gone");
});

const volume = (name: string, labels: object = {}) => ({ metadata: { name, labels }, spec: { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"], persistentVolumeReclaimPolicy: "Retain", storageClassName: "nothing", hostPath: { path: "/tmp/x" } } });
const claim = (name: string, labels: object = {}) => ({ metadata: { name, labels }, spec: { accessModes: ["ReadWriteOnce"], storageClassName: "elsewhere", resources: { requests: { storage: "1Gi" } } } });
test("[sig-storage] PersistentVolumes CSI Conformance should run through the lifecycle of a PV and a PVC [Conformance]", async () => {
  const namespace = await world.namespace("pv");
  const [volumes, claims] = ["/api/v1/persistentvolumes", `/api/v1/namespaces/${namespace}/persistentvolumeclaims`];
  const name = world.name("pv");
  assert.deepEqual((await world.create(volumes, volume(name, { e2e: namespace }))).metadata.finalizers, ["kubernetes.io/pv-protection"]);
  assert.deepEqual((await world.create(claims, claim("c", { e2e: namespace }))).metadata.finalizers, ["kubernetes.io/pvc-protection"]);
  assert.deepEqual([(await world.get(`${volumes}?${label(namespace)}`)).items.length, (await world.get(`/api/v1/persistentvolumeclaims?${label(namespace)}`)).items.length], [1, 1]);
  assert.equal((await world.merge(`${volumes}/${name}`, { metadata: { labels: { patched: "yes" } } })).metadata.labels.patched, "yes");
  const stored = await world.get(`${claims}/c`);
  assert.equal((await world.update(`${claims}/c`, { ...stored, metadata: { ...stored.metadata, labels: { ...stored.metadata.labels, updated: "yes" } } })).metadata.labels.updated, "yes");
  await world.delete(`${claims}?${label(namespace)}`);
  await world.delete(`${volumes}?${label(namespace)}`);
  for (const path of [`${claims}/c`, `${volumes}/${name}`]) await world.eventually(path, each => each === undefined, "it is gone once nothing uses it");
});
test("[sig-storage] PersistentVolumes CSI Conformance should apply changes to a pv/pvc status [Conformance]", async () => {
  const namespace = await world.namespace("pv-status");
  const name = world.name("pv");
  const [pv, pvc] = [`/api/v1/persistentvolumes/${name}`, `/api/v1/namespaces/${namespace}/persistentvolumeclaims/c`];
  await world.create("/api/v1/persistentvolumes", volume(name));
  await world.create(`/api/v1/namespaces/${namespace}/persistentvolumeclaims`, claim("c"));
  const condition = { type: "StatusUpdate", status: "True", reason: "E2E statusUpdate", message: "Set from an e2e test" };
  const stored = await world.get(`${pvc}/status`);
  assert.equal((await world.update(`${pvc}/status`, { ...stored, status: { ...stored.status, conditions: [condition] } })).status.conditions[0].reason, "E2E statusUpdate");
  assert.equal((await world.merge(`${pvc}/status`, { status: { conditions: [{ ...condition, message: "patched" }] } })).status.conditions[0].message, "patched");
  assert.equal((await world.merge(`${pv}/status`, { status: { message: "StatusPatched", reason: "E2E statusPatch" } })).status.reason, "E2E statusPatch");
  const volumeNow = await world.get(`${pv}/status`);
  assert.equal((await world.update(`${pv}/status`, { ...volumeNow, status: { ...volumeNow.status, message: "StatusUpdated" } })).status.message, "StatusUpdated");
});
