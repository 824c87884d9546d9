import * as t from "../../schema/t.ts";

export const OpaqueDeviceConfiguration = t.object("io.k8s.api.resource.v1.OpaqueDeviceConfiguration", {
  driver: t.string().pb(1).required().always("zero"),
  parameters: t.rawExtension().pb(2).required().always("zero"),
});
export interface OpaqueDeviceConfiguration extends t.Stored<typeof OpaqueDeviceConfiguration> {}

export const CELDeviceSelector = t.object("io.k8s.api.resource.v1.CELDeviceSelector", {
  expression: t.string().pb(1).required().always("zero"),
});
export interface CELDeviceSelector extends t.Stored<typeof CELDeviceSelector> {}

export const DeviceSelector = t.object("io.k8s.api.resource.v1.DeviceSelector", {
  cel: CELDeviceSelector.pb(1),
});
export interface DeviceSelector extends t.Stored<typeof DeviceSelector> {}

export const DeviceClaimConfiguration = t.object("io.k8s.api.resource.v1.DeviceClaimConfiguration", {
  opaque: OpaqueDeviceConfiguration.pb(1).within(2),
  requests: t.list(t.string()).pb(1),
});
export interface DeviceClaimConfiguration extends t.Stored<typeof DeviceClaimConfiguration> {}

export const DeviceConstraint = t.object("io.k8s.api.resource.v1.DeviceConstraint", {
  distinctAttribute: t.string().pb(3).pointer(),
  matchAttribute: t.string().pb(2).pointer(),
  requests: t.list(t.string()).pb(1),
});
export interface DeviceConstraint extends t.Stored<typeof DeviceConstraint> {}

export const CapacityRequirements = t.object("io.k8s.api.resource.v1.CapacityRequirements", {
  requests: t.map(t.quantity()).pb(1),
});
export interface CapacityRequirements extends t.Stored<typeof CapacityRequirements> {}

export const DeviceToleration = t.object("io.k8s.api.resource.v1.DeviceToleration", {
  effect: t.oneOf("NoExecute", "NoSchedule", "None").pb(4),
  key: t.string().pb(1),
  operator: t.oneOf("Equal", "Exists").pb(2).default("Equal", "published"),
  tolerationSeconds: t.int64().pb(5).pointer(),
  value: t.string().pb(3),
});
export interface DeviceToleration extends t.Stored<typeof DeviceToleration> {}

export const ExactDeviceRequest = t.object("io.k8s.api.resource.v1.ExactDeviceRequest", {
  adminAccess: t.bool().pb(5).pointer(),
  allocationMode: t.oneOf("All", "ExactCount").pb(3),
  capacity: CapacityRequirements.pb(7),
  count: t.int64().pb(4),
  deviceClassName: t.string().pb(1).required().always("zero"),
  selectors: t.list(DeviceSelector).pb(2),
  tolerations: t.list(DeviceToleration).pb(6),
});
export interface ExactDeviceRequest extends t.Stored<typeof ExactDeviceRequest> {}

export const DeviceSubRequest = t.object("io.k8s.api.resource.v1.DeviceSubRequest", {
  allocationMode: t.oneOf("All", "ExactCount").pb(4),
  capacity: CapacityRequirements.pb(7),
  count: t.int64().pb(5),
  deviceClassName: t.string().pb(2).required().always("zero"),
  name: t.string().pb(1).required().always("zero"),
  selectors: t.list(DeviceSelector).pb(3),
  tolerations: t.list(DeviceToleration).pb(6),
});
export interface DeviceSubRequest extends t.Stored<typeof DeviceSubRequest> {}

export const DeviceRequest = t.object("io.k8s.api.resource.v1.DeviceRequest", {
  exactly: ExactDeviceRequest.pb(2),
  firstAvailable: t.list(DeviceSubRequest).pb(3),
  name: t.string().pb(1).required().always("zero"),
});
export interface DeviceRequest extends t.Stored<typeof DeviceRequest> {}

export const DeviceClaim = t.object("io.k8s.api.resource.v1.DeviceClaim", {
  config: t.list(DeviceClaimConfiguration).pb(3),
  constraints: t.list(DeviceConstraint).pb(2),
  requests: t.list(DeviceRequest).pb(1).always("[]"),
});
export interface DeviceClaim extends t.Stored<typeof DeviceClaim> {}

export const ResourceClaimSpec = t.object("io.k8s.api.resource.v1.ResourceClaimSpec", {
  devices: DeviceClaim.pb(1).always("{}"),
});
export interface ResourceClaimSpec extends t.Stored<typeof ResourceClaimSpec> {}

export const DeviceTaint = t.object("io.k8s.api.resource.v1.DeviceTaint", {
  effect: t.oneOf("NoExecute", "NoSchedule", "None").pb(3).required().always("zero"),
  key: t.string().pb(1).required().always("zero"),
  timeAdded: t.time().pb(4).pointer(),
  value: t.string().pb(2),
});
export interface DeviceTaint extends t.Stored<typeof DeviceTaint> {}
