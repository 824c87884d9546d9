/**
 * JSON in and out without losing anything that Kubernetes cares about: 64-bit integers stay exact, keys written twice are
 * reported, nesting is limited. The fast way is V8's JSON.parse behind one linear scan; the slow way runs only for texts that need it.
 */
import { type Json, isObject } from "./json.ts";

/** Upstream's limit of the YAML and JSON decoders is 10,000; ours keeps every recursive walk of ours off the end of the stack. */
export const jsonDepthMax = 1000;
/** Duplicates reported for one text: a hostile one could hold millions. */
const duplicatesMax = 100;

export class JsonError extends Error {
  override name = "JsonError";
}
export type Parsed = { readonly value: Json; /** Paths of keys written more than once: `spec.replicas`, `spec.containers[0].image`. */ readonly duplicates: readonly string[]; /** A number is written with a point or an exponent. */ readonly hasFractions: boolean };
/** A number as it was written: Go takes no `1.0` where an integer is wanted. */
export class WrittenNumber {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** Half of a surrogate pair is no character: Go reads U+FFFD. */
const halfPair = /\\u[dD][89a-fA-F]/, escapes = /\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[dD][89a-fA-F][0-9a-fA-F]{2}|[^])/g;
/** Parses a text. Integers beyond ±2^53 become bigints. Throws JsonError with a message in the style of Go's encoding/json. */
export function parseJson(given: string): Parsed {
  const text = halfPair.test(given) ? given.replace(escapes, each => (each.length === 6 ? "\\ufffd" : each)) : given;
  const scan = scanJson(text);
  let value: Json;
  try {
    value = scan.longNumbers ? (JSON.parse(text, exactIntegers) as Json) : (JSON.parse(text) as Json);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new JsonError(goMessage(text, error.message));
  }
  const duplicates = countMembers(value) === scan.members ? [] : findDuplicates(text);
  return { value, duplicates, hasFractions: scan.hasFractions };
}
/** A text that was parsed before, with every number that has a point or an exponent as it was written. */
export const parseWritten = (text: string): unknown => JSON.parse(text, (_: string, value: unknown, context?: { readonly source?: string }) => (typeof value === "number" && /[.eE]/.test(context?.source ?? "") ? new WrittenNumber(context!.source!) : value));

/** JSON, compact or indented by `indent` spaces. bigints are written as the integers they are. */
export function stringifyJson(value: unknown, indent?: number): string {
  try {
    return JSON.stringify(value, null, indent);
  } catch (error) {
    if (!(error instanceof TypeError) || !/BigInt/.test(error.message)) throw error;
    return JSON.stringify(value, (_, item: unknown) => (typeof item === "bigint" ? rawJson(String(item)) : item), indent);
  }
}
// ES2025; TypeScript's ES2024 library does not know it yet.
const rawJson = (text: string): unknown => (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(text);

function exactIntegers(_: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value) || context?.source === undefined || !/^-?[0-9]+$/.test(context.source)) return value;
  return BigInt(context.source);
}

/** One pass over the text: how deep, how many members, whether a number is too long for a double or no plain integer. */
function scanJson(text: string): { readonly members: number; readonly longNumbers: boolean; readonly hasFractions: boolean } {
  let depth = 0;
  let members = 0;
  let longNumbers = false, hasFractions = false;
  let digits = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 48 && code <= 57) {
      if (++digits > 15) longNumbers = true;
      continue;
    }
    if (digits > 0 && (code === 46 || code === 69 || code === 101)) hasFractions = true;
    digits = 0;
    if (code === 34) i = endOfString(text, i);
    else if (code === 58) members++;
    else if (code === 123 || code === 91) {
      if (++depth > jsonDepthMax) throw new JsonError("exceeded max depth");
    } else if (code === 125 || code === 93) depth--;
  }
  return { members, longNumbers, hasFractions };
}
/** Index of the closing quote of the string that opens at `from`, or of the text's end. */
function endOfString(text: string, from: number): number {
  for (let i = text.indexOf('"', from + 1); i >= 0; i = text.indexOf('"', i + 1)) {
    let slashes = 0;
    while (text.charCodeAt(i - 1 - slashes) === 92) slashes++;
    if (slashes % 2 === 0) return i;
  }
  return text.length;
}
function countMembers(value: Json): number {
  if (typeof value !== "object" || value === null) return 0;
  let count = 0;
  if (Array.isArray(value)) for (const item of value as readonly Json[]) count += countMembers(item);
  // Straight from the parser: nothing is inherited.
  else for (const key in value) count += 1 + countMembers((value as { readonly [key: string]: Json })[key]!);
  return count;
}

/** Knows the text to be valid. Follows it with a stack of the keys seen in each open object. */
function findDuplicates(text: string): readonly string[] {
  const found = new Set<string>();
  const open: { keys: Set<string> | undefined; label: string; index: number }[] = [];
  const path = (key: string): string => [...open.slice(1).map(level => level.label), `.${key}`].join("").replace(/^\./, "");
  let label = "";
  for (let i = 0; i < text.length; i++) {
    const top = open.at(-1);
    switch (text[i]) {
      case "{": case "[":
        open.push({ keys: text[i] === "{" ? new Set() : undefined, label: top && !top.keys ? `[${top.index}]` : label, index: 0 });
        break;
      case "}": case "]": open.pop(); break;
      case ",": if (top && !top.keys) top.index++; break;
      case '"': {
        const end = endOfString(text, i);
        if (top?.keys && isKey(text, end)) {
          const key = JSON.parse(text.slice(i, end + 1)) as string;
          if (top.keys.has(key) && found.size < duplicatesMax) found.add(path(key));
          top.keys.add(key);
          label = `.${key}`;
        }
        i = end;
      }
    }
  }
  return [...found];
}
function isKey(text: string, quote: number): boolean {
  let i = quote + 1;
  while (text[i] === " " || text[i] === "\n" || text[i] === "\t" || text[i] === "\r") i++;
  return text[i] === ":";
}

/** What Go's decoder says of a text that is no JSON. */
function goMessage(text: string, message: string): string {
  if (text.trim() === "") return "unexpected end of JSON input";
  if (/unexpected end|unterminated/i.test(message)) return "unexpected end of JSON input";
  const at = /position (\d+)/.exec(message);
  const character = at ? text[Number(at[1])] : /Unexpected token '(.)'/u.exec(message)?.[1];
  if (character === undefined) return "unexpected end of JSON input";
  return `invalid character '${character === "'" ? "\\'" : character === "\n" ? "\\n" : character}' looking for beginning of value`;
}

/** A deep copy that may be changed. */
export function copyJson<T>(value: T): T {
  if (Array.isArray(value)) return value.map(copyJson) as T;
  if (!isObject(value)) return value;
  const copy: { [key: string]: Json } = {};
  for (const key of Object.keys(value)) {
    const item = copyJson(value[key]!);
    if (key === "__proto__") Object.defineProperty(copy, key, { value: item, enumerable: true, configurable: true, writable: true });
    else copy[key] = item;
  }
  return copy as T;
}
