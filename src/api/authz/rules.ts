/** What one RBAC rule says (upstream: pkg/apis/rbac/v1/evaluation_helpers.go, component-helpers auth/rbac/validation/policy_comparator.go). */
import type { RequestAttributes } from "../context.ts";

export type Rule = {
  readonly verbs: readonly string[];
  readonly apiGroups?: readonly string[] | undefined;
  readonly resources?: readonly string[] | undefined;
  readonly resourceNames?: readonly string[] | undefined;
  readonly nonResourceURLs?: readonly string[] | undefined;
};

const none: readonly string[] = [];
const hasOrAll = (list: readonly string[], value: string): boolean => list.includes("*") || list.includes(value);

/** Whether the rule allows the request. `resource` and `resource/subresource` are told apart; a star before `/scale` means every resource's scale. */
export function ruleAllows(rule: Rule, request: RequestAttributes): boolean {
  if (!hasOrAll(rule.verbs, request.verb)) return false;
  if (!request.resourceRequest) return (rule.nonResourceURLs ?? none).some(url => urlCovers(url, request.path));
  const { resources = none, resourceNames = none } = rule;
  const combined = request.subresource === "" ? request.resource : `${request.resource}/${request.subresource}`;
  return hasOrAll(rule.apiGroups ?? none, request.group)
    && (hasOrAll(resources, combined) || (request.subresource !== "" && resources.includes(`*/${request.subresource}`)))
    && (resourceNames.length === 0 || resourceNames.includes(request.name));
}

/** A URL rule is exact, `*`, or a prefix before its final stars. */
function urlCovers(rule: string, path: string): boolean {
  if (rule === "*" || rule === path) return true;
  if (!rule.endsWith("*")) return false;
  let end = rule.length;
  while (rule[end - 1] === "*") end--;
  return path.startsWith(rule.slice(0, end));
}

/** The parts of `wanted` that `held` does not give, one resource and verb each; empty if all is held. */
export function uncovered(held: readonly Rule[], wanted: readonly Rule[]): readonly Rule[] {
  return wanted.flatMap(breakDown).filter(part => !held.some(rule => covers(rule, part)));
}

/** A rule as rules of one verb, one group and one resource (and one name). */
function breakDown({ verbs, apiGroups = none, resources = none, resourceNames = none, nonResourceURLs = none }: Rule): Rule[] {
  const parts: Rule[] = [];
  for (const group of apiGroups) for (const resource of resources) for (const verb of verbs) {
    const part = { apiGroups: [group], resources: [resource], verbs: [verb] };
    if (resourceNames.length === 0) parts.push(part);
    else for (const name of resourceNames) parts.push({ ...part, resourceNames: [name] });
  }
  for (const url of nonResourceURLs) for (const verb of verbs) parts.push({ nonResourceURLs: [url], verbs: [verb] });
  return parts;
}

/** Whether a held rule gives all of a broken-down part. */
function covers(held: Rule, part: Rule): boolean {
  if (!hasOrAll(held.verbs, part.verbs[0]!)) return false;
  const url = part.nonResourceURLs?.[0];
  if (url !== undefined) return (held.nonResourceURLs ?? none).some(rule => urlCovers(rule, url));
  const resource = part.resources![0]!;
  const slash = resource.indexOf("/");
  const { resources = none, resourceNames = none } = held;
  const name = part.resourceNames?.[0];
  return hasOrAll(held.apiGroups ?? none, part.apiGroups![0]!)
    && (hasOrAll(resources, resource) || (slash >= 0 && resources.includes(`*${resource.slice(slash)}`)))
    && (resourceNames.length === 0 || (name !== undefined && resourceNames.includes(name)));
}

/** Joins the verbs of rules for one and the same resource, for shorter messages. */
export function compactRules(rules: readonly Rule[]): readonly Rule[] {
  const complex: Rule[] = [];
  const simple = new Map<string, Rule>();
  for (const rule of rules) {
    const { apiGroups = none, resources = none, resourceNames = none, nonResourceURLs = none } = rule;
    if (nonResourceURLs.length > 0 || apiGroups.length !== 1 || resources.length !== 1 || resourceNames.length > 1) complex.push(rule);
    else {
      const key = JSON.stringify([apiGroups[0], resources[0], resourceNames[0]]);
      const known = simple.get(key);
      simple.set(key, known === undefined ? rule : { ...known, verbs: [...known.verbs, ...rule.verbs] });
    }
  }
  return [...complex, ...simple.values()];
}

/** `{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}` */
export function ruleText({ apiGroups = none, resources = none, nonResourceURLs = none, resourceNames = none, verbs }: Rule): string {
  const parts = [["APIGroups", apiGroups], ["Resources", resources], ["NonResourceURLs", nonResourceURLs], ["ResourceNames", resourceNames], ["Verbs", verbs]] as const;
  return `{${parts.filter(([, list]) => list.length > 0).map(([name, list]) => `${name}:${goList(list)}`).join(", ")}}`;
}

/** A list as Go's %q prints it. */
export function goList(list: readonly string[]): string {
  return `[${list.map(item => JSON.stringify(item)).join(" ")}]`;
}
