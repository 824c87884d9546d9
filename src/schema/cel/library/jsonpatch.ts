/** Paths of JSON patches (apiserver pkg/cel/library/jsonpatch.go). */
import { type Library, global, traversal } from "../functions.ts";
import { types } from "../types.ts";
import { sizeOf } from "../values.ts";

export const jsonPatchLibrary: Library = new Map([
  ["jsonpatch.escapeKey", [global("string_jsonpatch_escapeKey_string", [types.string], types.string, ([key]) => (key as string).replace(/[~/]/g, each => (each === "~" ? "~0" : "~1")), ([key]) => traversal(sizeOf(key!)))]],
]);
