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
    if (webhook.name !== "" && names.has(webhook.name)) problems.push(duplicate(`${here}.name`, webhook.name));
    names.add(webhook.name);
    (webhook.rules ?? []).forEach((rule, j) => problems.push(...ruleProblems(rule, `${here}.rules[${j}]`)));
    if (webhook.sideEffects === undefined || webhook.sideEffects === null) problems.push(required(`${here}.sideEffects`, "must specify one of None, NoneOnDryRun"));
    else if (webhook.sideEffects !== "None" && webhook.sideEffects !== "NoneOnDryRun") problems.push(notSupported(`${here}.sideEffects`, webhook.sideEffects, ["None", "NoneOnDryRun"]));
    const seconds = webhook.timeoutSeconds;
    if (seconds !== undefined && (seconds > 30 || seconds < 1)) problems.push(invalidValue(`${here}.timeoutSeconds`, seconds, "the timeout value must be between 1 and 30 seconds"));
    problems.push(...validateLabelSelector(webhook.namespaceSelector, `${here}.namespaceSelector`), ...validateLabelSelector(webhook.objectSelector, `${here}.objectSelector`));
    checkClient(webhook.clientConfig, `${here}.clientConfig`, problems);
    webhook.admissionReviewVersions.forEach((version, j) => {
      if (webhook.admissionReviewVersions.indexOf(version) < j) problems.push(invalidValue(`${here}.admissionReviewVersions[${j}]`, version, "duplicate version"));
      else for (const detail of grammar.dns1035Label(version)) problems.push(invalidValue(`${here}.admissionReviewVersions[${j}]`, version, detail));
    });
    if (webhook.admissionReviewVersions.length === 0) problems.push(required(`${here}.admissionReviewVersions`, "must specify one of v1, v1beta1"));
    else if (!webhook.admissionReviewVersions.some(version => version === "v1" || version === "v1beta1")) problems.push(invalidValue(`${here}.admissionReviewVersions`, webhook.admissionReviewVersions, "must include at least one of v1, v1beta1"));
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
/** How a webhook is reached; also those that convert custom resources. */
export function checkClient({ url, service }: Webhook["clientConfig"], path: string, problems: Problem[]): void {
  if ((url === undefined) === (service === undefined)) return void problems.push(required(path, "exactly one of url or service is required"));
  if (url !== undefined) checkUrl(url, `${path}.url`, problems);
  if (service === undefined) return;
  // Quirk: upstream takes one for the other here (ValidateWebhookService is called with name and namespace swapped).
  for (const [name, blamed] of [["namespace", "name"], ["name", "namespace"]] as const) if (service[name] === "") problems.push(required(`${path}.service.${blamed}`));
  for (const detail of grammar.validPort(service.port ?? 443)) problems.push(invalidValue(`${path}.service.port`, service.port, `port is not valid: ${detail}`));
  checkServicePath(service.path ?? "", `${path}.service.path`, problems);
}
/** A URL to call: https alone, with nothing that a webhook's request would not keep. */
function checkUrl(text: string, path: string, problems: Problem[]): void {
  const form = "; desired format: https://host[/path]";
  const [, scheme = "", , authority = "", , query = "", , fragment = ""] = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(#(.*))?$/s.exec(text) ?? [];
  const at = authority.lastIndexOf("@");
  if (scheme.toLowerCase() !== "https") problems.push(invalidValue(path, scheme, `'https' is the only allowed URL scheme${form}`));
  if (authority.slice(at + 1) === "") problems.push(invalidValue(path, "", `host must be specified${form}`));
  if (at >= 0) problems.push(invalidValue(path, authority.slice(0, at), "user information is not permitted in the URL"));
  if (fragment !== "") problems.push(invalidValue(path, fragment, "fragments are not permitted in the URL"));
  if (query !== "") problems.push(invalidValue(path, query, "query parameters are not permitted in the URL"));
}
function checkServicePath(given: string, path: string, problems: Problem[]): void {
  if (given === "" || given === "/") return;
  if (given === "//") return void problems.push(invalidValue(path, given, "segment[0] may not be empty"));
  if (!given.startsWith("/")) problems.push(invalidValue(path, given, "must start with a '/'"));
  given.slice(1).replace(/\/$/, "").split("/").forEach((step, i) => {
    if (step === "") problems.push(invalidValue(path, given, `segment[${i}] may not be empty`));
    else for (const detail of grammar.dnsSubdomain(step)) problems.push(invalidValue(path, given, `segment[${i}]: ${detail}`));
  });
}
function ruleProblems(rule: Rule, path: string): readonly Problem[] {
  const problems: Problem[] = [];
  for (const [name, list] of [["operations", rule.operations], ["apiGroups", rule.apiGroups], ["apiVersions", rule.apiVersions]] as const) {
    if ((list ?? []).length === 0) problems.push(required(`${path}.${name}`));
    if ((list ?? []).length > 1 && list!.includes("*")) problems.push(invalidValue(`${path}.${name}`, list, name === "operations" ? "if '*' is present, must not specify other operations" : `if '*' is present, must not specify other ${name === "apiGroups" ? "API groups" : "API versions"}`));
  }
  (rule.apiVersions ?? []).forEach((version, i) => { if (version === "") problems.push(required(`${path}.apiVersions[${i}]`)); });
  const resources = rule.resources ?? [];
  resources.forEach((resource, i) => { if (resource === "") problems.push(required(`${path}.resources[${i}]`)); });
  if (resources.length === 0) problems.push(required(`${path}.resources`));
  if (resources.length > 1 && resources.includes("*/*")) problems.push(invalidValue(`${path}.resources`, resources, "if '*/*' is present, must not specify other resources"));
  if (resources.length > 1 && resources.includes("*") && resources.some(resource => !resource.includes("/") && resource !== "*")) problems.push(invalidValue(`${path}.resources`, resources, "if '*' is present, must not specify other resources without subresources"));
  return problems;
}
function checkConditions(conditions: readonly { readonly name: string; readonly expression: string }[], path: string, problems: Problem[]): void {
  if (conditions.length > 64) problems.push({ field: path, reason: "TooMany", value: conditions.length, detail: "must have at most 64 items" });
  const names = new Set<string>();
  conditions.forEach(({ name, expression }, i) => {
    if (expression.trim() === "") problems.push(required(`${path}[${i}].expression`));
    if (name === "") problems.push(required(`${path}[${i}].name`));
    else for (const detail of grammar.qualifiedName(name)) problems.push(invalidValue(`${path}[${i}].name`, name, detail));
    if (names.has(name)) problems.push(duplicate(`${path}[${i}].name`, name));
    names.add(name);
  });
}

type Match = { readonly resourceRules?: readonly Rule[] | undefined; readonly excludeResourceRules?: readonly Rule[] | undefined; readonly namespaceSelector?: LabelSelector | undefined; readonly objectSelector?: LabelSelector | undefined };
type Policy = { readonly paramKind?: { readonly apiVersion?: string | undefined; readonly kind?: string | undefined } | undefined; readonly matchConstraints?: Match | undefined; readonly matchConditions?: readonly { readonly name: string; readonly expression: string }[] | undefined; readonly variables?: readonly { readonly name: string; readonly expression: string }[] | undefined };
/** As upstream checks policies and match conditions. */
export const conditionOrder = (path: string): readonly string[] => [`${path}.expression`, `${path}.name`];
export const policyOrder: readonly string[] = [...["failurePolicy", "paramKind", "matchConstraints", "matchConditions", "variables", "validations", "mutations", "auditAnnotations", "reinvocationPolicy"].map(field => `spec.${field}`), ...conditionOrder("spec.matchConditions")];
export function policyProblems(spec: Policy): readonly Problem[] {
  const problems: Problem[] = [];
  if (spec.paramKind !== undefined) {
    const { apiVersion = "", kind = "" } = spec.paramKind;
    if (apiVersion === "") problems.push(required("spec.paramKind.apiVersion"));
    else {
      const parts = apiVersion.split("/");
      if (parts.length > 2) problems.push(invalidValue("spec.paramKind.apiVersion", apiVersion, `unexpected GroupVersion string: ${apiVersion}`));
      else {
        if (parts.length === 2 && parts[0] !== "") for (const detail of grammar.dnsSubdomain(parts[0]!)) problems.push(invalidValue("spec.paramKind.apiVersion", parts[0], detail));
        for (const detail of grammar.dns1035Label(parts.at(-1)!)) problems.push(invalidValue("spec.paramKind.apiVersion", parts.at(-1), detail));
      }
    }
    if (kind === "") problems.push(required("spec.paramKind.kind"));
    else {
      const details = grammar.dns1035Label(kind.toLowerCase());
      if (details.length > 0) problems.push(invalidValue("spec.paramKind.kind", kind, `may have mixed case, but should otherwise match: ${details.join(",")}`));
    }
  }
  if (spec.matchConstraints === undefined) problems.push(required("spec.matchConstraints"));
  else problems.push(...matchProblems(spec.matchConstraints, "spec.matchConstraints", true));
  checkConditions(spec.matchConditions ?? [], "spec.matchConditions", problems);
  (spec.variables ?? []).forEach(({ name, expression }, i) => {
    const here = `spec.variables[${i}]`;
    if (name.trim() === "") problems.push(required(`${here}.name`, "name is not specified"));
    else if (!/^[_a-zA-Z][_a-zA-Z0-9]*$/.test(name) || reserved.has(name)) problems.push(invalidValue(`${here}.name`, name, "must be a valid CEL identifier"));
    if (expression.trim() === "") problems.push(required(`${here}.expression`, "expression is not specified"));
  });
  return problems;
}
/** Bytes of the longest expression of an audit annotation. */
export const valueExpressionMax = 5 * 1024;
export const isTooLong = (expression: string): boolean => new TextEncoder().encode(expression).length > valueExpressionMax;
/** Words that CEL keeps for itself. */
const reserved = new Set("as break const continue else false for function if import in let loop package namespace null return true var void while".split(" "));
export function matchProblems(match: Match, path: string, needsRules: boolean): readonly Problem[] {
  const problems: Problem[] = [...validateLabelSelector(match.namespaceSelector, `${path}.namespaceSelector`), ...validateLabelSelector(match.objectSelector, `${path}.objectSelector`)];
  if (needsRules && (match.resourceRules ?? []).length === 0) problems.push(required(`${path}.resourceRules`));
  for (const list of ["resourceRules", "excludeResourceRules"] as const) (match[list] ?? []).forEach((rule, i) => problems.push(...ruleProblems(rule, `${path}.${list}[${i}]`)));
  return problems;
}
type Binding = { readonly policyName?: string | undefined; readonly paramRef?: { readonly name?: string | undefined; readonly selector?: unknown; readonly parameterNotFoundAction?: string | undefined } | undefined; readonly matchResources?: Match | undefined };
export function policyBindingProblems(spec: Binding): readonly Problem[] {
  const problems: Problem[] = [];
  if (!spec.policyName) problems.push(required("spec.policyName"));
  else for (const detail of grammar.dnsSubdomain(spec.policyName)) problems.push(invalidValue("spec.policyName", spec.policyName, detail));
  const { paramRef } = spec;
  if (paramRef !== undefined) {
    problems.push(...validateLabelSelector(paramRef.selector as LabelSelector | undefined, "spec.paramRef.selector"));
    if (!paramRef.name && paramRef.selector === undefined) problems.push(required("spec.paramRef", "one of name or selector must be specified"));
    if (paramRef.name && paramRef.selector !== undefined) problems.push(forbidden("spec.paramRef.name", "name and selector are mutually exclusive"));
    if (paramRef.parameterNotFoundAction === undefined) problems.push(required("spec.paramRef.parameterNotFoundAction"));
    else if (!["Allow", "Deny"].includes(paramRef.parameterNotFoundAction)) problems.push(notSupported("spec.paramRef.parameterNotFoundAction", paramRef.parameterNotFoundAction, ["Deny", "Allow"]));
  }
  if (spec.matchResources !== undefined) problems.push(...matchProblems(spec.matchResources, "spec.matchResources", false));
  return problems;
}

/** Names that upstream keeps for configuration by files (validation/static_suffix.go). */
export function* staticNameWarnings({ metadata: { name } }: { readonly metadata: { readonly name: string } }): Iterable<string> {
  if (name.endsWith(".static.k8s.io")) yield 'metadata.name: names ending with ".static.k8s.io" are reserved for static manifest-based configurations and cannot be managed via the API';
}
