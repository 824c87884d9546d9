/** What filters and scores are, and what they say. */
import type { ClusterEvent } from "./cluster-event.ts";
import type { Cluster } from "./cluster.ts";
import type { NodeInfo } from "./node-info.ts";
import type { PodInfo } from "./pod-info.ts";

/** Why a node will not do: upstream's words, counted over all nodes in what users are told. */
export type Rejection = {
  readonly plugin: string;
  readonly reasons: readonly string[];
  /** Whether evicting pods from the node might help. */
  readonly resolvable: boolean;
};

/** A filter for one pod, prepared. Only what is cheap per node is left to do. */
export type FilterRun = {
  /** `undefined`: the pod may run on this node as far as this filter goes. */
  readonly check: (node: NodeInfo) => Rejection | undefined;
  /** The only nodes that can pass. */
  readonly only?: ReadonlySet<string>;
  /** Tells the run that a pod is thought away from a node (-1), or back onto it or newly there (+1): for filters that count over many nodes. */
  readonly count?: (pod: PodInfo, node: NodeInfo, change: 1 | -1) => void;
};

/** One condition that a node must meet. */
export type Filter = {
  readonly name: string;
  /** `undefined` if this filter has nothing to say about this pod; a rejection if no node can do. */
  readonly prepare: (pod: PodInfo, cluster: Cluster) => FilterRun | Rejection | undefined;
  /** Whether `event` may let a pod pass that this filter has rejected: the only things that bring it back into the queue. */
  readonly wakes: (event: ClusterEvent, pod: PodInfo) => boolean;
};

/** One preference among the nodes that will do. */
export type Score = {
  readonly name: string;
  /** How much it counts beside the others. */
  readonly weight: number;
  /** `undefined` if it has no preference for this pod; else a function that writes 0 to 100 for each node, in the order of `nodes`. */
  readonly prepare: (pod: PodInfo, nodes: readonly NodeInfo[], cluster: Cluster) => ((points: Float64Array) => void) | undefined;
};

/** Most points that one score gives. */
export const pointsMax = 100;

/** Turns counts into points, the highest count getting all of them, or none if `reverse` (helper.DefaultNormalizeScore). */
export function normalize(points: Float64Array, reverse: boolean): void {
  let highest = 0;
  for (const value of points) if (value > highest) highest = value;
  for (let i = 0; i < points.length; i++) {
    const scaled = highest === 0 ? 0 : Math.floor((pointsMax * points[i]!) / highest);
    points[i] = highest === 0 ? (reverse ? pointsMax : 0) : reverse ? pointsMax - scaled : scaled;
  }
}

export function isRejection(run: FilterRun | Rejection): run is Rejection {
  return "reasons" in run;
}
