/** A Deployment's status and conditions, with upstream's reasons and messages (pkg/controller/deployment progress.go, sync.go). */
import { msOf, timeOf } from "../base/time.ts";
import type { Deployment, DeploymentCondition } from "../kinds/apps/deployment.ts";
import type { ReplicaSet } from "../kinds/apps/replicaset.ts";
import { actualReplicas, availableReplicas, bounds, hasProgressDeadline } from "./deployment-plan.ts";

type Status = Deployment["status"];
type Conditions = readonly DeploymentCondition[];

export function conditionOf(status: Status, type: string): DeploymentCondition | undefined {
  return status.conditions?.find(condition => condition.type === type);
}
/** Sets a condition. The same status and reason changes nothing; the same status keeps its transition time. */
export function withCondition(conditions: Conditions, type: string, status: "True" | "False" | "Unknown", reason: string, message: string, now: number): Conditions {
  const current = conditions.find(condition => condition.type === type);
  if (current?.status === status && current.reason === reason) return conditions;
  const next = { type, status, lastUpdateTime: timeOf(now), lastTransitionTime: current?.status === status ? current.lastTransitionTime : timeOf(now), reason, message };
  return [...conditions.filter(condition => condition.type !== type), next];
}
const without = (conditions: Conditions, type: string): Conditions => conditions.filter(condition => condition.type !== type);

/** What pausing and resuming say in `Progressing`, so that the deadline does not run meanwhile. */
export function pausedConditions(deployment: Deployment, now: number): Conditions {
  const conditions = deployment.status.conditions ?? [];
  const progressing = conditionOf(deployment.status, "Progressing");
  if (!hasProgressDeadline(deployment) || progressing?.reason === "ProgressDeadlineExceeded") return conditions;
  const paused = progressing?.reason === "DeploymentPaused";
  if (deployment.spec.paused === true && !paused) return withCondition(conditions, "Progressing", "Unknown", "DeploymentPaused", "Deployment is paused", now);
  if (deployment.spec.paused !== true && paused) return withCondition(conditions, "Progressing", "Unknown", "DeploymentResumed", "Deployment is resumed", now);
  return conditions;
}

/** The numbers and `Available`. `deployment.status.conditions` are those reached so far. */
export function countStatus(deployment: Deployment, current: ReplicaSet | undefined, old: readonly ReplicaSet[], now: number): Status {
  const all = [...old, ...(current === undefined ? [] : [current])];
  const available = availableReplicas(all);
  const { conditions = [], collisionCount } = deployment.status;
  const enough = available >= deployment.spec.replicas - bounds(deployment).unavailable;
  const replicas = actualReplicas(all);
  const updatedReplicas = actualReplicas(current === undefined ? [] : [current]);
  const readyReplicas = all.reduce((total, set) => total + (set.status.readyReplicas ?? 0), 0);
  const unavailableReplicas = Math.max(0, all.reduce((total, set) => total + set.spec.replicas, 0) - available);
  const terminating = all.every(set => set.status.terminatingReplicas !== undefined) ? all.reduce((total, set) => total + (set.status.terminatingReplicas ?? 0), 0) : undefined;
  return {
    ...(deployment.metadata.generation === undefined ? {} : { observedGeneration: deployment.metadata.generation }),
    ...(replicas > 0 ? { replicas } : {}), ...(updatedReplicas > 0 ? { updatedReplicas } : {}), ...(readyReplicas > 0 ? { readyReplicas } : {}),
    ...(available > 0 ? { availableReplicas: available } : {}), ...(unavailableReplicas > 0 ? { unavailableReplicas } : {}),
    ...(terminating === undefined ? {} : { terminatingReplicas: terminating }), ...(collisionCount === undefined ? {} : { collisionCount }),
    conditions: enough
      ? withCondition(conditions, "Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.", now)
      : withCondition(conditions, "Available", "False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.", now),
  };
}

/** `countStatus` and what a rollout adds: whether it is done, moves, or is stuck, and why pods could not be made. */
export function rolloutStatus(deployment: Deployment, current: ReplicaSet | undefined, old: readonly ReplicaSet[], now: number): Status {
  const status = countStatus(deployment, current, old, now);
  let conditions = status.conditions ?? [];
  const progressing = conditionOf(deployment.status, "Progressing");
  const wasComplete = (status.replicas ?? 0) === (status.updatedReplicas ?? 0) && progressing?.reason === "NewReplicaSetAvailable";
  const subject = current === undefined ? `Deployment ${JSON.stringify(deployment.metadata.name)}` : `ReplicaSet ${JSON.stringify(current.metadata.name)}`;
  if (!hasProgressDeadline(deployment)) conditions = without(conditions, "Progressing");
  else if (!wasComplete) {
    if (isComplete(deployment, status)) conditions = withCondition(conditions, "Progressing", "True", "NewReplicaSetAvailable", `${subject} has successfully progressed.`, now);
    else if (hasProgressed(deployment.status, status)) {
      // Progress counts anew each time: the update time must move although status and reason do not.
      const since = progressing?.status === "True" ? progressing.lastTransitionTime : timeOf(now);
      conditions = [...without(conditions, "Progressing"), { type: "Progressing", status: "True", lastUpdateTime: timeOf(now), lastTransitionTime: since, reason: "ReplicaSetUpdated", message: `${subject} is progressing.` }];
    } else if (hasTimedOut(deployment, conditions, now))
      conditions = withCondition(conditions, "Progressing", "False", "ProgressDeadlineExceeded", `${subject} has timed out progressing.`, now);
  }
  const failure = failureOf(current, old);
  conditions = failure === undefined ? without(conditions, "ReplicaFailure") : withFailure(conditions, failure);
  return { ...status, conditions };
}

export function isComplete(deployment: Deployment, status: Status): boolean {
  const { replicas } = deployment.spec;
  return (status.updatedReplicas ?? 0) === replicas && (status.replicas ?? 0) === replicas && (status.availableReplicas ?? 0) === replicas
    && (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0);
}
function hasProgressed(before: Status, after: Status): boolean {
  const old = (status: Status): number => (status.replicas ?? 0) - (status.updatedReplicas ?? 0);
  return (after.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) || old(after) < old(before)
    || (after.readyReplicas ?? 0) > (before.readyReplicas ?? 0) || (after.availableReplicas ?? 0) > (before.availableReplicas ?? 0);
}
function hasTimedOut(deployment: Deployment, conditions: Conditions, now: number): boolean {
  const progressing = conditions.find(condition => condition.type === "Progressing");
  if (progressing === undefined || progressing.reason === "NewReplicaSetAvailable") return false;
  return progressing.reason === "ProgressDeadlineExceeded" || deadline(deployment, progressing) < now;
}
function deadline(deployment: Deployment, progressing: DeploymentCondition): number {
  return (msOf(progressing.lastUpdateTime) ?? 0) + (deployment.spec.progressDeadlineSeconds ?? 0) * 1000;
}

/** When to look again although nothing happens: just after the deadline. */
export function nextCheck(deployment: Deployment, status: Status, now: number): number | undefined {
  const progressing = conditionOf(status, "Progressing");
  if (!hasProgressDeadline(deployment) || progressing === undefined || isComplete(deployment, status) || progressing.reason === "ProgressDeadlineExceeded") return undefined;
  return Math.max(0, deadline(deployment, progressing) - now) + 1000;
}

/** The first failure of the current ReplicaSet, else of an old one. */
function failureOf(current: ReplicaSet | undefined, old: readonly ReplicaSet[]): DeploymentCondition | undefined {
  for (const set of [...(current === undefined ? [] : [current]), ...old]) {
    const found = set.status.conditions?.find(condition => condition.type === "ReplicaFailure");
    if (found !== undefined) return { ...found, lastUpdateTime: found.lastTransitionTime } as DeploymentCondition;
  }
  return undefined;
}
function withFailure(conditions: Conditions, failure: DeploymentCondition): Conditions {
  const current = conditions.find(condition => condition.type === failure.type);
  if (current?.status === failure.status && current.reason === failure.reason) return conditions;
  return [...without(conditions, failure.type), failure];
}
