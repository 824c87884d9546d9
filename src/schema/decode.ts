/**
 * From what a client sent to what we hold. Fields that the schema does not know are dropped and reported; what is left is in the
 * form Go would write: zero values of plain fields are gone, `always` fields are there, quantities and times are canonical.
 * Each node is compiled once to a closure that does only the fast way; what is wrong is found by a second, slower walk.
 */
import { isObject, type Json, setOwn } from "../base/json.ts";
import { copyJson } from "../base/json-codec.ts";
import { cutIntegers, explain, type Words } from "./decode-explain.ts";
import { absent, type Decoder, Mismatch, scalarDecoder, type State } from "./decode-scalars.ts";
import { givenEmpty } from "./go-nulls.ts";
import type { Node } from "./t.ts";

/** The value cannot be read as the type; the message is that of Go's decoder. */
export class DecodeError extends Error {
  override name = "DecodeError";
}
export type Decoded = { readonly object: any; /** Paths of fields that the schema does not know: `spec.foo`, `spec.containers[0].imge`. */ readonly unknown: readonly string[] };

/** Reads `value` as `node` says. The result is a private copy that may be changed. `words`: whose an error's are. */
export function decode(node: Node, value: Json, words?: Words): Decoded {
  if (node.custom !== undefined) return node.custom.decode(value, words === "applied");
  const state: State = { unknown: false };
  const object = attempt(node, value, state, words);
  return { object: object === absent ? zeroOf(node) : object, unknown: state.unknown ? explain(node, value).unknown : [] };
}

function attempt(node: Node, value: Json, state: State, words: Words | undefined): unknown {
  try {
    return decoderOf(node)(value, state);
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error;
    const { mismatch } = explain(node, value, words);
    if (mismatch === undefined && words !== undefined && words !== "json") return decoderOf(node)(cutIntegers(node, value), state);
    throw new DecodeError(mismatch ?? "the object cannot be decoded");
  }
}

const compiled = new WeakMap<Node, Decoder>();
/** The closure that decodes `node`; made once. Recursive schemas meet themselves through this cache. */
export function decoderOf(node: Node): Decoder {
  let decoder = compiled.get(node);
  if (decoder) return decoder;
  compiled.set(node, (value, state) => decoderOf(node)(value, state));
  decoder = compile(node);
  compiled.set(node, decoder);
  return decoder;
}

function compile(node: Node): Decoder {
  if (node.wire === "bool-or-schema" || node.wire === "schema-or-array" || node.wire === "schema-or-strings") return unionDecoder(node);
  switch (node.kind) {
    case "any": return node.nullable === true ? value => copyJson(value) : value => (value === null ? absent : copyJson(value));
    case "list": return listDecoder(node);
    case "map": return mapDecoder(node);
    case "object": return objectDecoder(node);
    default: return scalarDecoder(node);
  }
}

function listDecoder(node: Node): Decoder {
  const items = node.items!;
  const item = decoderOf(items);
  // Who owns what: an empty list is a client's wish to start anew.
  const kept = node.nullable === true;
  return (value, state) => {
    if (value === null) return absent;
    if (!Array.isArray(value)) throw new Mismatch();
    if (value.length === 0) return node.always === "[]" ? givenEmpty : kept ? [] : absent;
    const list = new Array<unknown>(value.length);
    for (let i = 0; i < value.length; i++) {
      const decoded = item(value[i] as Json, state);
      list[i] = decoded === absent ? zeroOf(items) : decoded;
    }
    return list;
  };
}

function mapDecoder(node: Node): Decoder {
  const items = node.items!;
  const item = decoderOf(items);
  return (value, state) => {
    if (value === null) return absent;
    if (!isObject(value)) throw new Mismatch();
    const map: { [key: string]: unknown } = {};
    let empty = true;
    for (const key in value) {
      empty = false;
      const decoded = item(value[key]!, state);
      setOwn(map, key, decoded === absent ? zeroOf(items) : decoded);
    }
    return empty && node.always === undefined ? absent : map;
  };
}

function objectDecoder(node: Node): Decoder {
  let fields: Map<string, Decoder> | undefined;
  let always: readonly (readonly [string, () => unknown])[] = [];
  const keepUnknown = node.preserveUnknown === true;
  // Field lists are read when first needed: lazy nodes have getters that must not run while kinds are being declared.
  const prepare = (): Map<string, Decoder> => {
    const entries = Object.entries(node.fields ?? {});
    always = entries.filter(([, field]) => field.always !== undefined && field.always !== "null").map(([name, field]) => [name, zeroMaker(field)]);
    return (fields = new Map(entries.map(([name, field]) => [name, decoderOf(field)])));
  };
  return (value, state) => {
    if (value === null) return absent;
    if (typeof value !== "object" || Array.isArray(value)) throw new Mismatch();
    const known = fields ?? prepare();
    const object: { [key: string]: unknown } = {};
    // JSON inherits nothing that is enumerable.
    for (const key in value) {
      const given = (value as { readonly [key: string]: Json | undefined })[key];
      // Objects that never were JSON may hold undefined: the same as nothing.
      if (given === undefined) continue;
      const decoder = known.get(key);
      if (decoder === undefined) {
        if (keepUnknown) setOwn(object, key, copyJson(given));
        else state.unknown = true;
        continue;
      }
      const decoded = decoder(given, state);
      if (decoded !== absent) setOwn(object, key, decoded);
    }
    for (let i = 0; i < always.length; i++) {
      const [name, make] = always[i]!;
      if (object[name] === undefined) setOwn(object, name, make());
    }
    return object;
  };
}

/** JSON schemas that may be a bool, a list or a list of strings instead (CustomResourceDefinition's JSONSchemaPropsOr…). */
function unionDecoder(node: Node): Decoder {
  return (value, state) => {
    const schema = node.items!;
    if (value === null) return absent;
    if (node.wire === "bool-or-schema" && typeof value === "boolean") return value;
    if (node.wire === "schema-or-array" && Array.isArray(value)) return value.map(item => decoderOf(schema)(item as Json, state) ?? {});
    if (node.wire === "schema-or-strings" && Array.isArray(value)) {
      if (!value.every(item => typeof item === "string")) throw new Mismatch();
      return [...value];
    }
    // Quirk: upstream takes everything else for nothing.
    if (node.wire !== "bool-or-schema" && !isObject(value)) return absent;
    return decoderOf(schema)(value, state);
  };
}

/** `zeroOf`, knowing beforehand whether there is anything to make. */
function zeroMaker(node: Node): () => unknown {
  if (node.kind === "object") return Object.values(node.fields ?? {}).some(field => field.always !== undefined && field.always !== "null") ? () => zeroOf(node) : () => ({});
  if (node.kind === "list" || node.kind === "map") return () => zeroOf(node);
  const zero = zeroOf(node);
  return () => zero;
}

/** What Go has where nothing was given: a fresh value each time. */
export function zeroOf(node: Node): unknown {
  switch (node.kind) {
    case "string": return node.format === "quantity" ? "0" : node.format === "int-or-string" ? 0 : node.format === "date-time" || node.format === "micro-time" ? null : node.format === "duration" ? "0s" : "";
    case "integer": case "number": return 0;
    case "boolean": return false;
    case "list": return [];
    case "map": return {};
    case "any": return null;
    case "object": {
      const object: { [key: string]: unknown } = {};
      for (const [name, field] of Object.entries(node.fields ?? {})) {
        if (field.always !== undefined && field.always !== "null") setOwn(object, name, zeroOf(field));
      }
      return object;
    }
  }
}
