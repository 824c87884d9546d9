/** What upstream's 1.36.3 API server was seen to warn of, kind by kind. Pods have a table of their own. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { decode } from "../schema/decode.ts";
import { applyDefaults } from "../schema/defaults.ts";
import { kinds } from "./index.ts";
import { cidrWarnings, ipWarnings, validateCanonicalCidr, validateCanonicalIp, validateCidr, validateIp } from "./core/iprules.ts";
import { finalizerWarnings } from "./meta/rules.ts";

const template = { metadata: {}, spec: { containers: [{ name: "c", image: "i" }], terminationGracePeriodSeconds: -1 } };
const ended = (path: string) => `${path}.spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`;
const claim = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1500m" } } };
const part = (path: string) => `${path}.resources.requests[storage]: fractional byte value "1500m" is invalid, must be an integer`;
const dotted = "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]";
const old = 'deprecated since v1.14; use "kubernetes.io/os" instead';
const oldClass = 'metadata.annotations[volume.beta.kubernetes.io/storage-class]: deprecated since v1.8; use "storageClassName" attribute instead';
const secret = (crt: string, key: string) => ({ type: "kubernetes.io/tls", data: { "tls.crt": btoa(crt), "tls.key": btoa(key) } });
const pem = (type: string) => `-----BEGIN ${type}-----\nAAAA\n-----END ${type}-----\n`;
const job = { template, completionMode: "Indexed", completions: 200_000, parallelism: 20_000 };
const many = (path: string) => `${path}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail`;
const balancer = { status: { loadBalancer: { ingress: [{ ip: "2001:DB8::1" }] } } };
const shouted = 'status.loadBalancer.ingress[0]: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")';

for (const [kind, object, expected, op = "create"] of [
  ["Deployment", { metadata: { name: "a.b" }, spec: { template } }, [dotted, ended("spec.template")]],
  ["Deployment", { metadata: { name: "a.b", generation: 2 }, spec: { template } }, [ended("spec.template")], "update"],
  ["Deployment", { metadata: { name: "a.b" }, spec: { template } }, [], "update"],
  ["ReplicaSet", { metadata: { name: "a.b" }, spec: { template } }, [dotted, ended("spec.template")]],
  ["ReplicationController", { metadata: { name: "a.b" }, spec: { template } }, [dotted, ended("spec.template")]],
  ["DaemonSet", { metadata: { name: "a.b" }, spec: { template } }, [ended("spec.template")]],
  ["StatefulSet", { spec: { template, revisionHistoryLimit: -1, volumeClaimTemplates: [{ metadata: { name: "v" }, spec: claim }] } }, [ended("spec.template"), part("spec.volumeClaimTemplates[0]"), "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended"]],
  ["StatefulSet", { spec: { template, volumeClaimTemplates: [{ metadata: { name: "v" }, spec: claim }] } }, [part("spec.volumeClaimTemplates[0].Spec")], "update"],
  ["Job", { metadata: { name: "a" }, spec: job }, [many("spec"), ended("spec.template")]],
  ["CronJob", { metadata: { name: "a.b" }, spec: { schedule: "TZ=UTC * * * * *", jobTemplate: { spec: job } } }, [dotted, many("spec.jobTemplate.spec"), ended("spec.jobTemplate.spec.template")]],
  ["CronJob", { spec: { schedule: "TZ=UTC * * * * *", jobTemplate: { spec: job } } }, ["cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details"], "update"],
  ["PersistentVolumeClaim", { metadata: { annotations: { "volume.beta.kubernetes.io/storage-class": "x" } }, spec: claim }, [oldClass, part("spec")]],
  ["PersistentVolume", { metadata: { annotations: { "volume.beta.kubernetes.io/storage-class": "x" } }, spec: { storageos: {}, rbd: {}, cephfs: {} } }, [oldClass, "spec.cephfs: deprecated in v1.28, non-functional in v1.31+", "spec.storageOS: deprecated in v1.22, non-functional in v1.25+", "spec.rbd: deprecated in v1.28, non-functional in v1.31+"]],
  ["PersistentVolume", { spec: { nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: "beta.kubernetes.io/os", operator: "Exists" }] }] } } } }, [`spec.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].key: beta.kubernetes.io/os is ${old}`]],
  ["StorageClass", { provisioner: "a", allowedTopologies: [{ matchLabelExpressions: [{ key: "beta.kubernetes.io/os", values: ["x"] }] }] }, [`allowedTopologies[0].matchLabelExpressions[0].key: ${old}`]],
  ["CSIStorageCapacity", { storageClassName: "a", nodeTopology: { matchLabels: { "beta.kubernetes.io/os": "x" } } }, [`nodeTopology.matchLabels.beta.kubernetes.io/os: ${old}`]],
  ["RuntimeClass", { handler: "a", scheduling: { nodeSelector: { "beta.kubernetes.io/os": "x" } } }, [`scheduling.nodeSelector: ${old}`]],
  ["CSIDriver", { spec: { tokenRequests: [{ audience: "a" }] } }, ["spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes"]],
  ["CSIDriver", { spec: { tokenRequests: [{ audience: "a" }] } }, [], "update"],
  ["Node", { spec: { externalID: "x", podCIDRs: ["2001:DB8::/64"] } }, ["spec.externalID: this field is deprecated, and is unused by Kubernetes", 'spec.podCIDRs[0]: IPv6 CIDR value "2001:DB8::/64" should be in RFC 5952 canonical format ("2001:db8::/64")']],
  ["ServiceAccount", { metadata: { annotations: { "kubernetes.io/enforce-mountable-secrets": "true" } } }, ["metadata.annotations[kubernetes.io/enforce-mountable-secrets]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets"]],
  ["ServiceAccount", { metadata: { annotations: { "kubernetes.io/enforce-mountable-secrets": "true" } } }, [], "update"],
  ["ResourceQuota", { spec: { hard: { "requests.cpu": "2", "limits.cpu": "1", memory: "2Gi", "limits.memory": "1Gi" } } }, ["ResourceQuota requests.cpu (2) should be less than limits.cpu (1)", "ResourceQuota memory (2Gi) should be less than limits.memory (1Gi)"]],
  ["Secret", secret("a", "b"), ["tls: failed to find any PEM data in certificate input"]],
  ["Secret", secret(pem("EC PRIVATE KEY"), "b"), ["tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched"]],
  ["Secret", secret(pem("FOO") + pem("BAR"), "b"), ['tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the following types: [FOO BAR]']],
  ["Secret", secret(pem("CERTIFICATE"), "b"), ["tls: failed to find any PEM data in key input"]],
  ["Secret", secret(pem("CERTIFICATE"), pem("CERTIFICATE")), ["tls: found a certificate rather than a key in the PEM for the private key"]],
  ["Secret", secret(pem("CERTIFICATE"), pem("EC PARAMETERS")), ['tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping PEM blocks of the following types: [EC PARAMETERS]']],
  ["Ingress", { metadata: { annotations: { "kubernetes.io/ingress.class": "x" } } }, ["annotation \"kubernetes.io/ingress.class\" is deprecated, please use 'spec.ingressClassName' instead"]],
  ["Ingress", balancer, [shouted], "status"], ["Service", balancer, [shouted], "status"],
  ["Pod", { status: { podIPs: [{ ip: "2001:DB8::1" }] } }, ['status.podIPs[0].ip: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")'], "status"],
  ["NetworkPolicy", { spec: { podSelector: {}, egress: [{ to: [{ ipBlock: { cidr: "2001:DB8::/32" } }] }] } }, ['spec.egress[0].to[0].ipBlock.cidr: IPv6 CIDR value "2001:DB8::/32" should be in RFC 5952 canonical format ("2001:db8::/32")']],
  ["EndpointSlice", { addressType: "FQDN", endpoints: [{ addresses: ["a.b"] }] }, ["spec.addressType: FQDN endpoints are deprecated"]],
  ["Endpoints", { subsets: [{ notReadyAddresses: [{ ip: "2001:DB8::1" }] }] }, ['subsets[0].notReadyAddresses[0].ip: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")']],
  ["Endpoints", { metadata: { labels: { "endpoints.kubernetes.io/managed-by": "endpoint-controller" } }, subsets: [{ addresses: [{ ip: "2001:DB8::1" }] }] }, []],
  ["ResourceSlice", { spec: { driver: "A.b", pool: {} } }, ['spec.driver: driver names should be lowercase; "A.b" contains uppercase characters']],
  ["ValidatingWebhookConfiguration", { metadata: { name: "a.static.k8s.io" } }, ['metadata.name: names ending with ".static.k8s.io" are reserved for static manifest-based configurations and cannot be managed via the API']],
] as readonly (readonly [string, any, readonly string[], string?])[]) test(`${kind}, ${op}: ${expected.length === 0 ? "no advice" : expected[0]!.slice(0, 80)}`, () => {
  const declared = kinds.find(each => each.kind === kind)!;
  const made: any = decode(declared.schema.node, { ...object, metadata: { name: "a", generation: 1, ...object.metadata } } as never).object;
  applyDefaults(declared.schema.node, made);
  const before = { ...made, metadata: { ...made.metadata, generation: 1 } };
  assert.deepEqual([...(op === "status" ? declared.statusWarnings!(made) : declared.warnings!(made, op === "update" ? before : undefined))], expected);
});

test("addresses are strict where they are new, and told where they are not", () => {
  const bodies = (problems: readonly { readonly detail: string }[]) => problems.map(({ detail }) => detail);
  for (const [value, wrong, canonical] of [["10.0.0.1", [], []], ["10.0.0.01", ["must not have leading 0s"], ["must not have leading 0s"]], ["::ffff:1.2.3.4", ["must not be an IPv4-mapped IPv6 address"], ["must not be an IPv4-mapped IPv6 address"]], ["FD00::1", [], ['must be in canonical form ("fd00::1")']], ["x", ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"], ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"]]] as const) {
    assert.deepEqual([bodies(validateIp(value, "a")), bodies(validateCanonicalIp(value, "a"))], [wrong, canonical], value);
    assert.deepEqual(validateIp(value, "a", [value]), []);
  }
  for (const [value, wrong, canonical] of [["10.0.0.0/8", [], []], ["10.0.0.1/8", ["must not have bits set beyond the prefix length"], undefined], ["010.0.0.0/8", ["must not have leading 0s in IP or prefix length"], undefined], ["10.0.0.0/08", ["must not have leading 0s in IP or prefix length"], undefined], ["FD00::/8", [], ['must be in canonical form ("fd00::/8")']]] as const)
    assert.deepEqual([bodies(validateCidr(value, "a")), bodies(validateCanonicalCidr(value, "a"))], [wrong, canonical ?? wrong], value);
  assert.deepEqual([...ipWarnings("10.0.0.01", "a")], ['a: non-standard IP address "10.0.0.01" is invalid: use "10.0.0.1"']);
  assert.deepEqual([...cidrWarnings("010.0.0.1/8", "a")], ['a: CIDR value "010.0.0.1/8" is ambiguous in this context (should be "10.0.0.0/8" or "10.0.0.1/32"?)', 'a: non-standard CIDR value "010.0.0.1/8" is invalid: use "10.0.0.0/8"']);
});

test("new finalizers of custom resources had better have a domain and a path", () => {
  assert.deepEqual([...finalizerWarnings({ finalizers: ["b", "a.b", "a.b/c", "orphan", "old"] }, { finalizers: ["old"] })], [
    'metadata.finalizers: "a.b": prefer a domain-qualified finalizer name including a path (/) to avoid accidental conflicts with other finalizer writers',
    'metadata.finalizers: "b": prefer a domain-qualified finalizer name to avoid accidental conflicts with other finalizer writers',
  ]);
});
