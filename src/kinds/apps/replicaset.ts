import { PodTemplateSpec } from "../core/podspec.ts";
import { LabelSelector } from "../meta/labelselector.ts";
import { ageColumn, nameColumn, selectorOrNone, templateColumns } from "../columns.ts";
import { defaultPodSpec, dropGatedPodFields } from "../core/poddefaults.ts";
import { immutableSelector, nonNegative, validateCounts, validateSelectorAndTemplate } from "./workloadrules.ts";
import { defineKind, type Resource } from "../kind.ts";
import { templateWarnings } from "../core/podwarnings.ts";
import * as t from "../../schema/t.ts";

export const ReplicaSetSpec = t.object("io.k8s.api.apps.v1.ReplicaSetSpec", {
  minReadySeconds: t.int32().pb(4).doc("How long a pod must have been ready before it counts as available."),
  replicas: t.int32().pb(1).pointer().default(1).doc("How many pods are wanted."),
  selector: LabelSelector.pb(2).required().always("null").doc("Labels by which the pods are found."),
  template: PodTemplateSpec.pb(3).always("{}").doc("What pods are made from."),
});
export interface ReplicaSetSpec extends t.Stored<typeof ReplicaSetSpec> {}

export const ReplicaSetCondition = t.object("io.k8s.api.apps.v1.ReplicaSetCondition", {
  lastTransitionTime: t.time().pb(3).always("null").doc("When the status last changed."),
  message: t.string().pb(5).doc("The same for people, in a sentence."),
  reason: t.string().pb(4).doc("Why it last changed, as one CamelCase word for programs."),
  status: t.string().pb(2).required().always("zero").doc("Whether it holds: True, False, or Unknown."),
  type: t.string().pb(1).required().always("zero").doc("Which aspect this is about."),
});
export interface ReplicaSetCondition extends t.Stored<typeof ReplicaSetCondition> {}

export const ReplicaSetStatus = t.object("io.k8s.api.apps.v1.ReplicaSetStatus", {
  availableReplicas: t.int32().pb(5).doc("Pods that have been ready for long enough."),
  conditions: t.listBy(ReplicaSetCondition, "type").pb(6).mergeBy("type").doc("What is known about the object, one entry per aspect."),
  fullyLabeledReplicas: t.int32().pb(2).doc("Pods that have all labels of the template."),
  observedGeneration: t.int64().pb(3).doc("The metadata.generation that this status speaks of."),
  readyReplicas: t.int32().pb(4).doc("Pods that are ready."),
  replicas: t.int32().pb(1).required().always("zero").doc("Pods that exist."),
  terminatingReplicas: t.int32().pb(7).pointer().doc("Pods that are going."),
});
export interface ReplicaSetStatus extends t.Stored<typeof ReplicaSetStatus> {}

export const ReplicaSet = defineKind({
  group: "apps", version: "v1", kind: "ReplicaSet", plural: "replicasets", namespaced: true,
  shortNames: ["rs"], categories: ["all"], subresources: ["scale", "status"],
  generation: true,
  definition: "io.k8s.api.apps.v1.ReplicaSet",
  doc: "Keeps a number of pods made from one template running.",
  fields: {
    spec: ReplicaSetSpec.pb(2).always("{}").doc("How many pods, and which."),
    status: ReplicaSetStatus.pb(3).always("{}").doc("How many there are."),
  },
  defaults({ spec }) { defaultPodSpec(spec.template.spec); },
  prepare({ spec }) { dropGatedPodFields(spec.template.spec); },
  *rules(next, previous, { subresource }) {
    if (subresource === "status") {
      yield* validateCounts(next.status, ["fullyLabeledReplicas", "readyReplicas", "availableReplicas"]);
      return;
    }
    yield* nonNegative(next.spec.replicas, "spec.replicas");
    yield* nonNegative(next.spec.minReadySeconds, "spec.minReadySeconds");
    yield* validateSelectorAndTemplate(next.spec);
    if (previous !== undefined) yield* immutableSelector(next.spec.selector, previous.spec.selector);
  },
  warnings: templateWarnings("spec.template", ({ spec }) => spec.template, "named"),
  columns: [
    nameColumn,
    { name: "Desired", type: "integer", doc: "Number of pods wanted.", cell: ({ spec }) => spec.replicas },
    { name: "Current", type: "integer", doc: "Number of pods that exist.", cell: ({ status }) => status.replicas },
    { name: "Ready", type: "integer", doc: "Number of pods that are ready.", cell: ({ status }) => status.readyReplicas ?? 0 },
    ageColumn,
    ...templateColumns<{ readonly spec: ReplicaSetSpec }>(({ spec }) => spec.template),
    { name: "Selector", type: "string", priority: 1, doc: "Labels by which pods are counted.", cell: ({ spec }) => selectorOrNone(spec.selector) },
  ],
});
export interface ReplicaSet extends Resource<typeof ReplicaSet> {}
