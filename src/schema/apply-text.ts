/** What a create owns, as text at once: the same as `compare` with nothing before, without a set that would only be written out. */
import { type Json, type JsonObject, isObject } from "../base/json.ts";
import { added, compare, compareListItems, elementOf, openMap, Untyped } from "./apply-compare.ts";
import { planOf } from "./apply-plan.ts";
import { type ListShape, type MapShape, type Shape, fitting, isEmpty } from "./apply-shape.ts";

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
  // A list that Go always writes was there before, as null: its items are new, it is not.
  if (fits.type === "list" && fits.mode !== "atomic" && before === null && Array.isArray(after) && after.length > 0) return addedItems(fits, after as readonly Json[], false);
  const set = compare(shape, before, after, true, "typed");
  return set === undefined ? undefined : JSON.stringify(set);
}

function changedFields(shape: MapShape, before: JsonObject, after: JsonObject, skipped: ReadonlySet<string>): string | undefined {
  let text = "";
  if (shape.item === undefined && skipped.size === 0 && isEmpty(before)) {
    for (const { text: known, below } of planOf(shape, after).changed) {
      if (below === undefined) { text += known; continue; }
      const { was, given = after[below.name] as Json } = below;
      const inside = was === undefined ? addedText(below.shape, given) : changed(below.shape, was, given);
      if (inside !== undefined) text += known + inside;
    }
    return text === "" ? undefined : `{${text.slice(1)}}`;
  }
  const names = shape.item === undefined ? undefined : Object.keys(after).sort();
  const count = names?.length ?? shape.ordered.length;
  for (let i = 0; i < count; i++) {
    const field = names === undefined ? shape.ordered[i] : shape.fields.get(names[i]!);
    const name = field?.name ?? names![i]!;
    if (skipped.has(name)) continue;
    const value = field === undefined ? after[name] : field.of(after);
    if (value === undefined) continue;
    const was = field === undefined ? (Object.hasOwn(before, name) ? before[name] : undefined) : field.of(before);
    const below = changed(field?.shape ?? shape.item!, was, value);
    if (below !== undefined) text += `${text === "" ? "{" : ","}${names === undefined ? field!.key : quotedKey(`f:${name}`)}${below}`;
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
    const plan = planOf(shape, value);
    if (plan.whole !== null) return plan.whole;
    for (const { text: known, below } of plan.added) text += below === undefined ? known : known + addedText(below.shape, below.given ?? value[below.name] as Json);
  } else {
    const names = Object.keys(value);
    if (!isSorted(names)) names.sort();
    for (const name of names) {
      const field = shape.fields.get(name);
      const given = field === undefined ? value[name] : field.of(value);
      if (given !== undefined) text += `,${quotedKey(`f:${name}`)}${addedText(field?.shape ?? shape.item, given)}`;
    }
  }
  return text === "" ? leafText : `{".":{}${text}}`;
}

function isSorted(names: readonly string[]): boolean {
  for (let i = 1; i < names.length; i++) if (names[i]! < names[i - 1]!) return false;
  return true;
}

/** The items of a list, and the list `itself` if that is new too; `undefined` if no item has a name. */
function addedItems(shape: ListShape, items: readonly Json[], itself: boolean): string | undefined {
  if (shape.mode === "map" && shape.keys.length === 1) {
    const named = namesOf(shape.keys[0]!, items);
    if (named !== undefined) return addedNamed(shape, named, itself);
  }
  const found: { element: string; value: Json }[] = [];
  for (const value of items) {
    const element = elementOf(shape, value);
    if (element === undefined) throw new Untyped();
    found.push({ element, value });
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

/** Items that a plain text tells apart, in its order; `undefined` if there are others, or two with the same. */
function namesOf(key: string, items: readonly Json[]): readonly JsonObject[] | undefined {
  let [last, ordered] = ["", true];
  for (const item of items) {
    const name = isObject(item) ? item[key] : undefined;
    if (typeof name !== "string" || name === "" || !plain.test(name)) return undefined;
    ordered &&= last < name;
    last = name;
  }
  if (ordered) return items as readonly JsonObject[];
  const sorted = (items as readonly JsonObject[]).toSorted((a, b) => (a[key] as string) < (b[key] as string) ? -1 : 1);
  for (let i = 1; i < sorted.length; i++) if (sorted[i]![key] === sorted[i - 1]![key]) return undefined;
  return sorted;
}

function addedNamed(shape: ListShape, items: readonly JsonObject[], itself: boolean): string | undefined {
  if (items.length === 0) return undefined;
  const key = shape.keys[0]!;
  const head = `"k:{\\"${key}\\":\\"`;
  let text = itself ? `{".":{},` : "{";
  for (let i = 0; i < items.length; i++) text += `${i === 0 ? "" : ","}${head}${items[i]![key] as string}\\"}":${addedText(shape.item, items[i]!)}`;
  return `${text}}`;
}

function quotedKey(element: string): string {
  return plain.test(element) ? `"${element}":` : `${JSON.stringify(element)}:`;
}
