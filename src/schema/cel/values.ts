/**
 * What CEL computes with. A JSON number is an int (bigint) where the schema says integer, a double (number) elsewhere; strings,
 * booleans and null are themselves; everything else is one of the classes here.
 */
import { CelError } from "./error.ts";

export class Uint {
  readonly value: bigint;
  constructor(value: bigint) {
    this.value = value;
  }
}
/** Nanoseconds since the epoch. */
export class Timestamp {
  readonly nanos: bigint;
  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}
export class Duration {
  readonly nanos: bigint;
  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}
export class Optional {
  readonly value: Value | undefined;
  constructor(value: Value | undefined) {
    this.value = value;
  }
}
export const none = new Optional(undefined);
/** What `type(x)` gives. */
export class TypeValue {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}
/** A value of a library's own: quantities, addresses, URLs … */
export abstract class Opaque {
  abstract readonly typeName: string;
  abstract equals(other: Opaque): boolean;
}

export abstract class List {
  abstract readonly size: number;
  abstract at(index: number): Value;
  /** How `==` and `+` take it: `set` and `map` lists of Kubernetes are not ordered. */
  readonly unordered: UnorderedList | undefined = undefined;
  /** Of a declared type: an error to compare with what is no list, or to index with what is no int. */
  readonly strict: boolean = false;
  *[Symbol.iterator](): Iterator<Value> {
    for (let i = 0; i < this.size; i++) yield this.at(i);
  }
}
export type UnorderedList = { readonly keyOf: (item: Value) => string };
export abstract class Mapping {
  abstract readonly size: number;
  /** `undefined`: there is no such key. */
  abstract get(key: Value): Value | undefined;
  abstract keys(): Iterable<Value>;
  /** Whether what has no declared type is the same. */
  sameRest(_other: Mapping): boolean {
    return true;
  }
  /** Of a declared type: an error to compare with what is no map. */
  readonly strict: boolean = false;
  /** Objects with a schema are of their own type. */
  readonly typeName: string = "map";
}
export type Value = null | boolean | bigint | number | string | Uint | Uint8Array | Timestamp | Duration | Optional | TypeValue | Opaque | List | Mapping;

export class Items extends List {
  readonly items: readonly Value[];
  override readonly unordered: UnorderedList | undefined;
  constructor(items: readonly Value[], unordered?: UnorderedList) {
    super();
    this.items = items;
    this.unordered = unordered;
  }
  override get size(): number {
    return this.items.length;
  }
  override at(index: number): Value {
    return this.items[index]!;
  }
}
export class Entries extends Mapping {
  readonly entries: ReadonlyMap<string, readonly [Value, Value]>;
  constructor(entries: ReadonlyMap<string, readonly [Value, Value]>) {
    super();
    this.entries = entries;
  }
  override get size(): number {
    return this.entries.size;
  }
  override get(key: Value): Value | undefined {
    const text = keyText(key);
    return text === undefined ? undefined : this.entries.get(text)?.[1];
  }
  override *keys(): Iterable<Value> {
    for (const [key] of this.entries.values()) yield key;
  }
}

/** The same text for keys that are equal, whatever number type they have; `undefined` for what cannot be a key. */
export function keyText(key: Value): string | undefined {
  if (typeof key === "string") return `s${key}`;
  if (typeof key === "bigint") return `n${key}`;
  if (key instanceof Uint) return `n${key.value}`;
  if (typeof key === "boolean") return `b${key}`;
  return typeof key === "number" && Number.isInteger(key) ? `n${BigInt(key)}` : undefined;
}

export function typeNameOf(value: Value): string {
  switch (typeof value) {
    case "boolean": return "bool";
    case "bigint": return "int";
    case "number": return "double";
    case "string": return "string";
    default:
  }
  if (value === null) return "null_type";
  if (value instanceof Uint) return "uint";
  if (value instanceof Uint8Array) return "bytes";
  if (value instanceof Timestamp) return "google.protobuf.Timestamp";
  if (value instanceof Duration) return "google.protobuf.Duration";
  if (value instanceof Optional) return "optional_type";
  if (value instanceof TypeValue) return "type";
  if (value instanceof List) return "list";
  return (value as Mapping | Opaque).typeName;
}

/** What costs are reckoned by: characters, bytes, items; 1 for everything else. */
export function sizeOf(value: Value): number {
  if (typeof value === "string") return codePoints(value);
  if (value instanceof Uint8Array) return value.length;
  if (value instanceof List || value instanceof Mapping) return value.size;
  return value instanceof Optional && value.value !== undefined ? sizeOf(value.value) : 1;
}
export function codePoints(text: string): number {
  let count = text.length;
  for (let i = 0; i < text.length; i++) if ((text.charCodeAt(i) & 0xfc00) === 0xd800 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) { count--; i++; }
  return count;
}

/** `==`: numbers by value whatever their type; values of different types are not equal. */
export function equal(a: Value, b: Value): boolean {
  if (a === b) return true;
  const order = compareNumbers(a, b);
  if (order !== undefined) return order === 0;
  if (a === null || b === null || typeof a !== "object") return false;
  if (a instanceof Uint8Array) return b instanceof Uint8Array && a.length === b.length && a.every((byte, i) => byte === b[i]);
  if (a instanceof Timestamp) return b instanceof Timestamp && a.nanos === b.nanos;
  if (a instanceof Duration) return b instanceof Duration && a.nanos === b.nanos;
  if (a instanceof TypeValue) return b instanceof TypeValue && a.name === b.name;
  if (a instanceof Optional) return b instanceof Optional && (a.value === undefined || b.value === undefined ? a.value === b.value : equal(a.value, b.value));
  if (a instanceof Opaque) {
    if (b instanceof Opaque && a.typeName === b.typeName) return a.equals(b);
    throw new CelError("no such overload");
  }
  if (a instanceof List && b instanceof List) return equalLists(a, b);
  if (a instanceof Mapping && b instanceof Mapping) return equalMaps(a, b);
  if (!(a instanceof Uint) && a.strict) throw new CelError("no such overload");
  return false;
}

/** `equal`, and not what cannot be compared. */
export function same(a: Value, b: Value): boolean {
  try {
    return equal(a, b);
  } catch (error) {
    if (error instanceof CelError) return false;
    throw error;
  }
}

function equalLists(a: List, b: List): boolean {
  if (a.size !== b.size) return false;
  const { unordered } = a;
  if (unordered === undefined) {
    for (let i = 0; i < a.size; i++) if (!equal(a.at(i), b.at(i))) return false;
    return true;
  }
  const items = new Map(Array.from(b, item => [unordered.keyOf(item), item]));
  return [...a].every(item => {
    const other = items.get(unordered.keyOf(item));
    return other !== undefined && equal(item, other);
  });
}
function equalMaps(a: Mapping, b: Mapping): boolean {
  if (a.size !== b.size) return false;
  for (const key of a.keys()) {
    if (key === null) continue;
    const one = a.get(key), other = b.get(key);
    if (one === undefined || other === undefined ? one !== other : !equal(one, other)) return false;
  }
  return a.sameRest(b);
}

/** -1, 0, 1; NaN for what no order has; `undefined` if they are not both numbers. */
export function compareNumbers(a: Value, b: Value): number | undefined {
  const x = a instanceof Uint ? a.value : a, y = b instanceof Uint ? b.value : b;
  if ((typeof x !== "bigint" && typeof x !== "number") || (typeof y !== "bigint" && typeof y !== "number")) return undefined;
  return x < y ? -1 : x > y ? 1 : x == y ? 0 : NaN; // eslint-disable-line eqeqeq -- an int and a double may be equal
}

/** The order of values of one type. */
export function compare(a: Value, b: Value): number {
  const numbers = compareNumbers(a, b);
  if (numbers !== undefined) return numbers;
  if (typeof a === "string" && typeof b === "string") return compareText(a, b);
  if (typeof a === "boolean" && typeof b === "boolean") return Number(a) - Number(b);
  if ((a instanceof Timestamp && b instanceof Timestamp) || (a instanceof Duration && b instanceof Duration)) return a.nanos < b.nanos ? -1 : a.nanos > b.nanos ? 1 : 0;
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    for (let i = 0; i < a.length && i < b.length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
    return a.length - b.length;
  }
  throw new CelError("no such overload");
}

/** By code point, as Go compares UTF-8. */
function compareText(a: string, b: string): number {
  if (a === b) return 0;
  for (let i = 0; i < a.length && i < b.length; i++) {
    const x = a.charCodeAt(i), y = b.charCodeAt(i);
    if (x === y) continue;
    // Surrogates stand for code points above all others.
    const high = (unit: number): boolean => unit >= 0xd800 && unit < 0xe000;
    return high(x) === high(y) ? x - y : high(x) ? 1 : -1;
  }
  return a.length - b.length;
}

export const intMin = -(2n ** 63n), intMax = 2n ** 63n - 1n, uintMax = 2n ** 64n - 1n;
export function checkedInt(value: bigint): bigint {
  if (value < intMin || value > intMax) throw new CelError("integer overflow");
  return value;
}
export function checkedUint(value: bigint): Uint {
  if (value < 0n || value > uintMax) throw new CelError("unsigned integer overflow");
  return new Uint(value);
}
