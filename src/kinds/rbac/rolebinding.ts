import { defaultSubjects, RoleRef, Subject, subjectNames } from "./types.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { bindingRules } from "./rules.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const RoleBinding = defineKind({
  group: "rbac.authorization.k8s.io", version: "v1", kind: "RoleBinding", plural: "rolebindings", namespaced: true,
  createOnUpdate: true,
  definition: "io.k8s.api.rbac.v1.RoleBinding",
  doc: "Gives a role's permissions to subjects in one namespace.",
  fields: {
    roleRef: RoleRef.pb(3).required().always("{}").doc("The role that is given."),
    subjects: t.list(Subject).pb(2).doc("Who gets it."),
  },
  nameGrammar: "path-segment",
  defaults: defaultSubjects,
  rules: (next, previous) => bindingRules(next, previous, ["Role", "ClusterRole"]),
  columns: [
    nameColumn,
    { name: "Role", type: "string", doc: "The role that is bound.", cell: ({ roleRef }) => `${roleRef.kind}/${roleRef.name}` },
    ageColumn,
    { name: "Users", type: "string", priority: 1, doc: "Users it is bound to.", cell: ({ subjects }) => subjectNames(subjects, "User") },
    { name: "Groups", type: "string", priority: 1, doc: "Groups it is bound to.", cell: ({ subjects }) => subjectNames(subjects, "Group") },
    { name: "ServiceAccounts", type: "string", priority: 1, doc: "Service accounts it is bound to.", cell: ({ subjects }) => subjectNames(subjects, "ServiceAccount") },
  ],
});
export interface RoleBinding extends Resource<typeof RoleBinding> {}
