import * as t from "../../schema/t.ts";

export const Condition = t.object("io.k8s.apimachinery.pkg.apis.meta.v1.Condition", {
  lastTransitionTime: t.time().pb(4).required().always("null").doc("When the status last changed."),
  message: t.string().pb(6).required().always("zero").doc("The same for people, in a sentence."),
  observedGeneration: t.int64().pb(3).doc("The metadata.generation that this entry speaks of."),
  reason: t.string().pb(5).required().always("zero").doc("Why it last changed, as one CamelCase word for programs."),
  status: t.string().pb(2).required().always("zero").doc("Whether it holds: True, False, or Unknown."),
  type: t.string().pb(1).required().always("zero").doc("Which aspect this is about."),
});
export interface Condition extends t.Stored<typeof Condition> {}
