import type { Cluster } from "../cluster.ts";
import type { Filter, Rejection } from "../framework.ts";
import type { NodeInfo } from "../node-info.ts";
import { type Labels, type PodInfo, type PodTerm, termMatches } from "../pod-info.ts";

const plugin = "InterPodAffinity";
const unmet: Rejection = { plugin, reasons: ["node(s) didn't match pod affinity rules"], resolvable: false };
const disliked: Rejection = { plugin, reasons: ["node(s) didn't match pod anti-affinity rules"], resolvable: true };
const unwelcome: Rejection = { plugin, reasons: ["node(s) didn't satisfy existing pods anti-affinity rules"], resolvable: true };

/** Pods counted by topology key and value. */
class Domains {
  readonly #counts = new Map<string, Map<string, number>>();
  total = 0;
  get keys(): Iterable<string> {
    return this.#counts.keys();
  }
  add(key: string, node: NodeInfo, change: number): void {
    const value = node.label(key);
    if (value === undefined) return;
    let counts = this.#counts.get(key);
    if (counts === undefined) this.#counts.set(key, (counts = new Map()));
    counts.set(value, (counts.get(value) ?? 0) + change);
    this.total += change;
  }
  at(key: string, value: string): number {
    return this.#counts.get(key)?.get(value) ?? 0;
  }
}

/**
 * The pods that this pod needs or shuns nearby, and those that shun it (interpodaffinity/filtering.go). Upstream looks
 * at every pod each time; here distinct terms are counted once and kept current.
 */
export const interPodAffinity: Filter = {
  name: plugin,
  prepare: (pod, cluster) => {
    const namespaceLabels = cluster.lookups.namespaceLabels(pod.namespace);
    const shunning = shunningDomains(pod, namespaceLabels, cluster);
    const { affinity, antiAffinity } = pod;
    if (shunning === undefined && affinity.length === 0 && antiAffinity.length === 0) return undefined;
    const refused = shunning ?? new Domains(), wanted = new Domains(), shunned = new Domains();
    if (affinity.length > 0) for (const [node, count] of cluster.podsMatching(affinity, true).perNode) for (const term of affinity) wanted.add(term.topologyKey, node, count);
    for (const term of antiAffinity) for (const [node, count] of cluster.podsMatching([term], true).perNode) shunned.add(term.topologyKey, node, count);
    const matchesAll = (other: PodInfo): boolean => affinity.every(term => termMatches(term, other, labelsFor(term, other, cluster)));
    const isFirstOfItsKind = matchesAll(pod);
    return {
      check: node => {
        if (!meets(affinity, wanted, node, isFirstOfItsKind)) return unmet;
        for (const { topologyKey } of antiAffinity) if (isIn(shunned, topologyKey, node)) return disliked;
        for (const key of refused.keys) if (isIn(refused, key, node)) return unwelcome;
        return undefined;
      },
      count: (other, node, change) => {
        for (const term of other.antiAffinity) if (termMatches(term, pod, namespaceLabels)) refused.add(term.topologyKey, node, change);
        if (affinity.length > 0 && matchesAll(other)) for (const term of affinity) wanted.add(term.topologyKey, node, change);
        for (const term of antiAffinity) if (termMatches(term, other, labelsFor(term, other, cluster))) shunned.add(term.topologyKey, node, change);
      },
    };
  },
  wakes: (event, pod) => {
    switch (event.type) {
      case "node-added": case "selection-changed": return true;
      case "node-changed": return event.labels;
      case "pod-placed": return pod.affinity.length > 0;
      case "pod-left": return pod.antiAffinity.length > 0 || event.pod.antiAffinity.length > 0;
      default: return false;
    }
  },
};

function shunningDomains(pod: PodInfo, namespaceLabels: Labels | undefined, cluster: Cluster): Domains | undefined {
  let domains: Domains | undefined;
  for (const { term, perNode } of cluster.antiAffinity.uses) {
    if (!termMatches(term, pod, namespaceLabels)) continue;
    domains ??= new Domains();
    for (const [node, count] of perNode) domains.add(term.topologyKey, node, count);
  }
  return domains;
}

function labelsFor(term: PodTerm, pod: PodInfo, cluster: Cluster): Labels | undefined {
  return term.namespaceSelector === undefined ? undefined : cluster.lookups.namespaceLabels(pod.namespace);
}

function isIn(domains: Domains, key: string, node: NodeInfo): boolean {
  const value = node.label(key);
  return value !== undefined && domains.at(key, value) > 0;
}

/** All terms are met in the node's domains, or nobody anywhere matches but the pod itself would: the first of a series. */
function meets(terms: readonly PodTerm[], wanted: Domains, node: NodeInfo, isFirstOfItsKind: boolean): boolean {
  let met = true;
  for (const { topologyKey } of terms) {
    const value = node.label(topologyKey);
    if (value === undefined) return false;
    if (wanted.at(topologyKey, value) <= 0) met = false;
  }
  return met || (wanted.total === 0 && isFirstOfItsKind);
}
