/** The conditions that kubelet owns, computed; all others kept (pkg/kubelet/status/generate.go). */
import { sameJson } from "../base/json.ts";
import { timeOf } from "../base/time.ts";
import type { Pod } from "../kinds/core/pod.ts";
import type { ContainerStatus, PodCondition, PodStatus } from "../kinds/core/podstatus.ts";
import { isSidecar } from "./containers.ts";

type Verdict = { readonly status: "True" | "False"; readonly reason?: string; readonly message?: string };
type Facts = {
  readonly phase: NonNullable<PodStatus["phase"]>;
  readonly inits: readonly ContainerStatus[];
  readonly mains: readonly ContainerStatus[];
  readonly previous: readonly PodCondition[];
  readonly sandboxReady: boolean;
  readonly now: number;
  /** Conditions that come and go with what they say. */
  readonly passing: readonly Passing[];
};
export type Passing = Pick<PodCondition, "type" | "status" | "reason" | "message">;
/** Conditions that this agent writes; all others belong to somebody else. */
export const ownConditions: ReadonlySet<string> = new Set(["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled", "PodResizePending", "PodResizeInProgress"]);

export function podConditions(pod: Pod, facts: Facts): readonly PodCondition[] {
  const containers = containersReady(pod, facts);
  const verdicts: readonly (readonly [string, Verdict])[] = [
    ["PodReadyToStartContainers", { status: facts.sandboxReady ? "True" : "False" }], ["Initialized", initialized(pod, facts)],
    ["Ready", ready(pod, containers)], ["ContainersReady", containers], ["PodScheduled", { status: "True" }],
    ...facts.passing.map(({ type, ...verdict }) => [type, verdict as Verdict] as const),
  ];
  // Somebody else's newest conditions are in the API's object, not in what we computed last.
  const foreign = (pod.status.conditions ?? []).filter(({ type }) => !ownConditions.has(type) && !facts.passing.some(each => each.type === type));
  const generation = pod.metadata.generation;
  return [...foreign, ...verdicts.map(([type, verdict]): PodCondition => {
    const before = facts.previous.find(condition => condition.type === type);
    return {
      type, status: verdict.status, lastProbeTime: null as never, ...(generation !== undefined && { observedGeneration: generation }),
      lastTransitionTime: before?.status === verdict.status && before.lastTransitionTime ? before.lastTransitionTime : timeOf(facts.now),
      ...(verdict.reason !== undefined && { reason: verdict.reason }), ...(verdict.message !== undefined && { message: verdict.message }),
    };
  })];
}

function containersReady(pod: Pod, { phase, inits, mains }: Facts): Verdict {
  const unknown: string[] = [];
  const unready: string[] = [];
  const look = (name: string, statuses: readonly ContainerStatus[]): void => {
    const status = statuses.find(each => each.name === name);
    if (!status) unknown.push(name);
    else if (!status.ready) unready.push(name);
  };
  for (const container of pod.spec.initContainers ?? []) if (isSidecar(container)) look(container.name, inits);
  for (const container of pod.spec.containers) look(container.name, mains);
  if (phase === "Succeeded" && unknown.length === 0) return { status: "False", reason: "PodCompleted" };
  if (phase === "Failed") return { status: "False", reason: "PodFailed" };
  const message = messages(["unknown status", unknown], ["unready status", unready]);
  return message === "" ? { status: "True" } : { status: "False", reason: "ContainersNotReady", message };
}

function ready(pod: Pod, containers: Verdict): Verdict {
  if (containers.status !== "True") return containers;
  const missing = (pod.spec.readinessGates ?? []).flatMap(({ conditionType }) => {
    const condition = pod.status.conditions?.find(({ type }) => type === conditionType);
    if (!condition) return [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`];
    return condition.status === "True" ? [] : [`the status of pod readiness gate "${conditionType}" is not "True", but ${condition.status}`];
  });
  return missing.length === 0 ? { status: "True" } : { status: "False", reason: "ReadinessGatesNotReady", message: missing.join(", ") };
}

function initialized(pod: Pod, { phase, inits, mains }: Facts): Verdict {
  const specs = pod.spec.initContainers ?? [];
  if (phase === "Succeeded" && specs.every(({ name }) => inits.some(status => status.name === name))) return { status: "True", reason: "PodCompleted" };
  // Once a main container has run, the start-up is over, whatever became of the init containers since.
  if (mains.some(({ state, lastState, started }) => started || state.terminated || lastState.terminated)) return { status: "True" };
  const unknown: string[] = [];
  const incomplete: string[] = [];
  for (const container of specs) {
    const status = inits.find(({ name }) => name === container.name);
    if (!status) unknown.push(container.name);
    else if (!(isSidecar(container) ? status.started : status.ready)) incomplete.push(container.name);
  }
  const message = messages(["unknown status", unknown], ["incomplete status", incomplete]);
  return message === "" ? { status: "True" } : { status: "False", reason: "ContainersNotInitialized", message };
}

function messages(...parts: readonly (readonly [string, readonly string[]])[]): string {
  return parts.filter(([, names]) => names.length > 0).map(([what, names]) => `containers with ${what}: [${names.join(" ")}]`).join(", ");
}

/** Whether an update says more than our own status coming back. */
export function concerns(before: Pod, after: Pod): boolean {
  const said = ({ metadata, spec, status }: Pod): unknown => [metadata.labels, metadata.annotations, metadata.deletionTimestamp, metadata.deletionGracePeriodSeconds, metadata.finalizers, spec, status.phase,
    (status.conditions ?? []).filter(({ type }) => !ownConditions.has(type)).map(({ type, status: value }) => [type, value])];
  return !sameJson(said(before), said(after));
}
