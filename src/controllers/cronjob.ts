import { isApiError } from "../base/api-error.ts";
import { sameJson } from "../base/json.ts";
import { messageOf } from "../base/log.ts";
import { msOf, timeOf } from "../base/time.ts";
import { byController, joinKey } from "../client/informer.ts";
import { CronJob } from "../kinds/batch/cronjob.ts";
import { Job } from "../kinds/batch/job.ts";
import type { New } from "../kinds/kind.ts";
import { owned, type Context, type Controller, type Outcome } from "./controller.ts";
import { parseSchedule, type Schedule } from "./cron.ts";
import { jobName, planHistory, planRun } from "./cronjob-plan.ts";
import { isJobFinished } from "./job-plan.ts";
import { controllerRef } from "./ownership.ts";
import { isNamespaceEnding } from "./serviceaccount.ts";

/** A timer that rings a little late finds its minute begun (upstream nextScheduleDelta). */
const lateMs = 100;

/** Starts jobs by the clock. */
export const cronJobController: Controller = {
  name: "cronjob",
  account: "cronjob-controller",
  reconciles: CronJob,
  watches: [owned(Job, CronJob)],

  async reconcile(key, context) {
    const stored = context.read(CronJob).get(key);
    if (stored === undefined) return undefined;
    const jobs = context.read(Job).by(byController, stored.metadata.uid);
    let cron = takeStock(stored, jobs, context);
    for (const job of planHistory(cron, jobs)) await removeJob(cron, job, context);
    let outcome: Outcome;
    if (cron.metadata.deletionTimestamp === undefined && cron.spec.suspend !== true) ({ cron, outcome } = await run(cron, jobs, context));
    if (!sameJson(cron.status, stored.status)) await context.updateStatus(CronJob, cron);
    return outcome;
  },
};

type Status = CronJob["status"];
const withStatus = (cron: CronJob, status: Status): CronJob => ({ ...cron, status });

/** What has become of the jobs that were started. */
function takeStock(cron: CronJob, jobs: readonly Job[], context: Context): CronJob {
  const active = [...(cron.status.active ?? [])];
  let { lastSuccessfulTime } = cron.status;
  for (const job of jobs) {
    const at = active.findIndex(ref => ref.uid === job.metadata.uid);
    if (at < 0) {
      if (!isJobFinished(job) && job.metadata.deletionTimestamp === undefined && job.metadata.name !== jobName(cron, msOf(cron.status.lastScheduleTime) ?? 0)) context.events.event(cron, "Warning", "UnexpectedJob", `Saw a job that the controller did not create or forgot: ${job.metadata.name}`);
    } else if (isJobFinished(job)) {
      active.splice(at, 1);
      const done = job.status.conditions?.find(({ type, status }) => (type === "Complete" || type === "Failed") && status === "True")?.type ?? "";
      context.events.event(cron, "Normal", "SawCompletedJob", `Saw completed job: ${job.metadata.name}, condition: ${done}`);
    }
    const ended = job.status.completionTime;
    if (ended !== undefined && (msOf(lastSuccessfulTime) ?? 0) < msOf(ended)) lastSuccessfulTime = ended;
  }
  const there = active.filter(ref => {
    const found = jobs.some(job => job.metadata.uid === ref.uid);
    if (!found) context.events.event(cron, "Normal", "MissingJob", `Active job went missing: ${ref.name}`);
    return found;
  });
  const { active: _, lastSuccessfulTime: __, ...rest } = cron.status;
  return withStatus(cron, { ...rest, ...(there.length > 0 ? { active: there } : {}), ...(lastSuccessfulTime === undefined ? {} : { lastSuccessfulTime }) });
}

async function removeJob(cron: CronJob, job: Job, context: Context): Promise<void> {
  try {
    await context.delete(Job, job, { propagationPolicy: "Background" });
    context.events.event(cron, "Normal", "SuccessfulDelete", `Deleted job ${job.metadata.name}`);
  } catch (error) {
    context.events.event(cron, "Warning", "FailedDelete", `Deleted job: ${messageOf(error)}`);
    throw error;
  }
}

async function run(cron: CronJob, jobs: readonly Job[], context: Context): Promise<{ readonly cron: CronJob; readonly outcome: Outcome }> {
  const now = context.clock.now();
  const schedule = scheduleOf(cron, context);
  if (schedule === undefined) return { cron, outcome: undefined };
  const { due, tooMany, next, never } = planRun(cron, schedule, now);
  if (never) {
    context.events.event(cron, "Warning", "InvalidSchedule", `invalid schedule: ${cron.spec.schedule} : time difference between two schedules is less than 1 second`);
    return { cron, outcome: undefined };
  }
  const outcome = next === undefined ? undefined : { after: next - now + lateMs };
  const { spec: { startingDeadlineSeconds, concurrencyPolicy }, status } = cron;
  if (tooMany) context.events.event(cron, "Warning", "TooManyMissedTimes", "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew");
  if (due === undefined || msOf(status.lastScheduleTime) === due) return { cron, outcome };
  if (startingDeadlineSeconds !== undefined && due + startingDeadlineSeconds * 1000 < now) {
    context.events.event(cron, "Warning", "MissSchedule", `Missed scheduled time to start a job: ${new Date(due).toUTCString().replace("GMT", "+0000")}`);
    return { cron, outcome };
  }
  const name = jobName(cron, due);
  let active = status.active ?? [];
  if (active.some(ref => ref.name === name)) return { cron, outcome };
  if (concurrencyPolicy === "Forbid" && active.length > 0) {
    context.events.event(cron, "Normal", "JobAlreadyActive", "Not starting job because prior execution is running and concurrency policy is Forbid");
    return { cron, outcome };
  }
  if (concurrencyPolicy === "Replace") {
    for (const job of jobs.filter(job => active.some(ref => ref.uid === job.metadata.uid))) await removeJob(cron, job, context);
    active = [];
  }
  const job = await start(cron, name, due, context);
  if (job === undefined) return { cron, outcome };
  const ref = { kind: "Job", namespace: job.metadata.namespace ?? "", name, uid: job.metadata.uid, apiVersion: "batch/v1", resourceVersion: job.metadata.resourceVersion };
  return { cron: withStatus(cron, { ...status, active: [...active, ref], lastScheduleTime: timeOf(due) }), outcome };
}

function scheduleOf(cron: CronJob, context: Context): Schedule | undefined {
  const { schedule, timeZone } = cron.spec;
  try {
    return parseSchedule(schedule, timeZone);
  } catch (error) {
    // The clock can not be read; nothing else is wrong, and only the user can mend it.
    if (error instanceof RangeError) context.events.event(cron, "Warning", "UnknownTimeZone", `invalid timeZone: ${JSON.stringify(timeZone)}: ${error.message}`);
    else context.events.event(cron, "Warning", "UnparseableSchedule", `unparseable schedule: ${JSON.stringify(schedule)} : ${messageOf(error)}`);
    return undefined;
  }
}

/** Makes the job of one run. Its name is the run's, so that no crash can start it twice. */
async function start(cron: CronJob, name: string, due: number, context: Context): Promise<Job | undefined> {
  const { jobTemplate } = cron.spec;
  const { namespace } = cron.metadata;
  const { labels, annotations } = jobTemplate.metadata ?? {};
  try {
    const job = await context.create(Job, {
      metadata: { name, namespace, ...(labels === undefined ? {} : { labels }), annotations: { ...annotations, "batch.kubernetes.io/cronjob-scheduled-timestamp": timeOf(due) }, ownerReferences: [controllerRef(CronJob, cron)] },
      spec: jobTemplate.spec,
    } as unknown as New<typeof Job>);
    context.events.event(cron, "Normal", "SuccessfulCreate", `Created job ${name}`);
    return job;
  } catch (error) {
    if (isNamespaceEnding(error)) return undefined;
    if (isApiError(error, "AlreadyExists")) {
      const there = context.read(Job).get(joinKey(namespace, name)) ?? await context.live(Job, namespace ?? "", name);
      if (there?.metadata.ownerReferences?.some(ref => ref.uid === cron.metadata.uid) === true) return there;
    }
    context.events.event(cron, "Warning", "FailedCreate", `Error creating job: ${messageOf(error)}`);
    throw error;
  }
}
