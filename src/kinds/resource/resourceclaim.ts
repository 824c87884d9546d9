import { goValue } from "../../schema/go-value.ts";
import { NodeSelector } from "../core/references.ts";
import { Condition } from "../meta/condition.ts";
import { DeviceToleration, OpaqueDeviceConfiguration, ResourceClaimSpec } from "./types.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind, type Resource } from "../kind.ts";
import { defaultDevices } from "./defaults.ts";
import { claimStatusProblems, withoutTakenBack } from "./claimstatusrules.ts";
import { claimProblems } from "./rules.ts";
import { sameJson } from "../../base/json.ts";
import { invalidValue } from "../../schema/problem.ts";
import * as t from "../../schema/t.ts";

export const DeviceAllocationConfiguration = t.object("io.k8s.api.resource.v1.DeviceAllocationConfiguration", {
  opaque: OpaqueDeviceConfiguration.pb(1).within(3).doc("What the driver is told."),
  requests: t.list(t.string()).pb(2).doc("Requests that it is about; all if empty."),
  source: t.oneOf("FromClaim", "FromClass").pb(1).required().always("zero").doc("Whether it comes from the class or from the claim."),
});
export interface DeviceAllocationConfiguration extends t.Stored<typeof DeviceAllocationConfiguration> {}

export const DeviceRequestAllocationResult = t.object("io.k8s.api.resource.v1.DeviceRequestAllocationResult", {
  adminAccess: t.bool().pb(5).pointer().doc("Whether it is given for watching over the device, beside its users."),
  bindingConditions: t.list(t.string()).pb(7).doc("What has to be true of the device before the pod is bound."),
  bindingFailureConditions: t.list(t.string()).pb(8).doc("What ends the attempt."),
  consumedCapacity: t.map(t.quantity()).pb(10).doc("How much of the device is taken, by capacity."),
  device: t.string().pb(4).required().always("zero").doc("Name of the device."),
  driver: t.string().pb(2).required().always("zero").doc("Driver of the device."),
  pool: t.string().pb(3).required().always("zero").doc("Pool that the device is in."),
  request: t.string().pb(1).required().always("zero").doc("Request that it serves."),
  shareID: t.string().pb(9).pointer().doc("Which share of the device, if it has several."),
  tolerations: t.list(DeviceToleration).pb(6).doc("Taints of the device that are put up with."),
});
export interface DeviceRequestAllocationResult extends t.Stored<typeof DeviceRequestAllocationResult> {}

export const DeviceAllocationResult = t.object("io.k8s.api.resource.v1.DeviceAllocationResult", {
  config: t.list(DeviceAllocationConfiguration).pb(2).doc("What drivers are told."),
  results: t.list(DeviceRequestAllocationResult).pb(1).doc("Devices that were given."),
});
export interface DeviceAllocationResult extends t.Stored<typeof DeviceAllocationResult> {}

export const AllocationResult = t.object("io.k8s.api.resource.v1.AllocationResult", {
  allocationTimestamp: t.time().pb(5).pointer().doc("When they were given."),
  devices: DeviceAllocationResult.pb(1).always("{}").doc("Devices that were given."),
  nodeSelector: NodeSelector.pb(3).doc("Nodes from which they can be used."),
});
export interface AllocationResult extends t.Stored<typeof AllocationResult> {}

export const NetworkDeviceData = t.object("io.k8s.api.resource.v1.NetworkDeviceData", {
  hardwareAddress: t.string().pb(3).doc("Its hardware address."),
  interfaceName: t.string().pb(1).doc("Name of its interface."),
  ips: t.list(t.string()).pb(2).doc("Its addresses, with the length of the prefix."),
});
export interface NetworkDeviceData extends t.Stored<typeof NetworkDeviceData> {}

export const AllocatedDeviceStatus = t.object("io.k8s.api.resource.v1.AllocatedDeviceStatus", {
  conditions: t.listBy(Condition, "type").pb(4).always("[]").doc("What is known about the object, one entry per aspect."),
  data: t.rawExtension().pb(5).pointer().doc("More that the driver says."),
  device: t.string().pb(3).required().always("zero").doc("Name of the device."),
  driver: t.string().pb(1).required().always("zero").doc("Driver of the device."),
  networkData: NetworkDeviceData.pb(6).doc("What is known of it as a network device."),
  pool: t.string().pb(2).required().always("zero").doc("Pool that the device is in."),
  shareID: t.string().pb(7).pointer().doc("Which share of the device."),
});
export interface AllocatedDeviceStatus extends t.Stored<typeof AllocatedDeviceStatus> {}

export const ResourceClaimConsumerReference = t.object("io.k8s.api.resource.v1.ResourceClaimConsumerReference", {
  apiGroup: t.string().pb(1).doc("API group of the object; empty is the core group."),
  name: t.string().pb(4).required().always("zero").doc("Its name."),
  resource: t.string().pb(3).required().always("zero").doc("Its resource, such as pods."),
  uid: t.string().pb(5).required().always("zero").doc("Its identity."),
});
export interface ResourceClaimConsumerReference extends t.Stored<typeof ResourceClaimConsumerReference> {}

export const ResourceClaimStatus = t.object("io.k8s.api.resource.v1.ResourceClaimStatus", {
  allocation: AllocationResult.pb(1).doc("What was given."),
  devices: t.listBy(AllocatedDeviceStatus, "driver", "device", "pool", "shareID").pb(4).doc("How each device is."),
  reservedFor: t.listBy(ResourceClaimConsumerReference, "uid").pb(2).mergeBy("uid").doc("Who may use it now."),
});
export interface ResourceClaimStatus extends t.Stored<typeof ResourceClaimStatus> {}

export const ResourceClaim = defineKind({
  group: "resource.k8s.io", version: "v1", kind: "ResourceClaim", plural: "resourceclaims", namespaced: true,
  statusAlone: true,
  subresources: ["status"],
  returnDeleted: true,
  definition: "io.k8s.api.resource.v1.ResourceClaim",
  doc: "Asks for devices, and holds on to them.",
  fields: {
    spec: ResourceClaimSpec.pb(2).required().always("{}").doc("What is asked for."),
    status: ResourceClaimStatus.pb(3).always("{}").doc("What was given, and to whom."),
  },
  defaults({ spec }) { defaultDevices(spec.devices); },
  prepare(next, previous, { subresource }) {
    if (subresource !== "status" || previous === undefined) return;
    const devices = withoutTakenBack(next.status, previous.status);
    if (devices === undefined) delete next.status.devices;
    else next.status.devices = devices;
  },
  *rules(next, previous, { subresource }) {
    if (subresource === "status") return yield* claimStatusProblems(next, previous!);
    if (previous === undefined) yield* claimProblems(next.spec.devices, "spec.devices");
    else if (!sameJson(next.spec, previous.spec)) yield invalidValue("spec", goValue(ResourceClaimSpec.node, next.spec), "field is immutable");
  },
  columns: [
    nameColumn,
    { name: "State", type: "string", doc: "Whether it has its devices, and pods use it.", cell: ({ metadata, status }) => [...(metadata.deletionTimestamp === undefined ? [] : ["deleted"]), ...(status.allocation === undefined ? (metadata.deletionTimestamp === undefined ? ["pending"] : []) : ["allocated", ...((status.reservedFor ?? []).length > 0 ? ["reserved"] : [])])].join(",") },
    ageColumn,
  ],
});
export interface ResourceClaim extends Resource<typeof ResourceClaim> {}
