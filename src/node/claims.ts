/** From a claim to where its volume lies on this node: what a pod's `persistentVolumeClaim` or `ephemeral` volume stands for. */
import { isApiError } from "../base/api-error.ts";
import type { Client } from "../client/client.ts";
import { PersistentVolume } from "../kinds/core/persistentvolume.ts";
import { PersistentVolumeClaim } from "../kinds/core/persistentvolumeclaim.ts";
import type { Pod } from "../kinds/core/pod.ts";
import type { Volume } from "../kinds/core/volume.ts";
import { VolumeError } from "./volume-content.ts";

export type Claimed = { readonly path: string; /** As of a hostPath. */ readonly type: string; readonly readOnly: boolean; /** Made for the claim: the pod's group may have it. */ readonly own: boolean; /** Upstream's name of what mounts it. */ readonly plugin: string };
export type ClaimSource = (pod: Pod, volume: Volume) => Promise<Claimed>;

/** The claim that a volume means; an ephemeral one is named after pod and volume. */
export function claimOf(pod: Pod, volume: Volume): { readonly name: string; readonly readOnly: boolean } | undefined {
  if (volume.persistentVolumeClaim) return { name: volume.persistentVolumeClaim.claimName, readOnly: volume.persistentVolumeClaim.readOnly ?? false };
  return volume.ephemeral ? { name: `${pod.metadata.name}-${volume.name}`, readOnly: false } : undefined;
}

export function claimSource(client: Client): ClaimSource {
  return async (pod, volume) => {
    const { name, readOnly } = claimOf(pod, volume) ?? { name: "", readOnly: false };
    const namespace = pod.metadata.namespace ?? "";
    const claim = await found(client.get(PersistentVolumeClaim, namespace, name), `persistentvolumeclaim "${name}" not found`);
    // An ephemeral volume's claim belongs to its pod: one of the same name that somebody made is not it.
    if (volume.ephemeral && !claim.metadata.ownerReferences?.some(({ uid, controller }) => controller && uid === pod.metadata.uid)) throw new VolumeError(`PVC ${namespace}/${name} was not created for pod ${namespace}/${pod.metadata.name} (pod is not owner)`);
    if (claim.metadata.deletionTimestamp !== undefined) throw new VolumeError(`error processing PVC ${namespace}/${name}: PVC is being deleted`);
    // A claim that waits for its first pod is bound now that the pod has a node.
    if (claim.status?.phase !== "Bound" || !claim.spec.volumeName) throw new VolumeError(`error processing PVC ${namespace}/${name}: PVC is not bound`, claim.status?.phase === "Pending");
    const { spec, metadata } = await found(client.get(PersistentVolume, "", claim.spec.volumeName), `persistentvolume "${claim.spec.volumeName}" not found`);
    if (spec.claimRef?.uid !== claim.metadata.uid) throw new VolumeError(`error processing PVC ${namespace}/${name}: PVC is not bound to PV ${metadata.name}`);
    if ((spec.volumeMode ?? "Filesystem") !== "Filesystem") throw new VolumeError("block volumes are not supported by this node");
    const restricted = readOnly || (spec.accessModes ?? []).every(mode => mode === "ReadOnlyMany");
    if (spec.hostPath) return { path: spec.hostPath.path, type: spec.hostPath.type ?? "", readOnly: restricted, own: metadata.annotations?.["pv.kubernetes.io/provisioned-by"] !== undefined, plugin: "kubernetes.io/host-path" };
    if (spec.local) return { path: spec.local.path, type: "Directory", readOnly: restricted, own: true, plugin: "kubernetes.io/local-volume" };
    throw new VolumeError(`persistent volumes of type ${Object.keys(spec).find(key => key !== "capacity" && key !== "accessModes" && key !== "claimRef") ?? "unknown"} are not supported by this node`);
  };
}

async function found<T>(work: Promise<T>, missing: string): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (isApiError(error, "NotFound")) throw new VolumeError(missing);
    throw error;
  }
}
