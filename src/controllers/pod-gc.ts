import { msOf } from "../base/time.ts";
import { byNode, type Index } from "../client/informer.ts";
import { Node } from "../kinds/core/node.ts";
import { Pod } from "../kinds/core/pod.ts";
import { jsonOf, type Context, type Controller, type Outcome } from "./controller.ts";
import { isPodFinished, withPodCondition } from "./pods.ts";

/** A node may come back under its name for this long before its pods are removed (upstream quarantineTime). */
const quarantineMs = 40_000;
const outOfService = "node.kubernetes.io/out-of-service";

const byFinished: Index<Pod> = { name: "finished", valuesOf: pod => (isPodFinished(pod) ? ["yes"] : []) };

/**
 * Removes pods that no node agent will ever remove: of nodes that are gone or out of service, deleted before they were scheduled, and the
 * oldest finished ones when there are too many. Keys: `node/<name>`, `pod/<key>`, `finished`.
 */
export function podGC(): Controller {
  // When each node was first found missing. Forgotten with the process: pods of a missing node then wait once more.
  const missingSince = new Map<string, number>();
  return {
    name: "podgc",
    account: "pod-garbage-collector",
    component: "pod-garbage-collector",
    watches: [
      {
        kind: Pod,
        keysOf: (pod: Pod, context, { type }) => {
          if (type === "deleted") return [];
          const { nodeName = "" } = pod.spec;
          const node = nodeName === "" ? undefined : context.read(Node).get(nodeName);
          return [
            ...(nodeName !== "" && (node === undefined || isOutOfService(node)) ? [`node/${nodeName}`] : []),
            ...(nodeName === "" && pod.metadata.deletionTimestamp !== undefined ? [`pod/${pod.metadata.namespace}/${pod.metadata.name}`] : []),
            ...(isPodFinished(pod) ? ["finished"] : []),
          ];
        },
      },
      { kind: Node, keysOf: (node: Node) => [`node/${node.metadata.name}`] },
    ],
    reconcile: (key, context) => {
      if (key === "finished") return collectFinished(context);
      return key.startsWith("pod/") ? collectUnscheduled(key.slice("pod/".length), context) : collectOfNode(key.slice("node/".length), missingSince, context);
    },
  };
}

function isOutOfService({ spec, status }: Node): boolean {
  return spec.taints?.some(taint => taint.key === outOfService) === true && status.conditions?.some(({ type, status }) => type === "Ready" && status === "True") !== true;
}

async function collectFinished(context: Context): Promise<Outcome> {
  const { terminatedPodsMax } = context.settings;
  const finished = context.read(Pod).by(byFinished, "yes");
  if (terminatedPodsMax <= 0 || finished.length <= terminatedPodsMax) return undefined;
  for (const pod of planOldest(finished, finished.length - terminatedPodsMax)) await remove(pod, context);
  return undefined;
}
/** Evicted pods first, then by age (upstream byEvictionAndCreationTimestamp). */
export function planOldest(pods: readonly Pod[], count: number): readonly Pod[] {
  const evicted = (pod: Pod): number => (pod.status.phase === "Failed" && pod.status.reason === "Evicted" ? 0 : 1);
  return [...pods].sort((a, b) => evicted(a) - evicted(b) || (msOf(a.metadata.creationTimestamp) ?? 0) - (msOf(b.metadata.creationTimestamp) ?? 0) || (a.metadata.name < b.metadata.name ? -1 : 1)).slice(0, count);
}

async function collectUnscheduled(key: string, context: Context): Promise<Outcome> {
  const pod = context.read(Pod).get(key);
  if (pod !== undefined && pod.metadata.deletionTimestamp !== undefined && !pod.spec.nodeName) await remove(pod, context);
  return undefined;
}

async function collectOfNode(name: string, missingSince: Map<string, number>, context: Context): Promise<Outcome> {
  const node = context.read(Node).get(name);
  const pods = context.read(Pod).by(byNode, name);
  if (node !== undefined || pods.length === 0) {
    missingSince.delete(name);
    if (node !== undefined && isOutOfService(node)) for (const pod of pods) if (pod.metadata.deletionTimestamp !== undefined) await remove(pod, context);
    return undefined;
  }
  const now = context.clock.monotonic();
  const since = missingSince.get(name) ?? now;
  missingSince.set(name, since);
  if (now < since + quarantineMs) return { after: since + quarantineMs - now };
  if (await context.live(Node, "", name) !== undefined) return undefined;
  for (const pod of pods) await remove(pod, context, "PodGC: node no longer exists");
  return undefined;
}

/** Without an agent nobody would end the pod: it is marked failed, then deleted at once. */
async function remove(pod: Pod, context: Context, why?: string): Promise<void> {
  if (!isPodFinished(pod)) {
    const { conditions } = why === undefined ? pod.status : withPodCondition(pod, "DisruptionTarget", "True", "DeletionByPodGC", why, context.clock.now()).status;
    const body = { metadata: { uid: pod.metadata.uid }, status: { phase: "Failed", ...(conditions === undefined ? {} : { conditions: jsonOf(conditions) }) } };
    await context.ifThere(context.patch(Pod, pod, { type: "strategic", body }, { subresource: "status" }));
  }
  await context.delete(Pod, pod, { gracePeriodSeconds: 0 });
}
