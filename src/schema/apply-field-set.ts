/**
 * Sets of field paths, in the very form in which `fieldsV1` has them: nested objects whose keys are path elements
 * (`f:` a field, `k:` a list item by its keys, `v:` a list item by its value, `i:` by its index) in upstream's order. A
 * path is a member of the set if its object is empty or has the key `.`:
 *
 *     { "f:spec": { "f:replicas": {}, "f:ports": { "k:{\"port\":80}": { ".": {}, "f:port": {} } } } }
 *
 * has the members spec.replicas, spec.ports[port=80] and spec.ports[port=80].port. Sets are never changed in place, so
 * results share what they have in common with their operands. No key can be `__proto__`: all have a prefix.
 */
import { stringifyJson } from "../base/json-codec.ts";
import { type Json, isObject } from "../base/json.ts";
import { isEmpty } from "./apply-shape.ts";

export type FieldSet = { readonly [element: string]: FieldSet };
type Building = { [element: string]: FieldSet };

/** A path that is a member and has no members below it. */
export const leaf: FieldSet = Object.freeze({});
export const emptySet: FieldSet = leaf;

export function isMember(node: FieldSet): boolean {
  return "." in node || isEmpty(node);
}

/** Every path of `a` or `b`. */
export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b || isEmpty(b)) return a;
  return isEmpty(a) ? b : unionOf(a, b);
}

function unionOf(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return a;
  if (isEmpty(a)) return withSelf(b);
  if (isEmpty(b)) return withSelf(a);
  const out: Building = {};
  if ("." in a || "." in b) out["."] = leaf;
  const inA = elementsOf(a), inB = elementsOf(b);
  let i = 0, j = 0;
  while (i < inA.length || j < inB.length) {
    const order = i >= inA.length ? 1 : j >= inB.length ? -1 : compareElements(inA[i]!, inB[j]!);
    if (order < 0) out[inA[i]!] = a[inA[i++]!]!;
    else if (order > 0) out[inB[j]!] = b[inB[j++]!]!;
    else out[inA[i]!] = unionOf(a[inA[i++]!]!, b[inB[j++]!]!);
  }
  return out;
}

function withSelf(node: FieldSet): FieldSet {
  return "." in node || isEmpty(node) ? node : { ".": leaf, ...node };
}

function elementsOf(node: FieldSet): string[] {
  const elements = Object.keys(node);
  if (elements[0] === ".") elements.shift();
  return elements;
}

/** The paths of `a` that are not in `b`; a path does not stand for those below it. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  return isEmpty(b) || isEmpty(a) ? a : without(a, b, false) ?? emptySet;
}

/** The paths of `a` that are not in `b`, nor below a path in `b`. */
export function recursiveDifference(a: FieldSet, b: FieldSet): FieldSet {
  return isEmpty(b) || isEmpty(a) ? a : without(a, b, true) ?? emptySet;
}

function without(a: FieldSet, b: FieldSet, recursive: boolean): FieldSet | undefined {
  const out: Building = {};
  let size = 0, changed = false;
  for (const element in a) {
    const mine = a[element]!;
    const theirs = b[element];
    if (theirs === undefined) { out[element] = mine; size++; continue; }
    if (element === ".") { changed = true; continue; }
    const rest = differenceOf(mine, theirs, recursive);
    if (rest !== mine) changed = true;
    if (rest !== undefined) { out[element] = rest; size++; }
  }
  if (!changed) return a;
  return size === 0 ? undefined : size === 1 && "." in out ? leaf : out;
}

function differenceOf(mine: FieldSet, theirs: FieldSet, recursive: boolean): FieldSet | undefined {
  const removesSelf = isMember(theirs);
  if (removesSelf && recursive) return undefined;
  if (isEmpty(mine)) return removesSelf ? undefined : mine;
  if (isEmpty(theirs)) return "." in mine ? withoutSelf(mine) : mine;
  return without(mine, theirs, recursive);
}

function withoutSelf(node: FieldSet): FieldSet | undefined {
  const { ".": _, ...children } = node;
  return isEmpty(children) ? undefined : children;
}

/** The paths in both. */
export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  return isEmpty(a) || isEmpty(b) ? emptySet : intersectionOf(a, b) ?? emptySet;
}

function intersectionOf(a: FieldSet, b: FieldSet): FieldSet | undefined {
  const self = isMember(a) && isMember(b);
  let out: Building | undefined;
  for (const element in a) {
    if (element === ".") continue;
    const theirs = b[element];
    const both = theirs === undefined ? undefined : intersectionOf(a[element]!, theirs);
    if (both !== undefined) (out ??= self ? { ".": leaf } : {})[element] = both;
  }
  return out ?? (self ? leaf : undefined);
}

export function hasPath(set: FieldSet, path: readonly string[]): boolean {
  let node: FieldSet | undefined = set;
  for (const element of path) {
    node = node[element];
    if (node === undefined) return false;
  }
  return isMember(node);
}

/** A set with one path in it. */
export function setOf(path: readonly string[]): FieldSet {
  return path.reduceRight<FieldSet>((below, element) => ({ [element]: below }), leaf);
}

/** Every member, in upstream's order: those at a level before those below it. */
export function* pathsOf(set: FieldSet, above: readonly string[] = []): Iterable<readonly string[]> {
  const elements = elementsOf(set);
  for (const element of elements) if (isMember(set[element]!)) yield [...above, element];
  for (const element of elements) yield* pathsOf(set[element]!, [...above, element]);
}

/** As messages write a path: `.spec.ports[port=80,protocol="TCP"].name`. */
export function renderPath(path: readonly string[]): string {
  return path.map(renderElement).join("");
}

export function renderElement(element: string): string {
  const rest = element.slice(2);
  if (element.startsWith("f:")) return `.${rest}`;
  if (element.startsWith("i:")) return `[${rest}]`;
  const value = JSON.parse(rest) as Json;
  if (element.startsWith("v:")) return `[=${renderValue(value)}]`;
  return `[${Object.entries(value as object).map(([name, part]) => `${name}=${renderValue(part as Json)}`).join(",")}]`;
}

function renderValue(value: Json): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

const ranks: { readonly [prefix: string]: number } = { f: 0, k: 1, v: 2, i: 3 };

/** Upstream's order of path elements (structured-merge-diff fieldpath/element.go). */
export function compareElements(a: string, b: string): number {
  if (a === b) return 0;
  const byKind = ranks[a[0]!]! - ranks[b[0]!]!;
  if (byKind !== 0) return byKind;
  if (a.startsWith("f:")) return a < b ? -1 : 1;
  if (a.startsWith("i:")) return Number(a.slice(2)) - Number(b.slice(2));
  const left = JSON.parse(a.slice(2)) as Json, right = JSON.parse(b.slice(2)) as Json;
  return isObject(left) && isObject(right) ? compareKeys(Object.entries(left), Object.entries(right)) : compareValues(left, right);
}

function compareKeys(a: readonly [string, Json][], b: readonly [string, Json][]): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    const [name, value] = a[i]!, [otherName, other] = b[i]!;
    const order = name !== otherName ? (name < otherName ? -1 : 1) : compareValues(value, other);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** Numbers before strings before booleans, as upstream orders scalars of different types. */
export function compareValues(a: Json, b: Json): number {
  const rank = (value: Json): number => (typeof value === "number" || typeof value === "bigint" ? 0 : typeof value === "string" ? 1 : typeof value === "boolean" ? 2 : 3);
  const byType = rank(a) - rank(b);
  if (byType !== 0) return byType;
  return a === b ? 0 : a! < b! ? -1 : 1;
}

/** Reads `fieldsV1` that a client sent: unknown element types are dropped and order is restored. `undefined` if it is no set of fields. */
export function parseFieldSet(value: unknown): FieldSet | undefined {
  if (!isObject(value)) return undefined;
  const entries: [string, FieldSet][] = [];
  let self = false;
  for (const [element, below] of Object.entries(value)) {
    if (element === ".") { self = true; continue; }
    if (element[1] !== ":") return undefined;
    if (!(element[0]! in ranks)) continue;
    const canonical = canonicalElement(element);
    const set = parseFieldSet(below);
    if (canonical === undefined || set === undefined) return undefined;
    entries.push([canonical, set]);
  }
  entries.sort(([a], [b]) => compareElements(a, b));
  return Object.fromEntries(self && entries.length > 0 ? [[".", leaf], ...entries] : entries);
}

function canonicalElement(element: string): string | undefined {
  const rest = element.slice(2);
  if (element.startsWith("f:")) return element;
  if (element.startsWith("i:")) return /^-?\d+$/.test(rest) ? element : undefined;
  const value = parseJson(rest);
  if (element.startsWith("v:")) return value === undefined ? undefined : element;
  if (!isObject(value)) return undefined;
  return keyElement(Object.keys(value).sort().map(name => [name, value[name]!]));
}

function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined; // the caller refuses the whole set
  }
}

/** The element of a list item that is told apart by these fields; names sorted. */
export function keyElement(fields: readonly (readonly [string, Json])[]): string {
  return `k:{${fields.map(([name, value]) => `${JSON.stringify(name)}:${jsonOf(value)}`).join(",")}}`;
}

const plainText = /^[A-Za-z0-9_.:/-]*$/;

const html = /[<>&\u2028\u2029]/g;
/** JSON as Go writes it, with HTML's special characters escaped. */
export function jsonOf(value: Json): string {
  // Names, images and the like stand for themselves, and there are dozens in a pod.
  if (typeof value === "string" && plainText.test(value)) return `"${value}"`;
  if (typeof value === "number") return String(value);
  const text = stringifyJson(value);
  return typeof value === "string" && value.search(html) >= 0 ? text.replace(html, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`) : text;
}
