import { type Score, pointsMax } from "../framework.ts";

/** Nodes whose CPU and memory are used to about the same share, with the pod on them. */
export const balancedAllocation: Score = {
  name: "NodeResourcesBalancedAllocation",
  weight: 1,
  prepare: ({ requests }, nodes) => {
    if (requests.cpu === 0 && requests.memory === 0) return undefined;
    return points => {
      for (let i = 0; i < nodes.length; i++) {
        const { allocatable, requested } = nodes[i]!;
        const cpu = share(requested.cpu + requests.cpu, allocatable.cpu), memory = share(requested.memory + requests.memory, allocatable.memory);
        const deviation = cpu === undefined || memory === undefined ? 0 : Math.abs((cpu - memory) / 2);
        points[i] = Math.floor((1 - deviation) * pointsMax);
      }
    };
  },
};

function share(used: number, has: number): number | undefined {
  return has === 0 ? undefined : Math.min(used / has, 1);
}
