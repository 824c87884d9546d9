/**
 * What the status of a Job may say, whoever controls it (kubernetes pkg/apis/batch/validation ValidateJobStatusUpdate, with the options of registry/batch/job getStatusValidationOptions):
 * most is only looked at where it changes.
 */
import { sameJson } from "../../base/json.ts";
import { duplicate, invalidValue, type Problem, required } from "../../schema/problem.ts";
import { nonNegative } from "../apps/workloadrules.ts";
import type { JobStatus } from "./job.ts";
import type { JobSpec } from "./jobspec.ts";

type JobLike = { readonly spec: JobSpec; readonly status: JobStatus };
const has = ({ status }: JobLike, ...types: readonly string[]): boolean => (status.conditions ?? []).some(({ type, status: holds }) => types.includes(type) && holds === "True");
const ended = (job: JobLike): boolean => has(job, "Complete", "Failed");
const wrong = (detail: string): Problem => ({ field: "status.conditions", reason: "Invalid", detail });

export function* jobStatusProblems(next: JobLike, previous: JobLike): Iterable<Problem> {
  const { spec, status } = next, old = previous.status;
  for (const name of ["active", "succeeded", "failed", "ready", "terminating"] as const) yield* nonNegative(status[name], `status.${name}`);
  yield* uncounted(status);
  const turned = (type: string): boolean => has(next, type) !== has(previous, type);
  const changed = (...names: readonly (keyof JobStatus)[]): boolean => names.some(name => !sameJson(status[name] ?? null, old[name] ?? null));
  const complete = has(next, "Complete"), failed = has(next, "Failed"), over = ended(next), overTurned = over !== ended(previous);
  if ((turned("Complete") || turned("Failed")) && complete && failed) yield wrong("cannot set Complete=True and Failed=true conditions");
  if ((turned("Complete") || turned("FailureTarget")) && complete && has(next, "FailureTarget")) yield wrong("cannot set Complete=True and FailureTarget=true conditions");
  if (turned("Complete") || changed("completionTime")) {
    if (status.completionTime !== undefined && !complete) yield invalidValue("status.completionTime", status.completionTime, "cannot set completionTime when there is no Complete=True condition");
    if (status.completionTime === undefined && complete) yield required("status.completionTime", "completionTime is required for Complete jobs");
  }
  if (changed("startTime", "completionTime") && status.startTime !== undefined && status.completionTime !== undefined && Date.parse(status.completionTime) < Date.parse(status.startTime)) yield invalidValue("status.completionTime", status.completionTime, "must be equal to or after `startTime`");
  if ((turned("Failed") || changed("failedIndexes")) && failed && !has(next, "FailureTarget")) yield wrong("cannot set Failed=True condition without the FailureTarget=true condition");
  const met = has(next, "SuccessCriteriaMet"), metBefore = has(previous, "SuccessCriteriaMet");
  if ((turned("Complete") || met !== metBefore) && complete && !met) yield wrong("cannot set Complete=True condition without the SuccessCriteriaMet=true condition");
  if ((overTurned || changed("active")) && over && (status.active ?? 0) > 0) yield invalidValue("status.active", status.active, "active>0 is invalid for finished job");
  if ((overTurned || changed("startTime")) && !(spec.suspend === true && spec.completions === 0) && over && status.startTime === undefined) yield required("status.startTime", "startTime is required for finished job");
  const waiting = status.uncountedTerminatedPods;
  if ((overTurned || changed("uncountedTerminatedPods")) && over && (waiting?.failed ?? []).length + (waiting?.succeeded ?? []).length > 0) yield invalidValue("status.uncountedTerminatedPods", { Succeeded: waiting?.succeeded ?? null, Failed: waiting?.failed ?? null }, "must be empty for finished job");
  yield* indexProblems(next, previous);
  if ((overTurned || changed("terminating")) && over && (status.terminating ?? 0) > 0) yield invalidValue("status.terminating", status.terminating, "terminating>0 is invalid for finished job");
  if (changed("ready", "active") && (status.ready ?? 0) > (status.active ?? 0)) yield invalidValue("status.ready", status.ready, "cannot set more ready pods than active");
  if (met && failed) yield wrong("cannot set SuccessCriteriaMet=True and Failed=true conditions");
  if (met && has(next, "FailureTarget")) yield wrong("cannot set SuccessCriteriaMet=True and FailureTarget=true conditions");
  if (spec.successPolicy !== undefined && !met && complete) yield wrong("cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True");
  for (const type of ["Failed", "Complete", "FailureTarget"]) if (has(previous, type) && !has(next, type)) yield wrong(`cannot disable the terminal ${type}=True condition`);
  if ((status.failed ?? 0) < (old.failed ?? 0)) yield invalidValue("status.failed", status.failed ?? 0, "cannot decrease the failed counter");
  if ((spec.completionMode !== "Indexed" || spec.completions !== spec.parallelism) && (status.succeeded ?? 0) < (old.succeeded ?? 0)) yield invalidValue("status.succeeded", status.succeeded ?? 0, "cannot decrease the succeeded counter");
  if (status.completionTime !== undefined && old.completionTime !== undefined && changed("completionTime")) yield invalidValue("status.completionTime", status.completionTime, "field is immutable");
  const resumes = has(previous, "Suspended") && (status.conditions ?? []).some(({ type, status: holds }) => type === "Suspended" && holds === "False");
  if (old.startTime !== undefined && changed("startTime") && !resumes && spec.suspend !== true) yield invalidValue("status.startTime", status.startTime ?? null, "field is immutable for unsuspended job once set");
  if (metBefore && !met) yield wrong("cannot disable the SuccessCriteriaMet=True condition");
  if (has(previous, "Complete") && !metBefore && met) yield wrong("cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions");
}

function* uncounted({ uncountedTerminatedPods: pods }: JobStatus): Iterable<Problem> {
  const seen = new Set<string>();
  for (const list of ["succeeded", "failed"] as const) for (const [i, uid] of (pods?.[list] ?? []).entries()) {
    const path = `status.uncountedTerminatedPods.${list}[${i}]`;
    if (uid === "") yield invalidValue(path, uid, "must not be empty");
    else if (seen.has(uid)) yield duplicate(path, uid);
    seen.add(uid);
  }
}

function* indexProblems({ spec, status }: JobLike, { status: old }: JobLike): Iterable<Problem> {
  const { completedIndexes = "", failedIndexes } = status, { completions } = spec;
  const [completedChanged, failedChanged] = [completedIndexes !== (old.completedIndexes ?? ""), failedIndexes !== old.failedIndexes];
  const told = (name: "completedIndexes" | "failedIndexes", text: string): readonly Problem[] => {
    const detail = formatProblem(text, completions!);
    return detail === undefined ? [] : [invalidValue(`status.${name}`, text, `error parsing ${name}: ${detail}`)];
  };
  if (completedChanged && completions !== undefined) yield* told("completedIndexes", completedIndexes);
  if (failedChanged && completions !== undefined && spec.backoffLimitPerIndex !== undefined && failedIndexes !== undefined) yield* told("failedIndexes", failedIndexes);
  if (completedChanged && completedIndexes !== "" && spec.completionMode !== "Indexed") yield invalidValue("status.completedIndexes", completedIndexes, "cannot set non-empty completedIndexes when non-indexed completion mode");
  if (failedChanged && spec.backoffLimitPerIndex === undefined && failedIndexes !== undefined) yield invalidValue("status.failedIndexes", failedIndexes, "cannot set non-null failedIndexes when backoffLimitPerIndex is null");
  if ((completedChanged || failedChanged) && completions !== undefined && failedIndexes !== undefined) {
    const at = overlap(intervals(completedIndexes, completions), intervals(failedIndexes, completions));
    if (at !== undefined) yield invalidValue("status.failedIndexes", failedIndexes, `failedIndexes and completedIndexes overlap at index: ${at}`);
  }
}
type Interval = readonly [number, number];
function interval(text: string, completions: number): Interval | string {
  const parts = text.split("-");
  if (parts.length > 2) return `the fragment ${JSON.stringify(text)} violates the requirement that an index interval can have at most two parts separated by '-'`;
  for (const part of parts) {
    if (!/^\+?\d{1,15}$/.test(part)) return `cannot convert string to integer for index: ${JSON.stringify(part)}`;
    if (Number(part) >= completions) return `too large index: ${JSON.stringify(part)}`;
  }
  const [x, y = x] = parts.map(Number) as [number, number?];
  return parts.length === 2 && x >= y ? `non-increasing order, previous: ${x}, current: ${y}` : [x, y];
}
function formatProblem(text: string, completions: number): string | undefined {
  let last = -1;
  for (const part of text === "" ? [] : text.split(",")) {
    const read = interval(part, completions);
    if (typeof read === "string") return read;
    if (last >= read[0]) return `non-increasing order, previous: ${last}, current: ${read[0]}`;
    last = read[1];
  }
  return undefined;
}
const intervals = (text: string, completions: number): readonly Interval[] => text.split(",").map(part => interval(part, completions)).filter(read => typeof read !== "string");
/** The first index that both have. */
function overlap(completed: readonly Interval[], failed: readonly Interval[]): number | undefined {
  for (let i = 0, j = 0; i < completed.length && j < failed.length; ) {
    const [[x, y], [from, to]] = [completed[i]!, failed[j]!];
    if (x <= to && from <= y) return Math.max(x, from);
    if (x <= from) i++;
    else j++;
  }
  return undefined;
}
