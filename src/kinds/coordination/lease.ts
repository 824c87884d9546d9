import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const LeaseSpec = t.object("io.k8s.api.coordination.v1.LeaseSpec", {
  acquireTime: t.microTime().pb(3).pointer(),
  holderIdentity: t.string().pb(1).pointer(),
  leaseDurationSeconds: t.int32().pb(2).pointer(),
  leaseTransitions: t.int32().pb(5).pointer(),
  preferredHolder: t.string().pb(7).pointer(),
  renewTime: t.microTime().pb(4).pointer(),
  strategy: t.string().pb(6).pointer(),
});
export interface LeaseSpec extends t.Stored<typeof LeaseSpec> {}

export const Lease = defineKind({
  group: "coordination.k8s.io", version: "v1", kind: "Lease", plural: "leases", namespaced: true,
  definition: "io.k8s.api.coordination.v1.Lease",
  doc: "",
  fields: {
    spec: LeaseSpec.pb(2).always("{}"),
  },
});
export interface Lease extends Resource<typeof Lease> {}
