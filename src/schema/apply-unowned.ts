/** Applying without owning: what a policy sets is nobody's (apiserver pkg/admission/plugin/policy/mutating/patch/smd.go). */
import { type Json, type JsonObject, isObject } from "../base/json.ts";
import { mergeApplied } from "./apply-merge.ts";
import { fitting, type Shape, shapeOf, deduced } from "./apply-shape.ts";
import { typedProblem } from "./apply-validate.ts";
import { withoutForeign } from "./go-format.ts";
import type { Node } from "./t.ts";

/** `live` with everything that `applied` says (`Foreign` values included), or why that cannot be. */
export function applyWithoutOwner(node: Node, live: JsonObject, applied: JsonObject): JsonObject | string {
  const shape = shapeOf(node);
  const problem = typedProblem(shape, applied);
  if (problem !== undefined) return `failed to convert patch object to typed object: ${problem}`;
  const plain = withoutForeign(applied) as JsonObject;
  const atomics = [...atomicsIn(shape, plain, "")];
  if (atomics.length > 0) return `invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: ${atomics.join(", ")}`;
  return (mergeApplied(shape, live, plain) ?? {}) as JsonObject;
}

/** Where the value would replace more than it names; what keys of maps hold is not looked at. */
function* atomicsIn(shape: Shape, value: Json, path: string): Iterable<string> {
  const fits = fitting(shape, value);
  if (isObject(value) && fits.type === "map") {
    if (fits.atomic) yield path;
    for (const [key, each] of Object.entries(value)) {
      const field = fits.fields.get(key);
      if (field !== undefined) yield* atomicsIn(field.shape, each, `${path}.${key}`);
    }
  } else if (Array.isArray(value) && (fits.type === "list" || fits.type === "deduced")) {
    const isAtomic = fits.type === "deduced" || fits.mode === "atomic";
    if (isAtomic) yield path;
    const item = fits.type === "deduced" ? deduced : fits.mode === "atomic" ? (fits.items === undefined ? deduced : shapeOf(fits.items)) : fits.item;
    for (const [i, each] of (value as readonly Json[]).entries()) yield* atomicsIn(item, each, `${path}[${i}]`);
  }
}
