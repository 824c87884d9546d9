/** Values as Go's `%v` prints them, for upstream's messages that quote a decoded document. */
import { type Json, isObject } from "../base/json.ts";
import { goEscaped, goQuote } from "./problem.ts";

/** A value that no document holds, but an expression can give: as Go shows it with `%T`, `%v` and `%#v`, and what becomes of it where anything may stand. */
export class Foreign {
  readonly type: string;
  readonly plain: string;
  readonly syntax: string;
  readonly json: Json;
  constructor(type: string, plain: string, syntax: string, json: Json) {
    this.type = type;
    this.plain = plain;
    this.syntax = syntax;
    this.json = json;
  }
}

/** `map[a:1 b:[x y]]`: keys sorted, strings bare, nil for null. */
export function goFormat(value: Json): string {
  if (value === null) return "<nil>";
  if (value instanceof Foreign) return value.plain;
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(goFormat).join(" ")}]`;
  if (isObject(value)) return `map[${Object.keys(value).sort().map(key => `${key}:${goFormat(value[key]!)}`).join(" ")}]`;
  return String(value);
}

/** JSON as Go writes what has no type: keys sorted, `<`, `>` and `&` escaped. */
export const goJson = (value: Json): string => goEscaped(sortedJson(value));

function sortedJson(value: Json): string {
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(sortedJson).join(",")}]`;
  if (!isObject(value)) return typeof value === "bigint" ? String(value) : JSON.stringify(value);
  return `{${Object.keys(value).sort().map(key => `${JSON.stringify(key)}:${sortedJson(value[key]!)}`).join(",")}}`;
}

/** The same with `%#v`: `map[string]interface {}{"a":1, "b":[]interface {}{"x"}}`. */
export function goSyntax(value: Json): string {
  if (value === null) return "interface {}(nil)";
  if (value instanceof Foreign) return value.syntax;
  if (typeof value === "string") return goQuote(value);
  if (Array.isArray(value)) return `[]interface {}{${(value as readonly Json[]).map(goSyntax).join(", ")}}`;
  if (isObject(value)) return `map[string]interface {}{${Object.keys(value).sort().map(key => `${goQuote(key)}:${goSyntax(value[key]!)}`).join(", ")}}`;
  return String(value);
}

/** With `%T`, as a document's values are decoded. */
export function goType(value: Json): string {
  if (value instanceof Foreign) return value.type;
  if (value === null) return "<nil>";
  if (typeof value === "object") return Array.isArray(value) ? "[]interface {}" : "map[string]interface {}";
  return typeof value === "boolean" ? "bool" : typeof value === "string" ? "string" : typeof value === "number" && !Number.isInteger(value) ? "float64" : "int64";
}

/** Without what no document holds. */
export function withoutForeign(value: Json): Json {
  if (value instanceof Foreign) return value.json;
  if (Array.isArray(value)) return (value as readonly Json[]).map(withoutForeign);
  return isObject(value) ? Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withoutForeign(each)])) : value;
}
