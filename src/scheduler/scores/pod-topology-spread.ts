import { type Score, pointsMax } from "../framework.ts";
import { countsOf, defaultConstraints, hasAllKeys, hostname, inclusion, ownConstraints } from "../topology.ts";

/** Nodes in domains with few of the pods like this one (podtopologyspread/scoring.go). */
export const podTopologySpreadScore: Score = {
  name: "PodTopologySpread",
  weight: 2,
  prepare: (pod, nodes, cluster) => {
    const isOwn = (pod.pod.spec.topologySpreadConstraints?.length ?? 0) > 0;
    const constraints = isOwn ? ownConstraints(pod, "ScheduleAnyway") : defaultConstraints(pod, cluster);
    if (constraints.length === 0) return undefined;
    const included = inclusion(pod);
    // Nodes without all labels are not scored; with the defaults, which not every cluster has labels for, they are.
    const scored = nodes.map(node => !isOwn || hasAllKeys(node, constraints));
    const scoredCount = scored.filter(Boolean).length;
    const rows = constraints.map(constraint => {
      const domains = new Map<string, number>();
      nodes.forEach((node, i) => { if (scored[i]) domains.set(node.label(constraint.topologyKey) ?? "", 0); });
      for (const [node, count] of countsOf(pod, constraint, cluster)) {
        const value = node.label(constraint.topologyKey) ?? "", sum = domains.get(value);
        if (sum !== undefined && (!isOwn || hasAllKeys(node, constraints)) && included(constraint, node)) domains.set(value, sum + count);
      }
      const size = constraint.topologyKey === hostname ? scoredCount : domains.size;
      return { ...constraint, domains, weight: Math.log(size + 2) };
    });
    return points => {
      let least = Number.MAX_SAFE_INTEGER, most = 0;
      for (let i = 0; i < nodes.length; i++) {
        if (!scored[i]) continue;
        let sum = 0;
        for (const { topologyKey, domains, weight, maxSkew } of rows) {
          const value = nodes[i]!.label(topologyKey);
          if (value !== undefined) sum += domains.get(value)! * weight + (maxSkew - 1);
        }
        points[i] = Math.round(sum);
        least = Math.min(least, points[i]!);
        most = Math.max(most, points[i]!);
      }
      for (let i = 0; i < nodes.length; i++) points[i] = !scored[i] ? 0 : most === 0 ? pointsMax : Math.floor((pointsMax * (most + least - points[i]!)) / most);
    };
  },
};
