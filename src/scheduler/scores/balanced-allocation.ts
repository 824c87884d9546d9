import { type Score, pointsMax } from "../framework.ts";

/**
 * Nodes whose CPU and memory come to be used to more equal shares by the pod: 75 for no difference, towards 100 for
 * better, towards 50 for worse (noderesources/balanced_allocation.go).
 */
export const balancedAllocation: Score = {
  name: "NodeResourcesBalancedAllocation",
  weight: 1,
  prepare: ({ requests: { cpu, memory } }, nodes) => {
    if (cpu === 0 && memory === 0) return undefined;
    return points => {
      for (let i = 0; i < nodes.length; i++) {
        const { allocatable, requested } = nodes[i]!;
        const after = balance(requested.cpu + cpu, allocatable.cpu, requested.memory + memory, allocatable.memory);
        const before = balance(requested.cpu, allocatable.cpu, requested.memory, allocatable.memory);
        points[i] = pointsMax / 2 + Math.trunc((pointsMax / 2 + after - before) / 2);
      }
    };
  },
};

function balance(cpu: number, cpuHas: number, memory: number, memoryHas: number): number {
  const deviation = cpuHas === 0 || memoryHas === 0 ? 0 : Math.abs((Math.min(cpu / cpuHas, 1) - Math.min(memory / memoryHas, 1)) / 2);
  return Math.floor((1 - deviation) * pointsMax);
}
