import { LocalObjectReference, ObjectReference } from "./references.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

/** Pods of such an account may only use its own secrets. */
export const enforceMountable = "kubernetes.io/enforce-mountable-secrets";

export const ServiceAccount = defineKind({
  group: "", version: "v1", kind: "ServiceAccount", plural: "serviceaccounts", namespaced: true,
  shortNames: ["sa"], subresources: ["token"],
  returnDeleted: true,
  definition: "io.k8s.api.core.v1.ServiceAccount",
  doc: "An identity for the processes in pods.",
  fields: {
    automountServiceAccountToken: t.bool().pb(4).pointer().doc("Whether pods get its token, where they say nothing else."),
    imagePullSecrets: t.list(LocalObjectReference).pb(3).doc("Secrets with credentials for pulling images of its pods."),
    secrets: t.listBy(ObjectReference, "name").pb(2).mergeBy("name").doc("Secrets that its pods may use."),
  },
  prepare(next) {
    if (next.secrets !== undefined) next.secrets = next.secrets.map(({ name }: { name?: string }) => (name === undefined ? {} : { name }));
  },
  *warnings({ metadata }, previous) {
    if (metadata.annotations?.[enforceMountable] !== undefined && previous?.metadata.annotations?.[enforceMountable] === undefined) yield `metadata.annotations[${enforceMountable}]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets`;
  },
  columns: [
    nameColumn,
    ageColumn,
  ],
});
export interface ServiceAccount extends Resource<typeof ServiceAccount> {}
