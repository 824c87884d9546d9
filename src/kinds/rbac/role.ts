import { PolicyRule } from "./types.ts";
import { createdAtColumn, nameColumn } from "../columns.ts";
import { roleRules } from "./rules.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const Role = defineKind({
  group: "rbac.authorization.k8s.io", version: "v1", kind: "Role", plural: "roles", namespaced: true,
  createOnUpdate: true,
  definition: "io.k8s.api.rbac.v1.Role",
  doc: "Permissions inside one namespace.",
  fields: {
    rules: t.list(PolicyRule).pb(2).always("[]").doc("What may be done."),
  },
  nameGrammar: "path-segment",
  rules: next => roleRules(next, true),
  columns: [nameColumn, createdAtColumn],
});
export interface Role extends Resource<typeof Role> {}
