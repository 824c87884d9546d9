import { sameJson } from "../base/json.ts";
import { timeOf } from "../base/time.ts";
import { joinKey, keyOf, type Index } from "../client/informer.ts";
import { PersistentVolume } from "../kinds/core/persistentvolume.ts";
import { PersistentVolumeClaim } from "../kinds/core/persistentvolumeclaim.ts";
import { Pod } from "../kinds/core/pod.ts";
import type { New } from "../kinds/kind.ts";
import { StorageClass } from "../kinds/storage/storageclass.ts";
import type { Context, Controller } from "./controller.ts";
import { unlessEnding } from "./serviceaccount.ts";
import { annotations, classOf, fateOf, findVolume, isBoundTo } from "./volume-plan.ts";
import { claimNames } from "./volume-protection.ts";

/** The provisioner that makes a directory on the node where the first pod runs. */
export const localProvisioner = "timonier.io/local-path";

const byClaim: Index<Pod> = { name: "claim", valuesOf: pod => claimNames(pod).map(name => joinKey(pod.metadata.namespace, name)) };

/** Binds claims to volumes, and makes volumes of our own class when they are first needed. Keys: `claim/<key>`, `volume/<name>`. */
export const volumeBinder: Controller = {
  name: "persistentvolume-binder",
  account: "persistent-volume-binder",
  component: "persistentvolume-controller",
  workers: 1,
  watches: [
    { kind: PersistentVolumeClaim, keysOf: (claim: PersistentVolumeClaim) => [`claim/${keyOf(claim)}`, ...(claim.spec.volumeName ? [`volume/${claim.spec.volumeName}`] : [])] },
    {
      kind: PersistentVolume,
      keysOf: (volume: PersistentVolume, context) => {
        const { claimRef } = volume.spec;
        const waiting = claimRef === undefined ? context.read(PersistentVolumeClaim).list().filter(claim => claim.status.phase === "Pending" && classOf(claim) === classOf(volume)) : [];
        return [`volume/${volume.metadata.name}`, ...(claimRef === undefined ? waiting.map(claim => `claim/${keyOf(claim)}`) : [`claim/${joinKey(claimRef.namespace, claimRef.name)}`])];
      },
    },
    { kind: StorageClass, keysOf: (made: StorageClass, context) => context.read(PersistentVolumeClaim).list().filter(claim => claim.status.phase === "Pending" && classOf(claim) === made.metadata.name).map(claim => `claim/${keyOf(claim)}`) },
    // A claim that waits for its first consumer.
    { kind: Pod, keysOf: (pod: Pod) => (pod.spec.nodeName ? claimNames(pod).map(name => `claim/${joinKey(pod.metadata.namespace, name)}`) : []) },
  ],

  async reconcile(key, context) {
    if (key.startsWith("volume/")) await settleVolume(key.slice("volume/".length), context);
    else await settleClaim(key.slice("claim/".length), context);
    return undefined;
  },
};

async function settleClaim(key: string, context: Context): Promise<void> {
  const claim = context.read(PersistentVolumeClaim).get(key);
  if (claim === undefined || claim.metadata.deletionTimestamp !== undefined) return;
  if (claim.metadata.annotations?.[annotations.bindCompleted] !== undefined) {
    const volume = context.read(PersistentVolume).get(claim.spec.volumeName ?? "");
    if (volume === undefined || !isBoundTo(volume, claim)) return lose(claim, volume === undefined ? "Bound claim has lost its PersistentVolume. Data on the volume is lost!" : "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!", context);
    return confirm(claim, volume, context);
  }
  const volumes = context.read(PersistentVolume).list();
  const named = claim.spec.volumeName ?? "";
  const volume = named === "" ? findVolume(claim, volumes) : volumes.find(({ metadata }) => metadata.name === named);
  if (volume !== undefined) {
    // Somebody else's: wait until it is free.
    if (volume.spec.claimRef !== undefined && volume.spec.claimRef.uid !== undefined && volume.spec.claimRef.uid !== "" && !isBoundTo(volume, claim)) return;
    return bind(claim, volume, context);
  }
  if (named === "") await provision(claim, context);
}

function refTo({ metadata }: PersistentVolumeClaim): object {
  return { kind: "PersistentVolumeClaim", namespace: metadata.namespace, name: metadata.name, uid: metadata.uid, apiVersion: "v1", resourceVersion: metadata.resourceVersion };
}

/** Four writes, each of which can be repeated: the volume names the claim, is Bound; the claim names the volume, is Bound. */
async function bind(claim: PersistentVolumeClaim, volume: PersistentVolume, context: Context): Promise<void> {
  let held = volume;
  if (!isBoundTo(volume, claim)) {
    const own = volume.spec.claimRef === undefined ? { [annotations.boundByController]: "yes" } : {};
    held = await context.update(PersistentVolume, { ...volume, metadata: { ...volume.metadata, annotations: { ...volume.metadata.annotations, ...own } }, spec: { ...volume.spec, claimRef: refTo(claim) as NonNullable<typeof volume.spec.claimRef> } });
  }
  await setPhase(held, "Bound", context);
  const byUs = claim.spec.volumeName ? {} : { [annotations.boundByController]: "yes" };
  const bound = await context.update(PersistentVolumeClaim, {
    ...claim, metadata: { ...claim.metadata, annotations: { ...claim.metadata.annotations, ...byUs, [annotations.bindCompleted]: "yes" } }, spec: { ...claim.spec, volumeName: volume.metadata.name },
  });
  await confirm(bound, held, context);
}
async function confirm(claim: PersistentVolumeClaim, volume: PersistentVolume, context: Context): Promise<void> {
  // Only while binding: afterwards whoever changes the volume says its capacity and class.
  const { volumeAttributesClassName } = volume.spec;
  const first = claim.status.phase === "Bound" ? {} : { capacity: volume.spec.capacity, ...(volumeAttributesClassName === undefined ? {} : { currentVolumeAttributesClassName: volumeAttributesClassName }) };
  const status = { ...claim.status, phase: "Bound" as const, accessModes: volume.spec.accessModes, ...first };
  if (!sameJson(status, claim.status)) await context.updateStatus(PersistentVolumeClaim, { ...claim, status: status as typeof claim.status });
}
async function lose(claim: PersistentVolumeClaim, why: string, context: Context): Promise<void> {
  if (claim.status.phase === "Lost") return;
  await context.updateStatus(PersistentVolumeClaim, { ...claim, status: { phase: "Lost" } });
  context.events.event(claim, "Warning", "ClaimLost", why);
}

async function setPhase(volume: PersistentVolume, phase: NonNullable<PersistentVolume["status"]["phase"]>, context: Context): Promise<void> {
  if (volume.status.phase === phase) return;
  await context.updateStatus(PersistentVolume, { ...volume, status: { ...volume.status, phase, lastPhaseTransitionTime: timeOf(context.clock.now()) } });
}

async function settleVolume(name: string, context: Context): Promise<void> {
  const volume = context.read(PersistentVolume).get(name);
  if (volume === undefined || volume.metadata.deletionTimestamp !== undefined) return;
  const { claimRef } = volume.spec;
  const shown = claimRef === undefined ? undefined : context.read(PersistentVolumeClaim).get(joinKey(claimRef.namespace, claimRef.name));
  const isOld = claimRef?.uid !== undefined && shown?.metadata.uid !== claimRef.uid;
  // Data may be deleted: not on the word of a copy.
  const claim = isOld ? await context.live(PersistentVolumeClaim, claimRef.namespace ?? "", claimRef.name ?? "") : shown;
  const fate = fateOf(volume, claim);
  if (fate !== "delete") return setPhase(volume, fate, context);
  await setPhase(volume, "Released", context);
  if (volume.metadata.annotations?.[annotations.provisionedBy] === localProvisioner) await context.delete(PersistentVolume, volume);
}

/** Asks for a volume of the claim's class: makes it itself if the class is ours, else leaves a note for whoever does. */
async function provision(claim: PersistentVolumeClaim, context: Context): Promise<void> {
  const name = classOf(claim);
  const storageClass = name === "" ? undefined : context.read(StorageClass).get(name);
  if (storageClass === undefined) {
    const [reason, text] = name === "" ? ["FailedBinding", "no persistent volumes available for this claim and no storage class is set"] as const : ["ProvisioningFailed", `storageclass.storage.k8s.io ${JSON.stringify(name)} not found`] as const;
    context.events.event(claim, name === "" ? "Normal" : "Warning", reason, text);
    return;
  }
  const { provisioner, volumeBindingMode } = storageClass;
  if (provisioner === "kubernetes.io/no-provisioner") {
    context.events.event(claim, "Normal", volumeBindingMode === "WaitForFirstConsumer" ? "WaitForFirstConsumer" : "FailedBinding", volumeBindingMode === "WaitForFirstConsumer" ? "waiting for first consumer to be created before binding" : "no persistent volumes available for this claim and no storage class is set");
    return;
  }
  const node = claim.metadata.annotations?.[annotations.selectedNode] ?? context.read(Pod).by(byClaim, keyOf(claim)).find(pod => pod.spec.nodeName)?.spec.nodeName;
  if (volumeBindingMode === "WaitForFirstConsumer" && node === undefined) {
    context.events.event(claim, "Normal", "WaitForFirstConsumer", "waiting for first consumer to be created before binding");
    return;
  }
  const noted = { [annotations.betaStorageProvisioner]: provisioner, [annotations.storageProvisioner]: provisioner };
  const known = claim.metadata.annotations ?? {};
  let asked = claim;
  if (Object.entries(noted).some(([annotation, value]) => known[annotation] !== value)) asked = await context.update(PersistentVolumeClaim, { ...claim, metadata: { ...claim.metadata, annotations: { ...known, ...noted } } });
  if (provisioner === localProvisioner) return provisionLocal(asked, storageClass, node, context);
  context.events.event(asked, "Normal", "ExternalProvisioning", `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`);
}

/** A directory under the class's `path` on one node. The volume's name is the claim's uid, so that no crash makes two. */
async function provisionLocal(claim: PersistentVolumeClaim, storageClass: StorageClass, node: string | undefined, context: Context): Promise<void> {
  const name = `pvc-${claim.metadata.uid}`;
  const root = storageClass.parameters?.["path"];
  if (root === undefined || node === undefined) {
    context.events.event(claim, "Warning", "ProvisioningFailed", root === undefined ? `storage class ${storageClass.metadata.name} has no parameter "path"` : "no node to make the volume on: use volumeBindingMode WaitForFirstConsumer");
    return;
  }
  const volume = {
    metadata: { name, annotations: { [annotations.provisionedBy]: localProvisioner } },
    spec: {
      capacity: { storage: claim.spec.resources?.requests?.["storage"] ?? "0" }, accessModes: claim.spec.accessModes, volumeMode: "Filesystem", storageClassName: storageClass.metadata.name,
      persistentVolumeReclaimPolicy: storageClass.reclaimPolicy ?? "Delete", claimRef: refTo(claim), hostPath: { path: `${root}/${name}_${claim.metadata.namespace}_${claim.metadata.name}`, type: "DirectoryOrCreate" },
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: [node] }] }] } },
    },
  };
  await unlessEnding(context.create(PersistentVolume, volume as unknown as New<typeof PersistentVolume>));
  context.events.event(claim, "Normal", "ProvisioningSucceeded", `Successfully provisioned volume ${name}`);
}
