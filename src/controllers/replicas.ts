import { sameJson } from "../base/json.ts";
import { messageOf } from "../base/log.ts";
import type { Selector } from "../base/selector.ts";
import { timeOf } from "../base/time.ts";
import { byController } from "../client/informer.ts";
import type { ReplicaSet } from "../kinds/apps/replicaset.ts";
import { Pod } from "../kinds/core/pod.ts";
import type { AnyKind, New } from "../kinds/kind.ts";
import { controllerKeys, ownedOrSelected, type Context, type Controller } from "./controller.ts";
import { candidatesOf, claim, controllerRef, planClaim } from "./ownership.ts";
import { isNamespaceEnding } from "./serviceaccount.ts";
import { availableAt, isPodActive, isPodReady, isPodTerminating, leastUsefulFirst, podFromTemplate } from "./pods.ts";

// Pods made or removed in one run, and the first of the batches that double (upstream BurstReplicas, SlowStartInitialBatchSize).
const burstMax = 500;
const firstBatch = 1;

/** ReplicaSets and ReplicationControllers are one thing under two names; they are told apart by their kind and how they select. */
export type ReplicasKind = {
  readonly kind: typeof ReplicaSet;
  readonly name: string;
  readonly account: string;
  readonly component: string;
  readonly selectorOf: (set: ReplicaSet) => Selector;
  /** Whether `status.terminatingReplicas` exists. */
  readonly countsTerminating: boolean;
};

/** Keeps as many pods as each object of the kind asks for. */
export function replicasController(of: ReplicasKind): Controller {
  const { kind, name, account, component, selectorOf } = of;
  return {
    name, account, component,
    reconciles: kind,
    watches: [ownedOrSelected(Pod, kind, selectorOf)],

    async reconcile(key, context) {
      const set = context.read(kind).get(key);
      if (set === undefined) return undefined;
      const { clock } = context;
      const candidates = candidatesOf(context, Pod, set);
      const pods = await claim(context, kind, set, Pod, planClaim(set, selectorOf(set), candidates.filter(isPodActive)));
      const terminating = candidates.filter(pod => isPodTerminating(pod) && controllerKeys(pod, kind).includes(key)).length;

      const { failure, removed } = set.metadata.deletionTimestamp === undefined ? await scale(of, set, pods, context) : { failure: undefined, removed: [] };
      // Who waits for this set's status, as rollouts do, must not count pods that are on their way out.
      const left = pods.filter(pod => !removed.includes(pod));
      const status = planStatus(set, left, of.countsTerminating ? terminating + removed.length : undefined, failure, clock.now());
      if (!sameJson(set.status, status)) await context.updateStatus(kind, { ...set, status });
      if (failure !== undefined) throw failure.error;
      const next = nextAvailable(set, left, clock.now());
      return next === undefined ? undefined : { after: next - clock.now() };
    },
  };
}

export type Scaling = { readonly add: number; readonly remove: readonly Pod[] };

/** How many pods to make and which to remove. `relatives` are the active pods of all ReplicaSets of the same owner: doubled-up nodes lose pods first. */
export function planScaling(set: ReplicaSet, pods: readonly Pod[], relatives: readonly Pod[], now: number): Scaling {
  const surplus = pods.length - set.spec.replicas;
  if (surplus <= 0) return { add: Math.min(-surplus, burstMax), remove: [] };
  const onNode = new Map<string, number>();
  for (const { spec } of relatives) onNode.set(spec.nodeName ?? "", (onNode.get(spec.nodeName ?? "") ?? 0) + 1);
  const ranked = pods.map(pod => ({ pod, rank: onNode.get(pod.spec.nodeName ?? "") ?? 0 })).sort(leastUsefulFirst(now));
  return { add: 0, remove: ranked.slice(0, Math.min(surplus, burstMax)).map(({ pod }) => pod) };
}

type Failure = { readonly reason: "FailedCreate" | "FailedDelete"; readonly error: unknown };

async function scale({ kind }: ReplicasKind, set: ReplicaSet, pods: readonly Pod[], context: Context): Promise<{ readonly failure: Failure | undefined; readonly removed: readonly Pod[] }> {
  const plan = planScaling(set, pods, relativesOf(kind, set, context), context.clock.now());
  if (plan.add > 0) return { failure: await createPods(kind, set, plan.add, context), removed: [] };
  const deletions = await Promise.allSettled(plan.remove.map(pod => context.delete(Pod, pod)));
  let failure: Failure | undefined;
  deletions.forEach((deletion, i) => {
    if (deletion.status === "fulfilled") context.events.event(set, "Normal", "SuccessfulDelete", `Deleted pod: ${plan.remove[i]!.metadata.name}`);
    else {
      context.events.event(set, "Warning", "FailedDelete", `Error deleting: ${messageOf(deletion.reason)}`);
      failure ??= { reason: "FailedDelete", error: deletion.reason };
    }
  });
  return { failure, removed: plan.remove.filter((_, i) => deletions[i]?.status === "fulfilled") };
}

/** Batches of 1, 2, 4, …: where every pod would be refused, few are tried. */
async function createPods(kind: typeof ReplicaSet, set: ReplicaSet, count: number, context: Context): Promise<Failure | undefined> {
  let failure: Failure | undefined;
  for (let left = count, batch = Math.min(firstBatch, left); batch > 0 && failure === undefined; left -= batch, batch = Math.min(2 * batch, left))
    for (const creation of await Promise.allSettled(Array.from({ length: batch }, () => context.create(Pod, podFrom(kind, set)))))
      if (creation.status === "fulfilled") context.events.event(set, "Normal", "SuccessfulCreate", `Created pod: ${creation.value.metadata.name}`);
      else if (!isNamespaceEnding(creation.reason)) {
        context.events.event(set, "Warning", "FailedCreate", `Error creating: ${messageOf(creation.reason)}`);
        failure ??= { reason: "FailedCreate", error: creation.reason };
      }
  return failure;
}
function relativesOf(kind: typeof ReplicaSet, set: ReplicaSet, context: Context): readonly Pod[] {
  const owner = set.metadata.ownerReferences?.find(ref => ref.controller === true)?.uid;
  const family = owner === undefined ? [set] : context.read(kind).by(byController, owner);
  return family.flatMap(member => context.read(Pod).by(byController, member.metadata.uid)).filter(isPodActive);
}

function podFrom(kind: AnyKind, set: ReplicaSet): New<typeof Pod> {
  return podFromTemplate(set.spec.template, { generateName: `${set.metadata.name}-`, namespace: set.metadata.namespace, ownerReferences: [controllerRef(kind, set)] });
}

/** The status that `pods` make (upstream calculateStatus). */
export function planStatus(set: ReplicaSet, pods: readonly Pod[], terminating: number | undefined, failure: Failure | undefined, now: number): ReplicaSet["status"] {
  const { minReadySeconds = 0, template } = set.spec;
  const labels = Object.entries(template.metadata?.labels ?? {});
  const count = (test: (pod: Pod) => boolean): number => pods.filter(test).length;
  const fullyLabeledReplicas = count(pod => labels.every(([name, value]) => pod.metadata.labels?.[name] === value));
  const readyReplicas = count(isPodReady);
  const availableReplicas = count(pod => (availableAt(pod, minReadySeconds) ?? Infinity) <= now);
  const conditions = conditionsAfter(set, failure, now);
  return {
    replicas: pods.length,
    ...(fullyLabeledReplicas > 0 ? { fullyLabeledReplicas } : {}),
    ...(readyReplicas > 0 ? { readyReplicas } : {}),
    ...(availableReplicas > 0 ? { availableReplicas } : {}),
    ...(terminating === undefined ? {} : { terminatingReplicas: terminating }),
    ...(set.metadata.generation === undefined ? {} : { observedGeneration: set.metadata.generation }),
    ...(conditions.length > 0 ? { conditions } : {}),
  };
}

function conditionsAfter(set: ReplicaSet, failure: Failure | undefined, now: number): NonNullable<ReplicaSet["status"]["conditions"]> {
  const conditions = set.status.conditions ?? [];
  const had = conditions.some(condition => condition.type === "ReplicaFailure");
  if (failure !== undefined && !had)
    return [...conditions, { type: "ReplicaFailure", status: "True", lastTransitionTime: timeOf(now), reason: failure.reason, message: messageOf(failure.error) }];
  return failure === undefined && had ? conditions.filter(condition => condition.type !== "ReplicaFailure") : conditions;
}

/** When the next ready pod has been so for long enough. */
function nextAvailable(set: ReplicaSet, pods: readonly Pod[], now: number): number | undefined {
  const times = pods.map(pod => availableAt(pod, set.spec.minReadySeconds ?? 0)).filter((time): time is number => time !== undefined && time > now);
  return times.length === 0 ? undefined : Math.min(...times);
}
