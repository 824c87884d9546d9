/** A custom resource's own schema, as its definition gives it, and the walks over it that upstream's structural schemas have. */
import { isObject, setOwn, type Json } from "../../base/json.ts";
import { copyJson } from "../../base/json-codec.ts";
import { decode } from "../../schema/decode.ts";
import { ObjectMeta } from "../../kinds/meta/objectmeta.ts";

/** `JSONSchemaProps` as it is stored. */
export type Schema = {
  readonly type?: string;
  readonly format?: string;
  readonly description?: string;
  readonly properties?: { readonly [name: string]: Schema };
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly enum?: readonly Json[];
  readonly default?: Json;
  readonly nullable?: boolean;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: boolean;
  readonly exclusiveMaximum?: boolean;
  readonly multipleOf?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly uniqueItems?: boolean;
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly not?: Schema;
  readonly "x-kubernetes-preserve-unknown-fields"?: boolean;
  readonly "x-kubernetes-embedded-resource"?: boolean;
  readonly "x-kubernetes-int-or-string"?: boolean;
  readonly "x-kubernetes-list-type"?: string;
  readonly "x-kubernetes-list-map-keys"?: readonly string[];
  readonly "x-kubernetes-map-type"?: string;
  readonly "x-kubernetes-validations"?: readonly Json[];
};

export const preserves = (schema: Schema): boolean => schema["x-kubernetes-preserve-unknown-fields"] === true;
const isEmbedded = (schema: Schema): boolean => schema["x-kubernetes-embedded-resource"] === true;
const typeMeta: ReadonlySet<string> = new Set(["apiVersion", "kind", "metadata"]);
const at = (path: string, name: string): string => (path === "" ? name : `${path}.${name}`);
const own = <T>(map: { readonly [name: string]: T } | undefined, name: string): T | undefined => (map !== undefined && Object.hasOwn(map, name) ? map[name] : undefined);

/** A private copy without what the schema does not know; the paths of what went are added to `unknown`. */
export function prune(schema: Schema, value: Json, path: string, unknown: string[]): any {
  if (Array.isArray(value)) return value.map((item, i) => (schema.items === undefined ? (preserves(schema) ? copyJson(item) : pruneUntyped(item)) : prune(schema.items, item, `${path}[${i}]`, unknown)));
  if (!isObject(value)) return value;
  const kept: { [name: string]: any } = {};
  for (const [name, item] of Object.entries(value)) {
    const here = at(path, name);
    if (isEmbedded(schema) && typeMeta.has(name)) setOwn(kept, name, name === "metadata" ? coerceMeta(item, here, unknown) : item);
    else {
      const field = own(schema.properties, name);
      if (field !== undefined) setOwn(kept, name, prune(field, item, here, unknown));
      else if (isObject(schema.additionalProperties)) setOwn(kept, name, prune(schema.additionalProperties as Schema, item, here, unknown));
      else if (schema.additionalProperties === true || preserves(schema)) setOwn(kept, name, copyJson(item));
      else unknown.push(here);
    }
  }
  return kept;
}
/** A list whose items have no schema keeps scalars and nothing inside objects. */
const pruneUntyped = (item: Json): any => (isObject(item) ? {} : copyJson(item));

/** ObjectMeta of an embedded object, as its type reads it. */
export function coerceMeta(value: Json, path: string, unknown: string[]): any {
  const decoded = decode(ObjectMeta.node, isObject(value) ? value : {});
  unknown.push(...decoded.unknown.map(name => at(path, name)));
  return decoded.object;
}

/** Fills in defaults; nulls where null is not allowed make room for them, or go. Changes `value`. */
export function setDefaults(schema: Schema, value: any): void {
  if (Array.isArray(value)) {
    if (schema.items !== undefined) for (const item of value) setDefaults(schema.items, item);
    return;
  }
  if (!isObject(value)) return;
  const object = value as { [name: string]: any };
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    const given = Object.hasOwn(object, name) ? object[name] : undefined;
    if (given === undefined || (given === null && field.nullable !== true)) {
      if (field.default !== undefined) setOwn(object, name, copyJson(field.default));
      else if (given === null) delete object[name];
    }
    if (Object.hasOwn(object, name)) setDefaults(field, object[name]);
  }
  if (isObject(schema.additionalProperties)) {
    const items = schema.additionalProperties as Schema;
    for (const name of Object.keys(object)) {
      if (own(schema.properties, name) !== undefined) continue;
      if (object[name] === null && items.nullable !== true && items.default !== undefined) setOwn(object, name, copyJson(items.default));
      setDefaults(items, object[name]);
    }
  }
}
