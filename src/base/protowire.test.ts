import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeMessage, encodeMessage } from "./protowire.ts";

const Inner = { name: [1, "string"], attempt: [2, "uint32"] } as const;
const Outer = { id: [1, "string"], inner: [2, Inner], labels: [3, "map"], at: [4, "int64"], ports: [5, "int32", "many"], parts: [6, Inner, "many"], on: [7, "bool"], data: [8, "bytes"] } as const;

const values = [
  {},
  { id: "a", inner: { name: "é", attempt: 3 }, on: true },
  { labels: { "io.kubernetes.pod.name": "web", "": "empty", "__proto__": "p" } },
  { at: -1 }, { at: -1234567890123 }, { at: 2 ** 53 - 1 }, { ports: [80, 0, 443] },
  { parts: [{ name: "x" }, {}, { attempt: 7 }] },
];
for (const value of values)
  test(`${JSON.stringify(value)} survives the wire`, () => {
    assert.deepEqual(JSON.parse(JSON.stringify(decodeMessage(Outer, encodeMessage(Outer, value)))), JSON.parse(JSON.stringify(value)));
  });

test("an empty nested message is present on the wire, a zero scalar is not", () => {
  assert.deepEqual([...encodeMessage(Outer, { inner: {} })], [0x12, 0]);
  assert.deepEqual([...encodeMessage(Outer, { id: "", at: 0, on: false })], []);
});

test("fields that the table does not know are skipped", () => {
  assert.deepEqual(decodeMessage({ name: [1, "string"] }, encodeMessage(Outer, { id: "a", at: 5, inner: { name: "b" } })), { name: "a" });
});

test("a message that ends too early is an error, not a partial answer", () => {
  const whole = encodeMessage(Outer, { id: "abc", inner: { name: "d" } });
  for (const length of [1, 3, 6, whole.length - 1]) assert.throws(() => decodeMessage(Outer, whole.subarray(0, length)), /protobuf/);
});

test("a field of another wire type than the table says is skipped, not misread", () => {
  assert.deepEqual(decodeMessage({ id: [1, "int64"], on: [7, "string"], at: [4, "int64"] }, encodeMessage(Outer, { id: "abc", on: true, at: 3 })), { at: 3 });
});
