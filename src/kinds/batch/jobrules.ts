/** Defaults, labels and rules of jobs, alone or in a CronJob's template (kubernetes pkg/apis/batch). */
import { goValue } from "../../schema/go-value.ts";
import { sameJson } from "../../base/json.ts";
import * as grammar from "../../schema/grammar.ts";
import { duplicate, goMap, invalidValue, notSupported, type Problem, required, tooLong, tooMany } from "../../schema/problem.ts";
import { nonNegative, selects } from "../apps/workloadrules.ts";
import { defaultPodSpec } from "../core/poddefaults.ts";
import { podWarnings } from "../core/podwarnings.ts";
import { validatePodTemplate } from "../core/podspecrules.ts";
import { domainPath, validateLabelSelector } from "../meta/rules.ts";
import type { JobStatus } from "./job.ts";
import { JobSpec } from "./jobspec.ts";

const int32Max = 2 ** 31 - 1;
type Writable<T> = T extends readonly (infer I)[] ? Writable<I>[] : T extends object ? { -readonly [K in keyof T]: Writable<T[K]> } : T;

/** What a Job gets; the template of a CronJob is left as it came until a job is made of it. */
export function defaultJobSpec(given: unknown): void {
  const spec = given as Writable<JobSpec>;
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = spec.parallelism = 1;
  spec.parallelism ??= 1;
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : int32Max;
  spec.completionMode ??= "NonIndexed";
  spec.suspend ??= false;
  spec.podReplacementPolicy ??= spec.podFailurePolicy === undefined ? "TerminatingOrFailed" : "Failed";
  spec.manualSelector ??= false;
  defaultJobTemplate(spec);
}
export function defaultJobTemplate(given: unknown): void {
  const spec = given as Writable<JobSpec>;
  for (const rule of spec.podFailurePolicy?.rules ?? []) for (const pattern of rule.onPodConditions ?? []) pattern.status ||= "True";
  defaultPodSpec(spec.template.spec);
}

/** The selector and labels that tie pods to this very job, unless the client chose its own (strategy.generateSelector). */
export function tieToPods(job: { readonly metadata: { readonly name: string; readonly uid: string; labels?: { [key: string]: string } }; readonly spec: unknown }): void {
  const spec = job.spec as Writable<JobSpec>;
  if (spec.manualSelector === true) return;
  const { name, uid } = job.metadata;
  // Quirk: labels that a job took over from its template are one map in Go, so the job gets the generated ones too (SetDefaults_Job, generateSelector).
  // A job without labels gets them when it is read back, where the template had none either.
  const shared = job.metadata.labels === undefined || job.metadata.labels === spec.template.metadata.labels || Object.keys(job.metadata.labels).length === 0;
  // What the client gave stays, and is refused if it is another's.
  spec.template.metadata.labels = { "controller-uid": uid, "job-name": name, "batch.kubernetes.io/controller-uid": uid, "batch.kubernetes.io/job-name": name, ...spec.template.metadata.labels };
  if (shared) job.metadata.labels = { ...spec.template.metadata.labels };
  spec.selector = { ...spec.selector, matchLabels: { "batch.kubernetes.io/controller-uid": uid, ...spec.selector?.matchLabels } };
}

const parallelismMax = 100_000;
const manyCompletions = 100_000;
export function jobSpecProblems(spec: JobSpec, path: string): readonly Problem[] {
  const problems: Problem[] = [];
  for (const name of ["parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished", "backoffLimitPerIndex", "maxFailedIndexes"] as const) problems.push(...nonNegative(spec[name], `${path}.${name}`));
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined) problems.push(required(`${path}.backoffLimitPerIndex`, "when maxFailedIndexes is specified"));
  if (spec.managedBy !== undefined) {
    problems.push(...domainPath(spec.managedBy, `${path}.managedBy`));
    if (spec.managedBy.length > 63) problems.push({ field: `${path}.managedBy`, reason: "TooLong", detail: "may not be more than 63 bytes" });
  }
  checkIndexes(spec, path, problems);
  checkFailurePolicy(spec, `${path}.podFailurePolicy`, problems);
  if (spec.successPolicy !== undefined) {
    if (spec.completionMode !== "Indexed") problems.push(invalidValue(`${path}.successPolicy`, goValue(JobSpec.node.fields!["successPolicy"]!, spec.successPolicy), "requires indexed completion mode"));
    else checkSuccessPolicy(spec, `${path}.successPolicy`, problems);
  }
  const replacement = spec.podReplacementPolicy as string | undefined;
  const replacements = spec.podFailurePolicy === undefined ? ["Failed", "TerminatingOrFailed"] : ["Failed"];
  if (replacement !== undefined && !replacements.includes(replacement)) problems.push(notSupported(`${path}.podReplacementPolicy`, replacement, replacements));
  problems.push(...validatePodTemplate(spec.template, `${path}.template`));
  const restart = spec.template.spec.restartPolicy as string;
  const here = `${path}.template.spec.restartPolicy`;
  if (restart === "Always" || restart === "") problems.push(required(here, 'valid values: "OnFailure", "Never"'));
  else if (restart !== "OnFailure" && restart !== "Never") problems.push(notSupported(here, restart, ["OnFailure", "Never"]));
  else if (spec.podFailurePolicy !== undefined && restart !== "Never") problems.push(invalidValue(here, restart, 'only "Never" is supported when podFailurePolicy is specified'));
  return problems;
}
function checkIndexes(spec: JobSpec, path: string, problems: Problem[]): void {
  const { completions, parallelism = 0, maxFailedIndexes, backoffLimitPerIndex } = spec;
  const mode = spec.completionMode as string | undefined;
  if (mode !== undefined && mode !== "NonIndexed" && mode !== "Indexed") problems.push(notSupported(`${path}.completionMode`, mode, ["NonIndexed", "Indexed"]));
  if (mode === undefined || mode === "NonIndexed") {
    for (const name of ["backoffLimitPerIndex", "maxFailedIndexes"] as const) if (spec[name] !== undefined) problems.push(invalidValue(`${path}.${name}`, spec[name], "requires indexed completion mode"));
  }
  if (mode !== "Indexed") return;
  if (completions === undefined) problems.push(required(`${path}.completions`, "when completion mode is Indexed"));
  if (parallelism > parallelismMax) problems.push(invalidValue(`${path}.parallelism`, parallelism, `must be less than or equal to ${parallelismMax} when completion mode is Indexed`));
  if (maxFailedIndexes !== undefined) {
    if (completions !== undefined && maxFailedIndexes > completions) problems.push(invalidValue(`${path}.maxFailedIndexes`, maxFailedIndexes, "must be less than or equal to completions"));
    if (maxFailedIndexes > parallelismMax) problems.push(invalidValue(`${path}.maxFailedIndexes`, maxFailedIndexes, `must be less than or equal to ${parallelismMax}`));
  }
  if (completions === undefined || completions <= manyCompletions || backoffLimitPerIndex === undefined) return;
  const text = (most: number): string => `must be less than or equal to ${most} when completions are above ${manyCompletions} and used with backoff limit per index`;
  if (maxFailedIndexes === undefined) problems.push(required(`${path}.maxFailedIndexes`, `must be specified when completions is above ${manyCompletions}`));
  if (parallelism > 10_000) problems.push(invalidValue(`${path}.parallelism`, parallelism, text(10_000)));
  if (maxFailedIndexes !== undefined && maxFailedIndexes > 10_000) problems.push(invalidValue(`${path}.maxFailedIndexes`, maxFailedIndexes, text(10_000)));
}
/** `[a b]`, as Go prints a list of quoted texts. */
const goList = (texts: readonly string[]): string => `[${texts.map(text => JSON.stringify(text)).join(" ")}]`;
const actions = ["Count", "FailIndex", "FailJob", "Ignore"];
const conditionStatuses = ["False", "True", "Unknown"];
function checkFailurePolicy(spec: JobSpec, path: string, problems: Problem[]): void {
  if (spec.podFailurePolicy === undefined) return;
  const { rules } = spec.podFailurePolicy;
  if (rules.length > 20) problems.push(tooMany(`${path}.rules`, rules.length, 20));
  const containers = new Set([...spec.template.spec.containers, ...(spec.template.spec.initContainers ?? [])].map(({ name }) => name));
  rules.forEach((rule, i) => {
    const here = `${path}.rules[${i}]`;
    const action = rule.action as string;
    if (action === "") problems.push(required(`${here}.action`, `valid values: ${goList(actions)}`));
    else if (action === "FailIndex") {
      if (spec.backoffLimitPerIndex === undefined) problems.push(invalidValue(`${here}.action`, action, "requires the backoffLimitPerIndex to be set"));
    } else if (!actions.includes(action)) problems.push(notSupported(`${here}.action`, action, actions));
    if (rule.onExitCodes !== undefined) checkExitCodes(rule.onExitCodes, containers, `${here}.onExitCodes`, problems);
    const conditions = rule.onPodConditions ?? [];
    if (conditions.length > 20) problems.push(tooMany(`${here}.onPodConditions`, conditions.length, 20));
    conditions.forEach(({ type, status }, j) => {
      const at = `${here}.onPodConditions[${j}]`;
      for (const detail of grammar.qualifiedName(type)) problems.push(invalidValue(`${at}.type`, type, detail));
      if (!conditionStatuses.includes(status)) problems.push(notSupported(`${at}.status`, status, conditionStatuses));
    });
    if (rule.onExitCodes !== undefined && conditions.length > 0) problems.push({ field: here, reason: "Invalid", detail: "specifying both OnExitCodes and OnPodConditions is not supported" });
    if (rule.onExitCodes === undefined && conditions.length === 0) problems.push({ field: here, reason: "Invalid", detail: "specifying one of OnExitCodes and OnPodConditions is required" });
  });
}
function checkExitCodes({ operator: given, containerName, values }: NonNullable<NonNullable<JobSpec["podFailurePolicy"]>["rules"][number]["onExitCodes"]>, containers: ReadonlySet<string>, path: string, problems: Problem[]): void {
  const operator = given as string;
  if (operator === "") problems.push(required(`${path}.operator`, `valid values: ${goList(["In", "NotIn"])}`));
  else if (operator !== "In" && operator !== "NotIn") problems.push(notSupported(`${path}.operator`, operator, ["In", "NotIn"]));
  if (containerName !== undefined && !containers.has(containerName)) problems.push(invalidValue(`${path}.containerName`, containerName, "must be one of the container or initContainer names in the pod template"));
  if (values.length === 0) problems.push(invalidValue(`${path}.values`, values, "at least one value is required"));
  else if (values.length > 255) problems.push(tooMany(`${path}.values`, values.length, 255));
  const seen = new Set<number>();
  values.forEach((code, i) => {
    if (operator === "In" && code === 0) problems.push(invalidValue(`${path}.values[${i}]`, code, "must not be 0 for the In operator"));
    if (seen.has(code)) problems.push(duplicate(`${path}.values[${i}]`, code));
    seen.add(code);
  });
  if (values.some((code, i) => i > 0 && values[i - 1]! > code)) problems.push(invalidValue(`${path}.values`, values, "must be ordered"));
}

function checkSuccessPolicy(spec: JobSpec, path: string, problems: Problem[]): void {
  const { rules } = spec.successPolicy!;
  const completions = spec.completions ?? 0;
  if (rules.length === 0) problems.push(required(`${path}.rules`, "at least one rules must be specified when the successPolicy is specified"));
  if (rules.length > 20) problems.push(tooMany(`${path}.rules`, rules.length, 20));
  rules.forEach(({ succeededCount: count, succeededIndexes: indexes }, i) => {
    const here = `${path}.rules[${i}]`;
    if (count === undefined && indexes === undefined) problems.push(required(here, "at least one of succeededCount or succeededIndexes must be specified"));
    let total = 0;
    if (indexes !== undefined) {
      if (indexes.length > 64 * 1024) problems.push(tooLong(`${here}.succeededIndexes`, 64 * 1024));
      const read = readIndexes(indexes, completions);
      if (typeof read === "string") problems.push(invalidValue(`${here}.succeededIndexes`, indexes, `error parsing succeededIndexes: ${read}`));
      else total = read;
    }
    if (count === undefined) return;
    problems.push(...nonNegative(count, `${here}.succeededCount`));
    if (count > completions) problems.push(invalidValue(`${here}.succeededCount`, count, `must be less than or equal to ${completions} (the number of specified completions)`));
    if (indexes !== undefined && count > total) problems.push(invalidValue(`${here}.succeededCount`, count, `must be less than or equal to ${total} (the number of indexes in the specified succeededIndexes field)`));
  });
}
/** How many indexes `1,3-5` names, or what is wrong with it. */
function readIndexes(text: string, completions: number): number | string {
  if (text === "") return 0;
  let total = 0;
  let last: number | undefined;
  for (const interval of text.split(",")) {
    const limits = interval.split("-");
    if (limits.length > 2) return `the fragment ${JSON.stringify(interval)} violates the requirement that an index interval can have at most two parts separated by '-'`;
    const [from, to] = limits.map(limit => (/^[+-]?[0-9]+$/.test(limit) ? Number(limit) : undefined));
    if (from === undefined) return `cannot convert string to integer for index: ${JSON.stringify(limits[0])}`;
    if (from >= completions) return `too large index: ${JSON.stringify(limits[0])}`;
    if (last !== undefined && last >= from) return `non-increasing order, previous: ${last}, current: ${from}`;
    if (limits.length === 1) {
      total++;
      last = from;
      continue;
    }
    if (to === undefined) return `cannot convert string to integer for index: ${JSON.stringify(limits[1])}`;
    if (to >= completions) return `too large index: ${JSON.stringify(limits[1])}`;
    if (from >= to) return `non-increasing order, previous: ${from}, current: ${to}`;
    total += to - from + 1;
    last = to;
  }
  return total;
}

type JobLike = { readonly metadata: { readonly name: string; readonly uid: string }; readonly spec: JobSpec; readonly status?: JobStatus };
export function jobRules(next: JobLike, previous: JobLike | undefined): readonly Problem[] {
  const { spec } = next;
  const whole = specProblems(spec), problems: Problem[] = [...generatedSelector(next), ...whole];
  const last = spec.completionMode === "Indexed" && (spec.completions ?? 0) > 0 ? `${next.metadata.name}-${spec.completions! - 1}` : undefined;
  if (last !== undefined && grammar.dnsLabel(last).length > 0) problems.push(invalidValue("metadata.name", next.metadata.name, `will not able to create pod with invalid DNS label: ${last}`));
  if (previous === undefined) return problems;
  // Quirk: an update is checked as a new job and once more as a change.
  problems.push(...whole);
  if (spec.completions !== previous.spec.completions) {
    if (spec.completionMode !== "Indexed") problems.push(invalidValue("spec.completions", spec.completions ?? null, "field is immutable"));
    else if (spec.completions !== undefined && spec.completions !== spec.parallelism) problems.push(invalidValue("spec.completions", spec.completions, "can only be modified in tandem with spec.parallelism"));
  }
  const fixed = (name: "selector" | "completionMode" | "podFailurePolicy" | "backoffLimitPerIndex" | "managedBy" | "successPolicy"): void => { if (!sameJson(spec[name], previous.spec[name])) problems.push(invalidValue(`spec.${name}`, goValue(JobSpec.node.fields![name]!, spec[name]), "field is immutable")); };
  fixed("selector");
  problems.push(...templateUpdate(next, previous));
  for (const name of ["completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"] as const) fixed(name);
  return problems;
}
function specProblems(spec: JobSpec): readonly Problem[] {
  const problems: Problem[] = [...jobSpecProblems(spec, "spec")], wrong = spec.selector === undefined ? [required("spec.selector")] : validateLabelSelector(spec.selector, "spec.selector");
  problems.push(...wrong);
  if (spec.selector === undefined || (wrong.length === 0 && !selects(spec.selector, spec.template.metadata.labels ?? {}))) problems.push(invalidValue("spec.template.metadata.labels", goMap(spec.template.metadata.labels), "`selector` does not match template `labels`"));
  return problems;
}
/** What the server makes says whose the pods are. */
function generatedSelector(job: JobLike): readonly Problem[] {
  const { metadata: { name, uid }, spec } = job;
  if (spec.manualSelector === true || spec.selector === undefined) return [];
  const own = { "controller-uid": uid, "job-name": name, "batch.kubernetes.io/controller-uid": uid, "batch.kubernetes.io/job-name": name };
  return [...ownLabels(job), ...(validateLabelSelector(spec.selector, "").length === 0 && !selects(spec.selector, own) ? [invalidValue("spec.selector", spec.selector, "`selector` not auto-generated")] : [])];
}
/** Labels that say whose the pods are. */
function ownLabels({ metadata: { name, uid }, spec }: JobLike): readonly Problem[] {
  const labels = spec.template.metadata.labels ?? {};
  return Object.entries({ "controller-uid": uid, "job-name": name, "batch.kubernetes.io/controller-uid": uid, "batch.kubernetes.io/job-name": name }).flatMap(([key, value]) => {
    const path = `spec.template.metadata.labels[${key}]`;
    if (!Object.hasOwn(labels, key)) return [required(path, `must be '${value}'`)];
    return labels[key] === value ? [] : [invalidValue(path, labels, `must be '${value}'`)];
  });
}
/** A template stays as it is, but for where pods go and what they take while a suspended job has none. */
function templateUpdate({ spec }: JobLike, previous: JobLike): readonly Problem[] {
  const { template: now } = spec;
  const { template: before } = previous.spec;
  const { status } = previous;
  const open = previous.spec.suspend === true && (status?.startTime === undefined || (status.conditions ?? []).some(({ type, status: holds }) => type === "Suspended" && holds === "True")) && (status?.active ?? 0) === 0;
  if (!open) return sameJson(now, before) ? [] : [invalidValue("spec.template", goValue(JobSpec.node.fields!["template"]!, now), "field is immutable")];
  return sameJson(settled(now), settled(before)) ? [] : [invalidValue("spec.template.spec", goValue(JobSpec.node.fields!["template"]!.fields!["spec"]!, now.spec), "field is immutable")];
}
function settled({ spec }: JobSpec["template"]): unknown {
  const { nodeSelector: _, tolerations: __, schedulingGates: ___, affinity, containers, initContainers = [], ...rest } = spec;
  const bare = (list: readonly { readonly name: string; readonly resources?: unknown }[]): unknown => list.map(({ resources: ____, ...container }) => container);
  const { nodeAffinity: _____, ...others } = affinity ?? {};
  return { ...rest, containers: bare(containers), initContainers: bare(initContainers), ...(Object.keys(others).length === 0 ? {} : { affinity: others }) };
}

/** Advice on a job, alone or in a template (kubernetes pkg/api/job/warnings.go). */
export function* jobWarnings({ completionMode, completions, parallelism, template }: JobSpec, path: string): Iterable<string> {
  if (completionMode === "Indexed" && (completions ?? 0) > 100_000 && (parallelism ?? 0) > 10_000) yield `${path}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail`;
  yield* podWarnings(template, `${path}.template`);
}
