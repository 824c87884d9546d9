import { joinKey, keyOf } from "../client/informer.ts";
import { PersistentVolumeClaim } from "../kinds/core/persistentvolumeclaim.ts";
import { Pod } from "../kinds/core/pod.ts";
import type { New } from "../kinds/kind.ts";
import type { Controller } from "./controller.ts";
import { unlessEnding } from "./serviceaccount.ts";

/** Makes the claims of pods' generic ephemeral volumes; they belong to the pod and go with it. */
export const ephemeralVolumeController: Controller = {
  name: "ephemeral-volume",
  account: "ephemeral-volume-controller",
  component: "ephemeral_volume",
  watches: [{
    kind: Pod, keysOf: (pod: Pod) => (pod.spec.volumes?.some(({ ephemeral }) => ephemeral !== undefined) === true ? [keyOf(pod)] : []),
  }, {
    kind: PersistentVolumeClaim,
    keysOf: (claim: PersistentVolumeClaim, _context, { type }) => (type === "deleted" ? (claim.metadata.ownerReferences ?? []).filter(({ kind, controller }) => kind === "Pod" && controller === true).map(({ name }) => joinKey(claim.metadata.namespace, name)) : []),
  }],

  async reconcile(key, context) {
    const pod = context.read(Pod).get(key);
    if (pod === undefined || pod.metadata.deletionTimestamp !== undefined) return undefined;
    for (const { name: volume, ephemeral } of pod.spec.volumes ?? []) {
      const template = ephemeral?.volumeClaimTemplate;
      if (template === undefined) continue;
      const { name: podName, namespace, uid } = pod.metadata;
      const name = `${podName}-${volume}`;
      const there = context.read(PersistentVolumeClaim).get(joinKey(namespace, name));
      if (there !== undefined) {
        // Somebody else's claim of that name must not become this pod's.
        if (there.metadata.ownerReferences?.some(ref => ref.uid === uid && ref.controller === true) !== true) throw new Error(`PVC ${joinKey(namespace, name)} was not created for pod ${keyOf(pod)} (pod is not owner)`);
        continue;
      }
      const { labels, annotations } = template.metadata ?? {};
      const ownerReferences = [{ apiVersion: "v1", kind: "Pod", name: podName, uid, controller: true, blockOwnerDeletion: true }];
      await unlessEnding(context.create(PersistentVolumeClaim, {
        metadata: { name, namespace, ownerReferences, ...(labels === undefined ? {} : { labels }), ...(annotations === undefined ? {} : { annotations }) }, spec: template.spec,
      } as unknown as New<typeof PersistentVolumeClaim>));
    }
    return undefined;
  },
};
