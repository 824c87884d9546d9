import { ResourceRequirements } from "./resources.ts";
import * as t from "../../schema/t.ts";

export const PodCondition = t.object("io.k8s.api.core.v1.PodCondition", {
  lastProbeTime: t.time().pb(3).always("null").doc("When it was last looked at."),
  lastTransitionTime: t.time().pb(4).always("null").doc("When the status last changed."),
  message: t.string().pb(6).doc("The same for people, in a sentence."),
  observedGeneration: t.int64().pb(7).doc("The metadata.generation that this entry speaks of."),
  reason: t.string().pb(5).doc("Why it last changed, as one CamelCase word for programs."),
  status: t.string().pb(2).required().always("zero").doc("Whether it holds: True, False, or Unknown."),
  type: t.string().pb(1).required().always("zero").doc("Which aspect this is about."),
});
export interface PodCondition extends t.Stored<typeof PodCondition> {}

export const ResourceHealth = t.object("io.k8s.api.core.v1.ResourceHealth", {
  health: t.string().pb(2).doc("Healthy, Unhealthy or Unknown."),
  message: t.string().pb(6).pointer().doc("More about its health."),
  resourceID: t.string().pb(1).required().always("zero").doc("Which device, as its driver calls it."),
});
export interface ResourceHealth extends t.Stored<typeof ResourceHealth> {}

export const ResourceStatus = t.object("io.k8s.api.core.v1.ResourceStatus", {
  name: t.string().pb(1).required().always("zero").doc("Name of the resource, or claim: followed by the claim's."),
  resources: t.listBy(ResourceHealth, "resourceID").pb(2).doc("How each of its devices is."),
});
export interface ResourceStatus extends t.Stored<typeof ResourceStatus> {}

export const ContainerStateRunning = t.object("io.k8s.api.core.v1.ContainerStateRunning", {
  startedAt: t.time().pb(1).always("null").doc("When it was started."),
});
export interface ContainerStateRunning extends t.Stored<typeof ContainerStateRunning> {}

export const ContainerStateTerminated = t.object("io.k8s.api.core.v1.ContainerStateTerminated", {
  containerID: t.string().pb(7).doc("The container, as the runtime calls it."),
  exitCode: t.int32().pb(1).required().always("zero").doc("Exit status of its process."),
  finishedAt: t.time().pb(6).always("null").doc("When it ended."),
  message: t.string().pb(4).doc("What the container, or its log, last said."),
  reason: t.string().pb(3).doc("Why it ended, in one word."),
  signal: t.int32().pb(2).doc("Signal that ended it."),
  startedAt: t.time().pb(5).always("null").doc("When it was started."),
});
export interface ContainerStateTerminated extends t.Stored<typeof ContainerStateTerminated> {}

export const ContainerStateWaiting = t.object("io.k8s.api.core.v1.ContainerStateWaiting", {
  message: t.string().pb(2).doc("What it waits for, for people."),
  reason: t.string().pb(1).doc("What it waits for, in one word."),
});
export interface ContainerStateWaiting extends t.Stored<typeof ContainerStateWaiting> {}

export const ContainerState = t.object("io.k8s.api.core.v1.ContainerState", {
  running: ContainerStateRunning.pb(2).doc("It runs."),
  terminated: ContainerStateTerminated.pb(3).doc("It has ended."),
  waiting: ContainerStateWaiting.pb(1).doc("It has not started yet."),
});
export interface ContainerState extends t.Stored<typeof ContainerState> {}

export const LinuxContainerUser = t.object("io.k8s.api.core.v1.LinuxContainerUser", {
  gid: t.int64().pb(2).required().always("zero").doc("Group id of its first process."),
  supplementalGroups: t.list(t.int64()).pb(3).doc("Further group ids of that process."),
  uid: t.int64().pb(1).required().always("zero").doc("User id of its first process."),
});
export interface LinuxContainerUser extends t.Stored<typeof LinuxContainerUser> {}

export const ContainerUser = t.object("io.k8s.api.core.v1.ContainerUser", {
  linux: LinuxContainerUser.pb(1).doc("The ids, on Linux."),
});
export interface ContainerUser extends t.Stored<typeof ContainerUser> {}

export const ImageVolumeStatus = t.object("io.k8s.api.core.v1.ImageVolumeStatus", {
  imageRef: t.string().pb(1).required().doc("Digest of the image that is mounted."),
});
export interface ImageVolumeStatus extends t.Stored<typeof ImageVolumeStatus> {}

export const VolumeStatus = t.object("io.k8s.api.core.v1.VolumeStatus", {
  image: ImageVolumeStatus.pb(1).doc("What is mounted, if it is an image."),
});
export interface VolumeStatus extends t.Stored<typeof VolumeStatus> {}

export const VolumeMountStatus = t.object("io.k8s.api.core.v1.VolumeMountStatus", {
  mountPath: t.string().pb(2).required().always("zero").doc("Where it is mounted."),
  name: t.string().pb(1).required().always("zero").doc("The pod's volume."),
  readOnly: t.bool().pb(3).doc("Whether it is mounted read-only."),
  recursiveReadOnly: t.string().pb(4).pointer().doc("Whether mounts below it are read-only too."),
  volumeStatus: VolumeStatus.pb(5).doc("More about the volume."),
});
export interface VolumeMountStatus extends t.Stored<typeof VolumeMountStatus> {}

export const ContainerStatus = t.object("io.k8s.api.core.v1.ContainerStatus", {
  allocatedResources: t.map(t.quantity()).pb(10).doc("What the node has set aside for it, by resource."),
  allocatedResourcesStatus: t.listBy(ResourceStatus, "name").pb(14).mergeBy("name").doc("How its devices are, by resource."),
  containerID: t.string().pb(8).doc("The container, as the runtime calls it."),
  image: t.string().pb(6).required().always("zero").doc("The image it runs."),
  imageID: t.string().pb(7).required().always("zero").doc("Digest of that image."),
  lastState: ContainerState.pb(3).always("{}").doc("How it ended before, if it was restarted."),
  name: t.string().pb(1).required().always("zero").doc("Name of the container."),
  ready: t.bool().pb(4).required().always("zero").doc("Whether its readiness probe succeeds."),
  resources: ResourceRequirements.pb(11).doc("Requests and limits in force."),
  restartCount: t.int32().pb(5).required().always("zero").doc("How often it has been restarted."),
  started: t.bool().pb(9).pointer().doc("Whether it has started and its startup probe has succeeded."),
  state: ContainerState.pb(2).always("{}").doc("What it does now."),
  stopSignal: t.oneOf("SIGABRT", "SIGALRM", "SIGBUS", "SIGCHLD", "SIGCLD", "SIGCONT", "SIGFPE", "SIGHUP", "SIGILL", "SIGINT", "SIGIO", "SIGIOT", "SIGKILL", "SIGPIPE", "SIGPOLL", "SIGPROF", "SIGPWR", "SIGQUIT", "SIGRTMAX", "SIGRTMAX-1", "SIGRTMAX-10", "SIGRTMAX-11", "SIGRTMAX-12", "SIGRTMAX-13", "SIGRTMAX-14", "SIGRTMAX-2", "SIGRTMAX-3", "SIGRTMAX-4", "SIGRTMAX-5", "SIGRTMAX-6", "SIGRTMAX-7", "SIGRTMAX-8", "SIGRTMAX-9", "SIGRTMIN", "SIGRTMIN+1", "SIGRTMIN+10", "SIGRTMIN+11", "SIGRTMIN+12", "SIGRTMIN+13", "SIGRTMIN+14", "SIGRTMIN+15", "SIGRTMIN+2", "SIGRTMIN+3", "SIGRTMIN+4", "SIGRTMIN+5", "SIGRTMIN+6", "SIGRTMIN+7", "SIGRTMIN+8", "SIGRTMIN+9", "SIGSEGV", "SIGSTKFLT", "SIGSTOP", "SIGSYS", "SIGTERM", "SIGTRAP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG", "SIGUSR1", "SIGUSR2", "SIGVTALRM", "SIGWINCH", "SIGXCPU", "SIGXFSZ").pb(15).pointer().doc("Signal that asks it to end."),
  user: ContainerUser.pb(13).doc("Who its first process ran as at its start."),
  volumeMounts: t.listBy(VolumeMountStatus, "mountPath").pb(12).mergeBy("mountPath").doc("How its volumes are mounted."),
});
export interface ContainerStatus extends t.Stored<typeof ContainerStatus> {}

export const ContainerExtendedResourceRequest = t.object("io.k8s.api.core.v1.ContainerExtendedResourceRequest", {
  containerName: t.string().pb(1).required().always("zero").doc("The container."),
  requestName: t.string().pb(3).required().always("zero").doc("The request of the claim that serves it."),
  resourceName: t.string().pb(2).required().always("zero").doc("The resource that it asks for."),
});
export interface ContainerExtendedResourceRequest extends t.Stored<typeof ContainerExtendedResourceRequest> {}

export const PodExtendedResourceClaimStatus = t.object("io.k8s.api.core.v1.PodExtendedResourceClaimStatus", {
  requestMappings: t.list(ContainerExtendedResourceRequest).pb(1).required().always("[]").doc("Which request serves which container."),
  resourceClaimName: t.string().pb(2).required().always("zero").doc("The claim made for the pod."),
});
export interface PodExtendedResourceClaimStatus extends t.Stored<typeof PodExtendedResourceClaimStatus> {}

export const HostIP = t.object("io.k8s.api.core.v1.HostIP", {
  ip: t.string().pb(1).required().always("zero").doc("Address of the node."),
});
export interface HostIP extends t.Stored<typeof HostIP> {}

export const NodeAllocatableResourceClaimStatus = t.object("io.k8s.api.core.v1.NodeAllocatableResourceClaimStatus", {
  containers: t.set(t.string()).pb(2).doc("Containers that use the claim."),
  resourceClaimName: t.string().pb(1).required().always("zero").doc("The claim."),
  resources: t.map(t.quantity()).pb(3).required().always("{}").doc("What the claim takes of the node, by resource."),
});
export interface NodeAllocatableResourceClaimStatus extends t.Stored<typeof NodeAllocatableResourceClaimStatus> {}

export const PodIP = t.object("io.k8s.api.core.v1.PodIP", {
  ip: t.string().pb(1).required().always("zero").doc("Address of the pod."),
});
export interface PodIP extends t.Stored<typeof PodIP> {}

export const PodResourceClaimStatus = t.object("io.k8s.api.core.v1.PodResourceClaimStatus", {
  name: t.string().pb(1).required().always("zero").doc("What the pod calls the claim."),
  resourceClaimName: t.string().pb(2).pointer().doc("The claim made for it, if one was needed."),
});
export interface PodResourceClaimStatus extends t.Stored<typeof PodResourceClaimStatus> {}

export const PodStatus = t.object("io.k8s.api.core.v1.PodStatus", {
  allocatedResources: t.map(t.quantity()).pb(19).doc("What the node has set aside for the pod, by resource."),
  conditions: t.listBy(PodCondition, "type").pb(2).mergeBy("type").doc("What is known about the object, one entry per aspect."),
  containerStatuses: t.list(ContainerStatus).pb(8).doc("How each container is."),
  ephemeralContainerStatuses: t.list(ContainerStatus).pb(13).doc("How each ephemeral container is."),
  extendedResourceClaimStatus: PodExtendedResourceClaimStatus.pb(18).doc("The claim made for devices asked for as resources."),
  hostIP: t.string().pb(5).doc("Address of the pod's node."),
  hostIPs: t.list(HostIP).pb(16).mergeBy("ip").doc("The same, one per address family."),
  initContainerStatuses: t.list(ContainerStatus).pb(10).doc("How each init container is."),
  message: t.string().pb(3).doc("Why it is in this condition, for people."),
  nodeAllocatableResourceClaimStatuses: t.list(NodeAllocatableResourceClaimStatus).pb(21).doc("Claims that take from what the node has for pods."),
  nominatedNodeName: t.string().pb(11).doc("Node on which room is being made for the pod."),
  observedGeneration: t.int64().pb(17).doc("The metadata.generation that this status speaks of."),
  phase: t.oneOf("Failed", "Pending", "Running", "Succeeded", "Unknown").pb(1).doc("Pending, Running, Succeeded, Failed or Unknown."),
  podIP: t.string().pb(6).doc("Address of the pod."),
  podIPs: t.listBy(PodIP, "ip").pb(12).mergeBy("ip").doc("The same, one per address family."),
  qosClass: t.oneOf("BestEffort", "Burstable", "Guaranteed").pb(9).doc("Guaranteed, Burstable or BestEffort, by its requests and limits."),
  reason: t.string().pb(4).doc("Why it is in this condition, in one word such as Evicted."),
  resize: t.string().pb(14).doc("How far a change of resources is; conditions now say this."),
  resourceClaimStatuses: t.listBy(PodResourceClaimStatus, "name").pb(15).mergeBy("name").retainKeys().doc("Claims made for the pod."),
  resources: ResourceRequirements.pb(20).doc("Requests and limits of the pod in force."),
  startTime: t.time().pb(7).pointer().doc("When the node took the pod on."),
});
export interface PodStatus extends t.Stored<typeof PodStatus> {}
