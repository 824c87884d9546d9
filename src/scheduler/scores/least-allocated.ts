import { type Score, pointsMax } from "../framework.ts";

/** Nodes with much CPU and memory free, with the pod on them. */
export const leastAllocated: Score = {
  name: "NodeResourcesFit",
  weight: 1,
  prepare: ({ scored }, nodes) => points => {
    for (let i = 0; i < nodes.length; i++) {
      const { allocatable, assumed: used } = nodes[i]!;
      const weights = (allocatable.cpu === 0 ? 0 : 1) + (allocatable.memory === 0 ? 0 : 1);
      if (weights === 0) continue;
      points[i] = Math.floor((free(allocatable.cpu, used.cpu + scored.cpu) + free(allocatable.memory, used.memory + scored.memory)) / weights);
    }
  },
};

function free(has: number, used: number): number {
  return has === 0 || used > has ? 0 : Math.floor(((has - used) * pointsMax) / has);
}
