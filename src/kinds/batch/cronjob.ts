import { JobTemplateSpec } from "./jobspec.ts";
import { ObjectReference } from "../core/references.ts";
import { ageColumn, ageOf, nameColumn, selectorOrNone, templateColumns } from "../columns.ts";
import { sameJson } from "../../base/json.ts";
import { invalidValue, notSupported, type Problem, required } from "../../schema/problem.ts";
import { nonNegative } from "../apps/workloadrules.ts";
import { defaultJobTemplate, jobSpecProblems, jobWarnings } from "./jobrules.ts";
import { defineKind, type Resource } from "../kind.ts";
import { nameWarnings } from "../core/podwarnings.ts";
import { dropGatedPodFields } from "../core/poddefaults.ts";
import * as t from "../../schema/t.ts";

export const CronJobSpec = t.object("io.k8s.api.batch.v1.CronJobSpec", {
  concurrencyPolicy: t.oneOf("Allow", "Forbid", "Replace").pb(3).default("Allow").doc("What happens when the last job still runs: Allow, Forbid or Replace."),
  failedJobsHistoryLimit: t.int32().pb(7).pointer().default(1).doc("How many failed jobs are kept."),
  jobTemplate: JobTemplateSpec.pb(5).required().always("{}").doc("What jobs are made from."),
  schedule: t.string().pb(1).required().always("zero").doc("When to run, as a line of crontab."),
  startingDeadlineSeconds: t.int64().pb(2).pointer().doc("How late a job may still be started."),
  successfulJobsHistoryLimit: t.int32().pb(6).pointer().default(3).doc("How many succeeded jobs are kept."),
  suspend: t.bool().pb(4).pointer().default(false).doc("Whether no further jobs are started."),
  timeZone: t.string().pb(8).pointer().doc("Time zone of the schedule."),
});
export interface CronJobSpec extends t.Stored<typeof CronJobSpec> {}

export const CronJobStatus = t.object("io.k8s.api.batch.v1.CronJobStatus", {
  active: t.list(ObjectReference).pb(1).doc("Jobs that run now."),
  lastScheduleTime: t.time().pb(4).pointer().doc("When a job was last started."),
  lastSuccessfulTime: t.time().pb(5).pointer().doc("When a job last succeeded."),
});
export interface CronJobStatus extends t.Stored<typeof CronJobStatus> {}

export const CronJob = defineKind({
  group: "batch", version: "v1", kind: "CronJob", plural: "cronjobs", namespaced: true,
  shortNames: ["cj"], categories: ["all"], subresources: ["status"],
  generation: true,
  definition: "io.k8s.api.batch.v1.CronJob",
  doc: "Makes a job again and again, by the clock.",
  fields: {
    spec: CronJobSpec.pb(2).required().always("{}").doc("What to run, and when."),
    status: CronJobStatus.pb(3).always("{}").doc("What runs, and when it last ran."),
  },
  defaults({ spec }) { defaultJobTemplate(spec.jobTemplate.spec); },
  prepare({ spec }) { dropGatedPodFields(spec.jobTemplate.spec.template.spec); },
  *rules(next, previous, { subresource }) {
    if (subresource === "status") return;
    const { spec } = next;
    if ((next.metadata.name ?? "").length > 52) yield invalidValue("metadata.name", next.metadata.name, "must be no more than 52 characters");
    yield* scheduleProblems(spec.schedule, spec.timeZone);
    for (const name of ["startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"] as const) yield* nonNegative(spec[name], `spec.${name}`);
    if (spec.jobTemplate.spec.selector !== undefined) yield invalidValue("spec.jobTemplate.spec.selector", spec.jobTemplate.spec.selector, "`selector` will be auto-generated");
    if (spec.jobTemplate.spec.manualSelector === true) yield notSupported("spec.jobTemplate.spec.manualSelector", true, ["nil", "false"]);
    if (previous === undefined || !sameJson(spec.jobTemplate, previous.spec.jobTemplate)) yield* jobSpecProblems(spec.jobTemplate.spec, "spec.jobTemplate.spec");
  },
  *warnings(next, previous) {
    if (previous === undefined) yield* nameWarnings(next.metadata.name);
    if (previous === undefined || next.metadata.generation !== previous.metadata.generation) yield* jobWarnings(next.spec.jobTemplate.spec, "spec.jobTemplate.spec");
    if (previous !== undefined && next.spec.schedule.includes("TZ")) yield "cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details";
  },
  columns: [
    nameColumn,
    { name: "Schedule", type: "string", doc: "When jobs are made.", cell: ({ spec }) => spec.schedule },
    { name: "Timezone", type: "string", doc: "Time zone of the schedule.", cell: ({ spec }) => spec.timeZone ?? "<none>" },
    { name: "Suspend", type: "boolean", doc: "Whether it rests.", cell: ({ spec }) => (spec.suspend ? "True" : "False") },
    { name: "Active", type: "integer", doc: "Jobs that are running.", cell: ({ status }) => status.active?.length ?? 0 },
    { name: "Last Schedule", type: "string", doc: "Time since a job was made last.", cell: ({ status }, now) => (status.lastScheduleTime === undefined ? "<none>" : ageOf(status.lastScheduleTime, now)) },
    ageColumn,
    ...templateColumns<{ readonly spec: CronJobSpec }>(({ spec }) => spec.jobTemplate.spec.template),
    { name: "Selector", type: "string", priority: 1, doc: "Labels by which pods are counted.", cell: ({ spec }) => selectorOrNone(spec.jobTemplate.spec.selector) },
  ],
});
export interface CronJob extends Resource<typeof CronJob> {}

const bounds: readonly (readonly [number, number])[] = [[0, 59], [0, 23], [1, 31], [1, 12], [0, 6]];
/** A schedule in five fields, or one of the names that cron knows. */
function scheduleProblems(schedule: string, timeZone: string | undefined): readonly Problem[] {
  const path = "spec.schedule";
  const problems: Problem[] = [];
  if (schedule === "") return [required(path)];
  if (/^(CRON_)?TZ=/.test(schedule)) problems.push(invalidValue(path, schedule, timeZone === undefined ? "cannot use TZ or CRON_TZ in schedule, use timeZone field instead" : "cannot use both timeZone field and TZ or CRON_TZ in schedule"));
  else if (schedule.startsWith("@")) {
    if (!/^@(yearly|annually|monthly|weekly|daily|midnight|hourly|every [0-9hms.]+)$/.test(schedule)) problems.push(invalidValue(path, schedule, `unrecognized descriptor: ${schedule}`));
  } else {
    const fields = schedule.trim().split(/\s+/);
    if (fields.length !== 5) problems.push(invalidValue(path, schedule, `expected exactly 5 fields, found ${fields.length}: [${fields.join(" ")}]`));
    else fields.forEach((field, i) => { if (!field.split(",").every(part => validPart(part, bounds[i]!))) problems.push(invalidValue(path, schedule, `failed to parse field: ${field}`)); });
  }
  if (timeZone !== undefined && timeZone === "") problems.push(invalidValue("spec.timeZone", timeZone, "timeZone must be nil or non-empty string"));
  else if (timeZone !== undefined && (timeZone.toLowerCase() === "local" || !isTimeZone(timeZone))) problems.push(invalidValue("spec.timeZone", timeZone, timeZone.toLowerCase() === "local" ? "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones" : `unknown time zone ${timeZone}`));
  return problems;
}
function validPart(part: string, [low, high]: readonly [number, number]): boolean {
  const match = /^(\*|\?|[0-9]{1,2}|[A-Za-z]{3})(?:-([0-9]{1,2}|[A-Za-z]{3}))?(?:\/([0-9]{1,3}))?$/.exec(part);
  if (!match) return false;
  const number = (text: string | undefined): number => (text === undefined || !/^[0-9]+$/.test(text) ? low : Number(text));
  return number(match[1]) >= low && number(match[1]) <= high && number(match[2]) <= high && match[3] !== "0";
}
/** Zones that the system knows, by name alone: offsets such as +01:00 are none. */
function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_/+-]*$/.test(name) || name.length > 64) return false;
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
