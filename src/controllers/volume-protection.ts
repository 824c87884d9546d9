import { byNamespace, joinKey } from "../client/informer.ts";
import { PersistentVolume } from "../kinds/core/persistentvolume.ts";
import { PersistentVolumeClaim } from "../kinds/core/persistentvolumeclaim.ts";
import { VolumeAttributesClass } from "../kinds/storage/volumeattributesclass.ts";
import { Pod } from "../kinds/core/pod.ts";
import type { AnyKind, Resource } from "../kinds/kind.ts";
import type { Context, Controller } from "./controller.ts";
import { isPodFinished } from "./pods.ts";

const claimFinalizer = "kubernetes.io/pvc-protection";
const attributesFinalizer = "kubernetes.io/vac-protection";
const volumeFinalizer = "kubernetes.io/pv-protection";

/** Lets a deleted claim go once no pod uses it. */
export const claimProtection: Controller = {
  name: "pvc-protection",
  account: "pvc-protection-controller",
  reconciles: PersistentVolumeClaim,
  watches: [{ kind: Pod, keysOf: (pod: Pod, _context, { type }) => (type === "deleted" || isPodFinished(pod) ? claimNames(pod).map(name => joinKey(pod.metadata.namespace, name)) : []) }],

  async reconcile(key, context) {
    const claim = context.read(PersistentVolumeClaim).get(key);
    if (claim === undefined || !isHeld(claim, claimFinalizer)) return undefined;
    const { namespace = "", name } = claim.metadata;
    const uses = (pods: readonly Pod[]): boolean => pods.some(pod => pod.spec.nodeName && !isPodFinished(pod) && claimNames(pod).includes(name));
    if (uses(context.read(Pod).by(byNamespace, namespace)) || uses((await context.liveList(Pod, namespace)).items)) return undefined;
    await letGo(PersistentVolumeClaim, claim, claimFinalizer, context);
    return undefined;
  },
};

/** Lets a deleted volume go once no claim is bound to it. */
export const volumeProtection: Controller = {
  name: "pv-protection",
  account: "pv-protection-controller",
  reconciles: PersistentVolume,
  watches: [],

  async reconcile(key, context) {
    const volume = context.read(PersistentVolume).get(key);
    if (volume !== undefined && isHeld(volume, volumeFinalizer) && volume.status.phase !== "Bound") await letGo(PersistentVolume, volume, volumeFinalizer, context);
    return undefined;
  },
};

/** Lets a deleted class of attributes go once no claim or volume wants it, has it or is being given it (pkg/controller/volume/vacprotection). */
export const attributesProtection: Controller = {
  name: "volumeattributesclass-protection",
  account: "volumeattributesclass-protection-controller",
  reconciles: VolumeAttributesClass,
  watches: [
    { kind: PersistentVolumeClaim, keysOf: (claim: PersistentVolumeClaim, _context, { previous }) => classNames(claim, previous as PersistentVolumeClaim | undefined) },
    { kind: PersistentVolume, keysOf: (volume: PersistentVolume) => [volume.spec.volumeAttributesClassName ?? ""].filter(name => name !== "") },
  ],

  async reconcile(key, context) {
    const found = context.read(VolumeAttributesClass).get(key);
    if (found === undefined || !isHeld(found, attributesFinalizer)) return undefined;
    const { name } = found.metadata;
    const uses = (claims: readonly PersistentVolumeClaim[], volumes: readonly PersistentVolume[]): boolean => claims.some(claim => classNames(claim).includes(name)) || volumes.some(({ spec }) => spec.volumeAttributesClassName === name);
    if (uses(context.read(PersistentVolumeClaim).list(), context.read(PersistentVolume).list())) return undefined;
    if (uses((await context.liveList(PersistentVolumeClaim, "")).items, (await context.liveList(PersistentVolume, "")).items)) return undefined;
    await letGo(VolumeAttributesClass, found, attributesFinalizer, context);
    return undefined;
  },
};
/** The classes that a claim wants, has and is being given. */
function classNames(...claims: readonly (PersistentVolumeClaim | undefined)[]): readonly string[] {
  return claims.flatMap(claim => [claim?.spec.volumeAttributesClassName, claim?.status.currentVolumeAttributesClassName, claim?.status.modifyVolumeStatus?.targetVolumeAttributesClassName ?? ""]).filter(name => name !== undefined).filter(name => name !== "");
}

function isHeld({ metadata }: Resource<AnyKind>, finalizer: string): boolean {
  return metadata.deletionTimestamp !== undefined && metadata.finalizers?.includes(finalizer) === true;
}
async function letGo<K extends AnyKind>(kind: K, object: Resource<K>, finalizer: string, context: Context): Promise<void> {
  const finalizers = (object.metadata.finalizers ?? []).filter((other: string) => other !== finalizer);
  await context.ifThere(context.update(kind, { ...object, metadata: { ...object.metadata, finalizers } }));
}

/** The claims that a pod's volumes name, those made for it included. */
export function claimNames(pod: Pod): readonly string[] {
  return (pod.spec.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }) =>
    (persistentVolumeClaim !== undefined ? [persistentVolumeClaim.claimName] : ephemeral !== undefined ? [`${pod.metadata.name}-${name}`] : []));
}
