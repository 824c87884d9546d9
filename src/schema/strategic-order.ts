/** The order of lists merged by a strategic merge patch: the patch's own order counts most, then the server's. */
import type { Json } from "../base/json.ts";

type List = readonly Json[];
type KeyOf = (item: Json) => Json | undefined;

/** `items` of which `chosen` has a namesake, and the others. */
export function partition(items: List, chosen: List, keyOf: KeyOf, chosenKeyOf: KeyOf): readonly [List, List] {
  const keys = new Set(chosen.map(chosenKeyOf));
  const mine: Json[] = [], others: Json[] = [];
  for (const item of items) (keys.has(keyOf(item)) ? mine : others).push(item);
  return [mine, others];
}

/** Both lists of distinct scalars as one, without doubles, in the order described above. */
export function mergeScalars(was: List, given: List): List {
  const [mine, servers] = partition([...new Set([...was, ...given])], given, item => item, item => item);
  return inOrder(mine, servers, given, was, item => item);
}

/** `mine` in the order of `wanted`, with `servers` in the order of `had` set before the first of mine that came after them there. */
export function inOrder(mine: List, servers: List, wanted: List, had: List, keyOf: KeyOf): List {
  const places = placesOf(had, keyOf);
  const right = sortBy(mine, placesOf(wanted, keyOf), keyOf), left = sortBy(servers, places, keyOf);
  const out: Json[] = [];
  let i = 0, j = 0;
  while (i < left.length && j < right.length) {
    const l = places.get(keyOf(left[i]!)), r = places.get(keyOf(right[j]!));
    out.push(l !== undefined && r !== undefined && l < r ? left[i++]! : right[j++]!);
  }
  return [...out, ...left.slice(i), ...right.slice(j)];
}

function placesOf(list: List, keyOf: KeyOf): Map<Json | undefined, number> {
  const places = new Map<Json | undefined, number>();
  for (const [i, item] of list.entries()) if (!places.has(keyOf(item))) places.set(keyOf(item), i);
  return places;
}

function sortBy(list: List, places: ReadonlyMap<Json | undefined, number>, keyOf: KeyOf): List {
  const place = (item: Json): number => places.get(keyOf(item)) ?? Infinity;
  return [...list].sort((a, b) => { const x = place(a), y = place(b); return x === y ? 0 : x - y; });
}
