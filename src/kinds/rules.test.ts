import assert from "node:assert/strict";
import { test } from "node:test";
import { decode } from "../schema/decode.ts";
import { applyDefaults } from "../schema/defaults.ts";
import { problemBody } from "../schema/problem.ts";
import { validate } from "../schema/validate.ts";
import { CertificateSigningRequest } from "./certificates/certificatesigningrequest.ts";
import { Deployment } from "./apps/deployment.ts";
import { ConfigMap } from "./core/configmap.ts";
import { Event } from "./core/event.ts";
import { Namespace } from "./core/namespace.ts";
import { Node } from "./core/node.ts";
import { Pod } from "./core/pod.ts";
import { Secret } from "./core/secret.ts";
import { Service } from "./core/service.ts";
import type { AnyKind } from "./kind.ts";
import { validateObjectMeta } from "./meta/rules.ts";
import { ClusterRole } from "./rbac/clusterrole.ts";
import { Role } from "./rbac/role.ts";
import { ClusterRoleBinding } from "./rbac/clusterrolebinding.ts";
import { RoleBinding } from "./rbac/rolebinding.ts";

type Tree = { readonly [key: string]: unknown };
function whole(kind: AnyKind, given: Tree): any {
  const { object } = decode(kind.schema.node, { metadata: { name: "a", ...(kind.namespaced ? { namespace: "ns" } : {}) }, ...given } as never);
  applyDefaults(kind.schema.node, object);
  kind.defaults?.(object);
  return object;
}
function problems(kind: AnyKind, given: Tree, previous?: Tree, subresource = ""): readonly string[] {
  const [next, before] = [whole(kind, given), previous === undefined ? undefined : whole(kind, previous)];
  const context = { now: 0, operation: before === undefined ? ("create" as const) : ("update" as const), subresource };
  return [...validate(kind.schema.node, next, before), ...(kind.rules?.(next, before, context) ?? [])].map(problem => `${problem.field}: ${problemBody(problem)}`);
}
const pod = (spec: Tree = {}, container: Tree = {}): Tree => ({ spec: { containers: [{ name: "c", image: "i", ...container }], ...spec } });
const dns = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

for (const [what, given, expected] of [
  ["a plain pod", pod(), []],
  ["no containers", { spec: {} }, ["spec.containers: Required value"]],
  ["no name and image", { spec: { containers: [{}] } }, ["spec.containers[0].name: Required value", "spec.containers[0].image: Required value"]],
  ["a bad name", pod({}, { name: "A" }), [`spec.containers[0].name: Invalid value: "A": ${dns}`]],
  ["two containers of one name", { spec: { containers: [{ name: "c", image: "i" }, { name: "c", image: "i" }] } }, ['spec.containers[1].name: Duplicate value: "c"']],
  ["more asked for than allowed", pod({}, { resources: { requests: { cpu: "2" }, limits: { cpu: "1" } } }), ['spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1']],
  ["an unknown resource", pod({}, { resources: { limits: { gpu: "1" } } }), ["limits", "requests"].flatMap(list => ["must be a standard resource type or fully qualified", "must be a standard resource for containers"].map(text => `spec.containers[0].resources.${list}[gpu]: Invalid value: "gpu": ${text}`))],
  ["half a device", pod({}, { resources: { limits: { "example.com/gpu": "500m" } } }), ['spec.containers[0].resources.limits[example.com/gpu]: Invalid value: "500m": must be an integer', 'spec.containers[0].resources.requests[example.com/gpu]: Invalid value: "500m": must be an integer']],
  ["less than nothing", pod({}, { resources: { requests: { memory: "-1" } } }), ['spec.containers[0].resources.requests[memory]: Invalid value: "-1": must be greater than or equal to 0']],
  ["a mount of nothing", pod({}, { volumeMounts: [{ name: "v", mountPath: "/x" }] }), ['spec.containers[0].volumeMounts[0].name: Not found: "v"']],
  ["one path for two mounts", pod({ volumes: [{ name: "v" }] }, { volumeMounts: [{ name: "v", mountPath: "/x" }, { name: "v", mountPath: "/x" }] }), ['spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/x": must be unique']],
  ["a way out by subPath", pod({ volumes: [{ name: "v" }] }, { volumeMounts: [{ name: "v", mountPath: "/x", subPath: "../y" }] }), [`spec.containers[0].volumeMounts.subPath: Invalid value: "../y": must not contain '..'`]],
  ["a volume of two sorts", pod({ volumes: [{ name: "v", emptyDir: {}, hostPath: { path: "/x" } }] }), ["spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type"]],
  ["two volumes of one name", pod({ volumes: [{ name: "v" }, { name: "v" }] }), ['spec.volumes[1].name: Duplicate value: "v"']],
  ["a mode that is none", pod({ volumes: [{ name: "v", secret: { secretName: "s", defaultMode: 1000 } }] }), ["spec.volumes[0].secret.defaultMode: Invalid value: 1000: must be a number between 0 and 0777 (octal), both inclusive"]],
  ["a variable from two places", pod({}, { env: [{ name: "A", valueFrom: { fieldRef: { fieldPath: "metadata.name" }, secretKeyRef: { name: "s", key: "k" } } }] }), ['spec.containers[0].env[0].valueFrom: Invalid value: "": may not have more than one field specified at a time']],
  ["a field that no variable can have", pod({}, { env: [{ name: "A", valueFrom: { fieldRef: { fieldPath: "metadata.labels" } } }] }), ['spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "metadata.labels": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"']],
  ["a probe that does nothing", pod({}, { livenessProbe: {} }), ["spec.containers[0].livenessProbe: Required value: must specify a handler type"]],
  ["a probe that does two things", pod({}, { readinessProbe: { exec: { command: ["a"] }, httpGet: { port: 80 } } }), ["spec.containers[0].readinessProbe.httpGet: Forbidden: may not specify more than 1 handler type"]],
  ["a liveness probe that wants two successes", pod({}, { livenessProbe: { tcpSocket: { port: 80 }, successThreshold: 2 } }), ["spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1"]],
  ["port 0", pod({}, { ports: [{ containerPort: 0 }] }), ["spec.containers[0].ports[0].containerPort: Required value"]],
  ["a port too high", pod({}, { ports: [{ containerPort: 70000 }] }), ["spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive"]],
  ["a protocol of its own", pod({}, { ports: [{ containerPort: 1, protocol: "QUIC" }] }), ['spec.containers[0].ports[0].protocol: Unsupported value: "QUIC": supported values: "SCTP", "TCP", "UDP"']],
  ["a probe on an init container", pod({ initContainers: [{ name: "i", image: "i", readinessProbe: { exec: { command: ["a"] } } }] }), ["spec.initContainers[0].readinessProbe: Forbidden: may not be set for init containers without restartPolicy=Always"]],
  ["a toleration without a key", pod({ tolerations: [{ effect: "NoSchedule" }] }), ['spec.tolerations[0].operator: Invalid value: "": operator must be Exists when `key` is empty, which means "match all values and all keys"']],
  ["another DNS that is not given", pod({ dnsPolicy: "None" }), ["spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"]],
  ["ephemeral containers at birth", pod({ ephemeralContainers: [{ name: "e", image: "i" }] }), ["spec.ephemeralContainers: Forbidden: cannot be set on create"]],
  ["a token without an account", pod({ volumes: [{ name: "v", projected: { sources: [{ serviceAccountToken: { path: "token" } }] } }] }), ["spec.volumes[0].projected.sources[0].serviceAccountToken: Forbidden: must not be specified when serviceAccountName is not set"]],
  ["privileged without escalation", pod({}, { securityContext: { privileged: true, allowPrivilegeEscalation: false } }), ['spec.containers[0].securityContext: Invalid value: {"privileged":true,"allowPrivilegeEscalation":false}: cannot set `allowPrivilegeEscalation` to false and `privileged` to true']],
] as const) test(`a pod with ${what}`, () => assert.deepEqual(problems(Pod, given), expected));

const forbidden = "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n";
for (const [what, next, previous, expected] of [
  ["an image changes", pod({}, { image: "j", imagePullPolicy: "Always" }), pod(), []],
  ["a label changes on a pod that today would be refused", { metadata: { name: "a", namespace: "ns", labels: { x: "y" } }, ...pod({}, { name: "Bad" }) }, pod({}, { name: "Bad" }), []],
  ["the node changes", pod({ nodeName: "b" }), pod({ nodeName: "a" }), [`${forbidden}@@ -42,7 +42,7 @@\n  "NodeSelector": null,\n  "ServiceAccountName": "",\n  "AutomountServiceAccountToken": null,\n- "NodeName": "a",\n+ "NodeName": "b",\n  "SecurityContext": {\n   "HostNetwork": false,\n   "HostPID": false,\n`]],
  ["a command changes", pod({}, { command: ["b"] }), pod({}, { command: ["a"] }), [`${forbidden}@@ -6,7 +6,7 @@\n    "Name": "c",\n    "Image": "i",\n    "Command": [\n-    "a"\n+    "b"\n    ],\n    "Args": null,\n    "WorkingDir": "",\n`]],
  ["a container is added", { spec: { containers: [{ name: "c", image: "i" }, { name: "d", image: "i" }] } }, pod(), ["spec.containers: Forbidden: pod updates may not add or remove containers"]],
  ["a toleration is added", pod({ tolerations: [{ operator: "Exists" }] }), pod(), []],
  ["a toleration goes", pod(), pod({ tolerations: [{ operator: "Exists" }] }), ["spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds"]],
  ["the deadline is put off", pod({ activeDeadlineSeconds: 20 }), pod({ activeDeadlineSeconds: 10 }), ["spec.activeDeadlineSeconds: Invalid value: 20: must be less than or equal to previous value"]],
  ["a gate opens", pod({ schedulingGates: [{ name: "a" }] }), pod({ schedulingGates: [{ name: "a" }, { name: "b" }] }), []],
  ["a gate is shut", pod({ schedulingGates: [{ name: "a" }] }), pod(), ["spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'a'"]],
] as const) test(`a pod of which ${what}`, () => assert.deepEqual(problems(Pod, next, previous), expected));

const service = (spec: Tree): Tree => ({ spec: { ports: [{ port: 80 }], ...spec } });
for (const [what, given, previous, expected] of [
  ["a port", service({}), undefined, []],
  ["no ports", { spec: {} }, undefined, ["spec.ports: Required value"]],
  ["two nameless ports", service({ ports: [{ port: 80 }, { port: 81 }] }), undefined, ["spec.ports[0].name: Required value", "spec.ports[1].name: Required value"]],
  ["one port twice", service({ ports: [{ name: "a", port: 80 }, { name: "b", port: 80 }] }), undefined, ['spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}']],
  ["a node port it does not use", service({ ports: [{ port: 80, nodePort: 30000 }] }), undefined, ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"]],
  ["no name to point to", { spec: { type: "ExternalName" } }, undefined, ["spec.externalName: Required value"]],
  ["a type of its own", service({ type: "Magic" }), undefined, ['spec.type: Unsupported value: "Magic": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"']],
  ["an address at home", service({ externalIPs: ["127.0.0.1"] }), undefined, ['spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)']],
  ["two minds about hints", { metadata: { name: "a", namespace: "ns", annotations: { "service.kubernetes.io/topology-mode": "Auto", "service.kubernetes.io/topology-aware-hints": "Disabled" } }, ...service({}) }, undefined, ['metadata.annotations[service.kubernetes.io/topology-mode]: Invalid value: "Auto": must match annotations[service.kubernetes.io/topology-aware-hints] when both are specified']],
  ["another address than before", service({ clusterIP: "10.0.0.2", clusterIPs: ["10.0.0.2"] }), service({ clusterIP: "10.0.0.1", clusterIPs: ["10.0.0.1"] }), ['spec.clusterIPs[0]: Invalid value: ["10.0.0.2"]: may not change once set']],
] as const) test(`a service with ${what}`, () => assert.deepEqual(problems(Service, given, previous), expected));
test("the old name of the annotation for topology hints is warned about", () => {
  const given = whole(Service, { metadata: { name: "a", annotations: { "service.kubernetes.io/topology-aware-hints": "Auto" } }, ...service({}) });
  assert.deepEqual([...Service.warnings!(given, undefined)], ["annotation service.kubernetes.io/topology-aware-hints is deprecated, please use service.kubernetes.io/topology-mode instead"]);
});

const deployment = (spec: Tree = {}, labels: Tree = { a: "b" }): Tree => ({ spec: { selector: { matchLabels: { a: "b" } }, template: { metadata: { labels }, ...pod() }, ...spec } });
for (const [what, given, previous, expected] of [
  ["everything it needs", deployment(), undefined, []],
  ["no selector", deployment({ selector: undefined }), undefined, ["spec.selector: Required value", "spec.template.metadata.labels: Invalid value: {\"a\":\"b\"}: `selector` does not match template `labels`"]],
  ["an empty selector", deployment({ selector: {} }), undefined, ["spec.selector: Invalid value: {}: empty selector is invalid for deployment"]],
  ["pods it would not find", deployment({}, { a: "c" }), undefined, ['spec.template.metadata.labels: Invalid value: {"a":"c"}: `selector` does not match template `labels`']],
  ["many labels that it would not find, in order", deployment({}, { z: "c", b: "d" }), undefined, ['spec.template.metadata.labels: Invalid value: {"b":"d","z":"c"}: `selector` does not match template `labels`']],
  ["another selector than before", deployment({ selector: { matchLabels: { a: "b", c: "d" } } }, { a: "b", c: "d" }), deployment(), ['spec.selector: Invalid value: {"matchLabels":{"a":"b","c":"d"}}: field is immutable']],
  ["pods that end", deployment({ template: { metadata: { labels: { a: "b" } }, ...pod({ restartPolicy: "Never" }) } }), undefined, ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"']],
  ["no way to move", deployment({ strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } }), undefined, ["spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0"]],
  ["steps it does not take", deployment({ strategy: { type: "Recreate", rollingUpdate: {} } }), undefined, ["spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"]],
  ["fewer pods than none", deployment({ replicas: -1 }), undefined, ["spec.replicas: Invalid value: -1: must be greater than or equal to 0"]],
] as const) test(`a deployment with ${what}`, () => assert.deepEqual(problems(Deployment, given, previous), expected));

for (const [what, kind, given, previous, expected] of [
  ["a config map with a bad key", ConfigMap, { data: { "a/b": "" } }, undefined, [`data[a/b]: Invalid value: "a/b": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')`]],
  ["a config map with too much in it", ConfigMap, { data: { a: "x".repeat(1048577) } }, undefined, ["[]: Too long: may not be more than 1048576 bytes"]],
  ["a config map that was to stay as it is", ConfigMap, { immutable: true, data: { a: "c" } }, { immutable: true, data: { a: "b" } }, ["data: Forbidden: field is immutable when `immutable` is set"]],
  ["a secret that changes its type", Secret, { type: "a" }, { type: "b" }, ['type: Invalid value: "a": field is immutable']],
  ["a TLS secret without its parts", Secret, { type: "kubernetes.io/tls" }, undefined, ["data[tls.crt]: Required value", "data[tls.key]: Required value"]],
  ["a node with one taint twice", Node, { spec: { taints: [{ key: "a", effect: "NoSchedule" }, { key: "a", effect: "NoSchedule", value: "b" }] } }, undefined, ['metadata.taints[1]: Duplicate value: {"Key":"a","Value":"b","Effect":"NoSchedule","TimeAdded":null}: taints must be unique by key and effect pair']],
  ["a namespace that is going before it is told to", Namespace, { status: { phase: "Terminating" } }, {}, []],
  ["an event of another namespace", Event, { involvedObject: { kind: "Pod", namespace: "other" } }, undefined, ['involvedObject.namespace: Invalid value: "other": does not match event.namespace']],
  ["a role that allows nothing", Role, { rules: [{}] }, undefined, ["rules[0].verbs: Required value: verbs must contain at least one value", "rules[0].apiGroups: Required value: resource rules must supply at least one api group", "rules[0].resources: Required value: resource rules must supply at least one resource"]],
  ["a role for paths", Role, { rules: [{ verbs: ["get"], nonResourceURLs: ["/x"] }] }, undefined, ['rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs']],
  ["a cluster role for paths", ClusterRole, { rules: [{ verbs: ["get"], nonResourceURLs: ["/x"] }] }, undefined, []],
  ["a binding to nothing", RoleBinding, { roleRef: { kind: "Rule", name: "" }, subjects: [{ kind: "ServiceAccount", name: "a" }] }, undefined, ['roleRef.kind: Unsupported value: "Rule": supported values: "Role", "ClusterRole"', "roleRef.name: Required value"]],
  ["a binding of an account of its own namespace", RoleBinding, { roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "r" }, subjects: [{ kind: "ServiceAccount", name: "a" }] }, undefined, []],
  ["a cluster's binding of an account of no namespace", ClusterRoleBinding, { roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "r" }, subjects: [{ kind: "ServiceAccount", name: "a" }] }, undefined, ["subjects[0].namespace: Required value"]],
  ["a binding to another role", RoleBinding, { roleRef: { kind: "Role", name: "b" } }, { roleRef: { kind: "Role", name: "a" } }, ['roleRef: Invalid value: {"APIGroup":"rbac.authorization.k8s.io","Kind":"Role","Name":"b"}: cannot change roleRef']],
] as const) test(what, () => assert.deepEqual(problems(kind as AnyKind, given as Tree, previous as Tree | undefined), expected));

for (const [what, meta, previous, expected] of [
  ["no name", { namespace: "a" }, undefined, ["metadata.name: Required value: name or generateName is required"]],
  ["a bad label", { name: "a", namespace: "b", labels: { "a b": "c" } }, undefined, [`metadata.labels: Invalid value: "a b": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`]],
  ["two controllers", { name: "a", namespace: "b", ownerReferences: [{ apiVersion: "v1", kind: "A", name: "x", uid: "1", controller: true }, { apiVersion: "v1", kind: "B", name: "y", uid: "2", controller: true }] }, undefined, ['metadata.ownerReferences: Invalid value: [{"apiVersion":"v1","kind":"A","name":"x","uid":"1","controller":true},{"apiVersion":"v1","kind":"B","name":"y","uid":"2","controller":true}]: Only one reference can have Controller set to true. Found "true" in references for A/x and B/y']],
  ["an owner that says nothing", { name: "a", namespace: "b", ownerReferences: [{ apiVersion: "a/b/c", kind: "", name: "", uid: "" }] }, undefined, ['metadata.ownerReferences.apiVersion: Invalid value: "a/b/c": version must not be empty', ...["kind", "name", "uid"].map(field => `metadata.ownerReferences.${field}: Invalid value: "": must not be empty`)]],
  ["another uid", { name: "a", namespace: "b", uid: "2", resourceVersion: "1" }, { name: "a", namespace: "b", uid: "1" }, ['metadata.uid: Invalid value: "2": field is immutable']],
  ["a finalizer after the end", { name: "a", resourceVersion: "1", deletionTimestamp: "x", finalizers: ["a/b"] }, { name: "a", deletionTimestamp: "x" }, ['metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"a/b"}']],
] as const) test(`metadata with ${what}`, () => assert.deepEqual(validateObjectMeta({ namespaced: true }, meta as never, previous as never).map(problem => `${problem.field}: ${problemBody(problem)}`), expected));

test("a finalizer without a domain is Kubernetes' own, but for some groups and for custom resources", () => {
  const meta = { name: "a", namespace: "b", finalizers: ["mine", "orphan", "a.b/c"] } as never;
  const refused = ['metadata.finalizers[0]: name is neither a standard finalizer name nor is it fully qualified'];
  const of = (kind: object, previous?: object): readonly string[] => validateObjectMeta({ namespaced: true, ...kind }, meta, previous as never).filter(({ field }) => field.startsWith("metadata.finalizers")).map(({ field, detail }) => `${field}: ${detail}`);
  assert.deepEqual([of({ group: "" }), of({ group: "apps" }, { name: "a", namespace: "b" }), of({ group: "policy" }), of({ group: "", plural: "events" }), of({ group: "example.com", custom: true })], [refused, refused, [], [], []]);
});

test("what was decided about a certificate request is not taken back", () => {
  const request = (...types: string[]): any => ({ metadata: { name: "c" }, spec: { signerName: "a.b/c", usages: ["client auth"] }, status: { conditions: types.map(type => ({ type, status: "True" })) } });
  const problems = [...CertificateSigningRequest.rules!(request("Other"), request("Failed", "Denied"), { subresource: "approval" } as never)];
  assert.deepEqual(problems.map(({ field, detail }) => `${field}: ${detail}`), ['status.conditions: updates may not remove a condition of type "Denied"', 'status.conditions: updates may not remove a condition of type "Failed"']);
  assert.deepEqual([...CertificateSigningRequest.rules!(request("Denied", "Other"), request("Denied"), { subresource: "approval" } as never)], []);
});
