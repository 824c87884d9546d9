/** What a create owns, as text at once: the same as `compare` with nothing before, without a set that would only be written out. */
import { type Json, type JsonObject, isObject } from "../base/json.ts";
import { added, compare, compareListItems, elementOf, openMap } from "./apply-compare.ts";
import { type FieldShape, type ListShape, type MapShape, type Shape, fitting } from "./apply-shape.ts";

const leafText = "{}";
const plain = /^[A-Za-z0-9_.:/-]*$/;

/** The text of the fields that `after` sets, but for the fields in `skipped`; `{}` if there are none. */
export function createdText(shape: Shape, after: JsonObject, skipped: ReadonlySet<string>): string {
  const fits = fitting(shape, after);
  if (fits.type !== "map") return JSON.stringify(compare(shape, {}, after, true, "typed") ?? {});
  return changedFields(fits, {}, after, skipped) ?? leafText;
}

const nothing: ReadonlySet<string> = new Set();

/** As `compare`: `before` is what Go's struct has where nothing was said. */
function changed(shape: Shape, before: Json | undefined, after: Json): string | undefined {
  if (before === undefined) return addedText(shape, after);
  if (before === after) return undefined;
  if (shape.type === "scalar" && typeof after !== "object") return leafText;
  const fits = fitting(shape, after);
  if (fits.type === "map" && !fits.atomic && isObject(after) && isObject(before) && fits === fitting(shape, before)) {
    const text = changedFields(fits, before, after, nothing);
    if (text !== undefined) return text;
  }
  // A list that Go always writes was there before, empty: its items are new, it is not.
  if (fits.type === "list" && fits.mode !== "atomic" && Array.isArray(before) && before.length === 0 && Array.isArray(after) && after.length > 0) return addedItems(fits, after as readonly Json[], false);
  const set = compare(shape, before, after, true, "typed");
  return set === undefined ? undefined : JSON.stringify(set);
}

function changedFields(shape: MapShape, before: JsonObject, after: JsonObject, skipped: ReadonlySet<string>): string | undefined {
  let text = "";
  for (const [key, name, field] of membersOf(shape, after)) {
    if (skipped.has(name)) continue;
    const value = field === undefined ? after[name] : field.of(after);
    if (value === undefined) continue;
    const was = field === undefined ? (Object.hasOwn(before, name) ? before[name] : undefined) : field.of(before);
    const below = changed(field?.shape ?? shape.item!, was, value);
    if (below !== undefined) text += `${text === "" ? "{" : ","}${key}${below}`;
  }
  return text === "" ? undefined : `${text}}`;
}

function addedText(shape: Shape, value: Json): string {
  if (typeof value !== "object" || value === null) return leafText;
  const fits = fitting(shape, value);
  if (fits.type === "map") return fits.atomic ? leafText : addedFields(fits, value as JsonObject);
  if (fits.type === "list") return fits.mode === "atomic" ? leafText : addedItems(fits, value as readonly Json[], true) ?? leafText;
  return isObject(value) ? addedFields(openMap, value) : leafText;
}

function addedFields(shape: MapShape, value: JsonObject): string {
  let text = "";
  if (shape.item === undefined) {
    for (const field of shape.ordered) {
      const given = field.of(value);
      if (given !== undefined) text += `,${field.key}${typeof given === "object" ? addedText(field.shape, given) : leafText}`;
    }
  } else {
    for (const [key, name, field] of membersOf(shape, value)) {
      const given = field === undefined ? value[name] : field.of(value);
      if (given !== undefined) text += `,${key}${addedText(field?.shape ?? shape.item, given)}`;
    }
  }
  return text === "" ? leafText : `{".":{}${text}}`;
}

/** Declared fields in their order, or the keys that are there, sorted: the key as it is written, its name, its field. */
function* membersOf(shape: MapShape, value: JsonObject): Iterable<readonly [string, string, FieldShape | undefined]> {
  if (shape.item === undefined) for (const field of shape.ordered) yield [field.key, field.name, field];
  else for (const name of Object.keys(value).sort()) yield [quotedKey(`f:${name}`), name, shape.fields.get(name)];
}

/** The items of a list, and the list `itself` if that is new too; `undefined` if no item has a name. */
function addedItems(shape: ListShape, items: readonly Json[], itself: boolean): string | undefined {
  const found: { element: string; value: Json }[] = [];
  for (const value of items) {
    const element = elementOf(shape, value);
    if (element !== undefined) found.push({ element, value });
  }
  if (found.length === 0) return undefined;
  if (found.length > 1) {
    found.sort((a, b) => compareListItems(shape, a.value, b.value));
    // Items that share an element are owned as a whole.
    if (new Set(found.map(({ element }) => element)).size < found.length) return JSON.stringify(itself ? added(shape, items, "typed") : compare(shape, [], items as Json[], true, "typed"));
  }
  let text = itself ? `,".":{}` : "";
  for (const { element, value } of found) text += `,${quotedKey(element)}${addedText(shape.item, value)}`;
  return `{${text.slice(1)}}`;
}

function quotedKey(element: string): string {
  return plain.test(element) ? `"${element}":` : `${JSON.stringify(element)}:`;
}
