import { CrossVersionObjectReference, MetricIdentifier, MetricTarget, MetricValueStatus } from "./metrics.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { autoscalerProblems, defaultAutoscaler, fromV1, metricsText, toV1 } from "./autoscaler.ts";
import { v1Fields } from "./horizontalpodautoscaler-v1.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const HPAScalingPolicy = t.object("io.k8s.api.autoscaling.v2.HPAScalingPolicy", {
  periodSeconds: t.int32().pb(3).required().always("zero"),
  type: t.string().pb(1).required().always("zero"),
  value: t.int32().pb(2).required().always("zero"),
});
export interface HPAScalingPolicy extends t.Stored<typeof HPAScalingPolicy> {}

export const HPAScalingRules = t.object("io.k8s.api.autoscaling.v2.HPAScalingRules", {
  policies: t.list(HPAScalingPolicy).pb(2),
  selectPolicy: t.string().pb(1).pointer(),
  stabilizationWindowSeconds: t.int32().pb(3).pointer(),
  tolerance: t.quantity().pb(4).pointer(),
});
export interface HPAScalingRules extends t.Stored<typeof HPAScalingRules> {}

export const HorizontalPodAutoscalerBehavior = t.object("io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerBehavior", {
  scaleDown: HPAScalingRules.pb(2),
  scaleUp: HPAScalingRules.pb(1),
});
export interface HorizontalPodAutoscalerBehavior extends t.Stored<typeof HorizontalPodAutoscalerBehavior> {}

export const ContainerResourceMetricSource = t.object("io.k8s.api.autoscaling.v2.ContainerResourceMetricSource", {
  container: t.string().pb(3).required().always("zero"),
  name: t.string().pb(1).required().always("zero"),
  target: MetricTarget.pb(2).required().always("{}"),
});
export interface ContainerResourceMetricSource extends t.Stored<typeof ContainerResourceMetricSource> {}

export const ExternalMetricSource = t.object("io.k8s.api.autoscaling.v2.ExternalMetricSource", {
  metric: MetricIdentifier.pb(1).required().always("{}"),
  target: MetricTarget.pb(2).required().always("{}"),
});
export interface ExternalMetricSource extends t.Stored<typeof ExternalMetricSource> {}

export const ObjectMetricSource = t.object("io.k8s.api.autoscaling.v2.ObjectMetricSource", {
  describedObject: CrossVersionObjectReference.pb(1).required().always("{}"),
  metric: MetricIdentifier.pb(3).required().always("{}"),
  target: MetricTarget.pb(2).required().always("{}"),
});
export interface ObjectMetricSource extends t.Stored<typeof ObjectMetricSource> {}

export const PodsMetricSource = t.object("io.k8s.api.autoscaling.v2.PodsMetricSource", {
  metric: MetricIdentifier.pb(1).required().always("{}"),
  target: MetricTarget.pb(2).required().always("{}"),
});
export interface PodsMetricSource extends t.Stored<typeof PodsMetricSource> {}

export const ResourceMetricSource = t.object("io.k8s.api.autoscaling.v2.ResourceMetricSource", {
  name: t.string().pb(1).required().always("zero"),
  target: MetricTarget.pb(2).required().always("{}"),
});
export interface ResourceMetricSource extends t.Stored<typeof ResourceMetricSource> {}

export const MetricSpec = t.object("io.k8s.api.autoscaling.v2.MetricSpec", {
  containerResource: ContainerResourceMetricSource.pb(7),
  external: ExternalMetricSource.pb(5),
  object: ObjectMetricSource.pb(2),
  pods: PodsMetricSource.pb(3),
  resource: ResourceMetricSource.pb(4),
  type: t.string().pb(1).required().always("zero"),
});
export interface MetricSpec extends t.Stored<typeof MetricSpec> {}

export const HorizontalPodAutoscalerSpec = t.object("io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerSpec", {
  behavior: HorizontalPodAutoscalerBehavior.pb(5),
  maxReplicas: t.int32().pb(3).required().always("zero"),
  metrics: t.list(MetricSpec).pb(4),
  minReplicas: t.int32().pb(2).pointer().default(1),
  scaleTargetRef: CrossVersionObjectReference.pb(1).required().always("{}"),
});
export interface HorizontalPodAutoscalerSpec extends t.Stored<typeof HorizontalPodAutoscalerSpec> {}

export const HorizontalPodAutoscalerCondition = t.object("io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerCondition", {
  lastTransitionTime: t.time().pb(3).always("null"),
  message: t.string().pb(5),
  reason: t.string().pb(4),
  status: t.string().pb(2).required().always("zero"),
  type: t.string().pb(1).required().always("zero"),
});
export interface HorizontalPodAutoscalerCondition extends t.Stored<typeof HorizontalPodAutoscalerCondition> {}

export const ContainerResourceMetricStatus = t.object("io.k8s.api.autoscaling.v2.ContainerResourceMetricStatus", {
  container: t.string().pb(3).required().always("zero"),
  current: MetricValueStatus.pb(2).required().always("{}"),
  name: t.string().pb(1).required().always("zero"),
});
export interface ContainerResourceMetricStatus extends t.Stored<typeof ContainerResourceMetricStatus> {}

export const ExternalMetricStatus = t.object("io.k8s.api.autoscaling.v2.ExternalMetricStatus", {
  current: MetricValueStatus.pb(2).required().always("{}"),
  metric: MetricIdentifier.pb(1).required().always("{}"),
});
export interface ExternalMetricStatus extends t.Stored<typeof ExternalMetricStatus> {}

export const ObjectMetricStatus = t.object("io.k8s.api.autoscaling.v2.ObjectMetricStatus", {
  current: MetricValueStatus.pb(2).required().always("{}"),
  describedObject: CrossVersionObjectReference.pb(3).required().always("{}"),
  metric: MetricIdentifier.pb(1).required().always("{}"),
});
export interface ObjectMetricStatus extends t.Stored<typeof ObjectMetricStatus> {}

export const PodsMetricStatus = t.object("io.k8s.api.autoscaling.v2.PodsMetricStatus", {
  current: MetricValueStatus.pb(2).required().always("{}"),
  metric: MetricIdentifier.pb(1).required().always("{}"),
});
export interface PodsMetricStatus extends t.Stored<typeof PodsMetricStatus> {}

export const ResourceMetricStatus = t.object("io.k8s.api.autoscaling.v2.ResourceMetricStatus", {
  current: MetricValueStatus.pb(2).required().always("{}"),
  name: t.string().pb(1).required().always("zero"),
});
export interface ResourceMetricStatus extends t.Stored<typeof ResourceMetricStatus> {}

export const MetricStatus = t.object("io.k8s.api.autoscaling.v2.MetricStatus", {
  containerResource: ContainerResourceMetricStatus.pb(7),
  external: ExternalMetricStatus.pb(5),
  object: ObjectMetricStatus.pb(2),
  pods: PodsMetricStatus.pb(3),
  resource: ResourceMetricStatus.pb(4),
  type: t.string().pb(1).required().always("zero"),
});
export interface MetricStatus extends t.Stored<typeof MetricStatus> {}

export const HorizontalPodAutoscalerStatus = t.object("io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerStatus", {
  conditions: t.listBy(HorizontalPodAutoscalerCondition, "type").pb(6).mergeBy("type"),
  currentMetrics: t.list(MetricStatus).pb(5).always("[]"),
  currentReplicas: t.int32().pb(3),
  desiredReplicas: t.int32().pb(4).required().always("zero"),
  lastScaleTime: t.time().pb(2).pointer(),
  observedGeneration: t.int64().pb(1).pointer(),
});
export interface HorizontalPodAutoscalerStatus extends t.Stored<typeof HorizontalPodAutoscalerStatus> {}

export const HorizontalPodAutoscaler = defineKind({
  group: "autoscaling", version: "v2", kind: "HorizontalPodAutoscaler", plural: "horizontalpodautoscalers", namespaced: true,
  shortNames: ["hpa"], categories: ["all"], subresources: ["status"],
  definition: "io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler",
  doc: "Changes the number of pods with their load.",
  fields: {
    spec: HorizontalPodAutoscalerSpec.pb(2).required().always("{}"),
    status: HorizontalPodAutoscalerStatus.pb(3).always("{}"),
  },
  defaults({ spec }) { defaultAutoscaler(spec); },
  rules: (next, _previous, { subresource }) => (subresource === "status" ? [] : autoscalerProblems(next.spec)),
  columns: [
    nameColumn,
    { name: "Reference", type: "string", doc: "What it scales.", cell: ({ spec }) => `${spec.scaleTargetRef.kind}/${spec.scaleTargetRef.name}` },
    { name: "Targets", type: "string", doc: "Load, and the load aimed at.", cell: ({ spec, status }) => metricsText(spec.metrics ?? [], status.currentMetrics) },
    { name: "MinPods", type: "string", doc: "Fewest pods.", cell: ({ spec }) => String(spec.minReplicas) },
    { name: "MaxPods", type: "string", doc: "Most pods.", cell: ({ spec }) => spec.maxReplicas },
    { name: "Replicas", type: "string", doc: "Pods right now.", cell: ({ status }) => status.currentReplicas ?? 0 },
    ageColumn,
  ],
  alsoServed: [{ version: "v1", definition: "io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler", fields: v1Fields, fromStored: toV1, toStored: fromV1 }],
});
export interface HorizontalPodAutoscaler extends Resource<typeof HorizontalPodAutoscaler> {}
