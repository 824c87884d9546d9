/** What a StatefulSet does next: pure (upstream pkg/controller/statefulset/stateful_set_control.go). */
import type { StatefulSet } from "../kinds/apps/statefulset.ts";
import type { Pod } from "../kinds/core/pod.ts";
import { scaledValue } from "./int-or-percent.ts";
import { availableAt, isPodFinished, isPodReady } from "./pods.ts";

export const revisionLabel = "controller-revision-hash";

export type Steps = {
  readonly create: readonly { readonly ordinal: number; readonly revision: "current" | "update" }[];
  readonly remove: readonly { readonly pod: Pod; readonly why: "failed" | "scaled" | "updated" }[];
};

export function ordinalOf(set: StatefulSet, pod: Pod): number {
  const { name } = set.metadata;
  const rest = pod.metadata.name.startsWith(`${name}-`) ? pod.metadata.name.slice(name.length + 1) : "";
  return /^[0-9]{1,9}$/.test(rest) ? Number(rest) : -1;
}
const isTerminating = (pod: Pod): boolean => pod.metadata.deletionTimestamp !== undefined;
const isRunningAndReady = (pod: Pod): boolean => pod.status.phase === "Running" && isPodReady(pod);
const revisionIn = (pod: Pod): string => pod.metadata.labels?.[revisionLabel] ?? "";

/** One pass over the pods in order. With OrderedReady nothing goes on past a pod that is not well; with Parallel everything goes at once. */
export function planSteps(set: StatefulSet, pods: readonly Pod[], updateRevision: string, now: number): Steps {
  const { replicas, podManagementPolicy, updateStrategy, minReadySeconds = 0, ordinals } = set.spec;
  const ordered = podManagementPolicy === "OrderedReady";
  const start = ordinals?.start ?? 0;
  const isAvailable = (pod: Pod): boolean => isRunningAndReady(pod) && (availableAt(pod, minReadySeconds) ?? Infinity) <= now;
  const byOrdinal = new Map(pods.map(pod => [ordinalOf(set, pod), pod]));
  const wanted = Array.from({ length: replicas }, (_, i) => start + i);
  const condemned = pods.filter(pod => ordinalOf(set, pod) >= 0 && !wanted.includes(ordinalOf(set, pod))).sort((a, b) => ordinalOf(set, b) - ordinalOf(set, a));
  const create: Steps["create"][number][] = [];
  const remove: Steps["remove"][number][] = [];
  const steps = { create, remove };

  for (const ordinal of wanted) {
    const pod = byOrdinal.get(ordinal);
    if (pod === undefined) create.push({ ordinal, revision: needsCurrent(set, ordinal) ? "current" : "update" });
    else if (isPodFinished(pod)) {
      if (!isTerminating(pod)) remove.push({ pod, why: "failed" });
      // Its successor can only come once it is gone.
      return steps;
    } else if (!isTerminating(pod) && isAvailable(pod)) continue;
    if (ordered) return steps;
  }
  const firstUnwell = [...condemned].reverse().find(pod => !isRunningAndReady(pod) || isTerminating(pod));
  for (const pod of condemned) {
    if (isTerminating(pod)) {
      if (ordered) return steps;
      continue;
    }
    if (ordered && !isAvailable(pod) && pod !== firstUnwell) return steps;
    remove.push({ pod, why: "scaled" });
    if (ordered) return steps;
  }
  if (updateStrategy.type === "OnDelete" || create.length > 0) return steps;

  // From the highest down to the partition; one that is not well yet uses up what may be unavailable.
  const partition = start + (updateStrategy.rollingUpdate?.partition ?? 0);
  const { maxUnavailable } = updateStrategy.rollingUpdate ?? {};
  let room = maxUnavailable === undefined ? 1 : Math.max(1, scaledValue(maxUnavailable, replicas, "up"));
  room -= wanted.filter(ordinal => {
    const pod = byOrdinal.get(ordinal);
    return pod !== undefined && (isTerminating(pod) || !isAvailable(pod)) && (maxUnavailable !== undefined || revisionIn(pod) === updateRevision || isTerminating(pod));
  }).length;
  for (const ordinal of [...wanted].reverse()) {
    const pod = byOrdinal.get(ordinal);
    if (ordinal < partition || room <= 0) break;
    if (pod === undefined || isTerminating(pod) || revisionIn(pod) === updateRevision) continue;
    remove.push({ pod, why: "updated" });
    room--;
  }
  return steps;
}

/** Pods below the partition are made as they were. */
function needsCurrent({ spec: { updateStrategy, ordinals }, status }: StatefulSet, ordinal: number): boolean {
  if (updateStrategy.type !== "RollingUpdate") return false;
  const start = ordinals?.start ?? 0;
  const { partition } = updateStrategy.rollingUpdate ?? {};
  return ordinal < start + (partition ?? status.currentReplicas ?? 0);
}

/** The counts of `pods`, and whether an update is complete. */
export function planStatus(set: StatefulSet, pods: readonly Pod[], current: string, update: string, now: number): StatefulSet["status"] {
  const { replicas: wanted, minReadySeconds = 0, updateStrategy } = set.spec;
  const made = pods.filter(pod => pod.status.phase !== undefined);
  const count = (test: (pod: Pod) => boolean): number => made.filter(test).length;
  const of = (revision: string): number => count(pod => !isTerminating(pod) && revisionIn(pod) === revision);
  const readyReplicas = count(isRunningAndReady);
  const updatedReplicas = of(update);
  const done = updateStrategy.type === "RollingUpdate" && updatedReplicas === wanted && readyReplicas === wanted && made.length === wanted;
  const currentReplicas = done ? updatedReplicas : of(current);
  const { collisionCount = 0, conditions } = set.status;
  return {
    ...(set.metadata.generation === undefined ? {} : { observedGeneration: set.metadata.generation }),
    replicas: made.length, ...(readyReplicas > 0 ? { readyReplicas } : {}), ...(currentReplicas > 0 ? { currentReplicas } : {}), ...(updatedReplicas > 0 ? { updatedReplicas } : {}),
    currentRevision: done ? update : current, updateRevision: update, collisionCount, ...(conditions === undefined ? {} : { conditions }),
    availableReplicas: count(pod => isRunningAndReady(pod) && (availableAt(pod, minReadySeconds) ?? Infinity) <= now),
  };
}
