import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigMap } from "../kinds/core/configmap.ts";
import { frameWatchEvent, openEnvelope, sealEnvelope } from "./envelope.ts";
import { decodeProtobuf, encodeProtobuf, ProtobufError } from "./protobuf.ts";
import * as t from "./t.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const Inner = t.object("x.Inner", { name: t.string().pb(1) });
const Message = t.object("x.Message", {
  plain: t.string().pb(1), pointer: t.string().pb(2).pointer(), count: t.int32().pb(3), at: t.time().pb(4), amount: t.quantity().pb(5).pointer(), port: t.intOrString().pb(6).pointer(),
  names: t.list(t.string()).pb(7), labels: t.map(t.string()).pb(8), inner: Inner.pb(9), always: Inner.pb(10).always("{}"), hidden: Inner.pb(1).within(11), long: t.int64().pb(12).pointer(), raw: t.rawExtension().pb(13).pointer(), bytes: t.bytes().pb(14), numbers: t.list(t.int64()).pb(15),
});

for (const [what, object, expected] of [
  ["plain scalars and structs are written even when empty, pointers are not", {}, "0a001800220052020a005a00"],
  ["a negative number takes ten bytes", { count: -1 }, "0a0018ffffffffffffffffff01220052020a005a00"],
  ["quantities, ports and maps are messages", { amount: "1", port: "http", labels: { b: "2", a: "1" } }, "0a00180022002a030a01313" + "20a08011000" + "1a0468747470" + "42060a01611201314" + "2060a01621201325" + "2020a005a00"],
  ["what protobuf nests and JSON does not", { hidden: { name: "x" } }, "0a001800220052020a005a050a030a0178"],
] as const) test(what, () => assert.equal(hex(encodeProtobuf(Message.node, object)), expected));

test("every sort of field survives the way there and back", () => {
  const object = {
    plain: "ä€😀", pointer: "", count: -5, at: "2024-05-06T07:08:09Z", amount: "1500m", port: 80, names: ["", "b"], labels: { __proto__x: "y", "": "" }, inner: { name: "n" }, always: { name: "m" }, hidden: { name: "h" },
    long: 9223372036854775807n, raw: { a: [1, null] }, bytes: "aGVsbG8=", numbers: [0, -1, 5],
  };
  assert.deepEqual(decodeProtobuf(Message.node, encodeProtobuf(Message.node, object)), object);
});
test("a large number that was read again as an exact integer is a double", () => {
  const Bound = t.object("x.Bound", { maximum: t.double().pb(1).pointer() });
  assert.deepEqual(decodeProtobuf(Bound.node, encodeProtobuf(Bound.node, { maximum: 9223372036854776000n })), { maximum: 2 ** 63 });
});
test("JSON in bytes that is none is refused", () => {
  const Held = t.object("x.Held", { raw: t.rawExtension().pb(1) });
  for (const text of ["{", "{]", "x", "1 2"]) assert.throws(() => decodeProtobuf(Held.node, Uint8Array.of(0x0a, text.length + 2, 0x0a, text.length, ...Buffer.from(text))), ProtobufError);
});
test("fields that the schema does not know are skipped", () => {
  const Wider = t.object("x.Wider", { plain: t.string().pb(1), extra: t.string().pb(100), more: t.double().pb(101).pointer() });
  assert.deepEqual(decodeProtobuf(Inner.node, encodeProtobuf(Wider.node, { plain: "a", extra: "b", more: 0.5 })), { name: "a" });
});

for (const [what, bytes, message] of [
  ["nothing", "", "empty data"], ["something else", "7b7d0000", "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]"], ["the prefix alone", "6b387300", "empty body"],
] as const) test(`an envelope of ${what} is refused in upstream's words`, () => assert.throws(() => openEnvelope(Buffer.from(bytes, "hex")), (error: Error) => error instanceof ProtobufError && error.message === message));

for (const bytes of ["0aff", "0affffffffffffffffff7f", "08", "0b", "ffffffffffffffffffffff", "0a0261"])
  test(`the damaged message ${bytes} is an error, not a crash`, () => assert.throws(() => decodeProtobuf(Message.node, Buffer.from(bytes, "hex")), ProtobufError));

// NaN and infinity once were written for ever, on the only thread.
for (const [what, object] of [
  ["an object where a text belongs", { plain: {} }], ["a number where a text belongs", { names: [1] }], ["a list where an object's text belongs", { inner: { name: ["a"] } }], ["no number at all", { count: NaN }], ["infinity", { long: Infinity }], ["an object where a number belongs", { count: {} }],
] as const) test(`${what} is an error, not an endless message`, () => assert.throws(() => encodeProtobuf(Message.node, object)));

test("a ConfigMap as Go writes it", () => {
  const object = { metadata: { name: "my", namespace: "default" }, data: { key: "value" } };
  const raw = encodeProtobuf(ConfigMap.schema.node, object);
  assert.equal(hex(raw), "0a190a026d7912001a0764656661756c7422002a0032003800420012" + "0c0a036b6579120576616c7565");
  const opened = openEnvelope(sealEnvelope("v1", "ConfigMap", raw));
  assert.deepEqual([opened.apiVersion, opened.kind, hex(opened.raw)], ["v1", "ConfigMap", hex(raw)]);
  assert.deepEqual(decodeProtobuf(ConfigMap.schema.node, raw), object);
});
test("a watch event is its length, its type and a whole envelope", () => {
  const frame = frameWatchEvent("ADDED", Uint8Array.of(1, 2, 3));
  assert.equal(hex(frame), "0000000e" + "0a0541444445441205" + "0a03010203");
});
