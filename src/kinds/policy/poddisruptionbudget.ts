import { goValue } from "../../schema/go-value.ts";
import { Condition } from "../meta/condition.ts";
import { LabelSelector } from "../meta/labelselector.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { invalidValue } from "../../schema/problem.ts";
import { intOrPercent, nonNegative, notMoreThanAll } from "../apps/workloadrules.ts";
import { validateLabelSelector } from "../meta/rules.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const PodDisruptionBudgetSpec = t.object("io.k8s.api.policy.v1.PodDisruptionBudgetSpec", {
  maxUnavailable: t.intOrString().pb(3).pointer().doc("How many pods may be missing, as a number or percentage."),
  minAvailable: t.intOrString().pb(1).pointer().doc("How many pods have to stay, as a number or percentage."),
  selector: LabelSelector.pb(2).replaced().doc("Pods that the budget is about, by their labels."),
  unhealthyPodEvictionPolicy: t.oneOf("AlwaysAllow", "IfHealthyBudget").pb(4).pointer().doc("Whether pods that are not ready may always be evicted."),
});
export interface PodDisruptionBudgetSpec extends t.Stored<typeof PodDisruptionBudgetSpec> {}

export const PodDisruptionBudgetStatus = t.object("io.k8s.api.policy.v1.PodDisruptionBudgetStatus", {
  conditions: t.listBy(Condition, "type").pb(7).mergeBy("type").doc("What is known about the object, one entry per aspect."),
  currentHealthy: t.int32().pb(4).always("zero").doc("Pods that are ready."),
  desiredHealthy: t.int32().pb(5).always("zero").doc("Pods that have to be."),
  disruptedPods: t.map(t.time()).pb(2).doc("Pods whose eviction was allowed and that are not gone yet, with the time."),
  disruptionsAllowed: t.int32().pb(3).always("zero").doc("How many pods may be evicted now."),
  expectedPods: t.int32().pb(6).always("zero").doc("Pods that are counted."),
  observedGeneration: t.int64().pb(1).doc("The metadata.generation that this status speaks of."),
});
export interface PodDisruptionBudgetStatus extends t.Stored<typeof PodDisruptionBudgetStatus> {}

export const PodDisruptionBudget = defineKind({
  group: "policy", version: "v1", kind: "PodDisruptionBudget", plural: "poddisruptionbudgets", namespaced: true, nameGrammar: "path-segment",
  conditionalUpdate: true,
  shortNames: ["pdb"], subresources: ["status"],
  generation: true,
  definition: "io.k8s.api.policy.v1.PodDisruptionBudget",
  doc: "How many pods of an application may be missing on purpose.",
  fields: {
    spec: PodDisruptionBudgetSpec.pb(2).always("{}").doc("How many pods have to stay."),
    status: PodDisruptionBudgetStatus.pb(3).always("{}").doc("How many may be evicted now."),
  },
  *rules(next, _previous, { subresource }) {
    const { spec, status } = next;
    if (subresource === "status") {
      for (const name of ["disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"] as const) yield* nonNegative(status[name], `status.${name}`);
      return;
    }
    if (spec.minAvailable !== undefined && spec.maxUnavailable !== undefined) yield invalidValue("spec", goValue(PodDisruptionBudgetSpec.node, spec), "minAvailable and maxUnavailable cannot be both set");
    for (const name of ["minAvailable", "maxUnavailable"] as const) {
      yield* intOrPercent(spec[name], `spec.${name}`);
      yield* notMoreThanAll(spec[name], `spec.${name}`);
    }
    yield* validateLabelSelector(spec.selector, "spec.selector");
  },
  columns: [
    nameColumn,
    { name: "Min Available", type: "string", doc: "Pods that must remain.", cell: ({ spec }) => (spec.minAvailable === undefined ? "N/A" : String(spec.minAvailable)) },
    { name: "Max Unavailable", type: "string", doc: "Pods that may be missing.", cell: ({ spec }) => (spec.maxUnavailable === undefined ? "N/A" : String(spec.maxUnavailable)) },
    { name: "Allowed Disruptions", type: "integer", doc: "Pods that may go right now.", cell: ({ status }) => status.disruptionsAllowed },
    ageColumn,
  ],
});
export interface PodDisruptionBudget extends Resource<typeof PodDisruptionBudget> {}
