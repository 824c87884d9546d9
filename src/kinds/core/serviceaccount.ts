import { LocalObjectReference, ObjectReference } from "./references.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const ServiceAccount = defineKind({
  group: "", version: "v1", kind: "ServiceAccount", plural: "serviceaccounts", namespaced: true,
  shortNames: ["sa"], subresources: ["token"],
  definition: "io.k8s.api.core.v1.ServiceAccount",
  doc: "",
  fields: {
    automountServiceAccountToken: t.bool().pb(4).pointer(),
    imagePullSecrets: t.list(LocalObjectReference).pb(3),
    secrets: t.listBy(ObjectReference, "name").pb(2).mergeBy("name"),
  },
});
export interface ServiceAccount extends Resource<typeof ServiceAccount> {}
