/** The scores, with upstream's weights: what each says is multiplied and added up. */
import type { Score } from "../framework.ts";
import { balancedAllocation } from "./balanced-allocation.ts";
import { imageLocality } from "./image-locality.ts";
import { interPodAffinityScore } from "./inter-pod-affinity.ts";
import { leastAllocated } from "./least-allocated.ts";
import { nodeAffinityScore } from "./node-affinity.ts";
import { podTopologySpreadScore } from "./pod-topology-spread.ts";
import { taintTolerationScore } from "./taint-toleration.ts";

export const scores: readonly Score[] = [
  taintTolerationScore,
  nodeAffinityScore,
  leastAllocated,
  podTopologySpreadScore,
  interPodAffinityScore,
  balancedAllocation,
  imageLocality,
];
