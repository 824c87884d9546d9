/** A custom resource's schema as CEL's types (apiserver pkg/cel/common/schemas.go). */
import { isObject } from "../../base/json.ts";
import { type Decl, boolDecl, doubleDecl, intDecl, intOrStringDecl, listDecl, mapDecl, objectDecl, requestMax, textDecl } from "../../schema/cel/data.ts";
import type { Schema } from "./schema.ts";

const textMax = requestMax - 2;

/** `undefined`: expressions cannot see it. `root`: a whole resource, which has a name whatever the schema says. */
export function declOf(schema: Schema, name: string, root = schema["x-kubernetes-embedded-resource"] === true): Decl | undefined {
  const decl = bareDecl(schema, name, root);
  return decl === undefined || schema.nullable !== true ? decl : { ...decl, nullable: true };
}

function bareDecl(schema: Schema, name: string, root: boolean): Decl | undefined {
  if (schema["x-kubernetes-int-or-string"] === true) return intOrStringDecl(schema.maxLength === undefined ? textMax : schema.maxLength * 4);
  switch (schema.type) {
    case "boolean": return boolDecl;
    case "integer": return intDecl;
    case "number": return doubleDecl;
    case "string": return textDecl(schema.format, longestText(schema));
    case "array": {
      const item = schema.items === undefined ? undefined : declOf(schema.items, `${name}.@idx`);
      const kind = schema["x-kubernetes-list-type"];
      return item && listDecl(item, kind === "set" ? "set" : kind === "map" ? (schema["x-kubernetes-list-map-keys"] ?? []) : undefined, schema.maxItems);
    }
    case "object": return objectDeclOf(schema, name, root);
    default: return undefined;
  }
}

function longestText({ maxLength, format, enum: values }: Schema): number {
  if (maxLength !== undefined) return format === "byte" ? maxLength : maxLength * 4;
  return values === undefined || values.length === 0 || format === "byte" ? textMax : Math.max(...values.map(value => (typeof value === "string" ? new TextEncoder().encode(value).length : 0)));
}

const meta: Schema = { type: "object", properties: { name: { type: "string" }, generateName: { type: "string" } } };

function objectDeclOf(schema: Schema, name: string, root: boolean): Decl | undefined {
  if (isObject(schema.additionalProperties)) {
    const item = declOf(schema.additionalProperties as Schema, `${name}.@elem`);
    return item && mapDecl(item, schema.maxProperties);
  }
  const properties = root ? { ...schema.properties, kind: { type: "string" }, apiVersion: { type: "string" }, metadata: metaOf(schema) } : (schema.properties ?? {});
  const fields = new Map<string, Decl>();
  for (const [field, each] of Object.entries(properties)) {
    const decl = declOf(each, `${name}.${field}`);
    if (decl !== undefined) fields.set(field, decl);
  }
  return objectDecl(name, fields, new Set((schema.required ?? []).filter(field => properties[field]?.default === undefined && fields.has(field))));
}
/** What the schema says of metadata stands if it says that names are texts. */
function metaOf({ properties }: Schema): Schema {
  const said = properties?.["metadata"];
  return said?.properties?.["name"]?.type === "string" && said.properties["generateName"]?.type === "string" ? said : meta;
}
