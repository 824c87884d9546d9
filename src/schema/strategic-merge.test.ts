import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../base/api-error.ts";
import type { JsonObject } from "../base/json.ts";
import { strategicMerge } from "./strategic-merge.ts";
import * as t from "./t.ts";

const Item = t.object("io.example.Item", { name: t.string(), value: t.string(), nested: t.listBy(t.object({ key: t.string(), n: t.int32() }), "key").mergeBy("key") });
const { node } = t.object("io.example.Thing", {
  spec: t.object("io.example.Spec", {
    items: t.listBy(Item, "name").mergeBy("name"),
    volumes: t.listBy(t.object({ name: t.string(), emptyDir: t.object({ medium: t.string() }), hostPath: t.object({ path: t.string() }) }), "name").mergeBy("name").retainKeys(),
    strategy: t.object({ type: t.string(), rollingUpdate: t.object({ maxSurge: t.int32() }) }).retainKeys(),
    finalizers: t.set(t.string()).mergeBy(),
    args: t.list(t.string()),
    tolerations: t.list(t.object({ key: t.string() })),
    labels: t.map(t.string()),
    keyless: t.list(t.object({ a: t.string() })).mergeBy(),
    replicas: t.int32(),
  }),
});

// original spec, patch to spec, result (text: an error).
const cases: readonly (readonly [string, string, string, string])[] = [
  ["a scalar replaces", `{"replicas":1}`, `{"replicas":2}`, `{"replicas":2}`],
  ["null removes", `{"replicas":1,"args":["a"]}`, `{"replicas":null}`, `{"args":["a"]}`],
  ["null of something absent does nothing", `{}`, `{"strategy":{"type":null,"rollingUpdate":{"maxSurge":null}}}`, `{"strategy":{"rollingUpdate":{}}}`],
  ["maps merge", `{"labels":{"a":"1","b":"2"}}`, `{"labels":{"b":null,"c":"3","__proto__":"x"}}`, `{"labels":{"a":"1","c":"3","__proto__":"x"}}`],
  ["an atomic list replaces", `{"args":["a","b"]}`, `{"args":["c"]}`, `{"args":["c"]}`],
  ["a list of objects without strategy replaces", `{"tolerations":[{"key":"a"}]}`, `{"tolerations":[{"key":"b"}]}`, `{"tolerations":[{"key":"b"}]}`],
  ["list items merge by key", `{"items":[{"name":"a","value":"1"},{"name":"b"}]}`, `{"items":[{"name":"b","value":"2"}]}`, `{"items":[{"name":"a","value":"1"},{"name":"b","value":"2"}]}`],
  ["a new item comes first, as upstream has it", `{"items":[{"name":"a"}]}`, `{"items":[{"name":"z"}]}`, `{"items":[{"name":"z"},{"name":"a"}]}`],
  ["a new item after a known one stays after it", `{"items":[{"name":"a"},{"name":"b"}]}`, `{"items":[{"name":"a"},{"name":"z"}]}`, `{"items":[{"name":"a"},{"name":"z"},{"name":"b"}]}`],
  ["nested lists merge too", `{"items":[{"name":"a","nested":[{"key":"x","n":1}]}]}`, `{"items":[{"name":"a","nested":[{"key":"x","n":2},{"key":"y"}]}]}`, `{"items":[{"name":"a","nested":[{"key":"x","n":2},{"key":"y"}]}]}`],
  ["$patch delete removes an item", `{"items":[{"name":"a"},{"name":"b"}]}`, `{"items":[{"name":"a","$patch":"delete"}]}`, `{"items":[{"name":"b"}]}`],
  ["$patch replace in a list replaces it", `{"items":[{"name":"a"},{"name":"b"}]}`, `{"items":[{"name":"c"},{"$patch":"replace"}]}`, `{"items":[{"name":"c"}]}`],
  ["$patch replace in a map replaces it", `{"labels":{"a":"1"}}`, `{"labels":{"$patch":"replace","b":"2"}}`, `{"labels":{"b":"2"}}`],
  ["$patch delete in a map empties it", `{"labels":{"a":"1"}}`, `{"labels":{"$patch":"delete"}}`, `{"labels":{}}`],
  ["$patch delete of something absent adds nothing", `{}`, `{"labels":{"$patch":"delete"},"items":[{"name":"a","$patch":"delete"}]}`, `{"items":[]}`],
  ["$patch merge is not for lists", `{"items":[{"name":"a"}]}`, `{"items":[{"$patch":"merge"}]}`, "500 merging lists cannot yet be specified in the patch"],
  ["an unknown $patch is refused", `{"labels":{"a":"1"}}`, `{"labels":{"$patch":"explode","x":"y"}}`, "500 unknown patch type: explode in map: map[$patch:explode x:y]"],
  ["an unknown $patch in a list is refused", `{"items":[{"name":"a"}]}`, `{"items":[{"$patch":"x"}]}`, "500 unknown patch type: x in map: map[$patch:x]"],
  ["an item without its key is refused", `{"items":[{"name":"a"}]}`, `{"items":[{"value":"1"}]}`, "500 map: map[value:1] does not contain declared merge key: name"],
  ["a deletion without its key is refused", `{"items":[{"name":"a"}]}`, `{"items":[{"$patch":"delete"}]}`, "500 map: map[$patch:delete] does not contain declared merge key: name"],
  ["scalars merge as a set", `{"finalizers":["a","b"]}`, `{"finalizers":["c","a"]}`, `{"finalizers":["c","a","b"]}`],
  ["$deleteFromPrimitiveList removes scalars", `{"finalizers":["a","b","c"]}`, `{"$deleteFromPrimitiveList/finalizers":["b","x"]}`, `{"finalizers":["a","c"]}`],
  ["$deleteFromPrimitiveList of an absent list does nothing", `{}`, `{"$deleteFromPrimitiveList/finalizers":["b"]}`, `{}`],
  ["$deleteFromPrimitiveList needs a field", `{}`, `{"$deleteFromPrimitiveList":["b"]}`, "400 invalid patch format of primitive list"],
  ["$setElementOrder orders scalars", `{"finalizers":["a","b","c"]}`, `{"$setElementOrder/finalizers":["c","b","a"]}`, `{"finalizers":["c","b","a"]}`],
  ["$setElementOrder orders items and keeps the server's own in place", `{"items":[{"name":"a"},{"name":"s"},{"name":"b"}]}`, `{"$setElementOrder/items":[{"name":"b"},{"name":"a"}]}`, `{"items":[{"name":"s"},{"name":"b"},{"name":"a"}]}`],
  ["$setElementOrder with new items", `{"items":[{"name":"a"},{"name":"s"}]}`, `{"$setElementOrder/items":[{"name":"a"},{"name":"n"}],"items":[{"name":"n","value":"1"}]}`, `{"items":[{"name":"a"},{"name":"n","value":"1"},{"name":"s"}]}`],
  ["$setElementOrder with a deletion, as kubectl sends it", `{"items":[{"name":"a"},{"name":"b"}]}`, `{"$setElementOrder/items":[{"name":"b"}],"items":[{"name":"a","$patch":"delete"}]}`, `{"items":[{"name":"b"}]}`],
  ["$setElementOrder with an item renamed, as upstream has it", `{"items":[{"name":"a"},{"name":"b"}]}`, `{"$setElementOrder/items":[{"name":"c"},{"name":"a"}],"items":[{"name":"c"},{"name":"a","$patch":"delete"}]}`, `{"items":[{"name":"b"},{"name":"c"}]}`],
  ["$setElementOrder of a list that is new", `{}`, `{"$setElementOrder/items":[{"name":"b"},{"name":"a"}],"items":[{"name":"b"},{"name":"a"},{"name":"x","$patch":"delete"}]}`, `{"items":[{"name":"b"},{"name":"a"}]}`],
  ["$setElementOrder needs a list", `{}`, `{"$setElementOrder/items":{}}`, "500 expected a []interface {}, but received a map[string]interface {}"],
  ["$setElementOrder needs a field", `{}`, `{"$setElementOrder":[]}`, "400 invalid patch format of setElementOrder list"],
  ["$setElementOrder must have the patch's items", `{"finalizers":["a"]}`, `{"$setElementOrder/finalizers":["a"],"finalizers":["b"]}`, "500 The order in patch list:\n[b]\n doesn't match $setElementOrder list:\n[a]\n"],
  ["$setElementOrder of an unknown field is refused", `{}`, `{"$setElementOrder/nope":["a"]}`, `500 unable to find api field in struct Spec for the json field "nope"`],
  ["$retainKeys clears what it does not name", `{"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":1}}}`, `{"strategy":{"$retainKeys":["type"],"type":"Recreate"}}`, `{"strategy":{"type":"Recreate"}}`],
  ["$retainKeys in list items changes a volume's source", `{"volumes":[{"name":"v","emptyDir":{}}]}`, `{"volumes":[{"$retainKeys":["name","hostPath"],"name":"v","hostPath":{"path":"/x"}}]}`, `{"volumes":[{"name":"v","hostPath":{"path":"/x"}}]}`],
  ["$retainKeys must name what the patch has", `{"strategy":{}}`, `{"strategy":{"$retainKeys":["type"],"rollingUpdate":{}}}`, "400 invalid patch format of retainKeys"],
  ["$retainKeys must be a list", `{"strategy":{}}`, `{"strategy":{"$retainKeys":"type"}}`, "400 invalid patch format of retainKeys"],
  ["lists of lists are refused", `{"finalizers":[["a"]]}`, `{"finalizers":["b"]}`, "422 the server rejected our request due to an error in our request"],
  ["mixed lists are refused", `{"finalizers":["a"]}`, `{"finalizers":[{"x":1}]}`, "500 list element types are not identical: [[a] [map[x:1]]]"],
  ["objects without a merge key cannot merge", `{"keyless":[{"a":"1"}]}`, `{"keyless":[{"a":"2"}]}`, "500 cannot merge lists without merge key for struct"],
  ["another type replaces", `{"labels":{"a":"1"}}`, `{"labels":["x",null,{"a":null}]}`, `{"labels":["x",null,{}]}`],
];

for (const [name, original, patch, want] of cases)
  test(`strategic merge: ${name}`, () => {
    const before = { spec: JSON.parse(original) as JsonObject };
    assert.equal(outcome(() => JSON.stringify(strategicMerge(node, freeze(before), freeze({ spec: JSON.parse(patch) as JsonObject }))["spec"])), want);
  });

test("strategic merge: a patch that is no object is refused", () => {
  assert.equal(outcome(() => JSON.stringify(strategicMerge(node, {}, []))), "400 json: cannot unmarshal array into Go value of type map[string]interface {}");
});

test("strategic merge: a key called __proto__ is a key", () => {
  strategicMerge(node, {}, JSON.parse(`{"__proto__":{"polluted":true}}`) as JsonObject);
  assert.equal((({}) as { polluted?: boolean }).polluted, undefined);
});

function outcome(run: () => string): string {
  try {
    return run();
  } catch (error) {
    assert.ok(error instanceof ApiError, String(error));
    return `${error.code} ${error.message}`;
  }
}

function freeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) for (const below of Object.values(value)) freeze(below);
  return Object.freeze(value);
}
