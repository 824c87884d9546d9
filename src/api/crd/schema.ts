/** A custom resource's own schema, as its definition gives it, and the walks over it that upstream's structural schemas have. */
import { isObject, setOwn, type Json } from "../../base/json.ts";
import { copyJson } from "../../base/json-codec.ts";
import { decode, DecodeError } from "../../schema/decode.ts";
import { invalidValue, problemBody } from "../../schema/problem.ts";
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

/** Where an object comes from. */
export type Form = "sent" | "applied" | "stored";

/**
 * A private copy without what the schema does not know; the paths of what went are added to `unknown`.
 * Nulls where null is not allowed go unless a default is to take their place. `form`: in what is stored, objects inside that do not say what they
 * are are let be, otherwise they throw a DecodeError; what an apply has made keeps its nulls, for upstream decodes no text there.
 */
export function prune(schema: Schema, value: Json, path: string, unknown: string[], form: Form = "stored"): any {
  if (Array.isArray(value)) return value.map((item, i) => (schema.items === undefined ? (preserves(schema) ? copyJson(item) : pruneUntyped(item, `${path}[${i}]`, unknown)) : prune(schema.items, item, `${path}[${i}]`, unknown, form)));
  if (!isObject(value)) return value;
  const kept: { [name: string]: any } = {};
  for (const [name, item] of Object.entries(value)) {
    const here = at(path, name);
    if (isEmbedded(schema) && typeMeta.has(name)) setOwn(kept, name, form !== "stored" ? embedded(name, item, here, unknown, form) : name === "metadata" ? coerceMeta(isObject(item) ? item : {}, here, unknown) : item);
    else {
      const field = own(schema.properties, name);
      const known = field ?? (isObject(schema.additionalProperties) ? schema.additionalProperties as Schema : undefined);
      if (item === null && known !== undefined && known.nullable !== true && known.default === undefined && form !== "applied") continue;
      if (field !== undefined) setOwn(kept, name, prune(field, item, here, unknown, form));
      else if (isObject(schema.additionalProperties)) setOwn(kept, name, prune(schema.additionalProperties as Schema, item, here, unknown, form));
      else if (preserves(schema)) setOwn(kept, name, copyJson(item));
      else if (schema.additionalProperties === true) setOwn(kept, name, pruneUntyped(item, here, unknown));
      else unknown.push(here);
    }
  }
  return kept;
}
/** What has no schema keeps scalars and nothing inside objects. */
function pruneUntyped(item: Json, path: string, unknown: string[]): any {
  if (Array.isArray(item)) return item.map((each, i) => pruneUntyped(each, `${path}[${i}]`, unknown));
  if (!isObject(item)) return item;
  for (const name of Object.keys(item)) unknown.push(at(path, name));
  return {};
}

function embedded(name: string, item: Json, path: string, unknown: string[], form: Form): Json {
  const refuse = (why: string): never => { throw new DecodeError(`${path}: ${problemBody(invalidValue(path, item, why))}`); };
  if (name !== "metadata") return typeof item === "string" || (item === null && form === "applied") ? item : refuse("must be a string");
  try {
    return coerceMeta(item ?? {}, path, unknown);
  } catch (error) {
    if (error instanceof DecodeError) return refuse(error.message);
    throw error;
  }
}

/** ObjectMeta of an embedded object, as its type reads it. */
export function coerceMeta(value: Json, path: string, unknown: string[]): any {
  const decoded = decode(ObjectMeta.node, value);
  unknown.push(...decoded.unknown.map(name => at(path, name)));
  return decoded.object;
}

/** Fills in defaults; nulls where null is not allowed make room for them. Changes `value`. */
export function setDefaults(schema: Schema, value: any): void {
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items !== undefined) value.forEach((item, i) => {
      if (item === null && items.nullable !== true && items.default !== undefined) value[i] = copyJson(items.default);
      setDefaults(items, value[i]);
    });
    return;
  }
  if (!isObject(value)) return;
  const object = value as { [name: string]: any };
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    const given = Object.hasOwn(object, name) ? object[name] : undefined;
    if (given === undefined || (given === null && field.nullable !== true)) {
      if (field.default !== undefined) setOwn(object, name, copyJson(field.default));
    }
    if (Object.hasOwn(object, name)) setDefaults(field, object[name]);
  }
  if (isObject(schema.additionalProperties)) {
    const items = schema.additionalProperties as Schema;
    for (const name of Object.keys(object)) {
      if (own(schema.properties, name) !== undefined) continue;
      if (object[name] === null && items.nullable !== true && items.default !== undefined) setOwn(object, name, copyJson(items.default));
      if (Object.hasOwn(object, name)) setDefaults(items, object[name]);
    }
  }
}
