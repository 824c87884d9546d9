import { DeleteOptions } from "../meta/deleteoptions.ts";
import { defineKind, type Resource } from "../kind.ts";

export const Eviction = defineKind({
  group: "policy", version: "v1", kind: "Eviction", plural: "evictions", namespaced: true,
  verbs: ["create"], virtual: true, subresourceOnly: true,
  definition: "io.k8s.api.policy.v1.Eviction",
  doc: "Asks that a pod be deleted if disruption budgets allow it.",
  fields: {
    deleteOptions: DeleteOptions.pb(2).doc("How the pod is deleted."),
  },

});
export interface Eviction extends Resource<typeof Eviction> {}
