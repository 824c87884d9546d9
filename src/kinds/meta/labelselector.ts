import * as t from "../../schema/t.ts";

export const LabelSelectorRequirement = t.object("io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelectorRequirement", {
  key: t.string().pb(1).required().always("zero"),
  operator: t.string().pb(2).required().always("zero"),
  values: t.list(t.string()).pb(3),
});
export interface LabelSelectorRequirement extends t.Stored<typeof LabelSelectorRequirement> {}

export const LabelSelector = t.object("io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector", {
  matchExpressions: t.list(LabelSelectorRequirement).pb(2),
  matchLabels: t.map(t.string()).pb(1),
}).atomic();
export interface LabelSelector extends t.Stored<typeof LabelSelector> {}
