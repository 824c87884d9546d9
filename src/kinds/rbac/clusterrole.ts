import { LabelSelector } from "../meta/labelselector.ts";
import { PolicyRule } from "./types.ts";
import { createdAtColumn, nameColumn } from "../columns.ts";
import { roleRules } from "./rules.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const AggregationRule = t.object("io.k8s.api.rbac.v1.AggregationRule", {
  clusterRoleSelectors: t.list(LabelSelector).pb(1).doc("Cluster roles whose rules are taken over, by their labels."),
});
export interface AggregationRule extends t.Stored<typeof AggregationRule> {}

export const ClusterRole = defineKind({
  group: "rbac.authorization.k8s.io", version: "v1", kind: "ClusterRole", plural: "clusterroles", namespaced: false,
  createOnUpdate: true,
  definition: "io.k8s.api.rbac.v1.ClusterRole",
  doc: "Permissions in the whole cluster, or for use in any namespace.",
  fields: {
    aggregationRule: AggregationRule.pb(3).doc("Where the rules are gathered from; they are then written by the server."),
    rules: t.list(PolicyRule).pb(2).always("[]").doc("What may be done."),
  },
  nameGrammar: "path-segment",
  rules: next => roleRules(next, false),
  columns: [nameColumn, createdAtColumn],
});
export interface ClusterRole extends Resource<typeof ClusterRole> {}
