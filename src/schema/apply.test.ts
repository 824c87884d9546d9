import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../base/api-error.ts";
import type { Json, JsonObject } from "../base/json.ts";
import { applyPatch, keepTimestamps, updateManagedFields } from "./apply.ts";
import { withManagedFields } from "./managed-fields.ts";
import * as t from "./t.ts";

/*
 * A small Deployment, with Go's habits. A history is a list of steps, each `who what body`:
 *   create / update / patch / status MANAGER BODY   writes BODY (whole spec, labels…) as MANAGER
 *   apply / force / force-status MANAGER BODY       server-side apply
 * after which the object's spec and everyone's fields must be as said. Fields are written `a.b[k=v].c`, `.` for the item itself.
 */
const Port = t.object("io.example.Port", {
  name: t.string().pb(1), containerPort: t.int32().pb(2).required().always("zero"), protocol: t.string().pb(3).default("TCP"),
});
const Container = t.object("io.example.Container", {
  name: t.string().pb(1).required().always("zero"),
  image: t.string().pb(2),
  args: t.list(t.string()).pb(3),
  ports: t.listBy(Port, "containerPort", "protocol").pb(4),
  resources: t.object("io.example.Resources", { limits: t.map(t.quantity()).pb(1) }).pb(5).always("{}"),
});
const ObjectMeta = t.object("io.example.ObjectMeta", {
  name: t.string().pb(1), namespace: t.string().pb(2), uid: t.string().pb(3), resourceVersion: t.string().pb(4), generation: t.int64().pb(5), creationTimestamp: t.time().pb(6),
  labels: t.map(t.string()).pb(7), annotations: t.map(t.string()).pb(8), finalizers: t.set(t.string()).pb(9), managedFields: t.list(t.any()).pb(10),
});
const { node } = t.object("io.example.Web", {
  apiVersion: t.string(), kind: t.string(), metadata: ObjectMeta.pb(1).always("{}"),
  spec: t.object("io.example.WebSpec", {
    replicas: t.int32().pb(1).pointer(),
    paused: t.bool().pb(2),
    selector: t.object("io.example.Selector", { matchLabels: t.map(t.string()).pb(1) }).atomic().pb(3).always("null"),
    strategy: t.object("io.example.Strategy", { type: t.string().pb(1), rollingUpdate: t.object("io.example.Rolling", { maxSurge: t.intOrString().pb(1).pointer() }).pb(2) }).pb(4).always("{}"),
    containers: t.listBy(Container, "name").pb(5).always("null"),
    volumes: t.listBy(t.object("io.example.Volume", { name: t.string().pb(1).always("zero"), emptyDir: t.object("io.example.EmptyDir", { medium: t.string().pb(1) }).pb(2) }), "name").pb(6),
    hosts: t.set(t.string()).pb(7),
    rules: t.list(t.object("io.example.Rule", { verbs: t.set(t.string()).pb(1) })).pb(10),
    any: t.any().pb(8),
    secrets: t.listBy(t.object("io.example.Reference", { name: t.string().pb(1), kind: t.string().pb(2) }), "name").pb(9),
  }).pb(2).always("{}"),
  status: t.object("io.example.WebStatus", {
    replicas: t.int32().pb(1),
    conditions: t.listBy(t.object("io.example.Condition", { type: t.string().pb(1).always("zero"), status: t.string().pb(2).always("zero") }), "type").pb(2),
  }).pb(3).always("{}"),
});
const common = { node, apiVersion: "apps/v1", kind: "Web" };
const second = Date.UTC(2026, 0, 1);

type History = { object: JsonObject | undefined; now: number };

function run(history: History, line: string): void {
  const [verb = "", manager = "", ...rest] = line.split(" ");
  const body = parse(rest.join(" "));
  const meta = (body["metadata"] ?? {}) as JsonObject;
  const object: JsonObject = { apiVersion: "apps/v1", kind: "Web", ...body, metadata: { name: "web", namespace: "default", ...meta } };
  const now = (history.now += 1000);
  const status = verb.includes("status");
  const endpoint = { ...common, manager, now, reset: status ? [["spec"]] : [["status"]], ...(status ? { subresource: "status" } : {}) };
  if (verb.startsWith("apply") || verb.startsWith("force")) {
    const applied = applyPatch({ ...endpoint, live: history.object, applied: object, force: verb.startsWith("force") });
    history.object = { ...applied, metadata: { ...(applied["metadata"] as JsonObject), uid: "u" } };
    return;
  }
  const old = history.object;
  const stored = { ...object, metadata: { ...(object["metadata"] as JsonObject), uid: "u" } };
  const kept = verb === "update" || verb === "create" ? { ...stored, ...(old?.["status"] === undefined ? {} : { status: old["status"] }) } : { ...old!, status: body["status"] ?? {} };
  history.object = withManagedFields(kept, updateManagedFields({ ...endpoint, before: old, after: kept }));
}

/** JSON without the quotes that do not matter. */
function parse(text: string): JsonObject {
  return JSON.parse(text.replace(/([{,\[]\s*)([A-Za-z$][\w./-]*)(?=\s*:)/g, '$1"$2"').replace(/([:,\[]\s*)(?!true|false|null)([A-Za-z][\w./-]*)(?=\s*[,\]}])/g, '$1"$2"')) as JsonObject;
}

function owned(object: JsonObject): string[] {
  const entries = ((object["metadata"] as JsonObject)["managedFields"] ?? []) as readonly { readonly [key: string]: Json }[];
  return entries.map(entry => {
    const seconds = entry["time"] === undefined ? "-" : String((Date.parse(entry["time"] as string) - second) / 1000);
    const sub = entry["subresource"] === undefined ? "" : `/${entry["subresource"] as string}`;
    return `${entry["manager"] as string} ${entry["operation"] as string}${sub}@${seconds}: ${[...paths(entry["fieldsV1"] as JsonObject, "")].join(" ")}`;
  });
}

function* paths(set: JsonObject, above: string): Iterable<string> {
  for (const [element, below] of Object.entries(set)) {
    if (element === ".") { yield `${above}.`; continue; }
    const step = element.startsWith("f:") ? (above === "" ? "" : ".") + element.slice(2)
      : element.startsWith("v:") ? `[${JSON.parse(element.slice(2)) as string}]`
      : `[${Object.values(JSON.parse(element.slice(2)) as JsonObject).join(",")}]`;
    if (Object.keys(below as object).length === 0) yield above + step;
    else yield* paths(below as JsonObject, above + step);
  }
}

// name, steps, spec at the end (or the error), owners at the end
const cases: readonly (readonly [string, readonly string[], string, readonly string[]])[] = [
  ["a creator owns what it set, with Go's structs as upstream shows them",
    [`create kubectl {metadata:{labels:{app:web}},spec:{replicas:3,paused:false,selector:{matchLabels:{app:web}},strategy:{type:RollingUpdate,rollingUpdate:{maxSurge:1}},containers:[{name:a,image:i,resources:{}}],volumes:[{name:v,emptyDir:{}}]}}`],
    `{"replicas":3,"paused":false,"selector":{"matchLabels":{"app":"web"}},"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":1}},"containers":[{"name":"a","image":"i","resources":{}}],"volumes":[{"name":"v","emptyDir":{}}]}`,
    ["kubectl Update@1: metadata.labels. metadata.labels.app spec.containers[a]. spec.containers[a].image spec.containers[a].name spec.containers[a].resources spec.replicas spec.selector spec.strategy.rollingUpdate. spec.strategy.rollingUpdate.maxSurge spec.strategy.type spec.volumes. spec.volumes[v]. spec.volumes[v].emptyDir spec.volumes[v].name"]],
  ["an updater takes what it changes and only that",
    [`create a {spec:{replicas:1,containers:[{name:x,image:i}]}}`, `update b {spec:{replicas:2,containers:[{name:x,image:i}]}}`],
    `{"replicas":2,"containers":[{"name":"x","image":"i"}]}`,
    ["a Update@1: spec.containers[x]. spec.containers[x].image spec.containers[x].name spec.containers[x].resources", "b Update@2: spec.replicas"]],
  ["an update that changes nothing leaves no trace",
    [`create a {spec:{replicas:1}}`, `update b {spec:{replicas:1}}`], `{"replicas":1}`, ["a Update@1: spec.replicas"]],
  ["a removed field is nobody's",
    [`create a {spec:{replicas:1,hosts:[x,y]}}`, `update b {spec:{hosts:[y]}}`], `{"hosts":["y"]}`, [`a Update@1: spec.hosts. spec.hosts[y]`]],
  ["the same updater's entries are one",
    [`create a {spec:{replicas:1}}`, `update a {spec:{replicas:1,paused:true}}`], `{"replicas":1,"paused":true}`, ["a Update@2: spec.paused spec.replicas"]],
  ["a status writer has an entry of its own and does not own spec",
    [`create a {spec:{replicas:1}}`, `status c {spec:{replicas:9},status:{replicas:1,conditions:[{type:Ready,status:True}]}}`],
    `{"replicas":1}`, ["a Update@1: spec.replicas", "c Update/status@2: status.conditions. status.conditions[Ready]. status.conditions[Ready].status status.conditions[Ready].type status.replicas"]],
  ["list items by two keys, with the default of an absent one",
    [`create a {spec:{containers:[{name:x,ports:[{containerPort:80},{containerPort:53,protocol:UDP},{containerPort:53,protocol:TCP}]}]}}`],
    `{"containers":[{"name":"x","ports":[{"containerPort":80},{"containerPort":53,"protocol":"UDP"},{"containerPort":53,"protocol":"TCP"}]}]}`,
    ["a Update@1: spec.containers[x]. spec.containers[x].name spec.containers[x].ports. spec.containers[x].ports[53,TCP]. spec.containers[x].ports[53,TCP].containerPort spec.containers[x].ports[53,TCP].protocol spec.containers[x].ports[53,UDP]. spec.containers[x].ports[53,UDP].containerPort spec.containers[x].ports[53,UDP].protocol spec.containers[x].ports[80,TCP]. spec.containers[x].ports[80,TCP].containerPort spec.containers[x].resources"]],
  ["values without a schema are granular maps and whole lists",
    [`create a {spec:{any:{x:{y:1,l:[1,2]},z:s}}}`, `update b {spec:{any:{x:{y:1,l:[1]},z:s}}}`],
    `{"any":{"x":{"y":1,"l":[1]},"z":"s"}}`, ["a Update@1: spec.any. spec.any.x. spec.any.x.y spec.any.z", "b Update@2: spec.any.x.l"]],
  ["apply creates, and owns what it names",
    [`apply me {metadata:{labels:{a:b}},spec:{replicas:1,containers:[{name:x,image:i}]}}`],
    `{"replicas":1,"containers":[{"name":"x","image":"i"}]}`, ["me Apply@1: metadata.labels.a spec.containers[x]. spec.containers[x].image spec.containers[x].name spec.replicas"]],
  ["apply again with the same changes nothing, the time neither",
    [`apply me {spec:{replicas:1}}`, `apply me {spec:{replicas:1}}`], `{"replicas":1}`, ["me Apply@1: spec.replicas"]],
  ["apply merges into what others have",
    [`create a {spec:{replicas:1,containers:[{name:x,image:i}]}}`, `apply me {spec:{containers:[{name:x,args:[a]},{name:y,image:j}]}}`],
    `{"replicas":1,"containers":[{"name":"x","image":"i","args":["a"]},{"name":"y","image":"j"}]}`,
    ["me Apply@2: spec.containers[x]. spec.containers[x].args spec.containers[x].name spec.containers[y]. spec.containers[y].image spec.containers[y].name", "a Update@1: spec.containers[x]. spec.containers[x].image spec.containers[x].name spec.containers[x].resources spec.replicas"]],
  ["what is not applied any more is removed",
    [`apply me {metadata:{labels:{a:b,c:d}},spec:{replicas:1,paused:true,containers:[{name:x,image:i},{name:y}]}}`, `apply me {metadata:{labels:{a:b}},spec:{replicas:1,containers:[{name:x}]}}`],
    `{"replicas":1,"containers":[{"name":"x"}]}`, ["me Apply@2: metadata.labels.a spec.containers[x]. spec.containers[x].name spec.replicas"]],
  ["what is not applied any more stays if another owns it",
    [`apply one {spec:{replicas:1,containers:[{name:x,image:i}]}}`, `apply two {spec:{containers:[{name:x,image:i}]}}`, `apply one {spec:{replicas:1}}`],
    `{"replicas":1,"containers":[{"name":"x","image":"i"}]}`, ["two Apply@-: spec.containers[x]. spec.containers[x].image spec.containers[x].name", "one Apply@1: spec.replicas"]],
  ["the same value is shared, not disputed",
    [`apply one {spec:{replicas:1}}`, `apply two {spec:{replicas:1}}`], `{"replicas":1}`, ["two Apply@-: spec.replicas", "one Apply@1: spec.replicas"]],
  ["another value is a conflict",
    [`create kubectl-client-side-apply {spec:{replicas:1}}`, `apply me {spec:{replicas:2}}`],
    `409 Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using apps/v1: .spec.replicas [conflict with "kubectl-client-side-apply" using apps/v1 .spec.replicas]`, []],
  ["conflicts are listed by manager",
    [`create a {spec:{replicas:1,paused:true,containers:[{name:x,image:i}]}}`, `apply b {metadata:{labels:{l:v}}}`, `status c {status:{replicas:4}}`, `force-status d {status:{conditions:[{type:T,status:s}]}}`, `apply me {metadata:{labels:{l:w}},spec:{replicas:2,containers:[{name:x,image:j}]}}`],
    `409 Apply failed with 3 conflicts: conflicts with "a" using apps/v1:\n- .spec.replicas\n- .spec.containers[name="x"].image\nconflicts with "b":\n- .metadata.labels.l [conflict with "a" using apps/v1 .spec.replicas][conflict with "a" using apps/v1 .spec.containers[name="x"].image][conflict with "b" .metadata.labels.l]`, []],
  ["a conflict through a subresource says so",
    [`create a {spec:{replicas:1}}`, `status c {status:{replicas:4}}`, `apply-status d {status:{replicas:5}}`],
    `409 Apply failed with 1 conflict: conflict with "c" with subresource "status" using apps/v1: .status.replicas [conflict with "c" with subresource "status" using apps/v1 .status.replicas]`, []],
  ["force takes the field",
    [`create a {spec:{replicas:1,paused:true}}`, `force me {spec:{replicas:2}}`], `{"replicas":2,"paused":true}`, ["me Apply@2: spec.replicas", "a Update@1: spec.paused"]],
  ["an update takes an applier's field",
    [`apply me {spec:{replicas:1,paused:true}}`, `update hpa {spec:{replicas:5,paused:true}}`], `{"replicas":5,"paused":true}`, ["me Apply@1: spec.paused", "hpa Update@2: spec.replicas"]],
  ["giving up a field that another changed leaves it",
    [`apply me {spec:{replicas:1,paused:true}}`, `update hpa {spec:{replicas:5,paused:true}}`, `apply me {spec:{paused:true}}`], `{"replicas":5,"paused":true}`, ["me Apply@1: spec.paused", "hpa Update@2: spec.replicas"]],
  ["applying to an object that was never tracked owns only what is applied",
    [`create a {metadata:{managedFields:[]},spec:{replicas:1}}`, `update a {metadata:{managedFields:[{}]},spec:{replicas:1}}`, `apply me {spec:{paused:true}}`],
    `{"replicas":1,"paused":true}`, ["me Apply@3: spec.paused", "before-first-apply Update@3: spec.replicas"]],
  ["entries once cleared stay away",
    [`create a {spec:{replicas:1}}`, `update a {metadata:{managedFields:[{}]},spec:{replicas:1}}`, `update a {spec:{replicas:2}}`], `{"replicas":2}`, []],
  ["an empty list clears too", [`create a {spec:{replicas:1}}`, `update a {metadata:{managedFields:[]},spec:{replicas:2}}`], `{"replicas":2}`, []],
  ["a client may edit the entries",
    [`create a {spec:{replicas:1}}`, `update a {metadata:{managedFields:[{manager:z,operation:Update,apiVersion:apps/v1,fieldsType:FieldsV1,fieldsV1:{"f:spec":{"f:replicas":{}}}}]},spec:{replicas:1}}`],
    `{"replicas":1}`, ["z Update@-: spec.replicas"]],
  ["entries that cannot be read are not taken",
    [`create a {spec:{replicas:1}}`, `update a {metadata:{managedFields:[{manager:z,operation:Nope,apiVersion:apps/v1}]},spec:{replicas:1}}`], `{"replicas":1}`, ["a Update@1: spec.replicas"]],
  ["an entry of a version that is gone is dropped",
    [`create a {spec:{replicas:1}}`, `update a {metadata:{managedFields:[{manager:z,operation:Update,apiVersion:apps/v1beta1,fieldsType:FieldsV1,fieldsV1:{"f:spec":{"f:paused":{}}}}]},spec:{replicas:2}}`], `{"replicas":2}`, ["a Update@2: spec.replicas"]],
  ["an entry that owns part of what is atomic now owns all of it",
    [`create a {spec:{selector:{matchLabels:{a:b}}}}`, `update a {metadata:{managedFields:[{manager:z,operation:Update,apiVersion:apps/v1,fieldsType:FieldsV1,fieldsV1:{"f:spec":{"f:selector":{"f:matchLabels":{"f:a":{}}}}}}]},spec:{selector:{matchLabels:{a:b}}}}`],
    `{"selector":{"matchLabels":{"a":"b"}}}`, ["z Update@-: spec.selector"]],
  ["kubectl takes over from its client-side apply without a conflict",
    [`create kubectl-client-side-apply {metadata:{annotations:{kubectl.kubernetes.io/last-applied-configuration:"{\\"apiVersion\\":\\"apps/v1\\",\\"kind\\":\\"Web\\",\\"spec\\":{\\"replicas\\":1}}"}},spec:{replicas:1,paused:true}}`, `apply kubectl {spec:{replicas:2}}`],
    `{"replicas":2,"paused":true}`, [`kubectl Apply@2: spec.replicas`, `kubectl-client-side-apply Update@1: metadata.annotations. metadata.annotations.kubectl.kubernetes.io/last-applied-configuration spec.paused`]],
  ["but not what somebody changed since",
    [`create kubectl-client-side-apply {metadata:{annotations:{kubectl.kubernetes.io/last-applied-configuration:"{\\"apiVersion\\":\\"apps/v1\\",\\"kind\\":\\"Web\\",\\"spec\\":{\\"replicas\\":1}}"}},spec:{replicas:1}}`, `update hpa {metadata:{annotations:{kubectl.kubernetes.io/last-applied-configuration:"{\\"apiVersion\\":\\"apps/v1\\",\\"kind\\":\\"Web\\",\\"spec\\":{\\"replicas\\":1}}"}},spec:{replicas:5}}`, `apply kubectl {spec:{replicas:2}}`],
    `409 Apply failed with 1 conflict: conflict with "hpa" using apps/v1: .spec.replicas [conflict with "hpa" using apps/v1 .spec.replicas]`, []],
  ["an unknown field is refused", [`apply me {spec:{nope:1,never:2,replicas:x}}`], `500 failed to create typed patch object (default/web; apps/v1, Kind=Web): errors:\n  .spec.replicas: expected numeric (int or float), got string\n  .spec.nope: field not declared in schema`, []],
  ["so is one in a list that is owned as one, and doubles in a set there", [`apply me {spec:{rules:[{verbs:[a]},{nope:1,verbs:[b,b]}]}}`],
    `500 failed to create typed patch object (default/web; apps/v1, Kind=Web): errors:\n  .spec.rules[1].verbs: duplicate entries for key [="b"]\n  .spec.rules[1].nope: field not declared in schema`, []],
  ["what is no text is told as Go writes it", [`apply me {spec:{containers:[{name:x,image:[1,{b:null,a:y}]}]}}`], `500 failed to create typed patch object (default/web; apps/v1, Kind=Web): .spec.containers[name="x"].image: expected string, got &value.valueUnstructured{Value:[]interface {}{1, map[string]interface {}{"a":"y", "b":interface {}(nil)}}}`, []],
  ["doubles in what is applied are refused", [`apply me {spec:{containers:[{name:x},{name:x}]}}`], `500 failed to create typed patch object (default/web; apps/v1, Kind=Web): .spec.containers: duplicate entries for key [name="x"]`, []],
  ["a name that Go always writes is empty where it is not given", [`apply me {spec:{containers:[{image:x}]}}`], `{"containers":[{"image":"x"}]}`, ["me Apply@1: spec.containers[]. spec.containers[].image"]],
  ["items without a name are refused", [`apply me {spec:{secrets:[{kind:x}]}}`], `500 failed to create typed patch object (default/web; apps/v1, Kind=Web): .spec.secrets: element 0: associative list with keys has an element that omits all key fields ["name"] (and doesn't have default values for any key fields)`, []],
  ["managedFields are not to be applied", [`apply me {metadata:{managedFields:[]}}`], `400 metadata.managedFields must be nil`, []],
  ["the version must be the endpoint's", [`apply me {apiVersion:apps/v2,spec:{}}`], `400 invalid object type: apps/v2, Kind=Web`, []],
  ["a version that is an object is none", [`apply me {apiVersion:{toString:5},spec:{}}`], `400 invalid object type: /, Kind=Web`, []],
  ["a set in a list is shared by value",
    [`apply one {spec:{hosts:[a,b]}}`, `apply two {spec:{hosts:[c,a]}}`, `apply one {spec:{hosts:[b]}}`], `{"hosts":["c","a","b"]}`, ["one Apply@1: spec.hosts[b]", "two Apply@2: spec.hosts[a] spec.hosts[c]"]],
];

for (const [name, steps, want, owners] of cases)
  test(`ownership: ${name}`, () => {
    const history: History = { object: undefined, now: second };
    let outcome: string;
    try {
      for (const step of steps) { run(history, step); freeze(history.object); }
      outcome = JSON.stringify(history.object!["spec"]);
    } catch (error) {
      assert.ok(error instanceof ApiError, String((error as Error).stack));
      const causes = (error.details?.causes ?? []).map(cause => `[${cause.message} ${cause.field}]`).join("");
      assert.equal(`${error.code} ${error.message}${causes === "" ? "" : ` ${causes}`}`, want);
      return;
    }
    assert.equal(outcome, want);
    assert.deepEqual(owned(history.object!), owners);
  });

test("giving up everything in metadata gives up neither name nor uid", () => {
  const history: History = { object: undefined, now: second };
  run(history, `apply me {metadata:{labels:{a:b},finalizers:[x]},spec:{replicas:1}}`);
  run(history, `apply me {spec:{replicas:1}}`);
  const { managedFields: _, ...metadata } = history.object!["metadata"] as JsonObject;
  assert.deepEqual(metadata, { name: "web", namespace: "default", uid: "u" });
});

test("an object that is emptied stays its other owner's", () => {
  const history: History = { object: undefined, now: second };
  run(history, `apply one {spec:{strategy:{rollingUpdate:{maxSurge:1}}}}`);
  run(history, `apply two {spec:{strategy:{rollingUpdate:{}}}}`);
  run(history, `apply one {spec:{replicas:1}}`);
  assert.deepEqual(owned(history.object!), ["two Apply@-: spec.strategy.rollingUpdate", "one Apply@3: spec.replicas"]);
});

test("an eleventh updater makes the oldest one ancient", () => {
  const history: History = { object: undefined, now: second };
  const spec = (n: number): string => `{metadata:{labels:{${Array.from({ length: n }, (_, i) => `l${i}:x`).join(",")}}}}`;
  for (let i = 1; i <= 12; i++) run(history, `${i === 1 ? "create" : "update"} m${i} ${spec(i)}`);
  const entries = owned(history.object!);
  assert.equal(entries.length, 10);
  assert.equal(entries[0], "ancient-changes Update@3: metadata.labels. metadata.labels.l0 metadata.labels.l1 metadata.labels.l2");
});

test("a write that would only touch times is none", () => {
  const entry = (time: string): Json => ({ manager: "m", operation: "Update", apiVersion: "v1", time, fieldsType: "FieldsV1", fieldsV1: {} });
  const before: JsonObject = { metadata: { name: "a", managedFields: [entry("1")] }, spec: { x: 1 } };
  assert.deepEqual(keepTimestamps(before, { metadata: { name: "a", managedFields: [entry("2")] }, spec: { x: 1 } }), before);
  const changed: JsonObject = { metadata: { name: "a", managedFields: [entry("2")] }, spec: { x: 2 } };
  assert.equal(keepTimestamps(before, changed), changed);
});

function freeze(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  for (const below of Object.values(value)) freeze(below);
  Object.freeze(value);
}
