/** Which volume a claim gets, and what becomes of volumes: pure (upstream pkg/controller/volume/persistentvolume, volume-helpers FindMatchingVolume). */
import { compareQuantities } from "../base/quantity.ts";
import { selectorOf } from "../base/selector.ts";
import type { PersistentVolume } from "../kinds/core/persistentvolume.ts";
import type { PersistentVolumeClaim } from "../kinds/core/persistentvolumeclaim.ts";

export const annotations = {
  bindCompleted: "pv.kubernetes.io/bind-completed",
  boundByController: "pv.kubernetes.io/bound-by-controller",
  provisionedBy: "pv.kubernetes.io/provisioned-by",
  selectedNode: "volume.kubernetes.io/selected-node",
  storageProvisioner: "volume.kubernetes.io/storage-provisioner",
  betaStorageProvisioner: "volume.beta.kubernetes.io/storage-provisioner",
  betaClass: "volume.beta.kubernetes.io/storage-class",
} as const;

export function classOf(object: { readonly metadata: { readonly annotations?: { readonly [name: string]: string } | undefined }; readonly spec: { readonly storageClassName?: string | undefined } }): string {
  return object.metadata.annotations?.[annotations.betaClass] ?? object.spec.storageClassName ?? "";
}
/** True if the volume is reserved for, or bound to, this very claim. */
export function isFor({ spec: { claimRef } }: PersistentVolume, { metadata }: PersistentVolumeClaim): boolean {
  return claimRef !== undefined && claimRef.name === metadata.name && claimRef.namespace === metadata.namespace && (claimRef.uid === undefined || claimRef.uid === "" || claimRef.uid === metadata.uid);
}
export function isBoundTo(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  return isFor(volume, claim) && volume.spec.claimRef?.uid === claim.metadata.uid;
}

/** The volume reserved for the claim, else the smallest free one that is big enough and otherwise what is asked for. */
export function findVolume(claim: PersistentVolumeClaim, volumes: readonly PersistentVolume[]): PersistentVolume | undefined {
  const wanted = claim.spec.resources?.requests?.["storage"] ?? "0";
  const fits = (volume: PersistentVolume): boolean => compareQuantities(volume.spec.capacity?.["storage"] ?? "0", wanted) >= 0 && volume.spec.volumeMode === claim.spec.volumeMode
    && (claim.spec.accessModes ?? []).every(mode => volume.spec.accessModes?.includes(mode) === true) && volume.metadata.deletionTimestamp === undefined;
  const reserved = volumes.find(volume => isFor(volume, claim));
  if (reserved !== undefined) return fits(reserved) ? reserved : undefined;
  return volumes.filter(volume => volume.spec.claimRef === undefined && volume.status.phase === "Available" && classOf(volume) === classOf(claim) && fits(volume)
    && (claim.spec.selector === undefined || selectorOf(claim.spec.selector).matches(volume.metadata.labels)))
    .sort((a, b) => compareQuantities(a.spec.capacity?.["storage"] ?? "0", b.spec.capacity?.["storage"] ?? "0") || (a.metadata.name < b.metadata.name ? -1 : 1))[0];
}

export type VolumeFate = "Available" | "Bound" | "Released" | "delete";
/** The phase of a volume, given the claim it names as it is now (absent, or another one under the name). */
export function fateOf(volume: PersistentVolume, claim: PersistentVolumeClaim | undefined): VolumeFate {
  const { claimRef, persistentVolumeReclaimPolicy } = volume.spec;
  // Reserved by hand for a claim that may come.
  if (claimRef === undefined || claimRef.uid === undefined || claimRef.uid === "") return "Available";
  if (claim?.metadata.uid === claimRef.uid) return claim.spec.volumeName === volume.metadata.name ? "Bound" : volume.status.phase === "Bound" ? "Bound" : "Available";
  return persistentVolumeReclaimPolicy === "Delete" && volume.metadata.annotations?.[annotations.provisionedBy] !== undefined ? "delete" : "Released";
}
