import { ageColumn, nameColumn } from "../columns.ts";
import { sameJson } from "../../base/json.ts";
import { quantitySign } from "../../base/quantity.ts";
import { qualifiedName } from "../../schema/grammar.ts";
import { invalidValue } from "../../schema/problem.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const ScopedResourceSelectorRequirement = t.object("io.k8s.api.core.v1.ScopedResourceSelectorRequirement", {
  operator: t.oneOf("DoesNotExist", "Exists", "In", "NotIn").pb(2).required().always("zero").doc("How the scope is compared: In, NotIn, Exists or DoesNotExist."),
  scopeName: t.oneOf("BestEffort", "CrossNamespacePodAffinity", "NotBestEffort", "NotTerminating", "PriorityClass", "Terminating", "VolumeAttributesClass").pb(1).required().always("zero").doc("The scope, such as PriorityClass."),
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
  scopes: t.list(t.oneOf("BestEffort", "CrossNamespacePodAffinity", "NotBestEffort", "NotTerminating", "PriorityClass", "Terminating", "VolumeAttributesClass")).pb(2).doc("Which objects count, by scope."),
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
  *rules(next, previous) {
    for (const list of ["hard"] as const) for (const [name, amount] of Object.entries(next.spec[list] ?? {})) if (quantitySign(amount) < 0) yield invalidValue(`spec.${list}[${name}]`, amount, "must be greater than or equal to 0");
    for (const name of Object.keys(next.spec.hard ?? {})) for (const detail of qualifiedName(name)) yield invalidValue(`spec.hard[${name}]`, name, detail);
    if (previous !== undefined && !sameJson(new Set(next.spec.scopes).size, new Set(previous.spec.scopes).size)) yield invalidValue("spec.scopes", next.spec.scopes ?? null, "field is immutable");
  },
  columns: [
    nameColumn,
    { name: "Request", type: "string", doc: "What is used and allowed of requests and counts.", cell: ({ status }) => quotaText(status, name => !name.startsWith("limits")) },
    { name: "Limit", type: "string", doc: "What is used and allowed of limits.", cell: ({ status }) => quotaText(status, name => name.startsWith("limits")) },
    ageColumn,
  ],
});
export interface ResourceQuota extends Resource<typeof ResourceQuota> {}

const quotaText = ({ hard = {}, used = {} }: ResourceQuotaStatus, wanted: (name: string) => boolean): string => Object.keys(hard).filter(wanted).sort().map(name => `${name}: ${used[name] ?? "0"}/${hard[name]!}`).join(", ");
