/** Sets of fields written under an older schema, made to fit the schema as it is now. */
import { type FieldSet, leaf } from "./apply-field-set.ts";
import { type Shape, deduced, isEmpty } from "./apply-shape.ts";

const fitting = new WeakMap<Shape, WeakSet<FieldSet>>();

/** Remembers that `set` fits: it was made under this very schema. */
export function rememberFit(shape: Shape, set: FieldSet): void {
  const sets = fitting.get(shape);
  if (sets === undefined) fitting.set(shape, new WeakSet([set]));
  else sets.add(set);
}

/** `reconcile`, once for each set: they are shared from one version of an object to the next. */
export function reconcileSet(shape: Shape, set: FieldSet): FieldSet {
  if (fitting.get(shape)?.has(set) === true) return set;
  const fits = reconcile(shape, set);
  rememberFit(shape, fits);
  return fits;
}

/**
 * Where a map or list has become atomic since, whoever owned a part of it owns it as a whole (structured-merge-diff
 * typed/reconcile_schema.go). Gives back `set` itself when nothing changes.
 */
function reconcile(shape: Shape, set: FieldSet): FieldSet {
  if (isEmpty(set) || shape.type === "deduced" || shape.type === "scalar") return set;
  if ((shape.type === "list" && shape.mode === "atomic") || (shape.type === "map" && shape.atomic)) return leaf;
  let out: { [element: string]: FieldSet } | undefined;
  for (const element in set) {
    if (element === ".") continue;
    const below = set[element]!;
    const fits = reconcile(childOf(shape, element), below);
    if (fits !== below) (out ??= { ...set })[element] = fits;
  }
  return out ?? set;
}

function childOf(shape: Shape, element: string): Shape {
  if (shape.type === "list") return shape.mode === "atomic" ? deduced : shape.item;
  if (shape.type !== "map") return deduced;
  return shape.fields.get(element.slice(2))?.shape ?? shape.item ?? deduced;
}
