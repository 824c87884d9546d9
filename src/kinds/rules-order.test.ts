/** Which fields objects with many faults are refused for, and in which order: as kube-apiserver 1.36.3 answered. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { bodyOf, startHarness } from "../../test/transcripts/harness.ts";

type Row = readonly [path: string, object: object, fields: string];
const ns = "/namespaces/default", crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", admission = "/apis/admissionregistration.k8s.io/v1";
const hook = { name: "x", sideEffects: "None", clientConfig: {}, admissionReviewVersions: ["v9"], rules: [{}] };
const rows: readonly Row[] = [
  [crds, { metadata: { name: "a" }, spec: { group: "", names: {}, conversion: { strategy: "x" } } }, "metadata.name spec.group spec.scope spec.versions spec.names.plural spec.names.singular spec.names.kind spec.names.listKind spec.conversion.strategy status.storedVersions"],
  [crds, { metadata: { name: "as.x.y" }, spec: { group: "x.y", scope: "Cluster", names: { plural: "as", kind: "A" }, versions: [{ name: "V", served: true, storage: false }, { name: "V", served: true, storage: false }] } }, "spec.versions[0].schema.openAPIV3Schema spec.versions[1].schema.openAPIV3Schema spec.versions[0].name spec.versions[1].name spec.versions spec.versions spec.version status.storedVersions"],
  [`${admission}/mutatingwebhookconfigurations`, { metadata: { name: "a" }, webhooks: [hook] }, "webhooks[0].name webhooks[0].rules[0].operations webhooks[0].rules[0].apiGroups webhooks[0].rules[0].apiVersions webhooks[0].rules[0].resources webhooks[0].clientConfig webhooks[0].admissionReviewVersions"],
  [`/api/v1${ns}/endpoints`, { metadata: { name: "a" }, subsets: [{ addresses: [{ ip: "10.0.0.0/8", hostname: "-" }] }] }, "subsets[0].addresses[0].ip subsets[0].addresses[0].hostname subsets[0].addresses[0].ip"],
  [`/apis/networking.k8s.io/v1${ns}/networkpolicies`, { metadata: { name: "a" }, spec: { podSelector: {}, ingress: [{ from: [{ podSelector: {}, ipBlock: { cidr: ".." } }] }] } }, "spec.ingress[0].from[0].ipBlock.cidr spec.ingress[0].from[0]"],
  [`/apis/resource.k8s.io/v1${ns}/resourceclaimtemplates`, { metadata: { name: "a" }, spec: { metadata: { uid: "x", labels: { "-": "" } }, spec: {} } }, "spec.metadata.labels spec.metadata.uID"],
  [`/apis/apps/v1${ns}/statefulsets`, { metadata: { name: "a" }, spec: { selector: {}, template: {}, persistentVolumeClaimRetentionPolicy: { whenDeleted: "x" } } }, "spec.persistentVolumeClaimRetentionPolicy.whenDeleted spec.selector spec.template.spec.containers"],
  ["/apis/certificates.k8s.io/v1/certificatesigningrequests", { metadata: { name: "a" }, spec: { request: "////" } }, "spec.request spec.usages spec.signerName"],
  [`/apis/authorization.k8s.io/v1${ns}/localsubjectaccessreviews`, { metadata: { labels: { a: "b" } }, spec: { user: "a", resourceAttributes: { namespace: "x" } } }, "metadata spec.resourceAttributes.namespace"],
];

test("many faults", async t => {
  const harness = await startHarness();
  const send = (path: string, object: object) => harness.send("POST", path, { headers: { "content-type": "application/json" }, body: JSON.stringify(object) });
  await send("/api/v1/namespaces", { metadata: { name: "default" } });
  for (const [path, object, fields] of rows) await t.test(path.slice(path.lastIndexOf("/") + 1), async () => {
    assert.deepEqual(JSON.parse(String(await bodyOf(await send(path, object)))).details.causes.map(({ field }: { readonly field: string }) => field).join(" "), fields);
  });
  await harness.close();
});
