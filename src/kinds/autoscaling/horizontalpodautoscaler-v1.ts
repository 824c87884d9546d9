import * as t from "../../schema/t.ts";

export const CrossVersionObjectReference = t.object("io.k8s.api.autoscaling.v1.CrossVersionObjectReference", {
  apiVersion: t.string().pb(3),
  kind: t.string().pb(1).required().always("zero"),
  name: t.string().pb(2).required().always("zero"),
}).atomic();
export interface CrossVersionObjectReference extends t.Stored<typeof CrossVersionObjectReference> {}

export const HorizontalPodAutoscalerSpec = t.object("io.k8s.api.autoscaling.v1.HorizontalPodAutoscalerSpec", {
  maxReplicas: t.int32().pb(3).required().always("zero"),
  minReplicas: t.int32().pb(2).pointer().default(1),
  scaleTargetRef: CrossVersionObjectReference.pb(1).required().always("{}"),
  targetCPUUtilizationPercentage: t.int32().pb(4).pointer(),
});
export interface HorizontalPodAutoscalerSpec extends t.Stored<typeof HorizontalPodAutoscalerSpec> {}

export const HorizontalPodAutoscalerStatus = t.object("io.k8s.api.autoscaling.v1.HorizontalPodAutoscalerStatus", {
  currentCPUUtilizationPercentage: t.int32().pb(5).pointer(),
  currentReplicas: t.int32().pb(3).required().always("zero"),
  desiredReplicas: t.int32().pb(4).required().always("zero"),
  lastScaleTime: t.time().pb(2).pointer(),
  observedGeneration: t.int64().pb(1).pointer(),
});
export interface HorizontalPodAutoscalerStatus extends t.Stored<typeof HorizontalPodAutoscalerStatus> {}

/** What autoscaling/v1 calls the fields of the very same objects; see `horizontalpodautoscaler.ts`. */
export const v1Fields = {
  spec: HorizontalPodAutoscalerSpec.pb(2).required().always("{}"),
  status: HorizontalPodAutoscalerStatus.pb(3).always("{}"),
};
