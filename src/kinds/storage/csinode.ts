import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const VolumeNodeResources = t.object("io.k8s.api.storage.v1.VolumeNodeResources", {
  count: t.int32().pb(1).pointer().doc("How many volumes of the driver the node may have."),
});
export interface VolumeNodeResources extends t.Stored<typeof VolumeNodeResources> {}

export const CSINodeDriver = t.object("io.k8s.api.storage.v1.CSINodeDriver", {
  allocatable: VolumeNodeResources.pb(4).doc("How much of the driver the node may have."),
  name: t.string().pb(1).required().always("zero").doc("Name of the driver."),
  nodeID: t.string().pb(2).required().always("zero").doc("What the driver calls the node."),
  topologyKeys: t.list(t.string()).pb(3).always("[]").doc("Labels of nodes that say from where volumes can be reached."),
});
export interface CSINodeDriver extends t.Stored<typeof CSINodeDriver> {}

export const CSINodeSpec = t.object("io.k8s.api.storage.v1.CSINodeSpec", {
  drivers: t.listBy(CSINodeDriver, "name").pb(1).required().always("[]").mergeBy("name").doc("Drivers on the node."),
});
export interface CSINodeSpec extends t.Stored<typeof CSINodeSpec> {}

export const CSINode = defineKind({
  group: "storage.k8s.io", version: "v1", kind: "CSINode", plural: "csinodes", namespaced: false,
  returnDeleted: true,
  definition: "io.k8s.api.storage.v1.CSINode",
  doc: "Storage drivers of a node.",
  fields: {
    spec: CSINodeSpec.pb(2).required().always("{}").doc("Drivers on the node."),
  },
  columns: [nameColumn, { name: "Drivers", type: "integer", doc: "Number of drivers.", cell: ({ spec }) => spec.drivers.length }, ageColumn],
});
export interface CSINode extends Resource<typeof CSINode> {}
