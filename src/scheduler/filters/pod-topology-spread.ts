import type { Filter, Rejection } from "../framework.ts";
import { type Constraint, countsOf, hasAllKeys, inclusion, ownConstraints } from "../topology.ts";

const plugin = "PodTopologySpread";
const skewed: Rejection = { plugin, reasons: ["node(s) didn't match pod topology spread constraints"], resolvable: true };
const unlabelled: Rejection = { plugin, reasons: ["node(s) didn't match pod topology spread constraints (missing required label)"], resolvable: false };

type State = { readonly constraint: Constraint; readonly counts: Map<string, number>; readonly self: number };

/** No domain of a topology may have more than `maxSkew` matching pods above the one with fewest (podtopologyspread/filtering.go). */
export const podTopologySpread: Filter = {
  name: plugin,
  prepare: (pod, cluster) => {
    const constraints = ownConstraints(pod, "DoNotSchedule");
    if (constraints.length === 0) return undefined;
    const included = inclusion(pod);
    const states = constraints.map((constraint): State => ({ constraint, counts: new Map(), self: constraint.selector.matches(pod.labels) ? 1 : 0 }));
    const perNode = constraints.map(constraint => countsOf(pod, constraint, cluster));
    for (const node of cluster.nodes) {
      if (!hasAllKeys(node, constraints)) continue;
      for (const [i, { constraint, counts }] of states.entries()) {
        if (!included(constraint, node)) continue;
        const value = node.label(constraint.topologyKey)!;
        counts.set(value, (counts.get(value) ?? 0) + (perNode[i]!.get(node) ?? 0));
      }
    }
    const least = states.map(leastOf);
    return {
      check: node => {
        for (const [i, { constraint, counts, self }] of states.entries()) {
          const value = node.label(constraint.topologyKey);
          if (value === undefined) return unlabelled;
          if ((counts.get(value) ?? 0) + self - least[i]! > constraint.maxSkew) return skewed;
        }
        return undefined;
      },
      count: (other, node, change) => {
        if (other.namespace !== pod.namespace || other.terminating || !hasAllKeys(node, constraints)) return;
        for (const [i, state] of states.entries()) {
          const { constraint, counts } = state;
          if (!constraint.selector.matches(other.labels) || !included(constraint, node)) continue;
          const value = node.label(constraint.topologyKey)!;
          counts.set(value, (counts.get(value) ?? 0) + change);
          least[i] = leastOf(state);
        }
      },
    };
  },
  wakes: (event, pod) => {
    switch (event.type) {
      case "node-added": case "node-gone": return true;
      case "node-changed": return event.labels || event.taints;
      case "pod-placed": case "pod-left": return event.pod.namespace === pod.namespace && ownConstraints(pod, "DoNotSchedule").some(({ selector }) => selector.matches(event.pod.labels));
      default: return false;
    }
  },
};

/** Of the domains with fewest pods; 0 when there are fewer domains than asked for. */
function leastOf({ constraint, counts }: State): number {
  if (counts.size < constraint.minDomains) return 0;
  let least = Number.MAX_SAFE_INTEGER;
  for (const count of counts.values()) if (count < least) least = count;
  return least;
}
