import { PodTemplateSpec } from "../core/podspec.ts";
import { LabelSelector } from "../meta/labelselector.ts";
import { ageColumn, nameColumn, selectorOrNone, templateColumns } from "../columns.ts";
import { defaultPodSpec } from "../core/poddefaults.ts";
import { immutableSelector, nonNegative, validateCounts, validateSelectorAndTemplate } from "./workloadrules.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const ReplicaSetSpec = t.object("io.k8s.api.apps.v1.ReplicaSetSpec", {
  minReadySeconds: t.int32().pb(4),
  replicas: t.int32().pb(1).pointer().default(1),
  selector: LabelSelector.pb(2).required().always("null"),
  template: PodTemplateSpec.pb(3).always("{}"),
});
export interface ReplicaSetSpec extends t.Stored<typeof ReplicaSetSpec> {}

export const ReplicaSetCondition = t.object("io.k8s.api.apps.v1.ReplicaSetCondition", {
  lastTransitionTime: t.time().pb(3).always("null"),
  message: t.string().pb(5),
  reason: t.string().pb(4),
  status: t.string().pb(2).required().always("zero"),
  type: t.string().pb(1).required().always("zero"),
});
export interface ReplicaSetCondition extends t.Stored<typeof ReplicaSetCondition> {}

export const ReplicaSetStatus = t.object("io.k8s.api.apps.v1.ReplicaSetStatus", {
  availableReplicas: t.int32().pb(5),
  conditions: t.listBy(ReplicaSetCondition, "type").pb(6).mergeBy("type"),
  fullyLabeledReplicas: t.int32().pb(2),
  observedGeneration: t.int64().pb(3),
  readyReplicas: t.int32().pb(4),
  replicas: t.int32().pb(1).required().always("zero"),
  terminatingReplicas: t.int32().pb(7).pointer(),
});
export interface ReplicaSetStatus extends t.Stored<typeof ReplicaSetStatus> {}

export const ReplicaSet = defineKind({
  group: "apps", version: "v1", kind: "ReplicaSet", plural: "replicasets", namespaced: true,
  shortNames: ["rs"], categories: ["all"], subresources: ["scale", "status"],
  generation: true,
  definition: "io.k8s.api.apps.v1.ReplicaSet",
  doc: "Keeps a number of pods made from one template running.",
  fields: {
    spec: ReplicaSetSpec.pb(2).always("{}"),
    status: ReplicaSetStatus.pb(3).always("{}"),
  },
  defaults({ spec }) { defaultPodSpec(spec.template.spec); },
  *rules(next, previous, { subresource }) {
    if (subresource === "status") {
      yield* validateCounts(next.status, ["fullyLabeledReplicas", "readyReplicas", "availableReplicas"]);
      return;
    }
    yield* nonNegative(next.spec.replicas, "spec.replicas");
    yield* nonNegative(next.spec.minReadySeconds, "spec.minReadySeconds");
    yield* validateSelectorAndTemplate(next.spec, previous?.spec);
    if (previous !== undefined) yield* immutableSelector(next.spec.selector, previous.spec.selector);
  },
  selectable: { "status.replicas": set => String(set.status.replicas) },
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
