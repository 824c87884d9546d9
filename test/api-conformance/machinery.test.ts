/** Upstream's conformance tests of sig-api-machinery that need no pod: discovery, custom resources, validation of fields, policies, lists, watches. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { World, type Any, type Watching } from "./world.ts";

let world: World;
before(async () => { world = await World.start(); });
after(() => world.stop());

const crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const open = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
type Version = { readonly name: string; readonly served?: boolean; readonly schema?: Any };

/** A definition of `foos`, served; its group is its own. */
async function define(versions: readonly Version[], { group = `${world.name("g")}.example.com`, plural = "foos", kind = "Foo", scope = "Namespaced", more = {} }: { group?: string; plural?: string; kind?: string; scope?: string; more?: Any } = {}): Promise<{ readonly group: string; readonly name: string; readonly at: (version: string, namespace?: string) => string }> {
  const name = `${plural}.${group}`;
  await world.create(crds, { metadata: { name, ...more }, spec: { group, scope, names: { plural, singular: kind.toLowerCase(), kind, listKind: `${kind}List` }, versions: versions.map(({ name: version, served = true, schema = open }, i) => ({ name: version, served, storage: i === 0, schema, subresources: { status: {} } })) } });
  await world.eventually(`${crds}/${name}`, object => object.status?.conditions?.some(({ type, status }: Any) => type === "Established" && status === "True"), "it is established");
  return { group, name, at: (version, namespace) => `/apis/${group}/${version}${namespace === undefined ? "" : `/namespaces/${namespace}`}/${plural}` };
}
const foo = (group: string, version: string, more: object = {}, metadata: object = {}) => ({ apiVersion: `${group}/${version}`, kind: "Foo", metadata: { name: "foo", ...metadata }, ...more });

test("[sig-api-machinery] Discovery should locate the groupVersion and a resource within each APIGroup [Conformance]", async () => {
  const { groups } = await world.get("/apis");
  assert.ok(groups.length >= 20);
  for (const { name, versions } of groups) for (const { groupVersion } of versions) {
    const { resources, groupVersion: said } = await world.get(`/apis/${groupVersion}`);
    assert.equal(said, groupVersion);
    assert.ok(resources.length > 0, name);
    for (const resource of resources) assert.ok(resource.name !== "" && resource.kind !== "" && resource.verbs.length > 0 && resource.singularName !== undefined, `${name}/${resource.name}`);
  }
});

test("[sig-api-machinery] Discovery should validate PreferredVersion for each APIGroup [Conformance]", async () => {
  for (const { name, versions, preferredVersion } of (await world.get("/apis")).groups) {
    assert.ok(versions.some((each: Any) => each.groupVersion === preferredVersion.groupVersion), name);
    assert.deepEqual((await world.get(`/apis/${name}`)).preferredVersion, preferredVersion);
  }
});

const accept = (version: string) => ({ headers: { accept: `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList,application/json` } });
test("[sig-api-machinery] AggregatedDiscovery should support raw aggregated discovery endpoint Accept headers [Conformance]", async () => {
  for (const path of ["/api", "/apis"]) {
    const { status, headers, body } = await world.ask("GET", path, accept("v2"));
    assert.deepEqual([status, headers["content-type"], body.kind, body.apiVersion], [200, "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList", "APIGroupDiscoveryList", "apidiscovery.k8s.io/v2"]);
    // Gone with 1.36: what else was asked for is answered.
    assert.equal((await world.ask("GET", path, accept("v2beta1"))).headers["content-type"], "application/json");
  }
  assert.equal((await world.ask("GET", "/apis", { headers: { accept: "application/json" } })).body.kind, "APIGroupList");
});

/** Group, version, resource and subresources as one word each, from the aggregated documents. */
async function aggregated(): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (const path of ["/api", "/apis"]) for (const { metadata = {}, versions } of (await world.ask("GET", path, accept("v2"))).body.items) for (const { version, resources = [] } of versions) for (const { resource, subresources = [] } of resources) {
    found.add(`${metadata.name ?? ""}/${version}/${resource}`);
    for (const each of subresources) found.add(`${metadata.name ?? ""}/${version}/${resource}/${each.subresource}`);
  }
  return found;
}
test("[sig-api-machinery] AggregatedDiscovery should support aggregated discovery interface [Conformance]", async () => {
  const found = await aggregated();
  for (const wanted of ["/v1/namespaces", "/v1/pods", "/v1/pods/log", "apps/v1/deployments", "apps/v1/deployments/scale", "batch/v1/jobs", "rbac.authorization.k8s.io/v1/roles", "apiextensions.k8s.io/v1/customresourcedefinitions", "coordination.k8s.io/v1/leases", "networking.k8s.io/v1/ingresses", "policy/v1/poddisruptionbudgets", "storage.k8s.io/v1/storageclasses"]) assert.ok(found.has(wanted), wanted);
  for (const { name, versions } of (await world.get("/apis")).groups) for (const { version } of versions) for (const { name: resource } of (await world.get(`/apis/${name}/${version}`)).resources) assert.ok(found.has(`${name}/${version}/${resource}`), `${name}/${version}/${resource}`);
});
for (const name of ["[sig-api-machinery] AggregatedDiscovery should support aggregated discovery interface for CRDs", "[sig-api-machinery] AggregatedDiscovery should support raw aggregated discovery request for CRDs"]) test(`${name} [Conformance]`, async () => {
  const { group } = await define([{ name: "v1" }]);
  const found = await aggregated();
  assert.ok(found.has(`${group}/v1/foos`) && found.has(`${group}/v1/foos/status`));
});

test("[sig-api-machinery] server version should find the server version [Conformance]", async () => {
  const { major, minor } = await world.get("/version");
  assert.match(major, /^[0-9]+$/);
  assert.match(minor, /^[0-9]+$/);
});

test("[sig-api-machinery] CustomResourceDefinition resources [Privileged:ClusterAdmin] should include custom resource definition resources in discovery documents [Conformance]", async () => {
  const { groups } = await world.get("/apis");
  assert.ok(groups.some(({ name, versions }: Any) => name === "apiextensions.k8s.io" && versions.some(({ groupVersion, version }: Any) => groupVersion === "apiextensions.k8s.io/v1" && version === "v1")));
  assert.ok((await world.get("/apis/apiextensions.k8s.io")).versions.some(({ version }: Any) => version === "v1"));
  assert.ok((await world.get("/apis/apiextensions.k8s.io/v1")).resources.some(({ name }: Any) => name === "customresourcedefinitions"));
});

test("[sig-api-machinery] CustomResourceDefinition resources [Privileged:ClusterAdmin] Simple CustomResourceDefinition creating/deleting custom resource definition objects works [Conformance]", async () => {
  const { name, at } = await define([{ name: "v1" }]);
  assert.deepEqual((await world.get(at("v1"))).items, []);
  await world.delete(`${crds}/${name}`);
  await world.eventually(`${crds}/${name}`, object => object === undefined, "it is gone");
  await world.refused(404, "GET", at("v1"));
});

test("[sig-api-machinery] CustomResourceDefinition resources [Privileged:ClusterAdmin] Simple CustomResourceDefinition listing custom resource definition objects works [Conformance]", async () => {
  const label = world.name("listing");
  const made: string[] = [];
  while (made.length < 10) made.push((await define([{ name: "v1" }], { more: { labels: { label } } })).name);
  const selected = `${crds}?labelSelector=label%3D${label}`;
  assert.deepEqual((await world.get(selected)).items.map(({ metadata }: Any) => metadata.name).sort(), made.sort());
  await world.delete(selected);
  await world.eventually(selected, ({ items }) => items.length === 0, "all are gone");
});

test("[sig-api-machinery] CustomResourceDefinition resources [Privileged:ClusterAdmin] Simple CustomResourceDefinition getting/updating/patching custom resource definition status sub-resource works [Conformance]", async () => {
  const path = `${crds}/${(await define([{ name: "v1" }])).name}`;
  const stored = await world.get(`${path}/status`);
  const added = { type: "StatusUpdate", status: "True", reason: "E2E", message: "Set from an e2e test" };
  const updated = await world.update(`${path}/status`, { ...stored, status: { ...stored.status, conditions: [...stored.status.conditions, added] } });
  assert.ok(updated.status.conditions.some(({ type, reason }: Any) => type === "StatusUpdate" && reason === "E2E"));
  const patched = await world.merge(`${path}/status`, { metadata: { labels: { patched: "yes" } }, status: { conditions: updated.status.conditions.map((each: Any) => (each.type === "StatusUpdate" ? { ...each, message: "again" } : each)) } });
  assert.ok(patched.status.conditions.some(({ message }: Any) => message === "again"));
});

test("[sig-api-machinery] CustomResourceDefinition resources [Privileged:ClusterAdmin] custom resource defaulting for requests and from storage works [Conformance]", async () => {
  const schema = (a: object) => ({ openAPIV3Schema: { type: "object", properties: { a: { type: "string", ...a }, b: { type: "string" } } } });
  const { name, group, at } = await define([{ name: "v1", schema: schema({}) }], { scope: "Cluster" });
  await world.create(at("v1"), foo(group, "v1", {}, { name: "before" }));
  assert.equal((await world.get(`${at("v1")}/before`)).a, undefined);
  await world.merge(`${crds}/${name}`, { spec: { versions: [{ name: "v1", served: true, storage: true, schema: schema({ default: "A" }) }] } });
  await world.eventually(`${at("v1")}/before`, ({ a }) => a === "A", "what was stored before is shown with the default");
  assert.equal((await world.create(at("v1"), foo(group, "v1", { b: "B" }, { name: "after" }))).a, "A");
});

test("[sig-api-machinery] CustomResourceDefinition Watch [Privileged:ClusterAdmin] CustomResourceDefinition Watch watch on custom resource definition objects [Conformance]", async () => {
  const { group, at } = await define([{ name: "v1" }], { scope: "Cluster" });
  const watching = await world.watch(`${at("v1")}?resourceVersion=${(await world.get(at("v1"))).metadata.resourceVersion}`);
  for (const name of ["name1", "name2"]) await world.create(at("v1"), foo(group, "v1", {}, { name }));
  for (const name of ["name1", "name2"]) await world.merge(`${at("v1")}/${name}`, { spec: { dummy: "test" } });
  for (const name of ["name1", "name2"]) await world.delete(`${at("v1")}/${name}`);
  assert.deepEqual(watching.seen(), ["ADDED name1", "ADDED name2", "MODIFIED name1", "MODIFIED name2", "DELETED name1", "DELETED name2"]);
  await watching.close();
});

// What kubectl validates and explains is what these documents say; kubectl itself runs against them in test/e2e.
async function published(group: string, version: string, kind = "Foo"): Promise<{ readonly v2: Any; readonly v3: Any }> {
  const name = `${group.split(".").reverse().join(".")}.${version}.${kind}`;
  const index = (await world.get("/openapi/v3")).paths[`apis/${group}/${version}`];
  return { v2: (await world.get("/openapi/v2")).definitions[name], v3: index === undefined ? undefined : (await world.get(`/openapi/v3/apis/${group}/${version}`)).components.schemas[name] };
}
const nested = { type: "object", properties: { bars: { type: "array", description: "List of Bars and their specs.", items: { type: "object", required: ["name"], properties: { name: { type: "string", description: "Name of Bar." }, age: { type: "string", description: "Age of Bar." } } } } } };
const full = { openAPIV3Schema: { type: "object", description: "Foo CRD for Testing", properties: { spec: { ...nested, description: "Specification of Foo" }, status: { type: "object", description: "Status of Foo", properties: { bars: nested.properties.bars } } } } };

test("[sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] works for CRD with validation schema [Conformance]", async () => {
  const { group, at } = await define([{ name: "v1", schema: full }]);
  const { v2, v3 } = await published(group, "v1");
  for (const { description, properties } of [v2, v3]) assert.deepEqual([description, properties.spec.description, properties.spec.properties.bars.items.required, properties.spec.properties.bars.items.properties.name.description], ["Foo CRD for Testing", "Specification of Foo", ["name"], "Name of Bar."]);
  const namespace = await world.namespace("openapi");
  await world.create(at("v1", namespace), foo(group, "v1", { spec: { bars: [{ name: "test-bar" }] } }));
  assert.match(await world.refused(400, "POST", `${at("v1", namespace)}?fieldValidation=Strict`, { body: foo(group, "v1", { spec: { foo: true } }, { name: "unknown" }) }), /unknown field "spec.foo"/);
  assert.match(await world.refused(422, "POST", at("v1", namespace), { body: foo(group, "v1", { spec: { bars: [{ age: "10" }] } }, { name: "missing" }) }), /spec.bars\[0\].name: Required value/);
});
test("[sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] works for CRD without validation schema [Conformance]", async () => {
  const { group, at } = await define([{ name: "v1" }], { scope: "Cluster" });
  const { v2, v3 } = await published(group, "v1");
  for (const schema of [v2, v3]) assert.deepEqual([schema.type, schema["x-kubernetes-group-version-kind"]], ["object", [{ group, kind: "Foo", version: "v1" }]]);
  assert.deepEqual((await world.create(at("v1"), foo(group, "v1", { a: { b: [{ c: "d" }] } }))).a, { b: [{ c: "d" }] });
});
test("[sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] works for CRD preserving unknown fields at the schema root [Conformance]", async () => {
  const { group, at } = await define([{ name: "v1", schema: open }], { scope: "Cluster" });
  assert.deepEqual((await world.create(`${at("v1")}?fieldValidation=Strict`, foo(group, "v1", { a: { b: [{ c: "d" }] } }))).a, { b: [{ c: "d" }] });
  assert.notEqual((await published(group, "v1")).v2, undefined);
});
test("[sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] works for CRD preserving unknown fields in an embedded object [Conformance]", async () => {
  const { group, at } = await define([{ name: "v1", schema: { openAPIV3Schema: { type: "object", properties: { spec: { type: "object", description: "Specification of Waldo", "x-kubernetes-preserve-unknown-fields": true, properties: { dummy: { type: "object" } } } } } } }], { scope: "Cluster" });
  assert.deepEqual((await world.create(`${at("v1")}?fieldValidation=Strict`, foo(group, "v1", { spec: { b: [{ c: "d" }] } }))).spec, { b: [{ c: "d" }] });
  assert.equal((await published(group, "v1")).v3.properties.spec.description, "Specification of Waldo");
});
test("[sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] works for multiple CRDs of different groups [Conformance]", async () => {
  const [a, b] = [await define([{ name: "v1", schema: full }]), await define([{ name: "v1", schema: full }], { plural: "waldos", kind: "Waldo" })];
  for (const [{ group }, kind] of [[a, "Foo"], [b, "Waldo"]] as const) assert.equal((await published(group, "v1", kind)).v2.description, "Foo CRD for Testing");
});
test("[sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] works for multiple CRDs of same group but different versions [Conformance]", async () => {
  const { group } = await define([{ name: "v2", schema: full }, { name: "v3", schema: full }]);
  for (const version of ["v2", "v3"]) assert.equal((await published(group, version)).v3.description, "Foo CRD for Testing");
});
test("[sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] works for multiple CRDs of same group and version but different kinds [Conformance]", async () => {
  const { group } = await define([{ name: "v6", schema: full }]);
  await define([{ name: "v6", schema: full }], { group, plural: "waldos", kind: "Waldo" });
  for (const kind of ["Foo", "Waldo"]) assert.equal((await published(group, "v6", kind)).v3.description, "Foo CRD for Testing");
});
// kubectl apply sends a strategic merge patch to whatever is published as taking one, and a custom resource refuses it.
test("what is published of a CRD names the patches that its resources take", async () => {
  const { group } = await define([{ name: "v1", schema: full }]);
  const taken = ["application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml"];
  const item = `/apis/${group}/v1/namespaces/{namespace}/foos/{name}`;
  assert.deepEqual(Object.keys((await world.get(`/openapi/v3/apis/${group}/v1`)).paths[item].patch.requestBody.content), taken);
  const { [item]: { patch, put } } = (await world.get("/openapi/v2")).paths;
  assert.deepEqual([patch.consumes, put.consumes, put.produces], [taken, ["application/json", "application/yaml"], ["application/json", "application/yaml"]]);
});
test("[sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] updates the published spec when one version gets renamed [Conformance]", async () => {
  const { name, group } = await define([{ name: "v2", schema: full }, { name: "v3", schema: full }]);
  const stored = await world.get(`${crds}/${name}`);
  await world.update(`${crds}/${name}`, { ...stored, spec: { ...stored.spec, versions: stored.spec.versions.map((each: Any) => (each.name === "v3" ? { ...each, name: "v4" } : each)) } });
  await world.eventually("/openapi/v3", ({ paths }) => paths[`apis/${group}/v4`] !== undefined && paths[`apis/${group}/v3`] === undefined, "the version is renamed");
  assert.notEqual((await published(group, "v4")).v2, undefined);
  assert.equal((await published(group, "v3")).v2, undefined);
  assert.equal((await published(group, "v2")).v2.description, "Foo CRD for Testing");
});
test("[sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] removes definition from spec when one version gets changed to not be served [Conformance]", async () => {
  const { name, group } = await define([{ name: "v5", schema: full }, { name: "v6alpha1", schema: full }]);
  const stored = await world.get(`${crds}/${name}`);
  await world.update(`${crds}/${name}`, { ...stored, spec: { ...stored.spec, versions: stored.spec.versions.map((each: Any) => (each.name === "v6alpha1" ? { ...each, served: false } : each)) } });
  await world.eventually("/openapi/v3", ({ paths }) => paths[`apis/${group}/v6alpha1`] === undefined, "the version is not published");
  assert.equal((await published(group, "v6alpha1")).v2, undefined);
  assert.notEqual((await published(group, "v5")).v2, undefined);
});

const strict = "fieldValidation=Strict";
const applied = (name: string): string => `${name}?fieldManager=e2e&${strict}`;
const yaml = "application/apply-patch+yaml";
test("[sig-api-machinery] FieldValidation should detect unknown and duplicate fields of a typed object [Conformance]", async () => {
  const deployments = `/apis/apps/v1/namespaces/${await world.namespace("fields")}/deployments`;
  const body = `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d"},"spec":{"unknown1":"x","unknownDupe":"x","unknownDupe":"x","paused":true,"paused":false,"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i","unknownNested":"x","imagePullPolicy":"Always","imagePullPolicy":"Never"}]}}}}`;
  const said = await world.refused(400, "POST", `${deployments}?${strict}`, { body });
  for (const part of ['unknown field "spec.unknown1"', 'unknown field "spec.unknownDupe"', 'duplicate field "spec.paused"', 'unknown field "spec.template.spec.containers[0].unknownNested"', 'duplicate field "spec.template.spec.containers[0].imagePullPolicy"']) assert.ok(said.includes(part), `${part} in ${said}`);
});
test("[sig-api-machinery] FieldValidation should detect unknown metadata fields of a typed object [Conformance]", async () => {
  const deployments = `/apis/apps/v1/namespaces/${await world.namespace("fields")}/deployments`;
  const body = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "d", unknownMeta: "x" }, spec: { selector: { matchLabels: { a: "b" } }, template: { metadata: { labels: { a: "b" }, unknownMeta: "x" }, spec: { containers: [{ name: "c", image: "i" }] } } } };
  const said = await world.refused(400, "POST", `${deployments}?${strict}`, { body });
  assert.ok(said.includes('unknown field "metadata.unknownMeta"') && said.includes('unknown field "spec.template.metadata.unknownMeta"'), said);
});
test("[sig-api-machinery] FieldValidation should create/apply a valid CR for CRD with validation schema [Conformance]", async () => {
  const { group, at } = await define([{ name: "v1", schema: full }], { scope: "Cluster" });
  await world.create(`${at("v1")}?${strict}`, foo(group, "v1", { spec: { bars: [{ name: "b" }] } }));
  assert.equal((await world.ask("PATCH", applied(`${at("v1")}/second`), { type: yaml, body: foo(group, "v1", { spec: { bars: [{ name: "b" }] } }, { name: "second" }) })).status, 201);
});
test("[sig-api-machinery] FieldValidation should create/apply an invalid CR with extra properties for CRD with validation schema [Conformance]", async () => {
  const { group, at } = await define([{ name: "v1", schema: full }], { scope: "Cluster" });
  const body = foo(group, "v1", { spec: { extraProperty: "x" } });
  assert.match(await world.refused(400, "POST", `${at("v1")}?${strict}`, { body }), /unknown field "spec.extraProperty"/);
  // Apply says it in its own words.
  assert.match((await world.ask("PATCH", applied(`${at("v1")}/foo`), { type: yaml, body })).text, /extraProperty/);
});
test("[sig-api-machinery] FieldValidation should create/apply a CR with unknown fields for CRD with no validation schema [Conformance]", async () => {
  const { group, at } = await define([{ name: "v1" }], { scope: "Cluster" });
  await world.create(`${at("v1")}?${strict}`, foo(group, "v1", { spec: { anything: "goes" } }));
  assert.equal((await world.ask("PATCH", applied(`${at("v1")}/second`), { type: yaml, body: foo(group, "v1", { x: 1 }, { name: "second" }) })).status, 201);
});
test("[sig-api-machinery] FieldValidation should detect duplicates in a CR when preserving unknown fields [Conformance]", async () => {
  const { group, at } = await define([{ name: "v1" }], { scope: "Cluster" });
  assert.match(await world.refused(400, "POST", `${at("v1")}?${strict}`, { body: `{"apiVersion":"${group}/v1","kind":"Foo","metadata":{"name":"d"},"spec":{"unknown":"a","foo":"x","foo":"y"}}` }), /duplicate field "spec.foo"/);
});
test("[sig-api-machinery] FieldValidation should detect unknown metadata fields in both the root and embedded object of a CR [Conformance]", async () => {
  const embedded = { openAPIV3Schema: { type: "object", properties: { spec: { type: "object", properties: { template: { type: "object", "x-kubernetes-embedded-resource": true, properties: { metadata: { type: "object", properties: { name: { type: "string" } } } } } } } } } };
  const { group, at } = await define([{ name: "v1", schema: embedded }], { scope: "Cluster" });
  const said = await world.refused(400, "POST", `${at("v1")}?${strict}`, { body: foo(group, "v1", { spec: { template: { apiVersion: "foo/v1", kind: "Sub", metadata: { unknownSubMeta: "x", name: "s" } } } }, { unknownMeta: "x" }) });
  assert.ok(said.includes('unknown field "metadata.unknownMeta"') && said.includes('unknown field "spec.template.metadata.unknownSubMeta"'), said);
});

const deployment = (replicas: number, labels: object = { marked: "yes" }) => ({ metadata: { name: world.name("d"), labels }, spec: { replicas, selector: { matchLabels: { a: "b" } }, template: { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "i" }] } } } });
const admission = "/apis/admissionregistration.k8s.io/v1";
async function bound(kind: "validating" | "mutating", spec: object): Promise<string> {
  const namespace = await world.namespace("policies");
  const name = world.name("policy");
  const constraints = { resourceRules: [{ apiGroups: ["apps"], apiVersions: ["v1"], operations: ["CREATE"], resources: ["deployments"] }] };
  await world.create(`${admission}/${kind}admissionpolicies`, { metadata: { name }, spec: { failurePolicy: "Fail", matchConstraints: constraints, ...spec } });
  await world.create(`${admission}/${kind}admissionpolicybindings`, { metadata: { name }, spec: { policyName: name, ...(kind === "validating" ? { validationActions: ["Deny"] } : {}), matchResources: { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } } } } });
  return `/apis/apps/v1/namespaces/${namespace}/deployments`;
}
test("[sig-api-machinery] ValidatingAdmissionPolicy [Privileged:ClusterAdmin] should validate against a Deployment [Conformance]", async () => {
  const deployments = await bound("validating", { validations: [{ expression: "object.spec.replicas > 1", messageExpression: "'wants replicas > 1, got ' + string(object.spec.replicas)" }, { expression: "namespaceObject.metadata.name != 'x'", message: "no" }] });
  assert.match(await world.refused(422, "POST", deployments, { body: deployment(1) }), /wants replicas > 1, got 1/);
  await world.create(deployments, deployment(2));
});
test("[sig-api-machinery] ValidatingAdmissionPolicy [Privileged:ClusterAdmin] should allow expressions to refer variables. [Conformance]", async () => {
  const deployments = await bound("validating", { variables: [{ name: "replicas", expression: "object.spec.replicas" }, { name: "oddReplicas", expression: "variables.replicas % 2 == 1" }], validations: [{ expression: "variables.replicas > 1" }, { expression: "variables.oddReplicas" }] });
  await world.refused(422, "POST", deployments, { body: deployment(1) });
  await world.refused(422, "POST", deployments, { body: deployment(2) });
  await world.create(deployments, deployment(3));
});
test("[sig-api-machinery] MutatingAdmissionPolicy [Privileged:ClusterAdmin] should mutate a Deployment [Conformance]", async () => {
  const deployments = await bound("mutating", { reinvocationPolicy: "Never", mutations: [{ patchType: "ApplyConfiguration", applyConfiguration: { expression: "Object{spec: Object.spec{replicas: object.spec.replicas + 99}}" } }] });
  assert.equal((await world.create(deployments, deployment(1))).spec.replicas, 100);
});
test("[sig-api-machinery] MutatingAdmissionPolicy [Privileged:ClusterAdmin] should mutate a Deployment with annotations [Conformance]", async () => {
  const deployments = await bound("mutating", { reinvocationPolicy: "Never", mutations: [{ patchType: "ApplyConfiguration", applyConfiguration: { expression: "Object{metadata: Object.metadata{annotations: {'my-annotation': 'my-value'}}}" } }] });
  assert.deepEqual((await world.create(deployments, deployment(1))).metadata.annotations["my-annotation"], "my-value");
});

const hook = (kind: "Validating" | "Mutating", matchConditions: readonly Any[]) => ({ metadata: { name: world.name("hook") }, webhooks: [{ name: "hook.example.com", sideEffects: "None", admissionReviewVersions: ["v1"], failurePolicy: "Ignore", clientConfig: { url: "https://hook.example.com/" }, rules: [{ apiGroups: ["nowhere.example.com"], apiVersions: ["v1"], operations: ["CREATE"], resources: ["x"] }], matchConditions, ...(kind === "Mutating" ? { reinvocationPolicy: "Never" } : {}) }] });
test("[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should include webhook resources in discovery documents [Conformance]", async () => {
  assert.ok((await world.get("/apis")).groups.some(({ name, versions }: Any) => name === "admissionregistration.k8s.io" && versions.some(({ version }: Any) => version === "v1")));
  assert.ok((await world.get("/apis/admissionregistration.k8s.io")).versions.some(({ groupVersion }: Any) => groupVersion === "admissionregistration.k8s.io/v1"));
  const names = (await world.get(admission)).resources.map(({ name }: Any) => name);
  assert.ok(names.includes("mutatingwebhookconfigurations") && names.includes("validatingwebhookconfigurations"));
});
for (const [name, kind] of [
  ["[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should be able to create and update mutating webhook configurations with match conditions", "Mutating"],
  ["[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should be able to create and update validating webhook configurations with match conditions", "Validating"],
] as const) test(`${name} [Conformance]`, async () => {
  const path = `${admission}/${kind.toLowerCase()}webhookconfigurations`;
  const conditions = [{ name: "expression-1", expression: "object.metadata.namespace == 'production'" }];
  const made = await world.create(path, hook(kind, conditions));
  assert.deepEqual((await world.get(`${path}/${made.metadata.name}`)).webhooks[0].matchConditions, conditions);
  const more = [...conditions, { name: "expression-2", expression: "object.metadata.namespace == 'staging'" }];
  assert.deepEqual((await world.update(`${path}/${made.metadata.name}`, { ...made, webhooks: [{ ...made.webhooks[0], matchConditions: more }] })).webhooks[0].matchConditions, more);
});
for (const [name, kind] of [
  ["[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should reject mutating webhook configurations with invalid match conditions", "Mutating"],
  ["[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should reject validating webhook configurations with invalid match conditions", "Validating"],
] as const) test(`${name} [Conformance]`, async () => {
  assert.match(await world.refused(422, "POST", `${admission}/${kind.toLowerCase()}webhookconfigurations`, { body: hook(kind, [{ name: "invalid-expression-1", expression: "... [] bad expression" }]) }), /compilation failed/);
});
test("[sig-api-machinery] Servers with support for API chunking should return chunks of results for list calls [Conformance]", async () => {
  const templates = `/api/v1/namespaces/${await world.namespace("chunking")}/podtemplates`;
  const names = Array.from({ length: 40 }, (_, i) => `template-${String(i).padStart(4, "0")}`);
  for (const name of names) await world.create(templates, { metadata: { name }, template: { spec: { containers: [{ name: "c", image: "i" }] } } });
  let [token, version]: [string, string | undefined] = ["", undefined];
  const seen: string[] = [];
  do {
    const { metadata, items } = await world.get(`${templates}?limit=17${token === "" ? "" : `&continue=${token}`}`);
    version ??= metadata.resourceVersion;
    assert.equal(metadata.resourceVersion, version, "all chunks show one version");
    seen.push(...items.map((item: Any) => item.metadata.name));
    token = metadata.continue ?? "";
    assert.equal(metadata.remainingItemCount, token === "" ? undefined : names.length - seen.length);
  } while (token !== "");
  assert.deepEqual(seen, names);
});
test("[sig-api-machinery] Servers with support for API chunking should support continue listing from the last key if the original version has been compacted away, though the list is inconsistent [Slow] [Conformance]", async () => {
  const templates = `/api/v1/namespaces/${await world.namespace("chunking")}/podtemplates`;
  for (const name of ["a", "b", "c"]) await world.create(templates, { metadata: { name }, template: { spec: { containers: [{ name: "c", image: "i" }] } } });
  const first = await world.get(`${templates}?limit=1`);
  await world.create(templates, { metadata: { name: "bb" }, template: { spec: { containers: [{ name: "c", image: "i" }] } } });
  await world.store.compact(world.store.revision);
  const { status, body } = await world.ask("GET", `${templates}?limit=1&continue=${first.metadata.continue}`);
  assert.deepEqual([status, body.reason], [410, "Expired"]);
  const rest = await world.get(`${templates}?continue=${body.metadata.continue}`);
  assert.deepEqual(rest.items.map((item: Any) => item.metadata.name), ["b", "bb", "c"]);
  assert.notEqual(rest.metadata.resourceVersion, first.metadata.resourceVersion);
});
test("[sig-api-machinery] Servers with support for Table transformation should return a 406 for a backend which does not implement metadata [Conformance]", async () => {
  const { status } = await world.ask("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", { body: { spec: { resourceAttributes: { verb: "get", resource: "pods" } } }, headers: { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" } });
  assert.equal(status, 406);
});

const configmap = (name: string, label: string, data?: object) => ({ metadata: { name, labels: { "watch-this-configmap": label } }, ...(data === undefined ? {} : { data }) });
test("[sig-api-machinery] Watchers should observe add, update, and delete watch notifications on configmaps [Conformance]", async () => {
  const path = `/api/v1/namespaces/${await world.namespace("watch")}/configmaps`;
  const by = (...labels: readonly string[]): Promise<Watching> => world.watch(`${path}?labelSelector=${encodeURIComponent(`watch-this-configmap in (${labels.join(",")})`)}`);
  const [a, b, both] = [await by("A"), await by("B"), await by("A", "B")];
  await world.create(path, configmap("a", "A"));
  await world.merge(`${path}/a`, { data: { mutation: "1" } });
  await world.merge(`${path}/a`, { data: { mutation: "2" } });
  await world.delete(`${path}/a`);
  await world.create(path, configmap("b", "B"));
  await world.delete(`${path}/b`);
  const [ofA, ofB] = [["ADDED a", "MODIFIED a", "MODIFIED a", "DELETED a"], ["ADDED b", "DELETED b"]];
  assert.deepEqual([a.seen(), b.seen(), both.seen()], [ofA, ofB, [...ofA, ...ofB]]);
  for (const watching of [a, b, both]) await watching.close();
});
test("[sig-api-machinery] Watchers should be able to start watching from a specific resource version [Conformance]", async () => {
  const path = `/api/v1/namespaces/${await world.namespace("watch")}/configmaps`;
  await world.create(path, configmap("a", "A"));
  const { metadata } = await world.merge(`${path}/a`, { data: { mutation: "1" } });
  await world.merge(`${path}/a`, { data: { mutation: "2" } });
  await world.delete(`${path}/a`);
  const watching = await world.watch(`${path}?resourceVersion=${metadata.resourceVersion}`);
  assert.deepEqual(watching.events().map(({ type, object }) => [type, object.data.mutation]), [["MODIFIED", "2"], ["DELETED", "2"]]);
  await watching.close();
});
test("[sig-api-machinery] Watchers should be able to restart watching from the last resource version observed by the previous watch [Conformance]", async () => {
  const path = `/api/v1/namespaces/${await world.namespace("watch")}/configmaps`;
  const first = await world.watch(path);
  await world.create(path, configmap("a", "A"));
  await world.merge(`${path}/a`, { data: { mutation: "1" } });
  const last = first.events().at(-1).object.metadata.resourceVersion;
  await first.close();
  await world.merge(`${path}/a`, { data: { mutation: "2" } });
  await world.delete(`${path}/a`);
  const second = await world.watch(`${path}?resourceVersion=${last}`);
  assert.deepEqual(second.events().map(({ type, object }) => [type, object.data.mutation]), [["MODIFIED", "2"], ["DELETED", "2"]]);
  await second.close();
});
test("[sig-api-machinery] Watchers should observe an object deletion if it stops meeting the requirements of the selector [Conformance]", async () => {
  const path = `/api/v1/namespaces/${await world.namespace("watch")}/configmaps`;
  const watching = await world.watch(`${path}?labelSelector=watch-this-configmap%3DA`);
  await world.create(path, configmap("a", "A"));
  await world.merge(`${path}/a`, { data: { mutation: "1" } });
  await world.merge(`${path}/a`, { metadata: { labels: { "watch-this-configmap": "B" } } });
  await world.merge(`${path}/a`, { data: { mutation: "2" } });
  await world.merge(`${path}/a`, { metadata: { labels: { "watch-this-configmap": "A" } } });
  await world.merge(`${path}/a`, { data: { mutation: "3" } });
  await world.delete(`${path}/a`);
  assert.deepEqual(watching.events().map(({ type, object }) => `${type} ${object.data?.mutation ?? ""}`), ["ADDED ", "MODIFIED 1", "DELETED 1", "ADDED 2", "MODIFIED 3", "DELETED 3"]);
  await watching.close();
});
test("[sig-api-machinery] Watchers should receive events on concurrent watches in same order [Conformance]", async () => {
  const path = `/api/v1/namespaces/${await world.namespace("watch")}/configmaps`;
  const { metadata } = await world.get(path);
  const versions: string[] = [metadata.resourceVersion];
  const all = await world.watch(`${path}?resourceVersion=${metadata.resourceVersion}`);
  const writes = Array.from({ length: 20 }, (_, i) => world.create(path, configmap(`c-${i % 7}-${i}`, "A")).then(({ metadata: made }) => versions.push(made.resourceVersion)));
  await Promise.all(writes);
  const order = all.events().map(({ object }) => object.metadata.resourceVersion);
  assert.equal(order.length, 20);
  for (const version of versions) {
    const watching = await world.watch(`${path}?resourceVersion=${version}`);
    assert.deepEqual(watching.events().map(({ object }) => object.metadata.resourceVersion), order.slice(order.indexOf(version) + 1));
    await watching.close();
  }
  await all.close();
});
