import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../base/api-error.ts";
import type { Json } from "../base/json.ts";
import { copyBytesMax, jsonPatch, operationsMax } from "./json-patch.ts";
import { mergePatch } from "./merge-patch.ts";

const invalid = "422 the server rejected our request due to an error in our request";

// document, operations as [op path value-or-from]…, result
const cases: readonly (readonly [string, string, string])[] = [
  [`{"a":1}`, `[{"op":"add","path":"/b","value":2}]`, `{"a":1,"b":2}`],
  [`{"a":[1,3]}`, `[{"op":"add","path":"/a/1","value":2}]`, `{"a":[1,2,3]}`],
  [`{"a":[1]}`, `[{"op":"add","path":"/a/-","value":2}]`, `{"a":[1,2]}`],
  [`{"a":[1]}`, `[{"op":"add","path":"/a/1","value":2}]`, `{"a":[1,2]}`],
  [`{"a":[1]}`, `[{"op":"add","path":"/a/2","value":2}]`, invalid],
  [`{"a":[1]}`, `[{"op":"add","path":"/a/-1","value":2}]`, `{"a":[1,2]}`],
  [`{"a":[1]}`, `[{"op":"add","path":"/a/-3","value":2}]`, invalid],
  [`{"a":[1]}`, `[{"op":"add","path":"/a/x","value":2}]`, invalid],
  [`{"a":1}`, `[{"op":"add","path":"/b/c","value":2}]`, invalid],
  [`{"a":1}`, `[{"op":"add","path":"/a/c","value":2}]`, invalid],
  [`{"a":1}`, `[{"op":"add","path":"b","value":2}]`, invalid],
  [`{"a":1}`, `[{"op":"add","path":"","value":2}]`, invalid],
  [`{"a":1}`, `[{"op":"add","path":"/"}]`, `{"a":1,"":null}`],
  [`{"a":1,"b":2}`, `[{"op":"remove","path":"/a"}]`, `{"b":2}`],
  [`{"a":1}`, `[{"op":"remove","path":"/b"}]`, invalid],
  [`{"a":[1,2,3]}`, `[{"op":"remove","path":"/a/-1"}]`, `{"a":[1,2]}`],
  [`{"a":[1]}`, `[{"op":"remove","path":"/a/1"}]`, invalid],
  [`{"a":1}`, `[{"op":"replace","path":"/a","value":{"b":[]}}]`, `{"a":{"b":[]}}`],
  [`{"a":1}`, `[{"op":"replace","path":"/b","value":2}]`, `{"a":1,"b":2}`],
  [`{"a":[1,2]}`, `[{"op":"replace","path":"/a/0","value":5}]`, `{"a":[5,2]}`],
  [`{"a":[1,2]}`, `[{"op":"replace","path":"/a/2","value":5}]`, invalid],
  [`{"a":1}`, `[{"op":"replace","path":"","value":{"b":2}}]`, `{"b":2}`],
  [`{"a":1}`, `[{"op":"replace","path":"","value":2}]`, invalid],
  [`{"a":{"x":1},"b":{}}`, `[{"op":"move","from":"/a/x","path":"/b/y"}]`, `{"a":{},"b":{"y":1}}`],
  [`{"a":[1,2,3]}`, `[{"op":"move","from":"/a/0","path":"/a/-"}]`, `{"a":[2,3,1]}`],
  [`{"a":1}`, `[{"op":"move","path":"/b"}]`, invalid],
  [`{"a":{"x":1}}`, `[{"op":"copy","from":"/a","path":"/b"},{"op":"add","path":"/b/x","value":2}]`, `{"a":{"x":1},"b":{"x":2}}`],
  [`{"a":{"x":[1]}}`, `[{"op":"add","path":"/a/x/-","value":2},{"op":"copy","from":"/a","path":"/b"},{"op":"add","path":"/a/x/-","value":3},{"op":"add","path":"/b/x/-","value":4}]`, `{"a":{"x":[1,2,3]},"b":{"x":[1,2,4]}}`],
  [`{"a":{"x":1}}`, `[{"op":"test","path":"/a","value":{"x":1}},{"op":"remove","path":"/a"}]`, `{}`],
  [`{"a":1}`, `[{"op":"test","path":"/a","value":2}]`, invalid],
  [`{"a":1}`, `[{"op":"test","path":"/b","value":null}]`, `{"a":1}`],
  [`{"a":1}`, `[{"op":"test","path":"/b","value":1}]`, invalid],
  [`{"a":1}`, `[{"op":"test","path":"","value":{"a":1}}]`, `{"a":1}`],
  [`{"a":1}`, `[{"op":"test","path":"/b/c","value":1}]`, invalid],
  [`{"a/b":1,"m~n":2}`, `[{"op":"remove","path":"/a~1b"},{"op":"remove","path":"/m~0n"}]`, `{}`],
  [`{"~1":1}`, `[{"op":"remove","path":"/~01"}]`, `{}`],
  [`{}`, `[{"op":"add","path":"/__proto__","value":{"x":1}},{"op":"add","path":"/__proto__/y","value":2}]`, `{"__proto__":{"x":1,"y":2}}`],
  [`{}`, `[{"op":"add","path":"/constructor/prototype/x","value":1}]`, invalid],
  [`{}`, `[{"op":"explode","path":"/a"}]`, invalid],
  [`{}`, `[{"path":"/a"}]`, invalid],
  [`{}`, `{"op":"add"}`, "400 json: cannot unmarshal object into Go value of type jsonpatch.Patch"],
  [`{}`, `["x"]`, "400 json: cannot unmarshal string into Go value of type jsonpatch.Operation"],
  [`{}`, `[]`, `{}`],
];

for (const [document, operations, want] of cases)
  test(`JSON patch: ${document} with ${operations}`, () => {
    const before = freeze(JSON.parse(document) as Json);
    assert.equal(outcome(() => JSON.stringify(jsonPatch(before, freeze(JSON.parse(operations) as Json)))), want);
  });

test("JSON patch: too many operations are refused before the first", () => {
  const operations = Array.from({ length: operationsMax + 1 }, () => ({ op: "nonsense" }));
  assert.equal(outcome(() => JSON.stringify(jsonPatch({}, operations))), "413 Request entity is too large: The allowed maximum operations in a JSON patch is 10000, got 10001");
});

test("JSON patch: copies cannot double a document until it is huge", () => {
  const operations = Array.from({ length: 40 }, (_, i) => ({ op: "copy", from: "", path: `/x${i}` })).map(operation => ({ ...operation, from: "/a" }));
  assert.equal(outcome(() => String(Object.keys(jsonPatch({ a: "x".repeat(copyBytesMax / 20) }, operations) as object).length)), invalid);
});

// The examples of RFC 7396, appendix A, and what is ours.
const merges: readonly (readonly [string, string, string])[] = [
  [`{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`], [`{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`], [`{"a":"b"}`, `{"a":null}`, `{}`],
  [`{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`], [`{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`], [`{"a":"c"}`, `{"a":["b"]}`, `{"a":["b"]}`],
  [`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`], [`{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`], [`["a","b"]`, `["c","d"]`, `["c","d"]`],
  [`{"a":"b"}`, `["c"]`, `["c"]`], [`{"a":"foo"}`, `null`, `null`], [`{"a":"foo"}`, `"bar"`, `"bar"`], [`{"e":null}`, `{"a":1}`, `{"e":null,"a":1}`],
  [`{}`, `{"a":[{"b":null,"c":[{"d":null}]},null]}`, `{"a":[{"c":[{}]},null]}`], [`{"a":{}}`, `{"a":[{"b":null}]}`, `{"a":[{"b":null}]}`],
  [`[1,2]`, `{"a":"b","c":null}`, `{"a":"b"}`], [`{}`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`],
  [`{"data":{"__proto__":"a","x":"1"}}`, `{"data":{"__proto__":"b","x":null}}`, `{"data":{"__proto__":"b"}}`],
  [`{"data":{}}`, `{"data":{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}}`, `{"data":{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}}`],
];

for (const [original, patch, want] of merges)
  test(`merge patch: ${original} with ${patch}`, () => {
    assert.equal(JSON.stringify(mergePatch(freeze(JSON.parse(original) as Json), freeze(JSON.parse(patch) as Json))), want);
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
