/** JSON merge patch, RFC 7396 as upstream's library reads it (evanphx/json-patch merge.go). */
import { type Json, isObject, setOwn } from "../base/json.ts";

/** `original` with what `patch` says: null removes, objects merge, everything else replaces. */
export function mergePatch(original: Json, patch: Json): Json {
  // Quirk: what comes new loses its nulls in the objects of lists, too; a list in an object's place does not.
  if (Array.isArray(patch) && !isObject(original)) return (patch as readonly Json[]).map(item => mergePatch(null, item));
  if (!isObject(patch)) return patch;
  const out: { [key: string]: Json } = isObject(original) ? { ...original } : {};
  for (const key of Object.keys(patch)) {
    const given = patch[key]!;
    if (given === null) delete out[key];
    else setOwn(out, key, mergePatch(Object.hasOwn(out, key) ? out[key]! : null, given));
  }
  return out;
}
