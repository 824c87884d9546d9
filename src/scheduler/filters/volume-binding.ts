import type { Filter, Rejection } from "../framework.ts";
import { termMatchesNode } from "../node-selection.ts";

const unreachable: Rejection = { plugin: "VolumeBinding", reasons: ["node(s) didn't match PersistentVolume's node affinity"], resolvable: false };

/** The pod's claims must be there and, unless they wait for a pod, bound; the node must be one from which their volumes can be reached. */
export const volumeBinding: Filter = {
  name: "VolumeBinding",
  prepare: ({ pod }, { lookups }) => {
    if (pod.spec.volumes?.some(({ persistentVolumeClaim, ephemeral }) => persistentVolumeClaim !== undefined || ephemeral !== undefined) !== true) return undefined;
    const needs = lookups.volumesOf(pod);
    if ("problem" in needs) return { plugin: "VolumeBinding", reasons: [needs.problem], resolvable: false };
    if (needs.reachable.length === 0) return undefined;
    return { check: node => (needs.reachable.every(terms => terms.some(term => termMatchesNode(term, node))) ? undefined : unreachable) };
  },
  wakes: event => event.type === "volumes-changed" || event.type === "node-added" || (event.type === "node-changed" && event.labels),
};
