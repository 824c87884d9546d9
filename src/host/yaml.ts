/** YAML as Kubernetes reads it (sigs.k8s.io/yaml over go-yaml v2): YAML 1.1 booleans and numbers, times stay strings, keys become strings. */
import { defineMappingTag, defineScalarTag, load, mergeTag, NOT_RESOLVED, nullYaml11Tag, Schema, seqTag, strTag } from "js-yaml";
import { setOwn, type Json } from "../base/json.ts";

const limits = { depth: 1000, aliases: 100, mergeKeys: 10_000 };
const digits = "0123456789+-.";

const intTag = defineScalarTag<number | bigint>("tag:yaml.org,2002:int", {
  implicit: true, implicitFirstChars: [...digits], identify: () => false,
  resolve: source => {
    const text = source.replaceAll("_", "");
    const match = /^([-+]?)(0b[01]+|0o[0-7]+|0x[0-9a-fA-F]+|0[0-7]+|0|[1-9]\d*)$/.exec(text);
    if (!match) return NOT_RESOLVED;
    const body = /^0[0-7]+$/.test(match[2]!) ? `0o${match[2]!.slice(1)}` : match[2]!;
    const value = BigInt(body) * (match[1] === "-" ? -1n : 1n);
    return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
  },
});

const yes = new Set(["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"]);
const no = new Set(["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"]);
const boolTag = defineScalarTag<boolean>("tag:yaml.org,2002:bool", {
  implicit: true, implicitFirstChars: [..."yYtToOnNfF"], identify: () => false,
  resolve: source => (yes.has(source) ? true : no.has(source) ? false : NOT_RESOLVED),
});

const floatTag = defineScalarTag<number>("tag:yaml.org,2002:float", {
  implicit: true, implicitFirstChars: [...digits], identify: () => false,
  // Infinity and NaN have no JSON: left as text, which no number field takes.
  resolve: source => (/^[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?$/.test(source) ? Number(source) : NOT_RESOLVED),
});

/** Duplicates told of one text, as of JSON: a hostile one could hold a million. */
const duplicatesMax = 100;

/** Parses one document. `duplicates` are keys written twice in one mapping (the last one counts). Throws with one line. */
export function parseYaml(text: string): { readonly value: Json; readonly duplicates: readonly string[] } {
  // No half of a pair may be escaped, as in JSON, nor a whole one.
  if (/^\s*\{/.test(text) && /(?:^|[^\\])(?:\\\\)*\\u[dD][89a-fA-F]/.test(text)) throw new Error("yaml: found invalid Unicode character escape code");
  const duplicates: string[] = [];
  const mapTag = defineMappingTag<{ [key: string]: Json }>("tag:yaml.org,2002:map", {
    create: () => ({}),
    has: (carrier, key) => Object.hasOwn(carrier, keyOf(key)),
    keys: carrier => Object.keys(carrier),
    get: (carrier, key) => (Object.hasOwn(carrier, keyOf(key)) ? carrier[keyOf(key)] : undefined),
    addPair: (carrier, key, value) => {
      if (typeof key === "object" && key !== null) return "a mapping or list cannot be a key";
      if (Object.hasOwn(carrier, keyOf(key)) && duplicates.length < duplicatesMax) duplicates.push(keyOf(key));
      setOwn(carrier, keyOf(key), value as Json);
      return "";
    },
    identify: () => false,
  });
  const schema = new Schema([strTag, seqTag, mapTag, nullYaml11Tag, boolTag, intTag, floatTag, mergeTag]);
  try {
    return { value: load(text, { schema, json: true, maxDepth: limits.depth, maxAliases: limits.aliases, maxTotalMergeKeys: limits.mergeKeys }) as Json, duplicates };
  } catch (error) {
    throw new Error(`yaml: ${(error as { readonly reason?: string }).reason ?? String(error)}`, { cause: error });
  }
}

const keyOf = (key: unknown): string => (key === null ? "null" : String(key));
