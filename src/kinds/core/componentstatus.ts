import { nameColumn } from "../columns.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const ComponentCondition = t.object("io.k8s.api.core.v1.ComponentCondition", {
  error: t.string().pb(4).doc("Code of the error, if there was one."),
  message: t.string().pb(3).doc("The same for people, in a sentence."),
  status: t.string().pb(2).required().always("zero").doc("Whether it holds: True, False, or Unknown."),
  type: t.string().pb(1).required().always("zero").doc("Which aspect this is about."),
});
export interface ComponentCondition extends t.Stored<typeof ComponentCondition> {}

export const ComponentStatus = defineKind({
  group: "", version: "v1", kind: "ComponentStatus", plural: "componentstatuses", namespaced: false,
  shortNames: ["cs"], verbs: ["get", "list"], deprecated: "v1 ComponentStatus is deprecated in v1.19+",
  definition: "io.k8s.api.core.v1.ComponentStatus",
  doc: "Health of a part of the control plane; no longer used.",
  fields: {
    conditions: t.listBy(ComponentCondition, "type").pb(2).mergeBy("type").doc("What was found out about the component."),
  },
  columns: [
    nameColumn,
    { name: "Status", type: "string", doc: "Whether it is healthy.", cell: ({ conditions }) => { const healthy = conditions?.find(({ type }) => type === "Healthy"); return healthy === undefined ? "Unknown" : healthy.status === "True" ? "Healthy" : "Unhealthy"; } },
    { name: "Message", type: "string", doc: "What it says.", cell: ({ conditions }) => conditions?.find(({ type }) => type === "Healthy")?.message ?? "" },
    { name: "Error", type: "string", doc: "What went wrong.", cell: ({ conditions }) => conditions?.find(({ type }) => type === "Healthy")?.error ?? "" },
  ],
});
export interface ComponentStatus extends Resource<typeof ComponentStatus> {}
