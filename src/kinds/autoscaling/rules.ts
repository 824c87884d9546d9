/** Rules of autoscalers (kubernetes pkg/apis/autoscaling/validation). */
import { quantitySign } from "../../base/quantity.ts";
import * as grammar from "../../schema/grammar.ts";
import { forbidden, invalidValue, notSupported, type Problem, required } from "../../schema/problem.ts";
import { validateResourceName } from "../core/resourcerules.ts";
import type { HorizontalPodAutoscalerSpec, HPAScalingRules, MetricSpec } from "./horizontalpodautoscaler.ts";
import type { CrossVersionObjectReference, MetricIdentifier, MetricTarget } from "./metrics.ts";

const windowMax = 3600;
const periodMax = 1800;

export function autoscalerProblems(spec: HorizontalPodAutoscalerSpec): readonly Problem[] {
  const problems: Problem[] = [];
  const { minReplicas, maxReplicas, scaleTargetRef, behavior } = spec;
  if (minReplicas < 1) problems.push(invalidValue("spec.minReplicas", minReplicas, "must be greater than or equal to 1"));
  if (maxReplicas === 0) problems.push(required("spec.maxReplicas", "must be set and greater than 0"));
  else if (maxReplicas < 0) problems.push(invalidValue("spec.maxReplicas", maxReplicas, "must be greater than or equal to 1"));
  if (maxReplicas < minReplicas) problems.push(invalidValue("spec.maxReplicas", maxReplicas, "must be greater than or equal to `minReplicas`"));
  checkReference(scaleTargetRef, true, "spec.scaleTargetRef", problems);
  const metrics = spec.metrics ?? [];
  metrics.forEach((metric, i) => checkMetric(metric, `spec.metrics[${i}]`, problems));
  if (minReplicas === 0 && !metrics.some(({ type }) => type === "Object" || type === "External")) problems.push(forbidden("spec.metrics", "must specify at least one Object or External metric to support scaling to zero replicas"));
  for (const name of ["scaleUp", "scaleDown"] as const) if (behavior?.[name] !== undefined) checkScaling(behavior[name], `spec.behavior.${name}`, problems);
  return problems;
}

function checkReference({ apiVersion = "", kind, name }: CrossVersionObjectReference, grouped: boolean, path: string, problems: Problem[]): void {
  for (const [field, value] of [["kind", kind], ["name", name]] as const) {
    if (value === "") problems.push(required(`${path}.${field}`));
    else for (const detail of grammar.grammars["path-segment"]!(value)) problems.push(invalidValue(`${path}.${field}`, value, detail));
  }
  if (apiVersion.split("/").length > 2) problems.push(invalidValue(`${path}.apiVersion`, apiVersion, `unexpected GroupVersion string: ${apiVersion}`));
  else if (grouped && !/^[^/]+\//.test(apiVersion) && !(kind === "ReplicationController" && apiVersion === "v1")) problems.push(invalidValue(`${path}.apiVersion`, apiVersion, "apiVersion must specify API group"));
}

const sourceNames = { Object: "object", External: "external", Pods: "pods", Resource: "resource", ContainerResource: "containerResource" } as const;
const types = Object.keys(sourceNames).sort();
function checkMetric(metric: MetricSpec, path: string, problems: Problem[]): void {
  const known = Object.hasOwn(sourceNames, metric.type);
  if (metric.type === "") problems.push(required(`${path}.type`, "must specify a metric source type"));
  if (!known) problems.push(notSupported(`${path}.type`, metric.type, types));
  const given = Object.values(sourceNames).filter(name => metric[name] !== undefined);
  if (given[0] !== undefined) checkSource(metric, given[0], `${path}.${given[0]}`, problems);
  const expected = known ? sourceNames[metric.type as keyof typeof sourceNames] : undefined;
  if (expected === undefined) problems.push(notSupported(`${path}.type`, metric.type, types));
  else if (metric[expected] === undefined) problems.push(required(`${path}.${expected}`, "must populate information for the given metric source"));
  if (given.length !== 1) for (const name of given) if (name !== expected) problems.push(forbidden(`${path}.${name}`, "must populate the given metric source only"));
}

function checkSource(metric: MetricSpec, name: (typeof sourceNames)[keyof typeof sourceNames], path: string, problems: Problem[]): void {
  const { target } = metric[name]!;
  switch (name) {
    case "object":
      checkReference(metric.object!.describedObject, false, `${path}.describedObject`, problems);
      checkIdentifier(metric.object!.metric, `${path}.metric`, problems);
      checkTarget(target, `${path}.target`, problems);
      if (target.value === undefined && target.averageValue === undefined) problems.push(required(`${path}.target.averageValue`, "must set either a target value or averageValue"));
      return;
    case "external":
      checkIdentifier(metric.external!.metric, `${path}.metric`, problems);
      checkTarget(target, `${path}.target`, problems);
      if (target.value === undefined && target.averageValue === undefined) problems.push(required(`${path}.target.averageValue`, "must set either a target value for metric or a per-pod target"));
      if (target.value !== undefined && target.averageValue !== undefined) problems.push(forbidden(`${path}.target.value`, "may not set both a target value for metric and a per-pod target"));
      return;
    case "pods":
      checkIdentifier(metric.pods!.metric, `${path}.metric`, problems);
      checkTarget(target, `${path}.target`, problems);
      if (target.averageValue === undefined) problems.push(required(`${path}.target.averageValue`, "must specify a positive target averageValue"));
      return;
    default: checkResource(metric, name, path, problems);
  }
}
function checkResource(metric: MetricSpec, name: "containerResource" | "resource", path: string, problems: Problem[]): void {
  const source = metric[name]!;
  const { target } = source;
  if (source.name === "") problems.push(required(`${path}.name`, "must specify a resource name"));
  else if (name === "containerResource") problems.push(...validateResourceName(source.name, `${path}.name`));
  if (name === "containerResource") {
    const { container } = metric.containerResource!;
    if (container === "") problems.push(required(`${path}.container`, "must specify a container"));
    else for (const detail of grammar.dnsLabel(container)) problems.push(invalidValue(`${path}.container`, container, detail));
  }
  checkTarget(target, `${path}.target`, problems);
  if (target.averageUtilization === undefined && target.averageValue === undefined) problems.push(required(`${path}.target.averageUtilization`, "must set either a target raw value or a target utilization"));
  if (target.averageUtilization !== undefined && target.averageValue !== undefined) problems.push(forbidden(`${path}.target.averageValue`, "may not set both a target raw value and a target utilization"));
}
function checkTarget({ type, value, averageValue, averageUtilization }: MetricTarget, path: string, problems: Problem[]): void {
  if (type === "") problems.push(required(`${path}.type`, "must specify a metric target type"));
  if (!["Utilization", "Value", "AverageValue"].includes(type)) problems.push(invalidValue(`${path}.type`, type, "must be either Utilization, Value, or AverageValue"));
  if (value !== undefined && quantitySign(value) <= 0) problems.push(invalidValue(`${path}.value`, value, "must be positive"));
  if (averageValue !== undefined && quantitySign(averageValue) <= 0) problems.push(invalidValue(`${path}.averageValue`, averageValue, "must be positive"));
  if (averageUtilization !== undefined && averageUtilization < 1) problems.push(invalidValue(`${path}.averageUtilization`, averageUtilization, "must be greater than 0"));
}
function checkIdentifier({ name }: MetricIdentifier, path: string, problems: Problem[]): void {
  if (name === "") problems.push(required(`${path}.name`, "must specify a metric name"));
  else for (const detail of grammar.grammars["path-segment"]!(name)) problems.push(invalidValue(`${path}.name`, name, detail));
}

function checkScaling(rules: HPAScalingRules, path: string, problems: Problem[]): void {
  const { stabilizationWindowSeconds: window, selectPolicy, policies = [], tolerance } = rules;
  if (window !== undefined && window < 0) problems.push(invalidValue(`${path}.stabilizationWindowSeconds`, window, "must be greater than or equal to zero"));
  if (window !== undefined && window > windowMax) problems.push(invalidValue(`${path}.stabilizationWindowSeconds`, window, `must be less than or equal to ${windowMax}`));
  if (selectPolicy !== undefined && !["Disabled", "Max", "Min"].includes(selectPolicy)) problems.push(notSupported(`${path}.selectPolicy`, selectPolicy, ["Disabled", "Max", "Min"]));
  if (policies.length === 0) problems.push(required(`${path}.policies`, "must specify at least one Policy"));
  policies.forEach(({ type, value, periodSeconds }, i) => {
    const here = `${path}.policies[${i}]`;
    if (type !== "Pods" && type !== "Percent") problems.push(notSupported(`${here}.type`, type, ["Percent", "Pods"]));
    if (value <= 0) problems.push(invalidValue(`${here}.value`, value, "must be greater than zero"));
    if (periodSeconds <= 0) problems.push(invalidValue(`${here}.periodSeconds`, periodSeconds, "must be greater than zero"));
    if (periodSeconds > periodMax) problems.push(invalidValue(`${here}.periodSeconds`, periodSeconds, `must be less than or equal to ${periodMax}`));
  });
  if (tolerance !== undefined && quantitySign(tolerance) < 0) problems.push(invalidValue(`${path}.tolerance`, tolerance, "must be greater than or equal to 0"));
}
