import assert from "node:assert/strict";
import { test } from "node:test";
import { decode } from "../schema/decode.ts";
import { applyDefaults } from "../schema/defaults.ts";
import type { Node } from "../schema/t.ts";
import { kinds } from "./index.ts";
import { apiVersionOf } from "./kind.ts";
import { openapiV2 } from "./openapi/v2.ts";
import { openapiV3, openapiV3Paths } from "./openapi/v3.ts";
import { openapiProtobuf } from "../schema/openapi-protobuf.ts";
import { openapiV3Protobuf } from "../schema/openapi-v3-protobuf.ts";
import { subresourcesOf } from "./subresources.ts";

test("no two kinds share a group, version and name, or a path", () => {
  const served = kinds.flatMap(kind => [kind, ...(kind.alsoServed ?? []).map(other => ({ ...kind, ...other, group: other.group ?? kind.group }))]);
  for (const name of ["kind", "plural"] as const) {
    const seen = served.map(kind => `${apiVersionOf(kind)} ${kind[name]}`);
    assert.deepEqual(seen.filter((each, i) => seen.indexOf(each) !== i), []);
  }
});

test("within a message no number is used twice, and every field has one", () => {
  const wrong: string[] = [];
  const seen = new Set<Node>();
  const walk = (node: Node): void => {
    if (node.kind !== "object") {
      if (node.items) walk(node.items);
      return;
    }
    if (seen.has(node)) return;
    seen.add(node);
    const numbers = new Map<string, string>();
    for (const [name, field] of Object.entries(node.fields ?? {})) {
      const number = [...(field.within ?? []), field.pb].join(".");
      if (field.pb === undefined && name !== "apiVersion" && name !== "kind") wrong.push(`${node.ref} ${name}: no number`);
      if (field.pb !== undefined && numbers.has(number)) wrong.push(`${node.ref} ${name} and ${numbers.get(number)}: ${number}`);
      numbers.set(number, name);
      walk(field);
    }
  };
  for (const kind of kinds) walk(kind.schema.node);
  assert.deepEqual(wrong, []);
});

test("list keys name fields of the items", () => {
  const wrong: string[] = [];
  const seen = new Set<Node>();
  const walk = (node: Node): void => {
    if (seen.has(node)) return;
    seen.add(node);
    if (node.list?.type === "map") for (const key of node.list.keys) if (node.items?.fields?.[key] === undefined) wrong.push(key);
    if (node.patchMergeKey !== undefined && node.items?.fields?.[node.patchMergeKey] === undefined) wrong.push(node.patchMergeKey);
    if (node.items) walk(node.items);
    for (const field of Object.values(node.fields ?? {})) walk(field);
  };
  for (const kind of kinds) walk(kind.schema.node);
  assert.deepEqual(wrong, []);
});

for (const kind of kinds) test(`${kind.kind}: an empty one can be decoded, defaulted and shown`, () => {
  const { object } = decode(kind.schema.node, { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata: { name: "a", uid: "u", creationTimestamp: "2024-01-01T00:00:00Z" } });
  applyDefaults(kind.schema.node, object);
  kind.defaults?.(object);
  kind.prepare?.(object, undefined, { now: 0, operation: "create", subresource: "" });
  for (const problem of kind.rules?.(object, undefined, { now: 0, operation: "create", subresource: "" }) ?? []) assert.ok(problem.field !== undefined);
  for (const column of kind.columns) assert.ok(["string", "number", "boolean"].includes(typeof column.cell(object, 0)) || column.cell(object, 0) === null, column.name);
  for (const read of Object.values(kind.selectable ?? {})) assert.equal(typeof read(object), "string");
  assert.ok(kind.doc.endsWith("."));
  assert.ok(subresourcesOf(kind));
});

test("every field says what it is for", () => {
  const definitions = openapiV2(kinds)["definitions"] as { readonly [name: string]: { readonly properties?: { readonly [name: string]: { readonly description?: string } } } };
  const silent = Object.entries(definitions).flatMap(([name, { properties = {} }]) => Object.entries(properties).filter(([, { description = "" }]) => !/^[^ ].*\.$/.test(description)).map(([field]) => `${name} ${field}`));
  assert.deepEqual(silent, []);
});

test("every reference of the OpenAPI documents leads somewhere", () => {
  const v2 = openapiV2(kinds);
  const dangling = (document: unknown, root: { readonly [key: string]: unknown }, prefix: string): string[] => {
    if (typeof document !== "object" || document === null) return [];
    return Object.entries(document).flatMap(([key, value]) => (key === "$ref" && typeof value === "string" && value.startsWith(prefix) ? (Object.hasOwn(root, value.slice(prefix.length)) ? [] : [value]) : dangling(value, root, prefix)));
  };
  assert.deepEqual(dangling(v2, v2["definitions"] as {}, "#/definitions/"), []);
  assert.deepEqual(dangling(v2, v2["parameters"] as {}, "#/parameters/"), []);
  for (const path of openapiV3Paths(kinds)) {
    const v3 = openapiV3(kinds, path) as { readonly components: { readonly schemas: {} } };
    assert.deepEqual(dangling(v3, v3.components.schemas, "#/components/schemas/"), [], path);
    assert.ok(openapiV3Protobuf(v3).length > 100);
  }
  assert.ok(openapiProtobuf(v2).length > 10_000);
});
