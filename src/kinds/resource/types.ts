import * as t from "../../schema/t.ts";

export const OpaqueDeviceConfiguration = t.object("io.k8s.api.resource.v1.OpaqueDeviceConfiguration", {
  driver: t.string().pb(1).required().always("zero").doc("Driver that it is for."),
  parameters: t.rawExtension().pb(2).required().unchecked().always("zero").doc("What the driver is told."),
});
export interface OpaqueDeviceConfiguration extends t.Stored<typeof OpaqueDeviceConfiguration> {}

export const CELDeviceSelector = t.object("io.k8s.api.resource.v1.CELDeviceSelector", {
  expression: t.string().pb(1).required().always("zero").doc("A CEL expression over device that has to be true."),
});
export interface CELDeviceSelector extends t.Stored<typeof CELDeviceSelector> {}

export const DeviceSelector = t.object("io.k8s.api.resource.v1.DeviceSelector", {
  cel: CELDeviceSelector.pb(1).doc("By an expression."),
});
export interface DeviceSelector extends t.Stored<typeof DeviceSelector> {}

export const DeviceClaimConfiguration = t.object("io.k8s.api.resource.v1.DeviceClaimConfiguration", {
  opaque: OpaqueDeviceConfiguration.pb(1).within(2).doc("What the driver is told."),
  requests: t.list(t.string()).pb(1).doc("Requests that it is about; all if empty."),
});
export interface DeviceClaimConfiguration extends t.Stored<typeof DeviceClaimConfiguration> {}

export const DeviceConstraint = t.object("io.k8s.api.resource.v1.DeviceConstraint", {
  distinctAttribute: t.string().pb(3).pointer().doc("Attribute in which the devices must all differ."),
  matchAttribute: t.string().pb(2).pointer().doc("Attribute in which the devices must all be alike."),
  requests: t.list(t.string()).pb(1).doc("Requests that it is about; all if empty."),
});
export interface DeviceConstraint extends t.Stored<typeof DeviceConstraint> {}

export const CapacityRequirements = t.object("io.k8s.api.resource.v1.CapacityRequirements", {
  requests: t.map(t.quantity()).pb(1).doc("How much is needed, by capacity."),
});
export interface CapacityRequirements extends t.Stored<typeof CapacityRequirements> {}

export const DeviceToleration = t.object("io.k8s.api.resource.v1.DeviceToleration", {
  effect: t.oneOf("NoExecute", "NoSchedule", "None").unchecked().pb(4).doc("Effect that is tolerated; all if empty."),
  key: t.string().pb(1).doc("Key that is tolerated; all if empty."),
  operator: t.oneOf("Equal", "Exists").unchecked().pb(2).default("Equal", "published").doc("How the value is compared: Equal or Exists."),
  tolerationSeconds: t.int64().pb(5).pointer().doc("How long a NoExecute taint is tolerated; forever if not given."),
  value: t.string().pb(3).doc("Value that is tolerated."),
});
export interface DeviceToleration extends t.Stored<typeof DeviceToleration> {}

export const ExactDeviceRequest = t.object("io.k8s.api.resource.v1.ExactDeviceRequest", {
  adminAccess: t.bool().pb(5).pointer().doc("Whether it is for watching over devices, beside their users."),
  allocationMode: t.oneOf("All", "ExactCount").unchecked().pb(3).doc("Whether a number of devices is wanted (ExactCount) or all there are (All)."),
  capacity: CapacityRequirements.pb(7).doc("How much of each device is needed."),
  count: t.int64().pb(4).doc("How many devices."),
  deviceClassName: t.string().pb(1).required().always("zero").doc("The device class."),
  selectors: t.list(DeviceSelector).pb(2).doc("What the devices must be like besides."),
  tolerations: t.list(DeviceToleration).pb(6).doc("Taints of devices that are put up with."),
});
export interface ExactDeviceRequest extends t.Stored<typeof ExactDeviceRequest> {}

export const DeviceSubRequest = t.object("io.k8s.api.resource.v1.DeviceSubRequest", {
  allocationMode: t.oneOf("All", "ExactCount").unchecked().pb(4).doc("Whether a number of devices is wanted (ExactCount) or all there are (All)."),
  capacity: CapacityRequirements.pb(7).doc("How much of each device is needed."),
  count: t.int64().pb(5).doc("How many devices."),
  deviceClassName: t.string().pb(2).required().always("zero").doc("The device class."),
  name: t.string().pb(1).required().always("zero").doc("What the claim's rest calls it."),
  selectors: t.list(DeviceSelector).pb(3).doc("What the devices must be like besides."),
  tolerations: t.list(DeviceToleration).pb(6).doc("Taints of devices that are put up with."),
});
export interface DeviceSubRequest extends t.Stored<typeof DeviceSubRequest> {}

export const DeviceRequest = t.object("io.k8s.api.resource.v1.DeviceRequest", {
  exactly: ExactDeviceRequest.pb(2).doc("One request."),
  firstAvailable: t.list(DeviceSubRequest).pb(3).doc("Several requests, of which the first that can be met counts."),
  name: t.string().pb(1).required().always("zero").doc("What containers call it."),
});
export interface DeviceRequest extends t.Stored<typeof DeviceRequest> {}

export const DeviceClaim = t.object("io.k8s.api.resource.v1.DeviceClaim", {
  config: t.list(DeviceClaimConfiguration).pb(3).doc("What drivers are told."),
  constraints: t.list(DeviceConstraint).pb(2).doc("What the devices must have in common."),
  requests: t.list(DeviceRequest).pb(1).always("[]").doc("Which devices."),
});
export interface DeviceClaim extends t.Stored<typeof DeviceClaim> {}

export const ResourceClaimSpec = t.object("io.k8s.api.resource.v1.ResourceClaimSpec", {
  devices: DeviceClaim.pb(1).always("{}").doc("Which devices, and how they are set up."),
});
export interface ResourceClaimSpec extends t.Stored<typeof ResourceClaimSpec> {}

export const DeviceTaint = t.object("io.k8s.api.resource.v1.DeviceTaint", {
  effect: t.oneOf("NoExecute", "NoSchedule", "None").pb(3).required().always("zero").doc("What happens to those that do not tolerate it: None, NoSchedule or NoExecute."),
  key: t.string().pb(1).required().always("zero").doc("Key of the taint."),
  timeAdded: t.time().pb(4).pointer().doc("When it was added."),
  value: t.string().pb(2).doc("Value of the taint."),
});
export interface DeviceTaint extends t.Stored<typeof DeviceTaint> {}
