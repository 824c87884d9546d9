import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind, type Resource } from "../kind.ts";
import { goValue } from "../../schema/go-value.ts";
import { duplicate, invalidValue, required } from "../../schema/problem.ts";
import { qualifiedName } from "../../schema/grammar.ts";
import { validateDriverName } from "../core/volumesourcerules.ts";
import { sameJson } from "../../base/json.ts";
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

const nodeIdMax = 256;

export const CSINode = defineKind({
  group: "storage.k8s.io", version: "v1", kind: "CSINode", plural: "csinodes", namespaced: false,
  conditionalUpdate: true,
  returnDeleted: true,
  definition: "io.k8s.api.storage.v1.CSINode",
  doc: "Storage drivers of a node.",
  fields: {
    spec: CSINodeSpec.pb(2).required().always("{}").doc("Drivers on the node."),
  },
  *rules({ spec }, previous) {
    const names = new Set<string>();
    for (const [i, driver] of spec.drivers.entries()) {
      const here = `spec.drivers[${i}]`;
      yield* validateDriverName(driver.name, `${here}.name`);
      if (driver.nodeID === "") yield required(`${here}.nodeID`);
      else if (driver.nodeID.length > nodeIdMax) yield invalidValue(`${here}.nodeID`, driver.nodeID, `must be ${nodeIdMax} characters or less`);
      const count = driver.allocatable?.count;
      if (count !== undefined && count < 0) yield invalidValue(`${here}.allocatable.count`, count, "must be greater than or equal to 0");
      if (names.has(driver.name)) yield duplicate(`${here}.name`, driver.name);
      names.add(driver.name);
      const keys = driver.topologyKeys ?? [];
      for (const [j, key] of keys.entries()) {
        if (key === "") yield required(here);
        if (keys.indexOf(key) < j) yield duplicate(here, key);
        for (const detail of qualifiedName(key)) yield invalidValue(here, key, detail);
      }
      const before = previous?.spec.drivers.find(({ name }) => name === driver.name);
      if (before !== undefined && !sameJson({ ...driver, allocatable: undefined }, { ...before, allocatable: undefined })) yield invalidValue("spec.drivers", goValue(CSINodeSpec.node.fields!["drivers"]!.items!, { ...driver, allocatable: undefined }), "field is immutable");
    }
  },
  columns: [nameColumn, { name: "Drivers", type: "integer", doc: "Number of drivers.", cell: ({ spec }) => spec.drivers.length }, ageColumn],
});
export interface CSINode extends Resource<typeof CSINode> {}
