import * as t from "../../schema/t.ts";

export const Taint = t.object("io.k8s.api.core.v1.Taint", {
  effect: t.oneOf("NoExecute", "NoSchedule", "PreferNoSchedule").pb(3).required().always("zero"),
  key: t.string().pb(1).required().always("zero"),
  timeAdded: t.time().pb(4).pointer(),
  value: t.string().pb(2),
});
export interface Taint extends t.Stored<typeof Taint> {}

export const Toleration = t.object("io.k8s.api.core.v1.Toleration", {
  effect: t.oneOf("NoExecute", "NoSchedule", "PreferNoSchedule").pb(4),
  key: t.string().pb(1),
  operator: t.oneOf("Equal", "Exists", "Gt", "Lt").pb(2),
  tolerationSeconds: t.int64().pb(5).pointer(),
  value: t.string().pb(3),
});
export interface Toleration extends t.Stored<typeof Toleration> {}
