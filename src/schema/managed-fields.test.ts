import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "../base/json.ts";
import { compareElements, difference, intersection, parseFieldSet, pathsOf, recursiveDifference, renderPath, union } from "./apply-field-set.ts";
import { applyPatch, updateManagedFields, type Versions } from "./apply.ts";
import { managerOf, parentManagedFields, scaleManagedFields } from "./managed-fields.ts";
import * as t from "./t.ts";

// Sets are written as their paths: a.b, a.b, …; a trailing ! marks a member with others below it.
function set(text: string): JsonObject {
  const root: { [key: string]: JsonObject } = {};
  for (const path of text.split(" ").filter(Boolean)) {
    let at = root as { [key: string]: unknown };
    for (const step of path.replace("!", "").split(".")) at = (at[`f:${step}`] ??= {}) as { [key: string]: unknown };
    if (path.endsWith("!")) at["."] = {};
  }
  return parseFieldSet(root) as JsonObject;
}

type Operator = (a: never, b: never) => object;
const algebra: readonly (readonly [Operator, string, string, string])[] = [
  [union, "a b.c", "b.d e", "a e b.c b.d"], [union, "a", "a.b", "a a.b"], [union, "", "a", "a"], [union, "a", "", "a"],
  [difference, "a b.c", "b.c", "a"], [difference, "a a.b", "a", "a.b"], [difference, "a! a.b", "a.b", "a"], [difference, "a.b", "a", "a.b"], [difference, "a", "a.b", "a"], [difference, "a", "a", ""], [difference, "a! a.b", "a! a.b", ""],
  [recursiveDifference, "a.b.c d", "a.b", "d"], [recursiveDifference, "a.b.c a.x", "a.b", "a.x"], [recursiveDifference, "a", "", "a"],
  [intersection, "a b.c", "b.c d", "b.c"], [intersection, "a! a.b", "a! a.c", "a"], [intersection, "a", "a.b", ""], [intersection, "a! a.b", "a.b", "a.b"],
];
for (const [operator, a, b, want] of algebra)
  test(`field sets: ${operator.name}(${a} | ${b})`, () => {
    const result = operator(set(a) as never, set(b) as never);
    assert.equal([...pathsOf(result as never)].map(path => renderPath(path).slice(1)).join(" "), want);
    assert.deepEqual(parseFieldSet(result), result);
  });

test("path elements are in upstream's order", () => {
  const sorted = ["f:a", "f:b", `k:{"name":"a"}`, `k:{"name":"a b"}`, `k:{"port":9,"protocol":"TCP"}`, `k:{"port":80,"protocol":"TCP"}`, `k:{"port":80,"protocol":"UDP"}`, "v:2", "v:10", `v:"x"`, "i:2", "i:10"];
  assert.deepEqual(sorted.toReversed().sort(compareElements), sorted);
});

const parsed: readonly (readonly [string, string | undefined])[] = [
  [`{"f:a":{}}`, `{"f:a":{}}`], [`{"f:b":{},"f:a":{".":{},"f:c":{}}}`, `{"f:a":{".":{},"f:c":{}},"f:b":{}}`], [`{"x:a":{},"f:b":{}}`, `{"f:b":{}}`], [`{"f:a":{".":{}}}`, `{"f:a":{}}`],
  [`{"k:{\\"b\\":1,\\"a\\":2}":{}}`, `{"k:{\\"a\\":2,\\"b\\":1}":{}}`], [`{"a":{}}`, undefined], [`{"k:x":{}}`, undefined], [`{"v:":{}}`, undefined], [`{"i:x":{}}`, undefined], [`[]`, undefined], [`{"f:a":1}`, undefined],
  [`{"f:__proto__":{"f:x":{}}}`, `{"f:__proto__":{"f:x":{}}}`],
];
for (const [text, want] of parsed)
  test(`fieldsV1 ${text} is ${want ?? "refused"}`, () => {
    assert.equal(JSON.stringify(parseFieldSet(JSON.parse(text))), want);
  });

const managers: readonly (readonly [string | undefined, string | undefined, string])[] = [
  ["me", "kubectl/v1.36.0", "me"], [undefined, "kubectl/v1.36.0 (linux/amd64) kubernetes/abc", "kubectl"], ["", "curl", "curl"], [undefined, undefined, "unknown"],
  [undefined, `${"x".repeat(200)}/1`, "x".repeat(128)], [undefined, "a\u0000b/1", "ab"],
];
for (const [fieldManager, userAgent, want] of managers)
  test(`the manager of ${JSON.stringify(fieldManager)} and ${JSON.stringify(userAgent)?.slice(0, 30)} is ${want.slice(0, 20)}`, () => {
    assert.equal(managerOf(fieldManager, userAgent), want);
  });

const replicas = ["f:spec", "f:replicas"];
const entry = (manager: string, fields: string, more: object = {}): object => ({ manager, operation: "Update", apiVersion: "apps/v1", time: "2026-01-01T00:00:00Z", fieldsType: "FieldsV1", fieldsV1: set(fields), ...more });

test("a Scale shows who owns the replicas", () => {
  assert.deepEqual(scaleManagedFields([entry("a", "spec.replicas spec.paused"), entry("b", "spec.x")], replicas), [entry("a", "spec.replicas", { apiVersion: "autoscaling/v1" })]);
});

test("whoever scales takes the replicas of the workload", () => {
  const parent = [entry("a", "spec.replicas spec.paused"), entry("b", "spec.replicas")];
  const scale = [entry("kubectl", "spec.replicas", { apiVersion: "autoscaling/v1", subresource: "scale" })];
  const { time: _, ...withoutTime } = entry("kubectl", "spec.replicas") as { readonly time?: string };
  assert.deepEqual(parentManagedFields(parent, scale, { apiVersion: "apps/v1", replicas }), [{ ...withoutTime, subresource: "scale" }, entry("a", "spec.paused")], "a new owner has no time, and so comes first");
});

test("an entry that kept the replicas through a scale is as it was", () => {
  const parent = [entry("a", "spec.replicas spec.paused")];
  assert.deepEqual(parentManagedFields(parent, scaleManagedFields(parent, replicas), { apiVersion: "apps/v1", replicas }), parent);
});

const old = t.object({ spec: t.object({ percent: t.int32() }) }).node, current = t.object({ apiVersion: t.string(), kind: t.string(), metadata: t.object({ name: t.string(), managedFields: t.list(t.any()) }), spec: t.object({ target: t.int32(), max: t.int32() }) }).node;
const versions: Versions = apiVersion => apiVersion !== "v1" ? undefined : {
  node: old,
  to: ({ spec, ...rest }) => ({ ...rest, spec: { percent: (spec as JsonObject)?.["target"] ?? null, max: (spec as JsonObject)?.["max"] ?? null } }),
  from: ({ spec, ...rest }) => ({ ...rest, spec: { target: (spec as JsonObject)?.["percent"] ?? null, max: (spec as JsonObject)?.["max"] ?? null } }),
};
const live: JsonObject = { apiVersion: "v2", kind: "X", metadata: { name: "x", managedFields: [entry("a", "spec.percent", { apiVersion: "v1" })] as unknown as JsonObject[] }, spec: { target: 1, max: 9 } };
const common = { node: current, apiVersion: "v2", kind: "X", now: 0, versions };

test("an owner in another version loses what a write in this one changes", () => {
  const entries = updateManagedFields({ ...common, manager: "b", before: { ...live, metadata: { ...(live["metadata"] as JsonObject), uid: "u" } }, after: { ...live, spec: { target: 2, max: 9 } } });
  assert.deepEqual(entries?.map(({ manager, apiVersion }) => `${manager} ${apiVersion}`), ["b v2"]);
});

test("an owner in another version conflicts with an apply in this one", () => {
  const applied = { apiVersion: "v2", kind: "X", metadata: { name: "x" }, spec: { target: 2 } };
  assert.throws(() => applyPatch({ ...common, manager: "b", live, applied, force: false }), /conflict with "a" using v1: \.spec\.percent/);
});
