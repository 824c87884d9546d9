/**
 * Strategic merge patch: a merge patch in which the schema says how lists merge, and directives (`$patch`,
 * `$retainKeys`, `$setElementOrder/…`, `$deleteFromPrimitiveList/…`) say what JSON cannot (apimachinery
 * util/strategicpatch/patch.go, whose texts these are).
 */
import { ApiError } from "../base/api-error.ts";
import { type Json, type JsonObject, isObject, setOwn } from "../base/json.ts";
import { goFormat } from "./go-format.ts";
import { inOrder, mergeScalars, partition } from "./strategic-order.ts";
import type { Node } from "./t.ts";

const directive = "$patch", retainKeys = "$retainKeys", orderPrefix = "$setElementOrder", deletePrefix = "$deleteFromPrimitiveList";
type Building = { [key: string]: Json };
type List = readonly Json[];

/** `original` after `patch`, by the schema `node`. Neither is changed. */
export function strategicMerge(node: Node, original: JsonObject, patch: Json): JsonObject {
  if (!isObject(patch)) throw new ApiError("BadRequest", `json: cannot unmarshal ${kindOf(patch)} into Go value of type map[string]interface {}`);
  return mergeMaps(node, original, patch);
}

function badPatch(list: "primitive list" | "retainKeys" | "setElementOrder list"): ApiError {
  return new ApiError("BadRequest", `invalid patch format of ${list}`);
}

/** What upstream answers with a bare error: 500 and its text. */
function failure(text: string): ApiError {
  return new ApiError("", text, undefined, 500);
}

function noMergeKey(item: Json, mergeKey: string): ApiError {
  return failure(`map: ${goFormat(item)} does not contain declared merge key: ${mergeKey}`);
}

function mergeMaps(node: Node | undefined, original: JsonObject, patch: JsonObject): JsonObject {
  if (Object.hasOwn(patch, directive)) return mergeByDirective(patch);
  const out: Building = { ...original };
  const rest = new Map(Object.entries(patch));
  if (rest.has(retainKeys)) retain(out, rest);
  for (const [key, order] of [...rest]) {
    if (!key.startsWith(orderPrefix)) continue;
    rest.delete(key);
    mergeInOrder(node, out, rest, fieldOf(key, orderPrefix), order);
  }
  for (const [key, given] of rest) mergeField(node, out, key, given);
  return out;
}

function mergeByDirective(patch: JsonObject): JsonObject {
  const { [directive]: wanted, ...rest } = patch;
  if (wanted === "replace") return rest;
  if (wanted === "delete") return {};
  throw failure(`unknown patch type: ${goFormat(wanted!)} in map: ${goFormat(patch)}`);
}

/** Everything not named by `$retainKeys` goes; everything in the patch has to be named by it. */
function retain(out: Building, rest: Map<string, Json>): void {
  const keys = rest.get(retainKeys);
  rest.delete(retainKeys);
  if (!Array.isArray(keys)) throw badPatch("retainKeys");
  const kept = new Set(keys as List);
  for (const [key, given] of rest) {
    if (given !== null && !key.startsWith(deletePrefix) && !key.startsWith(orderPrefix) && !kept.has(key)) throw badPatch("retainKeys");
  }
  for (const key of Object.keys(out)) if (!kept.has(key)) delete out[key];
}

/** `$setElementOrder/ports` → `ports`. */
function fieldOf(key: string, prefix: string): string {
  const slash = key.indexOf("/");
  if (slash < 0 || key.slice(0, slash) !== prefix) throw badPatch(prefix === orderPrefix ? "setElementOrder list" : "primitive list");
  return key.slice(slash + 1);
}

function mergeField(node: Node | undefined, out: Building, givenKey: string, given: Json): void {
  const deletes = givenKey.startsWith(deletePrefix);
  const key = deletes ? fieldOf(givenKey, deletePrefix) : givenKey;
  if (given === null) { delete out[key]; return; }
  const was = Object.hasOwn(out, key) ? out[key] : undefined;
  if (was === undefined || kindOf(was) !== kindOf(given)) {
    if (!deletes) put(out, key, withoutDirectives(withoutNulls(given)));
    return;
  }
  if (isObject(was) && isObject(given)) {
    const field = memberOf(node, key);
    setOwn(out, key, strategyOf(field) === "replace" ? given : mergeMaps(field, was, given));
  } else if (Array.isArray(was) && Array.isArray(given)) {
    const field = listOf(node, key);
    const merges = strategyOf(field) === "merge" || deletes;
    setOwn(out, key, merges ? mergeLists(field, was as List, given as List, deletes) : given);
  } else {
    setOwn(out, key, given);
  }
}

function put(out: Building, key: string, value: Json | undefined): void {
  if (value === undefined) delete out[key];
  else setOwn(out, key, value);
}

/** Merges a list and puts the result in the order that the patch asks for; items only the server has keep their places. */
function mergeInOrder(node: Node | undefined, out: Building, rest: Map<string, Json>, key: string, order: Json): void {
  const wanted = listFrom(order);
  const had = Object.hasOwn(out, key) && out[key] !== null ? listFrom(out[key]!) : undefined;
  const given = rest.has(key) ? listFrom(rest.get(key)!) : undefined;
  const field = listOf(node, key);
  const mergeKey = field?.patchMergeKey ?? "";
  checkOrder(given ?? [], wanted, mergeKey);
  if (had === undefined && given === undefined) return;
  const merged = had === undefined ? (withoutDirectives(given!) as List) : given === undefined ? had : strategyOf(field) === "merge" ? mergeLists(field, had, given, false) : given;
  const isMaps = elementKind(had ?? [], given ?? []) === "object";
  const keyOf = isMaps ? keyReader(mergeKey) : same;
  const [mine, servers] = partition(merged, wanted, mergeKey === "" ? same : keyReader(mergeKey), mergeKey === "" ? same : looseKeyReader(mergeKey));
  setOwn(out, key, inOrder(mine, servers, wanted, isMaps ? placesAfter(had ?? [], given ?? [], mergeKey) : had ?? [], keyOf));
  rest.delete(key);
}

/** Quirk: new items take the places of deleted ones in the server's order, because Go's slices share memory there. See strategicpatch/patch.go, mergePatchIntoOriginal. */
function placesAfter(had: List, given: List, mergeKey: string): List {
  const deleted = (given as readonly JsonObject[]).filter(item => item[directive] === "delete").map(item => item[mergeKey]);
  if (deleted.length === 0 || (given as readonly JsonObject[]).some(item => item[directive] === "replace")) return had;
  const loose = looseKeyReader(mergeKey), left = had.filter(item => !deleted.includes(loose(item)!)), known = new Set(left.map(loose));
  const added = given.filter(item => !Object.hasOwn(item as JsonObject, directive) && !known.has(loose(item)));
  return [...left, ...added.slice(0, had.length - left.length)];
}

function same(value: Json): Json {
  return value;
}

function listFrom(value: Json): List {
  if (!Array.isArray(value)) throw failure(`expected a []interface {}, but received a ${goType(value)}`);
  return value as List;
}

/** The patch's items must all be in `$setElementOrder`, in the same order. */
function checkOrder(given: List, wanted: List, mergeKey: string): void {
  if (given.length === 0 || wanted.length === 0) return;
  const keyOf = mergeKey === "" ? same : keyReader(mergeKey);
  let at = 0, order = 0;
  while (at < given.length && order < wanted.length) {
    const item = given[at]!;
    if (isObject(item) && Object.hasOwn(item, directive)) { at++; continue; }
    if (keyOf(item) === keyOf(wanted[order]!)) at++;
    order++;
  }
  while (at < given.length && isObject(given[at]!) && (given[at] as JsonObject)[directive] === "delete") at++;
  if (at < given.length) throw failure(`The order in patch list:\n${goFormat(given)}\n doesn't match ${orderPrefix} list:\n${goFormat(wanted)}\n`);
}

function mergeLists(field: Node | undefined, was: List, given: List, deletes: boolean): List {
  if (was.length === 0 && given.length === 0) return was;
  if (elementKind(was, given) !== "object") {
    if (!deletes) return mergeScalars(was, given);
    const gone = new Set(given);
    return was.filter(item => !gone.has(item));
  }
  const mergeKey = field?.patchMergeKey ?? "";
  if (mergeKey === "") throw failure("cannot merge lists without merge key for struct");
  const [original, patch] = applySpecial(was, given, mergeKey);
  const keyOf = keyReader(mergeKey), loose = looseKeyReader(mergeKey);
  const merged = [...original];
  const at = new Map<Json | undefined, number>();
  for (let i = merged.length - 1; i >= 0; i--) at.set(loose(merged[i]!), i);
  for (const item of patch) {
    const key = keyOf(item);
    const found = at.get(key);
    if (found === undefined) at.set(key, merged.push(item) - 1);
    else merged[found] = mergeMaps(field?.items, merged[found] as JsonObject, item as JsonObject);
  }
  const [mine, servers] = partition(merged, patch, keyOf, keyOf);
  return inOrder(mine, servers, patch, original, keyOf);
}

/** Items with `$patch` delete their namesakes or replace the whole list; what is left of both lists. */
function applySpecial(was: List, given: List, mergeKey: string): readonly [List, List] {
  let original = was, replaces = false;
  const patch: Json[] = [];
  for (const item of given as readonly JsonObject[]) {
    if (!Object.hasOwn(item, directive)) { patch.push(item); continue; }
    const wanted = item[directive];
    if (wanted === "replace") replaces = true;
    else if (wanted === "merge") throw failure("merging lists cannot yet be specified in the patch");
    else if (wanted !== "delete") throw failure(`unknown patch type: ${goFormat(wanted!)} in map: ${goFormat(item)}`);
    else {
      if (!Object.hasOwn(item, mergeKey)) throw noMergeKey(item, mergeKey);
      const loose = looseKeyReader(mergeKey);
      original = original.filter(other => loose(other) !== item[mergeKey]);
    }
  }
  return replaces ? [patch, []] : [original, patch];
}

function keyReader(mergeKey: string): (item: Json) => Json {
  return item => {
    if (!isObject(item)) throw failure(`expected a map[string]interface {}, but received a ${goType(item)}`);
    if (!Object.hasOwn(item, mergeKey)) throw noMergeKey(item, mergeKey);
    return item[mergeKey]!;
  };
}

/** For lists of ours: an item without the key matches nothing. */
function looseKeyReader(mergeKey: string): (item: Json) => Json | undefined {
  return item => (isObject(item) && Object.hasOwn(item, mergeKey) ? item[mergeKey] : undefined);
}

function elementKind(...lists: readonly List[]): string {
  let kind: string | undefined;
  for (const item of lists.flat()) {
    const found = kindOf(item as Json);
    if (kind === undefined && found === "array") throw new ApiError("Invalid", "the server rejected our request due to an error in our request", {}, 422);
    if (kind !== undefined && kind !== found) throw failure(`list element types are not identical: ${goFormat(lists)}`);
    kind = found;
  }
  if (kind === undefined) throw failure("no elements in any of the given slices");
  return kind;
}

/** A copy without anything marked by `$patch`; `undefined` if it is itself. */
function withoutDirectives(value: Json): Json | undefined {
  if (Array.isArray(value)) return (value as List).flatMap(item => withoutDirectives(item) ?? (item === null ? [null] : []));
  if (!isObject(value)) return value;
  if (Object.hasOwn(value, directive)) return undefined;
  return Object.fromEntries(Object.entries(value).flatMap(([key, below]) => {
    const kept = withoutDirectives(below);
    return kept === undefined ? [] : [[key, kept]];
  }));
}

function withoutNulls(value: Json): Json {
  if (Array.isArray(value)) return (value as List).map(withoutNulls);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([, below]) => below !== null).map(([key, below]) => [key, withoutNulls(below)]));
}

function kindOf(value: Json): string {
  return Array.isArray(value) ? "array" : value === null ? "null" : typeof value === "boolean" ? "bool" : typeof value === "bigint" ? "number" : typeof value;
}

function goType(value: Json): string {
  const types: { readonly [kind: string]: string } = { array: "[]interface {}", object: "map[string]interface {}", bool: "bool", number: "int64", null: "%!s(<nil>)" };
  return types[kindOf(value)] ?? "string";
}

function memberOf(node: Node | undefined, key: string): Node | undefined {
  if (node === undefined) return undefined;
  if (node.kind === "map") return node.items;
  const field = node.fields !== undefined && Object.hasOwn(node.fields, key) ? node.fields[key] : undefined;
  if (field === undefined) throw failure(`unable to find api field in struct ${node.ref?.split(".").at(-1) ?? ""} for the json field ${JSON.stringify(key)}`);
  return field;
}

function listOf(node: Node | undefined, key: string): Node | undefined {
  const field = memberOf(node, key);
  if (field !== undefined && field.kind !== "list") throw failure(`expected slice or array type, but got: ${field.kind === "object" ? "struct" : field.kind}`);
  return field;
}

/** The part of a field's strategy that is not about keys to retain: those come with the patch. */
function strategyOf(field: Node | undefined): string {
  return field?.patchStrategy?.split(",").find(strategy => strategy !== "retainKeys") ?? "";
}
