import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const NodeMetrics = defineKind({
  group: "metrics.k8s.io", version: "v1beta1", kind: "NodeMetrics", plural: "nodes", singular: "", namespaced: false,
  verbs: ["get", "list"], virtual: true,
  definition: "io.k8s.metrics.pkg.apis.metrics.v1beta1.NodeMetrics",
  doc: "What a node uses, measured when somebody asks.",
  fields: {
    timestamp: t.time().pb(2).required().always("null").doc("End of the time in which it was measured."),
    window: t.duration().pb(3).required().always("zero").doc("How long it was measured."),
    usage: t.map(t.quantity()).pb(4).required().always("{}").doc("What it uses of each resource: cpu over the window, memory at its end."),
  },
  columns: [
    nameColumn,
    { name: "Cpu", type: "string", doc: "Processors used.", cell: ({ usage }) => usage["cpu"] ?? "" },
    { name: "Memory", type: "string", doc: "Memory used.", cell: ({ usage }) => usage["memory"] ?? "" },
    { name: "Window", type: "string", doc: "How long it was measured.", cell: ({ window }) => window },
    ageColumn,
  ],
});
export interface NodeMetrics extends Resource<typeof NodeMetrics> {}
