/** Ends a pod's containers and sandboxes: preStop hooks, TERM, the grace period, KILL; sidecars after the others, last started first. */
import { messageOf } from "../base/log.ts";
import type { Pod } from "../kinds/core/pod.ts";
import { containerOf, containersOf, podText, type Placed } from "./containers.ts";
import { runHook } from "./handlers.ts";
import { newestByName } from "./plan.ts";
import type { PodServices } from "./pod-services.ts";
import { annotation, RuntimeError, type ContainerState, type PodState } from "./runtime.ts";

/** Every container gets at least this long after its preStop hook (kuberuntime: minimumGracePeriodInSeconds). */
const graceSecondsMin = 2;

export type KillOptions = { readonly message?: string; readonly graceSeconds?: number; readonly signal: AbortSignal };

/** Seconds that a container of this pod has to end: what the deletion says, else what the pod says (kept on the container for pods that are gone). */
export function graceOf(pod: Pod): number {
  const { deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata;
  if (deletionTimestamp !== undefined && deletionGracePeriodSeconds !== undefined) return Math.max(1, deletionGracePeriodSeconds);
  return pod.spec.terminationGracePeriodSeconds ?? 30;
}

/** Resolves when the container has ended. */
export async function killContainer(services: PodServices, pod: Pod, placed: Placed | undefined, state: ContainerState, podIP: string, options: KillOptions): Promise<void> {
  let grace = options.graceSeconds ?? graceOf(pod);
  services.tell(pod, placed, "Normal", "Killing", options.message ?? `Stopping container ${state.name}`);
  const hook = placed?.container.lifecycle?.preStop;
  if (hook && grace > 0 && state.state === "running") {
    const began = services.clock.monotonic();
    await preStop(services, pod, placed, state, podIP, grace, options.signal);
    grace -= Math.floor((services.clock.monotonic() - began) / 1000);
  }
  if (grace < graceSecondsMin && (options.graceSeconds ?? graceOf(pod)) > 0) grace = graceSecondsMin;
  await stopQuietly(services.runtime.stopContainer(state.id, grace));
}

async function preStop(services: PodServices, pod: Pod, placed: Placed, state: ContainerState, podIP: string, graceSeconds: number, signal: AbortSignal): Promise<void> {
  const hook = placed.container.lifecycle!.preStop!;
  const limit = new AbortController();
  const stop = (): void => limit.abort();
  signal.addEventListener("abort", stop, { once: true });
  const cancel = services.clock.after(graceSeconds * 1000, stop);
  try {
    const target = { pod, container: placed.container, containerId: state.id, podIP };
    const ended = new Promise<void>(resolve => limit.signal.addEventListener("abort", () => resolve(), { once: true }));
    await Promise.race([runHook(hook, target, { runtime: services.runtime, connector: services.host.connector, clock: services.clock }, limit.signal), ended]);
  } catch (error) {
    services.log.info("a preStop hook failed", { pod: podText(pod), container: state.name, error: messageOf(error) });
    services.tell(pod, placed, "Warning", "FailedPreStopHook", "PreStopHook failed");
  } finally {
    cancel();
    signal.removeEventListener("abort", stop);
  }
}

/** What is gone already needs no ending. */
export async function stopQuietly(call: Promise<void>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof RuntimeError && error.kind === "not-found")) throw error;
  }
}

/** Ends everything of the pod that runs; resolves when it has ended and its sandboxes are down (their network too). */
export async function endPod(services: PodServices, pod: Pod, state: PodState, options: KillOptions): Promise<void> {
  const podIP = state.sandboxes[0]?.ips[0] ?? "";
  const up = state.containers.filter(container => container.state === "running" || container.state === "unknown" || container.state === "created");
  const began = services.clock.monotonic();
  const remaining = (): number => Math.max(graceSecondsMin, (options.graceSeconds ?? graceOf(pod)) - Math.floor((services.clock.monotonic() - began) / 1000));
  const kill = async (container: ContainerState, graceSeconds: number | undefined): Promise<void> => {
    if (container.state === "created") return stopQuietly(services.runtime.removeContainer(container.id));
    await killContainer(services, pod, containerOf(pod, container.name), container, podIP, { ...options, ...(graceSeconds !== undefined && { graceSeconds }) });
  };
  const sidecars = containersOf(pod).filter(({ role }) => role === "sidecar").map(({ container }) => container.name);
  await Promise.all(up.filter(({ name }) => !sidecars.includes(name)).map(container => kill(container, options.graceSeconds)));
  for (const name of sidecars.reverse()) await Promise.all(up.filter(container => container.name === name).map(container => kill(container, remaining())));
  for (const sandbox of state.sandboxes) await stopQuietly(services.turn(() => services.runtime.stopSandbox(sandbox.id)));
}

/** A pod that the API no longer knows, found in the runtime: what is left of it is ended by what its containers remember. */
export async function endOrphan(services: Pick<PodServices, "runtime" | "log" | "turn">, podUID: string, state: PodState, graceSecondsMax = Infinity): Promise<void> {
  services.log.info("ending a pod that the API does not know", { uid: podUID, containers: state.containers.length, sandboxes: state.sandboxes.length });
  await Promise.all(state.containers.filter(container => container.state === "running" || container.state === "unknown").map(container => {
    const grace = Number(container.annotations[annotation.podDeletionGracePeriod] ?? container.annotations[annotation.podGracePeriod] ?? 30);
    return stopQuietly(services.runtime.stopContainer(container.id, Math.min(graceSecondsMax, Math.max(1, Number.isFinite(grace) ? grace : 30))));
  }));
  for (const sandbox of state.sandboxes) await stopQuietly(services.turn(() => services.runtime.stopSandbox(sandbox.id)));
}

/** Removes containers and sandboxes, all ended before. */
export async function removePod(services: Pick<PodServices, "runtime" | "turn">, state: PodState): Promise<void> {
  for (const container of state.containers) await stopQuietly(services.runtime.removeContainer(container.id));
  for (const sandbox of state.sandboxes) await stopQuietly(services.turn(() => services.runtime.removeSandbox(sandbox.id)));
}

/** Of each name the newest container and the one before it stay (their logs are asked for); the older go. */
export async function pruneContainers(services: Pick<PodServices, "runtime" | "host">, state: PodState, logPath: (container: ContainerState) => string): Promise<void> {
  const newest = newestByName(state);
  const seen = new Map<string, number>();
  for (const container of state.containers) {
    const index = seen.get(container.name) ?? 0;
    seen.set(container.name, index + 1);
    if (index < 2 || container.state === "running" || newest.get(container.name) === container) continue;
    await stopQuietly(services.runtime.removeContainer(container.id));
    await services.host.files.removeTree(logPath(container));
  }
}
