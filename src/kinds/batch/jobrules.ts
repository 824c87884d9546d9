/** Defaults, labels and rules of jobs, alone or in a CronJob's template (kubernetes pkg/apis/batch). */
import { sameJson } from "../../base/json.ts";
import * as grammar from "../../schema/grammar.ts";
import { duplicate, invalidValue, notSupported, type Problem, required } from "../../schema/problem.ts";
import { nonNegative, selects } from "../apps/workloadrules.ts";
import { defaultPodSpec } from "../core/poddefaults.ts";
import { validatePodTemplate } from "../core/podspecrules.ts";
import { validateLabelSelector } from "../meta/rules.ts";
import type { JobSpec } from "./jobspec.ts";

const int32Max = 2 ** 31 - 1;
type Writable<T> = T extends readonly (infer I)[] ? Writable<I>[] : T extends object ? { -readonly [K in keyof T]: Writable<T[K]> } : T;

export function defaultJobSpec(given: unknown): void {
  const spec = given as Writable<JobSpec>;
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = spec.parallelism = 1;
  spec.parallelism ??= 1;
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : int32Max;
  spec.podReplacementPolicy ??= spec.podFailurePolicy === undefined ? "TerminatingOrFailed" : "Failed";
  for (const rule of spec.podFailurePolicy?.rules ?? []) for (const pattern of rule.onPodConditions ?? []) pattern.status ||= "True";
  defaultPodSpec(spec.template.spec);
}

/** The selector and labels that tie pods to this very job, unless the client chose its own (strategy.generateSelector). */
export function tieToPods(job: { readonly metadata: { readonly name: string; readonly uid: string }; readonly spec: unknown }): void {
  const spec = job.spec as Writable<JobSpec>;
  if (spec.manualSelector === true) return;
  const { name, uid } = job.metadata;
  spec.template.metadata.labels = { ...spec.template.metadata.labels, "controller-uid": uid, "job-name": name, "batch.kubernetes.io/controller-uid": uid, "batch.kubernetes.io/job-name": name };
  spec.selector = { ...spec.selector, matchLabels: { ...spec.selector?.matchLabels, "batch.kubernetes.io/controller-uid": uid } };
}

export function jobSpecProblems(spec: JobSpec, path: string): readonly Problem[] {
  const problems: Problem[] = [];
  for (const name of ["parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished", "backoffLimitPerIndex", "maxFailedIndexes"] as const) problems.push(...nonNegative(spec[name], `${path}.${name}`));
  if (spec.completionMode === "Indexed") {
    if (spec.completions === undefined) problems.push(required(`${path}.completions`, "when completion mode is Indexed"));
    if ((spec.parallelism ?? 0) > 100_000) problems.push(invalidValue(`${path}.parallelism`, spec.parallelism, "must be less than or equal to 100000 when completion mode is Indexed"));
  } else {
    if (spec.backoffLimitPerIndex !== undefined) problems.push(invalidValue(`${path}.backoffLimitPerIndex`, spec.backoffLimitPerIndex, "requires indexed completion mode"));
    if (spec.maxFailedIndexes !== undefined) problems.push(invalidValue(`${path}.maxFailedIndexes`, spec.maxFailedIndexes, "requires indexed completion mode"));
  }
  if (spec.managedBy !== undefined && !spec.managedBy.includes("/")) problems.push(invalidValue(`${path}.managedBy`, spec.managedBy, 'must be a domain-prefixed path (such as "acme.io/foo")'));
  checkFailurePolicy(spec, path, problems);
  problems.push(...validatePodTemplate(spec.template, `${path}.template`));
  const restart = spec.template.spec.restartPolicy;
  if (restart === "Always") problems.push(spec.podFailurePolicy === undefined ? notSupported(`${path}.template.spec.restartPolicy`, restart, ["OnFailure", "Never"]) : invalidValue(`${path}.template.spec.restartPolicy`, restart, "valid values: \"OnFailure\", \"Never\""));
  if (spec.podFailurePolicy !== undefined && restart !== "Never") problems.push(invalidValue(`${path}.template.spec.restartPolicy`, restart, 'only "Never" is supported when podFailurePolicy is specified'));
  return problems;
}
function checkFailurePolicy(spec: JobSpec, path: string, problems: Problem[]): void {
  const rules = spec.podFailurePolicy?.rules ?? [];
  if (rules.length > 20) problems.push({ field: `${path}.podFailurePolicy.rules`, reason: "TooMany", value: rules.length, detail: "must have at most 20 items" });
  rules.forEach((rule, i) => {
    const here = `${path}.podFailurePolicy.rules[${i}]`;
    if (String(rule.action) === "") problems.push(required(`${here}.action`, "valid values: \"Count\", \"FailIndex\", \"FailJob\", \"Ignore\""));
    const [codes, conditions] = [rule.onExitCodes !== undefined, (rule.onPodConditions ?? []).length > 0];
    if (codes && conditions) problems.push(invalidValue(here, "", "specifying both OnExitCodes and OnPodConditions is not supported"));
    if (!codes && !conditions) problems.push(invalidValue(here, "", "specifying one of OnExitCodes and OnPodConditions is required"));
    const seen = new Set<number>();
    rule.onExitCodes?.values.forEach((code, j) => {
      if (seen.has(code)) problems.push(duplicate(`${here}.onExitCodes.values[${j}]`, code));
      seen.add(code);
      if (code === 0 && rule.onExitCodes?.operator === "In") problems.push(invalidValue(`${here}.onExitCodes.values[${j}]`, code, "must not be 0 for the In operator"));
    });
    if (rule.onExitCodes !== undefined && rule.onExitCodes.values.length === 0) problems.push(invalidValue(`${here}.onExitCodes.values`, [], "at least one value is required"));
  });
}

export function jobRules(next: { readonly metadata: { readonly name: string; readonly uid: string }; readonly spec: JobSpec }, previous: typeof next | undefined): readonly Problem[] {
  const { spec } = next;
  const problems: Problem[] = [];
  if (spec.selector === undefined) problems.push(required("spec.selector"));
  else {
    problems.push(...validateLabelSelector(spec.selector, "spec.selector"));
    if (!selects(spec.selector, spec.template.metadata.labels ?? {})) problems.push(invalidValue("spec.template.metadata.labels", spec.template.metadata.labels ?? null, "`selector` does not match template `labels`"));
  }
  if (previous === undefined || !sameJson(spec, previous.spec)) problems.push(...jobSpecProblems(spec, "spec"));
  if (previous === undefined) {
    if (spec.completionMode === "Indexed" && spec.completions !== undefined) for (const detail of grammar.dnsLabel(`${next.metadata.name}-${Math.max(spec.completions - 1, 0)}`)) problems.push(invalidValue("metadata.name", next.metadata.name, `will not able to create pod with invalid DNS label: ${next.metadata.name}: ${detail}`));
    return problems;
  }
  for (const name of ["selector", "completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"] as const) if (!sameJson(spec[name], previous.spec[name])) problems.push(invalidValue(`spec.${name}`, spec[name] ?? null, "field is immutable"));
  const elastic = spec.completionMode === "Indexed" && spec.completions === spec.parallelism;
  if (spec.completions !== previous.spec.completions && !elastic) problems.push(invalidValue("spec.completions", spec.completions ?? null, "field is immutable"));
  const suspended = previous.spec.suspend === true;
  if (!sameJson(spec.template, previous.spec.template) && !(suspended && sameJson(withoutScheduling(spec.template), withoutScheduling(previous.spec.template)))) problems.push(invalidValue("spec.template", spec.template, "field is immutable"));
  return problems;
}
/** A template without what may change while a job is suspended: where its pods may go. */
function withoutScheduling({ metadata, spec }: JobSpec["template"]): unknown {
  const { nodeSelector: _, tolerations: __, schedulingGates: ___, affinity, ...rest } = spec;
  return { metadata: { ...metadata, labels: undefined, annotations: undefined }, spec: { ...rest, affinity: { ...affinity, nodeAffinity: undefined } } };
}
