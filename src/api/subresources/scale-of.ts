/** A workload's size as an object, read from the workload and written to it. */
import { isObject, setOwn } from "../../base/json.ts";
import { copyJson } from "../../base/json-codec.ts";
import { selectorFromSet, selectorOf } from "../../base/selector.ts";
import { Scale } from "../../kinds/autoscaling/scale.ts";
import type { AnyKind } from "../../kinds/kind.ts";
import { invalidValue } from "../../schema/problem.ts";
import { invalid } from "../errors.ts";

export const scaleType = { apiVersion: "autoscaling/v1", kind: "Scale", node: Scale.schema.node };

/** Where a kind keeps how many it wants. */
export const replicasPath = ({ scale }: AnyKind): readonly string[] => (scale?.spec ?? "spec.replicas").split(".");
/** Throws Invalid for fewer than none. */
export function withReplicas(kind: AnyKind, object: any, replicas: number): any {
  if (replicas < 0) throw invalid(Scale, object.metadata.name, [invalidValue("spec.replicas", replicas, "must be greater than or equal to 0")]);
  const made = copyJson(object);
  put(made, replicasPath(kind), replicas);
  return made;
}
function put(object: any, [name = "", ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) return setOwn(object, name, value);
  if (!Object.hasOwn(object, name) || !isObject(object[name])) setOwn(object, name, {});
  put(object[name], rest, value);
}
const read = (object: any, path: string): any => path.split(".").reduce((value, name) => (isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined), object);

export function scaleOf({ scale: paths }: AnyKind, object: any): any {
  const { metadata, spec } = object;
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata;
  const replicas = read(object, paths?.spec ?? "spec.replicas");
  const selector = paths === undefined ? spec.selector : paths.selector === undefined ? undefined : read(object, paths.selector);
  const text = typeof selector === "string" ? selector : selector === undefined ? "" : (selector.matchLabels === undefined && selector.matchExpressions === undefined ? selectorFromSet(selector) : selectorOf(selector)).toString();
  return {
    ...{ kind: scaleType.kind, apiVersion: scaleType.apiVersion }, metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { ...(replicas === 0 || replicas === undefined ? {} : { replicas }) }, status: { replicas: read(object, paths?.status ?? "status.replicas") ?? 0, ...(text === "" ? {} : { selector: text }) },
  };
}
