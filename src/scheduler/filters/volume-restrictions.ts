import type { PodInfo } from "../pod-info.ts";
import type { Filter, Rejection } from "../framework.ts";

const inUse: Rejection = { plugin: "VolumeRestrictions", reasons: ["node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod"], resolvable: true };

/** A claim with access mode ReadWriteOncePod has one pod at a time, wherever it is. */
export const volumeRestrictions: Filter = {
  name: "VolumeRestrictions",
  prepare: ({ pod, namespace, claims }, cluster) => {
    if (claims.length === 0) return undefined;
    const needs = cluster.lookups.volumesOf(pod);
    if ("problem" in needs || needs.exclusive.length === 0) return undefined;
    const { exclusive } = needs;
    let users = exclusive.reduce((sum, claim) => sum + cluster.usersOf(namespace, claim).size, 0);
    const shared = (other: PodInfo): number => (other.namespace === namespace ? other.claims.filter(claim => exclusive.includes(claim)).length : 0);
    return {
      check: () => (users > 0 ? inUse : undefined),
      count: (other, _, change) => (users += change * shared(other)),
    };
  },
  wakes: (event, pod) => event.type === "volumes-changed" || event.type === "pod-left" && event.pod.namespace === pod.namespace && event.pod.claims.some(claim => pod.claims.includes(claim)),
};
