/** Defaults and rules of admission webhooks and policies (kubernetes pkg/apis/admissionregistration). */
import * as grammar from "../../schema/grammar.ts";
import { duplicate, forbidden, invalidValue, notSupported, type Problem, required } from "../../schema/problem.ts";
import { validateLabelSelector } from "../meta/rules.ts";
import type { LabelSelector } from "../meta/labelselector.ts";

type Rule = { readonly operations?: readonly string[] | undefined; readonly apiGroups?: readonly string[] | undefined; readonly apiVersions?: readonly string[] | undefined; readonly resources?: readonly string[] | undefined; scope?: string | undefined };
type Webhook = {
  readonly name: string; readonly admissionReviewVersions: readonly string[]; readonly sideEffects?: string | null | undefined; readonly timeoutSeconds?: number | undefined; readonly rules?: readonly Rule[] | undefined;
  readonly namespaceSelector?: LabelSelector | undefined; readonly objectSelector?: LabelSelector | undefined; readonly matchConditions?: readonly { readonly name: string; readonly expression: string }[] | undefined;
  readonly clientConfig: { readonly url?: string | undefined; readonly service?: { readonly name: string; readonly namespace: string; readonly path?: string | undefined; readonly port?: number | undefined } | undefined };
};

export function defaultWebhook(webhook: any, mutating: boolean): void {
  webhook.failurePolicy ??= "Fail";
  webhook.matchPolicy ??= "Equivalent";
  webhook.namespaceSelector ??= {};
  webhook.objectSelector ??= {};
  webhook.timeoutSeconds ??= 10;
  if (mutating) webhook.reinvocationPolicy ??= "Never";
  for (const rule of webhook.rules ?? []) rule.scope ??= "*";
  if (webhook.clientConfig.service !== undefined) webhook.clientConfig.service.port ??= 443;
}
export function defaultMatch(match: any): void {
  if (match === undefined) return;
  match.matchPolicy ??= "Equivalent";
  match.namespaceSelector ??= {};
  match.objectSelector ??= {};
  for (const rule of [...(match.resourceRules ?? []), ...(match.excludeResourceRules ?? [])]) rule.scope ??= "*";
}

export function webhookProblems(webhooks: readonly Webhook[]): readonly Problem[] {
  const problems: Problem[] = [];
  const names = new Set<string>();
  webhooks.forEach((webhook, i) => {
    const here = `webhooks[${i}]`;
    problems.push(...qualifiedHook(webhook.name, `${here}.name`));
    if (names.has(webhook.name)) problems.push(duplicate(`${here}.name`, webhook.name));
    names.add(webhook.name);
    (webhook.rules ?? []).forEach((rule, j) => problems.push(...ruleProblems(rule, `${here}.rules[${j}]`)));
    if (webhook.sideEffects === undefined || webhook.sideEffects === null) problems.push(required(`${here}.sideEffects`, "must specify one of None, NoneOnDryRun"));
    else if (webhook.sideEffects !== "None" && webhook.sideEffects !== "NoneOnDryRun") problems.push(notSupported(`${here}.sideEffects`, webhook.sideEffects, ["None", "NoneOnDryRun"]));
    const seconds = webhook.timeoutSeconds;
    if (seconds !== undefined && (seconds > 30 || seconds < 1)) problems.push(invalidValue(`${here}.timeoutSeconds`, seconds, "the timeout value must be between 1 and 30 seconds"));
    problems.push(...validateLabelSelector(webhook.namespaceSelector, `${here}.namespaceSelector`), ...validateLabelSelector(webhook.objectSelector, `${here}.objectSelector`));
    if (webhook.admissionReviewVersions.length === 0) problems.push(required(`${here}.admissionReviewVersions`, "must specify one of v1, v1beta1"));
    else if (!webhook.admissionReviewVersions.some(version => version === "v1" || version === "v1beta1")) problems.push(invalidValue(`${here}.admissionReviewVersions`, webhook.admissionReviewVersions, "must include at least one of v1, v1beta1"));
    checkClient(webhook.clientConfig, `${here}.clientConfig`, problems);
    checkConditions(webhook.matchConditions ?? [], `${here}.matchConditions`, problems);
  });
  return problems;
}
function qualifiedHook(name: string, path: string): readonly Problem[] {
  if (name === "") return [required(path)];
  const details = grammar.dnsSubdomain(name);
  if (details.length > 0) return [invalidValue(path, name, details.join(","))];
  return name.split(".").length < 3 ? [invalidValue(path, name, "should be a domain with at least three segments separated by dots")] : [];
}
function checkClient({ url, service }: Webhook["clientConfig"], path: string, problems: Problem[]): void {
  if ((url === undefined) === (service === undefined)) problems.push(required(path, "exactly one of url or service is required"));
  if (url !== undefined) {
    if (!url.startsWith("https://")) problems.push(invalidValue(`${path}.url`, url, `'https' is the only allowed URL scheme; desired format: https://host[/path]`));
    if (/[?]/.test(url)) problems.push(invalidValue(`${path}.url`, url.slice(url.indexOf("?") + 1), "query parameters are not permitted in the URL"));
    if (/#/.test(url)) problems.push(invalidValue(`${path}.url`, url.slice(url.indexOf("#") + 1), "fragments are not permitted in the URL"));
    if (/^https:\/\/[^/]*@/.test(url)) problems.push(invalidValue(`${path}.url`, "", "user information is not permitted in the URL"));
  }
  if (service === undefined) return;
  if (service.name === "") problems.push(required(`${path}.service.name`, "service name is required"));
  if (service.namespace === "") problems.push(required(`${path}.service.namespace`, "service namespace is required"));
  if (service.port !== undefined) for (const detail of grammar.validPort(service.port)) problems.push(invalidValue(`${path}.service.port`, service.port, `port is not valid: ${detail}`));
  if (service.path !== undefined && service.path !== "/" && (!service.path.startsWith("/") || service.path.slice(1).replace(/\/$/, "").split("/").some(part => part === ""))) problems.push(invalidValue(`${path}.service.path`, service.path, service.path.startsWith("/") ? "segment[1] may not be empty" : "must start with a '/'"));
}
function ruleProblems(rule: Rule, path: string): readonly Problem[] {
  const problems: Problem[] = [];
  for (const [name, list] of [["apiGroups", rule.apiGroups], ["apiVersions", rule.apiVersions], ["operations", rule.operations]] as const) {
    if ((list ?? []).length === 0) problems.push(required(`${path}.${name}`));
    if ((list ?? []).length > 1 && list!.includes("*")) problems.push(invalidValue(`${path}.${name}`, list, name === "operations" ? "if '*' is present, must not specify other operations" : `if '*' is present, must not specify other ${name === "apiGroups" ? "API groups" : "API versions"}`));
  }
  const resources = rule.resources ?? [];
  if (resources.length === 0) problems.push(required(`${path}.resources`));
  if (resources.length > 1 && resources.includes("*/*")) problems.push(invalidValue(`${path}.resources`, resources, "if '*/*' is present, must not specify other resources"));
  if (resources.length > 1 && resources.includes("*") && resources.some(resource => !resource.includes("/") && resource !== "*")) problems.push(invalidValue(`${path}.resources`, resources, "if '*' is present, must not specify other resources without subresources"));
  return problems;
}
function checkConditions(conditions: readonly { readonly name: string; readonly expression: string }[], path: string, problems: Problem[]): void {
  if (conditions.length > 64) problems.push({ field: path, reason: "TooMany", value: conditions.length, detail: "must have at most 64 items" });
  const names = new Set<string>();
  conditions.forEach(({ name, expression }, i) => {
    if (expression === "") problems.push(required(`${path}[${i}].expression`));
    if (name === "") problems.push(required(`${path}[${i}].name`));
    else for (const detail of grammar.qualifiedName(name)) problems.push(invalidValue(`${path}[${i}].name`, name, detail));
    if (names.has(name)) problems.push(duplicate(`${path}[${i}].name`, name));
    names.add(name);
  });
}

type Match = { readonly resourceRules?: readonly Rule[] | undefined; readonly namespaceSelector?: LabelSelector | undefined; readonly objectSelector?: LabelSelector | undefined };
type Policy = { readonly paramKind?: { readonly apiVersion?: string | undefined; readonly kind?: string | undefined } | undefined; readonly matchConstraints?: Match | undefined; readonly matchConditions?: readonly { readonly name: string; readonly expression: string }[] | undefined };
export function policyProblems(spec: Policy): readonly Problem[] {
  const problems: Problem[] = [];
  if (spec.paramKind !== undefined) {
    if (!spec.paramKind.apiVersion) problems.push(required("spec.paramKind.apiVersion"));
    if (!spec.paramKind.kind) problems.push(required("spec.paramKind.kind"));
  }
  if (spec.matchConstraints === undefined) problems.push(required("spec.matchConstraints"));
  else problems.push(...matchProblems(spec.matchConstraints, "spec.matchConstraints", true));
  checkConditions(spec.matchConditions ?? [], "spec.matchConditions", problems);
  return problems;
}
export function matchProblems(match: Match, path: string, needsRules: boolean): readonly Problem[] {
  const problems: Problem[] = [...validateLabelSelector(match.namespaceSelector, `${path}.namespaceSelector`), ...validateLabelSelector(match.objectSelector, `${path}.objectSelector`)];
  if (needsRules && (match.resourceRules ?? []).length === 0) problems.push(required(`${path}.resourceRules`));
  (match.resourceRules ?? []).forEach((rule, i) => problems.push(...ruleProblems(rule, `${path}.resourceRules[${i}]`)));
  return problems;
}
type Binding = { readonly policyName?: string | undefined; readonly paramRef?: { readonly name?: string | undefined; readonly selector?: unknown; readonly parameterNotFoundAction?: string | undefined } | undefined; readonly matchResources?: Match | undefined };
export function policyBindingProblems(spec: Binding): readonly Problem[] {
  const problems: Problem[] = [];
  if (!spec.policyName) problems.push(required("spec.policyName"));
  else for (const detail of grammar.dnsSubdomain(spec.policyName)) problems.push(invalidValue("spec.policyName", spec.policyName, detail));
  const { paramRef } = spec;
  if (paramRef !== undefined) {
    if (!paramRef.name && paramRef.selector === undefined) problems.push(required("spec.paramRef", "one of name or selector must be specified"));
    if (paramRef.name && paramRef.selector !== undefined) problems.push(forbidden("spec.paramRef.name", "name and selector are mutually exclusive"));
    if (paramRef.parameterNotFoundAction === undefined) problems.push(required("spec.paramRef.parameterNotFoundAction"));
    else if (!["Allow", "Deny"].includes(paramRef.parameterNotFoundAction)) problems.push(notSupported("spec.paramRef.parameterNotFoundAction", paramRef.parameterNotFoundAction, ["Deny", "Allow"]));
  }
  if (spec.matchResources !== undefined) problems.push(...matchProblems(spec.matchResources, "spec.matchResources", false));
  return problems;
}
