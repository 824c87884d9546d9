import { Node } from "../kinds/core/node.ts";
import type { Controller } from "./controller.ts";

const annotation = "node.alpha.kubernetes.io/ttl";

/** Sizes of a cluster (in nodes) that overlap, so that one which wavers does not change all its nodes each time (pkg/controller/ttl ttlBoundaries). */
const steps: readonly { readonly min: number; readonly max: number; readonly seconds: number }[] = [
  { min: 0, max: 100, seconds: 0 }, { min: 90, max: 500, seconds: 15 }, { min: 450, max: 1_000, seconds: 30 }, { min: 900, max: 2_000, seconds: 60 }, { min: 1_800, max: Infinity, seconds: 300 },
];

/** How long a kubelet may keep secrets and config maps, told to every node by the cluster's size. What it remembers is in which step that is. */
export function nodeTtlController(): Controller {
  let step = 0;
  return {
    name: "ttl",
    account: "ttl-controller",
    reconciles: Node,
    watches: [{
      kind: Node,
      keysOf(_, context, { type }) {
        if (type === "updated") return [];
        const nodes = context.read(Node).list(), before = step;
        step = planStep(step, nodes.length);
        return step === before ? [] : nodes.map(({ metadata }) => metadata.name);
      },
    }],

    async reconcile(name, context) {
      const node = context.read(Node).get(name);
      const wanted = String(steps[step]!.seconds);
      if (node === undefined || node.metadata.annotations?.[annotation] === wanted) return undefined;
      await context.ifThere(context.patch(Node, node, { type: "merge", body: { metadata: { annotations: { [annotation]: wanted } } } }));
      return undefined;
    },
  };
}

/** The step for so many nodes, coming from another. */
export function planStep(step: number, nodes: number): number {
  while (nodes > steps[step]!.max) step++;
  while (nodes < steps[step]!.min) step--;
  return step;
}
