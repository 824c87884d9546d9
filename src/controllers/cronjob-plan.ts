/** Which run of a CronJob is due: pure (upstream pkg/controller/cronjob utils.go). */
import { msOf } from "../base/time.ts";
import type { CronJob } from "../kinds/batch/cronjob.ts";
import type { Job } from "../kinds/batch/job.ts";
import type { Schedule } from "./cron.ts";

/** More missed runs than this are worth a warning. */
const missedMax = 100;
/** Runs looked through one by one before the remaining ones are estimated. */
const stepsMax = 5_000;

/** `never`: the schedule names no moment there is, such as the 31st of February. */
export type Due = { readonly due: number | undefined; readonly tooMany: boolean; readonly next: number | undefined; readonly never: boolean };

/** The latest run that is due and was not started, and the one after now. */
export function planRun({ metadata, spec, status }: CronJob, schedule: Schedule, now: number): Due {
  const { startingDeadlineSeconds } = spec;
  let from = msOf(status.lastScheduleTime) ?? msOf(metadata.creationTimestamp) ?? now;
  if (startingDeadlineSeconds !== undefined) from = Math.max(from, now - startingDeadlineSeconds * 1000);
  let due: number | undefined;
  let missed = 0;
  let time = schedule.next(from);
  const never = time === undefined;
  while (time !== undefined && time <= now) {
    due = time;
    missed++;
    // Far behind: jump over what nobody will run anyway.
    const ahead = schedule.next(time);
    if (ahead === undefined) break;
    const period = ahead - time;
    time = missed >= stepsMax ? schedule.next(Math.max(time, now - 2 * period)) : ahead;
    if (missed > 2 * stepsMax) break;
  }
  return { due, tooMany: missed > missedMax, next: schedule.next(now), never };
}

export function jobName({ metadata }: CronJob, time: number): string {
  return `${metadata.name}-${Math.floor(time / 60_000)}`;
}

/** Finished jobs beyond the limits, oldest first. */
export function planHistory({ spec }: CronJob, jobs: readonly Job[]): readonly Job[] {
  const of = (type: "Complete" | "Failed"): Job[] => jobs.filter(job => job.status.conditions?.some(condition => condition.type === type && condition.status === "True") === true)
    .sort((a, b) => (msOf(a.status.startTime) ?? 0) - (msOf(b.status.startTime) ?? 0) || (a.metadata.name < b.metadata.name ? -1 : 1));
  const beyond = (list: readonly Job[], limit: number | undefined): readonly Job[] => (limit === undefined ? [] : list.slice(0, Math.max(0, list.length - limit)));
  return [...beyond(of("Complete"), spec.successfulJobsHistoryLimit), ...beyond(of("Failed"), spec.failedJobsHistoryLimit)];
}
