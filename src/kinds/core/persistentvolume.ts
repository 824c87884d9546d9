import { AzureFilePersistentVolumeSource, CSIPersistentVolumeSource, CephFSPersistentVolumeSource, CinderPersistentVolumeSource, FlexPersistentVolumeSource, GlusterfsPersistentVolumeSource, ISCSIPersistentVolumeSource, LocalVolumeSource, RBDPersistentVolumeSource, ScaleIOPersistentVolumeSource, StorageOSPersistentVolumeSource } from "./persistentvolume-sources.ts";
import { NodeSelector, ObjectReference } from "./references.ts";
import { AWSElasticBlockStoreVolumeSource, AzureDiskVolumeSource, FCVolumeSource, FlockerVolumeSource, GCEPersistentDiskVolumeSource, HostPathVolumeSource, NFSVolumeSource, PhotonPersistentDiskVolumeSource, PortworxVolumeSource, QuobyteVolumeSource, VsphereVirtualDiskVolumeSource } from "./volume-sources.ts";
import { accessModesText, ageColumn, nameColumn } from "../columns.ts";
import { goDiff } from "../../schema/go-value.ts";
import { keepField, sameJson } from "../../base/json.ts";
import { quantityMilli, quantitySign } from "../../base/quantity.ts";
import { timeOf } from "../../base/time.ts";
import { forbidden, invalidValue, notSupported, type Problem, required } from "../../schema/problem.ts";
import { validateNodeSelector } from "./affinityrules.ts";
import { defineKind, type Resource } from "../kind.ts";
import { oldAnnotationsIn, oldClass, oldLabelsIn } from "./podwarnings.ts";
import { validateAccessModes, validateSource } from "./volumesourcerules.ts";
import { dnsSubdomain } from "../../schema/grammar.ts";
import * as t from "../../schema/t.ts";

export const VolumeNodeAffinity = t.object("io.k8s.api.core.v1.VolumeNodeAffinity", {
  required: NodeSelector.pb(1).doc("Nodes from which the volume can be reached."),
});
export interface VolumeNodeAffinity extends t.Stored<typeof VolumeNodeAffinity> {}

export const PersistentVolumeSpec = t.object("io.k8s.api.core.v1.PersistentVolumeSpec", {
  accessModes: t.list(t.oneOf("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod").unchecked()).pb(3).doc("How the volume can be mounted."),
  awsElasticBlockStore: AWSElasticBlockStoreVolumeSource.pb(2).within(2).doc("A disk of Amazon's cloud."),
  azureDisk: AzureDiskVolumeSource.pb(16).within(2).doc("A disk of Microsoft's cloud."),
  azureFile: AzureFilePersistentVolumeSource.pb(13).within(2).doc("A file share of Microsoft's cloud."),
  capacity: t.map(t.quantity()).pb(1).doc("How big it is."),
  cephfs: CephFSPersistentVolumeSource.pb(9).within(2).doc("A directory in CephFS."),
  cinder: CinderPersistentVolumeSource.pb(8).within(2).doc("A disk of OpenStack."),
  claimRef: ObjectReference.pb(4).granular().doc("The claim that it is bound to."),
  csi: CSIPersistentVolumeSource.pb(22).within(2).doc("A volume of a CSI driver."),
  fc: FCVolumeSource.pb(10).within(2).doc("A disk over Fibre Channel."),
  flexVolume: FlexPersistentVolumeSource.pb(12).within(2).doc("A volume of a program installed on the node."),
  flocker: FlockerVolumeSource.pb(11).within(2).doc("A dataset of Flocker; no longer supported."),
  gcePersistentDisk: GCEPersistentDiskVolumeSource.pb(1).within(2).doc("A disk of Google's cloud."),
  glusterfs: GlusterfsPersistentVolumeSource.pb(4).within(2).doc("A volume of GlusterFS."),
  hostPath: HostPathVolumeSource.pb(3).within(2).doc("A file or directory of the node."),
  iscsi: ISCSIPersistentVolumeSource.pb(7).within(2).doc("A disk over iSCSI."),
  local: LocalVolumeSource.pb(20).within(2).doc("A disk or directory of one node."),
  mountOptions: t.list(t.string()).pb(7).doc("Options of the mount, such as ro or soft."),
  nfs: NFSVolumeSource.pb(5).within(2).doc("A directory of an NFS server."),
  nodeAffinity: VolumeNodeAffinity.pb(9).doc("Nodes from which it can be reached."),
  persistentVolumeReclaimPolicy: t.oneOf("Delete", "Recycle", "Retain").pb(5).default("Retain").doc("What becomes of it when its claim is deleted: Retain, Delete or Recycle."),
  photonPersistentDisk: PhotonPersistentDiskVolumeSource.pb(17).within(2).doc("A disk of Photon; no longer supported."),
  portworxVolume: PortworxVolumeSource.pb(18).within(2).doc("A volume of Portworx."),
  quobyte: QuobyteVolumeSource.pb(15).within(2).doc("A volume of Quobyte; no longer supported."),
  rbd: RBDPersistentVolumeSource.pb(6).within(2).doc("An image of a Ceph block device."),
  scaleIO: ScaleIOPersistentVolumeSource.pb(19).within(2).doc("A volume of ScaleIO; no longer supported."),
  storageClassName: t.string().pb(6).doc("The storage class it belongs to; empty means none."),
  storageos: StorageOSPersistentVolumeSource.pb(21).within(2).doc("A volume of StorageOS; no longer supported."),
  volumeAttributesClassName: t.string().pb(10).pointer().doc("Class of its changeable attributes."),
  volumeMode: t.oneOf("Block", "Filesystem").pb(8).pointer().default("Filesystem").doc("Whether it holds a file system or is a raw block device."),
  vsphereVolume: VsphereVirtualDiskVolumeSource.pb(14).within(2).doc("A disk of vSphere."),
});
export interface PersistentVolumeSpec extends t.Stored<typeof PersistentVolumeSpec> {}

export const PersistentVolumeStatus = t.object("io.k8s.api.core.v1.PersistentVolumeStatus", {
  lastPhaseTransitionTime: t.time().pb(4).pointer().doc("When the phase last changed."),
  message: t.string().pb(2).doc("Why it is in this phase, for people."),
  phase: t.oneOf("Available", "Bound", "Failed", "Pending", "Released").pb(1).default("Pending").doc("Pending, Available, Bound, Released or Failed."),
  reason: t.string().pb(3).doc("Why it failed, as one CamelCase word."),
});
export interface PersistentVolumeStatus extends t.Stored<typeof PersistentVolumeStatus> {}

const mountOptions = "volume.beta.kubernetes.io/mount-options";
/** Volumes that are mounted with options (kubernetes pkg/volume/validation checkMountOption). */
const mountable = ["gcePersistentDisk", "awsElasticBlockStore", "glusterfs", "nfs", "rbd", "quobyte", "iscsi", "cinder", "cephfs", "azureFile", "vsphereVolume", "azureDisk", "photonPersistentDisk"] as const;
const oldVolumes = {
  cephfs: "deprecated in v1.28, non-functional in v1.31+", photonPersistentDisk: "deprecated in v1.11, non-functional in v1.16+", scaleIO: "deprecated in v1.16, non-functional in v1.22+",
  storageos: "deprecated in v1.22, non-functional in v1.25+", glusterfs: "deprecated in v1.25, non-functional in v1.26+", rbd: "deprecated in v1.28, non-functional in v1.31+",
};

export const PersistentVolume = defineKind({
  group: "", version: "v1", kind: "PersistentVolume", plural: "persistentvolumes", namespaced: false,
  shortNames: ["pv"], subresources: ["status"],
  returnDeleted: true,
  definition: "io.k8s.api.core.v1.PersistentVolume",
  doc: "A piece of storage, to be claimed.",
  fields: {
    spec: PersistentVolumeSpec.pb(2).always("{}").doc("What the volume is, and who may use it."),
    status: PersistentVolumeStatus.pb(3).always("{}").doc("Whether it is in use."),
  },
  prepare(next, previous, { now }) {
    const old = previous?.status, status = next.status;
    if (old === undefined) next.status = { phase: "Pending", lastPhaseTransitionTime: timeOf(now) };
    else if (old.phase !== status.phase && (status.lastPhaseTransitionTime ?? old.lastPhaseTransitionTime) === old.lastPhaseTransitionTime) status.lastPhaseTransitionTime = timeOf(now);
    else if (status.lastPhaseTransitionTime === undefined) keepField(status, old, "lastPhaseTransitionTime");
  },
  *rules(next, previous, { subresource }) {
    if (subresource === "status") return;
    const whole = [...volumeProblems(next)];
    yield* whole;
    if (next.metadata.annotations?.[mountOptions] !== undefined && !mountable.some(name => next.spec[name] !== undefined)) yield forbidden(`metadata.annotations.${mountOptions}`, "may not specify mount options for this volume type");
    // Quirk: an update is checked as a new volume, and once more as a change.
    if (previous !== undefined) yield* [...whole, ...volumeChanges(next.spec, previous.spec)];
  },
  *warnings({ metadata, spec }) {
    yield* oldAnnotationsIn(metadata.annotations, { ...oldClass, [mountOptions]: 'deprecated since v1.31; use "mountOptions" attribute instead' });
    if (spec.persistentVolumeReclaimPolicy === "Recycle") yield "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.";
    for (const [i, term] of (spec.nodeAffinity?.required?.nodeSelectorTerms ?? []).entries()) yield* oldLabelsIn(term.matchExpressions, `spec.nodeAffinity.required.nodeSelectorTerms[${i}]`);
    for (const [name, text] of Object.entries(oldVolumes)) if ((spec as { readonly [name: string]: unknown })[name] !== undefined) yield `spec.${name === "storageos" ? "storageOS" : name}: ${text}`;
  },
  columns: [
    nameColumn,
    { name: "Capacity", type: "string", doc: "Size of the volume.", cell: ({ spec }) => spec.capacity?.["storage"] ?? "0" },
    { name: "Access Modes", type: "string", doc: "How it may be mounted.", cell: ({ spec }) => accessModesText(spec.accessModes) },
    { name: "Reclaim Policy", type: "string", doc: "What becomes of it after its claim.", cell: ({ spec }) => spec.persistentVolumeReclaimPolicy },
    { name: "Status", type: "string", doc: "Whether it is in use.", cell: ({ metadata, status }) => (metadata.deletionTimestamp === undefined ? status.phase : "Terminating") },
    { name: "Claim", type: "string", doc: "The claim that holds it.", cell: ({ spec }) => (spec.claimRef === undefined ? "" : `${spec.claimRef.namespace ?? ""}/${spec.claimRef.name ?? ""}`) },
    { name: "StorageClass", type: "string", doc: "Class it belongs to.", cell: ({ metadata, spec }) => metadata.annotations?.["volume.beta.kubernetes.io/storage-class"] ?? spec.storageClassName ?? "" },
    { name: "VolumeAttributesClass", type: "string", doc: "Class of its attributes.", cell: ({ spec }) => spec.volumeAttributesClassName ?? "<unset>" },
    { name: "Reason", type: "string", doc: "Why it is in its status.", cell: ({ status }) => status.reason ?? "" },
    ageColumn,
    { name: "VolumeMode", type: "string", priority: 1, doc: "Filesystem or block device.", cell: ({ spec }) => spec.volumeMode },
  ],
});
export interface PersistentVolume extends Resource<typeof PersistentVolume> {}

const volumeSources = [
  "hostPath", "gcePersistentDisk", "awsElasticBlockStore", "glusterfs", "flocker", "nfs", "rbd", "quobyte", "cephfs", "iscsi", "cinder", "fc", "flexVolume", "azureFile", "vsphereVolume", "photonPersistentDisk", "portworxVolume", "azureDisk", "scaleIO", "local", "storageos", "csi",
] as const;

type VolumeLike = { readonly spec: PersistentVolumeSpec };
function* volumeProblems({ spec }: VolumeLike): Iterable<Problem> {
  if ((spec.accessModes ?? []).length === 0) yield required("spec.accessModes");
  yield* validateAccessModes(spec.accessModes ?? [], "spec.accessModes");
  const capacity = Object.entries(spec.capacity ?? {});
  if (capacity.length === 0) yield required("spec.capacity");
  if (capacity.length !== 1 || capacity[0]![0] !== "storage") yield notSupported("spec.capacity", spec.capacity ?? null, ["storage"]);
  for (const [name, amount] of capacity) if (quantitySign(amount) < 0) yield invalidValue(`spec.capacity[${name}]`, Math.floor(quantityMilli(amount) / 1000), "must be a valid resource quantity");
  for (const [name, amount] of capacity) if (quantitySign(amount) <= 0) yield invalidValue(`spec.capacity[${name}]`, amount, "must be greater than zero");
  if (spec.nodeAffinity !== undefined) {
    if (spec.nodeAffinity.required === undefined) yield required("spec.nodeAffinity.required", "must specify required node constraints");
    else yield* validateNodeSelector(spec.nodeAffinity.required, "spec.nodeAffinity.required");
  }
  const source = yield* validateSource(spec, volumeSources, "spec", true);
  if (source === "local" && spec.nodeAffinity?.required === undefined) yield required("spec.nodeAffinity", "Local volume requires node affinity");
  const folder = spec.hostPath?.path;
  if (folder !== undefined && folder.split("/").every(part => part === "" || part === ".") && folder.startsWith("/") && spec.persistentVolumeReclaimPolicy === "Recycle") yield forbidden("spec.persistentVolumeReclaimPolicy", "may not be 'recycle' for a hostPath mount of '/'");
  if (spec.storageClassName) for (const detail of dnsSubdomain(spec.storageClassName)) yield invalidValue("spec.storageClassName", spec.storageClassName, detail);
  const attributes = spec.volumeAttributesClassName;
  if (attributes !== undefined) {
    if (attributes === "") yield required("spec.volumeAttributesClassName", "an empty string is disallowed");
    else for (const detail of dnsSubdomain(attributes)) yield invalidValue("spec.volumeAttributesClassName", attributes, detail);
    if (spec.csi === undefined) yield required("spec.csi", "has to be specified when using volumeAttributesClassName");
  }
}
function* volumeChanges(spec: PersistentVolumeSpec, previous: PersistentVolumeSpec): Iterable<Problem> {
  // A secret for expansion may be added.
  const { controllerExpandSecretRef: _, ...csi } = spec.csi ?? {};
  const shown = spec.csi !== undefined && previous.csi !== undefined && previous.csi.controllerExpandSecretRef === undefined ? { ...spec, csi: csi as NonNullable<typeof spec.csi> } : spec;
  const differs = (name: (typeof volumeSources)[number]): boolean => !sameJson(shown[name], previous[name]);
  if (volumeSources.some(differs)) yield forbidden("spec.persistentvolumesource", `spec.persistentvolumesource is immutable after creation\n${goDiff(PersistentVolumeSpec.node, previous, shown)}`);
  if (spec.volumeMode !== previous.volumeMode) yield invalidValue("volumeMode", spec.volumeMode, "field is immutable");
  if (previous.nodeAffinity !== undefined && !sameJson(spec.nodeAffinity, previous.nodeAffinity)) yield invalidValue("nodeAffinity", spec.nodeAffinity ?? null, "field is immutable, except for updating from beta label to GA");
}
