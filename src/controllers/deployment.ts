import { ApiError, isApiError } from "../base/api-error.ts";
import { sameJson } from "../base/json.ts";
import { messageOf } from "../base/log.ts";
import { selectorOf } from "../base/selector.ts";
import { byController } from "../client/informer.ts";
import { Deployment } from "../kinds/apps/deployment.ts";
import { ReplicaSet } from "../kinds/apps/replicaset.ts";
import { Pod } from "../kinds/core/pod.ts";
import type { New } from "../kinds/kind.ts";
import { controllerKeys, ownedOrSelected, type Context, type Controller, type Outcome } from "./controller.ts";
import {
  actualReplicas, annotations, currentAnnotations, currentReplicas, hashLabel, hasProgressDeadline, isReplicasAnnotated, isScaling, nextRevision,
  planCleanup, planRolling, planScale, replicasAnnotations, sameTemplate, splitSets, type Resize,
} from "./deployment-plan.ts";
import { conditionOf, countStatus, isComplete, nextCheck, pausedConditions, rolloutStatus, withCondition } from "./deployment-status.ts";
import { candidatesOf, claim, controllerRef, planClaim } from "./ownership.ts";
import { isPodFinished } from "./pods.ts";
import { podTemplateHash } from "./pod-template-hash.ts";

/** Moves a Deployment's pods from old templates to the current one, by ReplicaSets. */
export const deploymentController: Controller = {
  name: "deployment",
  account: "deployment-controller",
  reconciles: Deployment,
  watches: [ownedOrSelected(ReplicaSet, Deployment, ({ spec }) => selectorOf(spec.selector)), { kind: Pod, keysOf: podKeys }],

  async reconcile(key, context) {
    const deployment = context.read(Deployment).get(key);
    if (deployment === undefined) return undefined;
    const { matchLabels = {}, matchExpressions = [] } = deployment.spec.selector;
    if (Object.keys(matchLabels).length + matchExpressions.length === 0) return refuseToSelectAll(deployment, context);
    const sets = await claim(context, Deployment, deployment, ReplicaSet, planClaim(deployment, selectorOf(deployment.spec.selector), candidatesOf(context, ReplicaSet, deployment)));
    const rollout = new Rollout(deployment, sets, context);
    if (deployment.metadata.deletionTimestamp !== undefined) return rollout.finish(countStatus);
    rollout.setConditions(pausedConditions(deployment, context.clock.now()));
    if (deployment.spec.paused === true || isScaling(deployment, sets)) return rollout.sync();
    return deployment.spec.strategy.type === "Recreate" ? rollout.recreate() : rollout.roll();
  },
};

async function refuseToSelectAll(deployment: Deployment, context: Context): Promise<Outcome> {
  context.events.event(deployment, "Warning", "SelectingAll", "This deployment is selecting all pods. A non-empty selector is required.");
  const { generation = 0 } = deployment.metadata;
  if ((deployment.status.observedGeneration ?? 0) < generation) await context.updateStatus(Deployment, { ...deployment, status: { ...deployment.status, observedGeneration: generation } });
  return undefined;
}

/** Only `Recreate` waits for pods themselves to be gone; everything else it learns from ReplicaSets. */
function podKeys(pod: Pod, context: Context, { type }: { readonly type: string }): readonly string[] {
  if (type !== "deleted" && !isPodFinished(pod)) return [];
  return controllerKeys(pod, ReplicaSet).flatMap(key => {
    const set = context.read(ReplicaSet).get(key);
    return set === undefined ? [] : controllerKeys(set, Deployment);
  }).filter(key => context.read(Deployment).get(key)?.spec.strategy.type === "Recreate");
}

type StatusOf = typeof countStatus;

/** One run over one Deployment: carries out plans and keeps the ReplicaSets as they are after each write. */
class Rollout {
  #deployment: Deployment;
  #current: ReplicaSet | undefined;
  #old: readonly ReplicaSet[];
  #stored: Deployment;
  readonly #context: Context;

  constructor(deployment: Deployment, sets: readonly ReplicaSet[], context: Context) {
    this.#deployment = this.#stored = deployment;
    this.#context = context;
    ({ current: this.#current, old: this.#old } = splitSets(deployment, sets));
  }
  setConditions(conditions: NonNullable<Deployment["status"]["conditions"]>): void {
    if (conditions.length > 0) this.#deployment = { ...this.#deployment, status: { ...this.#deployment.status, conditions } };
  }

  /** Paused or scaled: sizes change, templates do not. */
  async sync(): Promise<Outcome> {
    await this.#syncRevision(false);
    await this.#resize(planScale(this.#deployment, this.#current, this.#old));
    if (this.#deployment.spec.paused === true) await this.#cleanUp();
    return this.finish(countStatus);
  }
  async roll(): Promise<Outcome> {
    await this.#syncRevision(true);
    if (this.#current === undefined) return this.finish(rolloutStatus);
    if (!await this.#resize(planRolling(this.#deployment, this.#current, this.#old)) && isComplete(this.#deployment, this.#stored.status)) await this.#cleanUp();
    return this.finish(rolloutStatus);
  }
  /** Every old pod must be gone before the first new one is made. */
  async recreate(): Promise<Outcome> {
    await this.#syncRevision(false);
    if (await this.#resize(this.#old.filter(set => set.spec.replicas > 0).map(set => ({ set, replicas: 0 })))) return this.finish(rolloutStatus);
    const pods = this.#context.read(Pod);
    const unsure = this.#old.some(set => (set.status.observedGeneration ?? 0) < (set.metadata.generation ?? 0));
    if (unsure || actualReplicas(this.#old) > 0 || this.#old.some(set => pods.by(byController, set.metadata.uid).some(pod => !isPodFinished(pod)))) return this.finish(rolloutStatus);
    await this.#syncRevision(true);
    if (this.#current !== undefined) await this.#resize([{ set: this.#current, replicas: this.#deployment.spec.replicas }]);
    if (isComplete(this.#deployment, this.#stored.status)) await this.#cleanUp();
    return this.finish(rolloutStatus);
  }

  /** Writes the status if it changed. */
  async finish(statusOf: StatusOf): Promise<Outcome> {
    const now = this.#context.clock.now();
    const status = statusOf(this.#deployment, this.#current, this.#old, now);
    if (!sameJson(this.#stored.status, status)) await this.#context.updateStatus(Deployment, { ...this.#deployment, status });
    const next = statusOf === rolloutStatus ? nextCheck(this.#deployment, status, now) : undefined;
    return next === undefined ? undefined : { after: next };
  }

  /** Brings revision, annotations and minReadySeconds of the current ReplicaSet up to date; makes it if it is missing and `make` says so. */
  async #syncRevision(make: boolean): Promise<void> {
    const revision = nextRevision(this.#old);
    const existing = this.#current;
    const deployment = this.#deployment;
    if (existing === undefined) {
      if (make) await this.#make(revision);
      return;
    }
    const wanted = currentAnnotations(deployment, existing, revision);
    const minReadySeconds = deployment.spec.minReadySeconds ?? 0;
    if (!sameJson(wanted, existing.metadata.annotations ?? {}) || (existing.spec.minReadySeconds ?? 0) !== minReadySeconds)
      this.#current = await this.#context.update(ReplicaSet, { ...existing, metadata: { ...existing.metadata, annotations: wanted }, spec: { ...existing.spec, minReadySeconds } });
    await this.#setRevision(wanted[annotations.revision]);
    if (hasProgressDeadline(deployment) && conditionOf(deployment.status, "Progressing") === undefined)
      this.setConditions(withCondition(deployment.status.conditions ?? [], "Progressing", "True", "FoundNewReplicaSet", `Found new replica set ${JSON.stringify(existing.metadata.name)}`, this.#context.clock.now()));
  }

  async #make(revision: bigint): Promise<void> {
    const { clock, events } = this.#context;
    const deployment = this.#deployment;
    const hash = podTemplateHash(deployment.spec.template, deployment.status.collisionCount);
    const set = newSet(deployment, hash, currentReplicas(deployment, 0, this.#old), revision);
    const name = set.metadata?.name ?? "";
    const progress = (status: "True" | "False", reason: string, message: string): void => {
      if (hasProgressDeadline(deployment)) this.setConditions(withCondition(this.#deployment.status.conditions ?? [], "Progressing", status, reason, message, clock.now()));
    };
    try {
      this.#current = await this.#context.create(ReplicaSet, set);
    } catch (error) {
      if (isApiError(error, "AlreadyExists")) return this.#taken(name, error);
      if (!(error instanceof ApiError) || error.details?.causes?.some(cause => cause.reason === "NamespaceTerminating") === true) throw error;
      const message = `Failed to create new replica set ${JSON.stringify(name)}: ${messageOf(error)}`;
      progress("False", "ReplicaSetCreateError", message);
      events.event(deployment, "Warning", "ReplicaSetCreateError", message);
      await this.#context.updateStatus(Deployment, this.#deployment);
      throw error;
    }
    const { replicas } = this.#current.spec;
    if (replicas > 0) events.event(deployment, "Normal", "ScalingReplicaSet", `Scaled up replica set ${name} from 0 to ${replicas}`);
    progress("True", "NewReplicaSetCreated", `Created new replica set ${JSON.stringify(name)}`);
    await this.#setRevision(String(revision));
  }
  /** The name is taken: by our own ReplicaSet that the copy does not show yet, or by another template with the same hash. */
  async #taken(name: string, error: ApiError): Promise<void> {
    const deployment = this.#deployment;
    const there = await this.#context.live(ReplicaSet, deployment.metadata.namespace ?? "", name);
    const owner = there?.metadata.ownerReferences?.find(ref => ref.controller === true)?.uid;
    if (there !== undefined && owner === deployment.metadata.uid && sameTemplate(there.spec.template, deployment.spec.template)) {
      this.#current = there;
      return;
    }
    if (there !== undefined) await this.#context.updateStatus(Deployment, { ...deployment, status: { ...deployment.status, collisionCount: (deployment.status.collisionCount ?? 0) + 1 } });
    throw error;
  }
  /** By way of the status, as upstream: a Deployment's annotations, written otherwise, count as a new generation. */
  async #setRevision(revision: string | undefined): Promise<void> {
    const { metadata } = this.#deployment;
    if (revision === undefined || metadata.annotations?.[annotations.revision] === revision) return;
    const next = { ...this.#deployment, metadata: { ...metadata, annotations: { ...metadata.annotations, [annotations.revision]: revision } } };
    this.#deployment = this.#stored = await this.#context.updateStatus(Deployment, next);
  }

  /** True if some ReplicaSet's size changed. */
  async #resize(plan: readonly Resize[]): Promise<boolean> {
    let resized = false;
    for (const { set, replicas } of plan) {
      const deployment = this.#deployment;
      const before = set.spec.replicas;
      if (before === replicas && isReplicasAnnotated(deployment, set)) continue;
      const written = await this.#context.update(ReplicaSet, {
        ...set, spec: { ...set.spec, replicas }, metadata: { ...set.metadata, annotations: { ...set.metadata.annotations, ...replicasAnnotations(deployment) } },
      });
      if (set === this.#current) this.#current = written;
      this.#old = this.#old.map(other => (other === set ? written : other));
      if (before === replicas) continue;
      resized = true;
      this.#context.events.event(deployment, "Normal", "ScalingReplicaSet", `Scaled ${before < replicas ? "up" : "down"} replica set ${set.metadata.name} from ${before} to ${replicas}`);
    }
    return resized;
  }
  async #cleanUp(): Promise<void> {
    for (const set of planCleanup(this.#deployment, this.#old)) await this.#context.delete(ReplicaSet, set);
  }
}

const nameCharsMax = 253;

function newSet(deployment: Deployment, hash: string, replicas: number, revision: bigint): New<typeof ReplicaSet> {
  const { template, selector, minReadySeconds } = deployment.spec;
  const labels = { ...template.metadata?.labels, [hashLabel]: hash };
  return {
    metadata: {
      name: `${deployment.metadata.name.slice(0, nameCharsMax - hash.length - 1)}-${hash}`, namespace: deployment.metadata.namespace, labels,
      annotations: currentAnnotations(deployment, undefined, revision), ownerReferences: [controllerRef(Deployment, deployment)],
    },
    spec: {
      replicas, selector: { ...selector, matchLabels: { ...selector.matchLabels, [hashLabel]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } }, ...(minReadySeconds === undefined ? {} : { minReadySeconds }),
    },
  } as New<typeof ReplicaSet>;
}
