import { JobSpec } from "./jobspec.ts";
import { ageColumn, humanDuration, nameColumn, selectorOrNone, templateColumns } from "../columns.ts";
import { defaultJobSpec, jobRules, jobWarnings, tieToPods } from "./jobrules.ts";
import { jobStatusProblems } from "./jobstatusrules.ts";
import { defineKind, type Resource } from "../kind.ts";
import { nameWarnings } from "../core/podwarnings.ts";
import { dropGatedPodFields } from "../core/poddefaults.ts";
import * as t from "../../schema/t.ts";

export const JobCondition = t.object("io.k8s.api.batch.v1.JobCondition", {
  lastProbeTime: t.time().pb(3).always("null").doc("When it was last looked at."),
  lastTransitionTime: t.time().pb(4).always("null").doc("When the status last changed."),
  message: t.string().pb(6).doc("The same for people, in a sentence."),
  reason: t.string().pb(5).doc("Why it last changed, as one CamelCase word for programs."),
  status: t.string().pb(2).required().always("zero").doc("Whether it holds: True, False, or Unknown."),
  type: t.string().pb(1).required().always("zero").doc("Which aspect this is about."),
});
export interface JobCondition extends t.Stored<typeof JobCondition> {}

export const UncountedTerminatedPods = t.object("io.k8s.api.batch.v1.UncountedTerminatedPods", {
  failed: t.set(t.string()).pb(2).doc("Pods that have failed and are not counted yet."),
  succeeded: t.set(t.string()).pb(1).doc("Pods that have succeeded and are not counted yet."),
});
export interface UncountedTerminatedPods extends t.Stored<typeof UncountedTerminatedPods> {}

export const JobStatus = t.object("io.k8s.api.batch.v1.JobStatus", {
  active: t.int32().pb(4).doc("Pods that wait or run."),
  completedIndexes: t.string().pb(7).doc("Indexes that have succeeded, such as 1,3-5."),
  completionTime: t.time().pb(3).pointer().doc("When the job succeeded."),
  conditions: t.list(JobCondition).pb(1).mergeBy("type").doc("What is known about the object, one entry per aspect."),
  failed: t.int32().pb(6).doc("Pods that have failed."),
  failedIndexes: t.string().pb(10).pointer().doc("Indexes that have failed for good."),
  ready: t.int32().pb(9).pointer().doc("Pods that are ready."),
  startTime: t.time().pb(2).pointer().doc("When the job was started, or last resumed."),
  succeeded: t.int32().pb(5).doc("Pods that have succeeded."),
  terminating: t.int32().pb(11).pointer().doc("Pods that are going."),
  uncountedTerminatedPods: UncountedTerminatedPods.pb(8).doc("Pods that have ended and are not counted yet."),
});
export interface JobStatus extends t.Stored<typeof JobStatus> {}

export const Job = defineKind({
  group: "batch", version: "v1", kind: "Job", plural: "jobs", namespaced: true,
  categories: ["all"], subresources: ["status"],
  generation: true, orphanByDefault: "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning",
  definition: "io.k8s.api.batch.v1.Job",
  doc: "Runs pods until enough of them have succeeded.",
  fields: {
    spec: JobSpec.pb(2).always("{}").doc("What to run, and until when."),
    status: JobStatus.pb(3).always("{}").doc("How far it is."),
  },
  defaults({ metadata, spec }) {
    defaultJobSpec(spec);
    if (Object.keys(metadata.labels ?? {}).length === 0 && spec.template.metadata.labels !== undefined) metadata.labels = spec.template.metadata.labels;
  },
  prepare(next, previous) {
    if (previous === undefined) tieToPods(next);
    dropGatedPodFields(next.spec.template.spec);
  },
  rules: (next, previous, { subresource }) => (subresource !== "status" ? jobRules(next, previous) : previous === undefined ? [] : jobStatusProblems(next, previous)),
  unselectable: field => `field label ${JSON.stringify(field)} not supported for Job`,
  selectable: { "status.successful": job => String(job.status.succeeded ?? 0) },
  *warnings(next, previous) {
    if (previous === undefined) yield* nameWarnings(next.metadata.name);
    if (previous === undefined || next.metadata.generation !== previous.metadata.generation) yield* jobWarnings(next.spec, "spec");
  },
  columns: [
    nameColumn,
    { name: "Status", type: "string", doc: "How far the job is.", cell: ({ metadata, status }) => jobStatus(status, metadata.deletionTimestamp) },
    { name: "Completions", type: "string", doc: "Pods that succeeded, of those wanted.", cell: ({ spec, status }) => completions(spec, status) },
    { name: "Duration", type: "string", doc: "How long it ran, or has been running.", cell: ({ status }, now) => (status.startTime === undefined ? "" : humanDuration((status.completionTime === undefined ? now : Date.parse(status.completionTime)) - Date.parse(status.startTime))) },
    ageColumn,
    ...templateColumns<{ readonly spec: JobSpec }>(({ spec }) => spec.template),
    { name: "Selector", type: "string", priority: 1, doc: "Labels by which pods are counted.", cell: ({ spec }) => selectorOrNone(spec.selector) },
  ],
});
export interface Job extends Resource<typeof Job> {}

function jobStatus(status: JobStatus, deletionTimestamp: string | undefined): string {
  const is = (type: string): boolean => status.conditions?.some(condition => condition.type === type && condition.status === "True") ?? false;
  if (is("Complete")) return "Complete";
  if (is("Failed")) return "Failed";
  if (deletionTimestamp !== undefined) return "Terminating";
  return ["Suspended", "FailureTarget", "SuccessCriteriaMet"].find(is) ?? "Running";
}
function completions({ completions: wanted, parallelism = 0 }: JobSpec, { succeeded = 0 }: JobStatus): string {
  if (wanted !== undefined) return `${succeeded}/${wanted}`;
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}
