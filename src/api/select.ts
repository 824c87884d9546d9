/** Label and field selectors of a request, ready to be asked about objects. */
import { parseFieldSelector, parseLabelSelector, SelectorError, type FieldTerm } from "../base/selector.ts";
import type { AnyKind } from "../kinds/kind.ts";
import { badRequest } from "./errors.ts";

export type Selection = {
  /** Everything is selected. */
  readonly all: boolean;
  /** The one name, and the one namespace, that can match, when a field selector says so. */
  readonly name: string | undefined;
  readonly namespace: string | undefined;
  /** What every object that matches says there; the name first. */
  readonly exact: { readonly get: (object: any) => string; readonly value: string } | undefined;
  /** It asks for more of the object than its metadata. */
  readonly fields: boolean;
  matches(object: any): boolean;
};

type Parsed = { readonly requirements: readonly unknown[]; matches(labels: any): boolean };

/** Selectors are read before anything else of a list's options is judged. */
export function checkSelectors(labelSelector: string, fieldSelector: string): void {
  read(() => parseLabelSelector(labelSelector));
  if (fieldSelector !== "") read(() => parseFieldSelector(fieldSelector));
}

/** Throws BadRequest with upstream's texts for a selector that cannot be read or names an unknown field. */
export function selectionOf(kind: AnyKind, labelSelector: string, fieldSelector: string): Selection {
  const labels = read(() => parseLabelSelector(labelSelector)) as Parsed;
  const terms = fieldSelector === "" ? [] : read(() => parseFieldSelector(fieldSelector));
  const tests = terms.map(term => testOf(kind, term));
  const exact = terms.filter(({ operator }) => operator === "=");
  const [name, namespace] = ["metadata.name", "metadata.namespace"].map(field => exact.find(term => term.field === field)?.value);
  const telling = exact.find(({ field }) => field === "metadata.name") ?? exact.find(({ field }) => field !== "metadata.namespace");
  const anyLabels = labels.requirements.length === 0;
  return {
    all: anyLabels && tests.length === 0,
    name, namespace, exact: telling === undefined ? undefined : { get: fieldOf(kind, telling.field), value: telling.value },
    fields: terms.some(({ field }) => field !== "metadata.name" && field !== "metadata.namespace"),
    matches: object => tests.every(test => test(object)) && (anyLabels || labels.matches(object.metadata.labels)),
  };
}

function testOf(kind: AnyKind, { field, operator, value }: FieldTerm): (object: any) => boolean {
  const get = fieldOf(kind, field);
  return operator === "=" ? object => get(object) === value : object => get(object) !== value;
}

const nameOf = (object: any): string => object.metadata.name;

function fieldOf(kind: AnyKind, field: string): (object: any) => string {
  if (field === "metadata.name") return nameOf;
  if (field === "metadata.namespace" && (kind.namespaced || kind.selectable === undefined)) return object => object.metadata.namespace ?? "";
  const get = kind.selectable !== undefined && Object.hasOwn(kind.selectable, field) ? kind.selectable[field] : undefined;
  if (get !== undefined) return get;
  if (kind.selectable !== undefined) throw badRequest(kind.unselectable?.(field) ?? `field label not supported: ${field}`);
  throw badRequest(`${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`);
}

function read<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof SelectorError) throw badRequest(error.message);
    throw error;
  }
}
