import * as t from "../../schema/t.ts";

export const Condition = t.object("io.k8s.apimachinery.pkg.apis.meta.v1.Condition", {
  lastTransitionTime: t.time().pb(4).required().always("null"),
  message: t.string().pb(6).required().always("zero"),
  observedGeneration: t.int64().pb(3),
  reason: t.string().pb(5).required().always("zero"),
  status: t.string().pb(2).required().always("zero"),
  type: t.string().pb(1).required().always("zero"),
});
export interface Condition extends t.Stored<typeof Condition> {}
