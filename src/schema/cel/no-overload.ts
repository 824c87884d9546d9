/** What cel-go says where a value is not what a function or a loop is for. */
import { CelError } from "./error.ts";
import { Optional, TypeValue, type Value, typeNameOf } from "./values.ts";

const numeric = ["int", "uint", "double"], receivers = ["string", "google.protobuf.Timestamp", "google.protobuf.Duration"];
const compared = [...numeric, ...receivers, "bool", "bytes"], times = receivers.slice(1);
/** For functions that cel-go looks up by what a value can do: the types that can. */
const able: { readonly [name: string]: readonly string[] } = {
  "_+_": [...numeric, ...receivers, "bytes", "list"], "_-_": [...numeric, ...times], "_*_": numeric, "_/_": numeric, "_%_": ["int", "uint"], "-_": ["int", "double", "bool"],
  "_<_": compared, "_<=_": compared, "_>_": compared, "_>=_": compared, size: ["string", "bytes", "list", "map"], sort: ["list"], "@sortByAssociatedKeys": ["list"],
  "!_": [], "@in": [], matches: [], contains: [], startsWith: [], endsWith: [],
};
/** As cel-go says that a function is not for these values: by its name, by the types, or not at all (common/decls, interpreter/interpretable.go). */
export function noOverload(name: string, values: readonly Value[]): CelError {
  const types = values.map(typeNameOf), [first = ""] = types;
  if (name === "flatten") return new CelError(`no such overload: ${first === "map" ? "map(dyn, dyn)" : first}.flatten(${types.slice(1).join(", ")})`);
  const those = Object.hasOwn(able, name) ? able[name]! : undefined;
  if (those === undefined) return new CelError(`no such overload: ${name}(${types.join(", ")})`);
  if (those.length === 1 && first === "list") return new CelError("list elements must be comparable");
  if (those === compared && numeric.includes(first) && values.some(value => typeof value === "number" && Number.isNaN(value))) return new CelError("NaN values cannot be ordered");
  return new CelError(those.length === 0 || those.includes(first) || receivers.includes(first) ? "no such overload" : `no such overload: ${name}`);
}
/** What Go calls the type that holds a value. */
export function goTypeOf(value: Value): string {
  const name = typeNameOf(value).replace("google.protobuf.", "").replace("null_type", "null");
  if (value instanceof TypeValue) return "*types.Type";
  return value instanceof Optional ? "*types.Optional" : `types.${name[0]!.toUpperCase()}${name.slice(1)}`;
}
