import { invalidValue } from "../../schema/problem.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind, type Column, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const ScaleSpec = t.object("io.k8s.api.autoscaling.v1.ScaleSpec", {
  replicas: t.int32().pb(1).default(0, "published").doc("How many are wanted."),
});
export interface ScaleSpec extends t.Stored<typeof ScaleSpec> {}

export const ScaleStatus = t.object("io.k8s.api.autoscaling.v1.ScaleStatus", {
  replicas: t.int32().pb(1).required().always("zero").doc("How many there are."),
  selector: t.string().pb(2).doc("Labels of the pods that are counted, as text."),
});
export interface ScaleStatus extends t.Stored<typeof ScaleStatus> {}

const sizes: readonly Column<{ readonly spec: ScaleSpec; readonly status: ScaleStatus }>[] = [
  { name: "Desired", type: "integer", doc: "How many are wanted.", cell: ({ spec }) => spec.replicas ?? 0 },
  { name: "Available", type: "integer", doc: "How many there are.", cell: ({ status }) => status.replicas },
];

export const Scale = defineKind({
  group: "autoscaling", version: "v1", kind: "Scale", plural: "scales", namespaced: true,
  verbs: ["create"], virtual: true, subresourceOnly: true,
  definition: "io.k8s.api.autoscaling.v1.Scale",
  doc: "The number of replicas of an object, wanted and actual.",
  fields: {
    spec: ScaleSpec.pb(2).always("{}").doc("How many are wanted."),
    status: ScaleStatus.pb(3).always("{}").doc("How many there are."),
  },

  *rules({ spec }) {
    if (spec.replicas < 0) yield invalidValue("spec.replicas", spec.replicas, "must be greater than or equal to 0");
  },
  // Quirk: the name's column is not marked as one (pkg/printers/internalversion scaleColumnDefinitions).
  columns: [{ ...nameColumn, format: "" }, ...sizes, ageColumn],
});
export interface Scale extends Resource<typeof Scale> {}

/** The Scale of a custom resource is shown in columns of its own (apiextensions pkg/registry/customresource etcd.go). */
export const CustomScale = { ...Scale, columns: [nameColumn, ...sizes, { ...ageColumn, type: "date" as const }] };
