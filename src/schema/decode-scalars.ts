/** How single values are read: each keeps what Go keeps, in the form in which Go writes it. */
import { canonicalBase64 } from "../base/base64.ts";
import type { Json } from "../base/json.ts";
import { canonicalQuantity, QuantityError } from "../base/quantity.ts";
import { canonicalDuration } from "../base/duration.ts";
import type { Node } from "./t.ts";

/** Set when a field was met that the schema does not know. */
export type State = { unknown: boolean };
/** A decoded value, or `absent` where Go would leave the field out. */
export type Decoder = (value: Json, state: State) => unknown;
export const absent = undefined;
/** Thrown by the fast way, without a message: `explain` finds it. */
export class Mismatch extends Error {
  override name = "Mismatch";
}

const int64Max = 2n ** 63n - 1n;
const int64Min = -(2n ** 63n);

export function scalarDecoder(node: Node): Decoder {
  const keepsZero = node.pointer === true || node.always === "zero" || node.nullable === true && node.format === undefined;
  switch (node.kind) {
    case "boolean": return value => {
      if (typeof value === "boolean") return value || keepsZero ? value : absent;
      if (value === null) return absent;
      throw new Mismatch();
    };
    case "integer": return node.format === "int64" ? int64(keepsZero) : int32(keepsZero);
    case "number": return value => {
      if (typeof value === "number") return value !== 0 || keepsZero ? value : absent;
      if (value === null) return absent;
      if (typeof value === "bigint") return Number(value);
      throw new Mismatch();
    };
    default: return formats[node.format ?? "plain"]!(keepsZero);
  }
}

const int32 = (keepsZero: boolean): Decoder => value => {
  if (typeof value === "number") {
    if (value !== (value | 0)) throw new Mismatch();
    return value !== 0 || keepsZero ? value + 0 : absent;
  }
  if (value === null) return absent;
  throw new Mismatch();
};
const int64 = (keepsZero: boolean): Decoder => value => {
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new Mismatch();
    return value !== 0 || keepsZero ? value + 0 : absent;
  }
  if (value === null) return absent;
  if (typeof value === "bigint" && value <= int64Max && value >= int64Min) return value;
  throw new Mismatch();
};

const text = (keepsZero: boolean): Decoder => value => {
  if (typeof value === "string") return value !== "" || keepsZero ? value : absent;
  if (value === null) return absent;
  throw new Mismatch();
};
const formats: { readonly [format: string]: (keepsZero: boolean) => Decoder } = {
  plain: text,
  byte: keepsZero => value => {
    if (value === null) return absent;
    if (typeof value !== "string") throw new Mismatch();
    const bare = value.includes("\n") || value.includes("\r") ? value.replace(/[\r\n]/g, "") : value;
    if (!isBase64(bare)) throw new Mismatch();
    return bare !== "" || keepsZero ? canonicalBase64(bare) : absent;
  },
  "date-time": () => value => time(value, false),
  "micro-time": () => value => time(value, true),
  duration: () => value => {
    if (value === null) return absent;
    const canonical = typeof value === "string" ? canonicalDuration(value) : undefined;
    if (canonical === undefined) throw new Mismatch();
    return canonical;
  },
  quantity: () => value => {
    if (value === null) return absent;
    if (typeof value === "string" || typeof value === "number" || typeof value === "bigint") {
      try {
        return canonicalQuantity(value);
      } catch (error) {
        if (error instanceof QuantityError) throw new Mismatch();
        throw error;
      }
    }
    throw new Mismatch();
  },
  "int-or-string": () => value => {
    if (typeof value === "string" || (typeof value === "number" && value === (value | 0))) return value;
    if (value === null) return absent;
    throw new Mismatch();
  },
};

/** Standard base64 with padding, in linear time. */
export function isBase64(value: string): boolean {
  return value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value);
}

/** RFC 3339 as Go reads it; written in UTC with whole seconds, or six digits. */
function time(value: Json, micro: boolean): unknown {
  if (value === null) return absent;
  if (typeof value !== "string") throw new Mismatch();
  const canonical = canonicalTime(value, micro);
  if (canonical === undefined) throw new Mismatch();
  // To Go the zero time is none.
  return canonical.startsWith("0001-01-01T00:00:00") && (!micro || canonical.endsWith(".000000Z")) ? absent : canonical;
}
/** With `micro`, exactly six digits of a second are demanded. */
export function canonicalTime(value: string, micro: boolean): string | undefined {
  const parts = /^(\d{4}-\d{2}-\d{2})[T](\d{2}:\d{2}:\d{2})(?:[.,](\d+))?(Z|[+-]\d{2}:\d{2})$/.exec(value);
  if (!parts) return undefined;
  const [, date = "", clock = "", fraction = "", zone = ""] = parts;
  if (micro && fraction.length !== 6) return undefined;
  const ms = Date.parse(`${date}T${clock}${zone}`);
  // Date.parse accepts 31 February and 24:00; Go does not.
  if (Number.isNaN(ms) || clock.startsWith("24") || new Date(Date.parse(`${date}T00:00:00Z`)).toISOString().slice(0, 10) !== date) return undefined;
  const iso = new Date(ms).toISOString().slice(0, 19);
  return micro ? `${iso}.${fraction}Z` : `${iso}Z`;
}
