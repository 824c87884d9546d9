import { byNode, keyOf } from "../client/informer.ts";
import { Node } from "../kinds/core/node.ts";
import { Pod } from "../kinds/core/pod.ts";
import type { Controller } from "./controller.ts";
import { isPodFinished, withPodCondition } from "./pods.ts";
import { evictionTime } from "./taints.ts";

/** Deletes pods from nodes whose NoExecute taints they do not, or no longer, tolerate. */
export const taintEvictionController: Controller = {
  name: "taint-eviction",
  account: "node-controller",
  component: "taint-eviction-controller",
  watches: [
    { kind: Pod, keysOf: (pod: Pod, context, { type }) => (type !== "deleted" && isTainted(context.read(Node).get(pod.spec.nodeName ?? "")) ? [keyOf(pod)] : []) },
    { kind: Node, keysOf: (node: Node, context, { previous }) => (isTainted(node) || isTainted(previous) ? context.read(Pod).by(byNode, node.metadata.name).map(keyOf) : []) },
  ],

  async reconcile(key, context) {
    const pod = context.read(Pod).get(key);
    const node = context.read(Node).get(pod?.spec.nodeName ?? "");
    if (pod === undefined || node === undefined || pod.metadata.deletionTimestamp !== undefined) return undefined;
    const now = context.clock.now();
    const time = evictionTime(pod, node.spec.taints ?? [], now);
    if (time === undefined) return undefined;
    if (time > now) return { after: time - now };
    context.events.event(pod, "Normal", "TaintManagerEviction", `Marking for deletion Pod ${key}`);
    if (!isPodFinished(pod)) await context.updateStatus(Pod, withPodCondition(pod, "DisruptionTarget", "True", "DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint", now));
    await context.delete(Pod, pod);
    return undefined;
  },
};

function isTainted(node: Node | undefined): boolean {
  return node?.spec.taints?.some(taint => taint.effect === "NoExecute") === true;
}
