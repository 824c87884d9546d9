/** What to do next with a pod's sandbox and containers: a function of its arguments (upstream: kuberuntime computePodActions). */
import type { Pod } from "../kinds/core/pod.ts";
import { containerHash, containersOf, restartsAfter, type Placed } from "./containers.ts";
import { annotation, type ContainerState, type PodState } from "./runtime.ts";

export type Kill = { readonly container: ContainerState; readonly placed?: Placed; readonly message: string; readonly reason: "probe" | "changed" | "resize" | "unknown"; readonly graceSeconds?: number };
export type Plan = {
  /** Stop every container and sandbox of the pod first. */
  readonly killPod: boolean;
  readonly createSandbox: boolean;
  readonly attempt: number;
  /** The sandbox the containers belong to, unless one is created. */
  readonly sandboxId?: string;
  readonly kill: readonly Kill[];
  /** In this order. */
  readonly start: readonly Placed[];
};

/** How the probes judge a running container: `failed` asks for a restart. */
export type Verdicts = {
  readonly liveness: (containerId: string) => "failed" | undefined;
  readonly startup: (containerId: string) => "failed" | "passed" | undefined;
};

export function planPod(pod: Pod, state: PodState, verdicts: Verdicts): Plan {
  const newest = newestByName(state);
  const current = state.sandboxes[0];
  const usable = current !== undefined && current.ready && current.hostNetwork === (pod.spec.hostNetwork === true) && (current.hostNetwork || current.ips.length > 0);
  const nothing = { killPod: false, createSandbox: false, attempt: current?.attempt ?? 0, kill: [], start: [] };
  if (!usable || state.sandboxes.some((sandbox, i) => i > 0 && sandbox.ready)) return replaceSandbox(pod, newest, state, nothing);

  const kill: Kill[] = [];
  const start: Placed[] = [];
  const placed = containersOf(pod);
  // What ran in an earlier sandbox says nothing about this one's start-up.
  const here = (each: Placed): ContainerState | undefined => {
    const found = newest.get(each.container.name);
    return found?.sandboxId === current.id ? found : undefined;
  };
  for (const each of placed) if (each.role === "ephemeral" && !newest.has(each.container.name)) start.push(each);

  const initial = planInits(pod, placed.filter(({ role }) => role === "init" || role === "sidecar"), placed.some(each => each.role === "main" && isUp(here(each))), here, verdicts);
  kill.push(...initial.kill);
  start.push(...initial.start);
  if (initial.failed) return { ...nothing, killPod: true, sandboxId: current.id };
  if (!initial.done) return { ...nothing, sandboxId: current.id, kill, start };

  let alive = 0;
  for (const each of placed.filter(({ role }) => role === "main")) {
    const found = newest.get(each.container.name);
    const outcome = judge(pod, each, found, verdicts, "Container");
    if (outcome.kill) kill.push(outcome.kill);
    if (outcome.start) start.push(each);
    if (outcome.start || outcome.keep || outcome.kill) alive++;
  }
  // Nothing left to run and nothing to start: what remains (sidecars, the sandbox) goes too.
  if (alive === 0) return { ...nothing, killPod: true, sandboxId: current.id };
  return { ...nothing, sandboxId: current.id, kill, start };
}

function replaceSandbox(pod: Pod, newest: ReadonlyMap<string, ContainerState>, state: PodState, nothing: Plan): Plan {
  const attempt = state.sandboxes.length === 0 ? 0 : Math.max(...state.sandboxes.map(sandbox => sandbox.attempt)) + 1;
  const mains = containersOf(pod).filter(({ role }) => role === "main");
  // A finished container is not run again only because its sandbox went away.
  const wanted = mains.filter(each => {
    const found = newest.get(each.container.name);
    return !found || found.state !== "exited" || restartsAfter(pod, each, found.exitCode);
  });
  if (attempt > 0 && pod.spec.restartPolicy === "Never" && newest.size > 0) return { ...nothing, killPod: true };
  if (wanted.length === 0) return { ...nothing, killPod: true };
  const inits = containersOf(pod).filter(({ role }) => role === "init" || role === "sidecar");
  return { ...nothing, killPod: state.sandboxes.length > 0, createSandbox: true, attempt, start: inits[0] ? [inits[0]] : wanted };
}

type Outcome = { readonly keep?: boolean; readonly start?: boolean; readonly kill?: Kill };

function judge(pod: Pod, placed: Placed, found: ContainerState | undefined, verdicts: Verdicts, what: "Container" | "Init container"): Outcome {
  if (!found) return { start: true };
  const killed = (message: string, reason: Kill["reason"]): Outcome => ({ start: restartsAfter(pod, placed, 137), kill: { container: found, placed, message, reason, ...probeGrace(placed, message) } });
  const { name } = placed.container;
  switch (found.state) {
    case "exited":
      return restartsAfter(pod, placed, found.exitCode) ? { start: true } : {};
    case "unknown":
      return { ...killed(`${what} is in "Unknown" state, try killing it before restart`, "unknown"), start: true };
    case "created":
      // Never started: a crash between create and start. Replace it.
      return { start: true };
    case "running":
      if (found.annotations[annotation.hash] !== undefined && found.annotations[annotation.hash] !== containerHash(placed.container))
        return { ...killed(`Container ${name} definition changed, will be restarted`, "changed"), start: true };
      if (verdicts.liveness(found.id) === "failed") return killed(`${what} ${name} failed liveness probe`, "probe");
      if (verdicts.startup(found.id) === "failed") return killed(`${what} ${name} failed startup probe`, "probe");
      return { keep: true };
  }
}
function probeGrace({ container }: Placed, message: string): { readonly graceSeconds?: number } {
  const probe = message.includes("liveness") ? container.livenessProbe : message.includes("startup") ? container.startupProbe : undefined;
  return probe?.terminationGracePeriodSeconds === undefined ? {} : { graceSeconds: probe.terminationGracePeriodSeconds };
}

type Initial = { readonly done: boolean; readonly failed: boolean; readonly kill: readonly Kill[]; readonly start: readonly Placed[] };

/** Init containers run one after another, each to its end; a sidecar only to its being started, and then it is kept running. */
function planInits(pod: Pod, inits: readonly Placed[], mainsHaveRun: boolean, here: (each: Placed) => ContainerState | undefined, verdicts: Verdicts): Initial {
  const kill: Kill[] = [];
  const start: Placed[] = [];
  const end = (done: boolean, failed = false): Initial => ({ done, failed, kill, start });
  // Ended init containers may have been removed: the last one that is there tells how far the start-up had come.
  const reached = mainsHaveRun ? inits.length : inits.findLastIndex(each => here(each) !== undefined);
  for (const [i, each] of inits.entries()) {
    const found = here(each);
    if (each.role === "sidecar") {
      const outcome = judge(pod, each, found, verdicts, "Init container");
      if (outcome.kill) kill.push(outcome.kill);
      if (outcome.start) start.push(each);
      const started = outcome.keep && (each.container.startupProbe === undefined || verdicts.startup(found!.id) === "passed");
      if (!started && i >= reached) return end(false);
      continue;
    }
    if (i < reached) continue;
    if (found === undefined || found.state === "created") {
      start.push(each);
      return end(false);
    }
    if (found.state === "running") return end(false);
    if (found.state === "unknown") {
      kill.push({ container: found, placed: each, message: `Init container is in "Unknown" state, try killing it before restart`, reason: "unknown" });
      start.push(each);
      return end(false);
    }
    if (found.exitCode === 0) continue;
    if (!restartsAfter(pod, each, found.exitCode)) return end(false, true);
    start.push(each);
    return end(false);
  }
  return end(true);
}

function isUp(state: ContainerState | undefined): boolean {
  return state !== undefined && (state.state === "running" || state.state === "exited" || state.state === "created");
}

export function newestByName(state: PodState): ReadonlyMap<string, ContainerState> {
  const newest = new Map<string, ContainerState>();
  for (const container of state.containers) if (!newest.has(container.name)) newest.set(container.name, container);
  return newest;
}
