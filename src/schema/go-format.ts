/** Values as Go's `%v` prints them, for upstream's messages that quote a decoded document. */
import { type Json, isObject } from "../base/json.ts";

/** `map[a:1 b:[x y]]`: keys sorted, strings bare, nil for null. */
export function goFormat(value: Json): string {
  if (value === null) return "<nil>";
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(goFormat).join(" ")}]`;
  if (isObject(value)) return `map[${Object.keys(value).sort().map(key => `${key}:${goFormat(value[key]!)}`).join(" ")}]`;
  return String(value);
}

/** JSON as Go writes what has no type: keys sorted, `<`, `>` and `&` escaped. */
export function goJson(value: Json): string {
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(goJson).join(",")}]`;
  if (!isObject(value)) return typeof value === "bigint" ? String(value) : JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return `{${Object.keys(value).sort().map(key => `${JSON.stringify(key)}:${goJson(value[key]!)}`).join(",")}}`;
}
