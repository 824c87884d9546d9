/** Merges a partly specified object into a whole one, and removes fields by path, as structured-merge-diff does. */
import { type Json, type JsonObject, isObject, setOwn } from "../base/json.ts";
import { elementOf } from "./apply-compare.ts";
import { type FieldSet, isMember } from "./apply-field-set.ts";
import { type ListShape, type MapShape, type Shape, deduced, fitting, isEmpty } from "./apply-shape.ts";

/**
 * `live` with everything that `applied` says. Nothing is removed; lists with keys keep live's order where applied does
 * not say otherwise (typed/merge.go).
 */
export function mergeApplied(shape: Shape, live: Json | undefined, applied: Json | undefined): Json | undefined {
  if (applied === undefined) return live;
  if (live === undefined) return applied;
  const fits = fitting(shape, applied);
  if (fits !== fitting(shape, live)) return applied;
  if (fits.type === "map") return fits.atomic ? applied : mergeMaps(fits, live, applied);
  if (fits.type === "list") return fits.mode === "atomic" ? applied : mergeLists(fits, live, applied);
  return fits.type === "deduced" && (isObject(live) || isObject(applied)) && isMapOrNull(live) && isMapOrNull(applied) ? mergeMaps(undefined, live, applied) : applied;
}

function isMapOrNull(value: Json): boolean {
  return value === null || isObject(value);
}

function mergeMaps(shape: MapShape | undefined, live: Json, applied: Json): Json {
  if (!isObject(applied)) return isObject(live) && !isEmpty(live) ? live : applied;
  if (!isObject(live)) return applied;
  if (isEmpty(applied)) return isEmpty(live) ? applied : live;
  const out = { ...live } as { [key: string]: Json };
  for (const key of Object.keys(applied)) {
    const was = Object.hasOwn(live, key) ? live[key] : undefined;
    const merged = mergeApplied(shape?.fields.get(key)?.shape ?? shape?.item ?? deduced, was, applied[key]);
    if (merged !== undefined) setOwn(out, key, merged);
  }
  return out;
}

function mergeLists(shape: ListShape, live: Json, applied: Json): Json {
  const left = Array.isArray(live) ? (live as readonly Json[]) : [];
  const right = Array.isArray(applied) ? (applied as readonly Json[]) : [];
  if (left.length === 0) return right.length === 0 ? applied : right;
  if (right.length === 0) return live;
  const leftElements = left.map(item => elementOf(shape, item)), rightElements = right.map(item => elementOf(shape, item));
  // Items that live has twice are not merged with: they are replaced.
  const inLive = new Map<string | undefined, Json | undefined>();
  leftElements.forEach((element, i) => inLive.set(element, inLive.has(element) ? undefined : left[i]));
  const inApplied = new Set(rightElements);
  const shared = rightElements.filter(element => inLive.has(element));
  const done = new Set<string | undefined>();
  const out: Json[] = [];
  let l = 0, r = 0, s = 0;
  const takeApplied = (): void => {
    const element = rightElements[r];
    done.add(element);
    const merged = mergeApplied(shape.item, inLive.get(element), right[r]);
    if (merged !== undefined) out.push(merged);
    r++;
  };
  while (l < left.length || r < right.length) {
    const element = leftElements[l];
    if (l < left.length && r < right.length) {
      if (element === rightElements[r]) { takeApplied(); l++; s++; continue; }
      // A shared item, but not the one whose turn it is: applied's order wins.
      if (inApplied.has(element) && s < shared.length && shared[s] !== element) { l++; continue; }
    }
    if (l < left.length) {
      if (!inApplied.has(element)) { out.push(left[l]!); l++; continue; }
      if (done.has(element)) l++;
    }
    if (r < right.length) {
      const isShared = s < shared.length && shared[s] === rightElements[r];
      takeApplied();
      if (isShared) s++;
    }
  }
  return out;
}

/** `value` without the items of `paths`. What becomes empty that way becomes null, as in Go (typed/remove.go). */
export function removePaths(shape: Shape, value: JsonObject, paths: FieldSet): JsonObject {
  return (removeFrom(shape, value, paths) ?? {}) as JsonObject;
}

function removeFrom(shape: Shape, value: Json, paths: FieldSet): Json {
  const fits = fitting(shape, value);
  if (Array.isArray(value)) return fits.type === "list" && fits.mode !== "atomic" ? removeItems(fits, value as readonly Json[], paths) : value;
  if (!isObject(value) || (fits.type === "map" && fits.atomic)) return value;
  const type = fits.type === "map" ? fits : undefined;
  const out: { [key: string]: Json } = {};
  let kept = 0, changed = false;
  for (const key of Object.keys(value)) {
    const below = paths[`f:${key}`];
    if (below !== undefined && isMember(below)) { changed = true; continue; }
    const rest = below === undefined ? value[key]! : removeFrom(type?.fields.get(key)?.shape ?? type?.item ?? deduced, value[key]!, below);
    if (rest !== value[key]) changed = true;
    setOwn(out, key, rest);
    kept++;
  }
  return !changed ? value : kept > 0 ? out : null;
}

function removeItems(shape: ListShape, items: readonly Json[], paths: FieldSet): Json {
  const out: Json[] = [];
  for (const item of items) {
    const element = elementOf(shape, item);
    const below = element === undefined ? undefined : paths[element];
    if (below === undefined || !isMember(below)) out.push(below === undefined ? item : removeFrom(shape.item, item, below));
  }
  if (out.length === 0 && items.length > 0) return null;
  return out.length === items.length && out.every((item, i) => item === items[i]) ? items : out;
}

/** `pruned` without the nulls that stand for what pruning emptied; `before` is what it was pruned from. */
export function withoutEmptied(shape: Shape, before: Json, pruned: Json): Json {
  if (before === pruned) return pruned;
  const fits = fitting(shape, pruned);
  if (Array.isArray(pruned) && Array.isArray(before) && fits.type === "list" && fits.mode !== "atomic") {
    const was = new Map((before as readonly Json[]).map(item => [elementOf(fits, item), item]));
    return (pruned as readonly Json[]).filter(item => item !== null).map(item => withoutEmptied(fits.item, was.get(elementOf(fits, item)) ?? item, item));
  }
  if (!isObject(pruned) || !isObject(before)) return pruned;
  const type = fits.type === "map" ? fits : undefined;
  return Object.fromEntries(Object.keys(pruned).filter(key => pruned[key] !== null || before[key] === null)
    .map(key => [key, withoutEmptied(type?.fields.get(key)?.shape ?? type?.item ?? deduced, before[key] ?? null, pruned[key]!)]));
}
