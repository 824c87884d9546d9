/** Makes room for an important pod: which pods to evict from which node, if that would help (framework/preemption, plugins/defaultpreemption). */
import type { Random } from "../base/random.ts";
import type { Budget, Cluster } from "./cluster.ts";
import type { FilterRun, Rejection } from "./framework.ts";
import type { NodeInfo } from "./node-info.ts";
import { type PodInfo, byImportance, startOf } from "./pod-info.ts";
import { explain } from "./explain.ts";
import { type Diagnosis, checkNodeWithNominated, prepareFilters } from "./schedule-pod.ts";

export type Preemption =
  | { readonly node: string; readonly victims: readonly PodInfo[] }
  /** `clear`: whatever node the pod had been promised, it is no use any more. */
  | { readonly node: undefined; readonly message: string; readonly clear: boolean };

/** A tenth of the nodes is tried, but no fewer than this (DefaultPreemptionArgs). */
const candidatesMin = 100, candidatesShare = 0.1;

const noVictims: Rejection = { plugin: "DefaultPreemption", reasons: ["No preemption victims found for incoming pod"], resolvable: false };
const notHelpful: Rejection = { plugin: "DefaultPreemption", reasons: ["Preemption is not helpful for scheduling"], resolvable: false };

export function planPreemption(pod: PodInfo, diagnosis: Diagnosis, cluster: Cluster, random: Random): Preemption {
  const ineligible = whyNotEligible(pod, diagnosis, cluster);
  if (ineligible !== undefined) return { node: undefined, message: ineligible, clear: false };
  const nodes = diagnosis.everywhere !== undefined ? [] : cluster.nodes.filter(node => diagnosis.byNode.get(node.name)?.resolvable === true);
  const prepared = nodes.length === 0 ? undefined : prepareFilters(pod, cluster);
  const byNode = new Map<string, Rejection>();
  if (prepared !== undefined && prepared.rejection === undefined) {
    const candidates: Candidate[] = [];
    const enough = Math.min(Math.max(Math.floor(nodes.length * candidatesShare), candidatesMin), nodes.length), offset = Math.floor(random.next() * nodes.length);
    for (let i = 0; i < nodes.length && !(candidates.length >= enough && candidates.some(({ violations }) => violations === 0)); i++) {
      const node = nodes[(offset + i) % nodes.length]!;
      const found = findVictims(pod, node, prepared.runs, cluster);
      if ("reasons" in found) byNode.set(node.name, found);
      else candidates.push({ node, ...found });
    }
    if (candidates.length > 0) {
      const { node, victims } = candidates.reduce((best, next) => (compareCandidates(next, best) < 0 ? next : best));
      return { node: node.name, victims };
    }
  }
  return { node: undefined, message: explain({ nodesCount: diagnosis.nodesCount, everywhere: undefined, byNode, elsewhere: notHelpful }), clear: true };
}

function whyNotEligible(pod: PodInfo, diagnosis: Diagnosis, cluster: Cluster): string | undefined {
  if (pod.pod.spec.preemptionPolicy === "Never") return "not eligible due to preemptionPolicy=Never.";
  const promised = pod.pod.status.nominatedNodeName ?? "";
  const node = promised === "" || diagnosis.byNode.get(promised)?.resolvable === false ? undefined : cluster.node(promised);
  for (const other of node?.pods.values() ?? []) {
    if (other.terminating && other.priority < pod.priority && isBeingPreempted(other)) return "not eligible due to a terminating pod on the nominated node.";
  }
  return undefined;
}

function isBeingPreempted({ pod }: PodInfo): boolean {
  return pod.status.conditions?.some(({ type, status, reason }) => type === "DisruptionTarget" && status === "True" && reason === "PreemptionByScheduler") === true;
}

/** `violations`: victims that no disruption budget allows to go. */
type Candidate = { readonly node: NodeInfo; readonly victims: readonly PodInfo[]; readonly violations: number };

/** Thinks all less important pods away; if the pod fits then, gives back as many as still leave room, the most important first. */
function findVictims(pod: PodInfo, node: NodeInfo, runs: readonly FilterRun[], cluster: Cluster): Omit<Candidate, "node"> | Rejection {
  const lesser = [...node.pods.values()].filter(other => other.priority < pod.priority).sort(byImportance);
  if (lesser.length === 0) return noVictims;
  const room = node.clone();
  const take = (other: PodInfo): void => { room.remove(other); for (const run of runs) run.count?.(other, room, -1); };
  const giveBack = (other: PodInfo): void => { room.add(other); for (const run of runs) run.count?.(other, room, 1); };
  for (const other of lesser) take(other);
  const rejection = checkNodeWithNominated(pod, runs, room, cluster);
  const victims: PodInfo[] = [], spared = sparedByBudgets(lesser, cluster);
  if (rejection === undefined) {
    for (const other of [...lesser.filter(each => spared.has(each)), ...lesser.filter(each => !spared.has(each))]) {
      giveBack(other);
      if (checkNodeWithNominated(pod, runs, room, cluster) === undefined) continue;
      take(other);
      victims.push(other);
    }
  }
  for (const other of rejection === undefined ? victims : lesser) giveBack(other);
  return rejection ?? { victims: victims.sort(byImportance), violations: victims.filter(other => spared.has(other)).length };
}

/** Of these pods, in this order, the ones that go beyond what their disruption budgets allow (default_preemption.go, filterPodsWithPDBViolation). */
function sparedByBudgets(pods: readonly PodInfo[], { lookups }: Cluster): ReadonlySet<PodInfo> {
  const left = new Map<Budget, number>(), spared = new Set<PodInfo>();
  const budgets = new Map<string, readonly Budget[]>();
  for (const pod of pods) {
    let own = budgets.get(pod.namespace);
    if (own === undefined) budgets.set(pod.namespace, (own = lookups.budgetsOf(pod.namespace)));
    for (const budget of own) {
      if (budget.selector.empty || Object.keys(pod.labels).length === 0 || !budget.selector.matches(pod.labels) || Object.hasOwn(budget.disrupted, pod.pod.metadata.name)) continue;
      const allowed = (left.get(budget) ?? budget.allowed) - 1;
      left.set(budget, allowed);
      if (allowed < 0) spared.add(pod);
    }
  }
  return spared;
}

/** Priorities may be negative: each victim counts at least something. */
const priorityOffset = 2 ** 31;

/** The node where it hurts least: fewest broken budgets, lowest highest priority, lowest sum, fewest victims, youngest of the most important (preemption.go, pickOneNodeForPreemption). */
function compareCandidates(a: Candidate, b: Candidate): number {
  const sum = ({ victims }: Candidate): number => victims.reduce((total, { priority }) => total + priority + priorityOffset, 0);
  const highest = ({ victims }: Candidate): number => victims[0]?.priority ?? -priorityOffset;
  const earliest = ({ victims }: Candidate): number => Math.min(...victims.filter(({ priority }) => priority === victims[0]!.priority).map(startOf));
  return a.violations - b.violations || highest(a) - highest(b) || sum(a) - sum(b) || a.victims.length - b.victims.length || earliest(b) - earliest(a);
}
