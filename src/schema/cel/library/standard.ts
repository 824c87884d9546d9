/** CEL's own functions and operators (cel-go common/stdlib), with numbers of different types compared as Kubernetes wants. */
import { CelError } from "../error.ts";
import { doubleText } from "../numbers.ts";
import { decodeText } from "../format-text.ts";
import { type Library, type Overload, global, member, traversal } from "../functions.ts";
import { datePart, type DatePart, durationOf, parseDuration, parseTimestamp, renderDuration, renderTimestamp, timestampOf } from "../time.ts";
import { type Type, listOf, mapOf, optionalOf, param, types } from "../types.ts";
import { appended } from "../growing.ts";
import {
  Duration, Items, type List, type Mapping, Timestamp, TypeValue, Uint, type Value, checkedInt, checkedUint, compare, equal, intMax, intMin, same, sizeOf, typeNameOf, uintMax,
} from "../values.ts";

const { bool, int, uint, double, string, bytes, timestamp, duration, dyn } = types;
const A = param("A"), B = param("B"), listA = listOf(A), mapAB = mapOf(A, B);

const binary = (id: string, a: Type, b: Type, result: Type, call: (a: never, b: never) => Value, cost?: Overload["cost"]): Overload =>
  global(id, [a, b], result, ([x, y]) => call(x as never, y as never), cost);
const nothing = (): never => { throw new CelError("no such overload"); };

const shorter: Overload["cost"] = ([a, b]) => traversal(Math.min(sizeOf(a!), sizeOf(b!)));
const both: Overload["cost"] = ([a, b]) => traversal(sizeOf(a!) + sizeOf(b!));

function divided(a: bigint, b: bigint, what: "division" | "modulus"): bigint {
  if (b === 0n) throw new CelError(`${what} by zero`);
  return what === "division" ? a / b : a % b;
}

/** Kubernetes' sets and keyed lists add by identity: what both have comes once, the right one's (apiserver pkg/cel/common/values.go). */
export function addLists(a: List, b: List): List {
  const { unordered } = a;
  if (unordered === undefined) return appended(a, b);
  const all = new Map(Array.from(a, item => [unordered.keyOf(item), item]));
  for (const item of b) all.set(unordered.keyOf(item), item);
  return new Items([...all.values()], unordered);
}

const arithmetic: readonly [string, readonly Overload[]][] = [
  ["_+_", [
    binary("add_int64", int, int, int, (a: bigint, b: bigint) => checkedInt(a + b)), binary("add_uint64", uint, uint, uint, (a: Uint, b: Uint) => checkedUint(a.value + b.value)),
    binary("add_double", double, double, double, (a: number, b: number) => a + b), binary("add_string", string, string, string, (a: string, b: string) => a + b, both),
    binary("add_bytes", bytes, bytes, bytes, (a: Uint8Array, b: Uint8Array) => Uint8Array.from([...a, ...b]), both), binary("add_list", listA, listA, listA, addLists),
    binary("add_duration_duration", duration, duration, duration, (a: Duration, b: Duration) => durationOf(a.nanos + b.nanos)),
    binary("add_timestamp_duration", timestamp, duration, timestamp, (a: Timestamp, b: Duration) => timestampOf(a.nanos + b.nanos)),
    binary("add_duration_timestamp", duration, timestamp, timestamp, (a: Duration, b: Timestamp) => timestampOf(a.nanos + b.nanos)),
  ]],
  ["_-_", [
    binary("subtract_int64", int, int, int, (a: bigint, b: bigint) => checkedInt(a - b)), binary("subtract_uint64", uint, uint, uint, (a: Uint, b: Uint) => checkedUint(a.value - b.value)),
    binary("subtract_double", double, double, double, (a: number, b: number) => a - b), binary("subtract_duration_duration", duration, duration, duration, (a: Duration, b: Duration) => durationOf(a.nanos - b.nanos)),
    binary("subtract_timestamp_duration", timestamp, duration, timestamp, (a: Timestamp, b: Duration) => timestampOf(a.nanos - b.nanos)),
    binary("subtract_timestamp_timestamp", timestamp, timestamp, duration, (a: Timestamp, b: Timestamp) => durationOf(a.nanos - b.nanos)),
  ]],
  ["_*_", [
    binary("multiply_int64", int, int, int, (a: bigint, b: bigint) => checkedInt(a * b)), binary("multiply_uint64", uint, uint, uint, (a: Uint, b: Uint) => checkedUint(a.value * b.value)),
    binary("multiply_double", double, double, double, (a: number, b: number) => a * b),
  ]],
  ["_/_", [
    binary("divide_int64", int, int, int, (a: bigint, b: bigint) => checkedInt(divided(a, b, "division"))), binary("divide_uint64", uint, uint, uint, (a: Uint, b: Uint) => new Uint(divided(a.value, b.value, "division"))),
    binary("divide_double", double, double, double, (a: number, b: number) => a / b),
  ]],
  ["_%_", [binary("modulo_int64", int, int, int, (a: bigint, b: bigint) => divided(a, b, "modulus")), binary("modulo_uint64", uint, uint, uint, (a: Uint, b: Uint) => new Uint(divided(a.value, b.value, "modulus")))]],
  ["-_", [global("negate_int64", [int], int, ([a]) => checkedInt(-(a as bigint))), global("negate_double", [double], double, ([a]) => -(a as number))]],
  ["!_", [global("logical_not", [bool], bool, ([a]) => !(a as boolean))]],
];

const orderable: readonly Type[] = [bool, int, uint, double, string, bytes, timestamp, duration];
const numbers: readonly Type[] = [int, uint, double];
function ordered(a: Value, b: Value): number {
  const order = compare(a, b);
  if (Number.isNaN(order)) throw new CelError("NaN values cannot be ordered");
  return order;
}
function relation(name: string, holds: (order: number) => boolean): [string, readonly Overload[]] {
  const pairs = [...orderable.map(type => [type, type] as const), ...numbers.flatMap(a => numbers.flatMap(b => (a === b ? [] : [[a, b] as const])))];
  return [name, pairs.map(([a, b]) => binary(`${name}_${a.kind}_${b.kind}`, a, b, bool, (x: Value, y: Value) => holds(ordered(x, y)), a === string || a === bytes ? shorter : undefined))];
}

const comparisons: readonly [string, readonly Overload[]][] = [
  relation("_<_", order => order < 0), relation("_<=_", order => order <= 0), relation("_>_", order => order > 0), relation("_>=_", order => order >= 0),
  ["_==_", [global("equals", [A, A], bool, ([a, b]) => equal(a!, b!), shorter)]],
  ["_!=_", [global("not_equals", [A, A], bool, ([a, b]) => !same(a!, b!), shorter)]],
  ["@in", [
    global("in_list", [A, listA], bool, ([a, list]) => { for (const item of list as List) if (equal(a!, item)) return true; return false; }, ([, list]) => sizeOf(list!)),
    global("in_map", [A, mapAB], bool, ([a, map]) => (map as Mapping).get(a!) !== undefined),
  ]],
];

/** Worked by the evaluator itself: these say only which types go together. */
const syntax: readonly [string, readonly Overload[]][] = [
  ["_&&_", [global("logical_and", [bool, bool], bool, nothing)]], ["_||_", [global("logical_or", [bool, bool], bool, nothing)]],
  ["_?_:_", [global("conditional", [bool, A, A], A, nothing)]], ["@not_strictly_false", [global("not_strictly_false", [bool], bool, nothing)]],
  ["_[_]", [
    global("index_list", [listA, int], A, nothing), global("index_map", [mapAB, A], B, nothing),
    global("optional_list_index_int", [optionalOf(listA), int], optionalOf(A), nothing), global("optional_map_index_value", [optionalOf(mapAB), A], optionalOf(B), nothing),
  ]],
  ["_[?_]", [
    global("list_optindex_optional_int", [listA, int], optionalOf(A), nothing), global("optional_list_optindex_optional_int", [optionalOf(listA), int], optionalOf(A), nothing),
    global("map_optindex_optional_value", [mapAB, A], optionalOf(B), nothing), global("optional_map_optindex_optional_value", [optionalOf(mapAB), A], optionalOf(B), nothing),
  ]],
];

function toInt(value: Value): Value {
  if (value instanceof Uint) return value.value > intMax ? overflow("integer") : value.value;
  if (typeof value === "number") return !Number.isFinite(value) || value >= 2 ** 63 || value <= -(2 ** 63) ? overflow("integer") : BigInt(Math.trunc(value));
  if (value instanceof Timestamp) return (value.nanos - (((value.nanos % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n)) / 1_000_000_000n;
  if (value instanceof Duration) return value.nanos;
  if (typeof value !== "string") return value;
  const parsed = /^[+-]?\d{1,25}$/.test(value) ? BigInt(value) : undefined;
  if (parsed === undefined || parsed > intMax || parsed < intMin) throw new CelError("type conversion error from 'string' to 'int'");
  return parsed;
}
function toUint(value: Value): Value {
  if (typeof value === "bigint") return value < 0n ? overflow("unsigned integer") : new Uint(value);
  if (typeof value === "number") return !Number.isFinite(value) || value < 0 || value >= 2 ** 64 ? overflow("unsigned integer") : new Uint(BigInt(Math.trunc(value)));
  if (typeof value !== "string") return value;
  const parsed = /^\d{1,25}$/.test(value) ? BigInt(value) : undefined;
  if (parsed === undefined || parsed > uintMax) throw new CelError("type conversion error from 'string' to 'uint'");
  return new Uint(parsed);
}
function overflow(what: string): never {
  throw new CelError(`${what} overflow`);
}
function toDouble(value: Value): Value {
  if (typeof value === "bigint") return Number(value);
  if (value instanceof Uint) return Number(value.value);
  if (typeof value !== "string") return value;
  const special = /^([+-]?)(?:inf|infinity)$/i.exec(value);
  if (special !== null) return special[1] === "-" ? -Infinity : Infinity;
  if (/^nan$/i.test(value)) return NaN;
  if (!/^[+-]?(\d+(?:\.\d*)?|\.\d+)([eE][+-]?\d+)?$/.test(value)) throw new CelError("type conversion error from 'string' to 'double'");
  return Number(value);
}
function toText(value: Value): string {
  switch (typeof value) {
    case "string": return value;
    case "bigint": case "boolean": return String(value);
    case "number": return doubleText(value);
    default:
  }
  if (value instanceof Uint) return String(value.value);
  if (value instanceof Uint8Array) return decodeText(value);
  if (value instanceof Timestamp) return renderTimestamp(value);
  if (value instanceof Duration) return renderDuration(value);
  throw new CelError("no such overload");
}
function toDuration(value: Value): Value {
  if (value instanceof Duration) return value;
  const parsed = typeof value === "string" ? parseDuration(value) : undefined;
  if (parsed === undefined) throw new CelError(`type conversion error from '${typeNameOf(value)}' to 'google.protobuf.Duration'`);
  return parsed;
}
function toTimestamp(value: Value): Value {
  if (value instanceof Timestamp) return value;
  if (typeof value === "bigint") return timestampOf(value * 1_000_000_000n);
  const parsed = parseTimestamp(value as string);
  if (parsed === undefined) throw new CelError("type conversion error from 'string' to 'google.protobuf.Timestamp'");
  return parsed;
}

const convert = (name: string, from: readonly Type[], to: Type, call: (value: Value) => Value, cost?: Overload["cost"]): [string, readonly Overload[]] =>
  [name, from.map(type => global(`${type.kind}_to_${name}`, [type], to, ([value]) => call(value!), type === bytes || (type === string && to === bytes) ? cost : undefined))];
const textCost: Overload["cost"] = ([value]) => traversal(sizeOf(value!));

const conversions: readonly [string, readonly Overload[]][] = [
  convert("int", [int, uint, double, string, timestamp, duration], int, toInt), convert("uint", [uint, int, double, string], uint, toUint), convert("double", [double, int, uint, string], double, toDouble),
  convert("string", [string, bool, bytes, double, duration, int, timestamp, uint], string, toText, textCost),
  convert("bytes", [bytes, string], bytes, value => (typeof value === "string" ? new TextEncoder().encode(value) : value), textCost),
  convert("bool", [bool, string], bool, value => (typeof value === "boolean" ? value : toBool(value as string))), convert("duration", [duration, int, string], duration, toDuration),
  convert("timestamp", [timestamp, string, int], timestamp, toTimestamp), ["dyn", [global("to_dyn", [A], dyn, ([value]) => value!)]],
  ["type", [global("type", [A], { kind: "type", of: A }, ([value]) => new TypeValue(typeNameOf(value!)))]],
];
function toBool(text: string): boolean {
  if (["1", "t", "T", "true", "TRUE", "True"].includes(text)) return true;
  if (["0", "f", "F", "false", "FALSE", "False"].includes(text)) return false;
  throw new CelError("type conversion error from 'string' to 'bool'");
}

const sized = [string, bytes, listA, mapAB];
const texts: readonly [string, readonly Overload[]][] = [
  ["size", sized.flatMap(type => [global(`size_${type.kind}`, [type], int, ([value]) => BigInt(sizeOf(value!))), member(`${type.kind}_size`, [type], int, ([value]) => BigInt(sizeOf(value!)))])],
  ["startsWith", [member("starts_with_string", [string, string], bool, ([a, b]) => (a as string).startsWith(b as string), textCost)]],
  ["endsWith", [member("ends_with_string", [string, string], bool, ([a, b]) => (a as string).endsWith(b as string), textCost)]],
  ["contains", [member("contains_string", [string, string], bool, ([a, b]) => (a as string).includes(b as string), ([a, b]) => traversal(sizeOf(a!)) * traversal(sizeOf(b!)))]],
  ["matches", [global("matches", [string, string], bool, matches, matchCost), member("matches_string", [string, string], bool, matches, matchCost)]],
];
function matches([text, pattern]: readonly Value[], host: Parameters<Overload["call"]>[1]): Value {
  const regex = host.regex(pattern as string);
  if (regex === undefined) throw new CelError(`error parsing regexp: ${String(pattern)}`);
  return regex.test(text as string);
}
function matchCost([text, pattern]: readonly Value[]): number {
  return traversal(1 + sizeOf(text!)) * Math.ceil(sizeOf(pattern!) * 0.25);
}

const parts: readonly DatePart[] = ["FullYear", "Month", "Date", "DayOfMonth", "DayOfWeek", "DayOfYear", "Hours", "Minutes", "Seconds", "Milliseconds"];
const lengths: { readonly [part: string]: bigint } = { Hours: 3_600_000_000_000n, Minutes: 60_000_000_000n, Seconds: 1_000_000_000n, Milliseconds: 1_000_000n };
const dates: readonly [string, readonly Overload[]][] = parts.map(part => [`get${part}`, [
  member(`timestamp_to_${part}`, [timestamp], int, ([value]) => datePart(value as Timestamp, part)),
  member(`timestamp_to_${part}_with_tz`, [timestamp, string], int, ([value, zone]) => datePart(value as Timestamp, part, zone as string)),
  ...(lengths[part] === undefined ? [] : [member(`duration_to_${part}`, [duration], int, ([value]) => (value as Duration).nanos / lengths[part]!)]),
]]);

export const standardLibrary: Library = new Map([...arithmetic, ...comparisons, ...syntax, ...conversions, ...texts, ...dates]);
