import { type Score, normalize } from "../framework.ts";
import { toleratedBy } from "../tolerations.ts";

/** Nodes with few PreferNoSchedule taints that the pod does not tolerate. */
export const taintTolerationScore: Score = {
  name: "TaintToleration",
  weight: 3,
  prepare: ({ pod }, nodes) => {
    // Without such taints every node gets all points, which decides nothing.
    if (!nodes.some(node => node.preferences.length > 0)) return undefined;
    const tolerations = (pod.spec.tolerations ?? []).filter(({ effect = "" }) => effect === "" || effect === "PreferNoSchedule");
    return points => {
      nodes.forEach((node, i) => { points[i] = node.preferences.filter(taint => !toleratedBy(tolerations, taint)).length; });
      normalize(points, true);
    };
  },
};
