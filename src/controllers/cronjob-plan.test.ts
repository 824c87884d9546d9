import assert from "node:assert/strict";
import { test } from "node:test";
import type { CronJob } from "../kinds/batch/cronjob.ts";
import type { Job } from "../kinds/batch/job.ts";
import { parseSchedule } from "./cron.ts";
import { jobName, planHistory, planRun } from "./cronjob-plan.ts";

const at = (time: string): number => Date.parse(`2030-01-01T${time}:00Z`);
const cron = (last: string | undefined, spec: object = {}): CronJob => ({ metadata: { name: "c", creationTimestamp: "2030-01-01T00:00:30Z" }, spec, status: last === undefined ? {} : { lastScheduleTime: `2030-01-01T${last}:00Z` } }) as unknown as CronJob;

const cases = [
  // every   last run  now      deadline   due      next
  ["*/5",    undefined, "00:04", undefined, "",      "00:05"],
  ["*/5",    undefined, "00:05", undefined, "00:05", "00:10"],
  ["*/5",    "00:05",   "00:05", undefined, "",      "00:10"],
  ["*/5",    "00:05",   "00:22", undefined, "00:20", "00:25"],
  ["*/5",    "00:05",   "00:22", 60,        "",      "00:25"],
  ["*/5",    "00:05",   "00:21", 90,        "00:20", "00:25"],
] as const;
for (const [every, last, now, deadline, due, next] of cases)
  test(`${every} last ${last ?? "never"}, at ${now}${deadline === undefined ? "" : `, at most ${deadline} s late`}`, () => {
    const plan = planRun(cron(last, deadline === undefined ? {} : { startingDeadlineSeconds: deadline }), parseSchedule(`${every} * * * *`, undefined), at(now));
    assert.deepEqual([plan.due, plan.next], [due === "" ? undefined : at(due), at(next)]);
  });

test("the 31st of February never comes", () => {
  assert.deepEqual(planRun(cron(undefined), parseSchedule("59 23 31 2 *", undefined), at("00:05")), { due: undefined, tooMany: false, next: undefined, never: true });
});

test("years of missed runs are told as too many, and only the latest is due", () => {
  const plan = planRun({ ...cron(undefined), metadata: { name: "c", creationTimestamp: "2020-01-01T00:00:00Z" } } as CronJob, parseSchedule("* * * * *", undefined), at("10:00"));
  assert.deepEqual([plan.tooMany, plan.due], [true, at("10:00")]);
});

test("a run's job has its minute in its name; history keeps the newest", () => {
  assert.equal(jobName(cron(undefined), at("00:05")), "c-31557605");
  const job = (name: string, type: string): Job => ({ metadata: { name }, status: { startTime: `2030-01-01T00:0${name.slice(1)}:00Z`, conditions: [{ type, status: "True" }] } }) as unknown as Job;
  const jobs = [job("s3", "Complete"), job("s1", "Complete"), job("f2", "Failed"), job("f1", "Failed")];
  assert.deepEqual(planHistory(cron(undefined, { successfulJobsHistoryLimit: 1, failedJobsHistoryLimit: 0 }), jobs).map(({ metadata }) => metadata.name), ["s1", "f1", "f2"]);
});
