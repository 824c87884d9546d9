/**
 * What a Job does next: pure (upstream pkg/controller/job job_controller.go). A finished pod is counted in three steps, each safe to repeat: its uid
 * goes into `uncountedTerminatedPods`, its tracking finalizer is taken off, and only then does it become part of the numbers.
 */
import { msOf, timeOf } from "../base/time.ts";
import type { Job, JobCondition } from "../kinds/batch/job.ts";
import type { Pod } from "../kinds/core/pod.ts";
import { parseIndexes, renderIndexes } from "./job-indexes.ts";
import { failureVerdict, successMessage } from "./job-policy.ts";
import { isPodActive, isPodReady } from "./pods.ts";

export const trackingFinalizer = "batch.kubernetes.io/job-tracking";
export const indexKey = "batch.kubernetes.io/job-completion-index";
const failureCountKey = "batch.kubernetes.io/job-index-failure-count";
const backOffMs = 10_000;
const backOffMaxMs = 600_000;

export type JobPlan = {
  readonly status: Job["status"];
  /** Pods to make; each with its index and how often that has failed, if indexed. */
  readonly create: readonly { readonly index?: number; readonly failures?: number }[];
  readonly remove: readonly Pod[];
  /** Pods whose finalizer can go: they are counted, or need not be. */
  readonly untrack: readonly Pod[];
  readonly afterMs?: number;
};
type Finish = { readonly type: "SuccessCriteriaMet" | "FailureTarget"; readonly reason: string; readonly message: string };

export const isTracked = ({ metadata }: Pod): boolean => metadata.finalizers?.includes(trackingFinalizer) === true;
const isDying = ({ metadata }: Pod): boolean => metadata.deletionTimestamp !== undefined;
export function indexOf({ metadata }: Pod): number | undefined {
  const text = metadata.annotations?.[indexKey] ?? "";
  return /^[0-9]{1,7}$/.test(text) ? Number(text) : undefined;
}
export function isJobFinished({ status }: Job): boolean {
  return status.conditions?.some(({ type, status }) => (type === "Complete" || type === "Failed") && status === "True") === true;
}

export function planJob(job: Job, pods: readonly Pod[], now: number): JobPlan {
  if (isJobFinished(job)) return { status: job.status, create: [], remove: pods.filter(isPodActive), untrack: pods.filter(isTracked) };
  const { spec, status } = job;
  const suspended = spec.suspend === true;
  const tally = count(job, pods);
  const active = pods.filter(isPodActive);
  const terminating = pods.filter(pod => isDying(pod) && pod.status.phase !== "Succeeded" && pod.status.phase !== "Failed").length;
  const startTime = suspended ? undefined : status.startTime ?? timeOf(now);
  const finish = alreadyDecided(status) ?? decide(job, tally, active, startTime, now);
  const conditions = [...(status.conditions ?? [])];
  const set = (type: string, value: "True" | "False", reason: string, message: string): void => {
    const at = conditions.findIndex(condition => condition.type === type);
    if (conditions[at]?.status === value) return;
    const next: JobCondition = { type, status: value, lastProbeTime: timeOf(now), lastTransitionTime: timeOf(now), reason, message };
    if (at < 0) conditions.push(next);
    else conditions[at] = next;
  };

  let create: JobPlan["create"] = [];
  let remove: readonly Pod[] = [];
  let release: readonly Pod[] = [];
  const waits: number[] = [];
  if (finish !== undefined) {
    remove = active;
    set(finish.type, "True", finish.reason, finish.message);
    // The end is said when nothing runs and nothing is left to count.
    if (active.length === 0 && terminating === 0 && tally.uncounted.succeeded.length + tally.uncounted.failed.length === 0 && tally.pending.length === 0)
      set(finish.type === "FailureTarget" ? "Failed" : "Complete", "True", finish.reason, finish.message);
  } else if (suspended) {
    remove = release = active;
    set("Suspended", "True", "JobSuspended", "Job suspended");
  } else {
    if (conditions.some(({ type }) => type === "Suspended")) set("Suspended", "False", "JobResumed", "Job resumed");
    const scaling = planPods(job, tally, pods, active, terminating, now);
    ({ create } = scaling);
    remove = release = scaling.remove;
    if (scaling.waitMs !== undefined) waits.push(scaling.waitMs);
    const { activeDeadlineSeconds } = spec;
    if (activeDeadlineSeconds !== undefined) waits.push(Math.max(0, (msOf(startTime) ?? now) + activeDeadlineSeconds * 1000 - now));
  }
  const ended = conditions.some(({ type, status }) => type === "Complete" && status === "True");
  const ready = active.filter(isPodReady).length;
  const { completionTime } = status;
  return {
    create, remove, untrack: [...tally.untrack, ...release.filter(isTracked)],
    ...(waits.length === 0 ? {} : { afterMs: Math.min(...waits) }),
    status: {
      ...(conditions.length === 0 ? {} : { conditions }), ...(startTime === undefined ? {} : { startTime }),
      ...(ended ? { completionTime: completionTime ?? timeOf(now) } : {}),
      ...(active.length > 0 ? { active: active.length } : {}), ...(tally.succeeded > 0 ? { succeeded: tally.succeeded } : {}), ...(tally.failed > 0 ? { failed: tally.failed } : {}),
      ready, terminating,
      ...(tally.completed.size > 0 ? { completedIndexes: renderIndexes(tally.completed) } : {}),
      ...(spec.backoffLimitPerIndex === undefined ? {} : { failedIndexes: renderIndexes(tally.failedIndexes) }),
      uncountedTerminatedPods: {
        ...(tally.uncounted.succeeded.length > 0 ? { succeeded: tally.uncounted.succeeded } : {}), ...(tally.uncounted.failed.length > 0 ? { failed: tally.uncounted.failed } : {}),
      },
    },
  };
}

type Tally = {
  /** In the status, without what is uncounted. */
  readonly succeeded: number; readonly failed: number;
  readonly uncounted: { readonly succeeded: readonly string[]; readonly failed: readonly string[] };
  readonly completed: ReadonlySet<number>; readonly failedIndexes: ReadonlySet<number>;
  readonly untrack: readonly Pod[];
  /** Finished pods that still carry the finalizer. */
  readonly pending: readonly Pod[];
  readonly failJob: string | undefined;
  /** Failures of each index that count against its limit. */
  readonly indexFailures: ReadonlyMap<number, number>;
};

function count(job: Job, pods: readonly Pod[]): Tally {
  const { spec, status } = job;
  const indexed = spec.completionMode === "Indexed";
  const below = spec.completions ?? 0;
  const before = { succeeded: new Set(status.uncountedTerminatedPods?.succeeded ?? []), failed: new Set(status.uncountedTerminatedPods?.failed ?? []) };
  const tracked = new Set(pods.filter(isTracked).map(({ metadata }) => metadata.uid));
  const stay = (uids: ReadonlySet<string>): string[] => [...uids].filter(uid => tracked.has(uid));
  const uncounted = { succeeded: stay(before.succeeded), failed: stay(before.failed) };
  let succeeded = (status.succeeded ?? 0) + before.succeeded.size - uncounted.succeeded.length;
  const failed = (status.failed ?? 0) + before.failed.size - uncounted.failed.length;
  const storedIndexes = parseIndexes(status.completedIndexes, below);
  const completed = new Set(storedIndexes);
  const failedIndexes = parseIndexes(status.failedIndexes, below);
  const indexFailures = new Map<number, number>();
  const untrack: Pod[] = [];
  const pending: Pod[] = [];
  let failJob: string | undefined;

  for (const pod of pods) {
    const { uid } = pod.metadata;
    const index = indexOf(pod);
    if (pod.status.phase === "Succeeded") {
      if (indexed && index !== undefined && index < below) completed.add(index);
      if (!isTracked(pod)) continue;
      pending.push(pod);
      if (indexed ? index === undefined || index >= below || storedIndexes.has(index) : before.succeeded.has(uid)) untrack.push(pod);
      else if (!indexed) uncounted.succeeded.push(uid);
      continue;
    }
    if (!isFailed(job, pod)) continue;
    const verdict = pod.status.phase === "Failed" ? failureVerdict(job, pod) : undefined;
    if (verdict?.action === "FailJob") failJob ??= verdict.message;
    if (index !== undefined && spec.backoffLimitPerIndex !== undefined && verdict?.action !== "Ignore") {
      const failures = Number(pod.metadata.annotations?.[failureCountKey] ?? 0) + 1;
      indexFailures.set(index, Math.max(indexFailures.get(index) ?? 0, failures));
      if (verdict?.action === "FailIndex" || failures > spec.backoffLimitPerIndex) failedIndexes.add(index);
    }
    if (!isTracked(pod)) continue;
    pending.push(pod);
    if (verdict?.action === "Ignore" || before.failed.has(uid)) untrack.push(pod);
    else uncounted.failed.push(uid);
  }
  if (indexed) succeeded = completed.size;
  return { succeeded, failed, uncounted, completed, failedIndexes, untrack, pending, failJob, indexFailures };
}

/** A pod that somebody deleted counts as failed, unless replacements wait for real failures. */
function isFailed({ spec }: Job, pod: Pod): boolean {
  if (pod.status.phase === "Failed") return true;
  return isDying(pod) && isTracked(pod) && spec.podReplacementPolicy !== "Failed" && pod.status.phase !== "Succeeded";
}

function alreadyDecided({ conditions = [] }: Job["status"]): Finish | undefined {
  for (const type of ["FailureTarget", "SuccessCriteriaMet"] as const) {
    const found = conditions.find(condition => condition.type === type && condition.status === "True");
    if (found !== undefined) return { type, reason: found.reason ?? "", message: found.message ?? "" };
  }
  return undefined;
}

function decide(job: Job, tally: Tally, active: readonly Pod[], startTime: string | undefined, now: number): Finish | undefined {
  const { spec } = job;
  const { backoffLimit = 6, activeDeadlineSeconds, completions, maxFailedIndexes, backoffLimitPerIndex } = spec;
  const failed = (reason: string, message: string): Finish => ({ type: "FailureTarget", reason, message });
  if (tally.failJob !== undefined) return failed("PodFailurePolicy", tally.failJob);
  if (tally.failed + tally.uncounted.failed.length > backoffLimit || restartsExceed(job, active)) return failed("BackoffLimitExceeded", "Job has reached the specified backoff limit");
  if (activeDeadlineSeconds !== undefined && startTime !== undefined && now >= (msOf(startTime) ?? now) + activeDeadlineSeconds * 1000) return failed("DeadlineExceeded", "Job was active longer than specified deadline");
  if (spec.completionMode === "Indexed") {
    const matched = successMessage(job, tally.completed);
    if (matched !== undefined) return { type: "SuccessCriteriaMet", reason: "SuccessPolicy", message: matched };
    if (backoffLimitPerIndex !== undefined) {
      if (maxFailedIndexes !== undefined && tally.failedIndexes.size > maxFailedIndexes) return failed("MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes");
      if (tally.failedIndexes.size > 0 && tally.failedIndexes.size + tally.completed.size >= (completions ?? 0)) return failed("FailedIndexes", "Job has failed indexes");
    }
  }
  if (spec.suspend === true) return undefined;
  const succeeded = tally.succeeded + tally.uncounted.succeeded.length;
  const complete = completions === undefined ? succeeded > 0 && active.length === 0 : succeeded >= completions && active.length === 0;
  return complete ? { type: "SuccessCriteriaMet", reason: "CompletionsReached", message: "Reached expected number of succeeded pods" } : undefined;
}

/** With restartPolicy OnFailure containers fail in place: their restarts count against the limit. */
function restartsExceed({ spec }: Job, active: readonly Pod[]): boolean {
  if (spec.template.spec.restartPolicy !== "OnFailure") return false;
  const restarts = active.flatMap(pod => [...(pod.status.initContainerStatuses ?? []), ...(pod.status.containerStatuses ?? [])]).reduce((total, { restartCount = 0 }) => total + restartCount, 0);
  const limit = spec.backoffLimit ?? 6;
  return limit === 0 ? restarts > 0 : restarts >= limit;
}

function planPods(job: Job, tally: Tally, pods: readonly Pod[], active: readonly Pod[], terminating: number, now: number): { readonly create: JobPlan["create"]; readonly remove: readonly Pod[]; readonly waitMs?: number } {
  const { parallelism = 1, completions, completionMode, podReplacementPolicy } = job.spec;
  const succeeded = tally.succeeded + tally.uncounted.succeeded.length;
  const indexed = completionMode === "Indexed";
  const left = completions === undefined ? (succeeded > 0 ? active.length : parallelism) : Math.max(0, completions - succeeded - tally.failedIndexes.size);
  const wanted = Math.min(parallelism, left);
  if (active.length > wanted) return { create: [], remove: [...active].sort(leastDoneFirst).slice(0, active.length - wanted) };
  const doubles = indexed ? active.filter((pod, i) => active.findIndex(other => indexOf(other) === indexOf(pod)) !== i) : [];
  if (doubles.length > 0) return { create: [], remove: doubles };
  const missing = wanted - active.length - (podReplacementPolicy === "Failed" ? terminating : 0);
  if (missing <= 0) return { create: [], remove: [] };
  const wait = backOff(pods, now);
  if (wait > 0) return { create: [], remove: [], waitMs: wait };
  if (!indexed) return { create: Array.from({ length: missing }, () => ({})), remove: [] };
  const taken = new Set([...active, ...(podReplacementPolicy === "Failed" ? pods.filter(isDying) : [])].map(indexOf));
  const create: { index: number; failures: number }[] = [];
  for (let index = 0; index < (completions ?? 0) && create.length < missing; index++)
    if (!taken.has(index) && !tally.completed.has(index) && !tally.failedIndexes.has(index)) create.push({ index, failures: tally.indexFailures.get(index) ?? 0 });
  return { create, remove: [] };
}
const leastDoneFirst = (a: Pod, b: Pod): number => (isPodReady(a) ? 1 : 0) - (isPodReady(b) ? 1 : 0) || (a.metadata.creationTimestamp < b.metadata.creationTimestamp ? 1 : -1);

/** 10 s after the first failure since the last success, then twice as long each time up to ten minutes. */
function backOff(pods: readonly Pod[], now: number): number {
  const finished = pods.filter(({ status }) => status.phase === "Failed" || status.phase === "Succeeded").map(pod => ({ failed: pod.status.phase === "Failed", at: finishedAt(pod) })).sort((a, b) => b.at - a.at);
  const failures = finished.findIndex(({ failed }) => !failed);
  const inARow = failures < 0 ? finished.length : failures;
  return inARow === 0 ? 0 : Math.max(0, finished[0]!.at + Math.min(backOffMs * 2 ** (inARow - 1), backOffMaxMs) - now);
}
function finishedAt(pod: Pod): number {
  const ends = (pod.status.containerStatuses ?? []).map(({ state }) => msOf(state?.terminated?.finishedAt) ?? 0);
  return Math.max(msOf(pod.metadata.deletionTimestamp) ?? 0, msOf(pod.metadata.creationTimestamp) ?? 0, ...ends);
}
