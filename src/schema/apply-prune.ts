/** What an applier no longer applies is removed, unless someone else owns it (structured-merge-diff merge/update.go, prune). */
import type { JsonObject } from "../base/json.ts";
import { fieldsOf } from "./apply-compare.ts";
import { type FieldSet, difference, emptySet, intersection, leaf, union } from "./apply-field-set.ts";
import { removePaths } from "./apply-merge.ts";
import { type Shape, deduced, isEmpty, shapeOf } from "./apply-shape.ts";
import type { Versions } from "./apply.ts";
import type { Owner } from "./managed-fields.ts";
import type { Node } from "./t.ts";

type Where = { readonly node: Node; readonly apiVersion: string; readonly versions?: Versions };

/** `merged` without the paths of `last` that nobody in `owners` (the applier's new entry among them) owns now; null where that leaves nothing. */
export function pruneUnapplied(where: Where, merged: JsonObject, last: Owner, owners: readonly Owner[]): JsonObject {
  const home = versionOf(where, last.apiVersion);
  if (home === undefined || isEmpty(last.set)) return merged;
  const byVersion = new Map<string, FieldSet>();
  for (const { apiVersion, set } of owners) byVersion.set(apiVersion, union(byVersion.get(apiVersion) ?? emptySet, set));
  const whole = home.to(merged);
  const lastNamed = withNamedFields(home.shape, last.set);
  let pruned = removePaths(home.shape, whole, lastNamed);
  // The version at hand first: what was pruned may be needed to convert to the others.
  const order = [last.apiVersion, ...[...byVersion.keys()].filter(version => version !== last.apiVersion)];
  for (const apiVersion of order) {
    const owned = byVersion.get(apiVersion), version = versionOf(where, apiVersion);
    if (owned === undefined || version === undefined) continue;
    pruned = home.to(version.from(addBackOwned(version.shape, version.to(merged), version.to(home.from(pruned)), owned)));
  }
  const gone = difference(named(home.shape, whole), named(home.shape, pruned));
  return home.from(removePaths(home.shape, whole, intersection(gone, lastNamed)));
}

/** `merged` without the paths that `pruned` lacks and nobody owns. */
function addBackOwned(shape: Shape, merged: JsonObject, pruned: JsonObject, owned: FieldSet): JsonObject {
  return removePaths(shape, merged, difference(named(shape, merged), union(named(shape, pruned), withNamedFields(shape, owned))));
}

function named(shape: Shape, object: JsonObject): FieldSet {
  return withNamedFields(shape, fieldsOf(shape, object) ?? emptySet);
}

function versionOf(where: Where, apiVersion: string): { readonly shape: Shape; readonly to: (object: JsonObject) => JsonObject; readonly from: (object: JsonObject) => JsonObject } | undefined {
  if (apiVersion === where.apiVersion) return { shape: shapeOf(where.node), to: object => object, from: object => object };
  const version = where.versions?.(apiVersion);
  return version === undefined ? undefined : { shape: shapeOf(version.node), to: version.to, from: version.from };
}

/** `set` and every declared field above its paths: structs, which sets leave out, are then members like map entries (fieldpath/set.go). */
export function withNamedFields(shape: Shape, set: FieldSet): FieldSet {
  if (isEmpty(set)) return set;
  const out: { [element: string]: FieldSet } = {};
  for (const [element, below] of Object.entries(set)) {
    if (element === ".") { out["."] = leaf; continue; }
    const [child, declared] = childOf(shape, element);
    const inner = withNamedFields(child, below);
    out[element] = declared && !isEmpty(inner) && !("." in inner) ? { ".": leaf, ...inner } : inner;
  }
  return out;
}

function childOf(shape: Shape, element: string): readonly [Shape, boolean] {
  if (shape.type === "list") return [shape.mode === "atomic" ? deduced : shape.item, false];
  if (shape.type !== "map") return [deduced, false];
  const field = element.startsWith("f:") ? shape.fields.get(element.slice(2)) : undefined;
  return field === undefined ? [shape.item ?? deduced, false] : [field.shape, true];
}
