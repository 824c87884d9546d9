/** What the eviction endpoint knows of a budget's conditions. */
import { timeOf } from "../../base/time.ts";

type Condition = { readonly type: string; readonly status: string; readonly reason: string; readonly message: string; readonly lastTransitionTime: string; readonly observedGeneration?: number | undefined };

/** The conditions with DisruptionAllowed as `disruptionsAllowed` says (component-helpers apps/poddisruptionbudget). */
export function withDisruptionAllowed(conditions: readonly any[] | undefined, disruptionsAllowed: number, generation: number | undefined, now: number): readonly Condition[] {
  const status = disruptionsAllowed > 0 ? "True" : "False";
  const known = conditions?.find(({ type }) => type === "DisruptionAllowed");
  const condition: Condition = {
    type: "DisruptionAllowed", status, reason: status === "True" ? "SufficientPods" : "InsufficientPods", message: "",
    lastTransitionTime: known?.status === status ? known.lastTransitionTime : timeOf(now), ...(generation === undefined ? {} : { observedGeneration: generation }),
  };
  return known === undefined ? [...(conditions ?? []), condition] : conditions!.map(each => (each === known ? condition : each));
}
