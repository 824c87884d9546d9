/** Rules of affinities, tolerations, taints and spreading (kubernetes pkg/apis/core/validation). */
import { goValue } from "../../schema/go-value.ts";
import * as grammar from "../../schema/grammar.ts";
import { duplicate, forbidden, invalidValue, notSupported, type Problem, required } from "../../schema/problem.ts";
import { validateLabelSelector } from "../meta/rules.ts";
import type { Affinity, PodAffinityTerm, TopologySpreadConstraint } from "./affinity.ts";
import type { NodeSelector, NodeSelectorRequirement, NodeSelectorTerm } from "./references.ts";
import { Taint, type Toleration } from "./toleration.ts";

export function validateAffinity(affinity: Affinity | undefined, path: string): readonly Problem[] {
  const problems: Problem[] = [];
  const node = affinity?.nodeAffinity;
  if (node?.requiredDuringSchedulingIgnoredDuringExecution) problems.push(...validateNodeSelector(node.requiredDuringSchedulingIgnoredDuringExecution, `${path}.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution`));
  (node?.preferredDuringSchedulingIgnoredDuringExecution ?? []).forEach(({ weight, preference }, i) => {
    const here = `${path}.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[${i}]`;
    checkWeight(weight, here, problems);
    checkTerm(preference, `${here}.preference`, false, problems);
  });
  for (const name of ["podAffinity", "podAntiAffinity"] as const) {
    const rules = affinity?.[name];
    (rules?.requiredDuringSchedulingIgnoredDuringExecution ?? []).forEach((term, i) => checkPodTerm(term, `${path}.${name}.requiredDuringSchedulingIgnoredDuringExecution[${i}]`, problems));
    (rules?.preferredDuringSchedulingIgnoredDuringExecution ?? []).forEach(({ weight, podAffinityTerm }, i) => {
      const here = `${path}.${name}.preferredDuringSchedulingIgnoredDuringExecution[${i}]`;
      checkWeight(weight, here, problems);
      checkPodTerm(podAffinityTerm, `${here}.podAffinityTerm`, problems);
    });
  }
  return problems;
}
function checkWeight(weight: number, path: string, problems: Problem[]): void {
  if (weight <= 0 || weight > 100) problems.push(invalidValue(`${path}.weight`, weight, "must be in the range 1-100"));
}

export function validateNodeSelector(selector: NodeSelector, path: string): readonly Problem[] {
  const problems: Problem[] = [];
  if (selector.nodeSelectorTerms.length === 0) problems.push(required(`${path}.nodeSelectorTerms`, "must have at least one node selector term"));
  selector.nodeSelectorTerms.forEach((term, i) => checkTerm(term, `${path}.nodeSelectorTerms[${i}]`, true, problems));
  return problems;
}
function checkTerm(term: NodeSelectorTerm, path: string, checkValues: boolean, problems: Problem[]): void {
  (term.matchExpressions ?? []).forEach((requirement, i) => checkRequirement(requirement, `${path}.matchExpressions[${i}]`, checkValues, problems));
  (term.matchFields ?? []).forEach(({ key, operator, values = [] }, i) => {
    const here = `${path}.matchFields[${i}]`;
    if (operator !== "In" && operator !== "NotIn") problems.push(invalidValue(`${here}.operator`, operator, "not a valid selector operator"));
    else if (values.length !== 1) problems.push(required(`${here}.values`, "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"));
    if (key !== "metadata.name") problems.push(invalidValue(`${here}.key`, key, "not a valid field selector key"));
    else values.forEach((value, j) => { for (const detail of grammar.dnsSubdomain(value)) problems.push(invalidValue(`${here}.values[${j}]`, value, detail)); });
  });
}
function checkRequirement({ key, operator, values = [] }: NodeSelectorRequirement, path: string, checkValues: boolean, problems: Problem[]): void {
  switch (operator) {
    case "In": case "NotIn": if (values.length === 0) problems.push(required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'")); break;
    case "Exists": case "DoesNotExist": if (values.length > 0) problems.push(forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")); break;
    case "Gt": case "Lt": if (values.length !== 1) problems.push(required(`${path}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'")); break;
    default: problems.push(invalidValue(`${path}.operator`, operator, "not a valid selector operator"));
  }
  for (const detail of grammar.qualifiedName(key)) problems.push(invalidValue(`${path}.key`, key, detail));
  if (checkValues) values.forEach((value, i) => { for (const detail of grammar.labelValue(value)) problems.push(invalidValue(`${path}.values[${i}]`, value, detail)); });
}

function checkPodTerm(term: PodAffinityTerm, path: string, problems: Problem[]): void {
  problems.push(...validateLabelSelector(term.labelSelector, `${path}.labelSelector`), ...validateLabelSelector(term.namespaceSelector, `${path}.namespaceSelector`));
  for (const name of term.namespaces ?? []) for (const detail of grammar.dnsLabel(name)) problems.push(invalidValue(`${path}.namespace`, name, detail));
  checkMatchKeys(term, path, problems);
  if (term.topologyKey === "") problems.push(required(`${path}.topologyKey`, "can not be empty"));
  for (const detail of grammar.qualifiedName(term.topologyKey)) problems.push(invalidValue(`${path}.topologyKey`, term.topologyKey, detail));
}
function checkMatchKeys(term: Pick<PodAffinityTerm, "labelSelector" | "matchLabelKeys" | "mismatchLabelKeys">, path: string, problems: Problem[]): void {
  const { matchLabelKeys = [], mismatchLabelKeys = [] } = term;
  for (const [name, keys] of [["matchLabelKeys", matchLabelKeys], ["mismatchLabelKeys", mismatchLabelKeys]] as const) {
    if (keys.length > 0 && term.labelSelector === undefined) problems.push(forbidden(`${path}.${name}`, "must not be specified when labelSelector is not set"));
    keys.forEach((key, i) => { for (const detail of grammar.qualifiedName(key)) problems.push(invalidValue(`${path}.${name}[${i}]`, key, detail)); });
  }
  matchLabelKeys.forEach((key, i) => { if (mismatchLabelKeys.includes(key)) problems.push(invalidValue(`${path}.matchLabelKeys[${i}]`, key, "exists in both matchLabelKeys and mismatchLabelKeys")); });
}

export function validateTolerations(tolerations: readonly Toleration[] | undefined, path: string): readonly Problem[] {
  const problems: Problem[] = [];
  (tolerations ?? []).forEach(({ key = "", operator, value = "", effect, tolerationSeconds }, i) => {
    const here = `${path}[${i}]`;
    if (key !== "") for (const detail of grammar.qualifiedName(key)) problems.push(invalidValue(`${here}.key`, key, detail));
    else if (operator !== "Exists") problems.push(invalidValue(`${here}.operator`, operator ?? "", 'operator must be Exists when `key` is empty, which means "match all values and all keys"'));
    if (tolerationSeconds !== undefined && effect !== "NoExecute") problems.push(invalidValue(`${here}.effect`, effect ?? "", "effect must be 'NoExecute' when `tolerationSeconds` is set"));
    if (operator === undefined || operator === "Equal") {
      const details = grammar.labelValue(value);
      if (details.length > 0) problems.push(invalidValue(`${here}.operator`, value, details.join(";")));
    } else if (operator === "Exists") {
      if (value !== "") problems.push(invalidValue(`${here}.operator`, value, "value must be empty when `operator` is 'Exists'"));
    } else problems.push(notSupported(`${here}.operator`, operator, operator === "Lt" || operator === "Gt" ? ["Equal", "Exists", "Lt", "Gt"] : ["Equal", "Exists"]));
  });
  return problems;
}

export function validateTaints(taints: readonly Taint[] | undefined, path: string): readonly Problem[] {
  const problems: Problem[] = [];
  const seen = new Set<string>();
  (taints ?? []).forEach((taint, i) => {
    const here = `${path}[${i}]`;
    for (const detail of grammar.qualifiedName(taint.key)) problems.push(invalidValue(`${here}.key`, taint.key, detail));
    const details = grammar.labelValue(taint.value ?? "");
    if (details.length > 0) problems.push(invalidValue(`${here}.value`, taint.value, details.join(";")));
    if (String(taint.effect) === "") problems.push(required(`${here}.effect`));
    else if (!["NoExecute", "NoSchedule", "PreferNoSchedule"].includes(taint.effect)) problems.push(notSupported(`${here}.effect`, taint.effect, ["NoSchedule", "PreferNoSchedule", "NoExecute"]));
    const key = `${taint.effect} ${taint.key}`;
    if (seen.has(key)) problems.push({ ...duplicate(here, goValue(Taint.node, taint)), detail: "taints must be unique by key and effect pair" });
    seen.add(key);
  });
  return problems;
}

export function validateSpread(constraints: readonly TopologySpreadConstraint[] | undefined, path: string): readonly Problem[] {
  const problems: Problem[] = [];
  (constraints ?? []).forEach((constraint, i, all) => {
    const here = `${path}[${i}]`;
    const { maxSkew, topologyKey, whenUnsatisfiable, minDomains } = constraint;
    if (maxSkew <= 0) problems.push(invalidValue(`${here}.maxSkew`, maxSkew, "must be greater than zero"));
    if (topologyKey === "") problems.push(required(`${here}.topologyKey`, "can not be empty"));
    if (all.slice(i + 1).some(other => other.topologyKey === topologyKey && other.whenUnsatisfiable === whenUnsatisfiable)) problems.push(duplicate(`${here}.{topologyKey, whenUnsatisfiable}`, `{${topologyKey}, ${whenUnsatisfiable}}`));
    if (minDomains !== undefined) {
      if (minDomains <= 0) problems.push(invalidValue(`${here}.minDomains`, minDomains, "must be greater than zero"));
      if (whenUnsatisfiable !== "DoNotSchedule") problems.push(invalidValue(`${here}.minDomains`, minDomains, `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`));
    }
    checkMatchKeys(constraint, here, problems);
    problems.push(...validateLabelSelector(constraint.labelSelector, `${here}.labelSelector`));
  });
  return problems;
}
