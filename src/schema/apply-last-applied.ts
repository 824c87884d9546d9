/** kubectl's annotation of client-side apply: taken over once by its server-side apply, then kept in step. */
import { type Json, type JsonObject, isObject } from "../base/json.ts";
import { compare, fieldsOf } from "./apply-compare.ts";
import { difference, emptySet, hasPath } from "./apply-field-set.ts";
import { ownedShapeOf } from "./apply-shape.ts";
import { goJson } from "./go-format.ts";
import type { Node } from "./t.ts";

const lastAppliedAnnotation = "kubectl.kubernetes.io/last-applied-configuration";
/** Annotations of all keys together may not be longer (apimachinery api/validation/objectmeta.go). */
const annotationsBytesMax = 256 * 1024;

function annotationOf(object: JsonObject): string | undefined {
  const metadata = object["metadata"];
  const annotations = isObject(metadata) ? metadata["annotations"] : undefined;
  const value = isObject(annotations) ? annotations[lastAppliedAnnotation] : undefined;
  return typeof value === "string" && value !== "" ? value : undefined;
}

/**
 * Which conflicts `kubectl apply --server-side` may ignore: over fields that client-side apply set and that have still
 * that value (managedfields/internal/lastappliedmanager.go).
 */
export function allowedByLastApplied(node: Node, live: JsonObject, apiVersion: string): ((path: readonly string[]) => boolean) | undefined {
  const text = annotationOf(live);
  const last = text === undefined ? undefined : parse(text);
  if (!isObject(last) || last["apiVersion"] !== apiVersion) return undefined;
  const shape = ownedShapeOf(node);
  const differing = compare(shape, last, live, true, "written") ?? emptySet, gone = compare(shape, live, last, false, "written") ?? emptySet;
  const set = difference(difference(fieldsOf(shape, last) ?? emptySet, differing), gone);
  return path => hasPath(set, path);
}

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined; // any client may write the annotation: one that is no JSON allows nothing
  }
}

/** `object` whose annotation, if it has one, says what was applied now (managedfields/internal/lastappliedupdater.go). */
export function withLastApplied(object: JsonObject, applied: JsonObject): JsonObject {
  if (annotationOf(object) === undefined) return object;
  const metadata = object["metadata"] as JsonObject;
  const { [lastAppliedAnnotation]: _, ...annotations } = metadata["annotations"] as JsonObject;
  const text = `${goJson(withoutAnnotation(applied))}\n`;
  const bytes = Object.entries({ ...annotations, [lastAppliedAnnotation]: text }).reduce((sum, [key, value]) => sum + key.length + String(value).length, 0);
  return { ...object, metadata: { ...metadata, annotations: bytes > annotationsBytesMax ? annotations : { ...annotations, [lastAppliedAnnotation]: text } } };
}

function withoutAnnotation(applied: JsonObject): JsonObject {
  const metadata = applied["metadata"];
  if (!isObject(metadata) || !isObject(metadata["annotations"])) return applied;
  const { [lastAppliedAnnotation]: _, ...annotations } = metadata["annotations"];
  const { annotations: __, ...rest } = metadata;
  return { ...applied, metadata: { ...rest, annotations } };
}
