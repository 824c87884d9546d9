/** Values that may be absent, and inserting into maps that loops build (cel-go cel/library.go, ext/comprehensions.go). */
import { CelError } from "../error.ts";
import { type Library, global, member } from "../functions.ts";
import { isZero } from "../zero.ts";
import { mapOf, optionalOf, param, types } from "../types.ts";
import { Entries, type Mapping, Optional, type Value, keyText, none, typeNameOf } from "../values.ts";

const A = param("A"), B = param("B"), optional = optionalOf(A), map = mapOf(A, B);
const lazy = (): never => { throw new CelError("no such overload"); };

function insert(into: Mapping, entries: Iterable<readonly [Value, Value]>): Value {
  const all = new Map<string, readonly [Value, Value]>();
  for (const key of into.keys()) all.set(keyText(key)!, [key, into.get(key)!]);
  for (const [key, value] of entries) {
    const text = keyText(key);
    if (text === undefined) throw new CelError(`unsupported key type: ${typeNameOf(key)}`);
    if (all.has(text)) throw new CelError(`insert failed: key ${typeof key === "string" ? key : text.slice(1)} already exists`);
    all.set(text, [key, value]);
  }
  return new Entries(all);
}

export const optionalLibrary: Library = new Map([
  ["optional.of", [global("optional_of", [A], optional, ([value]) => new Optional(value))]],
  ["optional.ofNonZeroValue", [global("optional_ofNonZeroValue", [A], optional, ([value]) => (isZero(value!) ? none : new Optional(value)))]],
  ["optional.none", [global("optional_none", [], optional, () => none)]],
  ["value", [member("optional_value", [optional], A, ([value]) => {
    const inner = (value as Optional).value;
    if (inner === undefined) throw new CelError("optional.none() dereference");
    return inner;
  })]],
  ["hasValue", [member("optional_hasValue", [optional], types.bool, ([value]) => (value as Optional).value !== undefined)]],
  ["or", [member("optional_or_optional", [optional, optional], optional, lazy)]],
  ["orValue", [member("optional_orValue_value", [optional, A], A, lazy)]],
  ["cel.@mapInsert", [
    global("@mapInsert_map_map", [map, map], map, ([into, more]) => insert(into as Mapping, Array.from((more as Mapping).keys(), key => [key, (more as Mapping).get(key)!] as const))),
    global("@mapInsert_map_key_value", [map, A, B], map, ([into, key, value]) => insert(into as Mapping, [[key!, value!]])),
  ]],
]);
