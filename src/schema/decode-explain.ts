/** The slow walk behind `decode`: which fields the schema does not know, and in Go's words why a value does not fit. */
import { isObject, type Json } from "../base/json.ts";
import { WrittenNumber } from "../base/json-codec.ts";
import { canonicalQuantity, QuantityError } from "../base/quantity.ts";
import { canonicalTime, isBase64 } from "./decode-scalars.ts";
import { embeddedOn, namedType } from "./go-types.ts";
import { timeProblem } from "./go-time-problem.ts";
import { typeName } from "./json-patch.ts";
import { canonicalDuration, durationProblem } from "../base/duration.ts";
import type { Node } from "./t.ts";

/** Unknown fields told for one object: a hostile one could hold millions. */
const unknownMax = 100;

export type Explanation = { readonly unknown: readonly string[]; readonly mismatch: string | undefined };
/** Whose: encoding/json's, or those of apimachinery's converter, which reads what a strategic patch or an apply has made. */
export type Words = "json" | "converter" | "applied";
type Walk = { readonly words: Words; readonly unknown: string[]; mismatch: string | undefined; /** Nothing comes after it: what a type that reads itself says ends everything, and goes before others' mismatches. */ ends: boolean };
type Place = { readonly path: string; /** Go's name of the struct around, and the path from the outermost one: what encoding/json puts into its messages. */ readonly struct: string; readonly fieldPath: string; /** Lists and maps around, within the field. */ readonly inside: number };

export function explain(node: Node, value: Json, words: Words = "json"): Explanation {
  const walk: Walk = { words, unknown: [], mismatch: undefined, ends: false };
  visit(node, value, { path: "", struct: shortName(node), fieldPath: "", inside: 0 }, walk);
  return walk;
}

function visit(node: Node, given: Json, place: Place, walk: Walk): void {
  // Only an integer must be written as one.
  const value = (given as unknown) instanceof WrittenNumber && node.kind !== "integer" && node.format !== "int-or-string" && node.kind !== "any" ? Number((given as unknown as WrittenNumber).text) : given;
  if (value === null || value === undefined || walk.ends) return;
  if (node.kind === "object") return visitObject(node, value, place, walk);
  if (node.wire === "bool-or-schema" || node.wire === "schema-or-array" || node.wire === "schema-or-strings") return visitUnion(node, value, place, walk);
  if (node.kind === "list") {
    if (!Array.isArray(value)) return mismatch(walk, value, node, place);
    value.forEach((item, i) => visit(node.items!, item as Json, { ...place, path: `${place.path}[${i}]`, inside: place.inside + 1 }, walk));
  } else if (node.kind === "map") {
    if (!isObject(value)) return mismatch(walk, value, node, place);
    for (const key of Object.keys(value)) visit(node.items!, value[key]!, { ...place, path: `${place.path}.${key}`, inside: place.inside + 1 }, walk);
  } else if (node.kind !== "any") visitScalar(node, value, place, walk);
}

function visitObject(node: Node, value: Json, place: Place, walk: Walk): void {
  if (!isObject(value)) return mismatch(walk, value, node, place);
  const fields = node.fields ?? {};
  const struct = node.ref === undefined ? place.struct : shortName(node);
  for (const key of Object.keys(value)) {
    if (value[key] === undefined) continue;
    const path = place.path === "" ? key : `${place.path}.${key}`;
    if (!Object.hasOwn(fields, key)) {
      if (node.preserveUnknown !== true && walk.unknown.length < unknownMax) walk.unknown.push(path);
    } else visit(fields[key]!, value[key]!, { path, struct, fieldPath: [...(place.fieldPath === "" ? [] : [place.fieldPath]), ...((key === "apiVersion" || key === "kind") && node.fields?.["metadata"] !== undefined ? ["TypeMeta"] : embeddedOn(shortName(node), key)), key].join("."), inside: 0 }, walk);
  }
}

function visitUnion(node: Node, value: Json, place: Place, walk: Walk): void {
  if (node.wire === "bool-or-schema" && typeof value === "boolean") return;
  if (Array.isArray(value) && node.wire === "schema-or-array") value.forEach((item, i) => visit(node.items!, item as Json, { ...place, path: `${place.path}[${i}]` }, walk));
  else if (Array.isArray(value) && node.wire === "schema-or-strings" && value.every(item => typeof item === "string")) return;
  else if (isObject(value)) visit(node.items!, value, place, walk);
  else if (node.wire === "bool-or-schema") end(walk, "boolean or JSON schema expected");
  else if (Array.isArray(value)) value.forEach(item => { if (typeof item !== "string") mismatch(walk, item as Json, { kind: "string" }, place); });
}

function visitScalar(node: Node, value: Json, place: Place, walk: Walk): void {
  switch (node.kind) {
    case "boolean": if (typeof value !== "boolean") mismatch(walk, value, node, place); return;
    case "number": if (typeof value !== "number" && typeof value !== "bigint") mismatch(walk, value, node, place); return;
    case "integer": {
      if (walk.words !== "json" && (typeof value === "bigint" || Number.isInteger(value))) return;
      const fits = node.format === "int64" ? Number.isSafeInteger(value) || (typeof value === "bigint" && BigInt.asIntN(64, value) === value) : typeof value === "number" && value === (value | 0);
      if (!fits) mismatch(walk, value, node, place);
      return;
    }
    default: visitText(node, value, place, walk);
  }
}

function visitText(node: Node, value: Json, place: Place, walk: Walk): void {
  switch (node.format) {
    case "quantity":
      try {
        if (typeof value === "object" || typeof value === "boolean") throw new QuantityError("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
        else canonicalQuantity(value);
      } catch (error) {
        if (!(error instanceof QuantityError)) throw error;
        end(walk, error.message);
      }
      return;
    case "int-or-string":
      if (typeof value !== "string" && !(typeof value === "number" && value === (value | 0))) ownMismatch(walk, value, { ...node, kind: "integer", format: "int32" }, place);
      return;
    default:
      if (typeof value !== "string") (node.format === undefined || node.format === "byte" ? mismatch : ownMismatch)(walk, value, node, place);
      else if (node.format === "byte" && !isBase64(value.replace(/[\r\n]/g, ""))) note(walk, `${walk.words === "json" ? "" : "error decoding from json: "}illegal base64 data at input byte ${badBase64(value)}`);
      else if ((node.format === "date-time" || node.format === "micro-time") && canonicalTime(value, node.format === "micro-time") === undefined) end(walk, timeProblem(value, node.format === "micro-time"));
      else if (node.format === "duration" && canonicalDuration(value) === undefined) end(walk, durationProblem(value));
  }
}
/** Where Go's decoder stops. */
export function badBase64(value: string): number {
  const bad = /[^A-Za-z0-9+/=\r\n]/.exec(value)?.index;
  if (bad !== undefined) return bad;
  const padding = value.indexOf("=");
  return padding >= 0 && padding < value.length - 2 ? padding + 1 : Math.floor(value.length / 4) * 4;
}

/** The first one counts. */
function note(walk: Walk, text: string): void {
  walk.mismatch ??= text;
  walk.ends ||= walk.words !== "json";
}
function end(walk: Walk, text: string): void {
  if (!walk.ends) walk.mismatch = text;
  walk.ends = true;
}
function mismatch(walk: Walk, value: Json, node: Node, place: Place): void {
  note(walk, walk.words === "json" ? jsonText(value, node, place) : converterText(value, node, place));
}
/** Of types that read JSON themselves: the converter hands them a document that holds nothing but the value. */
function ownMismatch(walk: Walk, value: Json, node: Node, place: Place): void {
  end(walk, jsonText(value, node, walk.words === "json" ? place : { ...place, fieldPath: "" }));
}

function jsonText(value: Json, node: Node, place: Place): string {
  const written = (value as unknown) instanceof WrittenNumber ? (value as unknown as WrittenNumber).text : undefined;
  const given = written !== undefined ? "number" : typeName(value);
  const shown = given === "number" && (node.kind === "integer" || node.kind === "number") ? `number ${written ?? String(value)}` : given;
  return place.fieldPath === ""
    ? `json: cannot unmarshal ${shown} into Go value of type ${typeAt(node, place)}`
    : `json: cannot unmarshal ${shown} into Go struct field ${place.struct}.${place.fieldPath} of type ${typeAt(node, place)}`;
}
/** apimachinery pkg/runtime/converter.go, fromUnstructured. */
function converterText(value: Json, node: Node, place: Place): string {
  const given = Array.isArray(value) ? "slice" : typeof value === "object" ? "map" : typeof value === "boolean" ? "bool" : typeof value === "string" ? "string" : typeof value === "bigint" || Number.isSafeInteger(value) ? "int64" : "float64";
  const wanted = goType(node);
  if (node.kind === "object") return `cannot restore struct from: ${given}`;
  if (node.kind === "map") return `cannot restore map from ${given}`;
  if (node.kind === "list" || wanted === "[]uint8") return `cannot restore slice from ${given}`;
  const isConvertible = (given === "int64" && wanted === "string") || ((given === "int64" || given === "float64") && (node.kind === "integer" || node.kind === "number"));
  return isConvertible ? `cannot convert ${given} to ${typeAt(node, place)}` : `unrecognized type: ${wanted}`;
}
const typeAt = (node: Node, { struct, fieldPath, inside }: Place): string => namedType(fieldOf(struct, fieldPath), inside) ?? goType(node);
/** The innermost struct that has the field. */
function fieldOf(struct: string, fieldPath: string): string {
  const field = fieldPath.slice(fieldPath.lastIndexOf(".") + 1);
  return `${embeddedOn(struct, field).at(-1) ?? struct}.${field}`;
}
/** Of types that read themselves, as they are called in lists and maps. */
const ownTypes: { readonly [format: string]: string } = { quantity: "resource.Quantity", "date-time": "v1.Time", "micro-time": "v1.MicroTime", "int-or-string": "intstr.IntOrString", duration: "v1.Duration" };
const itemType = (node: Node): string => (node.kind === "any" && node.ref !== undefined ? `${node.ref.split(".").at(-2)}.${shortName(node)}` : ownTypes[node.format ?? ""] ?? goType(node));
function goType(node: Node): string {
  switch (node.kind) {
    case "boolean": return "bool";
    case "integer": return node.format ?? "int64";
    case "number": return "float64";
    case "list": return `[]${itemType(node.items!)}`;
    case "map": return `map[string]${itemType(node.items!)}`;
    case "object": return node.ref === undefined ? "map[string]interface {}" : `${node.ref.split(".").at(-2)}.${shortName(node)}`;
    case "any": return "interface {}";
    default: return node.format === "byte" ? "[]uint8" : "string";
  }
}

/** `value` with whole numbers cut to the bits of Go's integers, as the converter takes them; beyond 64 bits nothing is left of them (as amd64 converts floats). */
export function cutIntegers(node: Node, value: Json): Json {
  if (node.kind === "integer" && (typeof value === "bigint" || typeof value === "number")) {
    const whole = BigInt(value), long = BigInt.asIntN(64, whole) === whole ? whole : -(2n ** 63n);
    const cut = node.format === "int64" ? long : BigInt.asIntN(32, long);
    return Number.isSafeInteger(Number(cut)) ? Number(cut) : cut;
  }
  if (Array.isArray(value)) return node.items === undefined ? value : (value as readonly Json[]).map(item => cutIntegers(node.items!, item));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => {
    const type = node.fields !== undefined && Object.hasOwn(node.fields, key) ? node.fields[key] : node.items;
    return [key, type === undefined ? item : cutIntegers(type, item!)];
  })) as Json;
}
const shortName = (node: Node): string => node.ref?.split(".").at(-1) ?? "";
