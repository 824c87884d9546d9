import { byNamespace, joinKey } from "../client/informer.ts";
import { PersistentVolume } from "../kinds/core/persistentvolume.ts";
import { PersistentVolumeClaim } from "../kinds/core/persistentvolumeclaim.ts";
import { Pod } from "../kinds/core/pod.ts";
import type { AnyKind, Resource } from "../kinds/kind.ts";
import type { Context, Controller } from "./controller.ts";
import { isPodFinished } from "./pods.ts";

const claimFinalizer = "kubernetes.io/pvc-protection";
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
