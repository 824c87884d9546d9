/** What an applied configuration must be: of the schema's types, without unknown fields, and without list items that cannot be told apart. */
import { ApiError } from "../base/api-error.ts";
import { type Json, type JsonObject, isObject } from "../base/json.ts";
import { elementOf } from "./apply-compare.ts";
import { renderElement } from "./apply-field-set.ts";
import { type ListShape, type MapShape, type Shape, shapeOf } from "./apply-shape.ts";
import { Foreign, goFormat, goSyntax, goType } from "./go-format.ts";

/** Refuses a configuration that does not fit the schema, with every reason (structured-merge-diff typed/validate.go). */
export function checkApplied(shape: Shape, applied: JsonObject, names: { readonly kind: string; readonly apiVersion: string }): void {
  const list = typedProblem(shape, applied);
  if (list === undefined) return;
  throw new ApiError("", `failed to create typed patch object (${renderObject(applied, names)}): ${list}`, undefined, 500);
}

/** An applied configuration in messages: `default/web; apps/v1, Kind=Deployment`. */
export function renderObject(applied: JsonObject, names: { readonly kind: string; readonly apiVersion: string }): string {
  const metadata = isObject(applied["metadata"]) ? applied["metadata"] : {};
  return `${textOf(metadata["namespace"])}/${textOf(metadata["name"])}; ${renderKind(names)}`;
}

/** Every reason why it does not fit the schema, as one text. */
export function typedProblem(shape: Shape, value: JsonObject): string | undefined {
  const problems = [...check(shape, value, "")];
  return problems.length <= 1 ? problems[0] : ["errors:", ...problems.map(problem => `  ${problem}`)].join("\n");
}

function textOf(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}

/** As Go prints a GroupVersionKind: `apps/v1, Kind=Deployment`, `/v1, Kind=Pod`. */
export function renderKind(object: { readonly [key: string]: unknown }): string {
  const apiVersion = typeof object["apiVersion"] === "string" ? object["apiVersion"] : "", kind = typeof object["kind"] === "string" ? object["kind"] : "";
  return `${apiVersion.includes("/") ? "" : "/"}${apiVersion}, Kind=${kind}`;
}

function* check(shape: Shape, value: Json, path: string): Iterable<string> {
  if (value === null) return;
  const problem = (text: string): string => (path === "" ? text : `${path}: ${text}`);
  switch (shape.type) {
    case "deduced":
      if (value instanceof Foreign) yield problem(`expected map, got &{${value.plain}}`);
      return;
    case "scalar": {
      const text = checkScalar(shape.scalar, value);
      if (text !== undefined) yield problem(text);
      return;
    }
    case "list":
      if (!Array.isArray(value)) yield problem(`expected list, got &{${goFormat(value)}}`);
      else if (shape.mode !== "atomic") yield* checkItems(shape, value as readonly Json[], path);
      else if (shape.items !== undefined) for (const [i, item] of value.entries()) yield* check(shapeOf(shape.items), item, `${path}[${i}]`);
      return;
    case "map":
      if (!isObject(value) || value instanceof Foreign) yield problem(`expected map, got &{${goFormat(value)}}`);
      else yield* checkFields(shape, value, path);
  }
}

function checkScalar(scalar: "string" | "numeric" | "boolean" | "untyped", value: Json): string | undefined {
  if (scalar === "numeric") return typeof value === "number" || typeof value === "bigint" ? undefined : `expected numeric (int or float), got ${goType(value)}`;
  if (scalar === "string") return typeof value === "string" ? undefined : `expected string, got &value.valueUnstructured{Value:${goSyntax(value)}}`;
  if (scalar === "boolean") return typeof value === "boolean" ? undefined : `expected boolean, got &{${goFormat(value)}}`;
  return typeof value === "object" ? `expected any scalar, got &{${goFormat(value)}}` : undefined;
}

function* checkItems(shape: ListShape, items: readonly Json[], path: string): Iterable<string> {
  const seen = new Set<string>();
  for (const [i, item] of items.entries()) {
    const element = elementOf(shape, item);
    if (element === undefined) {
      yield `${path === "" ? "" : `${path}: `}element ${i}: ${unnamed(shape, item)}`;
      return;
    }
    if (seen.has(element)) yield `${path === "" ? "" : `${path}: `}duplicate entries for key ${renderElement(element)}`;
    seen.add(element);
    yield* check(shape.item, item, path + renderElement(element));
  }
}

function unnamed(shape: ListShape, item: Json): string {
  if (shape.mode === "set") {
    return item === null ? "associative list without keys has an element that's an explicit null"
      : Array.isArray(item) ? "not supported: associative list with lists as elements" : "associative list without keys has an element that's a map type";
  }
  if (item === null) return "associative list with keys may not have a null element";
  if (!isObject(item)) return "associative list with keys may not have non-map elements";
  return `associative list with keys has an element that omits all key fields [${shape.keys.map(key => JSON.stringify(key)).join(" ")}] (and doesn't have default values for any key fields)`;
}

/** Upstream's walk of a map ends at the first field that the schema does not know, wherever Go's order of maps puts it. */
function* checkFields(shape: MapShape, value: JsonObject, path: string): Iterable<string> {
  let unknown: string | undefined;
  for (const key of Object.keys(value)) {
    const type = shape.fields.get(key)?.shape ?? shape.item;
    if (type === undefined) unknown ??= key;
    else yield* check(type, value[key]!, `${path}.${key}`);
  }
  if (unknown !== undefined) yield `${path}.${unknown}: field not declared in schema`;
}
