/** Functions of lists: Kubernetes' own (apiserver pkg/cel/library/lists.go) and cel-go's (ext/lists.go, version 3); and of lists as sets (ext/sets.go). */
import { CelError } from "../error.ts";
import { type Library, type Overload, global, member } from "../functions.ts";
import { type Type, listOf, optionalOf, param, types } from "../types.ts";
import { Duration, Items, List, Mapping, Optional, Uint, type Value, checkedInt, checkedUint, compare, same, none, sizeOf, typeNameOf } from "../values.ts";
import { durationOf } from "../time.ts";

const { bool, int, uint, double, string, bytes, timestamp, duration } = types;
const A = param("A"), list = listOf(A);

/** Once through a list, and once through each text in it (apiserver pkg/cel/library/cost.go, traversalCost). */
export function traversed(value: Value): number {
  if (typeof value === "string") return Math.trunc(new TextEncoder().encode(value).length * 0.1);
  if (value instanceof Uint8Array) return Math.trunc(value.length * 0.1);
  let cost = 0;
  if (value instanceof List) for (const item of value) cost += traversed(item);
  else if (value instanceof Mapping) for (const key of value.keys()) cost += traversed(key) + traversed(value.get(key)!);
  else return 1;
  return cost;
}
const once: Overload["cost"] = ([value]) => traversed(value!);

function extreme(of: List, name: "max" | "min"): Value {
  let best: Value | undefined;
  for (const item of of) if (best === undefined || (name === "max" ? compare(item, best) > 0 : compare(item, best) < 0)) best = item;
  if (best === undefined) throw new CelError(`${name} called on empty list`);
  return best;
}
function sum(of: List, zero: Value): Value {
  let total = zero;
  for (const item of of) {
    if (typeof item === "bigint") total = checkedInt((total as bigint) + item);
    else if (item instanceof Uint) total = checkedUint((total as Uint).value + item.value);
    else if (item instanceof Duration) total = durationOf((total as Duration).nanos + item.nanos);
    else total = (total as number) + (item as number);
  }
  return total;
}
function isSorted(of: List): boolean {
  for (let i = 1; i < of.size; i++) if (compare(of.at(i - 1), of.at(i)) > 0) return false;
  return true;
}
function indexIn(of: List, wanted: Value, last: boolean): bigint {
  for (let n = 0; n < of.size; n++) {
    const i = last ? of.size - 1 - n : n;
    if (same(of.at(i), wanted)) return BigInt(i);
  }
  return -1n;
}

const comparable: readonly Type[] = [int, uint, double, bool, duration, timestamp, string, bytes];
const zeros: readonly (readonly [Type, Value])[] = [[int, 0n], [uint, new Uint(0n)], [double, 0], [duration, new Duration(0n)]];
const perType = (name: string, make: (type: Type) => Overload): [string, readonly Overload[]] => [name, comparable.map(make)];

function flatten(of: List, depth: bigint): Value[] {
  if (depth < 0n) throw new CelError("level must be non-negative");
  return [...of].flatMap(item => (item instanceof List && depth > 0n ? flatten(item, depth - 1n) : [item]));
}
function slice(of: List, start: bigint, end: bigint): List {
  if (start < 0n || end < 0n) throw new CelError(`cannot slice(${start}, ${end}), negative indexes not supported`);
  if (start > end) throw new CelError(`cannot slice(${start}, ${end}), start index must be less than or equal to end index`);
  if (end > BigInt(of.size)) throw new CelError(`cannot slice(${start}, ${end}), list is length ${of.size}`);
  return new Items([...of].slice(Number(start), Number(end)));
}
function distinct(of: List): List {
  const found: Value[] = [];
  for (const item of of) if (!found.some(other => same(other, item))) found.push(item);
  return new Items(found);
}
function sortBy(of: List, keys: List): List {
  const order = Array.from(keys, (key, i) => ({ key, i }));
  if (keys.size > 1 && order.some(({ key }) => typeNameOf(key) !== typeNameOf(order[0]!.key))) throw new CelError("list elements must have the same type");
  return new Items(order.sort((a, b) => compare(a.key, b.key)).map(({ i }) => of.at(i)));
}
/** Longest list that `lists.range` makes: what costs allow anyway. */
const rangeMax = 1_000_000n;
function range(count: bigint): List {
  if (count > rangeMax) throw new CelError(`lists.range(${count}) is too long`);
  return new Items(Array.from({ length: Number(count > 0n ? count : 0n) }, (_, i) => BigInt(i)));
}

/** A call that makes a list of this many. */
const makes = (size: number): number => Math.trunc(size) + 11;
const output: Overload["cost"] = (_args, result) => makes(sizeOf(result));
/** Every element compared with every other. */
const compared = (list: List): number => makes(list.size ** 2 * (list.size > 0 && (typeof list.at(0) === "string" || list.at(0) instanceof Uint8Array) ? 2.1 : 2));
const selfCompared: Overload["cost"] = ([list]) => compared(list as List);

const has = (of: List, item: Value): boolean => { for (const each of of) if (same(each, item)) return true; return false; };
const products: Overload["cost"] = ([a, b]) => 1 + sizeOf(a!) * sizeOf(b!);

export const listsLibrary: Library = new Map<string, readonly Overload[]>([
  perType("isSorted", type => member(`list_${type.kind}_is_sorted_bool`, [listOf(type)], bool, ([of]) => isSorted(of as List), once)),
  ["sum", zeros.map(([type, zero]) => member(`list_${type.kind}_sum_${type.kind}`, [listOf(type)], type, ([of]) => sum(of as List, zero), once))],
  perType("max", type => member(`list_${type.kind}_max_${type.kind}`, [listOf(type)], type, ([of]) => extreme(of as List, "max"), once)),
  perType("min", type => member(`list_${type.kind}_min_${type.kind}`, [listOf(type)], type, ([of]) => extreme(of as List, "min"), once)),
  ["indexOf", [member("list_a_index_of_int", [list, A], int, ([of, item]) => indexIn(of as List, item!, false), once)]],
  ["lastIndexOf", [member("list_a_last_index_of_int", [list, A], int, ([of, item]) => indexIn(of as List, item!, true), once)]],
  ["slice", [member("list_slice", [list, int, int], list, ([of, start, end]) => slice(of as List, start as bigint, end as bigint), output)]],
  ["flatten", [
    member("list_flatten", [listOf(list)], list, ([of]) => new Items(flatten(of as List, 1n)), ([of]) => makes(sizeOf(of!))),
    member("list_flatten_int", [listOf(types.dyn), int], listOf(types.dyn), ([of, depth]) => new Items(flatten(of as List, depth as bigint)), ([of, depth]) => makes(sizeOf(of!) * Number(depth as bigint))),
  ]],
  perType("sort", type => member(`list_${type.kind}_sort`, [listOf(type)], listOf(type), ([of]) => sortBy(of as List, of as List), selfCompared)),
  perType("@sortByAssociatedKeys", type => member(`list_${type.kind}_sortByAssociatedKeys`, [list, listOf(type)], list, ([of, keys]) => sortBy(of as List, keys as List), ([, keys]) => compared(keys as List))),
  ["lists.range", [global("lists_range", [int], listOf(int), ([count]) => range(count as bigint), output)]],
  ["reverse", [member("list_reverse", [list], list, ([of]) => new Items([...(of as List)].reverse()), output)]],
  ["distinct", [member("list_distinct", [list], list, ([of]) => distinct(of as List), selfCompared)]],
  ["first", [member("list_first", [list], optionalOf(A), ([of]) => ((of as List).size === 0 ? none : new Optional((of as List).at(0))))]],
  ["last", [member("list_last", [list], optionalOf(A), ([of]) => ((of as List).size === 0 ? none : new Optional((of as List).at((of as List).size - 1))))]],
  ["sets.contains", [global("list_sets_contains_list", [list, list], bool, ([a, b]) => [...(b as List)].every(item => has(a as List, item)), products)]],
  ["sets.equivalent", [global("list_sets_equivalent_list", [list, list], bool, ([a, b]) => [...(b as List)].every(item => has(a as List, item)) && [...(a as List)].every(item => has(b as List, item)), ([a, b]) => 1 + 2 * sizeOf(a!) * sizeOf(b!))]],
  ["sets.intersects", [global("list_sets_intersects_list", [list, list], bool, ([a, b]) => [...(b as List)].some(item => has(a as List, item)), products)]],
]);
