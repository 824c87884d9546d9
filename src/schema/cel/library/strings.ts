/** More functions of strings (cel-go ext/strings.go, version 2). Positions are code points. */
import { CelError } from "../error.ts";
import { type Library, type Overload, global, member, traversal } from "../functions.ts";
import { formatText } from "../format-text.ts";
import { listOf, types } from "../types.ts";
import { traversed } from "./lists.ts";
import { Items, type List, type Value, sizeOf } from "../values.ts";

const { string, int, dyn } = types;
const strings = listOf(string);
const once: Overload["cost"] = ([text]) => traversal(sizeOf(text!)), twice: Overload["cost"] = ([text]) => traversal(sizeOf(text!), 2);

/** What Kubernetes says of `indexOf` for lists holds for texts too. */
const walked: Overload["cost"] = ([text]) => traversed(text!);

const outOfRange = (index: bigint): CelError => new CelError(`index out of range: ${index}`);

function indexOf(text: string, part: string, from: bigint): bigint {
  if (part === "") return from;
  const chars = [...text], wanted = [...part];
  if (from < 0n) throw outOfRange(from);
  if (from >= BigInt(chars.length)) return -1n;
  for (let at = Number(from); at + wanted.length <= chars.length; at++) if (wanted.every((char, i) => chars[at + i] === char)) return BigInt(at);
  return -1n;
}
function lastIndexOf(text: string, part: string, given: bigint | undefined): bigint {
  const chars = [...text], wanted = [...part];
  const from = given ?? BigInt(part === "" ? chars.length : chars.length - 1);
  if (part === "") return from;
  if (given !== undefined && from < 0n) throw outOfRange(from);
  if (from < 0n || from >= BigInt(chars.length)) return -1n;
  for (let at = Math.min(Number(from), chars.length - wanted.length); at >= 0; at--) if (wanted.every((char, i) => chars[at + i] === char)) return BigInt(at);
  return -1n;
}
function substring(text: string, start: bigint, end: bigint | undefined): string {
  const chars = [...text], length = BigInt(chars.length);
  if (end !== undefined && start > end) throw new CelError(`invalid substring range. start: ${start}, end: ${end}`);
  if (start < 0n || start > length) throw outOfRange(start);
  if (end !== undefined && (end < 0n || end > length)) throw outOfRange(end);
  return chars.slice(Number(start), end === undefined ? undefined : Number(end)).join("");
}
function replace(text: string, from: string, to: string, count: bigint): string {
  if (count === 0n) return text;
  const parts = from === "" ? [...text] : text.split(from);
  if (from === "") {
    const times = count < 0n || count > BigInt(parts.length + 1) ? parts.length + 1 : Number(count);
    return parts.map((char, i) => (i < times ? to : "") + char).join("") + (times > parts.length ? to : "");
  }
  const times = count < 0n ? parts.length - 1 : Math.min(Number(count), parts.length - 1);
  return parts.slice(0, times + 1).join(to) + parts.slice(times + 1).map(part => from + part).join("");
}
function split(text: string, by: string, limit: bigint): List {
  if (limit === 0n) return new Items([]);
  const parts = by === "" ? [...text] : text.split(by);
  if (limit < 0n || BigInt(parts.length) <= limit) return new Items(parts);
  const head = parts.slice(0, Number(limit) - 1);
  return new Items([...head, parts.slice(Number(limit) - 1).join(by)]);
}
function quote(text: string): string {
  const escapes: { readonly [char: string]: string } = { "\u0007": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v", "\\": "\\\\", '"': '\\"' };
  return `"${[...text].map(char => escapes[char] ?? char).join("")}"`;
}
function joined(list: List, by: string): string {
  return [...list].map(item => {
    if (typeof item !== "string") throw new CelError(`join: invalid input: ${String(item)}`);
    return item;
  }).join(by);
}

const ascii = (change: (char: string) => string) => ([text]: readonly Value[]): Value => (text as string).replace(/[A-Za-z]/g, change);
const joinCost: Overload["cost"] = (_args, result) => traversal(sizeOf(result), 2);
// Go's unicode.IsSpace.
const space = /^[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+|[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+$/g;

export const stringsLibrary: Library = new Map<string, readonly Overload[]>([
  ["charAt", [member("string_char_at_int", [string, int], string, ([text, index]) => {
    const chars = [...(text as string)], at = index as bigint;
    if (at < 0n || at > BigInt(chars.length)) throw outOfRange(at);
    return chars[Number(at)] ?? "";
  })]],
  ["indexOf", [
    member("string_index_of_string", [string, string], int, ([text, part]) => indexOf(text as string, part as string, 0n), walked),
    member("string_index_of_string_int", [string, string, int], int, ([text, part, from]) => indexOf(text as string, part as string, from as bigint), walked),
  ]],
  ["lastIndexOf", [
    member("string_last_index_of_string", [string, string], int, ([text, part]) => lastIndexOf(text as string, part as string, undefined), walked),
    member("string_last_index_of_string_int", [string, string, int], int, ([text, part, from]) => lastIndexOf(text as string, part as string, from as bigint), walked),
  ]],
  ["join", [
    member("list_join", [strings], string, ([list]) => joined(list as List, ""), joinCost),
    member("list_join_string", [strings, string], string, ([list, by]) => joined(list as List, by as string), joinCost),
  ]],
  ["lowerAscii", [member("string_lower_ascii", [string], string, ascii(char => char.toLowerCase()), once)]],
  ["upperAscii", [member("string_upper_ascii", [string], string, ascii(char => char.toUpperCase()), once)]],
  ["replace", [
    member("string_replace_string_string", [string, string, string], string, ([text, from, to]) => replace(text as string, from as string, to as string, -1n), twice),
    member("string_replace_string_string_int", [string, string, string, int], string, ([text, from, to, count]) => replace(text as string, from as string, to as string, count as bigint), twice),
  ]],
  ["split", [
    member("string_split_string", [string, string], strings, ([text, by]) => split(text as string, by as string, -1n), twice),
    member("string_split_string_int", [string, string, int], strings, ([text, by, limit]) => split(text as string, by as string, limit as bigint), twice),
  ]],
  ["substring", [
    member("string_substring_int", [string, int], string, ([text, start]) => substring(text as string, start as bigint, undefined), once),
    member("string_substring_int_int", [string, int, int], string, ([text, start, end]) => substring(text as string, start as bigint, end as bigint), once),
  ]],
  ["trim", [member("string_trim", [string], string, ([text]) => (text as string).replace(space, ""), once)]],
  ["format", [member("string_format", [string, listOf(dyn)], string, ([text, list]) => formatText(text as string, [...(list as List)]), once)]],
  ["strings.quote", [global("strings_quote", [string], string, ([text]) => quote(text as string), once)]],
]);
