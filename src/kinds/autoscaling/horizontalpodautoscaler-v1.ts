import * as t from "../../schema/t.ts";

export const CrossVersionObjectReference = t.object("io.k8s.api.autoscaling.v1.CrossVersionObjectReference", {
  apiVersion: t.string().pb(3).doc("API version of the object."),
  kind: t.string().pb(1).required().always("zero").doc("Kind of the object."),
  name: t.string().pb(2).required().always("zero").doc("Its name."),
}).atomic();
export interface CrossVersionObjectReference extends t.Stored<typeof CrossVersionObjectReference> {}

export const HorizontalPodAutoscalerSpec = t.object("io.k8s.api.autoscaling.v1.HorizontalPodAutoscalerSpec", {
  maxReplicas: t.int32().pb(3).required().always("zero").doc("The most pods there may be."),
  minReplicas: t.int32().pb(2).pointer().default(1).doc("The fewest pods there may be."),
  scaleTargetRef: CrossVersionObjectReference.pb(1).required().always("{}").doc("The object that is scaled."),
  targetCPUUtilizationPercentage: t.int32().pb(4).pointer().doc("How busy pods should be, in percent of the CPU they request."),
});
export interface HorizontalPodAutoscalerSpec extends t.Stored<typeof HorizontalPodAutoscalerSpec> {}

export const HorizontalPodAutoscalerStatus = t.object("io.k8s.api.autoscaling.v1.HorizontalPodAutoscalerStatus", {
  currentCPUUtilizationPercentage: t.int32().pb(5).pointer().doc("How busy the pods are, in percent of the CPU they request."),
  currentReplicas: t.int32().pb(3).required().always("zero").doc("How many pods there were last."),
  desiredReplicas: t.int32().pb(4).required().always("zero").doc("How many pods there should be."),
  lastScaleTime: t.time().pb(2).pointer().doc("When the number was last changed."),
  observedGeneration: t.int64().pb(1).pointer().doc("The metadata.generation that this status speaks of."),
});
export interface HorizontalPodAutoscalerStatus extends t.Stored<typeof HorizontalPodAutoscalerStatus> {}

/** What autoscaling/v1 calls the fields of the very same objects; see `horizontalpodautoscaler.ts`. */
export const v1Fields = {
  spec: HorizontalPodAutoscalerSpec.pb(2).required().always("{}").doc("What is scaled, by what, and between which bounds."),
  status: HorizontalPodAutoscalerStatus.pb(3).always("{}").doc("How many pods there are and should be."),
};
