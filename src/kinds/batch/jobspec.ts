import { PodTemplateSpec } from "../core/podspec.ts";
import { LabelSelector } from "../meta/labelselector.ts";
import { ObjectMeta } from "../meta/objectmeta.ts";
import * as t from "../../schema/t.ts";

export const PodFailurePolicyOnExitCodesRequirement = t.object("io.k8s.api.batch.v1.PodFailurePolicyOnExitCodesRequirement", {
  containerName: t.string().pb(1).pointer(),
  operator: t.oneOf("In", "NotIn").pb(2).required().always("zero"),
  values: t.set(t.int32()).pb(3).required().always("[]"),
});
export interface PodFailurePolicyOnExitCodesRequirement extends t.Stored<typeof PodFailurePolicyOnExitCodesRequirement> {}

export const PodFailurePolicyOnPodConditionsPattern = t.object("io.k8s.api.batch.v1.PodFailurePolicyOnPodConditionsPattern", {
  status: t.string().pb(2).always("zero"),
  type: t.string().pb(1).required().always("zero"),
});
export interface PodFailurePolicyOnPodConditionsPattern extends t.Stored<typeof PodFailurePolicyOnPodConditionsPattern> {}

export const PodFailurePolicyRule = t.object("io.k8s.api.batch.v1.PodFailurePolicyRule", {
  action: t.oneOf("Count", "FailIndex", "FailJob", "Ignore").pb(1).required().always("zero"),
  onExitCodes: PodFailurePolicyOnExitCodesRequirement.pb(2),
  onPodConditions: t.list(PodFailurePolicyOnPodConditionsPattern).pb(3),
});
export interface PodFailurePolicyRule extends t.Stored<typeof PodFailurePolicyRule> {}

export const PodFailurePolicy = t.object("io.k8s.api.batch.v1.PodFailurePolicy", {
  rules: t.list(PodFailurePolicyRule).pb(1).required().always("[]"),
});
export interface PodFailurePolicy extends t.Stored<typeof PodFailurePolicy> {}

export const SuccessPolicyRule = t.object("io.k8s.api.batch.v1.SuccessPolicyRule", {
  succeededCount: t.int32().pb(2).pointer(),
  succeededIndexes: t.string().pb(1).pointer(),
});
export interface SuccessPolicyRule extends t.Stored<typeof SuccessPolicyRule> {}

export const SuccessPolicy = t.object("io.k8s.api.batch.v1.SuccessPolicy", {
  rules: t.list(SuccessPolicyRule).pb(1).required().always("[]"),
});
export interface SuccessPolicy extends t.Stored<typeof SuccessPolicy> {}

export const JobSpec = t.object("io.k8s.api.batch.v1.JobSpec", {
  activeDeadlineSeconds: t.int64().pb(3).pointer(),
  backoffLimit: t.int32().pb(7).pointer(),
  backoffLimitPerIndex: t.int32().pb(12).pointer(),
  completionMode: t.oneOf("Indexed", "NonIndexed").pb(9).pointer().default("NonIndexed"),
  completions: t.int32().pb(2).pointer(),
  managedBy: t.string().pb(15).pointer(),
  manualSelector: t.bool().pb(5).pointer(),
  maxFailedIndexes: t.int32().pb(13).pointer(),
  parallelism: t.int32().pb(1).pointer(),
  podFailurePolicy: PodFailurePolicy.pb(11),
  podReplacementPolicy: t.oneOf("Failed", "TerminatingOrFailed").pb(14).pointer(),
  selector: LabelSelector.pb(4),
  successPolicy: SuccessPolicy.pb(16),
  suspend: t.bool().pb(10).pointer().default(false),
  template: PodTemplateSpec.pb(6).required().always("{}"),
  ttlSecondsAfterFinished: t.int32().pb(8).pointer(),
});
export interface JobSpec extends t.Stored<typeof JobSpec> {}

export const JobTemplateSpec = t.object("io.k8s.api.batch.v1.JobTemplateSpec", {
  metadata: ObjectMeta.pb(1).always("{}"),
  spec: JobSpec.pb(2).always("{}"),
});
export interface JobTemplateSpec extends t.Stored<typeof JobTemplateSpec> {}
