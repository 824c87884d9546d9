/** CRI v1 (k8s.io/cri-api runtime/v1) and the parts of containerd's own services that the agent uses, as tables: names and numbers. */
import type { Message } from "../base/protowire.ts";
import type { Method } from "./grpc.ts";

const Empty = {} as const;
const Int64Value = { value: [1, "int64"] } as const;
const KeyValue = { key: [1, "string"], value: [2, "string"] } as const;
const DNSConfig = { servers: [1, "string", "many"], searches: [2, "string", "many"], options: [3, "string", "many"] } as const;
const PortMapping = { protocol: [1, "enum"], containerPort: [2, "int32"], hostPort: [3, "int32"], hostIP: [4, "string"] } as const;
const Mount = { containerPath: [1, "string"], hostPath: [2, "string"], readonly: [3, "bool"], selinuxRelabel: [4, "bool"], propagation: [5, "enum"], recursiveReadOnly: [8, "bool"] } as const;
const NamespaceOption = { network: [1, "enum"], pid: [2, "enum"], ipc: [3, "enum"], targetID: [4, "string"] } as const;
const SecurityProfile = { profileType: [1, "enum"], localhostRef: [2, "string"] } as const;
const HugepageLimit = { pageSize: [1, "string"], limit: [2, "uint64"] } as const;
const LinuxContainerResources = {
  cpuPeriod: [1, "int64"], cpuQuota: [2, "int64"], cpuShares: [3, "int64"], memoryLimitInBytes: [4, "int64"], oomScoreAdj: [5, "int64"],
  cpusetCpus: [6, "string"], cpusetMems: [7, "string"], hugepageLimits: [8, HugepageLimit, "many"], unified: [9, "map"], memorySwapLimitInBytes: [10, "int64"],
} as const;
const LinuxSandboxSecurityContext = {
  namespaceOptions: [1, NamespaceOption], runAsUser: [3, Int64Value], readonlyRootfs: [4, "bool"], supplementalGroups: [5, "int64", "many"],
  privileged: [6, "bool"], runAsGroup: [8, Int64Value], seccomp: [9, SecurityProfile], apparmor: [10, SecurityProfile],
} as const;
const LinuxPodSandboxConfig = { cgroupParent: [1, "string"], securityContext: [2, LinuxSandboxSecurityContext], sysctls: [3, "map"], overhead: [4, LinuxContainerResources], resources: [5, LinuxContainerResources] } as const;
const PodSandboxMetadata = { name: [1, "string"], uid: [2, "string"], namespace: [3, "string"], attempt: [4, "uint32"] } as const;
export const PodSandboxConfig = {
  metadata: [1, PodSandboxMetadata], hostname: [2, "string"], logDirectory: [3, "string"], dnsConfig: [4, DNSConfig], portMappings: [5, PortMapping, "many"],
  labels: [6, "map"], annotations: [7, "map"], linux: [8, LinuxPodSandboxConfig],
} as const;
const PodSandboxId = { podSandboxId: [1, "string"] } as const;
const PodIP = { ip: [1, "string"] } as const;
const PodSandboxNetworkStatus = { ip: [1, "string"], additionalIPs: [2, PodIP, "many"] } as const;
const Namespace = { options: [2, NamespaceOption] } as const;
const LinuxPodSandboxStatus = { namespaces: [1, Namespace] } as const;
const PodSandboxStatus = {
  id: [1, "string"], metadata: [2, PodSandboxMetadata], state: [3, "enum"], createdAt: [4, "int64"], network: [5, PodSandboxNetworkStatus], linux: [6, LinuxPodSandboxStatus],
  labels: [7, "map"], annotations: [8, "map"], runtimeHandler: [9, "string"],
} as const;
const StateValue = { state: [1, "enum"] } as const;
const PodSandboxFilter = { id: [1, "string"], state: [2, StateValue], labelSelector: [3, "map"] } as const;
const PodSandbox = { id: [1, "string"], metadata: [2, PodSandboxMetadata], state: [3, "enum"], createdAt: [4, "int64"], labels: [5, "map"], annotations: [6, "map"], runtimeHandler: [7, "string"] } as const;

const ImageSpec = { image: [1, "string"], annotations: [2, "map"] } as const;
const Capability = { addCapabilities: [1, "string", "many"], dropCapabilities: [2, "string", "many"], addAmbientCapabilities: [3, "string", "many"] } as const;
const LinuxContainerSecurityContext = {
  capabilities: [1, Capability], privileged: [2, "bool"], namespaceOptions: [3, NamespaceOption], runAsUser: [5, Int64Value], runAsUsername: [6, "string"],
  readonlyRootfs: [7, "bool"], supplementalGroups: [8, "int64", "many"], noNewPrivs: [11, "bool"], runAsGroup: [12, Int64Value],
  maskedPaths: [13, "string", "many"], readonlyPaths: [14, "string", "many"], seccomp: [15, SecurityProfile], apparmor: [16, SecurityProfile],
} as const;
const LinuxContainerConfig = { resources: [1, LinuxContainerResources], securityContext: [2, LinuxContainerSecurityContext] } as const;
const ContainerMetadata = { name: [1, "string"], attempt: [2, "uint32"] } as const;
const Device = { containerPath: [1, "string"], hostPath: [2, "string"], permissions: [3, "string"] } as const;
export const ContainerConfig = {
  metadata: [1, ContainerMetadata], image: [2, ImageSpec], command: [3, "string", "many"], args: [4, "string", "many"], workingDir: [5, "string"], envs: [6, KeyValue, "many"],
  mounts: [7, Mount, "many"], devices: [8, Device, "many"], labels: [9, "map"], annotations: [10, "map"], logPath: [11, "string"], stdin: [12, "bool"], stdinOnce: [13, "bool"], tty: [14, "bool"],
  linux: [15, LinuxContainerConfig],
} as const;
const ContainerId = { containerId: [1, "string"] } as const;
const ContainerFilter = { id: [1, "string"], state: [2, StateValue], podSandboxId: [3, "string"], labelSelector: [4, "map"] } as const;
const Container = {
  id: [1, "string"], podSandboxId: [2, "string"], metadata: [3, ContainerMetadata], image: [4, ImageSpec], imageRef: [5, "string"], state: [6, "enum"], createdAt: [7, "int64"],
  labels: [8, "map"], annotations: [9, "map"],
} as const;
const ContainerStatus = {
  id: [1, "string"], metadata: [2, ContainerMetadata], state: [3, "enum"], createdAt: [4, "int64"], startedAt: [5, "int64"], finishedAt: [6, "int64"], exitCode: [7, "int32"],
  image: [8, ImageSpec], imageRef: [9, "string"], reason: [10, "string"], message: [11, "string"], labels: [12, "map"], annotations: [13, "map"], mounts: [14, Mount, "many"], logPath: [15, "string"],
} as const;
const Image = { id: [1, "string"], repoTags: [2, "string", "many"], repoDigests: [3, "string", "many"], size: [4, "uint64"], uid: [5, Int64Value], username: [6, "string"], spec: [7, ImageSpec], pinned: [8, "bool"] } as const;
const AuthConfig = { username: [1, "string"], password: [2, "string"], auth: [3, "string"], serverAddress: [4, "string"], identityToken: [5, "string"], registryToken: [6, "string"] } as const;
const UInt64Value = { value: [1, "uint64"] } as const;
const FilesystemUsage = { timestamp: [1, "int64"], fsID: [2, { mountpoint: [1, "string"] }], usedBytes: [3, UInt64Value], inodesUsed: [4, UInt64Value] } as const;
const RuntimeCondition = { type: [1, "string"], status: [2, "bool"], reason: [3, "string"], message: [4, "string"] } as const;

const method = <Q extends Message, A extends Message>(path: string, request: Q, answer: A): Method<Q, A> => ({ path, request, answer });
const runtime = <Q extends Message, A extends Message>(name: string, request: Q, answer: A): Method<Q, A> => method(`/runtime.v1.RuntimeService/${name}`, request, answer);
const image = <Q extends Message, A extends Message>(name: string, request: Q, answer: A): Method<Q, A> => method(`/runtime.v1.ImageService/${name}`, request, answer);

export const cri = {
  version: runtime("Version", { version: [1, "string"] }, { version: [1, "string"], runtimeName: [2, "string"], runtimeVersion: [3, "string"], runtimeApiVersion: [4, "string"] }),
  status: runtime("Status", { verbose: [1, "bool"] }, { status: [1, { conditions: [1, RuntimeCondition, "many"] }], info: [2, "map"] }),
  runPodSandbox: runtime("RunPodSandbox", { config: [1, PodSandboxConfig], runtimeHandler: [2, "string"] }, PodSandboxId),
  stopPodSandbox: runtime("StopPodSandbox", PodSandboxId, Empty),
  removePodSandbox: runtime("RemovePodSandbox", PodSandboxId, Empty),
  podSandboxStatus: runtime("PodSandboxStatus", { ...PodSandboxId, verbose: [2, "bool"] }, { status: [1, PodSandboxStatus], info: [2, "map"] }),
  listPodSandbox: runtime("ListPodSandbox", { filter: [1, PodSandboxFilter] }, { items: [1, PodSandbox, "many"] }),
  createContainer: runtime("CreateContainer", { podSandboxId: [1, "string"], config: [2, ContainerConfig], sandboxConfig: [3, PodSandboxConfig] }, ContainerId),
  startContainer: runtime("StartContainer", ContainerId, Empty),
  stopContainer: runtime("StopContainer", { containerId: [1, "string"], timeout: [2, "int64"] }, Empty),
  removeContainer: runtime("RemoveContainer", ContainerId, Empty),
  listContainers: runtime("ListContainers", { filter: [1, ContainerFilter] }, { containers: [1, Container, "many"] }),
  containerStatus: runtime("ContainerStatus", { containerId: [1, "string"], verbose: [2, "bool"] }, { status: [1, ContainerStatus], info: [2, "map"] }),
  updateContainerResources: runtime("UpdateContainerResources", { containerId: [1, "string"], linux: [2, LinuxContainerResources], annotations: [4, "map"] }, Empty),
  reopenContainerLog: runtime("ReopenContainerLog", ContainerId, Empty),
  execSync: runtime("ExecSync", { containerId: [1, "string"], cmd: [2, "string", "many"], timeout: [3, "int64"] }, { stdout: [1, "bytes"], stderr: [2, "bytes"], exitCode: [3, "int32"] }),
  attach: runtime("Attach", { containerId: [1, "string"], stdin: [2, "bool"], tty: [3, "bool"], stdout: [4, "bool"], stderr: [5, "bool"] }, { url: [1, "string"] }),
  portForward: runtime("PortForward", { podSandboxId: [1, "string"], port: [2, "int32", "many"] }, { url: [1, "string"] }),
  updateRuntimeConfig: runtime("UpdateRuntimeConfig", { runtimeConfig: [1, { networkConfig: [1, { podCIDR: [1, "string"] }] }] }, Empty),
  listContainerStats: runtime("ListContainerStats", Empty, { stats: [1, { attributes: [1, { id: [1, "string"] }], writableLayer: [4, FilesystemUsage] }, "many"] }),
  listImages: image("ListImages", { filter: [1, { image: [1, ImageSpec] }] }, { images: [1, Image, "many"] }),
  imageStatus: image("ImageStatus", { image: [1, ImageSpec], verbose: [2, "bool"] }, { image: [1, Image], info: [2, "map"] }),
  pullImage: image("PullImage", { image: [1, ImageSpec], auth: [2, AuthConfig], sandboxConfig: [3, PodSandboxConfig] }, { imageRef: [1, "string"] }),
  removeImage: image("RemoveImage", { image: [1, ImageSpec] }, Empty),
  imageFsInfo: image("ImageFsInfo", Empty, { imageFilesystems: [1, FilesystemUsage, "many"] }),
} as const;

const Any = { typeUrl: [1, "string"], value: [2, "bytes"] } as const;
const SnapshotMount = { type: [1, "string"], source: [2, "string"], target: [3, "string"], options: [4, "string", "many"] } as const;
const Timestamp = { seconds: [1, "int64"], nanos: [2, "int32"] } as const;
export const TaskExit = { containerId: [1, "string"], id: [2, "string"], pid: [3, "uint32"], exitStatus: [4, "uint32"], exitedAt: [5, Timestamp] } as const;
const containerd = <Q extends Message, A extends Message>(name: string, request: Q, answer: A): Method<Q, A> => method(`/containerd.services.${name}`, request, answer);

/** containerd's own services. Each call needs the header `containerd-namespace: k8s.io`. */
export const ctrd = {
  subscribe: containerd("events.v1.Events/Subscribe", { filters: [1, "string", "many"] }, { timestamp: [1, Timestamp], namespace: [2, "string"], topic: [3, "string"], event: [4, Any] }),
  containerGet: containerd("containers.v1.Containers/Get", { id: [1, "string"] }, { container: [1, { id: [1, "string"], image: [3, "string"], spec: [5, Any] }] }),
  snapshotView: containerd("snapshots.v1.Snapshots/View", { snapshotter: [1, "string"], key: [2, "string"], parent: [3, "string"], labels: [4, "map"] }, { mounts: [1, SnapshotMount, "many"] }),
  snapshotMounts: containerd("snapshots.v1.Snapshots/Mounts", { snapshotter: [1, "string"], key: [2, "string"] }, { mounts: [1, SnapshotMount, "many"] }),
  snapshotRemove: containerd("snapshots.v1.Snapshots/Remove", { snapshotter: [1, "string"], key: [2, "string"] }, Empty),
  taskGet: containerd("tasks.v1.Tasks/Get", { containerId: [1, "string"], execId: [2, "string"] }, { process: [1, { containerId: [1, "string"], id: [2, "string"], pid: [3, "uint32"], status: [4, "enum"] }] }),
  taskExec: containerd("tasks.v1.Tasks/Exec", { containerId: [1, "string"], stdin: [2, "string"], stdout: [3, "string"], stderr: [4, "string"], terminal: [5, "bool"], spec: [6, Any], execId: [7, "string"] }, Empty),
  taskStart: containerd("tasks.v1.Tasks/Start", { containerId: [1, "string"], execId: [2, "string"] }, { pid: [1, "uint32"] }),
  taskCloseIO: containerd("tasks.v1.Tasks/CloseIO", { containerId: [1, "string"], execId: [2, "string"], stdin: [3, "bool"] }, Empty),
  taskResizePty: containerd("tasks.v1.Tasks/ResizePty", { containerId: [1, "string"], execId: [2, "string"], width: [3, "uint32"], height: [4, "uint32"] }, Empty),
  taskWait: containerd("tasks.v1.Tasks/Wait", { containerId: [1, "string"], execId: [2, "string"] }, { exitStatus: [1, "uint32"], exitedAt: [2, Timestamp] }),
  taskDeleteProcess: containerd("tasks.v1.Tasks/DeleteProcess", { containerId: [1, "string"], execId: [2, "string"] }, { id: [1, "string"], pid: [2, "uint32"], exitStatus: [3, "uint32"], exitedAt: [4, Timestamp] }),
  taskKill: containerd("tasks.v1.Tasks/Kill", { containerId: [1, "string"], execId: [2, "string"], signal: [3, "uint32"], all: [4, "bool"] }, Empty),
} as const;
