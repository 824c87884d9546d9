import { sameJson } from "../base/json.ts";
import { messageOf } from "../base/log.ts";
import { selectorOf } from "../base/selector.ts";
import { keyOf } from "../client/informer.ts";
import { ControllerRevision } from "../kinds/apps/controllerrevision.ts";
import { DaemonSet } from "../kinds/apps/daemonset.ts";
import { Node } from "../kinds/core/node.ts";
import { Pod } from "../kinds/core/pod.ts";
import type { New } from "../kinds/kind.ts";
import { owned, ownedOrSelected, type Context, type Controller } from "./controller.ts";
import { daemonTolerations, planStatus, planSteps, revisionLabel, type Steps } from "./daemonset-plan.ts";
import { currentRevision, revisionsOf, truncateHistory } from "./history.ts";
import { candidatesOf, claim, controllerRef, planClaim } from "./ownership.ts";
import { availableAt, podFromTemplate } from "./pods.ts";
import { podTemplateHash } from "./pod-template-hash.ts";
import { isNamespaceEnding } from "./serviceaccount.ts";

/** Pods made or removed in one run (upstream BurstReplicas). */
const burstMax = 250;
/** A failed pod is replaced after a second, then after twice as long each time (upstream: 1 s to 15 min). */
const failedBackOffMs = 1_000;
const failedBackOffMaxMs = 900_000;

/** Keeps one pod on every node that fits. */
export function daemonSetController(): Controller {
  /** By set and node: how often its pod has failed in a row, and until when to wait. Forgotten with the process. */
  const failures = new Map<string, { readonly count: number; readonly until: number }>();
  return {
    name: "daemonset",
    account: "daemon-set-controller",
    reconciles: DaemonSet,
    watches: [
      ownedOrSelected(Pod, DaemonSet, ({ spec }) => selectorOf(spec.selector)), owned(ControllerRevision, DaemonSet),
      { kind: Node, keysOf: (node: Node, context, { previous }) => (previous !== undefined && sameJson([node.spec, node.metadata.labels ?? {}], [previous.spec, previous.metadata.labels ?? {}]) ? [] : context.read(DaemonSet).list().map(keyOf)) },
    ],

    async reconcile(key, context) {
      const set = context.read(DaemonSet).get(key);
      if (set === undefined) return undefined;
      const { matchLabels = {}, matchExpressions = [] } = set.spec.selector;
      if (Object.keys(matchLabels).length + matchExpressions.length === 0) {
        context.events.event(set, "Warning", "SelectingAll", "This daemon set is selecting all pods. A non-empty selector is required.");
        return undefined;
      }
      const now = context.clock.now();
      const revisions = await revisionsOf(context, DaemonSet, set, set.spec.selector);
      const pods = await claim(context, DaemonSet, set, Pod, planClaim(set, selectorOf(set.spec.selector), candidatesOf(context, Pod, set)));
      if (set.metadata.deletionTimestamp !== undefined) return undefined;
      const found = await currentRevision(context, revisions, {
        owner: set, kind: DaemonSet, template: set.spec.template, labels: set.spec.template.metadata?.labels ?? {}, hashOf: (_, collisions) => podTemplateHash(set.spec.template, collisions), hashLabel: revisionLabel, collisions: set.status.collisionCount,
      });
      if ("collided" in found) {
        await context.updateStatus(DaemonSet, { ...set, status: { ...set.status, collisionCount: found.collided } });
        return undefined;
      }
      const hash = found.revision.metadata.labels?.[revisionLabel] ?? "";
      const nodes = context.read(Node).list();
      const { steps, waitMs } = holdBack(planSteps(set, nodes, pods, hash, now), set, failures, context);
      const failure = await carryOut(set, steps, hash, context);
      const status = planStatus(set, nodes, pods, hash, now);
      if (!sameJson(set.status, status)) await context.updateStatus(DaemonSet, { ...set, status });
      if (failure !== undefined) throw failure;
      await truncateHistory(context, revisions, new Set([found.revision.metadata.name, ...revisions.filter(({ metadata }) => pods.some(pod => pod.metadata.labels?.[revisionLabel] === metadata.labels?.[revisionLabel])).map(({ metadata }) => metadata.name)]), set.spec.revisionHistoryLimit);
      const times = [...pods.map(pod => (availableAt(pod, set.spec.minReadySeconds ?? 0) ?? 0) - now), waitMs ?? 0].filter(ms => ms > 0);
      return times.length === 0 ? undefined : { after: Math.min(...times) };
    },
  };
}

/** Leaves out failed pods whose wait is not over. */
function holdBack(steps: Steps, set: DaemonSet, failures: Map<string, { readonly count: number; readonly until: number }>, { clock }: Context): { readonly steps: Steps; readonly waitMs: number | undefined } {
  const now = clock.monotonic();
  let waitMs: number | undefined;
  const remove = steps.remove.filter(({ pod, why }) => {
    if (why !== "failed") return true;
    const id = `${set.metadata.uid}/${pod.spec.nodeName ?? ""}`;
    const { count, until } = failures.get(id) ?? { count: 0, until: 0 };
    if (now < until) {
      waitMs = Math.min(waitMs ?? Infinity, until - now);
      return false;
    }
    const wait = Math.min(failedBackOffMs * 2 ** count, failedBackOffMaxMs);
    failures.set(id, { count: now - until > 2 * failedBackOffMaxMs ? 0 : count + 1, until: now + wait });
    return true;
  });
  return { steps: { create: steps.create, remove }, waitMs };
}

async function carryOut(set: DaemonSet, { create, remove }: Steps, hash: string, context: Context): Promise<unknown> {
  const creations = await Promise.allSettled(create.slice(0, burstMax).map(node => context.create(Pod, podFor(set, node, hash))));
  let failure: unknown;
  for (const creation of creations)
    if (creation.status === "fulfilled") context.events.event(set, "Normal", "SuccessfulCreate", `Created pod: ${creation.value.metadata.name}`);
    else if (!isNamespaceEnding(creation.reason)) {
      context.events.event(set, "Warning", "FailedCreate", `Error creating: ${messageOf(creation.reason)}`);
      failure ??= creation.reason;
    }
  for (const { pod, why } of remove.slice(0, burstMax)) {
    const { namespace, name } = pod.metadata;
    if (why === "failed") context.events.event(set, "Warning", "FailedDaemonPod", `Found failed daemon pod ${namespace}/${name} on node ${pod.spec.nodeName ?? ""}, will try to kill it`);
    if (why === "succeeded") context.events.event(set, "Normal", "SucceededDaemonPod", `Found succeeded daemon pod ${namespace}/${name} on node ${pod.spec.nodeName ?? ""}, will try to delete it`);
    try {
      await context.delete(Pod, pod);
      context.events.event(set, "Normal", "SuccessfulDelete", `Deleted pod: ${name}`);
    } catch (error) {
      context.events.event(set, "Warning", "FailedDelete", `Error deleting: ${messageOf(error)}`);
      failure ??= error;
    }
  }
  return failure;
}

/** Bound to its node by an affinity to the node's name, so that the scheduler places it like any other pod. */
function podFor(set: DaemonSet, node: string, hash: string): New<typeof Pod> {
  const generation = set.metadata.annotations?.["deprecated.daemonset.template.generation"];
  const pod = podFromTemplate(set.spec.template, {
    generateName: `${set.metadata.name}-`, namespace: set.metadata.namespace, ownerReferences: [controllerRef(DaemonSet, set)],
    labels: { [revisionLabel]: hash, ...(generation === undefined ? {} : { "pod-template-generation": generation }) },
  }) as unknown as { readonly metadata: object; readonly spec: Pod["spec"] };
  const { affinity, tolerations = [] } = pod.spec;
  // Instead of what the template requires: this controller has looked at that.
  const required = { nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values: [node] }] }] };
  const added = daemonTolerations(pod.spec).filter(toleration => !tolerations.some(other => sameJson(other, toleration)));
  return {
    ...pod,
    spec: { ...pod.spec, tolerations: [...tolerations, ...added], affinity: { ...affinity, nodeAffinity: { ...affinity?.nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution: required } } },
  } as unknown as New<typeof Pod>;
}
