import { RoleRef, Subject } from "./types.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const RoleBinding = defineKind({
  group: "rbac.authorization.k8s.io", version: "v1", kind: "RoleBinding", plural: "rolebindings", namespaced: true,
  definition: "io.k8s.api.rbac.v1.RoleBinding",
  doc: "",
  fields: {
    roleRef: RoleRef.pb(3).required().always("{}"),
    subjects: t.list(Subject).pb(2),
  },
});
export interface RoleBinding extends Resource<typeof RoleBinding> {}
