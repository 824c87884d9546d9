/** Upstream's conformance tests of whole APIs: every verb of a kind, over the real request path. Names are upstream's. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { operations, World, type Any, type Operations } from "./world.ts";

let world: World;
before(async () => { world = await World.start(); });
after(() => world.stop());

/** Made once by openssl for CN=e2e.example.com; its key is thrown away. */
const certificateRequest = `-----BEGIN CERTIFICATE REQUEST-----
MIHUMHwCAQAwGjEYMBYGA1UEAwwPZTJlLmV4YW1wbGUuY29tMFkwEwYHKoZIzj0C
AQYIKoZIzj0DAQcDQgAEmNbbRF5j254g2NtAc6+E9D7AjLY/7EjcU2KhpaeGr27G
1tOtmUeJ+UW8T1kvKKExusYsso8tP4JRtc0xem7ScKAAMAoGCCqGSM49BAMCA0gA
MEUCIHHcYwuQdgDKQhEAVac30p2+Jy6Bl/Q6anhF0+sGWj3rAiEAg/0K4GHfqTzH
FPWUzVNOknz8tO016HUEImHH12Njonw=
-----END CERTIFICATE REQUEST-----
`;
const group = "flowcontrol.apiserver.k8s.io";
const condition = (type: string) => ({ type, status: "True", reason: "Because", message: "said so", lastTransitionTime: "2026-01-01T00:00:00Z" });
const withLabels = (object: Any): Any => ({ ...object, metadata: { ...object.metadata, labels: { ...object.metadata.labels, changed: "yes" } } });
const labels = ({ metadata }: Any): unknown => metadata.labels;

const validatingPolicy = () => ({ spec: { failurePolicy: "Fail", matchConstraints: { resourceRules: [{ apiGroups: ["apps"], apiVersions: ["v1"], operations: ["CREATE"], resources: ["deployments"] }] }, validations: [{ expression: "object.spec.replicas <= 100" }] } });
const mutatingPolicy = () => ({ spec: { failurePolicy: "Fail", reinvocationPolicy: "Never", matchConstraints: { resourceRules: [{ apiGroups: ["apps"], apiVersions: ["v1"], operations: ["CREATE"], resources: ["deployments"] }], namespaceSelector: { matchLabels: { never: "matches" } } }, mutations: [{ patchType: "ApplyConfiguration", applyConfiguration: { expression: "Object{}" } }] } });
const container = { name: "c", image: "nginx" };
const template = { metadata: { labels: { a: "b" } }, spec: { containers: [container] } };

const list: readonly (readonly [string, Operations])[] = [
  ["[sig-api-machinery] API priority and fairness should support FlowSchema API operations", {
    at: `apis/${group}/v1`, resource: "flowschemas", kind: "FlowSchema", namespaced: false,
    object: () => ({ spec: { matchingPrecedence: 10_000, priorityLevelConfiguration: { name: "global-default" }, distinguisherMethod: { type: "ByUser" }, rules: [{ subjects: [{ kind: "User", user: { name: "example-e2e-non-existing-user" } }], nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["*"] }] }] } }),
    change: object => ({ ...object, spec: { ...object.spec, matchingPrecedence: 9000 } }), changed: ({ spec }) => spec.matchingPrecedence, status: () => ({ conditions: [{ ...condition("Dangling") }] }),
  }],
  ["[sig-api-machinery] API priority and fairness should support PriorityLevelConfiguration API operations", {
    at: `apis/${group}/v1`, resource: "prioritylevelconfigurations", kind: "PriorityLevelConfiguration", namespaced: false,
    object: () => ({ spec: { type: "Limited", limited: { nominalConcurrencyShares: 2, limitResponse: { type: "Reject" } } } }),
    change: object => ({ ...object, spec: { ...object.spec, limited: { ...object.spec.limited, nominalConcurrencyShares: 4 } } }), changed: ({ spec }) => spec.limited.nominalConcurrencyShares, status: () => ({ conditions: [condition("patched")] }),
  }],
  ["[sig-api-machinery] ValidatingAdmissionPolicy [Privileged:ClusterAdmin] should support ValidatingAdmissionPolicy API operations", {
    at: "apis/admissionregistration.k8s.io/v1", resource: "validatingadmissionpolicies", kind: "ValidatingAdmissionPolicy", namespaced: false, object: validatingPolicy,
    change: object => ({ ...object, spec: { ...object.spec, failurePolicy: "Ignore" } }), changed: ({ spec }) => spec.failurePolicy, status: () => ({ conditions: [condition("patched")] }),
  }],
  ["[sig-api-machinery] ValidatingAdmissionPolicy [Privileged:ClusterAdmin] should support ValidatingAdmissionPolicyBinding API operations", {
    at: "apis/admissionregistration.k8s.io/v1", resource: "validatingadmissionpolicybindings", kind: "ValidatingAdmissionPolicyBinding", namespaced: false,
    object: () => ({ spec: { policyName: "nowhere", validationActions: ["Deny"] } }), change: object => ({ ...object, spec: { ...object.spec, validationActions: ["Audit"] } }), changed: ({ spec }) => spec.validationActions,
  }],
  ["[sig-api-machinery] MutatingAdmissionPolicy [Privileged:ClusterAdmin] should support MutatingAdmissionPolicy API operations", {
    at: "apis/admissionregistration.k8s.io/v1", resource: "mutatingadmissionpolicies", kind: "MutatingAdmissionPolicy", namespaced: false, object: mutatingPolicy,
    change: object => ({ ...object, spec: { ...object.spec, failurePolicy: "Ignore" } }), changed: ({ spec }) => spec.failurePolicy,
  }],
  ["[sig-api-machinery] MutatingAdmissionPolicy [Privileged:ClusterAdmin] should support MutatingAdmissionPolicyBinding API operations", {
    at: "apis/admissionregistration.k8s.io/v1", resource: "mutatingadmissionpolicybindings", kind: "MutatingAdmissionPolicyBinding", namespaced: false,
    object: () => ({ spec: { policyName: "nowhere" } }), change: object => ({ ...object, spec: { ...object.spec, matchResources: { namespaceSelector: { matchLabels: { a: "b" } } } } }), changed: ({ spec }) => spec.matchResources.namespaceSelector,
  }],
  ["[sig-apps] CronJob should support CronJob API operations", {
    at: "apis/batch/v1", resource: "cronjobs", kind: "CronJob", namespaced: true,
    object: () => ({ spec: { schedule: "0 0 1 1 *", suspend: true, jobTemplate: { spec: { template: { spec: { restartPolicy: "OnFailure", containers: [container] } } } } } }),
    change: object => ({ ...object, spec: { ...object.spec, concurrencyPolicy: "Forbid" } }), changed: ({ spec }) => spec.concurrencyPolicy, status: () => ({ lastScheduleTime: "2026-01-01T00:00:00Z" }),
  }],
  ["[sig-network] EndpointSlice should support creating EndpointSlice API operations", {
    at: "apis/discovery.k8s.io/v1", resource: "endpointslices", kind: "EndpointSlice", namespaced: true,
    object: () => ({ addressType: "IPv4", endpoints: [{ addresses: ["1.2.3.4", "5.6.7.8"] }] }), change: object => ({ ...object, endpoints: [{ addresses: ["2.3.4.5"] }] }), changed: ({ endpoints }) => endpoints[0].addresses,
  }],
  ["[sig-network] Ingress API should support creating Ingress API operations", {
    at: "apis/networking.k8s.io/v1", resource: "ingresses", kind: "Ingress", namespaced: true,
    object: () => ({ spec: { defaultBackend: { service: { name: "default-backend", port: { number: 80 } } }, rules: [{ host: "a.example.com", http: { paths: [{ path: "/", pathType: "Prefix", backend: { service: { name: "x", port: { number: 80 } } } }] } }] } }),
    change: object => ({ ...object, spec: { ...object.spec, tls: [{ hosts: ["a.example.com"], secretName: "s" }] } }), changed: ({ spec }) => spec.tls, status: () => ({ loadBalancer: { ingress: [{ ip: "169.1.1.1" }] } }),
  }],
  ["[sig-network] IngressClass API should support creating IngressClass API operations", {
    at: "apis/networking.k8s.io/v1", resource: "ingressclasses", kind: "IngressClass", namespaced: false,
    object: () => ({ spec: { controller: "example.com/controller", parameters: { apiGroup: "k8s.io", kind: "parameters", name: "p" } } }), change: withLabels, changed: labels,
  }],
  ["[sig-network] ServiceCIDR and IPAddress API should support ServiceCIDR API operations", {
    at: "apis/networking.k8s.io/v1", resource: "servicecidrs", kind: "ServiceCIDR", namespaced: false, object: () => ({ spec: { cidrs: ["203.0.113.0/24"] } }), change: withLabels, changed: labels, status: () => ({ conditions: [condition("StatusPatched")] }), lingers: true,
  }],
  ["[sig-network] ServiceCIDR and IPAddress API should support IPAddress API operations", {
    at: "apis/networking.k8s.io/v1", resource: "ipaddresses", kind: "IPAddress", namespaced: false,
    object: name => ({ metadata: { name: `192.0.2.${name.replace(/\D/g, "")}`, labels: { "ipaddress.kubernetes.io/managed-by": "e2e.test" } }, spec: { parentRef: { resource: "services", namespace: "default", name: "kubernetes" } } }), change: withLabels, changed: labels,
  }],
  ["[sig-node] RuntimeClass should support RuntimeClasses API operations", { at: "apis/node.k8s.io/v1", resource: "runtimeclasses", kind: "RuntimeClass", namespaced: false, object: () => ({ handler: "h" }), change: withLabels, changed: labels }],
  ["[sig-storage] CSIStorageCapacity should support CSIStorageCapacities API operations", {
    at: "apis/storage.k8s.io/v1", resource: "csistoragecapacities", kind: "CSIStorageCapacity", namespaced: true, object: () => ({ storageClassName: "x", capacity: "1Gi" }), change: object => ({ ...object, capacity: "2Gi" }), changed: ({ capacity }) => capacity,
  }],
  ["[sig-storage] CSIInlineVolumes should run through the lifecycle of a CSIDriver", { at: "apis/storage.k8s.io/v1", resource: "csidrivers", kind: "CSIDriver", namespaced: false, object: () => ({ spec: { attachRequired: false, volumeLifecycleModes: ["Ephemeral"] } }), change: withLabels, changed: labels }],
  ["[sig-storage] CSINodes CSI Conformance should run through the lifecycle of a csinode", {
    at: "apis/storage.k8s.io/v1", resource: "csinodes", kind: "CSINode", namespaced: false, object: () => ({ spec: { drivers: [] } }), change: object => ({ ...object, spec: { drivers: [{ name: "d", nodeID: "n", topologyKeys: ["example.com/x"] }] } }), changed: ({ spec }) => spec.drivers,
  }],
  ["[sig-storage] StorageClasses CSI Conformance should run through the lifecycle of a StorageClass", { at: "apis/storage.k8s.io/v1", resource: "storageclasses", kind: "StorageClass", namespaced: false, object: () => ({ provisioner: "e2e-fake-provisioner" }), change: withLabels, changed: labels }],
  ["[sig-storage] VolumeAttachment Conformance should run through the lifecycle of a VolumeAttachment", { at: "apis/storage.k8s.io/v1", resource: "volumeattachments", kind: "VolumeAttachment", namespaced: false, object: () => ({ spec: { attacher: "e2e-test.example.com", nodeName: "n", source: { persistentVolumeName: "pv" } } }), change: withLabels, changed: labels }],
  ["[sig-storage] VolumeAttachment Conformance should apply changes to a volumeattachment status", { at: "apis/storage.k8s.io/v1", resource: "volumeattachments", kind: "VolumeAttachment", namespaced: false, object: () => ({ spec: { attacher: "e2e-test.example.com", nodeName: "n", source: { persistentVolumeName: "pv" } } }), status: () => ({ attached: true, attachmentMetadata: { a: "b" } }) }],
  ["[sig-storage] VolumeAttributesClass [FeatureGate:VolumeAttributesClass] should run through the lifecycle of a VolumeAttributesClass", {
    at: "apis/storage.k8s.io/v1", resource: "volumeattributesclasses", kind: "VolumeAttributesClass", namespaced: false, object: () => ({ driverName: "e2e-fake-csi-driver", parameters: { foo: "bar" } }), change: withLabels, changed: labels,
  }],
  ["[sig-node] [DRA] CRUD Tests resource.k8s.io/v1 DeviceClass", { at: "apis/resource.k8s.io/v1", resource: "deviceclasses", kind: "DeviceClass", namespaced: false, object: () => ({ spec: { selectors: [{ cel: { expression: "true" } }] } }), change: object => ({ ...object, spec: { selectors: [{ cel: { expression: "false" } }] } }), changed: ({ spec }) => spec.selectors }],
  ["[sig-node] [DRA] CRUD Tests resource.k8s.io/v1 ResourceClaim", {
    at: "apis/resource.k8s.io/v1", resource: "resourceclaims", kind: "ResourceClaim", namespaced: true, object: () => ({ spec: { devices: { requests: [{ name: "r", exactly: { deviceClassName: "c" } }] } } }), change: withLabels, changed: labels,
    status: () => ({ allocation: { devices: { results: [{ request: "r", driver: "d.example.com", pool: "p", device: "x" }] } } }), lingers: true,
  }],
  ["[sig-node] [DRA] CRUD Tests resource.k8s.io/v1 ResourceClaimTemplate", { at: "apis/resource.k8s.io/v1", resource: "resourceclaimtemplates", kind: "ResourceClaimTemplate", namespaced: true, object: () => ({ spec: { spec: { devices: { requests: [{ name: "r", exactly: { deviceClassName: "c" } }] } } } }), change: withLabels, changed: labels }],
  ["[sig-node] [DRA] CRUD Tests resource.k8s.io/v1 ResourceSlice", {
    at: "apis/resource.k8s.io/v1", resource: "resourceslices", kind: "ResourceSlice", namespaced: false, object: () => ({ spec: { driver: "d.example.com", nodeName: "n", pool: { name: "p", resourceSliceCount: 1 }, devices: [{ name: "x" }] } }),
    change: object => ({ ...object, spec: { ...object.spec, devices: [{ name: "y" }] } }), changed: ({ spec }) => spec.devices[0].name,
  }],
  ["[sig-node] PodTemplates should run the lifecycle of PodTemplates", { at: "api/v1", resource: "podtemplates", kind: "PodTemplate", namespaced: true, object: () => ({ template }), change: object => ({ ...object, template: { ...object.template, metadata: { labels: { c: "d" } } } }), changed: ({ template: { metadata } }) => metadata.labels }],
  ["[sig-node] PodTemplates should delete a collection of pod templates", { at: "api/v1", resource: "podtemplates", kind: "PodTemplate", namespaced: true, object: () => ({ template }) }],
  ["[sig-node] PodTemplates should replace a pod template", { at: "api/v1", resource: "podtemplates", kind: "PodTemplate", namespaced: true, object: () => ({ template }), change: withLabels, changed: labels }],
  ["[sig-node] Lease lease API should be available", {
    at: "apis/coordination.k8s.io/v1", resource: "leases", kind: "Lease", namespaced: true, object: () => ({ spec: { holderIdentity: "h", leaseDurationSeconds: 30, acquireTime: "2026-01-01T00:00:00.123456Z", renewTime: "2026-01-01T00:00:05.000001Z", leaseTransitions: 0 } }),
    change: object => ({ ...object, spec: { ...object.spec, renewTime: "2026-01-01T00:00:06.654321Z", leaseTransitions: 1 } }), changed: ({ spec }) => [spec.acquireTime, spec.renewTime, spec.leaseTransitions],
  }],
  ["[sig-node] ConfigMap should run through a ConfigMap lifecycle", { at: "api/v1", resource: "configmaps", kind: "ConfigMap", namespaced: true, object: () => ({ data: { valueName: "value" } }), change: object => ({ ...object, data: { valueName: "value1" } }), changed: ({ data }) => data }],
  ["[sig-node] Secrets should patch a secret", { at: "api/v1", resource: "secrets", kind: "Secret", namespaced: true, object: () => ({ data: { key: "dmFsdWU=" }, type: "Opaque" }), change: object => ({ ...object, data: { key: "dmFsdWUx" } }), changed: ({ data }) => data }],
  ["[sig-node] Node Lifecycle should run through the lifecycle of a node", { at: "api/v1", resource: "nodes", kind: "Node", namespaced: false, object: () => ({}), change: withLabels, changed: labels, status: () => ({ phase: "Running" }) }],
  ["[sig-network] Endpoints should test the lifecycle of an Endpoint", {
    at: "api/v1", resource: "endpoints", kind: "Endpoints", namespaced: true, object: () => ({ subsets: [{ addresses: [{ ip: "10.0.0.24" }], ports: [{ name: "http", port: 80, protocol: "TCP" }] }] }),
    change: object => ({ ...object, subsets: [{ addresses: [{ ip: "10.0.0.25" }], ports: [{ name: "http-test", port: 8080, protocol: "TCP" }] }] }), changed: ({ subsets }) => subsets,
  }],
  ["[sig-instrumentation] Events should manage the lifecycle of an event", {
    at: "api/v1", resource: "events", kind: "Event", namespaced: true, object: (_, namespace) => ({ message: "a test event", reason: "Test", type: "Normal", count: 1, involvedObject: { kind: "Pod", name: "p", namespace } }),
    change: object => ({ ...object, series: { count: 100, lastObservedTime: "2026-01-01T00:00:00.123456Z" } }), changed: ({ series }) => series,
  }],
  ["[sig-instrumentation] Events API should ensure that an event can be fetched, patched, deleted, and listed", {
    at: "apis/events.k8s.io/v1", resource: "events", kind: "Event", namespaced: true, object: (_, namespace) => ({ note: "an event", reason: "Test", type: "Normal", action: "Do", eventTime: "2026-01-01T00:00:00.000001Z", reportingController: "test-controller", reportingInstance: "test-node", regarding: { namespace } }),
    change: object => ({ ...object, series: { count: 2, lastObservedTime: "2026-01-01T00:00:00.999999Z" } }), changed: ({ series, eventTime }) => [series, eventTime],
  }],
  ["[sig-instrumentation] Events API should delete a collection of events", { at: "apis/events.k8s.io/v1", resource: "events", kind: "Event", namespaced: true, object: (_, namespace) => ({ reason: "Test", type: "Normal", action: "Do", eventTime: "2026-01-01T00:00:00.000001Z", reportingController: "test-controller", reportingInstance: "test-node", regarding: { namespace } }) }],
  ["[sig-instrumentation] Events should delete a collection of events", { at: "api/v1", resource: "events", kind: "Event", namespaced: true, object: (_, namespace) => ({ message: "x", reason: "Test", involvedObject: { kind: "Pod", namespace } }) }],
];
for (const [name, entry] of list) test(`${name} [Conformance]`, () => operations(world, entry));

test("[sig-auth] Certificates API [Privileged:ClusterAdmin] should support CSR API operations [Conformance]", async () => {
  const request = Buffer.from(certificateRequest).toString("base64");
  await operations(world, {
    at: "apis/certificates.k8s.io/v1", resource: "certificatesigningrequests", kind: "CertificateSigningRequest", namespaced: false, subresources: ["approval"],
    object: () => ({ spec: { request, signerName: "example.com/e2e", expirationSeconds: 3600, usages: ["digital signature", "key encipherment", "server auth"] } }), change: withLabels, changed: labels,
    status: ({ status: { conditions = [] } }) => ({ conditions: [...conditions, { type: "Failed", status: "True", reason: "E2E", message: "said so", lastUpdateTime: "2026-01-01T00:00:00Z", lastTransitionTime: "2026-01-01T00:00:00Z" }] }),
  });
  const path = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
  const made = await world.create(path, { metadata: { name: "to-approve" }, spec: { request, signerName: "example.com/e2e", usages: ["server auth"] } });
  const approved = await world.update(`${path}/to-approve/approval`, { ...made, status: { conditions: [{ type: "Approved", status: "True", reason: "E2E", message: "said so" }] } });
  assert.equal(approved.status.conditions[0].type, "Approved");
  assert.equal((await world.get(`${path}/to-approve/approval`)).status.conditions[0].reason, "E2E");
  await world.delete(`${path}/to-approve`);
});
