import assert from "node:assert/strict";
import { test } from "node:test";
import { parseYaml } from "./yaml.ts";

// text                                value
const cases: [string, unknown][] = [
  ["a: yes\nb: off\nc: 'yes'", { a: true, b: false, c: "yes" }],
  ["n: 1\n1: x\nnull: y", { false: 1, 1: "x", null: true }],
  ["a: 0777\nb: 0o17\nc: 0x1F\nd: 1_000\ne: 1e3\nf: 0.5\ng: 089", { a: 511, b: 15, c: 31, d: 1000, e: 1000, f: 0.5, g: 89 }],
  ["a: 9007199254740993", { a: 9007199254740993n }],
  ["a: 2001-12-14\nb: 2026-11-20T12:00:00Z", { a: "2001-12-14", b: "2026-11-20T12:00:00Z" }],
  ["a: ~\nb:\nc: null", { a: null, b: null, c: null }],
  ["a: &x {k: 1}\nb:\n  <<: *x\n  l: 2", { a: { k: 1 }, b: { k: 1, l: 2 } }],
  ["- a\n- [b, c]", ["a", ["b", "c"]]],
];
for (const [text, value] of cases)
  test(`YAML ${JSON.stringify(text)} reads as go-yaml reads it`, () => assert.deepEqual(parseYaml(text).value, value));

test("__proto__ is a key like any other", () => {
  const { value } = parseYaml("__proto__: {a: 1}");
  assert.deepEqual(Object.keys(value as object), ["__proto__"]);
  assert.equal(({} as { a?: number }).a, undefined);
});

test("a key written twice counts once, and is reported", () => {
  assert.deepEqual(parseYaml("a: 1\na: 2"), { value: { a: 2 }, duplicates: ["a"] });
});

test("a bomb of aliases is refused", () => {
  const text = `a: &a [x]\nb: [${Array.from({ length: 200 }, () => "*a").join(", ")}]`;
  assert.throws(() => parseYaml(text), /^Error: yaml: /);
});
