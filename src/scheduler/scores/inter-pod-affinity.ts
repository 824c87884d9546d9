import { type Score, pointsMax } from "../framework.ts";
import type { NodeInfo } from "../node-info.ts";
import { termMatches } from "../pod-info.ts";

type Sums = Map<string, Map<string, number>>;

/** Nodes near pods that this pod likes or that like it, away from those that do not (interpodaffinity/scoring.go). */
export const interPodAffinityScore: Score = {
  name: "InterPodAffinity",
  weight: 2,
  prepare: (pod, nodes, cluster) => {
    const sums: Sums = new Map();
    for (const { term, weight } of pod.preferredAffinity) for (const [node, count] of cluster.podsMatching([term], true).perNode) add(sums, term.topologyKey, node, weight * count);
    for (const { term, weight } of pod.preferredAntiAffinity) for (const [node, count] of cluster.podsMatching([term], true).perNode) add(sums, term.topologyKey, node, -weight * count);
    if (cluster.preferences.size > 0) {
      const namespaceLabels = cluster.lookups.namespaceLabels(pod.namespace);
      for (const { term, perNode } of cluster.preferences.uses) {
        if (termMatches(term, pod, namespaceLabels)) for (const [node, weight] of perNode) add(sums, term.topologyKey, node, weight);
      }
    }
    if (sums.size === 0) return undefined;
    return points => {
      let least = Infinity, most = -Infinity;
      for (let i = 0; i < nodes.length; i++) {
        let sum = 0;
        for (const [key, values] of sums) {
          const value = nodes[i]!.label(key);
          if (value !== undefined) sum += values.get(value) ?? 0;
        }
        points[i] = sum;
        least = Math.min(least, sum);
        most = Math.max(most, sum);
      }
      for (let i = 0; i < nodes.length; i++) points[i] = most > least ? Math.trunc(pointsMax * ((points[i]! - least) / (most - least))) : 0;
    };
  },
};

function add(sums: Sums, key: string, node: NodeInfo, change: number): void {
  const value = node.label(key);
  if (value === undefined) return;
  let values = sums.get(key);
  if (values === undefined) sums.set(key, (values = new Map()));
  values.set(value, (values.get(value) ?? 0) + change);
}
