/** Whether a pod bears a node's taints (component-helpers scheduling/corev1/helpers.go). */
import type { Pod } from "../kinds/core/pod.ts";
import type { Taint } from "./node-info.ts";

export type Toleration = NonNullable<Pod["spec"]["tolerations"]>[number];

export function tolerates(toleration: Toleration, taint: Taint): boolean {
  const { effect = "", key = "", operator = "", value = "" } = toleration;
  if (effect !== "" && effect !== taint.effect) return false;
  if (key !== "" && key !== taint.key) return false;
  switch (operator) {
    case "": case "Equal": return value === (taint.value ?? "");
    case "Exists": return true;
    // Lt and Gt are for a feature that 1.36 has switched off (TaintTolerationComparisonOperators).
    default: return false;
  }
}

export function toleratesAll(tolerations: readonly Toleration[] | undefined, taints: readonly Taint[]): boolean {
  for (const taint of taints) if (!toleratedBy(tolerations, taint)) return false;
  return true;
}

export function toleratedBy(tolerations: readonly Toleration[] | undefined, taint: Taint): boolean {
  if (tolerations !== undefined) for (const toleration of tolerations) if (tolerates(toleration, taint)) return true;
  return false;
}
