import { NodeSelector } from "../core/references.ts";
import { sliceProblems } from "./slicerules.ts";
import { DeviceTaint } from "./types.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const DeviceAttribute = t.object("io.k8s.api.resource.v1.DeviceAttribute", {
  bool: t.bool().pb(3).pointer().doc("A truth value."),
  bools: t.list(t.bool()).pb(7).doc("Several truth values."),
  int: t.int64().pb(2).pointer().doc("A number."),
  ints: t.list(t.int64()).pb(6).doc("Several numbers."),
  string: t.string().pb(4).pointer().doc("A text."),
  strings: t.list(t.string()).pb(8).doc("Several texts."),
  version: t.string().pb(5).pointer().doc("A semantic version."),
  versions: t.list(t.string()).pb(9).doc("Several semantic versions."),
});
export interface DeviceAttribute extends t.Stored<typeof DeviceAttribute> {}

export const CapacityRequestPolicyRange = t.object("io.k8s.api.resource.v1.CapacityRequestPolicyRange", {
  max: t.quantity().pb(2).pointer().doc("The most that may be asked for."),
  min: t.quantity().pb(1).pointer().required().doc("The least that may be asked for."),
  step: t.quantity().pb(3).pointer().doc("By what amounts above that."),
});
export interface CapacityRequestPolicyRange extends t.Stored<typeof CapacityRequestPolicyRange> {}

export const CapacityRequestPolicy = t.object("io.k8s.api.resource.v1.CapacityRequestPolicy", {
  default: t.quantity().pb(1).pointer().always("null").doc("What is taken when nothing is asked for."),
  validRange: CapacityRequestPolicyRange.pb(4).doc("What may be asked for, as a range."),
  validValues: t.list(t.quantity()).pb(3).doc("What may be asked for, one by one."),
});
export interface CapacityRequestPolicy extends t.Stored<typeof CapacityRequestPolicy> {}

export const DeviceCapacity = t.object("io.k8s.api.resource.v1.DeviceCapacity", {
  requestPolicy: CapacityRequestPolicy.pb(2).doc("How it can be asked for in parts."),
  value: t.quantity().pb(1).required().always("zero").doc("How much there is."),
});
export interface DeviceCapacity extends t.Stored<typeof DeviceCapacity> {}

export const Counter = t.object("io.k8s.api.resource.v1.Counter", {
  value: t.quantity().pb(1).required().always("zero").doc("How much there is."),
});
export interface Counter extends t.Stored<typeof Counter> {}

export const DeviceCounterConsumption = t.object("io.k8s.api.resource.v1.DeviceCounterConsumption", {
  counterSet: t.string().pb(1).required().always("zero").doc("The counters that the device takes from."),
  counters: t.map(Counter).pb(2).required().doc("How much it takes, by counter."),
});
export interface DeviceCounterConsumption extends t.Stored<typeof DeviceCounterConsumption> {}

export const NodeAllocatableResourceMapping = t.object("io.k8s.api.resource.v1.NodeAllocatableResourceMapping", {
  allocationMultiplier: t.quantity().pb(2).pointer().doc("What the amount is multiplied by."),
  capacityKey: t.string().pb(1).pointer().doc("Capacity of the device that the amount comes from."),
});
export interface NodeAllocatableResourceMapping extends t.Stored<typeof NodeAllocatableResourceMapping> {}

export const Device = t.object("io.k8s.api.resource.v1.Device", {
  allNodes: t.bool().pb(7).pointer().doc("Whether every node can use it."),
  allowMultipleAllocations: t.bool().pb(12).pointer().doc("Whether it can be given several times at once."),
  attributes: t.map(DeviceAttribute).pb(2).doc("What it is like, by name."),
  bindingConditions: t.list(t.string()).pb(10).doc("What has to be true of it before a pod is bound."),
  bindingFailureConditions: t.list(t.string()).pb(11).doc("What ends the attempt."),
  bindsToNode: t.bool().pb(9).pointer().doc("Whether it stays with the node that was chosen."),
  capacity: t.map(DeviceCapacity).pb(3).doc("How much it has, by name."),
  consumesCounters: t.list(DeviceCounterConsumption).pb(4).doc("What it takes from counters that devices share."),
  name: t.string().pb(1).required().always("zero").doc("Name of the device, unique in its pool."),
  nodeAllocatableResourceMappings: t.map(NodeAllocatableResourceMapping).pb(13).doc("What it takes of the node's resources, by resource."),
  nodeName: t.string().pb(5).pointer().doc("The node that can use it."),
  nodeSelector: NodeSelector.pb(6).doc("Nodes that can use it."),
  taints: t.list(DeviceTaint).pb(8).doc("What keeps it from being given to those that do not tolerate it."),
});
export interface Device extends t.Stored<typeof Device> {}

export const ResourcePool = t.object("io.k8s.api.resource.v1.ResourcePool", {
  generation: t.int64().pb(2).required().always("zero").doc("Which of the pool's versions this is; the highest counts."),
  name: t.string().pb(1).required().always("zero").doc("Name of the pool."),
  resourceSliceCount: t.int64().pb(3).required().always("zero").doc("How many slices the pool has in this version."),
});
export interface ResourcePool extends t.Stored<typeof ResourcePool> {}

export const CounterSet = t.object("io.k8s.api.resource.v1.CounterSet", {
  counters: t.map(Counter).pb(2).required().doc("How much there is, by counter."),
  name: t.string().pb(1).required().always("zero").doc("Name of the set."),
});
export interface CounterSet extends t.Stored<typeof CounterSet> {}

export const ResourceSliceSpec = t.object("io.k8s.api.resource.v1.ResourceSliceSpec", {
  allNodes: t.bool().pb(5).pointer().doc("Whether every node can use the devices."),
  devices: t.list(Device).pb(6).doc("The devices."),
  driver: t.string().pb(1).required().always("zero").doc("Driver of the devices."),
  nodeName: t.string().pb(3).pointer().doc("The node that can use the devices."),
  nodeSelector: NodeSelector.pb(4).doc("Nodes that can use the devices."),
  perDeviceNodeSelection: t.bool().pb(7).pointer().doc("Whether each device says itself who can use it."),
  pool: ResourcePool.pb(2).required().always("{}").doc("Pool that the devices are in."),
  sharedCounters: t.list(CounterSet).pb(8).doc("Counters that the devices share."),
});
export interface ResourceSliceSpec extends t.Stored<typeof ResourceSliceSpec> {}

export const ResourceSlice = defineKind({
  group: "resource.k8s.io", version: "v1", kind: "ResourceSlice", plural: "resourceslices", namespaced: false,
  generation: true, returnDeleted: true,
  definition: "io.k8s.api.resource.v1.ResourceSlice",
  doc: "Devices that a driver offers.",
  fields: {
    spec: ResourceSliceSpec.pb(2).required().always("{}").doc("Devices of one driver, and who can use them."),
  },
  // Fields of features that are off in 1.36 are dropped, as upstream drops them (DRAListTypeAttributes, DRANodeAllocatableResources).
  prepare(next) {
    for (const device of next.spec.devices ?? []) {
      delete device.nodeAllocatableResourceMappings;
      for (const attribute of Object.values<any>(device.attributes ?? {})) for (const field of ["bools", "ints", "strings", "versions"]) delete attribute[field];
    }
  },
  rules: ({ spec }, previous) => sliceProblems(spec, previous?.spec),
  unselectable: field => `field label not supported for resource.k8s.io/v1, Kind=ResourceSlice: ${field}`,
  selectable: { "spec.nodeName": slice => slice.spec.nodeName ?? "", "spec.driver": slice => slice.spec.driver },
  *warnings({ spec }) {
    if (spec.driver !== spec.driver.toLowerCase()) yield `spec.driver: driver names should be lowercase; ${JSON.stringify(spec.driver)} contains uppercase characters`;
  },
  columns: [
    nameColumn,
    { name: "Node", type: "string", doc: "The node they are on.", cell: ({ spec }) => spec.nodeName ?? (spec.allNodes ? "<all>" : "<none>") },
    { name: "Driver", type: "string", doc: "The driver.", cell: ({ spec }) => spec.driver },
    { name: "Pool", type: "string", doc: "The pool they belong to.", cell: ({ spec }) => spec.pool.name },
    ageColumn,
  ],
});
export interface ResourceSlice extends Resource<typeof ResourceSlice> {}
