/**
 * What runs containers, as the agent sees it: CRI's words, without its wire. Implemented by `host/cri.ts` on containerd and by
 * `node/simulated.ts` as a state machine. Failures are `RuntimeError`s; a call may also throw anything else when the runtime is gone.
 */

/** `starting`: not while the container is being started, which has an end soon. */
export type RuntimeErrorKind = "not-found" | "failed" | "unavailable" | "deadline" | "starting";

/** The runtime refused or failed; `message` is its own text, which users see in events. */
export class RuntimeError extends Error {
  override name = "RuntimeError";
  readonly kind: RuntimeErrorKind;
  constructor(kind: RuntimeErrorKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

export type StringMap = { readonly [key: string]: string };
export const NamespaceMode = { pod: 0, container: 1, node: 2, target: 3 } as const;
export const Propagation = { private: 0, hostToContainer: 1, bidirectional: 2 } as const;
export const Profile = { runtimeDefault: 0, unconfined: 1, localhost: 2 } as const;
export const Protocol = { TCP: 0, UDP: 1, SCTP: 2 } as const;

export type NamespaceOptions = { readonly network: number; readonly pid: number; readonly ipc: number; readonly targetID?: string };
export type SecurityProfile = { readonly profileType: number; readonly localhostRef?: string };
export type Int64 = { readonly value: number };
export type ContainerResources = {
  readonly cpuPeriod?: number; readonly cpuQuota?: number; readonly cpuShares?: number; readonly memoryLimitInBytes?: number; readonly oomScoreAdj?: number;
  readonly hugepageLimits?: readonly { readonly pageSize: string; readonly limit: number }[];
};

export type SandboxConfig = {
  readonly metadata: { readonly name: string; readonly uid: string; readonly namespace: string; readonly attempt: number };
  readonly hostname: string;
  readonly logDirectory: string;
  readonly dnsConfig?: { readonly servers: readonly string[]; readonly searches: readonly string[]; readonly options: readonly string[] };
  readonly portMappings: readonly { readonly protocol: number; readonly containerPort: number; readonly hostPort: number; readonly hostIP: string }[];
  readonly labels: StringMap;
  readonly annotations: StringMap;
  readonly linux: {
    readonly cgroupParent: string;
    readonly sysctls: StringMap;
    readonly securityContext: {
      readonly namespaceOptions: NamespaceOptions; readonly privileged: boolean; readonly seccomp: SecurityProfile; readonly apparmor?: SecurityProfile;
      readonly runAsUser?: Int64; readonly runAsGroup?: Int64; readonly supplementalGroups?: readonly number[]; readonly readonlyRootfs?: boolean;
    };
  };
};

export type Mount = { readonly containerPath: string; readonly hostPath: string; readonly readonly?: boolean; readonly propagation?: number; readonly recursiveReadOnly?: boolean };
export type ContainerConfig = {
  readonly metadata: { readonly name: string; readonly attempt: number };
  readonly image: { readonly image: string };
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly workingDir: string;
  readonly envs: readonly { readonly key: string; readonly value: string }[];
  readonly mounts: readonly Mount[];
  readonly devices: readonly { readonly containerPath: string; readonly hostPath: string; readonly permissions: string }[];
  readonly labels: StringMap;
  readonly annotations: StringMap;
  readonly logPath: string;
  readonly stdin: boolean;
  readonly stdinOnce: boolean;
  readonly tty: boolean;
  readonly linux: {
    readonly resources: ContainerResources;
    readonly securityContext: {
      readonly capabilities?: { readonly addCapabilities: readonly string[]; readonly dropCapabilities: readonly string[] };
      readonly privileged: boolean; readonly namespaceOptions: NamespaceOptions; readonly runAsUser?: Int64; readonly runAsGroup?: Int64; readonly runAsUsername?: string;
      readonly readonlyRootfs: boolean; readonly supplementalGroups: readonly number[]; readonly noNewPrivs: boolean;
      readonly maskedPaths: readonly string[]; readonly readonlyPaths: readonly string[]; readonly seccomp: SecurityProfile; readonly apparmor?: SecurityProfile;
    };
  };
};

/** Times are milliseconds since the epoch; 0 means never. */
export type SandboxState = {
  readonly id: string; readonly uid: string; readonly name: string; readonly namespace: string; readonly attempt: number;
  readonly ready: boolean; readonly createdAt: number; readonly ips: readonly string[]; readonly annotations: StringMap; readonly hostNetwork: boolean;
};
export type ContainerState = {
  readonly id: string; readonly sandboxId: string; readonly name: string; readonly attempt: number;
  readonly state: "created" | "running" | "exited" | "unknown";
  readonly createdAt: number; readonly startedAt: number; readonly finishedAt: number;
  readonly exitCode: number; readonly reason: string; readonly message: string;
  readonly image: string; readonly imageRef: string; readonly labels: StringMap; readonly annotations: StringMap; readonly logPath: string;
};
/** Everything the runtime holds of one pod: sandboxes newest first, containers newest first. */
export type PodState = { readonly sandboxes: readonly SandboxState[]; readonly containers: readonly ContainerState[] };
/** What a relist says, cheap to get for a whole node. */
export type Listed = { readonly id: string; readonly podUID: string; readonly state: string };

export type ImageState = { readonly id: string; readonly tags: readonly string[]; readonly digests: readonly string[]; readonly size: number; readonly uid?: number; readonly username?: string; readonly pinned: boolean };
export type Credentials = { readonly username?: string; readonly password?: string; readonly auth?: string; readonly serverAddress?: string; readonly identityToken?: string; readonly registryToken?: string };
export type RuntimeCondition = { readonly type: string; readonly status: boolean; readonly reason: string; readonly message: string };
export type ExecResult = { readonly stdout: Uint8Array; readonly stderr: Uint8Array; readonly exitCode: number };

export interface ContainerRuntime {
  version(): Promise<{ readonly name: string; readonly version: string }>;
  conditions(): Promise<readonly RuntimeCondition[]>;
  runSandbox(config: SandboxConfig, handler: string): Promise<string>;
  stopSandbox(id: string): Promise<void>;
  removeSandbox(id: string): Promise<void>;
  createContainer(sandboxId: string, config: ContainerConfig, sandbox: SandboxConfig): Promise<string>;
  startContainer(id: string): Promise<void>;
  /** TERM (or the image's stop signal), then KILL after `graceSeconds`. Resolves when it has ended. */
  stopContainer(id: string, graceSeconds: number): Promise<void>;
  removeContainer(id: string): Promise<void>;
  updateResources(id: string, resources: ContainerResources): Promise<void>;
  reopenLog(id: string): Promise<void>;
  /** Throws `RuntimeError` deadline when the command runs longer than `timeoutSeconds` (0: no limit). */
  execSync(id: string, command: readonly string[], timeoutSeconds: number): Promise<ExecResult>;
  podState(uid: string): Promise<PodState>;
  /** All sandboxes and containers of this node, of whatever pod. */
  list(): Promise<{ readonly sandboxes: readonly Listed[]; readonly containers: readonly Listed[] }>;
  /** Calls back with a container or sandbox id whenever one has started or ended, until `signal` aborts or the stream breaks (then it throws). */
  events(onChange: (id: string, what: "started" | "ended") => void, signal: AbortSignal): Promise<void>;
  /** What each container has written into its own layer, by id; the runtime may be some seconds behind. */
  writableLayers(): Promise<ReadonlyMap<string, { readonly bytes: number; readonly inodes: number }>>;
  images(): Promise<readonly ImageState[]>;
  image(reference: string): Promise<ImageState | undefined>;
  /** Resolves to the image's id. */
  pullImage(reference: string, credentials: Credentials | undefined, sandbox: SandboxConfig | undefined): Promise<string>;
  removeImage(reference: string): Promise<void>;
  /** How to mount an image's files, read-only, under a name of ours; the same name gives the same mount again. */
  viewImage(reference: string, name: string): Promise<{ readonly type: string; readonly source: string; readonly options: readonly string[] }>;
  releaseView(name: string): Promise<void>;
}

/** Labels and annotations that say whose a container is: upstream's (pkg/kubelet/types/labels.go), so that other tools understand them; the role (main, init, sidecar, ephemeral) is ours. */
export const label = {
  podName: "io.kubernetes.pod.name", podNamespace: "io.kubernetes.pod.namespace", podUID: "io.kubernetes.pod.uid", containerName: "io.kubernetes.container.name",
  role: "timonier.dev/container-role",
} as const;
export const annotation = {
  hash: "io.kubernetes.container.hash", restartCount: "io.kubernetes.container.restartCount", terminationMessagePath: "io.kubernetes.container.terminationMessagePath",
  terminationMessagePolicy: "io.kubernetes.container.terminationMessagePolicy", podGracePeriod: "io.kubernetes.pod.terminationGracePeriod",
  podDeletionGracePeriod: "io.kubernetes.pod.deletionGracePeriod", preStop: "io.kubernetes.container.preStopHandler", ports: "io.kubernetes.container.ports",
} as const;
