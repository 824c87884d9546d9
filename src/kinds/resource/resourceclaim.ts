import { NodeSelector } from "../core/references.ts";
import { Condition } from "../meta/condition.ts";
import { DeviceToleration, OpaqueDeviceConfiguration, ResourceClaimSpec } from "./types.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const DeviceAllocationConfiguration = t.object("io.k8s.api.resource.v1.DeviceAllocationConfiguration", {
  opaque: OpaqueDeviceConfiguration.pb(1).within(3),
  requests: t.list(t.string()).pb(2),
  source: t.oneOf("FromClaim", "FromClass").pb(1).required().always("zero"),
});
export interface DeviceAllocationConfiguration extends t.Stored<typeof DeviceAllocationConfiguration> {}

export const DeviceRequestAllocationResult = t.object("io.k8s.api.resource.v1.DeviceRequestAllocationResult", {
  adminAccess: t.bool().pb(5).pointer(),
  bindingConditions: t.list(t.string()).pb(7),
  bindingFailureConditions: t.list(t.string()).pb(8),
  consumedCapacity: t.map(t.quantity()).pb(10),
  device: t.string().pb(4).required().always("zero"),
  driver: t.string().pb(2).required().always("zero"),
  pool: t.string().pb(3).required().always("zero"),
  request: t.string().pb(1).required().always("zero"),
  shareID: t.string().pb(9).pointer(),
  tolerations: t.list(DeviceToleration).pb(6),
});
export interface DeviceRequestAllocationResult extends t.Stored<typeof DeviceRequestAllocationResult> {}

export const DeviceAllocationResult = t.object("io.k8s.api.resource.v1.DeviceAllocationResult", {
  config: t.list(DeviceAllocationConfiguration).pb(2),
  results: t.list(DeviceRequestAllocationResult).pb(1),
});
export interface DeviceAllocationResult extends t.Stored<typeof DeviceAllocationResult> {}

export const AllocationResult = t.object("io.k8s.api.resource.v1.AllocationResult", {
  allocationTimestamp: t.time().pb(5).pointer(),
  devices: DeviceAllocationResult.pb(1).always("{}"),
  nodeSelector: NodeSelector.pb(3),
});
export interface AllocationResult extends t.Stored<typeof AllocationResult> {}

export const NetworkDeviceData = t.object("io.k8s.api.resource.v1.NetworkDeviceData", {
  hardwareAddress: t.string().pb(3),
  interfaceName: t.string().pb(1),
  ips: t.list(t.string()).pb(2),
});
export interface NetworkDeviceData extends t.Stored<typeof NetworkDeviceData> {}

export const AllocatedDeviceStatus = t.object("io.k8s.api.resource.v1.AllocatedDeviceStatus", {
  conditions: t.listBy(Condition, "type").pb(4).always("[]"),
  data: t.rawExtension().pb(5).pointer(),
  device: t.string().pb(3).required().always("zero"),
  driver: t.string().pb(1).required().always("zero"),
  networkData: NetworkDeviceData.pb(6),
  pool: t.string().pb(2).required().always("zero"),
  shareID: t.string().pb(7).pointer(),
});
export interface AllocatedDeviceStatus extends t.Stored<typeof AllocatedDeviceStatus> {}

export const ResourceClaimConsumerReference = t.object("io.k8s.api.resource.v1.ResourceClaimConsumerReference", {
  apiGroup: t.string().pb(1),
  name: t.string().pb(4).required().always("zero"),
  resource: t.string().pb(3).required().always("zero"),
  uid: t.string().pb(5).required().always("zero"),
});
export interface ResourceClaimConsumerReference extends t.Stored<typeof ResourceClaimConsumerReference> {}

export const ResourceClaimStatus = t.object("io.k8s.api.resource.v1.ResourceClaimStatus", {
  allocation: AllocationResult.pb(1),
  devices: t.listBy(AllocatedDeviceStatus, "driver", "device", "pool", "shareID").pb(4),
  reservedFor: t.listBy(ResourceClaimConsumerReference, "uid").pb(2).mergeBy("uid"),
});
export interface ResourceClaimStatus extends t.Stored<typeof ResourceClaimStatus> {}

export const ResourceClaim = defineKind({
  group: "resource.k8s.io", version: "v1", kind: "ResourceClaim", plural: "resourceclaims", namespaced: true,
  subresources: ["status"],
  returnDeleted: true,
  definition: "io.k8s.api.resource.v1.ResourceClaim",
  doc: "Asks for devices, and holds on to them.",
  fields: {
    spec: ResourceClaimSpec.pb(2).required().always("{}"),
    status: ResourceClaimStatus.pb(3).always("{}"),
  },
  columns: [
    nameColumn,
    { name: "State", type: "string", doc: "Whether it has its devices, and pods use it.", cell: ({ metadata, status }) => [...(metadata.deletionTimestamp === undefined ? [] : ["deleted"]), ...(status.allocation === undefined ? (metadata.deletionTimestamp === undefined ? ["pending"] : []) : ["allocated", ...((status.reservedFor ?? []).length > 0 ? ["reserved"] : [])])].join(",") },
    ageColumn,
  ],
});
export interface ResourceClaim extends Resource<typeof ResourceClaim> {}
