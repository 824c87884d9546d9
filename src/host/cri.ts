/** containerd (or any CRI v1 runtime) as a `ContainerRuntime`. Exits come from containerd's own event stream, which CRI 1.6 lacks. */
import { decodeMessage, type Message, type Wire } from "../base/protowire.ts";
import { label, RuntimeError, type ContainerConfig, type ContainerResources, type ContainerRuntime, type ContainerState, type Credentials, type ExecResult, type ImageState, type Listed, type PodState, type RuntimeCondition, type SandboxConfig, type SandboxState } from "../node/runtime.ts";
import { cri, ctrd, TaskExit } from "./cri-messages.ts";
import { GrpcClient, GrpcError, grpcCode, isGrpcError, type Method } from "./grpc.ts";

/** Time limits in milliseconds: upstream's runtime-request-timeout, and longer where work is expected. */
export const limit = { quick: 10_000, request: 120_000, pull: 3_600_000, exec: 60_000 } as const;
const snapshotter = "overlayfs";
const containerStates = ["created", "running", "exited", "unknown"] as const;

/** `operation` is upstream's name of the call; `failed` whatever the reason. */
type Called = (operation: string, ms: number, failed: boolean) => void;

export class CriRuntime implements ContainerRuntime {
  readonly #grpc: GrpcClient;
  readonly #containerd: GrpcClient;
  readonly #beforePull: ((reference: string) => Promise<Credentials | undefined>) | undefined;
  readonly #afterPull: (() => Promise<void>) | undefined;
  readonly #called: Called | undefined;
  /** `beforePull` may make a registry reachable that is not, and knows who asks it when nobody is named; a pull is over when `afterPull` is. `called` hears of every call of CRI when it is over. */
  constructor(socket: string, { beforePull, afterPull, called }: { readonly beforePull?: (reference: string) => Promise<Credentials | undefined>; readonly afterPull?: () => Promise<void>; readonly called?: Called } = {}) {
    this.#beforePull = beforePull;
    this.#afterPull = afterPull;
    this.#called = called;
    this.#grpc = new GrpcClient(socket);
    this.#containerd = new GrpcClient(socket, { "containerd-namespace": "k8s.io" });
  }

  close(): void {
    this.#grpc.close();
    this.#containerd.close();
  }

  async #call<Q extends Message, A extends Message>(method: Method<Q, A>, request: Wire<Q>, timeoutMs: number = limit.request): Promise<Wire<A>> {
    const began = performance.now();
    let failed = true;
    try {
      const answer = await this.#grpc.call(method, request, { timeoutMs });
      failed = false;
      return answer;
    } catch (error) {
      throw error instanceof GrpcError ? translated(error) : error;
    } finally {
      this.#called?.(operationOf(method.path), performance.now() - began, failed);
    }
  }

  async version(): Promise<{ readonly name: string; readonly version: string }> {
    const answer = await this.#call(cri.version, { version: "v1" }, limit.quick);
    return { name: answer.runtimeName ?? "", version: answer.runtimeVersion ?? "" };
  }
  async conditions(): Promise<readonly RuntimeCondition[]> {
    const answer = await this.#call(cri.status, {}, limit.quick);
    return (answer.status?.conditions ?? []).map(({ type = "", status = false, reason = "", message = "" }) => ({ type, status, reason, message }));
  }

  async runSandbox(config: SandboxConfig, handler: string): Promise<string> {
    return (await this.#call(cri.runPodSandbox, { config, runtimeHandler: handler }, limit.request * 2)).podSandboxId ?? "";
  }
  async stopSandbox(id: string): Promise<void> {
    await this.#call(cri.stopPodSandbox, { podSandboxId: id });
  }
  async removeSandbox(id: string): Promise<void> {
    await this.#call(cri.removePodSandbox, { podSandboxId: id });
  }

  async createContainer(sandboxId: string, config: ContainerConfig, sandbox: SandboxConfig): Promise<string> {
    return (await this.#call(cri.createContainer, { podSandboxId: sandboxId, config, sandboxConfig: sandbox })).containerId ?? "";
  }
  async startContainer(id: string): Promise<void> {
    await this.#call(cri.startContainer, { containerId: id });
  }
  async stopContainer(id: string, graceSeconds: number): Promise<void> {
    await this.#call(cri.stopContainer, { containerId: id, timeout: graceSeconds }, limit.request + graceSeconds * 1000);
  }
  async removeContainer(id: string): Promise<void> {
    await this.#call(cri.removeContainer, { containerId: id });
  }
  async updateResources(id: string, linux: ContainerResources): Promise<void> {
    await this.#call(cri.updateContainerResources, { containerId: id, linux });
  }
  async reopenLog(id: string): Promise<void> {
    await this.#call(cri.reopenContainerLog, { containerId: id });
  }

  async execSync(id: string, command: readonly string[], timeoutSeconds: number): Promise<ExecResult> {
    const timeoutMs = timeoutSeconds > 0 ? timeoutSeconds * 1000 + limit.quick : limit.exec;
    const { stdout = new Uint8Array(), stderr = new Uint8Array(), exitCode = 0 } = await this.#call(cri.execSync, { containerId: id, cmd: command, timeout: timeoutSeconds }, timeoutMs);
    return { stdout, stderr, exitCode };
  }

  async podState(uid: string): Promise<PodState> {
    const labelSelector = { [label.podUID]: uid };
    const [sandboxes, containers] = await Promise.all([
      this.#call(cri.listPodSandbox, { filter: { labelSelector } }), this.#call(cri.listContainers, { filter: { labelSelector } }),
    ]);
    const [sandboxStates, states] = await Promise.all([
      Promise.all((sandboxes.items ?? []).map(item => this.#gone(this.#sandbox(item.id ?? "")))),
      Promise.all((containers.containers ?? []).map(item => this.#gone(this.#container(item.id ?? "", item.podSandboxId ?? "")))),
    ]);
    return { sandboxes: newestFirst(sandboxStates), containers: newestFirst(states) };
  }

  /** What was removed between the list and the look is simply not there. */
  async #gone<T>(state: Promise<T>): Promise<T | undefined> {
    try {
      return await state;
    } catch (error) {
      if (error instanceof RuntimeError && error.kind === "not-found") return undefined;
      throw error;
    }
  }
  async #sandbox(id: string): Promise<SandboxState> {
    const { status = {} } = await this.#call(cri.podSandboxStatus, { podSandboxId: id });
    const ips = [status.network?.ip ?? "", ...(status.network?.additionalIPs ?? []).map(({ ip = "" }) => ip)].filter(ip => ip !== "");
    return {
      id, uid: status.metadata?.uid ?? "", name: status.metadata?.name ?? "", namespace: status.metadata?.namespace ?? "", attempt: status.metadata?.attempt ?? 0,
      ready: (status.state ?? 0) === 0, createdAt: milliseconds(status.createdAt), ips, annotations: status.annotations ?? {}, hostNetwork: status.linux?.namespaces?.options?.network === 2,
    };
  }
  async #container(id: string, sandboxId: string): Promise<ContainerState> {
    const { status = {} } = await this.#call(cri.containerStatus, { containerId: id });
    return {
      id, sandboxId, name: status.metadata?.name ?? "", attempt: status.metadata?.attempt ?? 0, state: containerStates[status.state ?? 0] ?? "unknown",
      createdAt: milliseconds(status.createdAt), startedAt: milliseconds(status.startedAt), finishedAt: milliseconds(status.finishedAt),
      exitCode: status.exitCode ?? 0, reason: status.reason ?? "", message: status.message ?? "", image: status.image?.image ?? "", imageRef: status.imageRef ?? "",
      labels: status.labels ?? {}, annotations: status.annotations ?? {}, logPath: status.logPath ?? "",
    };
  }

  async list(): Promise<{ readonly sandboxes: readonly Listed[]; readonly containers: readonly Listed[] }> {
    const [sandboxes, containers] = await Promise.all([this.#call(cri.listPodSandbox, {}), this.#call(cri.listContainers, {})]);
    return {
      sandboxes: (sandboxes.items ?? []).map(item => ({ id: item.id ?? "", podUID: item.labels?.[label.podUID] ?? "", state: (item.state ?? 0) === 0 ? "ready" : "notready" })),
      containers: (containers.containers ?? []).map(item => ({ id: item.id ?? "", podUID: item.labels?.[label.podUID] ?? "", state: containerStates[item.state ?? 0] ?? "unknown" })),
    };
  }

  async events(onChange: (id: string, what: "started" | "ended") => void, signal: AbortSignal): Promise<void> {
    try {
      await this.#containerd.subscribe(ctrd.subscribe, { filters: [`topic~="/tasks/(exit|start)"`] }, ({ topic, event }) => {
        // A start has the container's id in the same place, and no other.
        const { containerId = "", id = "" } = decodeMessage(TaskExit, event?.value ?? new Uint8Array());
        // The exit of an exec'd process carries its own id; only the main process' matters.
        if (topic !== "/tasks/exit" || id === containerId) onChange(containerId, topic === "/tasks/exit" ? "ended" : "started");
      }, signal);
    } catch (error) {
      throw error instanceof GrpcError ? translated(error) : error;
    }
    if (!signal.aborted) throw new RuntimeError("unavailable", "the runtime's event stream ended");
  }

  async writableLayers(): Promise<ReadonlyMap<string, { readonly bytes: number; readonly inodes: number }>> {
    const { stats = [] } = await this.#call(cri.listContainerStats, {});
    return new Map(stats.map(({ attributes, writableLayer }) => [attributes?.id ?? "", { bytes: writableLayer?.usedBytes?.value ?? 0, inodes: writableLayer?.inodesUsed?.value ?? 0 }]));
  }
  async images(): Promise<readonly ImageState[]> {
    return ((await this.#call(cri.listImages, {})).images ?? []).map(imageState);
  }
  async image(reference: string): Promise<ImageState | undefined> {
    const { image } = await this.#call(cri.imageStatus, { image: { image: reference } });
    return image && imageState(image);
  }
  async pullImage(reference: string, auth: Credentials | undefined, sandboxConfig: SandboxConfig | undefined): Promise<string> {
    const known = await this.#beforePull?.(reference);
    const who = auth ?? known;
    const answer = await this.#call(cri.pullImage, { image: { image: reference }, ...(who && { auth: who }), ...(sandboxConfig && { sandboxConfig }) }, limit.pull);
    await this.#afterPull?.();
    return answer.imageRef ?? "";
  }
  async removeImage(reference: string): Promise<void> {
    await this.#call(cri.removeImage, { image: { image: reference } });
  }

  async viewImage(reference: string, name: string): Promise<{ readonly type: string; readonly source: string; readonly options: readonly string[] }> {
    const { info } = await this.#call(cri.imageStatus, { image: { image: reference }, verbose: true });
    const { chainID } = JSON.parse(info?.["info"] ?? "{}") as { readonly chainID?: string };
    if (!chainID) throw new RuntimeError("failed", `the runtime does not say how image ${reference} is laid out`);
    const made = await this.#containerd.call(ctrd.snapshotView, { snapshotter, key: name, parent: chainID, labels: { "containerd.io/gc.root": "1970-01-01T00:00:00Z" } }, { timeoutMs: limit.quick }).catch((error: unknown) => {
      if (!isGrpcError(error, grpcCode.alreadyExists)) throw error;
      return this.#containerd.call(ctrd.snapshotMounts, { snapshotter, key: name }, { timeoutMs: limit.quick });
    });
    const [mount] = made.mounts ?? [];
    if (!mount) throw new RuntimeError("failed", `the runtime gives no mount for image ${reference}`);
    return { type: mount.type ?? "", source: mount.source ?? "", options: mount.options ?? [] };
  }
  async releaseView(name: string): Promise<void> {
    try {
      await this.#containerd.call(ctrd.snapshotRemove, { snapshotter, key: name }, { timeoutMs: limit.quick });
    } catch (error) {
      if (!isGrpcError(error, grpcCode.notFound)) throw error;
    }
  }

  /** Where containerd's streaming server lets one client join the container's streams, once. */
  async attachUrl(id: string, streams: { readonly stdin: boolean; readonly stdout: boolean; readonly stderr: boolean; readonly tty: boolean }): Promise<string> {
    return (await this.#call(cri.attach, { containerId: id, ...streams })).url ?? "";
  }
  async portForwardUrl(sandboxId: string, port: number): Promise<string> {
    return (await this.#call(cri.portForward, { podSandboxId: sandboxId, port: [port] })).url ?? "";
  }
  /** The sandbox's runtime facts (`pid`, `runtimeSpec`), as containerd tells them in verbose mode. */
  async sandboxInfo(id: string): Promise<{ readonly [key: string]: string }> {
    return (await this.#call(cri.podSandboxStatus, { podSandboxId: id, verbose: true })).info ?? {};
  }
  /** containerd's own services, for what CRI cannot do. */
  get containerd(): GrpcClient {
    return this.#containerd;
  }
}

function translated(error: GrpcError): RuntimeError {
  if (error.code === grpcCode.notFound) return new RuntimeError("not-found", error.message);
  if (error.code === grpcCode.deadlineExceeded) return new RuntimeError("deadline", error.message);
  if (error.code === grpcCode.unavailable) return new RuntimeError("unavailable", error.message);
  // containerd pkg/cri/server/container_remove.go has no code of its own for it.
  return new RuntimeError(error.message.endsWith("container is in starting state, can't be removed") ? "starting" : "failed", error.message);
}

const operations = new Map<string, string>();
/** `run_podsandbox` for `/runtime.v1.RuntimeService/RunPodSandbox` (upstream: kuberuntime/instrumented_services.go). */
export function operationOf(path: string): string {
  let name = operations.get(path);
  if (name === undefined) {
    name = path.slice(path.lastIndexOf("/") + 1).replace("PodSandbox", "Podsandbox").replace(/(?!^)[A-Z]/g, "_$&").toLowerCase();
    // The one that is called otherwise there.
    if (name === "update_container_resources") name = "update_container";
    operations.set(path, name);
  }
  return name;
}

function milliseconds(nanoseconds: number | undefined): number {
  return Math.floor((nanoseconds ?? 0) / 1e6);
}

function newestFirst<T extends { readonly createdAt: number; readonly attempt: number }>(states: readonly (T | undefined)[]): readonly T[] {
  return states.filter(state => state !== undefined).sort((a, b) => b.createdAt - a.createdAt || b.attempt - a.attempt);
}

function imageState(image: Wire<(typeof cri.imageStatus.answer)["image"][1]>): ImageState {
  return {
    id: image.id ?? "", tags: image.repoTags ?? [], digests: image.repoDigests ?? [], size: image.size ?? 0, pinned: image.pinned ?? false,
    ...(image.uid && { uid: image.uid.value ?? 0 }), ...(image.username ? { username: image.username } : {}),
  };
}
