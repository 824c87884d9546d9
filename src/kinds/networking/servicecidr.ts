import { Condition } from "../meta/condition.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { parseCidr } from "../../base/ip.ts";
import { invalidValue, required, type Problem } from "../../schema/problem.ts";
import { validateCanonicalCidr } from "../core/iprules.ts";
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

/** pkg/apis/networking/validation validateServiceCIDRSpec. */
function* specRules(cidrs: readonly string[]): Iterable<Problem> {
  if (cidrs.length === 0) return yield required("spec.cidrs", "at least one CIDR required");
  if (cidrs.length > 2) return yield invalidValue("spec.cidrs", { CIDRs: [...cidrs] }, "may only hold up to 2 values");
  for (const [i, range] of cidrs.entries()) yield* validateCanonicalCidr(range, `spec.cidrs[${i}]`);
  const [one, two] = cidrs.map(range => parseCidr(range)?.family);
  if (one !== undefined && one === two) yield invalidValue("spec.cidrs", [...cidrs], "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64");
}

export const ServiceCIDR = defineKind({
  group: "networking.k8s.io", version: "v1", kind: "ServiceCIDR", plural: "servicecidrs", namespaced: false,
  statusAlone: true,
  subresources: ["status"],
  definition: "io.k8s.api.networking.v1.ServiceCIDR",
  doc: "Ranges from which services get their addresses.",
  fields: {
    spec: ServiceCIDRSpec.pb(2).always("{}").doc("The addresses."),
    status: ServiceCIDRStatus.pb(3).always("{}").doc("Whether they are in use."),
  },
  *rules(next, previous) {
    const [cidrs, before] = [next.spec.cidrs ?? [], previous?.spec.cidrs ?? []];
    const immutable = (i: number) => invalidValue(`spec.cidrs[${i}]`, cidrs[i] ?? null, "field is immutable");
    if (previous === undefined) yield* specRules(cidrs);
    else if (cidrs.length === before.length) {
      for (const [i, range] of before.entries()) if (range !== cidrs[i]) yield immutable(i);
    } else if (before.length === 1 && cidrs.length === 2) {
      // A second family may join.
      if (cidrs[0] !== before[0]) yield immutable(0);
      yield* specRules(cidrs);
    } else yield invalidValue("spec.cidrs", next.spec.cidrs ?? null, "field is immutable");
  },
  columns: [nameColumn, { name: "CIDRs", type: "string", doc: "The ranges.", cell: ({ spec }) => (spec.cidrs ?? []).join(",") }, ageColumn],
});
export interface ServiceCIDR extends Resource<typeof ServiceCIDR> {}
