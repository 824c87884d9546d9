import { LabelSelector } from "../meta/labelselector.ts";
import { createdAtColumn, nameColumn } from "../columns.ts";
import { oldLabels, oldLabelsIn } from "../core/podwarnings.ts";
import { defineKind, type Resource } from "../kind.ts";
import { invalidValue } from "../../schema/problem.ts";
import { dnsSubdomain } from "../../schema/grammar.ts";
import { validateLabelSelector } from "../meta/rules.ts";
import { sameJson } from "../../base/json.ts";
import { quantitySign } from "../../base/quantity.ts";
import * as t from "../../schema/t.ts";

export const CSIStorageCapacity = defineKind({
  group: "storage.k8s.io", version: "v1", kind: "CSIStorageCapacity", plural: "csistoragecapacities", namespaced: true,
  conditionalUpdate: true,
  definition: "io.k8s.api.storage.v1.CSIStorageCapacity",
  doc: "Free space of a storage class in one place.",
  fields: {
    capacity: t.quantity().pb(4).pointer().doc("How much room there is."),
    maximumVolumeSize: t.quantity().pb(5).pointer().doc("How big one volume may be."),
    nodeTopology: LabelSelector.pb(2).doc("Nodes that it is about, by their labels."),
    storageClassName: t.string().pb(3).required().always("zero").doc("Storage class that it is about."),
  },
  *rules(next, previous) {
    for (const detail of dnsSubdomain(next.storageClassName)) yield invalidValue("storageClassName", next.storageClassName, detail);
    if (next.nodeTopology !== undefined) yield* validateLabelSelector(next.nodeTopology, "nodeTopology");
    if (next.capacity !== undefined && quantitySign(next.capacity) < 0) yield invalidValue("capacity", next.capacity, "must be greater than or equal to 0");
    if (previous === undefined) return;
    for (const name of ["nodeTopology", "storageClassName"] as const) if (!sameJson(next[name], previous[name])) yield invalidValue(name, next[name] ?? null, "field is immutable");
  },
  *warnings({ nodeTopology }) {
    yield* oldLabelsIn(nodeTopology?.matchExpressions, "nodeTopology");
    for (const label of Object.keys(nodeTopology?.matchLabels ?? {})) if (oldLabels.has(label)) yield `nodeTopology.matchLabels.${label}: ${oldLabels.get(label)!}`;
  },
  columns: [nameColumn, createdAtColumn],
});
export interface CSIStorageCapacity extends Resource<typeof CSIStorageCapacity> {}
