/** `"%s of %d".format([…])` (cel-go ext/formatting.go). */
import { goQuote } from "../problem.ts";
import { CelError } from "./error.ts";
import { doubleText } from "./numbers.ts";
import { renderDuration, renderTimestamp } from "./time.ts";
import { Duration, List, Mapping, Timestamp, TypeValue, Uint, type Value, keyText, typeNameOf } from "./values.ts";

export function formatText(text: string, args: readonly Value[]): string {
  return formatWith(text, args.length, false, (verb, i, precision) => clause(verb, args[i]!, precision));
}

/** Puts what `write` gives in the place of every clause. `checking`: nothing is there yet to be formatted, so the text's own faults come first. */
export function formatWith(text: string, count: number, checking: boolean, write: (verb: Verb, i: number, precision: number | undefined) => string): string {
  let next = 0;
  return text.replace(/%(?:%|(\.(\d*))?([^]?))/gu, (found: string, dot: string | undefined, digits: string | undefined, verb: string | undefined) => {
    if (found === "%%") return "%";
    if (next >= count && !(checking && found === "%")) throw new CelError(`index ${next} out of range`);
    if (found === "%") throw new CelError("unexpected end of string");
    const wrong = dot === undefined ? undefined : verb === "" ? "could not find end of precision specifier" : digits === "" ? `error while converting precision to integer: strconv.Atoi: parsing "": invalid syntax` : undefined;
    if (wrong !== undefined) throw new CelError(`could not parse formatting clause: error while parsing precision: ${wrong}`);
    if (!isVerb(verb!)) throw new CelError(`could not parse formatting clause: unrecognized formatting clause "${verb}"`);
    return write(verb, next++, digits === undefined ? undefined : Number(digits));
  });
}

/** What each clause says of a value that is not for it, and the types that it may turn out to be for. */
const verbs = {
  s: ["string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps", "list", "map", "int", "uint", "double", "bool", "string", "google.protobuf.Timestamp", "bytes", "google.protobuf.Duration", "type", "null_type"],
  d: ["decimal clause can only be used on integers", "int", "uint"],
  f: ["fixed-point clause can only be used on doubles", "double", "string"],
  e: ["scientific clause can only be used on doubles", "double", "string"],
  b: ["only integers and bools can be formatted as binary", "int", "uint", "bool"],
  x: ["only integers, byte buffers, and strings can be formatted as hex", "int", "uint", "string", "bytes"],
  X: ["only integers, byte buffers, and strings can be formatted as hex", "int", "uint", "string", "bytes"],
  o: ["octal clause can only be used on integers", "int", "uint"],
} as const;
export type Verb = keyof typeof verbs;
const isVerb = (name: string): name is Verb => Object.hasOwn(verbs, name);

/** Why a clause is not for values of a type, if it is not. */
export function unfit(verb: Verb, typeName: string): string | undefined {
  const [problem, ...fit] = verbs[verb];
  return typeName === "dyn" || (fit as readonly string[]).includes(typeName) ? undefined : refusal(problem, typeName);
}
const refusal = (problem: string, typeName: string): string => `error during formatting: ${problem}, was given ${typeName}`;

function clause(verb: Verb, value: Value, precision: number | undefined): string {
  const typeName = typeNameOf(value), problem = unfit(verb, typeName);
  if (problem !== undefined) throw new CelError(problem);
  switch (verb) {
    case "s": return render(value, false);
    case "d": return integer(value, 10);
    case "f": case "e":
      if (typeof value === "string") { if (!["NaN", "Infinity", "-Infinity"].includes(value)) throw new CelError(refusal(verbs[verb][0], typeName)); return value; }
      return float(verb, value as number, precision ?? 6);
    case "b": return typeof value === "boolean" ? (value ? "1" : "0") : integer(value, 2);
    case "o": return integer(value, 8);
    case "x": case "X": {
      const hex = typeof value === "string" || value instanceof Uint8Array ? Array.from(typeof value === "string" ? new TextEncoder().encode(value) : value, byte => byte.toString(16).padStart(2, "0")).join("") : integer(value, 16);
      return verb === "X" ? hex.toUpperCase() : hex;
    }
  }
}

function integer(value: Value, radix: number): string {
  return (value instanceof Uint ? value.value : (value as bigint)).toString(radix);
}
/** As Go's text/message writes doubles in English. */
function float(verb: "e" | "f", value: number, precision: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "∞" : "-∞";
  if (precision > 100) throw new CelError("error during formatting: precision out of range");
  if (verb === "f") {
    const [whole, fraction] = fixed(value, precision).split(".") as [string, string?];
    return `${whole.replace(/\B(?=(?:\d{3})+$)/g, ",")}${fraction === undefined ? "" : `.${fraction}`}`;
  }
  const [mantissa, exponent] = value.toExponential(precision).split("e") as [string, string];
  return `${mantissa}×10${exponent.startsWith("-") ? "⁻" : ""}${exponent.slice(1).padStart(2, "0").replace(/\d/g, digit => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)]!)}`;
}
/** Without exponents, however large. */
function fixed(value: number, precision: number): string {
  return Object.is(value, -0) ? `-${fixed(0, precision)}` : Math.abs(value) < 1e21 ? value.toFixed(precision) : `${BigInt(value)}${precision === 0 ? "" : `.${"0".repeat(precision)}`}`;
}

/** As `%s` writes any value; inside lists and maps texts are quoted. */
function render(value: Value, inside: boolean): string {
  switch (typeof value) {
    case "string": return inside ? goQuote(value) : value;
    case "bigint": case "boolean": return String(value);
    case "number": return !inside ? doubleText(value) : Number.isFinite(value) ? fixed(value, 6) : goQuote(doubleText(value));
    default:
  }
  if (value === null) return "null";
  if (value instanceof Uint) return String(value.value);
  if (value instanceof Uint8Array) { const text = decodeText(value); return inside ? `b${goQuote(text)}` : text; }
  if (value instanceof Timestamp) return inside ? `timestamp(${goQuote(renderTimestamp(value))})` : renderTimestamp(value);
  if (value instanceof Duration) return inside ? `duration(${goQuote(renderDuration(value))})` : renderDuration(value);
  if (value instanceof TypeValue) return value.name;
  if (value instanceof List) return `[${Array.from(value, item => render(item, true)).join(", ")}]`;
  if (!(value instanceof Mapping)) throw new CelError(`error during formatting: no formatting function for ${typeNameOf(value)}`);
  const keys = [...value.keys()], odd = keys.find(key => typeof key === "object" ? !(key instanceof Uint) : typeof key === "number");
  if (odd !== undefined) throw new CelError(`error during formatting: no formatting function for map key of type ${typeNameOf(odd)}`);
  keys.sort((a, b) => (keyText(a)! < keyText(b)! ? -1 : 1));
  return `{${keys.map(key => {
    const inner = value.get(key);
    if (inner === undefined) throw new CelError(`error during formatting: could not find key: ${goQuote(String(key))}`);
    return `${render(key, true)}:${render(inner, true)}`;
  }).join(", ")}}`;
}
export function decodeText(value: Uint8Array): string {
  const text = new TextDecoder("utf-8").decode(value);
  if (text.includes("\ufffd")) throw new CelError("invalid UTF-8 in bytes, cannot convert to string");
  return text;
}
