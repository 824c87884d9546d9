/** From what the runtime says to what the API shows: pure, and the same as kubelet's where clients look (pkg/kubelet/kubelet_pods.go). */
import { timeOf } from "../base/time.ts";
import type { Pod } from "../kinds/core/pod.ts";
import type { ContainerStatus, PodStatus } from "../kinds/core/podstatus.ts";
import { podConditions } from "./conditions.ts";
import { containersOf, isSidecar, isTerminal, restartsAfter, type Placed } from "./containers.ts";
import { qosOf } from "./resources.ts";
import { annotation, type ContainerState, type PodState } from "./runtime.ts";

/** Why a container is not running, as the last attempt to start it found. */
export type Waiting = { readonly reason: string; readonly message: string };

/** All that a pod's status is made of. */
export type StatusFacts = {
  readonly state: PodState;
  /** The status computed last, or the API's at the agent's start. */
  readonly previous: PodStatus;
  readonly waiting: ReadonlyMap<string, Waiting>;
  /** What applications left in their termination files or logs, by container id. */
  readonly terminationMessages: ReadonlyMap<string, string>;
  /** From the probes: undefined when there is no such probe or it has not run yet. */
  readonly started: (name: string, containerId: string) => boolean | undefined;
  readonly ready: (name: string, containerId: string) => boolean | undefined;
  readonly hostIPs: readonly string[];
  /** Everything has ended for good: the phase must be a last one. */
  readonly ended: boolean;
  /** Evicted, past its deadline, refused: stands above what the containers say. */
  readonly verdict?: { readonly reason: string; readonly message: string };
  readonly passing?: Parameters<typeof podConditions>[1]["passing"];
  readonly startTime: string;
  readonly now: number;
};

export function podStatus(pod: Pod, facts: StatusFacts): PodStatus {
  if (facts.verdict && facts.state.sandboxes.length === 0 && facts.state.containers.length === 0 && facts.previous.containerStatuses === undefined) return refusedStatus(pod, facts, facts.verdict);
  const placed = containersOf(pod);
  const statuses = new Map(placed.map(each => [each.container.name, containerStatus(pod, each, facts)]));
  const listed = (...roles: readonly Placed["role"][]): readonly ContainerStatus[] => placed.filter(({ role }) => roles.includes(role)).map(({ container }) => statuses.get(container.name)!);
  const inits = listed("init", "sidecar");
  const mains = [...listed("main")].sort(byName);
  const ephemerals = [...listed("ephemeral")].sort(byName);
  const phase = facts.verdict ? "Failed" : isTerminal({ ...pod, status: facts.previous }) ? facts.previous.phase! : phaseOf(pod, inits, mains, facts.ended);
  const sandbox = facts.state.sandboxes[0];
  const ips = pod.spec.hostNetwork ? facts.hostIPs : sandbox?.ready ? sandbox.ips : isTerminal({ ...pod, status: { ...facts.previous, phase } }) || facts.ended ? (facts.previous.podIPs ?? []).map(({ ip }) => ip) : [];
  const shown = ips.length > 0 ? ips : sandbox && !sandbox.ready && !pod.spec.hostNetwork ? [] : (facts.previous.podIPs ?? []).map(({ ip }) => ip);
  const generation = pod.metadata.generation;
  return {
    ...(generation !== undefined && { observedGeneration: generation }),
    phase,
    conditions: podConditions(pod, { phase, inits, mains, previous: facts.previous.conditions ?? [], passing: facts.passing ?? [], sandboxReady: sandbox?.ready === true && (pod.spec.hostNetwork === true || sandbox.ips.length > 0), now: facts.now }),
    ...(facts.verdict ? { message: facts.verdict.message, reason: facts.verdict.reason } : isTerminal({ ...pod, status: facts.previous }) ? kept(facts.previous) : {}),
    ...(facts.hostIPs[0] !== undefined && { hostIP: facts.hostIPs[0], hostIPs: facts.hostIPs.map(ip => ({ ip })) }),
    ...(shown[0] !== undefined && { podIP: shown[0], podIPs: shown.map(ip => ({ ip })) }),
    startTime: facts.previous.startTime ?? facts.startTime,
    ...(inits.length > 0 && { initContainerStatuses: inits }),
    containerStatuses: mains,
    ...(ephemerals.length > 0 && { ephemeralContainerStatuses: ephemerals }),
    qosClass: qosOf(pod),
  };
}

/** A pod that was never let in has nothing but the reason: clients would else show what its containers wait for (kubelet.go rejectPod). */
function refusedStatus(pod: Pod, { previous, startTime }: StatusFacts, { reason, message }: NonNullable<StatusFacts["verdict"]>): PodStatus {
  const generation = pod.metadata.generation;
  return {
    ...(generation !== undefined && { observedGeneration: generation }),
    phase: "Failed", ...(previous.conditions && { conditions: previous.conditions }), message, reason, startTime: previous.startTime ?? startTime, qosClass: qosOf(pod),
  };
}

function kept({ reason, message }: PodStatus): { readonly reason?: string; readonly message?: string } {
  return { ...(message !== undefined && { message }), ...(reason !== undefined && { reason }) };
}
function byName(a: ContainerStatus, b: ContainerStatus): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

function containerStatus(pod: Pod, placed: Placed, facts: StatusFacts): ContainerStatus {
  const { container, role } = placed;
  const old = [...(facts.previous.initContainerStatuses ?? []), ...(facts.previous.containerStatuses ?? []), ...(facts.previous.ephemeralContainerStatuses ?? [])].find(({ name }) => name === container.name);
  const [newest, before] = facts.state.containers.filter(({ name }) => name === container.name);
  let status = newest === undefined ? withoutContainer(pod, placed, old) : {
    ...fromRuntime(newest, facts, old),
    lastState: before === undefined ? (old?.containerID === idText(newest) ? old.lastState : old?.state.terminated ? { terminated: old.state.terminated } : old?.lastState ?? {}) : fromRuntime(before, facts, undefined).state,
    ...amounts(placed), ...mounts(placed),
  };
  // What is about to be started again, but cannot just now, is waiting and says why.
  const waiting = facts.waiting.get(container.name);
  const done = newest?.state === "exited" && !restartsAfter(pod, placed, newest.exitCode);
  if (waiting && !facts.ended && newest?.state !== "running" && !done && !(newest === undefined && status.state.terminated))
    status = { ...status, state: { waiting: waiting.message === "" ? { reason: waiting.reason } : waiting }, lastState: status.state.terminated ? { terminated: status.state.terminated } : status.lastState };
  if (facts.ended && status.state.waiting && !newest && old?.state.running) status = { ...status, state: { terminated: lost("The container could not be located when the pod was terminated", old.containerID) } };
  const running = status.state.running !== undefined;
  const started = running && role !== "init" ? facts.started(container.name, newest?.id ?? "") ?? true : false;
  const ready = role === "init" ? status.state.terminated?.exitCode === 0 : role === "ephemeral" ? false : running && started && (facts.ready(container.name, newest?.id ?? "") ?? true);
  return { ...status, ready, ...(role !== "ephemeral" && { started }) };
}

/** No container yet, or none any more: what the old status said, else waiting. */
function withoutContainer(pod: Pod, { container, role }: Placed, old: ContainerStatus | undefined): ContainerStatus {
  if (old?.state.terminated) return old;
  const initialising = role === "main" && (pod.spec.initContainers ?? []).length > 0;
  const base: ContainerStatus = {
    name: container.name, state: { waiting: { reason: initialising || role === "init" || role === "sidecar" ? "PodInitializing" : "ContainerCreating" } }, lastState: old?.lastState ?? {},
    ready: false, restartCount: old?.restartCount ?? 0, image: container.image ?? "", imageID: old?.imageID ?? "",
  };
  if (!old?.state.running || base.lastState.terminated) return base;
  // Quirk: two blanks after the full stop, as in pkg/kubelet/kubelet_pods.go.
  return {
    ...base, lastState: { terminated: lost("The container could not be located when the pod was deleted.  The container used to be Running") },
    restartCount: base.restartCount + (pod.metadata.deletionTimestamp === undefined ? 1 : 0),
  };
}
function lost(message: string, containerID?: string) {
  return { exitCode: 137, reason: "ContainerStatusUnknown", message, startedAt: null, finishedAt: null, ...(containerID !== undefined && { containerID }) } as never;
}

function fromRuntime(state: ContainerState, facts: StatusFacts, old: ContainerStatus | undefined): ContainerStatus {
  const base = { name: state.name, lastState: {}, ready: false, restartCount: restartCountOf(state), image: state.image, imageID: state.imageRef, containerID: idText(state) };
  if (state.state === "running") return { ...base, state: { running: { startedAt: timeOf(state.startedAt) } } };
  if (state.state === "exited") {
    const left = facts.terminationMessages.get(state.id) ?? "";
    const message = state.message !== "" && left !== "" ? `${state.message}: ${left}` : state.message || left;
    return {
      ...base,
      state: {
        terminated: {
          exitCode: state.exitCode, ...(state.reason !== "" && { reason: state.reason }), ...(message !== "" && { message }),
          startedAt: timeOf(state.startedAt), finishedAt: timeOf(state.finishedAt), containerID: idText(state),
        },
      },
    };
  }
  if (state.state === "unknown" && old?.state.running) return { ...base, state: { terminated: lost("The container could not be located when the pod was terminated", idText(state)) } };
  return { ...base, state: { waiting: {} } };
}

export function idText({ id }: { readonly id: string }): string {
  return `containerd://${id}`;
}
export function restartCountOf(state: ContainerState): number {
  return Number(state.annotations[annotation.restartCount] ?? state.attempt);
}

/** What the container has been given, shown since in-place resizing is stable. */
function amounts({ container }: Placed): Pick<ContainerStatus, "resources" | "allocatedResources"> {
  const { requests, limits } = container.resources ?? {};
  if (!requests && !limits) return { resources: {} };
  return { ...(requests && { allocatedResources: requests }), resources: { ...(limits && { limits }), ...(requests && { requests }) } };
}
function mounts({ container }: Placed): Pick<ContainerStatus, "volumeMounts"> {
  if (!container.volumeMounts?.length) return {};
  return { volumeMounts: container.volumeMounts.map(({ name, mountPath, readOnly }) => ({ mountPath, name, ...(readOnly && { readOnly, recursiveReadOnly: "Disabled" }) })) };
}

/** The pod's phase from its containers' statuses (pkg/kubelet/kubelet_pods.go: getPhase). */
export function phaseOf(pod: Pod, inits: readonly ContainerStatus[], mains: readonly ContainerStatus[], ended: boolean): NonNullable<PodStatus["phase"]> {
  const never = pod.spec.restartPolicy === "Never";
  const hasRun = mains.some(({ state, lastState }) => state.running || state.terminated || lastState.terminated);
  let pending = false;
  let failed = false;
  for (const container of pod.spec.initContainers ?? []) {
    const status = inits.find(({ name }) => name === container.name);
    const code = status?.state.terminated?.exitCode ?? (status?.state.waiting ? status.lastState.terminated?.exitCode : undefined);
    if (isSidecar(container)) pending ||= !hasRun && code === undefined && !(status?.state.running && status.started);
    else if (code === undefined) pending = true;
    else failed ||= code !== 0;
  }
  if (failed && never) return "Failed";
  const count = (test: (status: ContainerStatus) => boolean): number => mains.filter(test).length;
  // A sidecar that still runs keeps the pod from being over.
  const running = count(({ state }) => state.running !== undefined) + (pod.spec.initContainers ?? []).filter(container => isSidecar(container) && inits.some(({ name, state }) => name === container.name && state.running)).length;
  const stopped = count(({ state, lastState }) => state.terminated !== undefined || (state.waiting !== undefined && lastState.terminated !== undefined));
  const succeeded = count(({ state }) => state.terminated?.exitCode === 0);
  if (!ended && (pending || count(({ state, lastState }) => state.waiting !== undefined && !lastState.terminated) > 0)) return "Pending";
  if (ended) return stopped > 0 && stopped === mains.length && stopped === succeeded && !failed ? "Succeeded" : "Failed";
  if (running > 0) return "Running";
  if (stopped === 0) return "Pending";
  if (pod.spec.restartPolicy === "Always") return "Running";
  if (stopped === succeeded) return "Succeeded";
  return never ? "Failed" : "Running";
}
