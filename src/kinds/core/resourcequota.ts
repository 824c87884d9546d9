import { getOwn } from "../../base/json.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { compareQuantities, quantityMilli, quantitySign } from "../../base/quantity.ts";
import { invalidValue, type Problem, required } from "../../schema/problem.ts";
import { defineKind, type Resource } from "../kind.ts";
import { isExtended, validateAnyResourceName } from "./resourcerules.ts";
import * as t from "../../schema/t.ts";

export const ScopedResourceSelectorRequirement = t.object("io.k8s.api.core.v1.ScopedResourceSelectorRequirement", {
  operator: t.oneOf("DoesNotExist", "Exists", "In", "NotIn").unchecked().pb(2).required().always("zero").doc("How the scope is compared: In, NotIn, Exists or DoesNotExist."),
  scopeName: t.oneOf("BestEffort", "CrossNamespacePodAffinity", "NotBestEffort", "NotTerminating", "PriorityClass", "Terminating", "VolumeAttributesClass").unchecked().pb(1).required().always("zero").doc("The scope, such as PriorityClass."),
  values: t.list(t.string()).pb(3).doc("What it is compared with."),
});
export interface ScopedResourceSelectorRequirement extends t.Stored<typeof ScopedResourceSelectorRequirement> {}

export const ScopeSelector = t.object("io.k8s.api.core.v1.ScopeSelector", {
  matchExpressions: t.list(ScopedResourceSelectorRequirement).pb(1).doc("Requirements that all must hold."),
}).atomic();
export interface ScopeSelector extends t.Stored<typeof ScopeSelector> {}

export const ResourceQuotaSpec = t.object("io.k8s.api.core.v1.ResourceQuotaSpec", {
  hard: t.map(t.quantity()).pb(1).doc("The most of each resource that the namespace may use."),
  scopeSelector: ScopeSelector.pb(3).doc("Which objects count, by scope and value."),
  scopes: t.list(t.oneOf("BestEffort", "CrossNamespacePodAffinity", "NotBestEffort", "NotTerminating", "PriorityClass", "Terminating", "VolumeAttributesClass").unchecked()).pb(2).doc("Which objects count, by scope."),
});
export interface ResourceQuotaSpec extends t.Stored<typeof ResourceQuotaSpec> {}

export const ResourceQuotaStatus = t.object("io.k8s.api.core.v1.ResourceQuotaStatus", {
  hard: t.map(t.quantity()).pb(1).doc("The limits in force."),
  used: t.map(t.quantity()).pb(2).doc("What is used of them."),
});
export interface ResourceQuotaStatus extends t.Stored<typeof ResourceQuotaStatus> {}

export const ResourceQuota = defineKind({
  group: "", version: "v1", kind: "ResourceQuota", plural: "resourcequotas", namespaced: true,
  shortNames: ["quota"], subresources: ["status"],
  returnDeleted: true,
  definition: "io.k8s.api.core.v1.ResourceQuota",
  doc: "Bounds for what all of a namespace may use together.",
  fields: {
    spec: ResourceQuotaSpec.pb(2).always("{}").doc("The limits."),
    status: ResourceQuotaStatus.pb(3).always("{}").doc("What is used."),
  },
  *rules({ spec, status }, previous, { subresource }) {
    if (subresource === "status") return yield* [...amountProblems(status.hard, "status.hard"), ...amountProblems(status.used, "status.used")];
    yield* amountProblems(spec.hard, "spec.hard");
    yield* scopeProblems(spec);
    if (spec.scopeSelector !== undefined) yield* selectorProblems(spec);
    const [now, before] = [new Set<string>(spec.scopes), new Set<string>(previous?.spec.scopes)];
    if (previous !== undefined && (now.size !== before.size || [...now].some(scope => !before.has(scope)))) yield invalidValue("spec.scopes", spec.scopes ?? null, "field is immutable");
  },
  *warnings({ spec: { hard = {} } }, previous) {
    if (previous !== undefined) return;
    for (const name of ["cpu", "memory", "storage", "ephemeral-storage"]) {
      const request = [`requests.${name}`, ...(name === "cpu" || name === "memory" ? [name] : [])].find(each => hard[each] !== undefined), limit = `limits.${name}`;
      if (request !== undefined && hard[limit] !== undefined && compareQuantities(hard[request]!, hard[limit]) > 0) yield `ResourceQuota ${request} (${hard[request]!}) should be less than ${limit} (${hard[limit]})`;
    }
  },
  columns: [
    nameColumn,
    { name: "Request", type: "string", doc: "What is used and allowed of requests and counts.", cell: ({ status }) => quotaText(status, name => !name.startsWith("limits")) },
    { name: "Limit", type: "string", doc: "What is used and allowed of limits.", cell: ({ status }) => quotaText(status, name => name.startsWith("limits")) },
    ageColumn,
  ],
});
export interface ResourceQuota extends Resource<typeof ResourceQuota> {}

const quotaText = ({ hard = {}, used = {} }: ResourceQuotaStatus, wanted: (name: string) => boolean): string => Object.keys(hard).filter(wanted).sort().map(name => `${name}: ${getOwn(used, name) ?? "0"}/${hard[name]!}`).join(", ");

const objectCounts = ["pods", "resourcequotas", "services", "replicationcontrollers", "secrets", "persistentvolumeclaims", "configmaps", "services.nodeports", "services.loadbalancers"];
const computed = ["cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"];
const counted = new Set([...objectCounts, ...computed, "ephemeral-storage", "requests.storage", "requests.ephemeral-storage", "limits.ephemeral-storage"]);
function* amountProblems(amounts: { readonly [name: string]: string } | undefined, path: string): Iterable<Problem> {
  for (const [name, amount] of Object.entries(amounts ?? {})) {
    const here = `${path}[${name}]`;
    yield* validateAnyResourceName(name, here);
    if (!name.includes("/") && !counted.has(name) && !/^(requests\.|limits\.)?hugepages-/.test(name)) yield invalidValue(here, name, "must be a standard resource for quota");
    if (quantitySign(amount) < 0) yield invalidValue(here, amount, "must be greater than or equal to 0");
    else if ((objectCounts.includes(name) || isExtended(name)) && quantityMilli(amount) % 1000 !== 0) yield invalidValue(here, amount, "must be an integer");
  }
}

const ofPods = ["pods", ...computed];
/** Scopes, and the resources each can be about. */
const scopes = new Map<string, readonly string[]>([
  ["Terminating", ofPods], ["NotTerminating", ofPods], ["NotBestEffort", ofPods], ["PriorityClass", ofPods], ["CrossNamespacePodAffinity", ofPods], ["BestEffort", ["pods"]], ["VolumeAttributesClass", ["persistentvolumeclaims", "requests.storage"]],
]);
const fits = (scope: string, hard: { readonly [name: string]: string } | undefined): boolean => Object.keys(hard ?? {}).filter(name => counted.has(name)).every(name => scopes.get(scope)?.includes(name) ?? true);
const conflicts = (given: ReadonlySet<string>): boolean => (given.has("BestEffort") && given.has("NotBestEffort")) || (given.has("Terminating") && given.has("NotTerminating"));
function* scopeProblems({ scopes: given = [], hard }: ResourceQuotaSpec): Iterable<Problem> {
  for (const scope of given) {
    if (!scopes.has(scope)) yield invalidValue("spec.scopes", given, "unsupported scope");
    if (!fits(scope, hard)) yield invalidValue("spec.scopes", given, "unsupported scope applied to resource");
  }
  if (conflicts(new Set<string>(given))) yield invalidValue("spec.scopes", given, "conflicting scopes");
}
const flags = ["BestEffort", "NotBestEffort", "Terminating", "NotTerminating", "CrossNamespacePodAffinity"];
function* selectorProblems({ scopeSelector, scopes: given = [], hard }: ResourceQuotaSpec): Iterable<Problem> {
  const path = "spec.scopeSelector.matchExpressions";
  const expressions = scopeSelector!.matchExpressions ?? [];
  for (const { scopeName, operator, values = [] } of expressions) {
    if (!scopes.has(scopeName)) yield invalidValue(`${path}.scopeName`, scopeName, "unsupported scope");
    if (!fits(scopeName, hard)) yield invalidValue(path, scopeSelector, "unsupported scope applied to resource");
    if (flags.includes(scopeName) && operator !== "Exists") yield invalidValue(`${path}.operator`, operator, "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity");
    if (operator === "In" || operator === "NotIn") {
      if (values.length === 0) yield required(`${path}.values`, "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector");
    } else if (operator === "Exists" || operator === "DoesNotExist") {
      if (values.length > 0) yield invalidValue(`${path}.values`, values, "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector");
    } else yield invalidValue(`${path}.operator`, operator, "not a valid selector operator");
  }
  if (conflicts(new Set<string>(expressions.map(({ scopeName }) => scopeName)))) yield invalidValue("spec.scopes", given, "conflicting scopes");
}
