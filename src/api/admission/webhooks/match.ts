/** Which webhooks hear of a request (apiserver pkg/admission/plugin/webhook/predicates, generic). */
import { selectorOf } from "../../../base/selector.ts";
import { Namespace } from "../../../kinds/core/namespace.ts";
import type { AnyKind } from "../../../kinds/kind.ts";
import type { AdmissionRequest } from "../admission.ts";

/** A group, version and resource under which the request's object could be seen. */
export type Seen = { readonly group: string; readonly version: string; readonly resource: string };
export type Rule = { readonly operations?: readonly string[] | undefined; readonly apiGroups?: readonly string[] | undefined; readonly apiVersions?: readonly string[] | undefined; readonly resources?: readonly string[] | undefined; readonly scope?: string | undefined };
export type Hook = {
  readonly name: string; readonly rules?: readonly Rule[]; readonly namespaceSelector?: any; readonly objectSelector?: any; readonly matchPolicy?: string; readonly failurePolicy?: string; readonly timeoutSeconds?: number;
  readonly clientConfig: any; readonly admissionReviewVersions: readonly string[]; readonly reinvocationPolicy?: string; readonly matchConditions?: readonly { readonly name: string; readonly expression: string }[];
};

/** What breaks the cluster must be removable: the configurations of webhooks and policies are shown to neither (webhook/predicates/rules/rules.go). */
export const isExempt = ({ group, kind }: AnyKind): boolean => group === "admissionregistration.k8s.io" && /^(Validating|Mutating)(WebhookConfiguration|AdmissionPolicy|AdmissionPolicyBinding)$/.test(kind);

/** As what the hook wants to see the request; `undefined` when it does not. The first of `seen` is the request's own form. */
export function matchRules(hook: Hook, request: AdmissionRequest, seen: readonly Seen[]): Seen | undefined {
  const forms = hook.matchPolicy === "Exact" ? seen.slice(0, 1) : seen;
  return forms.find(form => (hook.rules ?? []).some(rule => ruleMatches(rule, request, form)));
}

function ruleMatches(rule: Rule, request: AdmissionRequest, { group, version, resource }: Seen): boolean {
  const has = (list: readonly string[] | undefined, value: string): boolean => list?.some(each => each === "*" || each === value) === true;
  const namespaced = request.kind.namespaced;
  if (rule.scope === "Namespaced" && !namespaced) return false;
  if (rule.scope === "Cluster" && namespaced) return false;
  return has(rule.operations, request.operation) && has(rule.apiGroups, group) && has(rule.apiVersions, version) && rule.resources?.some(each => resourceMatches(each, resource, request.subresource)) === true;
}

// pods, pods/log, pods/*, */scale, *, */*
function resourceMatches(wanted: string, resource: string, subresource: string): boolean {
  const [name = "", sub] = wanted.split("/");
  if (name !== "*" && name !== resource) return false;
  return sub === undefined ? subresource === "" : sub === "*" || sub === subresource;
}

export function matchSelectors(hook: Hook, request: AdmissionRequest): boolean {
  return namespaceMatches(hook, request) && objectMatches(hook, request);
}

function namespaceMatches({ namespaceSelector }: Hook, { kind, namespace, object, previous, read }: AdmissionRequest): boolean {
  const selector = selectorOf(namespaceSelector ?? {});
  if (selector.empty) return true;
  if (kind === Namespace) return selector.matches((object ?? previous)?.metadata?.labels);
  if (!kind.namespaced) return true;
  return selector.matches(read.get("", "namespaces", "", namespace)?.metadata.labels);
}

function objectMatches({ objectSelector }: Hook, { object, previous }: AdmissionRequest): boolean {
  const selector = selectorOf(objectSelector ?? {});
  if (selector.empty) return true;
  return [object, previous].some(each => each?.metadata !== undefined && selector.matches(each.metadata.labels));
}
