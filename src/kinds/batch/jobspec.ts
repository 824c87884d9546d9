import { PodTemplateSpec } from "../core/podspec.ts";
import { LabelSelector } from "../meta/labelselector.ts";
import { ObjectMeta } from "../meta/objectmeta.ts";
import * as t from "../../schema/t.ts";

export const PodFailurePolicyOnExitCodesRequirement = t.object("io.k8s.api.batch.v1.PodFailurePolicyOnExitCodesRequirement", {
  containerName: t.string().pb(1).pointer().doc("The container; any if not given."),
  operator: t.oneOf("In", "NotIn").unchecked().pb(2).required().always("zero").doc("Whether the exit code must be among the values or not."),
  values: t.set(t.int32()).pb(3).required().always("[]").doc("The exit codes."),
});
export interface PodFailurePolicyOnExitCodesRequirement extends t.Stored<typeof PodFailurePolicyOnExitCodesRequirement> {}

export const PodFailurePolicyOnPodConditionsPattern = t.object("io.k8s.api.batch.v1.PodFailurePolicyOnPodConditionsPattern", {
  status: t.string().pb(2).always("zero").doc("Status that the condition must have."),
  type: t.string().pb(1).required().always("zero").doc("Type of the condition."),
});
export interface PodFailurePolicyOnPodConditionsPattern extends t.Stored<typeof PodFailurePolicyOnPodConditionsPattern> {}

export const PodFailurePolicyRule = t.object("io.k8s.api.batch.v1.PodFailurePolicyRule", {
  action: t.oneOf("Count", "FailIndex", "FailJob", "Ignore").unchecked().pb(1).required().always("zero").doc("What follows: FailJob, FailIndex, Ignore or Count."),
  onExitCodes: PodFailurePolicyOnExitCodesRequirement.pb(2).doc("Exit codes that the rule is about."),
  onPodConditions: t.list(PodFailurePolicyOnPodConditionsPattern).pb(3).doc("Conditions of the pod that the rule is about."),
});
export interface PodFailurePolicyRule extends t.Stored<typeof PodFailurePolicyRule> {}

export const PodFailurePolicy = t.object("io.k8s.api.batch.v1.PodFailurePolicy", {
  rules: t.list(PodFailurePolicyRule).pb(1).required().always("[]").doc("The rules; the first that matches decides."),
});
export interface PodFailurePolicy extends t.Stored<typeof PodFailurePolicy> {}

export const SuccessPolicyRule = t.object("io.k8s.api.batch.v1.SuccessPolicyRule", {
  succeededCount: t.int32().pb(2).pointer().doc("How many indexes must have succeeded."),
  succeededIndexes: t.string().pb(1).pointer().doc("Which indexes must have succeeded, such as 1,3-5."),
});
export interface SuccessPolicyRule extends t.Stored<typeof SuccessPolicyRule> {}

export const SuccessPolicy = t.object("io.k8s.api.batch.v1.SuccessPolicy", {
  rules: t.list(SuccessPolicyRule).pb(1).required().always("[]").doc("The rules; one that holds is enough."),
});
export interface SuccessPolicy extends t.Stored<typeof SuccessPolicy> {}

export const JobSpec = t.object("io.k8s.api.batch.v1.JobSpec", {
  activeDeadlineSeconds: t.int64().pb(3).pointer().doc("How long the job may run."),
  backoffLimit: t.int32().pb(7).pointer().doc("How many pods may fail before the job does."),
  backoffLimitPerIndex: t.int32().pb(12).pointer().doc("How many pods of one index may fail before that index does."),
  completionMode: t.oneOf("Indexed", "NonIndexed").unchecked().pb(9).pointer().doc("Whether pods are all alike (NonIndexed) or numbered (Indexed)."),
  completions: t.int32().pb(2).pointer().doc("How many pods have to succeed."),
  managedBy: t.string().pb(15).pointer().doc("The controller that takes care of the job, if not the usual."),
  manualSelector: t.bool().pb(5).pointer().doc("Whether the selector was chosen by hand."),
  maxFailedIndexes: t.int32().pb(13).pointer().doc("How many indexes may fail before the job does."),
  parallelism: t.int32().pb(1).pointer().doc("How many pods may run at once."),
  podFailurePolicy: PodFailurePolicy.pb(11).doc("What follows from which failure."),
  podReplacementPolicy: t.oneOf("Failed", "TerminatingOrFailed").unchecked().pb(14).pointer().doc("Whether a pod is replaced when it is going or only when it has failed."),
  selector: LabelSelector.pb(4).doc("Labels by which the pods are found; usually made by the server."),
  successPolicy: SuccessPolicy.pb(16).doc("When the job counts as succeeded before all pods have."),
  suspend: t.bool().pb(10).pointer().doc("Whether no pods run for now."),
  template: PodTemplateSpec.pb(6).required().always("{}").doc("What pods are made from."),
  ttlSecondsAfterFinished: t.int32().pb(8).pointer().doc("How long after its end the job is deleted."),
});
export interface JobSpec extends t.Stored<typeof JobSpec> {}

export const JobTemplateSpec = t.object("io.k8s.api.batch.v1.JobTemplateSpec", {
  metadata: ObjectMeta.pb(1).always("{}").doc("Labels and annotations of the jobs."),
  spec: JobSpec.pb(2).always("{}").doc("What the jobs run."),
});
export interface JobTemplateSpec extends t.Stored<typeof JobTemplateSpec> {}
