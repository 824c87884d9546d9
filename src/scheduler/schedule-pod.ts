/** Finds a node for a pod, or says of every node why not. Reads the cluster, changes nothing but where the next search begins. */
import type { Random } from "../base/random.ts";
import type { Cluster } from "./cluster.ts";
import { filters } from "./filters/index.ts";
import { type FilterRun, type Rejection, isRejection } from "./framework.ts";
import type { NodeInfo } from "./node-info.ts";
import type { PodInfo } from "./pod-info.ts";
import { scores } from "./scores/index.ts";

/** What is known after a search that found nothing. Kept for as long as the pod waits: this is the answer to "why?". */
export type Diagnosis = {
  readonly nodesCount: number;
  /** Why no node can do, whichever it is. */
  readonly everywhere: Rejection | undefined;
  readonly byNode: ReadonlyMap<string, Rejection>;
  /** Of the nodes that were not looked at, because others are named. */
  readonly elsewhere: Rejection | undefined;
};
export type Decision =
  | { readonly node: string; readonly evaluated: number; readonly feasible: number }
  | { readonly node: undefined; readonly diagnosis: Diagnosis };

/** The filters that have something to say about a pod, made ready for it. */
export type Prepared =
  | { readonly rejection: Rejection }
  | { readonly rejection: undefined; readonly runs: readonly FilterRun[]; readonly only: ReadonlySet<string> | undefined; readonly onlyBy: readonly string[] };

export function prepareFilters(pod: PodInfo, cluster: Cluster): Prepared {
  const runs: FilterRun[] = [], onlyBy: string[] = [];
  let only: ReadonlySet<string> | undefined;
  for (const filter of filters) {
    const run = filter.prepare(pod, cluster);
    if (run === undefined) continue;
    if (isRejection(run)) return { rejection: run };
    runs.push(run);
    if (run.only === undefined) continue;
    const named: ReadonlySet<string> = run.only, before = only;
    only = before === undefined ? named : new Set([...named].filter(name => before.has(name)));
    onlyBy.push(filter.name);
  }
  return { rejection: undefined, runs, only, onlyBy };
}

export function checkNode(runs: readonly FilterRun[], node: NodeInfo): Rejection | undefined {
  for (let i = 0; i < runs.length; i++) {
    const rejection = runs[i]!.check(node);
    if (rejection !== undefined) return rejection;
  }
  return undefined;
}

/** The same with the pods that have been promised a place on the node, if they are at least as important; and without, for they may never come. */
export function checkNodeWithNominated(pod: PodInfo, runs: readonly FilterRun[], node: NodeInfo, cluster: Cluster): Rejection | undefined {
  if (!cluster.hasNominated) return checkNode(runs, node);
  const promised = cluster.nominatedTo(node.name).filter(other => other.priority >= pod.priority && other.uid !== pod.uid && !node.pods.has(other.uid));
  if (promised.length > 0) {
    const full = node.clone();
    for (const other of promised) { full.add(other); for (const run of runs) run.count?.(other, full, 1); }
    const rejection = checkNode(runs, full);
    for (const other of promised) for (const run of runs) run.count?.(other, full, -1);
    if (rejection !== undefined) return rejection;
  }
  return checkNode(runs, node);
}

export function schedulePod(pod: PodInfo, cluster: Cluster, random: Random): Decision {
  const nodes = cluster.nodes;
  const prepared = prepareFilters(pod, cluster);
  if (prepared.rejection !== undefined) return { node: undefined, diagnosis: { nodesCount: nodes.length, everywhere: prepared.rejection, byNode: new Map(), elsewhere: undefined } };
  const { runs, only, onlyBy } = prepared;
  const nominated = pod.pod.status.nominatedNodeName ?? "";
  const promised = nominated === "" ? undefined : cluster.node(nominated);
  if (promised !== undefined && only?.has(nominated) !== false && checkNodeWithNominated(pod, runs, promised, cluster) === undefined) return { node: nominated, evaluated: 1, feasible: 1 };
  const { feasible, rejections, evaluated } = search(pod, runs, only, cluster);
  if (feasible.length === 0) {
    const elsewhere = only === undefined ? undefined : { plugin: onlyBy[0]!, reasons: [`node(s) didn't satisfy plugin(s) [${[...onlyBy].sort().join(" ")}]`], resolvable: false };
    return { node: undefined, diagnosis: { nodesCount: nodes.length, everywhere: undefined, byNode: rejections, elsewhere } };
  }
  const chosen = feasible.length === 1 ? feasible[0]! : best(feasible, totals(pod, feasible, cluster), random);
  return { node: chosen.name, evaluated, feasible: feasible.length };
}

type Found = { readonly feasible: readonly NodeInfo[]; readonly rejections: ReadonlyMap<string, Rejection>; readonly evaluated: number };

function search(pod: PodInfo, runs: readonly FilterRun[], only: ReadonlySet<string> | undefined, cluster: Cluster): Found {
  const nodes = only === undefined ? cluster.nodes : [...only].flatMap(name => cluster.node(name) ?? []);
  const wanted = feasibleWanted(nodes.length);
  const feasible: NodeInfo[] = [], rejections = new Map<string, Rejection>();
  let evaluated = 0;
  for (; evaluated < nodes.length && feasible.length < wanted; evaluated++) {
    const node = nodes[(cluster.searchFrom + evaluated) % nodes.length]!;
    const rejection = checkNodeWithNominated(pod, runs, node, cluster);
    if (rejection === undefined) feasible.push(node);
    else rejections.set(node.name, rejection);
  }
  if (nodes.length > 0) cluster.searchFrom = (cluster.searchFrom + evaluated) % nodes.length;
  return { feasible, rejections, evaluated };
}

/** Fewer nodes than this are all looked at; beyond, a share of 50 % that falls with the cluster's size, but never below 5 % (schedule_one.go, numFeasibleNodesToFind). */
const alwaysAll = 100;
export function feasibleWanted(nodes: number): number {
  if (nodes < alwaysAll) return nodes;
  const percent = Math.max(50 - Math.floor(nodes / 125), 5);
  return Math.max(Math.floor((nodes * percent) / 100), alwaysAll);
}

/** Every node's weighted points. */
export function totals(pod: PodInfo, nodes: readonly NodeInfo[], cluster: Cluster): Float64Array {
  const sum = new Float64Array(nodes.length), points = new Float64Array(nodes.length);
  for (const { weight, prepare } of scores) {
    const run = prepare(pod, nodes, cluster);
    if (run === undefined) continue;
    points.fill(0);
    run(points);
    for (let i = 0; i < sum.length; i++) sum[i]! += weight * points[i]!;
  }
  return sum;
}

/** A node with most points; among equals, chance decides. */
function best(nodes: readonly NodeInfo[], sum: Float64Array, random: Random): NodeInfo {
  let at = 0, equals = 1;
  for (let i = 1; i < nodes.length; i++) {
    if (sum[i]! > sum[at]!) { at = i; equals = 1; }
    else if (sum[i] === sum[at] && random.next() * ++equals < 1) at = i;
  }
  return nodes[at]!;
}
