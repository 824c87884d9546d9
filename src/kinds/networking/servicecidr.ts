import { Condition } from "../meta/condition.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { sameJson } from "../../base/json.ts";
import { invalidValue, required } from "../../schema/problem.ts";
import { validateCidr } from "../core/iprules.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const ServiceCIDRSpec = t.object("io.k8s.api.networking.v1.ServiceCIDRSpec", {
  cidrs: t.list(t.string()).pb(1).doc("Ranges of addresses for services, one per address family."),
});
export interface ServiceCIDRSpec extends t.Stored<typeof ServiceCIDRSpec> {}

export const ServiceCIDRStatus = t.object("io.k8s.api.networking.v1.ServiceCIDRStatus", {
  conditions: t.listBy(Condition, "type").pb(1).mergeBy("type").doc("What is known about the object, one entry per aspect."),
});
export interface ServiceCIDRStatus extends t.Stored<typeof ServiceCIDRStatus> {}

export const ServiceCIDR = defineKind({
  group: "networking.k8s.io", version: "v1", kind: "ServiceCIDR", plural: "servicecidrs", namespaced: false,
  subresources: ["status"],
  definition: "io.k8s.api.networking.v1.ServiceCIDR",
  doc: "Ranges from which services get their addresses.",
  fields: {
    spec: ServiceCIDRSpec.pb(2).always("{}").doc("The addresses."),
    status: ServiceCIDRStatus.pb(3).always("{}").doc("Whether they are in use."),
  },
  *rules(next, previous) {
    if ((next.spec.cidrs ?? []).length === 0) yield required("spec.cidrs", "at least one CIDR required");
    for (const [i, range] of (next.spec.cidrs ?? []).entries()) yield* validateCidr(range, `spec.cidrs[${i}]`);
    if (previous !== undefined && !sameJson(next.spec.cidrs, previous.spec.cidrs)) yield invalidValue("spec.cidrs", next.spec.cidrs ?? null, "field is immutable");
  },
  columns: [nameColumn, { name: "CIDRs", type: "string", doc: "The ranges.", cell: ({ spec }) => (spec.cidrs ?? []).join(",") }, ageColumn],
});
export interface ServiceCIDR extends Resource<typeof ServiceCIDR> {}
