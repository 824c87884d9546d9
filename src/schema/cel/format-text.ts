/** `"%s of %d".format([…])` (cel-go ext/formatting.go). */
import { goQuote } from "../problem.ts";
import { CelError } from "./error.ts";
import { doubleText } from "./numbers.ts";
import { renderDuration, renderTimestamp } from "./time.ts";
import { Duration, List, Mapping, Timestamp, TypeValue, Uint, type Value, keyText, typeNameOf } from "./values.ts";

export function formatText(text: string, args: readonly Value[]): string {
  let next = 0;
  return text.replace(/%(?:%|(?:\.(\d+))?([a-zA-Z])?)/g, (found: string, precision: string | undefined, verb: string | undefined) => {
    if (found === "%%") return "%";
    if (verb === undefined) throw new CelError("unexpected end of string");
    if (next >= args.length) throw new CelError(`index ${next} out of range`);
    return clause(verb, args[next++]!, precision === undefined ? undefined : Number(precision));
  });
}

function clause(verb: string, value: Value, precision: number | undefined): string {
  switch (verb) {
    case "s": return render(value, false);
    case "d": return decimal(value);
    case "f": case "e": return float(verb, value, precision ?? 6);
    case "b": return typeof value === "boolean" ? (value ? "1" : "0") : integer(value, 2, "only integers and bools can be formatted as binary");
    case "o": return integer(value, 8, "only integers can be formatted as octal");
    case "x": case "X": {
      const hex = typeof value === "string" || value instanceof Uint8Array ? Array.from(typeof value === "string" ? new TextEncoder().encode(value) : value, byte => byte.toString(16).padStart(2, "0")).join("")
        : integer(value, 16, "only integers, byte buffers, and strings can be formatted as hex");
      return verb === "X" ? hex.toUpperCase() : hex;
    }
    default: throw new CelError(`could not parse formatting clause: unrecognized formatting clause "${verb}"`);
  }
}

function integer(value: Value, radix: number, problem: string): string {
  if (typeof value === "bigint") return value.toString(radix);
  if (value instanceof Uint) return value.value.toString(radix);
  throw new CelError(`error during formatting: ${problem}, was given ${typeNameOf(value)}`);
}
function decimal(value: Value): string {
  if (typeof value === "bigint") return String(value);
  if (value instanceof Uint) return String(value.value);
  if (typeof value === "number" && !Number.isFinite(value)) return notFinite(value);
  throw new CelError(`error during formatting: decimal clause can only be used on integers, was given ${typeNameOf(value)}`);
}
function notFinite(value: number): string {
  return Number.isNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
}
/** As Go's text/message writes doubles in English. */
function float(verb: "e" | "f", value: Value, precision: number): string {
  if (typeof value !== "number") throw new CelError(`error during formatting: ${verb === "e" ? "scientific" : "fixed-point"} clause can only be used on doubles, was given ${typeNameOf(value)}`);
  if (!Number.isFinite(value)) return notFinite(value);
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
  return Math.abs(value) < 1e21 ? value.toFixed(precision) : `${BigInt(value)}${precision === 0 ? "" : `.${"0".repeat(precision)}`}`;
}

/** As `%s` writes any value; inside lists and maps texts are quoted. */
function render(value: Value, inside: boolean): string {
  switch (typeof value) {
    case "string": return inside ? goQuote(value) : value;
    case "bigint": case "boolean": return String(value);
    case "number": return !Number.isFinite(value) ? notFinite(value) : inside ? fixed(value, 6) : doubleText(value);
    default:
  }
  if (value === null) return "null";
  if (value instanceof Uint) return String(value.value);
  if (value instanceof Uint8Array) { const text = new TextDecoder().decode(value); return inside ? `b${goQuote(text)}` : text; }
  if (value instanceof Timestamp) return inside ? `timestamp(${goQuote(renderTimestamp(value))})` : renderTimestamp(value);
  if (value instanceof Duration) return inside ? `duration(${goQuote(renderDuration(value))})` : renderDuration(value);
  if (value instanceof TypeValue) return value.name;
  if (value instanceof List) return `[${Array.from(value, item => render(item, true)).join(", ")}]`;
  if (!(value instanceof Mapping)) throw new CelError(`error during formatting: string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps, was given ${typeNameOf(value)}`);
  const keys = [...value.keys()].sort((a, b) => (keyText(a)! < keyText(b)! ? -1 : 1));
  return `{${keys.map(key => `${render(key, true)}:${render(value.get(key)!, true)}`).join(", ")}}`;
}
