/** Audit policy (audit.k8s.io/v1): how much is kept of which requests; the first rule that matches counts (apiserver pkg/audit/policy/checker.go, pkg/apis/audit/validation). */
import * as grammar from "../../schema/grammar.ts";
import { invalidValue, notSupported, problemBody, required, type Problem } from "../../schema/problem.ts";
import * as t from "../../schema/t.ts";
import type { Json } from "../../base/json.ts";
import { readValue } from "../body.ts";
import type { RequestAttributes, User } from "../context.ts";

const Policy = t.object("Policy", {
  apiVersion: t.string().doc("audit.k8s.io/v1."), kind: t.string().doc("Policy."), metadata: t.any().doc("Without meaning."),
  rules: t.list(t.object({
    level: t.string().required().always("zero").doc("None, Metadata, Request or RequestResponse."),
    users: t.list(t.string()).doc("Names of users; absent: all."), userGroups: t.list(t.string()).doc("One of the user's groups."), verbs: t.list(t.string()).doc("What is done."),
    resources: t.list(t.object({ group: t.string().doc("API group; * is all."), resources: t.list(t.string()).doc("Resources, also pods/log, pods/*, */scale, *."), resourceNames: t.list(t.string()).doc("Names of objects.") })).doc("What it is done to."),
    namespaces: t.list(t.string()).doc("Where; the empty text is outside of namespaces."), nonResourceURLs: t.list(t.string()).doc("Paths, with * at the end."),
    omitStages: t.list(t.string()).doc("Stages of which nothing is kept."), omitManagedFields: t.bool().pointer().doc("Leave managedFields out."),
  })).required().always("[]").doc("In order."),
  omitStages: t.list(t.string()).doc("Stages of which nothing is kept, in all rules."), omitManagedFields: t.bool().doc("Leave managedFields out, where a rule does not say."),
});
type Policy = t.Stored<typeof Policy>;
type Rule = Policy["rules"][number];

export type Stage = "RequestReceived" | "ResponseStarted" | "ResponseComplete" | "Panic";
export type Level = "None" | "Metadata" | "Request" | "RequestResponse";
/** What is kept of one request. */
export type Kept = { readonly level: Level; readonly omitStages: ReadonlySet<string>; readonly omitManagedFields: boolean };
export type AuditPolicy = (user: User | undefined, request: RequestAttributes) => Kept;

const levels = ["Metadata", "None", "Request", "RequestResponse"];
const stages = ["Panic", "RequestReceived", "ResponseComplete", "ResponseStarted"];

/** `value`: the file's content. Throws an `Error` that names the field. */
export function loadAuditPolicy(value: Json, duplicates: readonly string[]): AuditPolicy {
  const expected = { group: "audit.k8s.io", version: "v1", kind: "Policy", node: Policy.node, isKnown: () => true };
  const policy: Policy = readValue(value, duplicates, expected, { parseYaml: () => ({ value, duplicates }), fieldValidation: "Strict", warn() {} });
  const problems = [...problemsOf(policy)];
  if (problems.length > 0) throw new Error(problems.map(problem => `${problem.field}: ${problemBody(problem)}`).join("; "));
  const rules = policy.rules.map(rule => ({ rule, kept: { level: rule.level as Level, omitStages: new Set([...(policy.omitStages ?? []), ...(rule.omitStages ?? [])]), omitManagedFields: rule.omitManagedFields ?? policy.omitManagedFields ?? false } }));
  const nothing: Kept = { level: "None", omitStages: new Set(policy.omitStages ?? []), omitManagedFields: policy.omitManagedFields ?? false };
  return (user, request) => rules.find(({ rule }) => matches(rule, user, request))?.kept ?? nothing;
}

function* problemsOf({ rules, omitStages = [] }: Policy): Iterable<Problem> {
  yield* stageProblems(omitStages, "omitStages");
  if (rules.length === 0) yield required("rules", "a policy without a rule keeps nothing: remove the file instead");
  for (const [i, rule] of rules.entries()) {
    const path = `rules[${i}]`;
    if (rule.level === "") yield required(`${path}.level`);
    else if (!levels.includes(rule.level)) yield notSupported(`${path}.level`, rule.level, levels);
    if ((rule.nonResourceURLs ?? []).length > 0 && ((rule.resources ?? []).length > 0 || (rule.namespaces ?? []).length > 0)) yield invalidValue(`${path}.nonResourceURLs`, rule.nonResourceURLs, "rules cannot apply to both regular resources and non-resource URLs");
    for (const [j, url] of (rule.nonResourceURLs ?? []).entries()) if (url !== "*") {
      if (!url.startsWith("/")) yield invalidValue(`${path}.nonResourceURLs[${j}]`, url, "non-resource URL rules must begin with a '/' character");
      if (url.slice(0, -1).includes("*")) yield invalidValue(`${path}.nonResourceURLs[${j}]`, url, "non-resource URL wildcards '*' must be the final character of the rule");
    }
    for (const { group = "", resources = [], resourceNames = [] } of rule.resources ?? []) {
      if (group !== "" && group !== "*") for (const detail of grammar.dnsSubdomain(group)) yield invalidValue(`${path}.resources.group`, group, detail);
      if (resourceNames.length > 0 && resources.length === 0) yield invalidValue(`${path}.resources.resourceNames`, resourceNames, "using resourceNames requires at least one resource");
    }
    yield* stageProblems(rule.omitStages ?? [], `${path}.omitStages`);
  }
}
function* stageProblems(given: readonly string[], path: string): Iterable<Problem> {
  for (const [i, stage] of given.entries()) if (!stages.includes(stage)) yield invalidValue(`${path}[${i}]`, stage, `allowed stages are ${stages.join(",")}`);
}

const listed = (list: readonly string[] | undefined): list is readonly string[] => list !== undefined && list.length > 0;

function matches(rule: Rule, user: User | undefined, request: RequestAttributes): boolean {
  if (listed(rule.users) && (user === undefined || !rule.users.includes(user.name))) return false;
  if (listed(rule.userGroups) && (user === undefined || !user.groups.some(group => rule.userGroups!.includes(group)))) return false;
  if (listed(rule.verbs) && !rule.verbs.includes(request.verb)) return false;
  if (listed(rule.namespaces) || (rule.resources ?? []).length > 0) return matchesResource(rule, request);
  if (listed(rule.nonResourceURLs)) return !request.resourceRequest && rule.nonResourceURLs.some(url => url === "*" || url === request.path || (url.endsWith("*") && request.path.startsWith(url.slice(0, -1))));
  return true;
}

function matchesResource({ namespaces, resources = [] }: Rule, { resourceRequest, namespace, group, resource, subresource, name }: RequestAttributes): boolean {
  if (!resourceRequest || (listed(namespaces) && !namespaces.includes(namespace))) return false;
  const whole = subresource === "" ? resource : `${resource}/${subresource}`;
  const means = (text: string): boolean => text === whole || text === "*" || (subresource !== "" && text === `*/${subresource}`) || text === `${resource}/*`;
  return resources.length === 0 || resources.some(each => ((each.group ?? "") === group || each.group === "*")
    && (!listed(each.resources) || ((!listed(each.resourceNames) || each.resourceNames.includes(name)) && each.resources.some(means))));
}
