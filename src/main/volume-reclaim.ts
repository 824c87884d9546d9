/** Removes the folder of a provisioned volume once its PersistentVolume has been deleted, if its policy says so. */
import { messageOf, type Log } from "../base/log.ts";
import type { Informers } from "../client/informers.ts";
import { localProvisioner } from "../controllers/volume-binder.ts";
import { removeTree } from "../host/node-files.ts";
import { PersistentVolume } from "../kinds/core/persistentvolume.ts";

/** Only folders directly beneath `root`: what a volume says of its path is not believed further. */
export function reclaimVolumes(informers: Informers, root: string, log: Log): void {
  informers.of(PersistentVolume).onChange(({ type, object: { metadata, spec } }) => {
    const path = spec.hostPath?.path ?? "";
    const name = path.slice(root.length + 1);
    if (type !== "deleted" || metadata.annotations?.["pv.kubernetes.io/provisioned-by"] !== localProvisioner || spec.persistentVolumeReclaimPolicy !== "Delete") return;
    if (!path.startsWith(`${root}/`) || !name.startsWith(`${metadata.name}_`) || name.includes("/")) return;
    removeTree(path).then(() => log.info("a volume's folder was removed", { volume: metadata.name, path }), (error: unknown) => log.warn("a volume's folder could not be removed", { path, error: messageOf(error) }));
  });
}
