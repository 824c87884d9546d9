import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const ContainerMetrics = t.object("io.k8s.metrics.pkg.apis.metrics.v1beta1.ContainerMetrics", {
  name: t.string().pb(1).required().always("zero").doc("The container."),
  usage: t.map(t.quantity()).pb(2).required().always("{}").doc("What it uses of each resource: cpu over the window, memory at its end."),
});
export interface ContainerMetrics extends t.Stored<typeof ContainerMetrics> {}

export const PodMetrics = defineKind({
  group: "metrics.k8s.io", version: "v1beta1", kind: "PodMetrics", plural: "pods", singular: "", namespaced: true,
  verbs: ["get", "list"], virtual: true,
  definition: "io.k8s.metrics.pkg.apis.metrics.v1beta1.PodMetrics",
  doc: "What the containers of a pod use, measured when somebody asks.",
  fields: {
    timestamp: t.time().pb(2).required().always("null").doc("End of the time in which it was measured."),
    window: t.duration().pb(3).required().always("zero").doc("How long it was measured."),
    containers: t.list(ContainerMetrics).pb(4).required().always("[]").doc("Each running container."),
  },
  columns: [
    nameColumn,
    { name: "Cpu", type: "string", doc: "Processors used by the first container.", cell: ({ containers }) => containers[0]?.usage["cpu"] ?? "" },
    { name: "Memory", type: "string", doc: "Memory used by the first container.", cell: ({ containers }) => containers[0]?.usage["memory"] ?? "" },
    { name: "Window", type: "string", doc: "How long it was measured.", cell: ({ window }) => window },
    ageColumn,
  ],
});
export interface PodMetrics extends Resource<typeof PodMetrics> {}
