import * as t from "../../schema/t.ts";

export const TopologySelectorLabelRequirement = t.object("io.k8s.api.core.v1.TopologySelectorLabelRequirement", {
  key: t.string().pb(1).required().always("zero").doc("Label of nodes."),
  values: t.list(t.string()).pb(2).required().always("[]").doc("Values that match."),
});
export interface TopologySelectorLabelRequirement extends t.Stored<typeof TopologySelectorLabelRequirement> {}

export const TopologySelectorTerm = t.object("io.k8s.api.core.v1.TopologySelectorTerm", {
  matchLabelExpressions: t.list(TopologySelectorLabelRequirement).pb(1).doc("Requirements that all must hold."),
}).atomic();
export interface TopologySelectorTerm extends t.Stored<typeof TopologySelectorTerm> {}
