import { ResourceRequirements } from "./resources.ts";
import * as t from "../../schema/t.ts";

export const PodCondition = t.object("io.k8s.api.core.v1.PodCondition", {
  lastProbeTime: t.time().pb(3).always("null"),
  lastTransitionTime: t.time().pb(4).always("null"),
  message: t.string().pb(6),
  observedGeneration: t.int64().pb(7),
  reason: t.string().pb(5),
  status: t.string().pb(2).required().always("zero"),
  type: t.string().pb(1).required().always("zero"),
});
export interface PodCondition extends t.Stored<typeof PodCondition> {}

export const ResourceHealth = t.object("io.k8s.api.core.v1.ResourceHealth", {
  health: t.string().pb(2),
  message: t.string().pb(6).pointer(),
  resourceID: t.string().pb(1).required().always("zero"),
});
export interface ResourceHealth extends t.Stored<typeof ResourceHealth> {}

export const ResourceStatus = t.object("io.k8s.api.core.v1.ResourceStatus", {
  name: t.string().pb(1).required().always("zero"),
  resources: t.listBy(ResourceHealth, "resourceID").pb(2),
});
export interface ResourceStatus extends t.Stored<typeof ResourceStatus> {}

export const ContainerStateRunning = t.object("io.k8s.api.core.v1.ContainerStateRunning", {
  startedAt: t.time().pb(1).always("null"),
});
export interface ContainerStateRunning extends t.Stored<typeof ContainerStateRunning> {}

export const ContainerStateTerminated = t.object("io.k8s.api.core.v1.ContainerStateTerminated", {
  containerID: t.string().pb(7),
  exitCode: t.int32().pb(1).required().always("zero"),
  finishedAt: t.time().pb(6).always("null"),
  message: t.string().pb(4),
  reason: t.string().pb(3),
  signal: t.int32().pb(2),
  startedAt: t.time().pb(5).always("null"),
});
export interface ContainerStateTerminated extends t.Stored<typeof ContainerStateTerminated> {}

export const ContainerStateWaiting = t.object("io.k8s.api.core.v1.ContainerStateWaiting", {
  message: t.string().pb(2),
  reason: t.string().pb(1),
});
export interface ContainerStateWaiting extends t.Stored<typeof ContainerStateWaiting> {}

export const ContainerState = t.object("io.k8s.api.core.v1.ContainerState", {
  running: ContainerStateRunning.pb(2),
  terminated: ContainerStateTerminated.pb(3),
  waiting: ContainerStateWaiting.pb(1),
});
export interface ContainerState extends t.Stored<typeof ContainerState> {}

export const LinuxContainerUser = t.object("io.k8s.api.core.v1.LinuxContainerUser", {
  gid: t.int64().pb(2).required().always("zero"),
  supplementalGroups: t.list(t.int64()).pb(3),
  uid: t.int64().pb(1).required().always("zero"),
});
export interface LinuxContainerUser extends t.Stored<typeof LinuxContainerUser> {}

export const ContainerUser = t.object("io.k8s.api.core.v1.ContainerUser", {
  linux: LinuxContainerUser.pb(1),
});
export interface ContainerUser extends t.Stored<typeof ContainerUser> {}

export const ImageVolumeStatus = t.object("io.k8s.api.core.v1.ImageVolumeStatus", {
  imageRef: t.string().pb(1).required(),
});
export interface ImageVolumeStatus extends t.Stored<typeof ImageVolumeStatus> {}

export const VolumeStatus = t.object("io.k8s.api.core.v1.VolumeStatus", {
  image: ImageVolumeStatus.pb(1),
});
export interface VolumeStatus extends t.Stored<typeof VolumeStatus> {}

export const VolumeMountStatus = t.object("io.k8s.api.core.v1.VolumeMountStatus", {
  mountPath: t.string().pb(2).required().always("zero"),
  name: t.string().pb(1).required().always("zero"),
  readOnly: t.bool().pb(3),
  recursiveReadOnly: t.string().pb(4).pointer(),
  volumeStatus: VolumeStatus.pb(5),
});
export interface VolumeMountStatus extends t.Stored<typeof VolumeMountStatus> {}

export const ContainerStatus = t.object("io.k8s.api.core.v1.ContainerStatus", {
  allocatedResources: t.map(t.quantity()).pb(10),
  allocatedResourcesStatus: t.listBy(ResourceStatus, "name").pb(14).mergeBy("name"),
  containerID: t.string().pb(8),
  image: t.string().pb(6).required().always("zero"),
  imageID: t.string().pb(7).required().always("zero"),
  lastState: ContainerState.pb(3).always("{}"),
  name: t.string().pb(1).required().always("zero"),
  ready: t.bool().pb(4).required().always("zero"),
  resources: ResourceRequirements.pb(11),
  restartCount: t.int32().pb(5).required().always("zero"),
  started: t.bool().pb(9).pointer(),
  state: ContainerState.pb(2).always("{}"),
  stopSignal: t.oneOf("SIGABRT", "SIGALRM", "SIGBUS", "SIGCHLD", "SIGCLD", "SIGCONT", "SIGFPE", "SIGHUP", "SIGILL", "SIGINT", "SIGIO", "SIGIOT", "SIGKILL", "SIGPIPE", "SIGPOLL", "SIGPROF", "SIGPWR", "SIGQUIT", "SIGRTMAX", "SIGRTMAX-1", "SIGRTMAX-10", "SIGRTMAX-11", "SIGRTMAX-12", "SIGRTMAX-13", "SIGRTMAX-14", "SIGRTMAX-2", "SIGRTMAX-3", "SIGRTMAX-4", "SIGRTMAX-5", "SIGRTMAX-6", "SIGRTMAX-7", "SIGRTMAX-8", "SIGRTMAX-9", "SIGRTMIN", "SIGRTMIN+1", "SIGRTMIN+10", "SIGRTMIN+11", "SIGRTMIN+12", "SIGRTMIN+13", "SIGRTMIN+14", "SIGRTMIN+15", "SIGRTMIN+2", "SIGRTMIN+3", "SIGRTMIN+4", "SIGRTMIN+5", "SIGRTMIN+6", "SIGRTMIN+7", "SIGRTMIN+8", "SIGRTMIN+9", "SIGSEGV", "SIGSTKFLT", "SIGSTOP", "SIGSYS", "SIGTERM", "SIGTRAP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG", "SIGUSR1", "SIGUSR2", "SIGVTALRM", "SIGWINCH", "SIGXCPU", "SIGXFSZ").pb(15).pointer(),
  user: ContainerUser.pb(13),
  volumeMounts: t.listBy(VolumeMountStatus, "mountPath").pb(12).mergeBy("mountPath"),
});
export interface ContainerStatus extends t.Stored<typeof ContainerStatus> {}

export const ContainerExtendedResourceRequest = t.object("io.k8s.api.core.v1.ContainerExtendedResourceRequest", {
  containerName: t.string().pb(1).required().always("zero"),
  requestName: t.string().pb(3).required().always("zero"),
  resourceName: t.string().pb(2).required().always("zero"),
});
export interface ContainerExtendedResourceRequest extends t.Stored<typeof ContainerExtendedResourceRequest> {}

export const PodExtendedResourceClaimStatus = t.object("io.k8s.api.core.v1.PodExtendedResourceClaimStatus", {
  requestMappings: t.list(ContainerExtendedResourceRequest).pb(1).required().always("[]"),
  resourceClaimName: t.string().pb(2).required().always("zero"),
});
export interface PodExtendedResourceClaimStatus extends t.Stored<typeof PodExtendedResourceClaimStatus> {}

export const HostIP = t.object("io.k8s.api.core.v1.HostIP", {
  ip: t.string().pb(1).required().always("zero"),
});
export interface HostIP extends t.Stored<typeof HostIP> {}

export const NodeAllocatableResourceClaimStatus = t.object("io.k8s.api.core.v1.NodeAllocatableResourceClaimStatus", {
  containers: t.set(t.string()).pb(2),
  resourceClaimName: t.string().pb(1).required().always("zero"),
  resources: t.map(t.quantity()).pb(3).required().always("{}"),
});
export interface NodeAllocatableResourceClaimStatus extends t.Stored<typeof NodeAllocatableResourceClaimStatus> {}

export const PodIP = t.object("io.k8s.api.core.v1.PodIP", {
  ip: t.string().pb(1).required().always("zero"),
});
export interface PodIP extends t.Stored<typeof PodIP> {}

export const PodResourceClaimStatus = t.object("io.k8s.api.core.v1.PodResourceClaimStatus", {
  name: t.string().pb(1).required().always("zero"),
  resourceClaimName: t.string().pb(2).pointer(),
});
export interface PodResourceClaimStatus extends t.Stored<typeof PodResourceClaimStatus> {}

export const PodStatus = t.object("io.k8s.api.core.v1.PodStatus", {
  allocatedResources: t.map(t.quantity()).pb(19),
  conditions: t.listBy(PodCondition, "type").pb(2).mergeBy("type"),
  containerStatuses: t.list(ContainerStatus).pb(8),
  ephemeralContainerStatuses: t.list(ContainerStatus).pb(13),
  extendedResourceClaimStatus: PodExtendedResourceClaimStatus.pb(18),
  hostIP: t.string().pb(5),
  hostIPs: t.list(HostIP).pb(16).mergeBy("ip"),
  initContainerStatuses: t.list(ContainerStatus).pb(10),
  message: t.string().pb(3),
  nodeAllocatableResourceClaimStatuses: t.list(NodeAllocatableResourceClaimStatus).pb(21),
  nominatedNodeName: t.string().pb(11),
  observedGeneration: t.int64().pb(17),
  phase: t.oneOf("Failed", "Pending", "Running", "Succeeded", "Unknown").pb(1),
  podIP: t.string().pb(6),
  podIPs: t.listBy(PodIP, "ip").pb(12).mergeBy("ip"),
  qosClass: t.oneOf("BestEffort", "Burstable", "Guaranteed").pb(9),
  reason: t.string().pb(4),
  resize: t.string().pb(14),
  resourceClaimStatuses: t.listBy(PodResourceClaimStatus, "name").pb(15).mergeBy("name").retainKeys(),
  resources: ResourceRequirements.pb(20),
  startTime: t.time().pb(7).pointer(),
});
export interface PodStatus extends t.Stored<typeof PodStatus> {}
