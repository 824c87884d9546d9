/** How many pods of a kind are on each node, remembered for the selectors in use and kept current. */
import type { Lookups } from "./cluster.ts";
import type { NodeInfo } from "./node-info.ts";
import { type PodInfo, type PodTerm, termMatches } from "./pod-info.ts";

/** Selectors counted at a time; the one unused for longest is dropped. Each costs a comparison per pod that comes or goes. */
const countersMax = 256;

export class Counter {
  readonly terms: readonly PodTerm[];
  readonly countTerminating: boolean;
  /** Nodes with none are not in it. */
  readonly perNode = new Map<NodeInfo, number>();
  constructor(terms: readonly PodTerm[], countTerminating: boolean) {
    this.terms = terms;
    this.countTerminating = countTerminating;
  }
  matches(pod: PodInfo, lookups: Lookups): boolean {
    if (pod.terminating && !this.countTerminating) return false;
    for (const term of this.terms) if (!termMatches(term, pod, term.namespaceSelector === undefined ? undefined : lookups.namespaceLabels(pod.namespace))) return false;
    return true;
  }
  add(node: NodeInfo, change: number): void {
    const count = (this.perNode.get(node) ?? 0) + change;
    if (count === 0) this.perNode.delete(node);
    else this.perNode.set(node, count);
  }
}

export class PodCounters {
  /** Least recently used first. */
  readonly #counters = new Map<string, Counter>();

  of(terms: readonly PodTerm[], countTerminating: boolean, nodes: Iterable<NodeInfo>, lookups: Lookups): Counter {
    const key = `${countTerminating}\n\n${terms.map(term => term.text).join("\n\n")}`;
    let counter = this.#counters.get(key);
    if (counter !== undefined) this.#counters.delete(key);
    else {
      counter = new Counter(terms, countTerminating);
      for (const node of nodes) for (const pod of node.pods.values()) if (counter.matches(pod, lookups)) counter.add(node, 1);
    }
    this.#counters.set(key, counter);
    if (this.#counters.size > countersMax) this.#counters.delete(this.#counters.keys().next().value!);
    return counter;
  }

  count(pod: PodInfo, node: NodeInfo, change: 1 | -1, lookups: Lookups): void {
    for (const counter of this.#counters.values()) if (counter.matches(pod, lookups)) counter.add(node, change);
  }

  /** The labels of a namespace have changed: what was counted by them is counted anew when next asked for. */
  forgetNamespaceSelectors(): void {
    for (const [key, counter] of this.#counters) if (counter.terms.some(term => term.namespaceSelector !== undefined)) this.#counters.delete(key);
  }
}
