/** Which fields an object has, and which of them differ from another's: what ownership is made of. */
import { type Json, type JsonObject, isObject, sameJson } from "../base/json.ts";
import { type FieldSet, compareValues, jsonOf, leaf } from "./apply-field-set.ts";
import { type ListShape, type MapShape, type Shape, deduced, fitting } from "./apply-shape.ts";

type Building = { [element: string]: FieldSet };
export const openMap: MapShape = { type: "map", atomic: false, fields: new Map(), ordered: [], item: deduced };

/** An item of a list has nothing to tell it apart by: upstream's typed reading fails, and then nobody owns anything (fieldmanager.go UpdateNoErrors). */
export class Untyped extends Error {
  override name = "Untyped";
}

/** Whether absent fields are read as Go's structs have them, or objects are compared as they are written, as what an apply makes of them is. */
export type Reading = "typed" | "written";

/**
 * The paths that `after` has and `before` lacks, and, if `modified`, those whose values differ (structured-merge-diff
 * typed/compare.go). Called with the two exchanged and `modified` false it gives the paths that were removed.
 * `undefined` is an absent value; the result is `undefined` when there is nothing to say.
 */
export function compare(shape: Shape, before: Json | undefined, after: Json | undefined, modified: boolean, reading: Reading): FieldSet | undefined {
  if (after === undefined || before === after) return undefined;
  if (before === undefined) return added(shape, after, reading);
  if (shape.type === "scalar" && typeof after !== "object") return modified && before !== after ? leaf : undefined;
  const fits = fitting(shape, after);
  if (fits !== fitting(shape, before)) return compareForms(before, after, modified, reading);
  switch (fits.type) {
    case "map": return fits.atomic ? compareLeaves(before, after, modified) : compareMaps(fits, before, after, modified, reading);
    case "list": return fits.mode === "atomic" ? compareLeaves(before, after, modified) : compareLists(fits, before, after, modified, reading);
    case "scalar": return compareLeaves(before, after, modified);
    case "deduced": return compareForms(before, after, modified, reading);
  }
}

/** The paths of a value that was not there before: itself and everything in it. */
export function added(shape: Shape, value: Json, reading: Reading): FieldSet {
  if (typeof value !== "object" || value === null) return leaf;
  const fits = fitting(shape, value);
  if (fits.type === "map") return fits.atomic ? leaf : addedFields(fits, value as JsonObject, reading, { ".": leaf });
  if (fits.type === "list") return fits.mode === "atomic" ? leaf : addedItems(fits, value as readonly Json[], reading);
  return isObject(value) ? addedFields(openMap, value, reading, { ".": leaf }) : leaf;
}

function addedFields(shape: MapShape, value: JsonObject, reading: Reading, out: Building): FieldSet {
  let size = 0;
  if (shape.item === undefined) {
    for (const field of shape.ordered) {
      const given = reading === "typed" ? field.of(value) : field.written(value);
      if (given === undefined) continue;
      out[field.element] = typeof given === "object" ? added(field.shape, given, reading) : leaf;
      size++;
    }
  } else {
    for (const key of Object.keys(value).sort()) {
      const field = shape.fields.get(key);
      const given = field !== undefined && reading === "typed" ? field.of(value) : value[key];
      if (given === undefined) continue;
      out[field?.element ?? `f:${key}`] = added(field?.shape ?? shape.item, given, reading);
      size++;
    }
  }
  return size > 0 ? out : leaf;
}

function addedItems(shape: ListShape, items: readonly Json[], reading: Reading): FieldSet {
  const found: { element: string; value: Json }[] = [];
  for (const value of items) {
    const element = elementOf(shape, value);
    if (element !== undefined) found.push({ element, value });
    else if (reading === "typed") throw new Untyped();
  }
  if (found.length > 1) found.sort((a, b) => compareListItems(shape, a.value, b.value));
  const out: Building = { ".": leaf };
  for (const { element, value } of found) out[element] = element in out ? leaf : added(shape.item, value, reading);
  return found.length > 0 ? out : leaf;
}

function compareLeaves(before: Json, after: Json, modified: boolean): FieldSet | undefined {
  return modified && !sameJson(before, after) ? leaf : undefined;
}

/** Without a schema, or against it: two maps are compared key by key, anything else as a whole. */
function compareForms(before: Json, after: Json, modified: boolean, reading: Reading): FieldSet | undefined {
  if ((isObject(after) || (after === null && isObject(before))) && (before === null || isObject(before))) {
    return compareMaps(openMap, before, after, modified, reading);
  }
  if (!isObject(after)) return compareLeaves(before, after, modified);
  // A scalar or list became a map: it changed, and what is in the map is new.
  const below = compareMaps(openMap, null, after, false, reading);
  return !modified ? below : below === undefined ? leaf : { ".": leaf, ...below };
}

function compareMaps(shape: MapShape, before: Json, after: Json, modified: boolean, reading: Reading): FieldSet | undefined {
  const old = isObject(before) ? before : undefined;
  const now = isObject(after) ? after : undefined;
  const typed = reading === "typed";
  const out: Building = {};
  let size = 0;
  if (now !== undefined && shape.item === undefined) {
    for (const field of shape.ordered) {
      const value = typed ? field.of(now) : field.written(now);
      if (value === undefined) continue;
      const below = compare(field.shape, old === undefined ? undefined : typed ? field.of(old) : field.written(old), value, modified, reading);
      if (below !== undefined) { out[field.element] = below; size++; }
    }
  } else if (now !== undefined) {
    for (const key of Object.keys(now).sort()) {
      const field = shape.fields.get(key);
      const was = old === undefined ? undefined : field !== undefined && typed ? field.of(old) : Object.hasOwn(old, key) ? old[key] : undefined;
      const below = compare(field?.shape ?? shape.item!, was, field !== undefined && typed ? field.of(now) : now[key], modified, reading);
      if (below !== undefined) { out[`f:${key}`] = below; size++; }
    }
  }
  if (size > 0) return out;
  // Both empty: a leaf, so that null and {} stay apart.
  return modified && (before === null) !== (after === null) && isBare(before) && isBare(after) ? leaf : undefined;
}

function isBare(value: Json): boolean {
  return value === null || (typeof value === "object" && Object.keys(value).length === 0);
}

type Item = { readonly element: string; readonly value: Json; readonly below: FieldSet };

function compareLists(shape: ListShape, before: Json, after: Json, modified: boolean, reading: Reading): FieldSet | undefined {
  const old = Array.isArray(before) ? (before as readonly Json[]) : [];
  const now = Array.isArray(after) ? (after as readonly Json[]) : [];
  if (old.length === 0 && now.length === 0) return compareLeaves(before, after, modified);
  const oldItems = group(shape, old, reading), nowItems = group(shape, now, reading);
  const found: Item[] = [];
  for (const [element, items] of nowItems) {
    const below = compareItems(shape, oldItems.get(element) ?? [], items, modified, reading);
    if (below !== undefined) found.push({ element, value: items[0]!, below });
  }
  if (found.length === 0) return undefined;
  if (found.length > 1) found.sort((a, b) => compareListItems(shape, a.value, b.value));
  const out: Building = {};
  for (const { element, below } of found) out[element] = below;
  return out;
}

/** Items that share a path element are compared, and owned, as a whole. */
function compareItems(shape: ListShape, old: readonly Json[], now: readonly Json[], modified: boolean, reading: Reading): FieldSet | undefined {
  if (now.length === 1) return compare(shape.item, old.length === 1 ? old[0] : undefined, now[0], modified, reading);
  if (old.length < 2) return leaf;
  return modified && !sameJson(old, now) ? leaf : undefined;
}

function group(shape: ListShape, items: readonly Json[], reading: Reading): Map<string, Json[]> {
  const groups = new Map<string, Json[]>();
  for (const item of items) {
    const element = elementOf(shape, item);
    if (element === undefined && reading === "typed") throw new Untyped();
    if (element === undefined) continue;
    const same = groups.get(element);
    if (same === undefined) groups.set(element, [item]);
    else same.push(item);
  }
  return groups;
}

/** The path element of a list item; `undefined` if the item has nothing to tell it apart by. */
export function elementOf(shape: ListShape, item: Json): string | undefined {
  if (shape.mode === "set") return item === null || typeof item === "object" ? undefined : `v:${jsonOf(item)}`;
  if (!isObject(item)) return undefined;
  if (shape.keys.length === 1) {
    const name = shape.keys[0]!;
    const value = keyOf(shape, item, 0);
    return value === undefined ? undefined : `k:{"${name}":${jsonOf(value)}}`;
  }
  // As `keyElement`, without a list of what is told at once.
  let text = "";
  for (let at = 0; at < shape.keys.length; at++) {
    const value = keyOf(shape, item, at);
    if (value !== undefined) text += `${text === "" ? "" : ","}${JSON.stringify(shape.keys[at]!)}:${jsonOf(value)}`;
  }
  return text === "" ? undefined : `k:{${text}}`;
}

function keyOf(shape: ListShape, item: JsonObject, at: number): Json | undefined {
  const name = shape.keys[at]!;
  return Object.hasOwn(item, name) ? item[name] : shape.defaults[at];
}

export function compareListItems(shape: ListShape, a: Json, b: Json): number {
  if (shape.mode === "set") return compareValues(a, b);
  for (let at = 0; at < shape.keys.length; at++) {
    const left = keyOf(shape, a as JsonObject, at), right = keyOf(shape, b as JsonObject, at);
    if (left === right) continue;
    // An item without this key is written with its next one, which sorts later.
    if (left === undefined || right === undefined) return left === undefined ? 1 : -1;
    const order = compareValues(left, right);
    if (order !== 0) return order;
  }
  return 0;
}

/** The paths that a configuration names: its leaves, its list items and its map entries (typed/tofieldset.go). */
export function fieldsOf(shape: Shape, value: Json): FieldSet | undefined {
  const fits = fitting(shape, value);
  if (fits.type === "scalar" || (fits.type === "list" && fits.mode === "atomic") || (fits.type === "map" && fits.atomic)) return leaf;
  if (fits.type === "list") return Array.isArray(value) ? fieldsOfList(fits, value as readonly Json[]) : undefined;
  if (isObject(value)) return fieldsOfMap(fits.type === "map" ? fits : openMap, value);
  return fits.type === "deduced" && value !== null ? leaf : undefined;
}

function fieldsOfMap(shape: MapShape, value: JsonObject): FieldSet | undefined {
  const out: Building = {};
  let size = 0;
  for (const key of Object.keys(value).sort()) {
    const field = shape.fields.get(key);
    const given = value[key]!;
    const type = field?.shape ?? shape.item;
    if (type === undefined) continue;
    const below = fieldsOf(type, given);
    const self = given === null || (isObject(given) && Object.keys(given).length === 0) || field === undefined;
    const node = self && below !== undefined && below !== leaf && !("." in below) ? { ".": leaf, ...below } : self ? below ?? leaf : below;
    if (node !== undefined) { out[`f:${key}`] = node; size++; }
  }
  return size > 0 ? out : undefined;
}

function fieldsOfList(shape: ListShape, items: readonly Json[]): FieldSet | undefined {
  const found: Item[] = [];
  for (const [element, same] of group(shape, items, "written")) {
    const below = same.length > 1 ? undefined : fieldsOf(shape.item, same[0]!);
    found.push({ element, value: same[0]!, below: below === undefined || below === leaf ? leaf : { ".": leaf, ...below } });
  }
  if (found.length === 0) return undefined;
  found.sort((a, b) => compareListItems(shape, a.value, b.value));
  return Object.fromEntries(found.map(({ element, below }) => [element, below]));
}
