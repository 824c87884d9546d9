import * as t from "../../schema/t.ts";

export const LabelSelectorRequirement = t.object("io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelectorRequirement", {
  key: t.string().pb(1).required().always("zero").doc("The label."),
  operator: t.string().pb(2).required().always("zero").doc("How its value is compared: In, NotIn, Exists or DoesNotExist."),
  values: t.list(t.string()).pb(3).doc("What it is compared with."),
});
export interface LabelSelectorRequirement extends t.Stored<typeof LabelSelectorRequirement> {}

export const LabelSelector = t.object("io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector", {
  matchExpressions: t.list(LabelSelectorRequirement).pb(2).doc("Requirements that all must hold."),
  matchLabels: t.map(t.string()).pb(1).doc("Labels and the values they must have."),
}).atomic();
export interface LabelSelector extends t.Stored<typeof LabelSelector> {}
