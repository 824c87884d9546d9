import assert from "node:assert/strict";
import { test } from "node:test";
import { copyJson, JsonError, jsonDepthMax, parseJson, stringifyJson } from "./json-codec.ts";

for (const [text, duplicates] of [
  ['{"a":1,"b":2}', []], ['{"a":1,"a":2}', ["a"]], ['{"spec":{"replicas":1,"replicas":2}}', ["spec.replicas"]], ['{"l":[{"x":1},{"x":1,"x":2}]}', ["l[1].x"]],
  ['{"a":{"b":1},"a":{"b":2,"b":3}}', ["a", "a.b"]], ['{"a\\u0062":1,"ab":2}', ["ab"]], ['{"a":"b\\"c:","b":":"}', []], ['[1,{"k":1,"k":1}]', ["[1].k"]],
] as const) test(`of ${text} the keys written twice are ${JSON.stringify(duplicates)}`, () => assert.deepEqual([...parseJson(text).duplicates].sort(), [...duplicates].sort()));

test("whole numbers that a double cannot hold stay exact, in and out", () => {
  const { value } = parseJson('{"n":9223372036854775807,"m":1,"f":0.1234567890123456789}');
  assert.equal((value as { n: bigint }).n, 9223372036854775807n);
  assert.equal(stringifyJson(value), '{"n":9223372036854775807,"m":1,"f":0.12345678901234568}');
});
test("a key called __proto__ is a key like any other", () => {
  const { value } = parseJson('{"__proto__":{"x":1}}');
  assert.ok(Object.hasOwn(value as object, "__proto__"));
  assert.equal(({} as { x?: number }).x, undefined);
  assert.equal(JSON.stringify(copyJson(value)), '{"__proto__":{"x":1}}');
});
test("nesting has a limit", () => {
  assert.throws(() => parseJson("[".repeat(jsonDepthMax + 1) + "]".repeat(jsonDepthMax + 1)), /exceeded max depth/);
  assert.ok(parseJson("[".repeat(jsonDepthMax) + "]".repeat(jsonDepthMax)));
});
for (const [text, message] of [["", "unexpected end of JSON input"], ["{", "unexpected end of JSON input"], ['{"a":', "unexpected end of JSON input"], ["nul", "unexpected end of JSON input|invalid character"], ["{]", "invalid character ']'"]] as const)
  test(`${JSON.stringify(text)} is refused in Go's words`, () => assert.throws(() => parseJson(text), (error: Error) => error instanceof JsonError && new RegExp(message).test(error.message)));
