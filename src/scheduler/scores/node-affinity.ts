import { type Score, normalize } from "../framework.ts";
import { termMatchesNode } from "../node-selection.ts";

/** Nodes that the pod's preferred node affinity asks for. */
export const nodeAffinityScore: Score = {
  name: "NodeAffinity",
  weight: 2,
  prepare: ({ pod }, nodes) => {
    const preferred = pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution;
    if (preferred === undefined || preferred.length === 0) return undefined;
    return points => {
      nodes.forEach((node, i) => {
        for (const { preference, weight } of preferred) if (weight !== 0 && termMatchesNode(preference, node)) points[i]! += weight;
      });
      normalize(points, false);
    };
  },
};
