import * as t from "../../schema/t.ts";

export const Taint = t.object("io.k8s.api.core.v1.Taint", {
  effect: t.oneOf("NoExecute", "NoSchedule", "PreferNoSchedule").unchecked().pb(3).required().always("zero").doc("What happens to pods that do not tolerate it: NoSchedule, PreferNoSchedule or NoExecute."),
  key: t.string().pb(1).required().always("zero").doc("Key of the taint."),
  timeAdded: t.time().pb(4).pointer().doc("When it was added."),
  value: t.string().pb(2).doc("Value of the taint."),
});
export interface Taint extends t.Stored<typeof Taint> {}

export const Toleration = t.object("io.k8s.api.core.v1.Toleration", {
  effect: t.oneOf("NoExecute", "NoSchedule", "PreferNoSchedule").pb(4).doc("Effect that is tolerated; all if empty."),
  key: t.string().pb(1).doc("Key that is tolerated; all if empty."),
  operator: t.oneOf("Equal", "Exists", "Gt", "Lt").unchecked().pb(2).doc("How the value is compared: Equal or Exists, Lt or Gt."),
  tolerationSeconds: t.int64().pb(5).pointer().doc("How long a NoExecute taint is tolerated; forever if not given."),
  value: t.string().pb(3).doc("Value that is tolerated."),
});
export interface Toleration extends t.Stored<typeof Toleration> {}
