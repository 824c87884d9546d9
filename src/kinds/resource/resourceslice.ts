import { NodeSelector } from "../core/references.ts";
import { DeviceTaint } from "./types.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const DeviceAttribute = t.object("io.k8s.api.resource.v1.DeviceAttribute", {
  bool: t.bool().pb(3).pointer(),
  bools: t.list(t.bool()).pb(7),
  int: t.int64().pb(2).pointer(),
  ints: t.list(t.int64()).pb(6),
  string: t.string().pb(4).pointer(),
  strings: t.list(t.string()).pb(8),
  version: t.string().pb(5).pointer(),
  versions: t.list(t.string()).pb(9),
});
export interface DeviceAttribute extends t.Stored<typeof DeviceAttribute> {}

export const CapacityRequestPolicyRange = t.object("io.k8s.api.resource.v1.CapacityRequestPolicyRange", {
  max: t.quantity().pb(2).pointer(),
  min: t.quantity().pb(1).pointer().required().always("null"),
  step: t.quantity().pb(3).pointer(),
});
export interface CapacityRequestPolicyRange extends t.Stored<typeof CapacityRequestPolicyRange> {}

export const CapacityRequestPolicy = t.object("io.k8s.api.resource.v1.CapacityRequestPolicy", {
  default: t.quantity().pb(1).pointer(),
  validRange: CapacityRequestPolicyRange.pb(4),
  validValues: t.list(t.quantity()).pb(3),
});
export interface CapacityRequestPolicy extends t.Stored<typeof CapacityRequestPolicy> {}

export const DeviceCapacity = t.object("io.k8s.api.resource.v1.DeviceCapacity", {
  requestPolicy: CapacityRequestPolicy.pb(2),
  value: t.quantity().pb(1).required().always("zero"),
});
export interface DeviceCapacity extends t.Stored<typeof DeviceCapacity> {}

export const Counter = t.object("io.k8s.api.resource.v1.Counter", {
  value: t.quantity().pb(1).required().always("zero"),
});
export interface Counter extends t.Stored<typeof Counter> {}

export const DeviceCounterConsumption = t.object("io.k8s.api.resource.v1.DeviceCounterConsumption", {
  counterSet: t.string().pb(1).required().always("zero"),
  counters: t.map(Counter).pb(2).required(),
});
export interface DeviceCounterConsumption extends t.Stored<typeof DeviceCounterConsumption> {}

export const NodeAllocatableResourceMapping = t.object("io.k8s.api.resource.v1.NodeAllocatableResourceMapping", {
  allocationMultiplier: t.quantity().pb(2).pointer(),
  capacityKey: t.string().pb(1).pointer(),
});
export interface NodeAllocatableResourceMapping extends t.Stored<typeof NodeAllocatableResourceMapping> {}

export const Device = t.object("io.k8s.api.resource.v1.Device", {
  allNodes: t.bool().pb(7).pointer(),
  allowMultipleAllocations: t.bool().pb(12).pointer(),
  attributes: t.map(DeviceAttribute).pb(2),
  bindingConditions: t.list(t.string()).pb(10),
  bindingFailureConditions: t.list(t.string()).pb(11),
  bindsToNode: t.bool().pb(9).pointer(),
  capacity: t.map(DeviceCapacity).pb(3),
  consumesCounters: t.list(DeviceCounterConsumption).pb(4),
  name: t.string().pb(1).required().always("zero"),
  nodeAllocatableResourceMappings: t.map(NodeAllocatableResourceMapping).pb(13),
  nodeName: t.string().pb(5).pointer(),
  nodeSelector: NodeSelector.pb(6),
  taints: t.list(DeviceTaint).pb(8),
});
export interface Device extends t.Stored<typeof Device> {}

export const ResourcePool = t.object("io.k8s.api.resource.v1.ResourcePool", {
  generation: t.int64().pb(2).required().always("zero"),
  name: t.string().pb(1).required().always("zero"),
  resourceSliceCount: t.int64().pb(3).required().always("zero"),
});
export interface ResourcePool extends t.Stored<typeof ResourcePool> {}

export const CounterSet = t.object("io.k8s.api.resource.v1.CounterSet", {
  counters: t.map(Counter).pb(2).required(),
  name: t.string().pb(1).required().always("zero"),
});
export interface CounterSet extends t.Stored<typeof CounterSet> {}

export const ResourceSliceSpec = t.object("io.k8s.api.resource.v1.ResourceSliceSpec", {
  allNodes: t.bool().pb(5).pointer(),
  devices: t.list(Device).pb(6),
  driver: t.string().pb(1).required().always("zero"),
  nodeName: t.string().pb(3).pointer(),
  nodeSelector: NodeSelector.pb(4),
  perDeviceNodeSelection: t.bool().pb(7).pointer(),
  pool: ResourcePool.pb(2).required().always("{}"),
  sharedCounters: t.list(CounterSet).pb(8),
});
export interface ResourceSliceSpec extends t.Stored<typeof ResourceSliceSpec> {}

export const ResourceSlice = defineKind({
  group: "resource.k8s.io", version: "v1", kind: "ResourceSlice", plural: "resourceslices", namespaced: false,
  generation: true, returnDeleted: true,
  definition: "io.k8s.api.resource.v1.ResourceSlice",
  doc: "Devices that a driver offers.",
  fields: {
    spec: ResourceSliceSpec.pb(2).required().always("{}"),
  },
  selectable: { "spec.nodeName": slice => slice.spec.nodeName ?? "", "spec.driver": slice => slice.spec.driver },
  columns: [
    nameColumn,
    { name: "Node", type: "string", doc: "The node they are on.", cell: ({ spec }) => spec.nodeName ?? (spec.allNodes ? "<all>" : "<none>") },
    { name: "Driver", type: "string", doc: "The driver.", cell: ({ spec }) => spec.driver },
    { name: "Pool", type: "string", doc: "The pool they belong to.", cell: ({ spec }) => spec.pool.name },
    ageColumn,
  ],
});
export interface ResourceSlice extends Resource<typeof ResourceSlice> {}
