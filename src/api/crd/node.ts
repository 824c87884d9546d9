/** A custom resource's schema as the nodes that built-in kinds have, for server-side apply, strict decoding and CEL. */
import { ObjectMeta } from "../../kinds/meta/objectmeta.ts";
import * as t from "../../schema/t.ts";
import { isObject } from "../../base/json.ts";
import type { Schema } from "./schema.ts";

/** Nested deeper than this, a schema is taken as anything. */
const depthMax = 100;

export function nodeOf(schema: Schema, depth = 0): t.Node {
  const common = { ...(schema.nullable === true ? { nullable: true } : {}), ...(schema.default === undefined ? {} : { default: schema.default }), ...(schema.description === undefined ? {} : { doc: schema.description }) };
  if (depth > depthMax) return { kind: "any", ...common };
  if (schema["x-kubernetes-int-or-string"] === true) return { kind: "string", format: "int-or-string", ...common };
  switch (schema.type) {
    case "string": return { kind: "string", ...((schema.format ?? "") === "" || schema.format === "byte" ? {} : { untyped: true }), ...common };
    case "integer": return { kind: "integer", format: "int64", ...common };
    case "number": return { kind: "number", format: "double", ...common };
    case "boolean": return { kind: "boolean", ...common };
    case "array": return { kind: "list", items: schema.items === undefined ? { kind: "any" } : nodeOf(schema.items, depth + 1), list: listOf(schema), ...common };
    case "object": return { ...objectOf(schema, depth), ...common };
    default: return { kind: "any", ...common };
  }
}

function listOf(schema: Schema): t.ListType {
  switch (schema["x-kubernetes-list-type"]) {
    case "set": return { type: "set" };
    case "map": return { type: "map", keys: schema["x-kubernetes-list-map-keys"] ?? [] };
    default: return { type: "atomic" };
  }
}

function objectOf(schema: Schema, depth: number): t.Node {
  const atomic = schema["x-kubernetes-map-type"] === "atomic" ? { atomic: true } : {};
  const open = schema["x-kubernetes-preserve-unknown-fields"] === true || schema.additionalProperties === true ? { preserveUnknown: true } : {};
  if (schema.properties === undefined && isObject(schema.additionalProperties)) return { kind: "map", items: nodeOf(schema.additionalProperties as Schema, depth + 1), ...atomic };
  const embedded = schema["x-kubernetes-embedded-resource"] === true ? { apiVersion: t.string().node, kind: t.string().node, metadata: ObjectMeta.node } : {};
  const fields = Object.fromEntries(Object.entries(schema.properties ?? {}).map(([name, field]) => [name, nodeOf(field, depth + 1)]));
  const needed = new Set(schema.required ?? []);
  for (const name of needed) if (Object.hasOwn(fields, name)) fields[name] = { ...fields[name]!, presence: "required" };
  return { kind: "object", fields: { ...fields, ...embedded }, ...open, ...atomic };
}

/** Documented as upstream does where its own tests read it. */
const typeFields = {
  apiVersion: t.string().doc("APIVersion defines the version of the schema that this object is written in.").node,
  kind: t.string().doc("Kind names the resource that this object represents.").node,
  metadata: ObjectMeta.doc("Standard object's metadata.").node,
};

/** The whole object's node. `custom` does what Go's types do for built-in kinds. */
export function rootNode(schema: Schema, definition: string, custom: NonNullable<t.Node["custom"]>): t.Node {
  const { apiVersion: _a, kind: _k, metadata: _m, ...properties } = schema.properties ?? {};
  const inner = objectOf({ ...schema, properties }, 0);
  return { ...inner, kind: "object", ref: definition, custom, fields: { ...typeFields, ...inner.fields } };
}
