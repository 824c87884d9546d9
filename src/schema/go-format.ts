/** Values as Go's `%v` prints them, for upstream's messages that quote a decoded document. */
import { type Json, isObject } from "../base/json.ts";

/** `map[a:1 b:[x y]]`: keys sorted, strings bare, nil for null. */
export function goFormat(value: Json): string {
  if (value === null) return "<nil>";
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(goFormat).join(" ")}]`;
  if (isObject(value)) return `map[${Object.keys(value).sort().map(key => `${key}:${goFormat(value[key]!)}`).join(" ")}]`;
  return String(value);
}
