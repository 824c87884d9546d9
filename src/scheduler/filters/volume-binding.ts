import type { Filter, Rejection } from "../framework.ts";
import { termMatchesNode } from "../node-selection.ts";

const elsewhere: Rejection = { plugin: "VolumeBinding", reasons: ["node(s) didn't find available persistent volumes to bind"], resolvable: false };
const unreachable: Rejection = { plugin: "VolumeBinding", reasons: ["node(s) didn't match PersistentVolume's node affinity"], resolvable: false };

/**
 * The pod's claims must be there and, unless they wait for a pod, bound; the node must be one from which their volumes can be reached. A claim that
 * waits gets its volume where its first pod goes: the others follow, also while that is still under way.
 */
export const volumeBinding: Filter = {
  name: "VolumeBinding",
  prepare: ({ pod, namespace, claims }, cluster) => {
    if (claims.length === 0) return undefined;
    const needs = cluster.lookups.volumesOf(pod);
    if ("problem" in needs) return { plugin: "VolumeBinding", reasons: [needs.problem], resolvable: false };
    const chosen = new Set<string>();
    for (const { claim, node } of needs.waiting) {
      const [first] = node === undefined ? cluster.usersOf(namespace, claim).values() : [node];
      if (first !== undefined) chosen.add(first);
    }
    if (needs.reachable.length === 0 && chosen.size === 0) return undefined;
    return {
      check: node => {
        if (!needs.reachable.every(terms => terms.some(term => termMatchesNode(term, node)))) return unreachable;
        return chosen.size === 0 || chosen.size === 1 && chosen.has(node.name) ? undefined : elsewhere;
      },
    };
  },
  wakes: event => event.type === "volumes-changed" || event.type === "node-added" || (event.type === "node-changed" && event.labels),
};
