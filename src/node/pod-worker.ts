/** One pod on this node: makes what runs like what the API says, one step after another, and says back what is (upstream: pod_workers.go and syncPod). */
import { isApiError } from "../base/api-error.ts";
import { messageOf } from "../base/log.ts";
import { timeOf } from "../base/time.ts";
import { Pod } from "../kinds/core/pod.ts";
import type { PodStatus } from "../kinds/core/podstatus.ts";
import { concerns, type Passing } from "./conditions.ts";
import { logPathOf } from "./container-config.ts";
import { containerOf, containersOf, deadlineMsOf, isTerminal, podText } from "./containers.ts";
import { Interrupted, startContainer, throwIfAborted, unlessAborted } from "./container-start.ts";
import type { Surroundings } from "./env.ts";
import { resizeRefusal } from "./admission.ts";
import { cgroupTimed, type SyncType } from "./figures.ts";
import { endPod, graceOf, killContainer, pruneContainers, removePod, stopQuietly } from "./pod-end.ts";
import type { PodServices } from "./pod-services.ts";
import { planPod, type Plan } from "./plan.ts";
import { PodProbes } from "./probes.ts";
import { podLimits } from "./resources.ts";
import { Allocation } from "./resize.ts";
import type { PodState } from "./runtime.ts";
import { cgroupParentOf, hostPortsOf, hostsFile, inHostUsers, podLogsDir, sandboxConfig } from "./sandbox-config.ts";
import { podStatus, restartCountOf, type Waiting } from "./status.ts";
import { TerminationMessages } from "./termination-messages.ts";

/** Volumes are looked at again this often, other things being quiet (kubelet: one sync a minute, with jitter). */
export const resyncMs = 60_000;
/** containerd announces an exit some milliseconds before its CRI side shows it. */
const lagMs = 5, lagTriesMax = 100;
/** A resize that found no room, or failed, is tried again this often. */
const resizeRetryMs = 10_000;
const errorWaitFirstMs = 500;
const errorWaitMaxMs = 122_000;

/** How a pod that must go is to go: sooner than it says itself, and with a condition that says why. */
type Failing = { readonly kill?: { readonly graceSeconds: number }; readonly condition?: Passing };
/** A worker is done when its pod is gone from the node and from the API. */
export type WorkerState = "syncing" | "ending" | "ended" | "done";

export class PodWorker {
  readonly #services: PodServices;
  readonly #probes: PodProbes;
  readonly #messages: TerminationMessages;
  readonly #waiting = new Map<string, Waiting>();
  readonly #allocation: Allocation;
  readonly #onDone: () => void;
  #pod: Pod;
  #state: WorkerState = "syncing";
  #verdict: ({ readonly reason: string; readonly message: string } & Failing) | undefined;
  #judged = false;
  /** Deleted in the API before we could say goodbye (a forced deletion). */
  #gone = false;
  #portsOpen = false;
  #dirty = false;
  #running = false;
  #stopped = false;
  #errorWait = errorWaitFirstMs;
  #unmounted = false;
  #grace = Infinity;
  #cancelTimer: () => void = () => undefined;
  #step = new AbortController();
  /** Why the pod is looked at next. */
  #why: SyncType = "create";
  readonly #seenAt: number;
  #last: PodState | undefined;
  /** Containers whose end the runtime has announced, but does not show yet. */
  readonly #ending = new Set<string>();

  constructor(services: PodServices, pod: Pod, onDone: () => void) {
    this.#services = services;
    this.#pod = pod;
    this.#onDone = onDone;
    this.#allocation = new Allocation(pod);
    this.#messages = new TerminationMessages(services);
    this.#seenAt = services.clock.monotonic();
    services.figures?.containersPerPod.observe(pod.spec.containers.length);
    this.#probes = new PodProbes({
      tools: { runtime: services.runtime, connector: services.host.connector, clock: services.clock }, random: services.random, ...(services.figures && { figures: services.figures }),
      tell: (placed, type, reason, message) => services.tell(this.#pod, placed, type, reason, message),
      // While it ends nothing is planned any more, but who listens to its readiness hears of it.
      changed: () => void (this.#state !== "ending" ? this.wake() : this.#last && !this.#gone && !this.#stopped && this.#publish(this.#last, false)),
    });
    this.wake();
  }

  get pod(): Pod {
    return { ...this.#pod, status: this.#services.statuses.of(this.#pod) };
  }
  get state(): WorkerState {
    return this.#state;
  }
  /** What the runtime held when the pod was looked at last. */
  get runtimeState(): PodState | undefined {
    return this.#last;
  }

  update(pod: Pod): void {
    const before = this.#pod;
    this.#pod = pod;
    if (pod.metadata.deletionTimestamp !== undefined) this.#hurry();
    if (concerns(before, pod)) {
      if (this.#why === "sync") this.#why = "update";
      this.wake();
    }
  }
  /** The API no longer has the pod; `last` is what it said last. */
  removed(last: Pod): void {
    this.#pod = last;
    this.#gone = true;
    this.#hurry();
    this.wake();
  }
  /** Stands above what the containers say: evicted, refused, past its deadline. */
  fail(reason: string, message: string, more: Failing = {}): void {
    this.#verdict ??= { reason, message, ...more };
    this.#hurry();
    this.wake();
  }
  /** The runtime has announced that a container or sandbox of this pod has started or ended. */
  happened(id: string, what: "started" | "ended"): void {
    if (what === "ended") this.#ending.add(id);
    this.wake();
  }
  wake(): void {
    this.#dirty = true;
    if (!this.#running && !this.#stopped) void this.#drain();
  }
  /** Leaves the pod as it is: the agent ends, the containers go on. */
  stop(): void {
    this.#stopped = true;
    this.#cancelTimer();
    this.#step.abort();
    this.#probes.stop();
  }

  /** A step that waits (a pull, a hook) gives way to the end; an end under way takes a shorter grace. */
  #hurry(): void {
    if (this.#state === "syncing") this.#step.abort();
    const grace = graceOf(this.#pod);
    if (this.#state !== "ending" || grace >= this.#grace) return;
    this.#grace = grace;
    for (const container of this.#last?.containers ?? [])
      if (container.state === "running") void stopQuietly(this.#services.runtime.stopContainer(container.id, grace)).catch((error: unknown) => this.#services.log.warn("stopping a container sooner failed", { pod: podText(this.#pod), error: messageOf(error) }));
  }

  async #drain(): Promise<void> {
    this.#running = true;
    this.#cancelTimer();
    let after: number | undefined;
    while (this.#dirty && !this.#stopped && this.#state !== "done") {
      this.#dirty = false;
      this.#step = new AbortController();
      const began = this.#services.clock.monotonic();
      const why = this.#why;
      this.#why = "sync";
      try {
        after = await this.#sync();
        this.#services.figures?.podWorked(this.#state === "syncing" ? why : this.#state === "ending" ? "kill" : "terminated", this.#services.clock.monotonic() - began);
        if (!this.#unmounted) this.#errorWait = errorWaitFirstMs;
      } catch (error) {
        if (error instanceof Interrupted) continue;
        if (this.#stopped) break;
        this.#services.log.warn("a pod could not be brought up to date", { pod: podText(this.#pod), error: messageOf(error), waitMs: this.#errorWait });
        after = this.#errorWait;
        this.#errorWait = Math.min(this.#errorWait * 2, errorWaitMaxMs);
      }
    }
    this.#running = false;
    if (this.#stopped || this.#state === "done") return;
    if (after !== undefined) this.#cancelTimer = this.#services.clock.after(Math.max(1, after), () => this.wake());
  }

  /** Milliseconds until the next look; undefined: only when something happens. */
  async #sync(): Promise<number | undefined> {
    const { runtime, refuse, refreshNode } = this.#services;
    const pod = this.#pod;
    let state = await this.#look();
    if (!this.#judged) {
      // A pod that already runs here was let in before. The scheduler may know the node better than we do.
      if (state.sandboxes.length === 0 && !isTerminal(pod) && pod.metadata.deletionTimestamp === undefined && refuse(pod) !== undefined) {
        await refreshNode();
        this.#verdict ??= refuse(pod);
        if (this.#verdict !== undefined) this.#services.figures?.refused(this.#verdict.reason);
      }
      this.#judged = true;
    }
    const deadline = deadlineMsOf(pod, this.#services.statuses.of(pod), this.#services.clock.now());
    if (deadline !== undefined && deadline <= 0) this.#verdict ??= { reason: "DeadlineExceeded", message: "Pod was active on the node longer than the specified deadline" };
    if (this.#gone || pod.metadata.deletionTimestamp !== undefined || this.#verdict || this.#state !== "syncing" || isTerminal(this.pod)) return this.#end(state);

    this.#allocation.follow(pod, wanted => resizeRefusal(refuse(wanted), wanted, this.#services.allocatable()));
    this.#publish(state, false);
    const problems = await this.#services.volumes.ensure(pod, this.#around(state));
    for (const { volume, message, soon } of problems) if (!soon || this.#errorWait > 2 * errorWaitFirstMs) this.#services.tell(pod, undefined, "Warning", "FailedMount", `MountVolume.SetUp failed for volume "${volume}" : ${message}`);
    this.#unmounted = problems.length > 0;
    if (this.#unmounted) {
      this.#errorWait = Math.min(this.#errorWait * 2, errorWaitMaxMs);
      throwIfAborted(this.#step.signal);
      return Math.min(this.#errorWait / 2, problems.some(({ soon }) => soon) ? 4 * errorWaitFirstMs : errorWaitMaxMs, deadline ?? Infinity);
    }

    const plan = planPod(pod, state, { liveness: id => (this.#probes.failed("liveness", id) ? "failed" : undefined), startup: id => (this.#probes.failed("startup", id) ? "failed" : this.#startupPassed(id) ? "passed" : undefined) });
    if (plan.killPod) {
      if (plan.createSandbox) this.#services.tell(pod, undefined, "Normal", "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.");
      await endPod(this.#services, pod, state, { signal: this.#step.signal });
      state = await this.#look();
    }
    const wait = plan.killPod && !plan.createSandbox ? undefined : await this.#carryOut(plan, state);
    const unsettled = await this.#resize(await this.#look());
    state = await this.#look();
    const status = this.#publish(state, false);
    if (isTerminal({ ...pod, status })) return this.#end(state);
    await pruneContainers({ runtime, host: this.#services.host }, state, container => logPathOf(pod, container.name, restartCountOf(container), this.#services.node));
    return Math.min(wait ?? Infinity, unsettled ? resizeRetryMs : Infinity, resyncMs * (1 + this.#services.random.next() / 2), deadline ?? Infinity);
  }

  /** Tells the runtime of changed amounts. True: some could not be applied, or there is no room yet. */
  async #resize(state: PodState): Promise<boolean> {
    const { runtime, node, host, tell } = this.#services;
    const pod = this.#allocation.effective(this.#pod);
    this.#allocation.forget(state.containers);
    const changes = this.#allocation.changes(pod, state.containers, node.memoryCapacity);
    try {
      if (changes.length > 0) {
        const parent = cgroupParentOf(pod, node);
        // Room first, then its use; a smaller pod's room is taken away last.
        await cgroupTimed(this.#services, "update", host.cgroups.apply(parent, podLimits(pod), "grow"));
        for (const { state: container, resources, restart } of changes) {
          if (restart) await killContainer(this.#services, pod, containerOf(pod, container.name), container, state.sandboxes[0]?.ips[0] ?? "", { message: `Container ${container.name} resize requires restart`, signal: this.#step.signal });
          else await runtime.updateResources(container.id, { ...resources, cpuQuota: resources.cpuQuota ?? -1 });
          this.#allocation.made(container.id, resources);
          if (restart) this.#dirty = true;
        }
        await cgroupTimed(this.#services, "update", host.cgroups.apply(parent, podLimits(pod), "exact"));
      }
      if (!changes.some(({ restart }) => restart)) this.#allocation.settled(pod);
    } catch (error) {
      this.#allocation.failed(pod, messageOf(error));
    }
    for (const { type, reason, message } of this.#allocation.news()) tell(pod, undefined, type, reason, message);
    return this.#allocation.conditions().length > 0;
  }

  async #carryOut(plan: Plan, state: PodState): Promise<number | undefined> {
    const pod = this.#allocation.effective(this.#pod);
    const podIP = state.sandboxes[0]?.ips[0] ?? "";
    for (const kill of plan.kill) {
      const restarts = plan.start.some(({ container }) => container.name === kill.container.name);
      await killContainer(this.#services, pod, kill.placed, kill.container, podIP, { message: restarts && !kill.message.endsWith("restarted") && kill.reason === "probe" ? `${kill.message}, will be restarted` : kill.message, signal: this.#step.signal, ...(kill.graceSeconds !== undefined && { graceSeconds: kill.graceSeconds }) });
    }
    let current = plan.kill.length > 0 ? await this.#look() : state;
    const sandbox = sandboxConfig(pod, plan.attempt, this.#services.node);
    let sandboxId = plan.sandboxId ?? "";
    if (plan.createSandbox) {
      sandboxId = await this.#createSandbox(plan, current);
      current = await this.#look();
      this.#publish(current, false);
    }
    await this.#openPorts(current);
    if (plan.createSandbox) await unlessAborted(this.#services.host.gate.admit(pod, current.sandboxes[0]?.ips ?? []), this.#step.signal);
    const ips = pod.spec.hostNetwork ? this.#services.node.hostIPs : current.sandboxes[0]?.ips ?? [];
    if (plan.start.length > 0) await this.#services.host.files.writeFile(this.#services.volumes.hostsPath(pod.metadata.uid ?? ""), hostsFile(pod, ips, this.#services.node, pod.spec.hostNetwork ? await this.#services.nodeHosts() : ""), 0o644);
    let wait: number | undefined;
    for (const placed of plan.start) {
      throwIfAborted(this.#step.signal);
      const started = await startContainer(this.#services, {
        pod, placed, state: current, sandboxId, sandbox, around: this.#around(current), signal: this.#step.signal, made: (id, resources) => this.#allocation.made(id, resources),
        kill: async (id, each, message) => {
          const found = (await this.#look()).containers.find(container => container.id === id);
          if (found) await killContainer(this.#services, pod, each, found, podIP, { message, signal: this.#step.signal });
        },
      });
      if (started.ok) {
        this.#waiting.delete(placed.container.name);
        // Others may wait for this one to be up.
        if (placed.role === "sidecar") this.#dirty = true;
      }
      else {
        this.#waiting.set(placed.container.name, started.waiting);
        wait = Math.min(wait ?? Infinity, started.retryMs);
      }
    }
    return wait;
  }

  async #createSandbox(plan: Plan, state: PodState): Promise<string> {
    const pod = this.#pod;
    const { host, node, runtime, turn, tell, figures } = this.#services;
    figures?.startedPods.add(1);
    await host.files.makeFolder(podLogsDir(pod, node), 0o755);
    try {
      await cgroupTimed(this.#services, plan.attempt === 0 ? "create" : "update", host.cgroups.apply(cgroupParentOf(pod, node), podLimits(pod), "exact"));
      // Dead sandboxes of earlier attempts hold nothing but their names.
      for (const old of state.sandboxes) if (!old.ready && !state.containers.some(({ sandboxId }) => sandboxId === old.id)) await stopQuietly(runtime.removeSandbox(old.id));
      const id = await turn(() => runtime.runSandbox(sandboxConfig(inHostUsers(pod), plan.attempt, node), ""));
      this.#portsOpen = false;
      return id;
    } catch (error) {
      figures?.startedPodErrors.add(1);
      tell(pod, undefined, "Warning", "FailedCreatePodSandBox", `Failed to create pod sandbox: ${messageOf(error)}`);
      throw error;
    }
  }

  /** Ports on the node's addresses: for each sandbox once, and again when the agent has started anew. */
  async #openPorts(state: PodState): Promise<void> {
    const ports = hostPortsOf(this.#pod);
    const [sandbox] = state.sandboxes;
    if (this.#portsOpen || ports.length === 0 || !sandbox?.ready) return;
    await this.#services.host.hostPorts.open(this.#pod.metadata.uid ?? "", sandbox.ips, ports);
    this.#portsOpen = true;
  }

  /** Ending: containers, then the last status, then (if the API wants the pod gone) everything else and the object itself. */
  async #end(state: PodState): Promise<number | undefined> {
    const { statuses, host, node, volumes, images, restarts, references } = this.#services;
    const pod = this.#pod, uid = pod.metadata.uid ?? "";
    this.#state = this.#state === "ended" ? "ended" : "ending";
    if (this.#state === "ending") {
      this.#probes.ending();
      this.#grace = graceOf(pod);
      if (!this.#gone) this.#publish(state, false);
      await endPod(this.#services, pod, state, { signal: this.#step.signal, ...this.#verdict?.kill });
      state = await this.#look();
      this.#probes.stop();
      host.gate.release(uid);
      this.#waiting.clear();
      this.#state = "ended";
    }
    if (!this.#gone) this.#publish(state, true);
    await host.hostPorts.close(uid);
    if (!this.#gone) await unlessAborted(statuses.settled(uid), this.#step.signal);
    await volumes.tearDown(uid);
    await volumes.releaseImages(pod);
    references.release(uid);
    // What an evicted pod has written is what the node needs back.
    if (this.#verdict?.reason === "Evicted") await removePod(this.#services, state).then(() => volumes.remove(uid));
    if (!this.#gone && pod.metadata.deletionTimestamp === undefined) return undefined;

    await removePod(this.#services, state);
    await volumes.remove(uid);
    await cgroupTimed(this.#services, "destroy", host.cgroups.remove(cgroupParentOf(pod, node)));
    images.forget(uid);
    restarts.forget(`${uid}_`);
    if (!this.#gone && !(await this.#deleteObject(pod))) return undefined;
    await host.files.removeTree(podLogsDir(pod, node));
    statuses.forget(uid);
    this.#state = "done";
    this.#onDone();
    return undefined;
  }

  /** The last word of a graceful deletion. False when finalizers still hold the object. */
  async #deleteObject({ metadata: { namespace = "", name = "", uid = "", finalizers } }: Pod): Promise<boolean> {
    try {
      await this.#services.client.delete(Pod, namespace, name, { gracePeriodSeconds: 0, preconditions: { uid } });
    } catch (error) {
      if (!isApiError(error, "NotFound") && !isApiError(error, "Conflict")) throw error;
    }
    return (finalizers ?? []).length === 0;
  }

  async #look(): Promise<PodState> {
    let state = await this.#services.runtime.podState(this.#pod.metadata.uid ?? "");
    const lags = (): boolean => state.containers.some(({ id, state: shown }) => shown === "running" && this.#ending.has(id));
    for (let tries = 0; tries < lagTriesMax && lags(); tries++) {
      await this.#services.clock.sleep(lagMs);
      state = await this.#services.runtime.podState(this.#pod.metadata.uid ?? "");
    }
    this.#ending.clear();
    this.#last = state;
    if (this.#state === "syncing") this.#probes.update(this.pod, state);
    await this.#messages.read(this.#pod, state);
    return state;
  }

  #publish(state: PodState, ended: boolean): PodStatus {
    const { statuses, node, clock } = this.#services;
    const pod = this.#pod;
    const status = podStatus(this.#allocation.effective(pod), {
      passing: [...this.#allocation.conditions(), ...(this.#verdict?.condition ? [this.#verdict.condition] : [])],
      state, previous: statuses.of(pod), waiting: this.#waiting, terminationMessages: this.#messages.known, hostIPs: node.hostIPs, ended,
      started: (name, id) => this.#probes.started(name, id), ready: (name, id) => this.#probes.ready(name, id),
      startTime: timeOf(clock.now()), now: clock.now(), ...(this.#verdict && { verdict: this.#verdict }),
    });
    if (status.phase === "Running" && statuses.of(pod).phase === "Pending") this.#services.figures?.podStarts.observe((clock.monotonic() - this.#seenAt) / 1000);
    statuses.set(pod, status);
    return status;
  }

  #around(state: PodState): Surroundings {
    const { node, allocatable, references, services } = this.#services;
    return { podIPs: this.#pod.spec.hostNetwork ? node.hostIPs : state.sandboxes[0]?.ips ?? [], hostIPs: node.hostIPs, allocatable: allocatable(), references, services };
  }
  #startupPassed(containerId: string): boolean {
    return containersOf(this.#pod).some(({ container }) => this.#probes.started(container.name, containerId) === true) || !this.#hasStartupProbe(containerId);
  }
  #hasStartupProbe(containerId: string): boolean {
    return containerOf(this.#pod, this.#last?.containers.find(({ id }) => id === containerId)?.name ?? "")?.container.startupProbe !== undefined;
  }
}
