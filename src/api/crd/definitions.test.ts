import assert from "node:assert/strict";
import { test } from "node:test";
import { celHost, compilePattern } from "../../host/regex.ts";
import { celWith } from "../cel-library.ts";
import { bodyOf, openWatch, settle, startHarness, type Harness } from "../../../test/transcripts/harness.ts";
import { prune } from "./schema.ts";

type Sent = { readonly status: number; readonly body: any; readonly warnings: unknown };
type Running = Harness & { call(method: string, target: string, body?: unknown, headers?: { readonly [name: string]: string }): Promise<Sent>; stop(): Promise<void> };

async function start(more: Parameters<typeof startHarness>[0] = {}): Promise<Running> {
  const harness = await startHarness({ compilePattern: pattern => text => text.includes(pattern), loadCel: async () => celWith(celHost), ...more });
  const stop = new AbortController();
  const running = harness.api.run(stop.signal);
  const call = async (method: string, target: string, body?: unknown, headers = {}): Promise<Sent> => {
    const response = await harness.send(method, target, { headers: { "content-type": "application/json", ...headers }, body: body === undefined ? "" : JSON.stringify(body) });
    const text = await bodyOf(response);
    for (let i = 0; i < 5; i++) await settle();
    return { status: response.status, body: typeof text === "string" && text.startsWith("{") ? JSON.parse(text) : text, warnings: response.headers["warning"] };
  };
  await call("POST", "/api/v1/namespaces", { metadata: { name: "default" } });
  return { ...harness, call, stop: async () => { stop.abort(); await running; await harness.close(); } };
}

const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const objects = "/apis/example.com/v1/namespaces/default/widgets";
const merge = { "content-type": "application/merge-patch+json" };

function definition(schema: object, more: object = {}, version: object = {}) {
  return { metadata: { name: "widgets.example.com" }, spec: { group: "example.com", scope: "Namespaced", names: { plural: "widgets", kind: "Widget", shortNames: ["wd"] }, ...more, versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: schema }, ...version }] } };
}
const widgets = definition({
  type: "object",
  properties: {
    spec: {
      type: "object", required: ["size"],
      properties: {
        size: { type: "integer", minimum: 1 }, name: { type: "string", pattern: "w", default: "widget" }, any: { type: "object", "x-kubernetes-preserve-unknown-fields": true }, either: { "x-kubernetes-int-or-string": true }, gone: { type: "string", nullable: true },
        ports: { type: "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["port"], items: { type: "object", required: ["port"], properties: { port: { type: "integer" }, note: { type: "string" } } } },
      },
    },
    status: { type: "object", properties: { size: { type: "integer" } } },
  },
}, {}, { subresources: { status: {}, scale: { specReplicasPath: ".spec.size", statusReplicasPath: ".status.size" } }, additionalPrinterColumns: [{ name: "Size", type: "integer", jsonPath: ".spec.size" }], selectableFields: [{ jsonPath: ".spec.name" }] });
const widget = (spec: object, more: object = {}) => ({ apiVersion: "example.com/v1", kind: "Widget", metadata: { name: "a" }, spec, ...more });

test("a definition is accepted and established, and its resource is served and described", async () => {
  const server = await start();
  assert.equal((await server.call("POST", definitions, widgets)).status, 201);
  const { body } = await server.call("GET", `${definitions}/widgets.example.com`);
  assert.deepEqual(body.status.conditions.map(({ type, status, reason }: any) => `${type} ${status} ${reason}`), ["NamesAccepted True NoConflicts", "Established True InitialNamesAccepted"]);
  assert.deepEqual([body.status.acceptedNames.listKind, body.status.storedVersions], ["WidgetList", ["v1"]]);
  const discovered = (await server.call("GET", "/apis/example.com/v1")).body.resources.map(({ name }: any) => name);
  assert.deepEqual(discovered, ["widgets", "widgets/status", "widgets/scale"]);
  const { definitions: published } = (await server.call("GET", "/openapi/v2")).body;
  assert.equal(published["com.example.v1.Widget"].properties.spec.properties.size.minimum, 1);
  const { paths } = (await server.call("GET", "/openapi/v3/apis/example.com/v1")).body;
  assert.deepEqual(Object.keys(paths).filter(path => path.includes("widgets") && !path.includes("{name}/")), ["/apis/example.com/v1/namespaces/{namespace}/widgets", "/apis/example.com/v1/namespaces/{namespace}/widgets/{name}", "/apis/example.com/v1/widgets"]);
  for (const path of Object.keys(paths).filter(each => each.includes("{name}"))) {
    assert.deepEqual(Object.keys(paths[path].patch.requestBody.content), ["application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml"], "kubectl apply sends what is named here");
    assert.deepEqual(Object.keys(paths[path].get.responses[200].content), ["application/json", "application/yaml"]);
  }
  assert.equal((await server.call("GET", "/apis/apiregistration.k8s.io/v1/apiservices/v1.example.com")).body.status.conditions[0].status, "True");
  await server.stop();
});

test("an object must say what it is", async () => {
  const server = await start();
  await server.call("POST", definitions, widgets);
  const refusal = async (given: object): Promise<readonly unknown[]> => { const { status, body } = await server.call("POST", objects, given); return [status, body.message]; };
  const { apiVersion: _a, ...unversioned } = widget({ size: 1 }), { kind: _k, ...unnamed } = widget({ size: 1 });
  assert.deepEqual(await refusal(unversioned), [400, "the API version in the data () does not match the expected API version (example.com/v1)"]);
  assert.deepEqual(await refusal(unnamed), [400, `the object provided is unrecognized (must be of type Widget): Object 'Kind' is missing in '${JSON.stringify(unnamed)}' (${JSON.stringify(unnamed).slice(0, 30)} ...)`]);
  assert.deepEqual(await refusal({ ...unnamed, kind: "Gadget" }), [422, 'Gadget.example.com "a" is invalid: kind: Invalid value: "Gadget": must be Widget']);
  await server.call("POST", objects, widget({ size: 1 }));
  const patching = async (body: object): Promise<readonly unknown[]> => { const answer = await server.call("PATCH", `${objects}/a`, body, merge); return [answer.status, answer.body.message?.replace(/: Invalid value: "\{.*/, "")]; };
  assert.deepEqual(await patching({ kind: "Gadget" }), [422, 'Gadget.example.com "a" is invalid: kind: Invalid value: "Gadget": must be Widget']);
  assert.deepEqual(await patching({ apiVersion: "v1" }), [422, 'Widget "a" is invalid: apiVersion: Invalid value: "v1": must be example.com/v1']);
  assert.deepEqual(await patching({ apiVersion: null }), [400, "Object 'apiVersion' is missing in 'object has no apiVersion field'"]);
  assert.deepEqual(await patching({ kind: null }), [422, ' "" is invalid: patch']);
  await server.stop();
});

test("objects keep what their schema names, are pruned of the rest, and get defaults", async () => {
  const server = await start();
  await server.call("POST", definitions, widgets);
  const { status, body, warnings } = await server.call("POST", objects, widget({ size: 3, more: 1, any: { zero: 0, deep: [{ x: null }] }, either: "50%", gone: null, ports: [{ port: 1, note: "" }] }, { status: { size: 9 } }));
  assert.deepEqual([status, warnings, body.status], [201, ['299 - "unknown field \\"spec.more\\""'], undefined]);
  assert.deepEqual(body.spec, { size: 3, name: "widget", any: { zero: 0, deep: [{ x: null }] }, either: "50%", gone: null, ports: [{ port: 1, note: "" }] });
  assert.equal((await server.call("POST", `${objects}?fieldValidation=Strict`, widget({ size: 1, more: 1 }))).body.message, 'Widget in version "v1" cannot be handled as a Widget: strict decoding error: unknown field "spec.more"');
  await server.stop();
});

test("nulls that are not allowed go from what is sent, and are refused in what is applied", async () => {
  const server = await start(), apply = { "content-type": "application/apply-patch+yaml" };
  await server.call("POST", definitions, widgets);
  const nulls = { size: 1, either: null, gone: null, name: null, ports: [{ port: 1, note: null }] };
  assert.deepEqual((await server.call("POST", objects, widget(nulls))).body.spec, { size: 1, gone: null, name: "widget", ports: [{ port: 1 }] });
  const applied = await server.call("PATCH", `${objects}/a?fieldManager=m&force=true`, widget({ ...nulls, either: 1 }), apply);
  assert.equal(applied.body.message, 'Widget.example.com "a" is invalid: spec.ports[0].note: Invalid value: "null": spec.ports[0].note in body must be of type string: "null"');
  // An empty list of owners is none in an unstructured object.
  assert.equal((await server.call("PATCH", `${objects}/a`, { metadata: { managedFields: [] } }, merge)).body.metadata.managedFields.length, 1);
  await server.stop();
});

test("objects are refused in upstream's words", async () => {
  const server = await start();
  await server.call("POST", definitions, widgets);
  const { body } = await server.call("POST", objects, widget({ size: 0, name: 5, either: 1.5, ports: [{ port: 1 }, { port: 1 }] }));
  assert.equal(body.message, 'Widget.example.com "a" is invalid: [spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1, spec.name: Invalid value: "integer": spec.name in body must be of type string: "integer", spec.either: Invalid value: "number": spec.either in body must be of type integer,string: "number", spec.ports[1]: Duplicate value: {"port":1}]');
  assert.equal((await server.call("POST", objects, widget({}))).body.details.causes[0].field, "spec.size");
  assert.equal((await server.call("PATCH", `${objects}/a`, {}, { "content-type": "application/strategic-merge-patch+json" })).status, 415);
  assert.equal((await server.call("GET", objects, undefined, { accept: "application/vnd.kubernetes.protobuf" })).status, 406);
  await server.stop();
});

test("status and scale are written by themselves, and the generation follows the rest", async () => {
  const server = await start();
  await server.call("POST", definitions, widgets);
  await server.call("POST", objects, widget({ size: 1 }));
  const status = (await server.call("PATCH", `${objects}/a/status`, { metadata: { labels: { x: "y" } }, spec: { size: 9 }, status: { size: 1 } }, merge)).body;
  assert.deepEqual([status.spec.size, status.status.size, status.metadata.generation, status.metadata.labels], [1, 1, 1, undefined]);
  assert.equal((await server.call("PATCH", `${objects}/a/scale`, { spec: { replicas: 4 } }, merge)).body.spec.replicas, 4);
  const now = (await server.call("GET", `${objects}/a`)).body;
  assert.deepEqual([now.spec.size, now.metadata.generation], [4, 2]);
  await server.stop();
});

test("tables, selectors and lists know the definition", async () => {
  const server = await start();
  await server.call("POST", definitions, widgets);
  await server.call("POST", objects, widget({ size: 1 }));
  const table = (await server.call("GET", objects, undefined, { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" })).body;
  assert.deepEqual([table.columnDefinitions.map(({ name }: any) => name), table.rows[0].cells], [["Name", "Size"], ["a", 1]]);
  assert.equal((await server.call("GET", `${objects}?fieldSelector=spec.name%3Dwidget`)).body.items.length, 1);
  assert.equal((await server.call("GET", `${objects}?fieldSelector=spec.name%3Dother`)).body.items.length, 0);
  assert.equal((await server.call("GET", objects)).body.items[0].kind, "Widget");
  await server.stop();
});

test("a default that comes later is seen on what was stored before", async () => {
  const server = await start();
  await server.call("POST", definitions, definition({ type: "object", properties: { a: { type: "string" } } }));
  await server.call("POST", objects, { apiVersion: "example.com/v1", kind: "Widget", metadata: { name: "a" } });
  const next = definition({ type: "object", properties: { a: { type: "string", default: "new" } } });
  assert.equal((await server.call("PATCH", `${definitions}/widgets.example.com`, { spec: next.spec }, merge)).status, 200);
  assert.equal((await server.call("GET", `${objects}/a`)).body.a, "new");
  assert.equal((await server.call("GET", objects)).body.items[0].a, "new");
  await server.stop();
});

test("a version that is stored is noted when the versions change, and there is always one", async () => {
  const server = await start();
  await server.call("POST", definitions, widgets);
  const stored = async (storedVersions: readonly string[]): Promise<unknown> => (await server.call("PATCH", `${definitions}/widgets.example.com/status`, { status: { storedVersions } }, merge)).body.status.storedVersions;
  assert.deepEqual([await stored([]), await stored(["v0"])], [["v1"], ["v0"]]);
  assert.deepEqual((await server.call("GET", `${definitions}/widgets.example.com`)).body.status.storedVersions, ["v0"], "nobody adds to it");
  await server.stop();
});

test("discovery tells the stored version only where that is served", async () => {
  const server = await start();
  const [version] = widgets.spec.versions;
  await server.call("POST", definitions, { ...widgets, spec: { ...widgets.spec, versions: [version, { ...version, name: "v2", storage: false }] } });
  const told = async (): Promise<boolean> => (await server.call("GET", "/apis/example.com/v2")).body.resources[0].storageVersionHash !== undefined;
  const before = await told();
  await server.call("PATCH", `${definitions}/widgets.example.com`, { spec: { versions: [{ ...version, served: false }, { ...version, name: "v2", storage: false }] } }, merge);
  assert.deepEqual([before, await told()], [true, false]);
  await server.stop();
});

test("a definition goes with all its objects, after theirs have let go", async () => {
  const server = await start();
  await server.call("POST", definitions, widgets);
  await server.call("POST", objects, widget({ size: 1 }, { metadata: { name: "a", finalizers: ["example.com/hold"] } }));
  await server.call("POST", objects, widget({ size: 1 }, { metadata: { name: "b" } }));
  await server.call("DELETE", `${definitions}/widgets.example.com?propagationPolicy=Foreground`);
  const { metadata, status } = (await server.call("GET", `${definitions}/widgets.example.com`)).body;
  assert.deepEqual([metadata.generation, metadata.deletionGracePeriodSeconds, metadata.finalizers], [1, undefined, ["customresourcecleanup.apiextensions.k8s.io"]], "the first request only announces");
  const { lastTransitionTime, ...terminating } = status.conditions.at(-1);
  assert.deepEqual([terminating, lastTransitionTime], [{ type: "Terminating", status: "True", reason: "InstanceDeletionInProgress", message: "CustomResource deletion is in progress" }, metadata.deletionTimestamp]);
  const told = (await server.call("GET", "/apis/example.com/v1")).body.resources.find(({ name }: any) => name === "widgets");
  assert.deepEqual(told.verbs, ["delete", "deletecollection", "get", "list", "watch"]);
  assert.deepEqual((await server.call("GET", objects)).body.items.map(({ metadata }: any) => metadata.name), ["a"]);
  await server.call("PATCH", `${objects}/a`, { metadata: { finalizers: null } }, merge);
  assert.equal((await server.call("GET", `${definitions}/widgets.example.com`)).status, 404);
  assert.equal((await server.call("GET", objects)).status, 404);
  await server.stop();
});

test("watches end when their definition has become another or is gone, not before they have told what happened; who comes back sees objects as they are now", async () => {
  const server = await start();
  const given = definition({ type: "object", properties: { a: { type: "string" } } });
  const versions = [...given.spec.versions, { ...given.spec.versions[0]!, name: "v2", storage: false }];
  await server.call("POST", definitions, { ...given, spec: { ...given.spec, versions } });
  const { body: { metadata: { resourceVersion } } } = await server.call("GET", objects);
  const first = await openWatch(server, `${objects}?watch=1`), others = await openWatch(server, `/api/v1/configmaps?watch=1`);
  await server.call("POST", objects, { apiVersion: "example.com/v1", kind: "Widget", metadata: { name: "a" } });
  assert.deepEqual(first.out.events().map(({ type, object }) => `${type} ${object.metadata.name} ${object.a}`), ["ADDED a undefined"]);
  const next = definition({ type: "object", properties: { a: { type: "string", default: "new" } } });
  await server.call("PATCH", `${definitions}/widgets.example.com`, { spec: { versions: [...next.spec.versions, versions[1]] } }, merge);
  const second = await openWatch(server, `${objects}?watch=1&resourceVersion=${resourceVersion}`);
  assert.equal(first.ended(), false);
  await server.clock.advance(1_000);
  assert.deepEqual([first.ended(), second.ended(), others.ended()], [true, false, false]);
  assert.deepEqual(second.out.events().map(({ type, object }) => `${type} ${object.metadata.name} ${object.a}`), ["ADDED a new"]);
  // Terminating is not another definition: the objects' end is still told.
  await server.call("PATCH", `${objects}/a`, { metadata: { finalizers: ["example.com/hold"] } }, merge);
  await server.call("DELETE", `${definitions}/widgets.example.com`);
  await server.clock.advance(10_000);
  assert.equal(second.ended(), false);
  await server.call("PATCH", `${objects}/a`, { metadata: { finalizers: null } }, merge);
  await server.clock.advance(1_000);
  assert.deepEqual([second.ended(), second.out.events().map(({ type }) => type)], [true, ["MODIFIED", "MODIFIED", "DELETED"]]);
  await others.stop();
  await server.stop();
});

test("names that are taken are not accepted until they are free", async () => {
  const server = await start();
  await server.call("POST", definitions, widgets);
  const other = { ...widgets, metadata: { name: "gadgets.example.com" }, spec: { ...widgets.spec, names: { plural: "gadgets", kind: "Widget" } } };
  await server.call("POST", definitions, other);
  const { conditions } = (await server.call("GET", `${definitions}/gadgets.example.com`)).body.status;
  assert.deepEqual(conditions.map(({ type, status, reason, message }: any) => `${type} ${status} ${reason}: ${message}`), ['NamesAccepted False ListKindConflict: "WidgetList" is already in use', "Established False NotAccepted: not all names are accepted"]);
  await server.stop();
});

test("a name that another gives up is accepted, and nothing new is made while a definition goes", async () => {
  const server = await start();
  await server.call("POST", definitions, widgets);
  await server.call("POST", definitions, { ...widgets, metadata: { name: "gadgets.example.com" }, spec: { ...widgets.spec, names: { plural: "gadgets", kind: "Gadget", shortNames: ["wd"] } } });
  const state = async (): Promise<string> => (await server.call("GET", `${definitions}/gadgets.example.com`)).body.status.conditions.map(({ reason }: any) => reason).join(" ");
  assert.equal(await state(), "ShortNamesConflict NotAccepted");
  await server.call("POST", objects, { ...widget({ size: 1 }), metadata: { name: "a", finalizers: ["x/y"] } });
  await server.call("DELETE", `${definitions}/widgets.example.com`);
  const refused = await server.call("POST", objects, { ...widget({ size: 1 }), metadata: { name: "b" } });
  assert.deepEqual([refused.status, refused.body.message], [403, 'widgets.example.com "b" is forbidden: create not allowed while custom resource definition is terminating']);
  assert.equal((await server.call("PATCH", `${objects}/a`, { metadata: { finalizers: null } }, merge)).status, 200);
  assert.equal((await server.call("GET", `${definitions}/widgets.example.com`)).status, 404);
  assert.equal(await state(), "NoConflicts InitialNamesAccepted");
  await server.stop();
});

test("a schema that is not structural is refused", async () => {
  const server = await start();
  const { status, body } = await server.call("POST", definitions, definition({ type: "object", properties: { a: {}, b: { type: "array" }, c: { type: "string", additionalProperties: false }} }));
  assert.equal(status, 422);
  assert.deepEqual(body.details.causes.map(({ field, message }: any) => `${field.replace("spec.validation.openAPIV3Schema", "schema")}: ${message}`), [
    "schema.properties[a].type: Required value: must not be empty for specified object fields", "schema.properties[b].items: Required value: must be specified",
  ]);
  await server.stop();
});

const causesOf = (body: any): readonly string[] => (body.details?.causes ?? []).map(({ field, message }: any) => `${field.replace("spec.validation.openAPIV3Schema", "schema").replace("properties[spec].", "")}: ${message}`);
// A field's schema, and what is said of it.
const fieldSchemas: readonly (readonly [object, ...(readonly string[])])[] = [
  [{ type: "null" }, 'schema.type: Unsupported value: "null": supported values: "array", "boolean", "integer", "number", "object", "string"', "schema.type: Forbidden: type cannot be set to null, use nullable as an alternative"],
  [{ type: "object", "x-kubernetes-embedded-resource": true }, "schema.properties: Required value: must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields"],
  [{ type: "string", "x-kubernetes-map-type": "foo" }, 'schema.type: Invalid value: "string": must be object if x-kubernetes-map-type is specified', 'schema.x-kubernetes-map-type: Unsupported value: "foo": supported values: "atomic", "granular"'],
  [{ type: "object", default: 1 }, 'schema.default: Invalid value: "integer":  in body must be of type object: "integer"'],
  [{ type: "object", properties: { a: { type: "string" } }, default: { b: 1 } }, 'schema.default: Invalid value: {"b":1}: must not have unknown fields'],
  [{ type: "object", anyOf: [{ properties: { q: { type: "string" } } }] }, "schema.anyOf[0].properties[q].type: Forbidden: must be empty to be structural"],
  [{ type: "array", items: { type: "object", properties: { k: { type: "object" } } }, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k", "k"] }, 'schema.items.properties[k].type: Invalid value: "object": must be a scalar type if parent array\'s x-kubernetes-list-type is map',
    'schema.items.properties[k].type: Invalid value: "object": must be a scalar type if parent array\'s x-kubernetes-list-type is map', 'schema.x-kubernetes-list-map-keys: Invalid value: ["k","k"]: must not contain duplicate entries',
    "schema.items.properties[k].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property", "schema.items.properties[k].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property"],
  [{ type: "array", "x-kubernetes-preserve-unknown-fields": false }, "schema.x-kubernetes-preserve-unknown-fields: Invalid value: false: must be true or undefined"],
  [{ type: "string", $schema: "x" }, "schema: Invalid value: \"\": OpenAPIV3Schema 'schema' is not supported"],
  [{ "x-kubernetes-int-or-string": true, anyOf: [{ type: "integer" }, { type: "string" }] }],
  [{ "x-kubernetes-int-or-string": true, default: 1.5 }],
  [{ type: "string", "x-kubernetes-validations": [{ rule: "self ==", reason: "Foo" }] }, 'schema.x-kubernetes-validations[0].reason: Unsupported value: "Foo": supported values: "FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"'],
];
test("schemas are judged as upstream judges them", async () => {
  const server = await start();
  for (const [schema, ...told] of fieldSchemas) {
    const { body } = await server.call("POST", `${definitions}?dryRun=All`, definition({ type: "object", properties: { spec: schema } }));
    assert.deepEqual(causesOf(body).map(text => text.replaceAll(".properties[spec]", "")), told);
  }
  await server.stop();
});

test("conversions and fields to select by are judged as upstream judges them", async () => {
  const server = await start();
  const given = definition({ type: "object", properties: { a: { type: "string" } } });
  const asked = async (spec: object): Promise<any> => (await server.call("POST", `${definitions}?dryRun=All`, { ...given, spec: { ...given.spec, ...spec } })).body;
  for (const conversion of [{}, { strategy: "" }, { webhook: {} }]) assert.deepEqual(causesOf(await asked({ conversion })), ["spec.conversion.strategy: Required value"]);
  assert.deepEqual((await asked({ conversion: { strategy: "None", webhook: {} } })).spec.conversion, { strategy: "None" });
  for (const [jsonPath, problem] of [[".a[0]", "array notation is not allowed"], ["['a']", "array notation is not allowed"], ["..a", "does not refer to a valid field"], [".b[0]", "does not refer to a valid field"]] as const) {
    const selectableFields = [{ jsonPath }];
    assert.deepEqual(causesOf(await asked({ versions: given.spec.versions.map((version: object) => ({ ...version, selectableFields })) })), [`spec.selectableFields[0].jsonPath: Invalid value: ${JSON.stringify(jsonPath)}: is an invalid path: ${problem}`]);
  }
  await server.stop();
});

test("beside properties, further ones may be allowed, but neither forbidden nor described", async () => {
  const server = await start();
  const properties = { a: { type: "string" } };
  const given = (additionalProperties: unknown, more: object = { properties }): object => definition({ type: "object", properties: { spec: { type: "object", ...more, additionalProperties } } });
  const causes = async (schema: object): Promise<readonly string[]> => ((await server.call("POST", `${definitions}?dryRun=All`, schema)).body.details?.causes ?? []).map(({ message }: any) => message);
  const exclusive = "Forbidden: additionalProperties and properties are mutual exclusive";
  assert.deepEqual(await Promise.all([given(true), given(false), given({ type: "string" }), given({ type: "string" }, { properties: {} })].map(causes)), [[], [exclusive], [exclusive], []]);
  await server.stop();
});

test("every request for a deprecated version is answered with a warning, and none for the others", async () => {
  const server = await start();
  const version = (name: string, storage: boolean, more: object = {}) => ({ name, served: true, storage, schema: { openAPIV3Schema: { type: "object" } }, ...more });
  assert.equal((await server.call("POST", definitions, { metadata: { name: "widgets.example.com" }, spec: { group: "example.com", scope: "Namespaced", names: { plural: "widgets", kind: "Widget" }, versions: [version("v1beta1", true, { deprecated: true }), version("v1beta2", false, { deprecated: true, deprecationWarning: "use v1" }), version("v1", false)] } })).status, 201);
  const warned = async (method: string, name: string, more = ""): Promise<unknown> => (await server.call(method, `/apis/example.com/${name}/namespaces/default/widgets${more}`)).warnings;
  assert.deepEqual(await Promise.all([warned("GET", "v1beta1"), warned("GET", "v1beta1", "/none"), warned("DELETE", "v1beta2", "/none"), warned("GET", "v1")]), [['299 - "example.com/v1beta1 Widget is deprecated; use example.com/v1 Widget"'], ['299 - "example.com/v1beta1 Widget is deprecated; use example.com/v1 Widget"'], ['299 - "use v1"'], undefined]);
  await server.stop();
});

test("a version without a name is refused: nothing could serve it", async () => {
  const server = await start();
  const given = definition({ type: "object" }) as any;
  const { status, body } = await server.call("POST", definitions, { ...given, spec: { ...given.spec, versions: given.spec.versions.map((version: object) => ({ ...version, name: "" })) } });
  assert.equal(status, 422);
  assert.deepEqual(body.details.causes.map(({ field }: any) => field), ["spec.versions[0].name"]);
  await server.stop();
});

test("rules in CEL are checked, against the old object too", async () => {
  const server = await start();
  const schema = { type: "object", properties: { spec: { type: "object", "x-kubernetes-validations": [{ rule: "self.min <= self.max", message: "min must not be above max" }, { rule: "self.min >= oldSelf.min" }], properties: { min: { type: "integer" }, max: { type: "integer" } } } } };
  await server.call("POST", definitions, definition(schema));
  const made = (spec: object) => ({ apiVersion: "example.com/v1", kind: "Widget", metadata: { name: "a" }, spec });
  assert.equal((await server.call("POST", objects, made({ min: 5, max: 3 }))).body.details.causes[0].message, 'Invalid value: min must not be above max');
  assert.equal((await server.call("POST", objects, made({ min: 2, max: 3 }))).status, 201);
  assert.equal((await server.call("PATCH", `${objects}/a`, { spec: { min: 1 } }, merge)).status, 422);
  assert.equal((await server.call("PATCH", `${objects}/a`, { spec: { min: 3 } }, merge)).status, 200);
  await server.stop();
});

test("an object keeps the fields of the version it was written in; each version shows its own", async () => {
  const server = await start();
  const version = (name: string, field: string, storage: boolean) => ({ name, served: true, storage, schema: { openAPIV3Schema: { type: "object", properties: { [field]: { type: "string", maxLength: 5 } } } }, selectableFields: [{ jsonPath: `.${field}` }] });
  await server.call("POST", definitions, { ...widgets, spec: { ...widgets.spec, versions: [version("v1", "old", true), version("v2", "fresh", false)] } });
  const second = "/apis/example.com/v2/namespaces/default/widgets";
  assert.equal((await server.call("POST", second, { apiVersion: "example.com/v2", kind: "Widget", metadata: { name: "a" }, fresh: "x" })).body.fresh, "x");
  assert.equal((await server.call("POST", second, { apiVersion: "example.com/v2", kind: "Widget", metadata: { name: "b" }, fresh: "too long" })).status, 422);
  assert.deepEqual((await server.call("GET", `${second}/a`)).body.fresh, "x");
  const first = (await server.call("GET", `${objects}/a`)).body;
  assert.deepEqual([first.apiVersion, first.fresh], ["example.com/v1", undefined]);
  assert.equal((await server.call("GET", `${second}?fieldSelector=fresh%3Dx`)).body.items.length, 1);
  await server.stop();
});

test("a pattern that is no regular expression is refused with its place", async () => {
  const server = await start({ compilePattern });
  const { status, body } = await server.call("POST", definitions, definition({ type: "object", properties: { a: { type: "array", items: { type: "string", pattern: "(" } } } }));
  assert.deepEqual([status, body.details.causes[0].field], [422, "spec.validation.openAPIV3Schema.properties[a].items.pattern"]);
  await server.stop();
});

test("a rule that does not compile is refused with its definition", async () => {
  const server = await start();
  const { status, body } = await server.call("POST", definitions, definition({ type: "object", "x-kubernetes-validations": [{ rule: "self.none > 0" }], properties: { a: { type: "integer" } } }));
  assert.deepEqual([status, body.details?.causes[0].field], [422, "spec.validation.openAPIV3Schema.x-kubernetes-validations[0].rule"]);
  await server.stop();
});

test("the first object with rules may be of a version that is not stored", async () => {
  const server = await start();
  const rules = (rule: string) => ({ schema: { openAPIV3Schema: { type: "object", properties: { spec: { type: "object", "x-kubernetes-validations": [{ rule }], properties: { size: { type: "integer" } } } } } } });
  const versions = [{ name: "v1", served: true, storage: true, ...rules("self.size > 1") }, { name: "v1alpha1", served: true, storage: false, ...rules("self.size > 2") }];
  assert.equal((await server.call("POST", definitions, { ...widgets, spec: { ...widgets.spec, versions } })).status, 201);
  const refused = await server.call("POST", objects.replace("/v1/", "/v1alpha1/"), { apiVersion: "example.com/v1alpha1", kind: "Widget", metadata: { name: "a" }, spec: { size: 1 } });
  assert.match(refused.body.message, /failed rule: self\.size > 2/);
  await server.stop();
});

test("of a million problems some are told, and the server lives", async () => {
  const server = await start();
  assert.equal((await server.call("POST", definitions, widgets)).status, 201);
  const ports = Array.from({ length: 60_000 }, (_, i) => ({ port: i >> 1 }));
  const { status, body } = await server.call("POST", objects, widget({ size: 1, ports }));
  assert.deepEqual([status, body.details.causes.length], [422, 100]);
  await server.stop();
});

test("rules that cost too much are told beside what else is wrong with a definition", async () => {
  const server = await start();
  const list = { type: "array", items: { type: "array", items: { type: "string" } } };
  const bad = definition({ type: "object", properties: { a: { ...list, "x-kubernetes-validations": [{ rule: "self.all(x, x.all(y, y.contains(y)))" }] } } }, { scope: "Nope" });
  const { status, body } = await server.call("POST", definitions, bad);
  assert.equal(status, 422);
  assert.deepEqual(body.details.causes.map(({ field }: any) => field), ["spec.scope", "spec.validation.openAPIV3Schema.properties[a].x-kubernetes-validations[0].rule", "spec.validation.openAPIV3Schema.properties[a].x-kubernetes-validations[0].rule", "spec.validation.openAPIV3Schema"]);
  await server.stop();
});

test("lists are of the kind that the definition names, what is stored has the defaults of the stored version, and versions that are stored stay", async () => {
  const server = await start();
  const v2 = { name: "v2", served: true, storage: false, schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } } };
  const given: any = definition({ type: "object", properties: { spec: { type: "object", properties: { n: { type: "integer", default: 3 } } } } }, { names: { plural: "widgets", kind: "Widget", listKind: "WidgetCollection" } });
  given.spec.versions.push(v2);
  await server.call("POST", definitions, given);
  const made = await server.call("POST", objects.replace("/v1/", "/v2/"), { apiVersion: "example.com/v2", kind: "Widget", metadata: { name: "a" }, spec: {} });
  assert.deepEqual([made.status, made.body.spec], [201, { n: 3 }]);
  assert.equal((await server.call("GET", objects)).body.kind, "WidgetCollection");
  const { body } = await server.call("GET", `${definitions}/widgets.example.com`);
  body.spec.versions = [{ ...v2, storage: true }];
  assert.deepEqual(causesOf((await server.call("PUT", `${definitions}/widgets.example.com`, body)).body), ['status.storedVersions[0]: Invalid value: "v1": missing from spec.versions; v1 was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in v1 and removes v1 from status.storedVersions']);
  await server.stop();
});

test("a null where a type is to be named: refused when it is sent, left to validation when it is applied", () => {
  const schema = { type: "object", properties: { part: { type: "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true } } } as const;
  const value = { part: { apiVersion: null, kind: "ConfigMap" } };
  assert.throws(() => prune(schema, value, "", [], "sent"), { message: "part.apiVersion: Invalid value: null: must be a string" });
  assert.deepEqual(prune(schema, value, "", [], "applied"), value);
});

test("columns show the first thing found, as Go prints it", async () => {
  const running = await start();
  const spec = { t: "text", n: 5, f: 1.9, nil: null, map: { z: 1, "a&": "<b>" }, at: "2024-01-02", long: "12", none: "" };
  const cases = [
    ["string", ".spec.nil", "<no value>"], ["string", ".spec.map", '{"a\\u0026":"\\u003cb\\u003e","z":1}'], ["string", ".spec.f", "1.9"], ["string", ".spec.gone", null],
    ["integer", ".spec.f", 1], ["integer", ".spec.long", null], ["integer", ".spec.n", 5], ["number", ".spec.f", 1.9], ["boolean", ".spec.n", null],
    ["date", ".spec.at", "<invalid>"], ["date", ".spec.none", "<unknown>"], ["date", ".spec.n", null],
  ] as const;
  const version = { name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object", properties: { spec: { type: "object", "x-kubernetes-preserve-unknown-fields": true } } } }, additionalPrinterColumns: cases.map(([type, jsonPath], i) => ({ name: `c${i}`, type, jsonPath })) };
  assert.equal((await running.call("POST", definitions, { metadata: { name: "rows.example.com" }, spec: { group: "example.com", scope: "Namespaced", names: { plural: "rows", kind: "Row" }, versions: [version] } })).status, 201);
  const rows = "/apis/example.com/v1/namespaces/default/rows";
  await running.call("POST", rows, { apiVersion: "example.com/v1", kind: "Row", metadata: { name: "a" }, spec });
  const { body } = await running.call("GET", rows, undefined, { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" });
  assert.deepEqual(body.rows[0].cells, ["a", ...cases.map(([, , shown]) => shown)]);
  await running.stop();
});
