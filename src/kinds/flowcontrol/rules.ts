/** Rules of flow schemas and priority levels (kubernetes pkg/apis/flowcontrol/validation). */
import * as grammar from "../../schema/grammar.ts";
import { duplicate, forbidden, invalidValue, notSupported, type Problem, required } from "../../schema/problem.ts";
import type { FlowSchemaSpec, FlowSubject } from "./flowschema.ts";
import type { PriorityLevelConfigurationSpec, QueuingConfiguration } from "./prioritylevelconfiguration.ts";

const precedenceMax = 10_000;
const verbs = ["*", "create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"];
const listedVerbs = verbs.slice(1);

export function* flowSchemaProblems(name: string, spec: FlowSchemaSpec): Iterable<Problem> {
  const { matchingPrecedence: precedence, distinguisherMethod, priorityLevelConfiguration: level, rules = [] } = spec;
  if (precedence <= 0) yield invalidValue("spec.matchingPrecedence", precedence, "must be a positive value");
  if (precedence > precedenceMax) yield invalidValue("spec.matchingPrecedence", precedence, `must not be greater than ${precedenceMax}`);
  if (precedence === 1 && name !== "exempt") yield invalidValue("spec.matchingPrecedence", precedence, "only the schema named 'exempt' may have matchingPrecedence 1");
  if (distinguisherMethod !== undefined && !["ByNamespace", "ByUser"].includes(distinguisherMethod.type)) yield notSupported("spec.distinguisherMethod.type", { Type: distinguisherMethod.type }, ["ByNamespace", "ByUser"]);
  if (level.name === "") yield required("spec.priorityLevelConfiguration.name", "must reference a priority level");
  else for (const detail of grammar.dnsSubdomain(level.name)) yield invalidValue("spec.priorityLevelConfiguration.name", level.name, detail);
  for (const [i, rule] of rules.entries()) yield* ruleProblems(rule, `spec.rules[${i}]`);
}
function* ruleProblems({ subjects, resourceRules = [], nonResourceRules = [] }: NonNullable<FlowSchemaSpec["rules"]>[number], path: string): Iterable<Problem> {
  if (subjects.length === 0) yield required(`${path}.subjects`, "subjects must contain at least one value");
  for (const [i, subject] of subjects.entries()) yield* subjectProblems(subject, `${path}.subjects[${i}]`);
  if (resourceRules.length === 0 && nonResourceRules.length === 0) yield required(path, "at least one of resourceRules and nonResourceRules has to be non-empty");
  for (const [i, rule] of resourceRules.entries()) {
    const here = `${path}.resourceRules[${i}]`;
    yield* verbProblems(rule.verbs, `${here}.verbs`);
    yield* anyOf(rule.apiGroups, `${here}.apiGroups`, "resource rules must supply at least one api group", "api groups");
    yield* anyOf(rule.resources, `${here}.resources`, "resource rules must supply at least one resource", "resources");
    const namespaces = rule.namespaces ?? [];
    if (namespaces.length === 0 && rule.clusterScope !== true) yield required(`${here}.namespaces`, "resource rules that are not cluster scoped must supply at least one namespace");
    else if (namespaces.includes("*")) yield* anyOf(namespaces, `${here}.namespaces`, "", "namespaces");
    else for (const [j, name] of namespaces.entries()) for (const detail of grammar.dnsLabel(name)) yield invalidValue(`${here}.namespaces[${j}]`, name, `each member of this list must be '*' or a DNS-1123 label; ${detail}`);
  }
  for (const [i, rule] of nonResourceRules.entries()) {
    const here = `${path}.nonResourceRules[${i}]`;
    yield* verbProblems(rule.verbs, `${here}.verbs`);
    yield* anyOf(rule.nonResourceURLs, `${here}.nonResourceURLs`, "nonResourceURLs must contain at least one value", "non-resource URLs");
    if (!rule.nonResourceURLs.includes("*")) for (const [j, url] of rule.nonResourceURLs.entries()) yield* urlProblems(url, `${here}.nonResourceURLs[${j}]`);
  }
}
function* verbProblems(given: readonly string[], path: string): Iterable<Problem> {
  yield* anyOf(given, path, "verbs must contain at least one value", "verbs");
  if (given.length > 0 && !given.includes("*") && !given.every(verb => listedVerbs.includes(verb))) yield notSupported(path, given, listedVerbs);
}
function* anyOf(given: readonly string[], path: string, none: string, what: string): Iterable<Problem> {
  if (given.length === 0) yield required(path, none);
  else if (given.length > 1 && given.includes("*")) yield invalidValue(path, given, `if '*' is present, must not specify other ${what}`);
}
function* urlProblems(url: string, path: string): Iterable<Problem> {
  if (url === "") yield invalidValue(path, url, "must not be empty");
  else if (url === "/") return;
  else if (!url.startsWith("/")) yield invalidValue(path, url, "must start with slash");
  else if (url.includes(" ")) yield invalidValue(path, url, "must not contain white-space");
  else if (url.includes("//")) yield invalidValue(path, url, "must not contain double slash");
  else if (url.includes("*") && (!url.endsWith("/*") || url.indexOf("*") !== url.length - 1)) yield invalidValue(path, url, "wildcard can only do suffix matching");
}
function* subjectProblems(subject: FlowSubject, path: string): Iterable<Problem> {
  const names = { ServiceAccount: "serviceAccount", User: "user", Group: "group" } as const;
  if (!Object.hasOwn(names, subject.kind)) return yield notSupported(`${path}.kind`, subject.kind, Object.keys(names).sort());
  const own = names[subject.kind as keyof typeof names];
  const given = subject[own];
  const here = `${path}.${own}`;
  if (given === undefined) yield required(here, `${own} is required when subject kind is '${subject.kind}'`);
  else {
    if (given.name === "") yield required(`${here}.name`);
    else if (own === "serviceAccount" && given.name !== "*") for (const detail of grammar.dnsSubdomain(given.name)) yield invalidValue(`${here}.name`, given.name, detail);
    if (own === "serviceAccount") {
      const { namespace } = subject.serviceAccount!;
      if (namespace === "") yield required(`${here}.namespace`, "must specify namespace for service account");
      else for (const detail of grammar.dnsLabel(namespace)) yield invalidValue(`${here}.namespace`, namespace, detail);
    }
  }
  for (const [kind, name] of [["ServiceAccount", "serviceAccount"], ["User", "user"], ["Group", "group"]] as const) if (name !== own && subject[name] !== undefined) yield forbidden(`${path}.${name}`, `${name} is forbidden when subject kind is not '${kind}'`);
}

const queuesMax = 10_000_000;
export function* priorityLevelProblems(name: string, spec: PriorityLevelConfigurationSpec): Iterable<Problem> {
  const { exempt, limited } = spec;
  const type = spec.type as string;
  if ((name === "exempt") !== (type === "Exempt")) yield invalidValue("spec.type", type, "must be 'Exempt' if and only if `name` is 'exempt'");
  if (type === "Exempt") {
    if (limited !== undefined) yield forbidden("spec.limited", "must be nil if the type is not Limited");
    if (exempt !== undefined) yield* shares(exempt, "spec.exempt");
  } else if (type === "Limited") {
    if (exempt !== undefined) yield forbidden("spec.exempt", "must be nil if the type is Limited");
    if (limited === undefined) return yield required("spec.limited", "must not be empty when type is Limited");
    yield* shares(limited, "spec.limited");
    const borrowing = limited.borrowingLimitPercent;
    if (borrowing !== undefined && borrowing < 0) yield invalidValue("spec.limited.borrowingLimitPercent", borrowing, "if specified, must be a non-negative integer");
    yield* responseProblems(limited.limitResponse, "spec.limited.limitResponse");
  } else yield type === "" ? required("spec.type") : notSupported("spec.type", type, ["Exempt", "Limited"]);
}
function* shares({ nominalConcurrencyShares: nominal, lendablePercent: lendable }: { readonly nominalConcurrencyShares?: number | undefined; readonly lendablePercent?: number | undefined }, path: string): Iterable<Problem> {
  if (nominal !== undefined && nominal < 0) yield invalidValue(`${path}.nominalConcurrencyShares`, nominal, "must be a non-negative integer");
  if (lendable !== undefined && (lendable < 0 || lendable > 100)) yield invalidValue(`${path}.lendablePercent`, lendable, "must be between 0 and 100, inclusive");
}
function* responseProblems({ type: given, queuing }: NonNullable<PriorityLevelConfigurationSpec["limited"]>["limitResponse"], path: string): Iterable<Problem> {
  const type = given as string;
  if (type === "Reject") {
    if (queuing !== undefined) yield forbidden(`${path}.queuing`, "must be nil if limited.limitResponse.type is not Limited");
  } else if (type !== "Queue") yield type === "" ? required(`${path}.type`) : notSupported(`${path}.type`, type, ["Queue", "Reject"]);
  else if (queuing === undefined) yield required(`${path}.queuing`, "must not be empty if limited.limitResponse.type is Limited");
  else yield* queuingProblems(queuing, `${path}.queuing`);
}
function* queuingProblems({ queues, handSize, queueLengthLimit }: QueuingConfiguration, path: string): Iterable<Problem> {
  if (queueLengthLimit <= 0) yield invalidValue(`${path}.queueLengthLimit`, queueLengthLimit, "must be positive");
  if (queues <= 0) yield invalidValue(`${path}.queues`, queues, "must be positive");
  else if (queues > queuesMax) yield invalidValue(`${path}.queues`, queues, `must not be greater than ${queuesMax}`);
  // Dealing a hand of cards takes as many bits as there are ways to deal it; a hash has 60.
  const bits = Math.ceil(Array.from({ length: Math.max(0, Math.min(handSize, 1000)) }, (_, i) => Math.log2(Math.max(queues - i, 1))).reduce((sum, each) => sum + each, 0));
  if (handSize <= 0) yield invalidValue(`${path}.handSize`, handSize, "must be positive");
  else if (handSize > queues) yield invalidValue(`${path}.handSize`, handSize, `should not be greater than queues (${queues})`);
  else if (bits > 60) yield invalidValue(`${path}.handSize`, handSize, `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than 60`);
}

export function* conditionProblems(conditions: readonly { readonly type?: string | undefined }[] | undefined): Iterable<Problem> {
  const seen = new Set<string>();
  for (const [i, { type = "" }] of (conditions ?? []).entries()) {
    if (seen.has(type)) yield duplicate(`status.conditions[${i}].type`, type);
    seen.add(type);
    if (type === "") yield required(`status.conditions[${i}].type`);
  }
}
