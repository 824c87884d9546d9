/** What schemas of custom resources ask for beyond OpenAPI: keys of lists, and objects inside (apiextensions pkg/apiserver/schema/listtype, …/objectmeta). */
import { getOwn, isObject, type Json, type JsonObject } from "../../base/json.ts";
import { stringifyJson } from "../../base/json-codec.ts";
import { validateObjectMeta } from "../../kinds/meta/rules.ts";
import { DecodeError } from "../../schema/decode.ts";
import { dns1035Label } from "../../schema/grammar.ts";
import { duplicate, invalidValue, type Problem, required } from "../../schema/problem.ts";
import { coerceMeta, type Schema } from "./schema.ts";

/** Items that are there twice in sets and maps. */
export function* listProblems(schema: Schema, value: Json, path: string): Iterable<Problem> {
  if (Array.isArray(value)) {
    const list: readonly Json[] = value;
    if (schema["x-kubernetes-list-type"] === "set") for (const i of repeated(list)) yield duplicate(`${path}[${i}]`, list[i]);
    if (schema["x-kubernetes-list-type"] === "map") yield* mapProblems(schema["x-kubernetes-list-map-keys"] ?? [], list, path);
    if (schema.items !== undefined) for (const [i, item] of list.entries()) yield* listProblems(schema.items, item, `${path}[${i}]`);
  } else if (isObject(value)) {
    for (const [name, item] of Object.entries(value)) {
      const field = schema.properties === undefined ? undefined : getOwn(schema.properties, name);
      if (isObject(schema.additionalProperties)) yield* listProblems(schema.additionalProperties as Schema, item, `${path}[${name}]`);
      if (field !== undefined) yield* listProblems(field, item, path === "" ? name : `${path}.${name}`);
    }
  }
}

function* mapProblems(keys: readonly string[], list: readonly Json[], path: string): Iterable<Problem> {
  const stray = list.findIndex(item => item !== null && !isObject(item));
  if (stray >= 0) return void (yield invalidValue(`${path}[${stray}]`, list[stray], "must be an object for an array of list-type map"));
  const identities = list.map((item): JsonObject => Object.fromEntries([...keys].sort().flatMap(key => {
    const value = isObject(item) ? getOwn(item, key) : undefined;
    return value === undefined ? [] : [[key, value]];
  })));
  for (const i of repeated(identities)) yield duplicate(`${path}[${i}]`, identities[i]);
}

/** Places at which something stands for the second time; for the third time it is not told again. */
function repeated(list: readonly Json[]): readonly number[] {
  const seen = new Map<string, number>();
  return [...list.keys()].filter(i => {
    const identity = stringifyJson(list[i]!), times = (seen.get(identity) ?? 0) + 1;
    seen.set(identity, times);
    return times === 2;
  });
}

/** Objects inside must say what they are, and have metadata as objects have it. */
export function* embeddedProblems(schema: Schema, value: Json, path: string): Iterable<Problem> {
  if (Array.isArray(value)) {
    if (schema.items !== undefined) for (const [i, item] of (value as readonly Json[]).entries()) yield* embeddedProblems(schema.items, item, `${path}[${i}]`);
    return;
  }
  if (!isObject(value)) return;
  if (schema["x-kubernetes-embedded-resource"] === true) yield* objectProblems(value, path);
  for (const [name, item] of Object.entries(value)) {
    const field = schema.properties === undefined ? undefined : getOwn(schema.properties, name);
    if (field !== undefined) yield* embeddedProblems(field, item, path === "" ? name : `${path}.${name}`);
    else if (isObject(schema.additionalProperties)) yield* embeddedProblems(schema.additionalProperties as Schema, item, `${path}[${name}]`);
  }
}

function* objectProblems(object: JsonObject, path: string): Iterable<Problem> {
  const [apiVersion, kind, metadata] = [getOwn(object, "apiVersion"), getOwn(object, "kind"), getOwn(object, "metadata")];
  if (apiVersion === undefined) yield required(`${path}.apiVersion`);
  else if (typeof apiVersion !== "string") yield invalidValue(`${path}.apiVersion`, apiVersion, "must be a string");
  else if (apiVersion === "") yield invalidValue(`${path}.apiVersion`, apiVersion, "must not be empty");
  else if (apiVersion.split("/").length > 2) yield invalidValue(`${path}.apiVersion`, apiVersion, `unexpected GroupVersion string: ${apiVersion}`);
  if (kind === undefined) yield required(`${path}.kind`);
  else if (typeof kind !== "string") yield invalidValue(`${path}.kind`, kind, "must be a string");
  else if (kind === "") yield invalidValue(`${path}.kind`, kind, "must not be empty");
  else if (dns1035Label(kind.toLowerCase()).length > 0) yield invalidValue(`${path}.kind`, kind, `may have mixed case, but should otherwise match: ${dns1035Label(kind.toLowerCase()).join(",")}`);
  if (metadata !== undefined && metadata !== null) yield* metaProblems(metadata, `${path}.metadata`);
}

function* metaProblems(metadata: Json, path: string): Iterable<Problem> {
  try {
    const meta = coerceMeta(metadata, "", []);
    yield* validateObjectMeta({ namespaced: (meta.namespace ?? "") !== "", nameGrammar: "path-segment" }, { ...meta, name: (meta.name ?? "") === "" ? "fakename" : meta.name }).map(problem => ({ ...problem, field: problem.field.replace(/^metadata/, path) }));
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    yield invalidValue(path, metadata, error.message);
  }
}
