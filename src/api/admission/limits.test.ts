import assert from "node:assert/strict";
import { test } from "node:test";
import { isApiError } from "../../base/api-error.ts";
import { ConfigMap } from "../../kinds/core/configmap.ts";
import { PersistentVolumeClaim } from "../../kinds/core/persistentvolumeclaim.ts";
import { VolumeAttributesClass } from "../../kinds/storage/volumeattributesclass.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { Service } from "../../kinds/core/service.ts";
import { amountsOf, isInScope, usageOf } from "../../kinds/core/quotausage.ts";
import type { AnyKind } from "../../kinds/kind.ts";
import type { AdmissionRequest, AdmissionStep } from "./admission.ts";
import { limitRanger } from "./limit-ranger.ts";
import { resourceQuota } from "./resource-quota.ts";
import { runtimeClass } from "./runtime-class.ts";
import { defaultStorageClass, persistentVolumeClaimResize, storageObjectInUseProtection } from "./storage.ts";

/** Runs a step; gives the refusal, or "". Objects in `stored` are found by `plural` or `plural/name`. */
function run(step: AdmissionStep, stored: { [path: string]: any }, kind: AnyKind, object: any, more: Partial<AdmissionRequest> = {}): string {
  const request: AdmissionRequest = {
    operation: "CREATE", kind, subresource: "", namespace: "shop", name: object.metadata.name, user: { name: "u", uid: "", groups: [], extra: {} }, dryRun: false, object, previous: undefined, now: 0, warn() {},
    read: { get: (_, plural, __, name) => stored[`${plural}/${name}`] ?? (stored[plural] ?? []).find?.((each: any) => each.metadata.name === name), list: (_, plural) => stored[plural] ?? [] }, ...more,
  };
  try {
    void step.mutate?.(request);
    void step.validate?.(request);
    return "";
  } catch (error) {
    if (isApiError(error, "Forbidden")) return error.message.replace(/^[^:]* is forbidden: /, "");
    throw error;
  }
}
const pod = (resources: object = {}, spec: object = {}, name = "p"): any => ({ metadata: { name }, spec: { containers: [{ name: "c", resources }], ...spec } });
const range = (...limits: object[]) => ({ limitranges: [{ metadata: { name: "r" }, spec: { limits } }] });
const quota = (hard: object, spec: object = {}) => ({ metadata: { name: "q", namespace: "shop" }, spec: { hard, ...spec } });

test("a limit range fills in what containers do not say, and notes it", () => {
  const object = pod({ limits: { cpu: "1" } }, { initContainers: [{ name: "i" }] });
  assert.equal(run(limitRanger, range({ type: "Container", default: { cpu: "500m", memory: "1Gi" }, defaultRequest: { cpu: "100m" } }), Pod, object), "");
  assert.deepEqual(object.spec.containers[0].resources, { limits: { cpu: "1", memory: "1Gi" }, requests: { cpu: "100m" } });
  assert.equal(object.metadata.annotations["kubernetes.io/limit-ranger"], "LimitRanger plugin set: cpu request for container c; memory limit for container c; cpu request for init container i; cpu, memory limit for init container i");
});

test("a limit range refuses too little, too much and too steep, in upstream's words", () => {
  const table: [object, any, string][] = [
    [{ type: "Container", min: { cpu: "100m" } }, pod({ requests: { cpu: "50m" } }), "minimum cpu usage per Container is 100m, but request is 50m"],
    [{ type: "Container", min: { cpu: "100m" } }, pod(), "minimum cpu usage per Container is 100m.  No request is specified"],
    [{ type: "Container", max: { memory: "1Gi" } }, pod({ limits: { memory: "2Gi" } }), "maximum memory usage per Container is 1Gi, but limit is 2Gi"],
    [{ type: "Container", max: { memory: "1Gi" } }, pod(), "maximum memory usage per Container is 1Gi.  No limit is specified"],
    [{ type: "Container", maxLimitRequestRatio: { cpu: "2" } }, pod({ requests: { cpu: "100m" }, limits: { cpu: "300m" } }), "cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000"],
    [{ type: "Pod", max: { cpu: "1" } }, pod({ limits: { cpu: "600m" } }, { containers: [{ name: "a", resources: { limits: { cpu: "600m" } } }, { name: "b", resources: { limits: { cpu: "600m" } } }] }), "maximum cpu usage per Pod is 1, but limit is 1200m"],
    [{ type: "Container", min: { cpu: "1" }, max: { memory: "1" } }, pod(), "[minimum cpu usage per Container is 1.  No request is specified, maximum memory usage per Container is 1.  No limit is specified]"],
  ];
  for (const [limit, object, expected] of table) assert.equal(run(limitRanger, range(limit), Pod, object), expected);
  const claim = (storage: string) => ({ metadata: { name: "c" }, spec: { resources: { requests: { storage } } } });
  assert.equal(run(limitRanger, range({ type: "PersistentVolumeClaim", min: { storage: "1Gi" }, max: { storage: "2Gi" } }), PersistentVolumeClaim, claim("3Gi")), "maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 3Gi");
  assert.equal(run(limitRanger, range({ type: "Container", min: { cpu: "1" } }), Pod, pod(), { operation: "UPDATE" }), "");
});

test("a quota counts what is stored and refuses what would be too much", () => {
  const stored = { resourcequotas: [quota({ pods: "2", "requests.cpu": "500m" })], pods: [pod({ requests: { cpu: "300m" } }, {}, "a")] };
  assert.equal(run(resourceQuota(), stored, Pod, pod({ requests: { cpu: "200m" } })), "");
  assert.equal(run(resourceQuota(), stored, Pod, pod({ requests: { cpu: "300m" } })), "exceeded quota: q, requested: requests.cpu=300m, used: requests.cpu=300m, limited: requests.cpu=500m");
  assert.equal(run(resourceQuota(), stored, Pod, pod()), "failed quota: q: must specify requests.cpu for: c");
  // What must be said comes before what is counted, whichever quota is the first.
  const none = { ...quota({ pods: "0" }), metadata: { name: "a", namespace: "shop" } };
  assert.equal(run(resourceQuota(), { ...stored, resourcequotas: [none, ...stored.resourcequotas] }, Pod, pod()), "failed quota: q: must specify requests.cpu for: c");
  assert.equal(run(resourceQuota(), stored, ConfigMap, { metadata: { name: "m" } }), "");
});

test("two writes at once cannot both take the last place; a refused or stored one gives its place back", () => {
  const step = resourceQuota();
  const stored: { resourcequotas: object[]; configmaps: any[] } = { resourcequotas: [quota({ "count/configmaps": "1" })], configmaps: [] };
  const create = (name: string, more: Partial<AdmissionRequest> = {}) => run(step, stored, ConfigMap, { metadata: { name, uid: name } }, more);
  assert.equal(create("tried", { dryRun: true }), "");
  assert.equal(create("a"), "");
  const refused = "exceeded quota: q, requested: count/configmaps=1, used: count/configmaps=1, limited: count/configmaps=1";
  assert.equal(create("b"), refused, "a is let in, though not stored yet");
  stored.configmaps.push({ metadata: { name: "a" } });
  assert.equal(create("b"), refused, "a is stored");
  stored.configmaps.pop();
  assert.equal(create("b", { now: 11_000 }), "", "a never came");
});

test("usage is counted per kind as upstream counts it", () => {
  const usage = (plural: string, object: any, group = "") => amountsOf(usageOf({ group, plural }, object, 0, () => []));
  assert.deepEqual(usage("deployments", {}, "apps"), { "count/deployments.apps": "1" });
  assert.deepEqual(usage("services", { spec: { type: "LoadBalancer", ports: [{}, {}] } }), { "count/services": "1", services: "1", "services.loadbalancers": "1", "services.nodeports": "2" });
  assert.deepEqual(usage("services", { spec: { type: "ClusterIP", ports: [{}] } }), { "count/services": "1", services: "1" });
  assert.deepEqual(usage("persistentvolumeclaims", { metadata: {}, spec: { storageClassName: "gold", resources: { requests: { storage: "5Gi" } } } }), {
    "count/persistentvolumeclaims": "1", persistentvolumeclaims: "1", "requests.storage": "5Gi", "gold.storageclass.storage.k8s.io/persistentvolumeclaims": "1", "gold.storageclass.storage.k8s.io/requests.storage": "5Gi",
  });
  const busy = pod({ requests: { cpu: "100m", "example.com/gpu": "1" }, limits: { cpu: "1", memory: "1Gi" } }, { initContainers: [{ name: "s", restartPolicy: "Always", resources: { requests: { cpu: "50m" } } }, { name: "i", resources: { requests: { cpu: "400m" } } }], overhead: { cpu: "10m" } });
  assert.deepEqual(usage("pods", busy), { "count/pods": "1", pods: "1", cpu: "460m", "requests.cpu": "460m", "requests.example.com/gpu": "1", "limits.cpu": "1010m", "limits.memory": "1Gi" });
  assert.deepEqual(usage("pods", { ...busy, status: { phase: "Succeeded" } }), { "count/pods": "1" });
});

test("scopes choose the pods that a quota bounds", () => {
  const scoped = (spec: object, object: any) => isInScope(quota({}, spec), { group: "", plural: "pods" }, object);
  const [plain, busy, ending] = [pod(), pod({ requests: { cpu: "1" } }), pod({}, { activeDeadlineSeconds: 5 })];
  const by = (scope: string) => [plain, busy, ending].map(object => scoped({ scopes: [scope] }, object));
  assert.deepEqual([by("BestEffort"), by("NotBestEffort"), by("Terminating"), by("NotTerminating")], [[true, false, true], [false, true, false], [false, false, true], [true, true, false]]);
  const classed = (operator: string, ...values: string[]) => scoped({ scopeSelector: { matchExpressions: [{ scopeName: "PriorityClass", operator, values }] } }, pod({}, { priorityClassName: "high" }));
  assert.deepEqual([classed("In", "high"), classed("In", "low"), classed("NotIn", "low"), classed("Exists"), classed("DoesNotExist")], [true, false, true, true, false]);
  assert.equal(isInScope(quota({}, { scopes: ["BestEffort"] }), { group: "", plural: "services" }, { spec: {} }), false);
});

test("a claim counts under the attributes class that it wants and the one that it has, with the storage that it was to have", () => {
  const claim = { metadata: {}, spec: { volumeAttributesClassName: "silver", resources: { requests: { storage: "1500m" } } }, status: { currentVolumeAttributesClassName: "gold", modifyVolumeStatus: { targetVolumeAttributesClassName: "silver" } } };
  const by = (object: object, operator: string, ...values: string[]) => isInScope(quota({}, { scopeSelector: { matchExpressions: [{ scopeName: "VolumeAttributesClass", operator, values }] } }), { group: "", plural: "persistentvolumeclaims" }, object);
  assert.deepEqual([by(claim, "In", "gold"), by(claim, "In", "silver"), by(claim, "In", "bronze"), by(claim, "NotIn", "gold"), by(claim, "Exists"), by({ spec: {} }, "Exists"), by({ spec: {} }, "NotIn", "gold"), by({ spec: {} }, "DoesNotExist")], [true, true, false, true, true, false, true, true]);
  const storage = (object: object): unknown => amountsOf(usageOf({ group: "", plural: "persistentvolumeclaims" }, object, 0, () => []))["requests.storage"];
  assert.deepEqual([storage(claim), storage({ ...claim, status: { allocatedResources: { storage: "1Gi" } } })], ["2", "1Gi"]);
});

test("a pod that is being resized counts with the most of what it wants, was promised and has", () => {
  const resized = (status: object) => pod({ requests: { cpu: "1" }, limits: { cpu: "2" } }, {}, "p") && { metadata: { name: "p" }, spec: { containers: [{ name: "c", resources: { requests: { cpu: "1" }, limits: { cpu: "2" } } }], overhead: { memory: "1Mi" } }, status };
  const usage = (status: object) => { const { "requests.cpu": requests, "limits.cpu": limits } = amountsOf(usageOf({ group: "", plural: "pods" }, resized(status), 0, () => [])); return [requests, limits]; };
  const given = (requests: string, limits: string, allocated: string) => ({ containerStatuses: [{ name: "c", resources: { requests: { cpu: requests }, limits: { cpu: limits } }, allocatedResources: { cpu: allocated } }] });
  const infeasible = { conditions: [{ type: "PodResizePending", reason: "Infeasible" }] };
  assert.deepEqual([usage({}), usage(given("500m", "1", "500m")), usage(given("3", "4", "5")), usage({ ...given("500m", "1", "700m"), ...infeasible })], [["1", "2"], ["1", "2"], ["5", "4"], ["700m", "1"]]);
});

test("an update of a pod counts when it changes the pod's scope, and resources of the pod as a whole stand for its containers'", () => {
  const stored = { resourcequotas: [quota({ pods: "0" }, { scopes: ["Terminating"] })], pods: [] };
  const [before, ending] = [pod(), pod({}, { activeDeadlineSeconds: 5 })];
  const update = (object: any, previous: any) => run(resourceQuota(), stored, Pod, object, { operation: "UPDATE", previous });
  assert.deepEqual([update(ending, before), update(before, before), update(ending, ending)], ["exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0", "", ""]);
  const whole = { resourcequotas: [quota({ "requests.cpu": "1", "limits.memory": "1Gi" })] };
  assert.deepEqual([run(resourceQuota(), whole, Pod, pod({}, { resources: { requests: { memory: "1Mi" } } })), run(resourceQuota(), whole, Pod, pod({ requests: { cpu: "1" } }))], ["", "failed quota: q: must specify limits.memory for: c"]);
});

test("only what an update adds is counted", () => {
  const stored = { resourcequotas: [quota({ "services.nodeports": "2" })], services: [{ metadata: { name: "s" }, spec: { type: "NodePort", ports: [{}, {}] } }] };
  const update = (ports: number) => run(resourceQuota(), stored, Service, { metadata: { name: "s" }, spec: { type: "NodePort", ports: Array.from({ length: ports }, () => ({})) } }, { operation: "UPDATE", previous: stored.services[0] });
  assert.deepEqual([update(1), update(2), update(3)], ["", "", "exceeded quota: q, requested: services.nodeports=1, used: services.nodeports=2, limited: services.nodeports=2"]);
});

test("a runtime class gives its pods overhead, labels and tolerations", () => {
  const stored = { "runtimeclasses/vm": { overhead: { podFixed: { cpu: "10m" } }, scheduling: { nodeSelector: { vm: "yes" }, tolerations: [{ key: "vm", operator: "Exists" }] } } };
  const object = pod({}, { runtimeClassName: "vm", nodeSelector: { a: "b" } });
  assert.equal(run(runtimeClass, stored, Pod, object), "");
  assert.deepEqual([object.spec.overhead, object.spec.nodeSelector, object.spec.tolerations], [{ cpu: "10m" }, { a: "b", vm: "yes" }, [{ key: "vm", operator: "Exists" }]]);
  assert.equal(run(runtimeClass, stored, Pod, pod({}, { runtimeClassName: "ghost" })), 'pod rejected: RuntimeClass "ghost" not found');
  assert.equal(run(runtimeClass, stored, Pod, pod({}, { overhead: { cpu: "1" } })), "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead");
  assert.match(run(runtimeClass, stored, Pod, pod({}, { runtimeClassName: "vm", nodeSelector: { vm: "no" } })), /^conflict: /);
});

test("claims get the default class, are protected while used, and grow only where they may", () => {
  const classed = (name: string, created: string, isDefault: string) => ({ metadata: { name, creationTimestamp: created, annotations: { "storageclass.kubernetes.io/is-default-class": isDefault } }, allowVolumeExpansion: name === "new" });
  const stored = { storageclasses: [classed("old", "2026-01-01T00:00:00Z", "true"), classed("new", "2026-02-01T00:00:00Z", "true"), classed("not", "2026-03-01T00:00:00Z", "false")] };
  const claim: any = { metadata: { name: "c" }, spec: {} };
  run(defaultStorageClass, stored, PersistentVolumeClaim, claim);
  run(storageObjectInUseProtection, stored, PersistentVolumeClaim, claim);
  assert.deepEqual([claim.spec.storageClassName, claim.metadata.finalizers], ["new", ["kubernetes.io/pvc-protection"]]);
  const attributes: any = { metadata: { name: "gold" } };
  run(storageObjectInUseProtection, stored, VolumeAttributesClass, attributes);
  assert.deepEqual(attributes.metadata.finalizers, ["kubernetes.io/vac-protection"]);
  const sized = (storage: string, storageClassName: string, phase = "Bound") => ({ metadata: { name: "c" }, spec: { storageClassName, resources: { requests: { storage } } }, status: { phase } });
  const grow = (storageClassName: string, phase?: string) => run(persistentVolumeClaimResize, stored, PersistentVolumeClaim, sized("2Gi", storageClassName), { operation: "UPDATE", previous: sized("1Gi", storageClassName, phase) });
  assert.deepEqual([grow("new"), grow("old"), grow("new", "Pending")], ["", "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize", "Only bound persistent volume claims can be expanded"]);
});
