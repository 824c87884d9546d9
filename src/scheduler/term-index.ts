/** The (anti-)affinity terms of the pods that are there: each distinct one once, with the nodes of those who have it. */
import type { NodeInfo } from "./node-info.ts";
import type { PodTerm } from "./pod-info.ts";

export type TermUse = {
  readonly term: PodTerm;
  /** How often, or with what weight, the pods on a node have the term. Opposite weights cancel out; nodes with 0 are not in it. */
  readonly perNode: Map<NodeInfo, number>;
};

export class TermIndex {
  readonly #terms = new Map<string, TermUse>();

  get uses(): Iterable<TermUse> {
    return this.#terms.values();
  }
  get size(): number {
    return this.#terms.size;
  }

  count(term: PodTerm, node: NodeInfo, change: number): void {
    const key = `${term.text}\n${change < 0 ? -change : change}`;
    let use = this.#terms.get(key);
    if (use === undefined) this.#terms.set(key, (use = { term, perNode: new Map() }));
    const count = (use.perNode.get(node) ?? 0) + change;
    if (count === 0) use.perNode.delete(node);
    else use.perNode.set(node, count);
    if (use.perNode.size === 0) this.#terms.delete(key);
  }
}
