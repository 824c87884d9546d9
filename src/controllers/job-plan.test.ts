import assert from "node:assert/strict";
import { test } from "node:test";
import type { Job } from "../kinds/batch/job.ts";
import type { Pod } from "../kinds/core/pod.ts";
import { parseIndexes, renderIndexes } from "./job-indexes.ts";
import { isJobFinished, planJob, trackingFinalizer } from "./job-plan.ts";

const start = 1_900_000_000_000;

/** Carries plans out as the controller does, and ends each new pod as `outcomes` says: s, f (exit code 1), or a digit for that exit code; r goes on running. */
function play(spec: object, outcomes: string, until?: (job: Job) => boolean): { job: Job; made: number; log: string[] } {
  let job = { metadata: { name: "j", namespace: "d" }, spec: { parallelism: 1, completions: 1, completionMode: "NonIndexed", backoffLimit: 6, template: { spec: { restartPolicy: "Never" } }, ...spec }, status: {} } as unknown as Job;
  let pods: Pod[] = [];
  let now = start;
  let made = 0;
  const log: string[] = [];
  const left = [...outcomes];
  for (let round = 0; round < 200; round++) {
    const plan = planJob(job, pods, now);
    for (const pod of [...plan.untrack, ...plan.remove.filter(pod => plan.untrack.includes(pod))]) pods = pods.map(other => (other.metadata.uid === pod.metadata.uid ? { ...other, metadata: { ...other.metadata, finalizers: [] } } : other));
    for (const pod of plan.remove) pods = pods.flatMap(other => (other.metadata.uid !== pod.metadata.uid ? [other] : other.metadata.finalizers?.length ? [{ ...other, status: { ...other.status, phase: "Failed" as const } }] : []));
    for (const { index } of plan.create) {
      made++;
      log.push(`+${index ?? ""}`);
      const created = new Date(now).toISOString();
      const outcome = left.shift() ?? "r";
      const phase = outcome === "s" ? "Succeeded" : outcome === "r" ? "Running" : "Failed";
      const state = { terminated: { exitCode: outcome === "f" ? 1 : Number(outcome), finishedAt: created } };
      pods.push({
        metadata: { name: `p${made}`, uid: `u${made}`, namespace: "d", finalizers: [trackingFinalizer], creationTimestamp: created, ...(index === undefined ? {} : { annotations: { "batch.kubernetes.io/job-completion-index": String(index), ...(spec && "backoffLimitPerIndex" in spec ? { "batch.kubernetes.io/job-index-failure-count": String(plan.create.find(each => each.index === index)?.failures ?? 0) } : {}) } }) },
        spec: {}, status: { phase, containerStatuses: [{ name: "c", restartCount: 0, ...(phase === "Failed" ? { state } : {}) }] },
      } as unknown as Pod);
    }
    const same = JSON.stringify(job.status) === JSON.stringify(plan.status);
    job = { ...job, status: plan.status };
    if (isJobFinished(job) || until?.(job) === true) break;
    if (same && plan.create.length === 0 && plan.untrack.length === 0) now += plan.afterMs ?? 0;
  }
  return { job, made, log };
}
const summary = ({ status }: Job): string => [
  `${status.succeeded ?? 0} succeeded ${status.failed ?? 0} failed`, ...(status.conditions ?? []).filter(({ status }) => status === "True").map(({ type, reason }) => `${type}:${reason}`),
  ...(status.completedIndexes === undefined ? [] : [`[${status.completedIndexes}]`]), ...(status.failedIndexes === undefined ? [] : [`failed [${status.failedIndexes}]`]),
].join(" ");

const cases = [
  // what                                  spec                                                              outcomes  pods  how it ends
  ["one pod",                              {},                                                               "s",      1,    "1 succeeded 0 failed SuccessCriteriaMet:CompletionsReached Complete:CompletionsReached"],
  ["a retry",                              {},                                                               "ffs",    3,    "1 succeeded 2 failed SuccessCriteriaMet:CompletionsReached Complete:CompletionsReached"],
  ["too many failures",                    { backoffLimit: 1 },                                              "ff",     2,    "0 succeeded 2 failed FailureTarget:BackoffLimitExceeded Failed:BackoffLimitExceeded"],
  ["a few at once",                        { parallelism: 2, completions: 3 },                               "sss",    3,    "3 succeeded 0 failed SuccessCriteriaMet:CompletionsReached Complete:CompletionsReached"],
  ["a work queue",                         { parallelism: 2, completions: undefined },                       "ss",     2,    "2 succeeded 0 failed SuccessCriteriaMet:CompletionsReached Complete:CompletionsReached"],
  ["indexed",                              { completionMode: "Indexed", parallelism: 2, completions: 4 },    "ssss",   4,    "4 succeeded 0 failed SuccessCriteriaMet:CompletionsReached Complete:CompletionsReached [0-3]"],
  ["indexed, one failing for good",        { completionMode: "Indexed", completions: 3, backoffLimitPerIndex: 1, backoffLimit: 99 }, "sffs", 4, "2 succeeded 2 failed FailureTarget:FailedIndexes Failed:FailedIndexes [0,2] failed [1]"],
  ["more failed indexes than allowed",     { completionMode: "Indexed", completions: 3, backoffLimitPerIndex: 0, maxFailedIndexes: 0, backoffLimit: 99 }, "f", 1, "0 succeeded 1 failed FailureTarget:MaxFailedIndexesExceeded Failed:MaxFailedIndexesExceeded failed [0]"],
  ["success by a chosen index",            { completionMode: "Indexed", completions: 3, parallelism: 3, successPolicy: { rules: [{ succeededIndexes: "0" }] } }, "srr", 3, "1 succeeded 2 failed SuccessCriteriaMet:SuccessPolicy Complete:SuccessPolicy [0]"],
  ["an exit code that fails the job",      { podFailurePolicy: { rules: [{ action: "FailJob", onExitCodes: { operator: "In", values: [4] } }] } }, "4", 1, "0 succeeded 1 failed FailureTarget:PodFailurePolicy Failed:PodFailurePolicy"],
  ["an exit code that does not count",     { backoffLimit: 0, podFailurePolicy: { rules: [{ action: "Ignore", onExitCodes: { operator: "In", values: [4] } }] } }, "44s", 3, "1 succeeded 0 failed SuccessCriteriaMet:CompletionsReached Complete:CompletionsReached"],
  ["an index failed by its exit code",     { completionMode: "Indexed", completions: 2, backoffLimitPerIndex: 5, backoffLimit: 99, podFailurePolicy: { rules: [{ action: "FailIndex", onExitCodes: { operator: "NotIn", values: [1] } }] } }, "4s", 2, "1 succeeded 1 failed FailureTarget:FailedIndexes Failed:FailedIndexes [1] failed [0]"],
  ["a deadline",                           { activeDeadlineSeconds: 30 },                                    "r",      1,    "0 succeeded 1 failed FailureTarget:DeadlineExceeded Failed:DeadlineExceeded"],
] as const;
for (const [what, spec, outcomes, pods, end] of cases)
  test(`a job: ${what}`, () => {
    const { job, made } = play(spec, outcomes);
    assert.deepEqual([made, summary(job)], [pods, end]);
    assert.deepEqual(job.status.uncountedTerminatedPods, {});
  });

test("a suspended job has no pods, and what it gives up is no failure", () => {
  const running = play({}, "r", ({ status }) => (status.active ?? 0) === 1).job;
  assert.notEqual(running.status.startTime, undefined);
  const plan = planJob({ ...running, spec: { ...running.spec, suspend: true } }, [], start);
  assert.deepEqual([plan.create.length, plan.status.startTime, plan.status.conditions?.map(({ type, reason }) => `${type} ${reason}`)], [0, undefined, ["Suspended JobSuspended"]]);
});

test("the next try waits 10 s after the first failure and 20 s after the second", () => {
  const failed = (seconds: number, name: string): Pod => ({ metadata: { name, uid: name, creationTimestamp: new Date(start - seconds * 1000).toISOString() }, status: { phase: "Failed" } }) as unknown as Pod;
  const job = play({}, "r", () => true).job;
  assert.deepEqual([planJob(job, [failed(3, "a")], start).afterMs, planJob(job, [failed(30, "a"), failed(3, "b")], start).afterMs, planJob(job, [failed(11, "a")], start).create.length], [7_000, 17_000, 1]);
});

test("indexes are written as upstream writes them", () => {
  for (const text of ["", "0", "0,1", "0-2", "1,3-5,7,8"]) assert.equal(renderIndexes(parseIndexes(text, 10)), text);
  assert.deepEqual([...parseIndexes("3-9,x,2", 5)], [3, 4, 2]);
});
