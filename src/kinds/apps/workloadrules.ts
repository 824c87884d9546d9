/** Rules that Deployments, ReplicaSets and their kin share (kubernetes pkg/apis/apps/validation). */
import { sameJson } from "../../base/json.ts";
import { percent } from "../../schema/grammar.ts";
import { forbidden, goMap, invalidValue, notSupported, type Problem } from "../../schema/problem.ts";
import type { PodTemplateSpec } from "../core/podspec.ts";
import { validatePodTemplate } from "../core/podspecrules.ts";
import type { LabelSelector } from "../meta/labelselector.ts";
import { validateLabelSelector } from "../meta/rules.ts";

export function nonNegative(value: number | undefined, path: string): readonly Problem[] {
  return value !== undefined && value < 0 ? [invalidValue(path, value, "must be greater than or equal to 0")] : [];
}

/** The selector is there, is valid, selects something, and selects what the template makes. */
export function validateSelectorAndTemplate(spec: { readonly selector?: LabelSelector | undefined; readonly template: PodTemplateSpec }, path = "spec", what: "daemonset" | "deployment" | "statefulset" = "deployment"): readonly Problem[] {
  const { selector, template } = spec;
  const problems: Problem[] = [...validateLabelSelector(selector, `${path}.selector`)];
  const broken = problems.length > 0;
  const empty = selector !== undefined && Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions ?? []).length === 0;
  if (empty) problems.push(invalidValue(`${path}.selector`, selector, `empty selector is invalid for ${what}`));
  const kind = what === "statefulset" ? "StatefulSet" : what === "daemonset" ? "DaemonSet" : "ReplicaSet";
  if (broken && what !== "daemonset") problems.push(invalidValue(`${path}.selector`, selector, what === "statefulset" ? "" : "invalid label selector"));
  else {
    if (!broken && (selector === undefined || (!empty && !selects(selector, template.metadata.labels ?? {})))) problems.push(invalidValue(`${path}.template.metadata.labels`, goMap(template.metadata.labels), "`selector` does not match template `labels`"));
    problems.push(...validatePodTemplate(template, `${path}.template`));
  }
  if (broken && what === "deployment") return problems;
  if (template.spec.restartPolicy !== "Always") problems.push(notSupported(`${path}.template.spec.restartPolicy`, template.spec.restartPolicy, ["Always"]));
  if (template.spec.activeDeadlineSeconds !== undefined) problems.push(forbidden(`${path}.template.spec.activeDeadlineSeconds`, `activeDeadlineSeconds in ${kind} is not Supported`));
  return problems;
}

/** Whether labels satisfy a selector that is known to be valid. */
export function selects(selector: LabelSelector, labels: { readonly [key: string]: string }): boolean {
  if (!Object.entries(selector.matchLabels ?? {}).every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value)) return false;
  return (selector.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
    const value = Object.hasOwn(labels, key) ? labels[key]! : undefined;
    switch (operator) {
      case "In": return value !== undefined && values.includes(value);
      case "NotIn": return value === undefined || !values.includes(value);
      case "Exists": return value !== undefined;
      default: return value === undefined;
    }
  });
}

export function immutableSelector(next: LabelSelector | undefined, previous: LabelSelector | undefined, path = "spec.selector"): readonly Problem[] {
  return sameJson(next, previous) ? [] : [invalidValue(path, next ?? null, "field is immutable")];
}

/** A number of pods, or a share of them. */
export function intOrPercent(value: number | string | undefined, path: string): readonly Problem[] {
  if (typeof value === "string") return percent(value).map(detail => invalidValue(path, value, detail));
  return nonNegative(value, path);
}
export function notMoreThanAll(value: number | string | undefined, path: string): readonly Problem[] {
  return typeof value === "string" && /^[0-9]+%$/.test(value) && Number(value.slice(0, -1)) > 100 ? [invalidValue(path, value, "must not be greater than 100%")] : [];
}
export const isZero = (value: number | string | undefined): boolean => value === undefined || value === 0 || value === "0%" || (typeof value === "string" && !/^[0-9]+%$/.test(value)) || (typeof value === "string" && Number(value.slice(0, -1)) === 0);

type Counts = { readonly [name: string]: unknown };
/** Status counts are not negative, none exceeds the number of replicas, and the available ones are ready. */
export function validateCounts(status: Counts, names: readonly string[], readyName = "readyReplicas"): readonly Problem[] {
  const count = (name: string): number => (typeof status[name] === "number" ? status[name] : 0);
  const problems: Problem[] = ["replicas", ...names, "observedGeneration", "collisionCount", "terminatingReplicas"].flatMap(name => nonNegative(count(name), `status.${name}`));
  for (const name of names) if (name !== "unavailableReplicas" && name !== "terminatingReplicas" && count(name) > count("replicas")) problems.push(invalidValue(`status.${name}`, count(name), "cannot be greater than status.replicas"));
  if (count("availableReplicas") > count("readyReplicas")) problems.push(invalidValue("status.availableReplicas", count("availableReplicas"), `cannot be greater than ${readyName}`));
  return problems;
}
export function notDecremented(next: number | undefined, previous: number | undefined, path: string): readonly Problem[] {
  return previous !== undefined && (next === undefined || next < previous) ? [invalidValue(path, next ?? 0, "cannot be decremented")] : [];
}
