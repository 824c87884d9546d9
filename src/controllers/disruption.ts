import { sameJson } from "../base/json.ts";
import { messageOf } from "../base/log.ts";
import { selectorOf } from "../base/selector.ts";
import { msOf, timeOf } from "../base/time.ts";
import { byNamespace, joinKey, keyOf } from "../client/informer.ts";
import { Deployment } from "../kinds/apps/deployment.ts";
import { ReplicaSet } from "../kinds/apps/replicaset.ts";
import { StatefulSet } from "../kinds/apps/statefulset.ts";
import { Pod } from "../kinds/core/pod.ts";
import { ReplicationController } from "../kinds/core/replicationcontroller.ts";
import type { AnyKind, Resource } from "../kinds/kind.ts";
import { PodDisruptionBudget } from "../kinds/policy/poddisruptionbudget.ts";
import type { Context, Controller } from "./controller.ts";
import { scaledValue } from "./int-or-percent.ts";
import { isPodFinished, isPodReady } from "./pods.ts";

/** An eviction that was allowed is expected to delete its pod within this time (upstream DeletionTimeout). */
const deletionMs = 120_000;
const scaled: readonly AnyKind[] = [ReplicaSet, ReplicationController, StatefulSet, Deployment];

/** Says how many pods of each budget may be evicted. */
export const disruptionController: Controller = {
  name: "disruption",
  account: "disruption-controller",
  component: "controllermanager",
  reconciles: PodDisruptionBudget,
  watches: [
    { kind: Pod, keysOf: (pod: Pod, context, { previous }) => budgetsOf([pod, previous], context) },
    // How many pods are expected is the scale of what made them.
    ...[ReplicaSet, ReplicationController, StatefulSet, Deployment].map(kind => ({
      kind, keysOf: (owner: Resource<AnyKind>, context: Context, { previous }: { readonly previous?: Resource<AnyKind> | undefined }) =>
        (previous !== undefined && previous.spec.replicas === owner.spec.replicas ? [] : context.read(PodDisruptionBudget).by(byNamespace, owner.metadata.namespace ?? "").map(keyOf)),
    })),
  ],

  async reconcile(key, context) {
    const budget = context.read(PodDisruptionBudget).get(key);
    if (budget === undefined) return undefined;
    const now = context.clock.now();
    const pods = context.read(Pod).by(byNamespace, budget.metadata.namespace ?? "").filter(pod => selectorOf(budget.spec.selector).matches(pod.metadata.labels) && !isPodFinished(pod));
    if (pods.length === 0) context.events.event(budget, "Normal", "NoPods", "No matching pods found");
    let status: PodDisruptionBudget["status"];
    try {
      const { spec: { minAvailable } } = budget;
      const expected = minAvailable !== undefined && typeof minAvailable === "number" ? pods.length : expectedScale(pods, context);
      status = planStatus(budget, pods, expected, now);
    } catch (error) {
      // Upstream's fail safe: nothing may be evicted while it can not be counted.
      context.events.event(budget, "Warning", "CalculateExpectedPodCountFailed", `Failed to calculate the number of expected pods: ${messageOf(error)}`);
      status = withCondition({ ...budget.status, disruptionsAllowed: 0, ...(budget.metadata.generation === undefined ? {} : { observedGeneration: budget.metadata.generation }) }, "False", "SyncFailed", messageOf(error), budget, now);
    }
    for (const [pod, time] of Object.entries(budget.status.disruptedPods ?? {}))
      if (now >= (msOf(time) ?? now) + deletionMs && pods.some(({ metadata }) => metadata.name === pod && metadata.deletionTimestamp === undefined))
        context.events.event(pods.find(({ metadata }) => metadata.name === pod)!, "Warning", "NotDeleted", `Pod was expected by PDB ${key} to be deleted but it wasn't`);
    if (!sameJson(status, budget.status)) await context.updateStatus(PodDisruptionBudget, { ...budget, status });
    const waits = Object.values(status.disruptedPods ?? {}).map(time => (msOf(time) ?? now) + deletionMs - now);
    return waits.length === 0 ? undefined : { after: Math.max(0, Math.min(...waits)) };
  },
};

function budgetsOf(pods: readonly (Pod | undefined)[], context: Context): readonly string[] {
  const keys: string[] = [];
  for (const pod of pods)
    if (pod !== undefined) for (const budget of context.read(PodDisruptionBudget).by(byNamespace, pod.metadata.namespace ?? "")) if (selectorOf(budget.spec.selector).matches(pod.metadata.labels)) keys.push(keyOf(budget));
  return keys;
}

/** The sum of what the pods' controllers ask for; a Deployment stands for its ReplicaSets. */
function expectedScale(pods: readonly Pod[], context: Context): number {
  const scales = new Map<string, number>();
  for (const pod of pods) {
    let owner = ownerOf(pod, context);
    if (owner === undefined) continue;
    if (owner.kind === "ReplicaSet") owner = ownerOf(owner, context) ?? owner;
    scales.set(owner.metadata.uid, owner.spec.replicas ?? 0);
  }
  return [...scales.values()].reduce((total, replicas) => total + replicas, 0);
}
function ownerOf(object: Resource<AnyKind>, context: Context): Resource<AnyKind> | undefined {
  const ref = object.metadata.ownerReferences?.find(ref => ref.controller === true);
  if (ref === undefined) return undefined;
  const kind = scaled.find(kind => kind.kind === ref.kind && `${kind.group === "" ? "" : `${kind.group}/`}${kind.version}` === ref.apiVersion);
  if (kind === undefined) throw new Error(`${ref.kind.toLowerCase()}s.${ref.apiVersion.split("/")[0]} does not implement the scale subresource`);
  const owner = context.read(kind).get(joinKey(object.metadata.namespace, ref.name));
  return owner?.metadata.uid === ref.uid ? owner : undefined;
}

/** The numbers of a budget whose pods' controllers ask for `expected` pods (upstream getExpectedPodCount, trySync). */
export function planStatus(budget: PodDisruptionBudget, pods: readonly Pod[], expected: number, now: number): PodDisruptionBudget["status"] {
  const { minAvailable, maxUnavailable } = budget.spec;
  const desiredHealthy = maxUnavailable !== undefined ? Math.max(0, expected - scaledValue(maxUnavailable, expected, "up")) : scaledValue(minAvailable, expected, "up");
  const disrupted = Object.entries(budget.status.disruptedPods ?? {}).filter(([name, time]) =>
    now < (msOf(time) ?? now) + deletionMs && pods.some(({ metadata }) => metadata.name === name && metadata.deletionTimestamp === undefined));
  const expecting = new Set(disrupted.map(([name]) => name));
  const currentHealthy = pods.filter(pod => pod.metadata.deletionTimestamp === undefined && !expecting.has(pod.metadata.name) && isPodReady(pod)).length;
  const disruptionsAllowed = expected <= 0 ? 0 : Math.max(0, currentHealthy - desiredHealthy);
  const { conditions } = budget.status;
  const status = {
    ...(budget.metadata.generation === undefined ? {} : { observedGeneration: budget.metadata.generation }), ...(disrupted.length === 0 ? {} : { disruptedPods: Object.fromEntries(disrupted) }),
    disruptionsAllowed, currentHealthy, desiredHealthy, expectedPods: expected, ...(conditions === undefined ? {} : { conditions }),
  };
  return disruptionsAllowed > 0 ? withCondition(status, "True", "SufficientPods", "", budget, now) : withCondition(status, "False", "InsufficientPods", "", budget, now);
}

function withCondition(status: PodDisruptionBudget["status"], value: "True" | "False", reason: string, message: string, budget: PodDisruptionBudget, now: number): PodDisruptionBudget["status"] {
  const conditions = status.conditions ?? [];
  const had = conditions.find(({ type }) => type === "DisruptionAllowed");
  const next = { type: "DisruptionAllowed", status: value, reason, message, lastTransitionTime: had?.status === value ? had.lastTransitionTime : timeOf(now), ...(budget.metadata.generation === undefined ? {} : { observedGeneration: budget.metadata.generation }) };
  return { ...status, conditions: [...conditions.filter(({ type }) => type !== "DisruptionAllowed"), next] } as PodDisruptionBudget["status"];
}
