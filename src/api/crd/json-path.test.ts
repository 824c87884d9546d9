import assert from "node:assert/strict";
import { test } from "node:test";
import { parseJsonPath } from "./json-path.ts";

const object = { spec: { a: 1, "b.c": "x", list: [{ type: "Ready", status: "True" }, { type: "Other", status: "False" }], map: { x: 1, y: 2 } }, metadata: { labels: { "app.kubernetes.io/name": "web" } } };

const cases = [
  [".spec.a", [1]],
  ["{.spec.a}", [1]],
  [".spec['b.c']", ["x"]],
  [".metadata.labels['app.kubernetes.io/name']", ["web"]],
  [".metadata.labels.app\\.kubernetes\\.io/name", ["web"]],
  [".spec.list[0].type", ["Ready"]],
  [".spec.list[-1].type", ["Other"]],
  [".spec.list[*].status", ["True", "False"]],
  ['.spec.list[?(@.type=="Ready")].status', ["True"]],
  ['.spec.list[?(@.type!="Ready")].status', ["False"]],
  [".spec.list[?(@.status)].type", ["Ready", "Other"]],
  [".spec.map.*", [1, 2]],
  [".spec.none.deeper", []],
  [".spec..type", ["Ready", "Other"]],
  [".spec.list[0:1].type", ["Ready"]],
  [".spec.list[-1:].type", ["Other"]],
  [".spec.list[::2].type", ["Ready"]],
  [".spec.list[0:3].type", []],
  [".spec.__proto__", []],
] as const;

for (const [path, expected] of cases)
  test(`${path} finds ${JSON.stringify(expected)}`, () => assert.deepEqual(parseJsonPath(path)?.(object), expected));

for (const path of ["[", ".spec[", ".spec[?(@.x==)]", ".a".repeat(200)])
  test(`${path.slice(0, 20)} cannot be read`, () => assert.equal(parseJsonPath(path), undefined));
