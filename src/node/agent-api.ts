/** The agent's answers to the API server: finds the pod and its container, then hands on to logs and streams. */
import { ApiError } from "../base/api-error.ts";
import type { Clock } from "../base/clock.ts";
import type { Json } from "../base/json.ts";
import { msOf } from "../base/time.ts";
import type { Pod } from "../kinds/core/pod.ts";
import type { ContainerStatus } from "../kinds/core/podstatus.ts";
import type { Agent } from "./agent.ts";
import type { AttachRequest, ByteSink, ContainerAddress, Duplex, ExecRequest, LogRequest, NodeApi, ProcessStreams, RunningPod } from "./api.ts";
import { containerOf, containersOf, statusOf } from "./containers.ts";
import { copyLog, type LogFiles } from "./logs.ts";
import type { PodWorker } from "./pod-worker.ts";
import type { ContainerRuntime, ContainerState, SandboxState } from "./runtime.ts";
import { cadvisorMetrics } from "./cadvisor-metrics.ts";
import type { AgentFigures } from "./figures.ts";
import { observeNode } from "./node-figures.ts";
import type { ClaimUsage, Stats } from "./stats.ts";
import { idText } from "./status.ts";

/** Joins a client's streams to processes and ports of containers; the part of a runtime that carries bytes. */
export interface RuntimeStreams {
  exec(containerId: string, command: readonly string[], tty: boolean, streams: ProcessStreams, signal: AbortSignal): Promise<{ readonly exitCode: number }>;
  attach(containerId: string, tty: boolean, streams: ProcessStreams, signal: AbortSignal): Promise<void>;
  portForward(sandbox: SandboxState, port: number, local: Duplex, signal: AbortSignal): Promise<void>;
}
type Tools = { readonly runtime: ContainerRuntime; readonly streams: RuntimeStreams; readonly logs: LogFiles; readonly clock: Clock; readonly stats: Stats; readonly configuration: () => Json; /** Absent: nobody counts. */ readonly figures?: AgentFigures };

export class AgentApi implements NodeApi {
  readonly #agent: Agent;
  readonly #tools: Tools;
  /** Measured for the answer that is being written. */
  #claims: readonly ClaimUsage[] = [];
  constructor(agent: Agent, tools: Tools) {
    this.#agent = agent;
    this.#tools = tools;
    if (tools.figures) observeNode(tools.figures.metrics, () => this.#agent.seen(), () => this.#claims);
  }

  pods(): readonly Pod[] {
    return [...this.#agent.workers.values()].map(({ pod }) => pod);
  }

  async logs(request: LogRequest): Promise<(out: ByteSink, signal: AbortSignal) => Promise<void>> {
    const worker = this.#worker(request);
    const { pod } = worker;
    const name = this.#containerName(pod, request);
    const id = loggedContainer(pod.metadata.name ?? "", statusOf(pod, name), name, request.previous === true);
    const state = await this.#tools.runtime.podState(pod.metadata.uid ?? "");
    const container = state.containers.find(each => idText(each) === id);
    if (!container) throw new ApiError("BadRequest", `container "${name}" in pod "${pod.metadata.name}" is not available`);
    const since = request.sinceTime !== undefined ? msOf(request.sinceTime) : request.sinceSeconds !== undefined ? this.#tools.clock.now() - request.sinceSeconds * 1000 : undefined;
    const options = {
      follow: request.follow === true && request.previous !== true, timestamps: request.timestamps === true, stream: request.stream ?? "All", ...(since !== undefined && { since }),
      ...(request.tailLines !== undefined && { tailLines: request.tailLines }), ...(request.limitBytes !== undefined && { limitBytes: request.limitBytes }),
    } as const;
    const running = async (): Promise<boolean> => {
      const now = (await this.#tools.runtime.podState(pod.metadata.uid ?? "")).containers.find(each => each.id === container.id);
      return now?.state === "running" || now?.state === "created";
    };
    return (out, signal) => copyLog(container.logPath, this.#tools.logs, options, out, running, signal);
  }

  async exec(request: ExecRequest): Promise<(streams: ProcessStreams, signal: AbortSignal) => Promise<{ readonly exitCode: number }>> {
    const { id } = await this.#running(request);
    return (streams, signal) => this.#tools.streams.exec(id, request.command, request.tty, streams, signal);
  }
  async attach(request: AttachRequest): Promise<(streams: ProcessStreams, signal: AbortSignal) => Promise<void>> {
    const container = await this.#running(request);
    const tty = containerOf(this.#worker(request).pod, container.name)?.container.tty ?? false;
    return (streams, signal) => this.#tools.streams.attach(container.id, tty, streams, signal);
  }
  async portForward(request: { readonly namespace: string; readonly pod: string; readonly uid?: string }, port: number, local: Duplex, signal: AbortSignal): Promise<void> {
    const { pod } = this.#worker(request);
    const [sandbox] = (await this.#tools.runtime.podState(pod.metadata.uid ?? "")).sandboxes;
    if (!sandbox?.ready) throw new ApiError("NotFound", `pod not found ("${pod.metadata.name}_${pod.metadata.namespace}")`);
    await this.#tools.streams.portForward(sandbox, port, local, signal);
  }

  statsSummary(brief: boolean): Promise<Json> {
    return this.#tools.stats.summary(this.#agent.seen(), brief);
  }
  cadvisorMetrics(): string {
    const { stats, clock } = this.#tools;
    return cadvisorMetrics(stats.figures(this.#agent.seen()), stats.machine(), clock.now());
  }
  async metrics(): Promise<string> {
    const { figures, stats } = this.#tools;
    if (!figures) throw new ApiError("NotFound", "this node does not count what it does");
    this.#claims = await stats.claims(this.#agent.seen());
    return figures.metrics.render();
  }
  probeMetrics(): string {
    const { figures } = this.#tools;
    if (!figures) throw new ApiError("NotFound", "this node does not count what it does");
    return figures.probes.render();
  }
  async runningPods(): Promise<readonly RunningPod[]> {
    const { runtime } = this.#tools;
    const { sandboxes, containers } = await runtime.list();
    const uids = new Set([...sandboxes.filter(({ state }) => state === "ready"), ...containers.filter(({ state }) => state === "running")].map(({ podUID }) => podUID));
    const found: RunningPod[] = [];
    for (const uid of uids) {
      const { sandboxes: [sandbox], containers: all } = await runtime.podState(uid);
      // Gone since the list.
      if (sandbox === undefined) continue;
      found.push({ metadata: { name: sandbox.name, namespace: sandbox.namespace, uid }, spec: { containers: all.filter(({ state }) => state === "running").map(({ name, image }) => ({ name, image, resources: {} })) }, status: {} });
    }
    return found;
  }
  configuration(): Json {
    return this.#tools.configuration();
  }
  healthz(): Promise<void> {
    const { problem } = this.#agent;
    return problem === undefined ? Promise.resolve() : Promise.reject(new Error(problem));
  }

  #worker({ namespace, pod, uid }: { readonly namespace: string; readonly pod: string; readonly uid?: string }): PodWorker {
    const worker = this.#agent.workerOf(namespace, pod, uid);
    if (!worker) throw new ApiError("NotFound", `pod "${pod}" not found`);
    return worker;
  }
  #containerName(pod: Pod, { container }: ContainerAddress): string {
    const name = container || pod.metadata.annotations?.["kubectl.kubernetes.io/default-container"] || pod.spec.containers[0]?.name || "";
    if (!containersOf(pod).some(each => each.container.name === name)) throw new ApiError("BadRequest", `container ${name} is not valid for pod ${pod.metadata.name}`);
    return name;
  }
  async #running(request: ContainerAddress): Promise<ContainerState> {
    const { pod } = this.#worker(request);
    const name = this.#containerName(pod, request);
    const state = await this.#tools.runtime.podState(pod.metadata.uid ?? "");
    const found = state.containers.find(container => container.name === name && container.state === "running");
    if (!found) throw new ApiError("NotFound", `container not found ("${name}")`);
    return found;
  }
}

/** Which container's log is meant, by upstream's rules and words (kubelet_pods.go: validateContainerLogStatus). */
export function loggedContainer(pod: string, status: ContainerStatus | undefined, name: string, previous: boolean): string {
  const refuse = (what: string): ApiError => new ApiError("BadRequest", `container "${name}" in pod "${pod}" ${what}`);
  if (!status) throw refuse("is not available");
  const { state, lastState } = status;
  if (previous) {
    if (!lastState.terminated?.containerID) throw new ApiError("BadRequest", `previous terminated container "${name}" in pod "${pod}" not found`);
    return lastState.terminated.containerID;
  }
  if (state.running) return status.containerID ?? "";
  if (state.terminated?.containerID) return state.terminated.containerID;
  if (lastState.terminated?.containerID) return lastState.terminated.containerID;
  if (state.terminated || lastState.terminated) throw refuse("is terminated");
  const { reason } = state.waiting ?? {};
  if (reason === "ErrImagePull") throw refuse("is waiting to start: image can't be pulled");
  if (reason === "ImagePullBackOff") throw refuse("is waiting to start: trying and failing to pull image");
  throw refuse(reason ? `is waiting to start: ${reason}` : "is waiting to start - no logs yet");
}
