/** Sets of fields that many objects have, and their texts: all pods of a Deployment own the same fields, and a third of an object's memory is in them. */
import { type FieldSet } from "./apply-field-set.ts";

const byText = new Map<string, FieldSet>();
const texts = new WeakMap<FieldSet, string>();
const sharedSetsMax = 500;

/** The same set as some other object has already, if one does. Sets are never changed in place. */
export function sharedSet(set: FieldSet): FieldSet {
  if (texts.has(set)) return set;
  const text = JSON.stringify(set);
  return byText.get(text) ?? remember(text, set);
}

/** The set of this text, which is as `JSON.stringify` writes it. */
export function setOfText(text: string): FieldSet {
  return byText.get(text) ?? remember(text, JSON.parse(text) as FieldSet);
}

/** The text of a shared set, without writing it again. */
export function textOfSet(set: FieldSet): string | undefined {
  return texts.get(set);
}

function remember(text: string, set: FieldSet): FieldSet {
  if (byText.size >= sharedSetsMax) byText.delete(byText.keys().next().value!);
  byText.set(text, set);
  texts.set(set, text);
  return set;
}
