import assert from "node:assert/strict";
import { test } from "node:test";
import { decode, DecodeError } from "./decode.ts";
import { applyDefaults } from "./defaults.ts";
import { goFormat } from "./go-format.ts";
import { validate } from "./validate.ts";
import { problemBody } from "./problem.ts";
import * as t from "./t.ts";

const Part = t.object("io.k8s.api.x.v1.Part", { name: t.string().pb(1).required().always("zero"), amount: t.quantity(), port: t.intOrString().always("zero"), size: t.int32().min(1).max(9).default(2), flag: t.bool().pointer() });
const Thing = t.object("io.k8s.api.x.v1.Thing", {
  text: t.string(), kept: t.string().pointer(), count: t.int32(), long: t.int64(), ratio: t.double(), on: t.bool(), bytes: t.bytes(), at: t.time(), exact: t.microTime(), wait: t.duration(), amount: t.quantity(),
  parts: t.listBy(Part, "name"), all: t.list(Part).always("[]"), names: t.list(t.string()), labels: t.map(t.string()), nested: t.object({ a: t.string().required() }), status: t.object("io.k8s.api.x.v1.ThingStatus", { phase: t.oneOf("A", "B") }).always("{}"),
  raw: t.rawExtension(), level: t.oneOf("High", "Low"), frozen: t.string().immutable(), name: t.string().grammar("dns-1123-label"),
});
const read = (value: object): object => decode(Thing.node, value as never).object as object;

for (const [what, given, expected] of [
  ["empty plain values are as good as none", { text: "", count: 0, on: false, names: [], labels: {}, parts: [], ratio: 0 }, {}],
  ["a pointer keeps its zero", { kept: "" }, { kept: "" }],
  ["null is none", { text: null, parts: null, labels: null, nested: null, at: null }, {}],
  ["null among items is an empty item", { names: [null], parts: [null] }, { names: [""], parts: [{ name: "", port: 0 }] }],
  ["quantities are canonical", { amount: "1000m", parts: [{ name: "a", amount: 0.5 }] }, { amount: "1", parts: [{ name: "a", amount: "500m", port: 0 }] }],
  ["times are in UTC without a fraction", { at: "2024-05-06T07:08:09.123+02:00" }, { at: "2024-05-06T05:08:09Z" }],
  ["micro times have six digits", { exact: "2024-05-06T09:08:09,123456+02:00" }, { exact: "2024-05-06T07:08:09.123456Z" }],
  ["the zero time is none", { at: "0001-01-01T00:00:00Z", exact: "0001-01-01T00:00:00.000000Z" }, {}],
  ["durations are as Go writes them", { wait: "90s" }, { wait: "1m30s" }],
  ["a long whole number stays exact", { long: 9223372036854775807n }, { long: 9223372036854775807n }],
  ["bits of base64 that stand for nothing are zero", { bytes: "YR==" }, { bytes: "YQ==" }],
  ["line breaks in base64 go", { bytes: "aGVs\nbG8=" }, { bytes: "aGVsbG8=" }],
  ["a raw object is kept as it came", { raw: { z: [null, ""], a: {} } }, { raw: { z: [null, ""], a: {} } }],
  ["a label called __proto__ is a label", { labels: JSON.parse('{"__proto__":"x"}') as object }, { labels: JSON.parse('{"__proto__":"x"}') as object }],
] as const) test(what, () => assert.deepEqual(read(given), { all: [], status: {}, ...expected }));

test("what is unknown is dropped and named with its path", () => {
  const { object, unknown } = decode(Thing.node, { foo: 1, parts: [{ name: "a" }, { nmae: "b" }], nested: { a: "x", b: 1 }, constructor: 1 } as never);
  assert.deepEqual([...unknown].sort(), ["constructor", "foo", "nested.b", "parts[1].nmae"]);
  assert.deepEqual(Object.keys(object as object), ["parts", "nested", "all", "status"]);
});

for (const [given, message] of [
  [{ text: 1 }, "json: cannot unmarshal number into Go struct field Thing.text of type string"],
  [{ count: "1" }, "json: cannot unmarshal string into Go struct field Thing.count of type int32"],
  [{ count: 1.5 }, "json: cannot unmarshal number 1.5 into Go struct field Thing.count of type int32"],
  [{ count: 3000000000 }, "json: cannot unmarshal number 3000000000 into Go struct field Thing.count of type int32"],
  [{ on: "true" }, "json: cannot unmarshal string into Go struct field Thing.on of type bool"],
  [{ parts: {} }, "json: cannot unmarshal object into Go struct field Thing.parts of type []v1.Part"],
  [{ labels: { a: 1 } }, "json: cannot unmarshal number into Go struct field Thing.labels of type string"],
  [{ status: [] }, "json: cannot unmarshal array into Go struct field Thing.status of type v1.ThingStatus"],
  [{ amount: "x" }, "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"],
  [{ at: "yesterday" }, 'parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006"'],
  [{ at: "2023-02-30T00:00:00Z" }, 'parsing time "2023-02-30T00:00:00Z": day out of range'],
  [{ at: "2023-13-30T00:00:00Z" }, 'parsing time "2023-13-30T00:00:00Z": month out of range'],
  [{ at: "2023-02-03 00:00:00Z" }, 'parsing time "2023-02-03 00:00:00Z" as "2006-01-02T15:04:05Z07:00": cannot parse " 00:00:00Z" as "T"'],
  [{ at: "2023-02-03T00:00:00" }, 'parsing time "2023-02-03T00:00:00" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "Z07:00"'],
  [{ at: "2023-02-03T00:00:00.5xZ" }, 'parsing time "2023-02-03T00:00:00.5xZ" as "2006-01-02T15:04:05Z07:00": cannot parse "xZ" as "Z07:00"'],
  [{ exact: "2023-02-03T00:00:00Z" }, 'parsing time "2023-02-03T00:00:00Z" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "Z" as ".000000"'],
  [{ exact: "2023-02-03T00:00:00.1234567Z" }, 'parsing time "2023-02-03T00:00:00.1234567Z" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "7Z" as "Z07:00"'],
  [{ text: 1, at: "x" }, 'parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"'],
  [{ text: 1, count: "x" }, "json: cannot unmarshal number into Go struct field Thing.text of type string"],
  [{ bytes: "a!b=" }, "illegal base64 data at input byte 1"],
] as const) test(`${JSON.stringify(given)} is refused in Go's words`, () => assert.throws(() => read(given), (error: Error) => error instanceof DecodeError && error.message === message));

for (const [given, expected] of [
  [{ count: 1.5 }, "cannot convert float64 to int32"],
  [{ parts: [{ port: 1.5 }] }, "json: cannot unmarshal number 1.5 into Go value of type int32"],
  [{ parts: [{ port: {} }] }, "json: cannot unmarshal object into Go value of type int32"],
  [{ at: 5 }, "json: cannot unmarshal number into Go value of type string"],
  [{ text: 5 }, "cannot convert int64 to string"],
  [{ bytes: "%%" }, "error decoding from json: illegal base64 data at input byte 0"],
  [{ count: 8000000000, long: 2n ** 63n, labels: { constructor: "x" }, parts: [{ name: "a", size: -1e20 }] }, { count: -589934592, long: -(2n ** 63n), labels: { constructor: "x" }, parts: [{ name: "a", port: 0 }], all: [], status: {} }],
] as const) test(`what a patch made is read as apimachinery's converter does: ${goFormat(given as never)}`, () => {
  const read = (): unknown => decode(Thing.node, given as never, "applied").object;
  if (typeof expected === "string") assert.throws(read, (error: Error) => error instanceof DecodeError && error.message === expected);
  else assert.deepEqual(read(), expected);
});

test("structs that Go embeds are named in the path", () => {
  const Volume = t.object("io.k8s.api.core.v1.Volume", { name: t.string(), emptyDir: t.object("io.k8s.api.core.v1.EmptyDirVolumeSource", { medium: t.string() }) });
  for (const [given, path] of [[{ emptyDir: [] }, "VolumeSource.emptyDir of type v1.EmptyDirVolumeSource"], [{ name: 1 }, "name of type string"]] as const)
    assert.throws(() => decode(t.object("io.k8s.api.core.v1.PodSpec", { volumes: t.list(Volume) }).node, { volumes: [given] } as never), { message: `json: cannot unmarshal ${"name" in given ? "number" : "array"} into Go struct field Volume.volumes.${path}` });
});

test("defaults reach into lists, and an explicit value wins", () => {
  const object = read({ parts: [{ name: "a" }, { name: "b", size: 5 }] }) as { parts: { size: number }[] };
  applyDefaults(Thing.node, object);
  assert.deepEqual(object.parts.map(({ size }) => size), [2, 5]);
});

for (const [given, previous, expected] of [
  [{ parts: [{ name: "a", size: 10 }] }, undefined, ["parts[0].size: Invalid value: 10: must be between 1 and 9, inclusive"]],
  [{ level: "Middle" }, undefined, ['level: Unsupported value: "Middle": supported values: "High", "Low"']],
  [{ nested: {} }, undefined, ["nested.a: Required value"]],
  [{ frozen: "b" }, { frozen: "a" }, ['frozen: Invalid value: "b": field is immutable']],
  [{ name: "A" }, undefined, [`name: Invalid value: "A": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')`]],
  [{ level: "High", frozen: "a", name: "a" }, { frozen: "a" }, []],
] as const) test(`${JSON.stringify(given)} has ${expected.length === 0 ? "no problem" : "the problem upstream names"}`, () => {
  assert.deepEqual(validate(Thing.node, read(given), previous === undefined ? undefined : read(previous)).map(problem => `${problem.field}: ${problemBody(problem)}`), expected);
});
