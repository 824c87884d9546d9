/** What the claims among a pod's volumes demand of its node (upstream plugins/volumebinding). */
import type { PersistentVolume } from "../kinds/core/persistentvolume.ts";
import type { PersistentVolumeClaim } from "../kinds/core/persistentvolumeclaim.ts";
import type { Pod } from "../kinds/core/pod.ts";

export type NodeTerms = NonNullable<NonNullable<PersistentVolume["spec"]["nodeAffinity"]>["required"]>["nodeSelectorTerms"];
export type VolumeNeeds =
  /** Why no node will do, for now. */
  | { readonly problem: string }
  /** Where each of the volumes can be reached, if not everywhere. */
  | { readonly reachable: readonly NodeTerms[] };

export type Volumes = {
  claim(namespace: string, name: string): PersistentVolumeClaim | undefined;
  volume(name: string): PersistentVolume | undefined;
  /** Whether claims of the class are bound when a pod has its node, not before. */
  waits(storageClass: string): boolean;
};

const nothing: VolumeNeeds = { reachable: [] };

export function volumeNeeds(pod: Pod, volumes: Volumes): VolumeNeeds {
  const { namespace = "", name: podName, uid } = pod.metadata;
  const reachable: NodeTerms[] = [];
  let waitsForClaim = false, seen = false;
  for (const { name, persistentVolumeClaim, ephemeral } of pod.spec.volumes ?? []) {
    if (persistentVolumeClaim === undefined && ephemeral === undefined) continue;
    seen = true;
    const claimName = persistentVolumeClaim?.claimName ?? `${podName}-${name}`, told = JSON.stringify(claimName);
    const claim = volumes.claim(namespace, claimName);
    if (claim === undefined) return { problem: persistentVolumeClaim === undefined ? `waiting for ephemeral volume controller to create the persistentvolumeclaim ${told}` : `persistentvolumeclaim ${told} not found` };
    if (claim.status.phase === "Lost") return { problem: `persistentvolumeclaim ${told} bound to non-existent persistentvolume ${JSON.stringify(claim.spec.volumeName ?? "")}` };
    if (claim.metadata.deletionTimestamp !== undefined) return { problem: `persistentvolumeclaim ${told} is being deleted` };
    if (persistentVolumeClaim === undefined && claim.metadata.ownerReferences?.some(owner => owner.controller === true && owner.uid === uid) !== true) return { problem: `PVC ${namespace}/${claimName} was not created for pod ${namespace}/${podName} (pod is not owner)` };
    const bound = claim.spec.volumeName ?? "";
    if (bound === "" || claim.metadata.annotations?.["pv.kubernetes.io/bind-completed"] === undefined) {
      if (bound !== "" || !volumes.waits(claim.metadata.annotations?.["volume.beta.kubernetes.io/storage-class"] ?? claim.spec.storageClassName ?? "")) waitsForClaim = true;
      continue;
    }
    const terms = volumes.volume(bound)?.spec.nodeAffinity?.required?.nodeSelectorTerms;
    if (terms !== undefined) reachable.push(terms);
  }
  if (!seen) return nothing;
  return waitsForClaim ? { problem: "pod has unbound immediate PersistentVolumeClaims" } : { reachable };
}
