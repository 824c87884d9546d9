import { CrossVersionObjectReference, MetricIdentifier, MetricTarget, MetricValueStatus } from "./metrics.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { defaultAutoscaler, fromV1, metricsText, toV1 } from "./autoscaler.ts";
import { autoscalerProblems } from "./rules.ts";
import { v1Fields } from "./horizontalpodautoscaler-v1.ts";
import { defineKind, type Resource } from "../kind.ts";
import { nonNegative } from "../apps/workloadrules.ts";
import * as t from "../../schema/t.ts";

export const HPAScalingPolicy = t.object("io.k8s.api.autoscaling.v2.HPAScalingPolicy", {
  periodSeconds: t.int32().pb(3).required().always("zero").doc("Time in which so much may change."),
  type: t.string().pb(1).required().always("zero").doc("Whether the value counts pods or is a percentage."),
  value: t.int32().pb(2).required().always("zero").doc("How much may change in that time."),
});
export interface HPAScalingPolicy extends t.Stored<typeof HPAScalingPolicy> {}

export const HPAScalingRules = t.object("io.k8s.api.autoscaling.v2.HPAScalingRules", {
  policies: t.list(HPAScalingPolicy).pb(2).nullable().doc("How much may change in which time."),
  selectPolicy: t.string().pb(1).pointer().doc("Which of the policies decides: Max, Min, or Disabled for no change."),
  stabilizationWindowSeconds: t.int32().pb(3).pointer().doc("How long back to look before going to and fro."),
  tolerance: t.quantity().pb(4).pointer().doc("By what part the metric may differ before anything changes."),
});
export interface HPAScalingRules extends t.Stored<typeof HPAScalingRules> {}

export const HorizontalPodAutoscalerBehavior = t.object("io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerBehavior", {
  scaleDown: HPAScalingRules.pb(2).doc("How fewer pods are gone to."),
  scaleUp: HPAScalingRules.pb(1).doc("How more pods are gone to."),
});
export interface HorizontalPodAutoscalerBehavior extends t.Stored<typeof HorizontalPodAutoscalerBehavior> {}

export const ContainerResourceMetricSource = t.object("io.k8s.api.autoscaling.v2.ContainerResourceMetricSource", {
  container: t.string().pb(3).required().always("zero").doc("The container."),
  name: t.string().pb(1).required().always("zero").doc("cpu or memory."),
  target: MetricTarget.pb(2).required().always("{}").doc("What it should be."),
});
export interface ContainerResourceMetricSource extends t.Stored<typeof ContainerResourceMetricSource> {}

export const ExternalMetricSource = t.object("io.k8s.api.autoscaling.v2.ExternalMetricSource", {
  metric: MetricIdentifier.pb(1).required().always("{}").doc("Which metric."),
  target: MetricTarget.pb(2).required().always("{}").doc("What it should be."),
});
export interface ExternalMetricSource extends t.Stored<typeof ExternalMetricSource> {}

export const ObjectMetricSource = t.object("io.k8s.api.autoscaling.v2.ObjectMetricSource", {
  describedObject: CrossVersionObjectReference.pb(1).required().always("{}").doc("The object that is measured."),
  metric: MetricIdentifier.pb(3).required().always("{}").doc("Which metric."),
  target: MetricTarget.pb(2).required().always("{}").doc("What it should be."),
});
export interface ObjectMetricSource extends t.Stored<typeof ObjectMetricSource> {}

export const PodsMetricSource = t.object("io.k8s.api.autoscaling.v2.PodsMetricSource", {
  metric: MetricIdentifier.pb(1).required().always("{}").doc("Which metric."),
  target: MetricTarget.pb(2).required().always("{}").doc("What it should be on average."),
});
export interface PodsMetricSource extends t.Stored<typeof PodsMetricSource> {}

export const ResourceMetricSource = t.object("io.k8s.api.autoscaling.v2.ResourceMetricSource", {
  name: t.string().pb(1).required().always("zero").doc("cpu or memory."),
  target: MetricTarget.pb(2).required().always("{}").doc("What it should be."),
});
export interface ResourceMetricSource extends t.Stored<typeof ResourceMetricSource> {}

export const MetricSpec = t.object("io.k8s.api.autoscaling.v2.MetricSpec", {
  containerResource: ContainerResourceMetricSource.pb(7).doc("A resource that one container of each pod uses."),
  external: ExternalMetricSource.pb(5).doc("A metric from outside the cluster."),
  object: ObjectMetricSource.pb(2).doc("A metric of one object."),
  pods: PodsMetricSource.pb(3).doc("A metric that each pod has."),
  resource: ResourceMetricSource.pb(4).doc("A resource that the pods use."),
  type: t.string().pb(1).required().always("zero").doc("Which of these it is."),
});
export interface MetricSpec extends t.Stored<typeof MetricSpec> {}

export const HorizontalPodAutoscalerSpec = t.object("io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerSpec", {
  behavior: HorizontalPodAutoscalerBehavior.pb(5).doc("How fast it may go up and down."),
  maxReplicas: t.int32().pb(3).required().always("zero").doc("The most pods there may be."),
  metrics: t.list(MetricSpec).pb(4).doc("What is measured; the metric that asks for most pods decides."),
  minReplicas: t.int32().pb(2).pointer().default(1).doc("The fewest pods there may be."),
  scaleTargetRef: CrossVersionObjectReference.pb(1).required().always("{}").doc("The object that is scaled."),
});
export interface HorizontalPodAutoscalerSpec extends t.Stored<typeof HorizontalPodAutoscalerSpec> {}

export const HorizontalPodAutoscalerCondition = t.object("io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerCondition", {
  lastTransitionTime: t.time().pb(3).always("null").doc("When the status last changed."),
  message: t.string().pb(5).doc("The same for people, in a sentence."),
  reason: t.string().pb(4).doc("Why it last changed, as one CamelCase word for programs."),
  status: t.string().pb(2).required().always("zero").doc("Whether it holds: True, False, or Unknown."),
  type: t.string().pb(1).required().always("zero").doc("Which aspect this is about."),
});
export interface HorizontalPodAutoscalerCondition extends t.Stored<typeof HorizontalPodAutoscalerCondition> {}

export const ContainerResourceMetricStatus = t.object("io.k8s.api.autoscaling.v2.ContainerResourceMetricStatus", {
  container: t.string().pb(3).required().always("zero").doc("The container."),
  current: MetricValueStatus.pb(2).required().always("{}").doc("What it is."),
  name: t.string().pb(1).required().always("zero").doc("cpu or memory."),
});
export interface ContainerResourceMetricStatus extends t.Stored<typeof ContainerResourceMetricStatus> {}

export const ExternalMetricStatus = t.object("io.k8s.api.autoscaling.v2.ExternalMetricStatus", {
  current: MetricValueStatus.pb(2).required().always("{}").doc("What it is."),
  metric: MetricIdentifier.pb(1).required().always("{}").doc("Which metric."),
});
export interface ExternalMetricStatus extends t.Stored<typeof ExternalMetricStatus> {}

export const ObjectMetricStatus = t.object("io.k8s.api.autoscaling.v2.ObjectMetricStatus", {
  current: MetricValueStatus.pb(2).required().always("{}").doc("What it is."),
  describedObject: CrossVersionObjectReference.pb(3).required().always("{}").doc("The object that is measured."),
  metric: MetricIdentifier.pb(1).required().always("{}").doc("Which metric."),
});
export interface ObjectMetricStatus extends t.Stored<typeof ObjectMetricStatus> {}

export const PodsMetricStatus = t.object("io.k8s.api.autoscaling.v2.PodsMetricStatus", {
  current: MetricValueStatus.pb(2).required().always("{}").doc("What it is on average."),
  metric: MetricIdentifier.pb(1).required().always("{}").doc("Which metric."),
});
export interface PodsMetricStatus extends t.Stored<typeof PodsMetricStatus> {}

export const ResourceMetricStatus = t.object("io.k8s.api.autoscaling.v2.ResourceMetricStatus", {
  current: MetricValueStatus.pb(2).required().always("{}").doc("What it is."),
  name: t.string().pb(1).required().always("zero").doc("cpu or memory."),
});
export interface ResourceMetricStatus extends t.Stored<typeof ResourceMetricStatus> {}

export const MetricStatus = t.object("io.k8s.api.autoscaling.v2.MetricStatus", {
  containerResource: ContainerResourceMetricStatus.pb(7).doc("A resource that one container of each pod uses."),
  external: ExternalMetricStatus.pb(5).doc("A metric from outside the cluster."),
  object: ObjectMetricStatus.pb(2).doc("A metric of one object."),
  pods: PodsMetricStatus.pb(3).doc("A metric that each pod has."),
  resource: ResourceMetricStatus.pb(4).doc("A resource that the pods use."),
  type: t.string().pb(1).required().always("zero").doc("Which of these it is."),
});
export interface MetricStatus extends t.Stored<typeof MetricStatus> {}

export const HorizontalPodAutoscalerStatus = t.object("io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerStatus", {
  conditions: t.listBy(HorizontalPodAutoscalerCondition, "type").pb(6).mergeBy("type").doc("What is known about the object, one entry per aspect."),
  currentMetrics: t.list(MetricStatus).pb(5).always("[]").doc("What was last measured."),
  currentReplicas: t.int32().pb(3).doc("How many pods there were last."),
  desiredReplicas: t.int32().pb(4).required().always("zero").doc("How many pods there should be."),
  lastScaleTime: t.time().pb(2).pointer().doc("When the number was last changed."),
  observedGeneration: t.int64().pb(1).pointer().doc("The metadata.generation that this status speaks of."),
});
export interface HorizontalPodAutoscalerStatus extends t.Stored<typeof HorizontalPodAutoscalerStatus> {}

export const HorizontalPodAutoscaler = defineKind({
  group: "autoscaling", version: "v2", kind: "HorizontalPodAutoscaler", plural: "horizontalpodautoscalers", namespaced: true,
  shortNames: ["hpa"], categories: ["all"], subresources: ["status"],
  definition: "io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler",
  doc: "Changes the number of pods with their load.",
  fields: {
    spec: HorizontalPodAutoscalerSpec.pb(2).required().always("{}").doc("What is scaled, by what, and between which bounds."),
    status: HorizontalPodAutoscalerStatus.pb(3).always("{}").doc("How many pods there are and should be."),
  },
  defaults({ spec }) { defaultAutoscaler(spec); },
  rules: (next, _previous, { subresource }) => (subresource === "status" ? [...nonNegative(next.status.currentReplicas, "status.currentReplicas"), ...nonNegative(next.status.desiredReplicas, "status.desiredReplicas")] : autoscalerProblems(next.spec)),
  columns: [
    nameColumn,
    { name: "Reference", type: "string", doc: "What it scales.", cell: ({ spec }) => `${spec.scaleTargetRef.kind}/${spec.scaleTargetRef.name}` },
    { name: "Targets", type: "string", doc: "Load, and the load aimed at.", cell: ({ spec, status }) => metricsText(spec.metrics ?? [], status.currentMetrics) },
    { name: "MinPods", type: "string", doc: "Fewest pods.", cell: ({ spec }) => String(spec.minReplicas) },
    { name: "MaxPods", type: "string", doc: "Most pods.", cell: ({ spec }) => spec.maxReplicas },
    { name: "Replicas", type: "string", doc: "Pods right now.", cell: ({ status }) => status.currentReplicas ?? 0 },
    ageColumn,
  ],
  alsoServed: [{ version: "v1", definition: "io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler", fields: v1Fields, fromStored: object => toV1(HorizontalPodAutoscalerBehavior.node, object), toStored: object => fromV1((part, field) => (part === "spec" ? HorizontalPodAutoscalerSpec : HorizontalPodAutoscalerStatus).node.fields![field]!, object) }],
});
export interface HorizontalPodAutoscaler extends Resource<typeof HorizontalPodAutoscaler> {}
