import { ageColumn, nameColumn } from "../columns.ts";
import { invalidValue } from "../../schema/problem.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const LeaseSpec = t.object("io.k8s.api.coordination.v1.LeaseSpec", {
  acquireTime: t.microTime().pb(3).pointer().doc("When the holder got the lease."),
  holderIdentity: t.string().pb(1).pointer().doc("Who holds it."),
  leaseDurationSeconds: t.int32().pb(2).pointer().doc("How long it holds without being renewed."),
  leaseTransitions: t.int32().pb(5).pointer().doc("How often the holder has changed."),
  preferredHolder: t.string().pb(7).pointer().doc("Who should hold it instead."),
  renewTime: t.microTime().pb(4).pointer().doc("When it was last renewed."),
  strategy: t.string().pb(6).pointer().doc("How the holder is chosen."),
});
export interface LeaseSpec extends t.Stored<typeof LeaseSpec> {}

export const Lease = defineKind({
  group: "coordination.k8s.io", version: "v1", kind: "Lease", plural: "leases", namespaced: true,
  conditionalUpdate: true,
  createOnUpdate: true,
  definition: "io.k8s.api.coordination.v1.Lease",
  doc: "A claim that its holder renews: who leads, and which nodes live.",
  fields: {
    spec: LeaseSpec.pb(2).always("{}").doc("Who holds the lease, and until when."),
  },
  // Behind a feature gate that is off in 1.36.
  prepare({ spec }) {
    delete spec.strategy;
    delete spec.preferredHolder;
  },
  *rules({ spec }) {
    if (spec.leaseDurationSeconds !== undefined && spec.leaseDurationSeconds <= 0) yield invalidValue("spec.leaseDurationSeconds", spec.leaseDurationSeconds, "must be greater than 0");
    if (spec.leaseTransitions !== undefined && spec.leaseTransitions < 0) yield invalidValue("spec.leaseTransitions", spec.leaseTransitions, "must be greater than or equal to 0");
  },
  columns: [
    nameColumn,
    { name: "Holder", type: "string", doc: "Who holds the lease.", cell: ({ spec }) => spec.holderIdentity ?? "" },
    ageColumn,
  ],
});
export interface Lease extends Resource<typeof Lease> {}
