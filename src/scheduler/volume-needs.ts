/** What the claims among a pod's volumes demand of its node (upstream plugins/volumebinding). */
import type { PersistentVolume } from "../kinds/core/persistentvolume.ts";
import type { PersistentVolumeClaim } from "../kinds/core/persistentvolumeclaim.ts";
import type { Pod } from "../kinds/core/pod.ts";

export type NodeTerms = NonNullable<NonNullable<PersistentVolume["spec"]["nodeAffinity"]>["required"]>["nodeSelectorTerms"];
export type VolumeNeeds =
  /** Why no node will do, for now. */
  | { readonly problem: string }
  | {
    /** Where each of the volumes can be reached, if not everywhere. */
    readonly reachable: readonly NodeTerms[];
    /** Claims that get a volume with their first pod: on its node, or the one that they name already. */
    readonly waiting: readonly { readonly claim: string; readonly node: string | undefined }[];
    /** Claims that one pod at a time may use. */
    readonly exclusive: readonly string[];
  };

export type Volumes = {
  claim(namespace: string, name: string): PersistentVolumeClaim | undefined;
  volume(name: string): PersistentVolume | undefined;
  /** Whether claims of the class are bound when a pod has its node, not before. */
  waits(storageClass: string): boolean;
};

export const noVolumeNeeds: VolumeNeeds = { reachable: [], waiting: [], exclusive: [] };

export function volumeNeeds(pod: Pod, volumes: Volumes): VolumeNeeds {
  const { namespace = "", name: podName, uid } = pod.metadata;
  const reachable: NodeTerms[] = [], waiting: { readonly claim: string; readonly node: string | undefined }[] = [], exclusive: string[] = [];
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
    if (claim.spec.accessModes?.includes("ReadWriteOncePod") === true) exclusive.push(claimName);
    const bound = claim.spec.volumeName ?? "";
    if (bound === "" || claim.metadata.annotations?.["pv.kubernetes.io/bind-completed"] === undefined) {
      if (bound !== "" || !volumes.waits(claim.metadata.annotations?.["volume.beta.kubernetes.io/storage-class"] ?? claim.spec.storageClassName ?? "")) waitsForClaim = true;
      else waiting.push({ claim: claimName, node: claim.metadata.annotations?.["volume.kubernetes.io/selected-node"] });
      continue;
    }
    const terms = volumes.volume(bound)?.spec.nodeAffinity?.required?.nodeSelectorTerms;
    if (terms !== undefined) reachable.push(terms);
  }
  if (!seen) return noVolumeNeeds;
  return waitsForClaim ? { problem: "pod has unbound immediate PersistentVolumeClaims" } : { reachable, waiting, exclusive };
}
