/** Starts one container: back-off, image, configuration, create, start, postStart; each failure with upstream's reason and event. */
import { messageOf } from "../base/log.ts";
import type { Pod } from "../kinds/core/pod.ts";
import type { Volume } from "../kinds/core/volume.ts";
import { goDuration } from "./back-off.ts";
import { containerConfig, logPathOf } from "./container-config.ts";
import { podText, statusOf, type Placed } from "./containers.ts";
import { ConfigError, environmentOf, type Surroundings } from "./env.ts";
import { runHook } from "./handlers.ts";
import { ImageError } from "./images.ts";
import { newestByName } from "./plan.ts";
import type { PodServices } from "./pod-services.ts";
import { RuntimeError, type ContainerResources, type ContainerState, type ImageState, type PodState, type SandboxConfig } from "./runtime.ts";
import { restartCountOf, type Waiting } from "./status.ts";

export type Started =
  | { readonly ok: true }
  /** Not now: the container waits, for this reason; try again after so long. */
  | { readonly ok: false; readonly waiting: Waiting; readonly retryMs: number };

/** A failed start is tried again after this long when nothing says otherwise (kubelet: one sync period, shortened by its back-off). */
const retryMs = 10_000;
/** A container that an agent may have been starting when it died is looked at again after so long. It is let be at first, and removed when it can be; after `startingMsMax` that it cannot is a failure. */
const startingRetryMs = 100;
const letBeMs = 1_000;
const startingMsMax = 30_000;

/** Another agent died in the middle of it: either it runs in a moment, or it can be removed. */
const startsElsewhere: Started = { ok: false, waiting: { reason: "ContainerCreating", message: "" }, retryMs: startingRetryMs };

export type StartInput = {
  readonly pod: Pod;
  readonly placed: Placed;
  readonly state: PodState;
  readonly sandboxId: string;
  readonly sandbox: SandboxConfig;
  readonly around: Surroundings;
  readonly signal: AbortSignal;
  readonly made: (containerId: string, resources: ContainerResources) => void;
  /** Kills the container after a failed postStart hook. */
  readonly kill: (containerId: string, placed: Placed, message: string) => Promise<void>;
};

export async function startContainer(services: PodServices, input: StartInput): Promise<Started> {
  const { pod, placed, state, signal } = input;
  const tell = (type: "Normal" | "Warning", reason: string, message: string): void => services.tell(pod, placed, type, reason, message);
  const fails = (reason: string, message: string, after = retryMs, said = message): Started => {
    services.figures?.containerFailed(placed.role, reason);
    tell("Warning", "Failed", `Error: ${said}`);
    return { ok: false, waiting: { reason, message }, retryMs: after };
  };
  const newest = newestByName(state).get(placed.container.name);
  const held = heldBack(services, pod, placed, newest);
  if (held) return held;
  // A container that was made but never started (an agent died in between) gives its place to the new one.
  if (newest?.state === "created") {
    const age = services.clock.now() - newest.createdAt;
    if (age < letBeMs) return startsElsewhere;
    try {
      await services.runtime.removeContainer(newest.id);
    } catch (error) {
      if (error instanceof RuntimeError && error.kind === "starting" && age < startingMsMax) return startsElsewhere;
      return fails("CreateContainerError", messageOf(error));
    }
  }

  services.figures?.containerStarts(placed.role);
  let image: ImageState;
  try {
    for (const volume of imageVolumes(pod, placed)) {
      const wanted = { name: placed.container.name, image: volume.image?.reference ?? "", imagePullPolicy: volume.image?.pullPolicy };
      await services.volumes.mountImage(pod, volume, await unlessAborted(services.images.ensure(pod, wanted, input.sandbox, tell), signal));
    }
    image = await unlessAborted(services.images.ensure(pod, placed.container, input.sandbox, tell), signal);
  } catch (error) {
    if (error instanceof ImageError) return fails(error.reason, error.message, Math.max(1_000, services.images.retryAfterMs(pod, placed.container.image ?? "") || retryMs), error.reason);
    throw error;
  }

  const count = newest === undefined ? missedRestarts(pod, placed) : newest.state === "created" ? restartCountOf(newest) : restartCountOf(newest) + 1;
  let id: string;
  try {
    const environment = await environmentOf(pod, placed.container, input.around);
    const mounts = await services.volumes.mounts(pod, placed.container, environment, count);
    const target = placed.role === "ephemeral" && "targetContainerName" in placed.container ? placed.container.targetContainerName : undefined;
    const targetId = target && newestByName(state).get(target)?.id;
    if (target && !targetId) throw new ConfigError(`unable to find target container ${target}`);
    const config = containerConfig(pod, placed, { attempt: count, restartCount: count, environment, mounts, imageRef: image.id, image, node: services.node, ...(targetId && { targetId }) });
    const log = logPathOf(pod, placed.container.name, count, services.node);
    await services.host.files.makeFolder(log.slice(0, log.lastIndexOf("/")), 0o755);
    id = await services.turn(() => services.runtime.createContainer(input.sandboxId, config, input.sandbox));
    input.made(id, config.linux.resources);
  } catch (error) {
    if (error instanceof ConfigError) return fails("CreateContainerConfigError", error.message);
    return fails("CreateContainerError", messageOf(error));
  }
  tell("Normal", "Created", "Container created");
  try {
    await services.turn(() => services.runtime.startContainer(id));
  } catch (error) {
    return fails("RunContainerError", messageOf(error));
  } finally {
    if (newest) services.restarts.next(keyOf(pod, placed), exitedAt(services, newest));
  }
  tell("Normal", "Started", "Container started");
  const hook = placed.container.lifecycle?.postStart;
  if (!hook) return { ok: true };
  try {
    const podIP = input.around.podIPs[0] ?? "";
    await unlessAborted(runHook(hook, { pod, container: placed.container, containerId: id, podIP }, { runtime: services.runtime, connector: services.host.connector, clock: services.clock }, signal), signal);
  } catch (error) {
    services.log.info("a postStart hook failed", { pod: podText(pod), container: placed.container.name, error: messageOf(error) });
    tell("Warning", "FailedPostStartHook", "PostStartHook failed");
    await input.kill(id, placed, "FailedPostStartHook");
    return { ok: false, waiting: { reason: "PostStartHookError", message: "PostStartHook failed" }, retryMs };
  }
  return { ok: true };
}

function imageVolumes(pod: Pod, { container }: Placed): readonly Volume[] {
  const used = new Set((container.volumeMounts ?? []).map(({ name }) => name));
  return (pod.spec.volumes ?? []).filter(({ name, image }) => image !== undefined && used.has(name));
}

/** After an exit the wait doubles from 10 s to 5 min; ten good minutes forget it. */
function heldBack(services: PodServices, pod: Pod, placed: Placed, newest: ContainerState | undefined): Started | undefined {
  if (newest?.state !== "exited") return undefined;
  const key = keyOf(pod, placed);
  const remaining = services.restarts.remainingMs(key, exitedAt(services, newest));
  if (remaining <= 0) return undefined;
  services.tell(pod, placed, "Warning", "BackOff", `Back-off restarting failed container ${placed.container.name} in pod ${podText(pod)}`);
  const message = `back-off ${goDuration(services.restarts.waitMs(key))} restarting failed container=${placed.container.name} pod=${podText(pod)}`;
  return { ok: false, waiting: { reason: "CrashLoopBackOff", message }, retryMs: remaining };
}
function keyOf(pod: Pod, { container }: Placed): string {
  return `${pod.metadata.uid}_${container.name}`;
}
/** When the container ended, on the clock that never jumps. */
function exitedAt({ clock }: PodServices, { finishedAt }: ContainerState): number {
  return clock.monotonic() - Math.max(0, clock.now() - finishedAt);
}
/** Containers that the runtime no longer knows (after a reboot) have run all the same: their number, and their logs', are not given again. */
function missedRestarts(pod: Pod, { container }: Placed): number {
  const old = statusOf(pod, container.name);
  return old?.containerID === undefined && !old?.lastState.terminated ? 0 : old.restartCount + (old.state.waiting ? 0 : 1);
}

export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new Interrupted("interrupted by a newer state of the pod");
}
export class Interrupted extends Error {
  override name = "Interrupted";
}
/** The work's result, or `Interrupted` when `signal` aborts first; the work itself goes on unheard. */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(new Interrupted("interrupted by a newer state of the pod"));
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}
