import { msOf } from "../base/time.ts";
import type { Pod } from "../kinds/core/pod.ts";
import type { Taint, Toleration } from "../kinds/core/toleration.ts";

/** Does the toleration match the taint (upstream k8s.io/component-helpers ToleratesTaint)? */
export function tolerates({ effect, key, operator = "Equal", value = "" }: Toleration, taint: Taint): boolean {
  if (effect !== undefined && effect !== taint.effect) return false;
  if (key !== undefined && key !== "" && key !== taint.key) return false;
  return operator === "Exists" || (operator === "Equal" && value === (taint.value ?? ""));
}

/** When (ms) the pod has to leave because of NoExecute taints: in the past for one it does not tolerate, `undefined` for never. */
export function evictionTime(pod: Pod, taints: readonly Taint[], now: number): number | undefined {
  let earliest: number | undefined;
  for (const taint of taints) {
    if (taint.effect !== "NoExecute") continue;
    const toleration = (pod.spec.tolerations ?? []).find(candidate => tolerates(candidate, taint));
    if (toleration === undefined) return now;
    if (toleration.tolerationSeconds === undefined) continue;
    const time = (msOf(taint.timeAdded) ?? now) + Math.max(0, toleration.tolerationSeconds) * 1000;
    earliest = Math.min(earliest ?? Infinity, time);
  }
  return earliest;
}
