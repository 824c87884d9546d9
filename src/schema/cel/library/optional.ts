/** Values that may be absent, and inserting into maps that loops build (cel-go cel/library.go, ext/comprehensions.go). */
import { CelError } from "../error.ts";
import { type Library, global, member } from "../functions.ts";
import { inserted } from "../growing.ts";
import { isZero } from "../zero.ts";
import { listOf, mapOf, optionalOf, param, types } from "../types.ts";
import { Items, type List, type Mapping, Optional, type Value, none, typeNameOf } from "../values.ts";

const A = param("A"), B = param("B"), optional = optionalOf(A), map = mapOf(A, B);
const lazy = (): never => { throw new CelError("no such overload"); };

/** What those hold that hold something. */
function unwrap(list: List): Value {
  return new Items([...list].flatMap(each => {
    if (!(each instanceof Optional)) throw new CelError(`value is not an optional: ${typeNameOf(each)}`);
    return each.value === undefined ? [] : [each.value];
  }));
}

export const optionalLibrary: Library = new Map([
  ["optional.of", [global("optional_of", [A], optional, ([value]) => new Optional(value))]],
  ["optional.ofNonZeroValue", [global("optional_ofNonZeroValue", [A], optional, ([value]) => (isZero(value!) ? none : new Optional(value)))]],
  ["optional.none", [global("optional_none", [], optional, () => none)]],
  ["optional.unwrap", [global("optional_unwrap", [listOf(optional)], listOf(A), ([list]) => unwrap(list as List))]],
  ["unwrapOpt", [member("optional_unwrapOpt", [listOf(optional)], listOf(A), ([list]) => unwrap(list as List))]],
  ["value", [member("optional_value", [optional], A, ([value]) => {
    const inner = (value as Optional).value;
    if (inner === undefined) throw new CelError("optional.none() dereference");
    return inner;
  })]],
  ["hasValue", [member("optional_hasValue", [optional], types.bool, ([value]) => (value as Optional).value !== undefined)]],
  ["or", [member("optional_or_optional", [optional, optional], optional, lazy)]],
  ["orValue", [member("optional_orValue_value", [optional, A], A, lazy)]],
  ["cel.@mapInsert", [
    global("@mapInsert_map_map", [map, map], map, ([into, more]) => inserted(into as Mapping, Array.from((more as Mapping).keys(), key => [key, (more as Mapping).get(key)!] as const))),
    global("@mapInsert_map_key_value", [map, A, B], map, ([into, key, value]) => inserted(into as Mapping, [[key!, value!]])),
  ]],
]);
