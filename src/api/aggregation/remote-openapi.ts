/** Other API servers' OpenAPI v2 documents put into ours (kube-openapi pkg/aggregator). */
import { isObject, sameJson, type Json, type JsonObject } from "../../base/json.ts";

const definitionPrefix = "#/definitions/";
const parameterPrefix = "#/parameters/";

/** Only what lies under this path, and the definitions and parameters that it uses. */
export function onlyPaths(document: JsonObject, prefix: string): JsonObject {
  const paths = Object.entries(objectOf(document.paths)).filter(([path]) => path.startsWith(prefix));
  const [definitions, parameters] = [objectOf(document.definitions), objectOf(document.parameters)];
  const used = new Set<string>();
  const waiting: Json[] = paths.map(([, item]) => item);
  while (waiting.length > 0) {
    for (const reference of referencesIn(waiting.pop()!)) {
      if (used.has(reference)) continue;
      used.add(reference);
      const next = reference.startsWith(definitionPrefix) ? definitions[reference.slice(definitionPrefix.length)] : reference.startsWith(parameterPrefix) ? parameters[reference.slice(parameterPrefix.length)] : undefined;
      if (next !== undefined) waiting.push(next);
    }
  }
  const kept = (all: JsonObject, at: string): JsonObject => Object.fromEntries(Object.entries(all).filter(([name]) => used.has(at + name)));
  return { paths: Object.fromEntries(paths), definitions: kept(definitions, definitionPrefix), parameters: kept(parameters, parameterPrefix) };
}

/** Ours with the others' paths. A definition that differs from one of the same name gets another name; a path that is there already stays as it is. */
export function mergeDocuments(ours: JsonObject, others: readonly JsonObject[]): JsonObject {
  const paths = new Map(Object.entries(objectOf(ours.paths)));
  const definitions = new Map(Object.entries(objectOf(ours.definitions)));
  const parameters = new Map(Object.entries(objectOf(ours.parameters)));
  for (const other of others) {
    const renamed = new Map([...renamesFor(objectOf(other.definitions), definitions, definitionPrefix), ...renamesFor(objectOf(other.parameters), parameters, parameterPrefix)]);
    const add = (all: Map<string, Json>, from: JsonObject, at: string): void => {
      for (const [name, value] of Object.entries(from)) {
        const to = renamed.get(at + name)?.slice(at.length) ?? name;
        if (!all.has(to)) all.set(to, withReferences(value, renamed));
      }
    };
    add(definitions, objectOf(other.definitions), definitionPrefix);
    add(parameters, objectOf(other.parameters), parameterPrefix);
    for (const [path, item] of Object.entries(objectOf(other.paths))) if (!paths.has(path)) paths.set(path, withReferences(item, renamed));
  }
  const sorted = (all: Map<string, Json>): JsonObject => Object.fromEntries([...all].sort(([a], [b]) => (a < b ? -1 : 1)));
  return { ...ours, paths: sorted(paths), definitions: sorted(definitions), parameters: sorted(parameters) };
}

function renamesFor(theirs: JsonObject, ours: ReadonlyMap<string, Json>, at: string): readonly (readonly [string, string])[] {
  const renames: (readonly [string, string])[] = [];
  for (const [name, value] of Object.entries(theirs)) {
    const there = ours.get(name);
    if (there === undefined || sameType(there, value)) continue;
    let number = 2;
    // The same type was renamed before: of another version of the same server, usually.
    const mayBe = (to: string): boolean => (ours.has(to) ? sameType(ours.get(to)!, value) : !Object.hasOwn(theirs, to));
    while (!mayBe(`${name}_v${number}`)) number++;
    renames.push([at + name, `${at}${name}_v${number}`]);
  }
  return renames;
}

/** The list of kinds that a shared type stands for differs from server to server; upstream unites it. */
function sameType(a: Json, b: Json): boolean {
  const bare = (value: Json): Json => {
    if (!isObject(value)) return value;
    const { "x-kubernetes-group-version-kind": _, ...rest } = value;
    return rest;
  };
  return sameJson(bare(a), bare(b));
}

function objectOf(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}

function* referencesIn(value: Json): Iterable<string> {
  const waiting: Json[] = [value];
  while (waiting.length > 0) {
    const next = waiting.pop()!;
    if (Array.isArray(next)) waiting.push(...next);
    else if (isObject(next)) for (const [key, each] of Object.entries(next)) if (key === "$ref" && typeof each === "string") yield each;
    else waiting.push(each);
  }
}

function withReferences(value: Json, renamed: ReadonlyMap<string, string>): Json {
  if (renamed.size === 0) return value;
  if (Array.isArray(value)) return value.map(each => withReferences(each, renamed));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, key === "$ref" && typeof each === "string" ? (renamed.get(each) ?? each) : withReferences(each, renamed)]));
}
