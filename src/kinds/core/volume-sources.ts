import { LocalObjectReference } from "./references.ts";
import * as t from "../../schema/t.ts";

export const AWSElasticBlockStoreVolumeSource = t.object("io.k8s.api.core.v1.AWSElasticBlockStoreVolumeSource", {
  fsType: t.string().pb(2),
  partition: t.int32().pb(3),
  readOnly: t.bool().pb(4),
  volumeID: t.string().pb(1).required().always("zero"),
});
export interface AWSElasticBlockStoreVolumeSource extends t.Stored<typeof AWSElasticBlockStoreVolumeSource> {}

export const AzureDiskVolumeSource = t.object("io.k8s.api.core.v1.AzureDiskVolumeSource", {
  cachingMode: t.oneOf("None", "ReadOnly", "ReadWrite").pb(3).pointer().default("ReadWrite", "published"),
  diskName: t.string().pb(1).required().always("zero"),
  diskURI: t.string().pb(2).required().always("zero"),
  fsType: t.string().pb(4).pointer().default("ext4", "published"),
  kind: t.oneOf("Dedicated", "Managed", "Shared").pb(6).pointer().default("Shared", "published"),
  readOnly: t.bool().pb(5).pointer().default(false, "published"),
});
export interface AzureDiskVolumeSource extends t.Stored<typeof AzureDiskVolumeSource> {}

export const AzureFileVolumeSource = t.object("io.k8s.api.core.v1.AzureFileVolumeSource", {
  readOnly: t.bool().pb(3),
  secretName: t.string().pb(1).required().always("zero"),
  shareName: t.string().pb(2).required().always("zero"),
});
export interface AzureFileVolumeSource extends t.Stored<typeof AzureFileVolumeSource> {}

export const CephFSVolumeSource = t.object("io.k8s.api.core.v1.CephFSVolumeSource", {
  monitors: t.list(t.string()).pb(1).required().always("[]"),
  path: t.string().pb(2),
  readOnly: t.bool().pb(6),
  secretFile: t.string().pb(4),
  secretRef: LocalObjectReference.pb(5),
  user: t.string().pb(3),
});
export interface CephFSVolumeSource extends t.Stored<typeof CephFSVolumeSource> {}

export const CinderVolumeSource = t.object("io.k8s.api.core.v1.CinderVolumeSource", {
  fsType: t.string().pb(2),
  readOnly: t.bool().pb(3),
  secretRef: LocalObjectReference.pb(4),
  volumeID: t.string().pb(1).required().always("zero"),
});
export interface CinderVolumeSource extends t.Stored<typeof CinderVolumeSource> {}

export const CSIVolumeSource = t.object("io.k8s.api.core.v1.CSIVolumeSource", {
  driver: t.string().pb(1).required().always("zero"),
  fsType: t.string().pb(3).pointer(),
  nodePublishSecretRef: LocalObjectReference.pb(5),
  readOnly: t.bool().pb(2).pointer(),
  volumeAttributes: t.map(t.string()).pb(4),
});
export interface CSIVolumeSource extends t.Stored<typeof CSIVolumeSource> {}

export const EmptyDirVolumeSource = t.object("io.k8s.api.core.v1.EmptyDirVolumeSource", {
  medium: t.string().pb(1),
  sizeLimit: t.quantity().pb(2).pointer(),
});
export interface EmptyDirVolumeSource extends t.Stored<typeof EmptyDirVolumeSource> {}

export const FCVolumeSource = t.object("io.k8s.api.core.v1.FCVolumeSource", {
  fsType: t.string().pb(3),
  lun: t.int32().pb(2).pointer(),
  readOnly: t.bool().pb(4),
  targetWWNs: t.list(t.string()).pb(1),
  wwids: t.list(t.string()).pb(5),
});
export interface FCVolumeSource extends t.Stored<typeof FCVolumeSource> {}

export const FlexVolumeSource = t.object("io.k8s.api.core.v1.FlexVolumeSource", {
  driver: t.string().pb(1).required().always("zero"),
  fsType: t.string().pb(2),
  options: t.map(t.string()).pb(5),
  readOnly: t.bool().pb(4),
  secretRef: LocalObjectReference.pb(3),
});
export interface FlexVolumeSource extends t.Stored<typeof FlexVolumeSource> {}

export const FlockerVolumeSource = t.object("io.k8s.api.core.v1.FlockerVolumeSource", {
  datasetName: t.string().pb(1),
  datasetUUID: t.string().pb(2),
});
export interface FlockerVolumeSource extends t.Stored<typeof FlockerVolumeSource> {}

export const GCEPersistentDiskVolumeSource = t.object("io.k8s.api.core.v1.GCEPersistentDiskVolumeSource", {
  fsType: t.string().pb(2),
  partition: t.int32().pb(3),
  pdName: t.string().pb(1).required().always("zero"),
  readOnly: t.bool().pb(4),
});
export interface GCEPersistentDiskVolumeSource extends t.Stored<typeof GCEPersistentDiskVolumeSource> {}

export const GitRepoVolumeSource = t.object("io.k8s.api.core.v1.GitRepoVolumeSource", {
  directory: t.string().pb(3),
  repository: t.string().pb(1).required().always("zero"),
  revision: t.string().pb(2),
});
export interface GitRepoVolumeSource extends t.Stored<typeof GitRepoVolumeSource> {}

export const GlusterfsVolumeSource = t.object("io.k8s.api.core.v1.GlusterfsVolumeSource", {
  endpoints: t.string().pb(1).required().always("zero"),
  path: t.string().pb(2).required().always("zero"),
  readOnly: t.bool().pb(3),
});
export interface GlusterfsVolumeSource extends t.Stored<typeof GlusterfsVolumeSource> {}

export const HostPathVolumeSource = t.object("io.k8s.api.core.v1.HostPathVolumeSource", {
  path: t.string().pb(1).required().always("zero"),
  type: t.oneOf("", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket").pb(2).pointer().default(""),
});
export interface HostPathVolumeSource extends t.Stored<typeof HostPathVolumeSource> {}

export const ImageVolumeSource = t.object("io.k8s.api.core.v1.ImageVolumeSource", {
  pullPolicy: t.oneOf("Always", "IfNotPresent", "Never").pb(2),
  reference: t.string().pb(1),
});
export interface ImageVolumeSource extends t.Stored<typeof ImageVolumeSource> {}

export const ISCSIVolumeSource = t.object("io.k8s.api.core.v1.ISCSIVolumeSource", {
  chapAuthDiscovery: t.bool().pb(8),
  chapAuthSession: t.bool().pb(11),
  fsType: t.string().pb(5),
  initiatorName: t.string().pb(12).pointer(),
  iqn: t.string().pb(2).required().always("zero"),
  iscsiInterface: t.string().pb(4).default("default", "published"),
  lun: t.int32().pb(3).required().always("zero"),
  portals: t.list(t.string()).pb(7),
  readOnly: t.bool().pb(6),
  secretRef: LocalObjectReference.pb(10),
  targetPortal: t.string().pb(1).required().always("zero"),
});
export interface ISCSIVolumeSource extends t.Stored<typeof ISCSIVolumeSource> {}

export const NFSVolumeSource = t.object("io.k8s.api.core.v1.NFSVolumeSource", {
  path: t.string().pb(2).required().always("zero"),
  readOnly: t.bool().pb(3),
  server: t.string().pb(1).required().always("zero"),
});
export interface NFSVolumeSource extends t.Stored<typeof NFSVolumeSource> {}

export const PersistentVolumeClaimVolumeSource = t.object("io.k8s.api.core.v1.PersistentVolumeClaimVolumeSource", {
  claimName: t.string().pb(1).required().always("zero"),
  readOnly: t.bool().pb(2),
});
export interface PersistentVolumeClaimVolumeSource extends t.Stored<typeof PersistentVolumeClaimVolumeSource> {}

export const PhotonPersistentDiskVolumeSource = t.object("io.k8s.api.core.v1.PhotonPersistentDiskVolumeSource", {
  fsType: t.string().pb(2),
  pdID: t.string().pb(1).required().always("zero"),
});
export interface PhotonPersistentDiskVolumeSource extends t.Stored<typeof PhotonPersistentDiskVolumeSource> {}

export const PortworxVolumeSource = t.object("io.k8s.api.core.v1.PortworxVolumeSource", {
  fsType: t.string().pb(2),
  readOnly: t.bool().pb(3),
  volumeID: t.string().pb(1).required().always("zero"),
});
export interface PortworxVolumeSource extends t.Stored<typeof PortworxVolumeSource> {}

export const QuobyteVolumeSource = t.object("io.k8s.api.core.v1.QuobyteVolumeSource", {
  group: t.string().pb(5),
  readOnly: t.bool().pb(3),
  registry: t.string().pb(1).required().always("zero"),
  tenant: t.string().pb(6),
  user: t.string().pb(4),
  volume: t.string().pb(2).required().always("zero"),
});
export interface QuobyteVolumeSource extends t.Stored<typeof QuobyteVolumeSource> {}

export const RBDVolumeSource = t.object("io.k8s.api.core.v1.RBDVolumeSource", {
  fsType: t.string().pb(3),
  image: t.string().pb(2).required().always("zero"),
  keyring: t.string().pb(6).default("/etc/ceph/keyring", "published"),
  monitors: t.list(t.string()).pb(1).required().always("[]"),
  pool: t.string().pb(4).default("rbd", "published"),
  readOnly: t.bool().pb(8),
  secretRef: LocalObjectReference.pb(7),
  user: t.string().pb(5).default("admin", "published"),
});
export interface RBDVolumeSource extends t.Stored<typeof RBDVolumeSource> {}

export const ScaleIOVolumeSource = t.object("io.k8s.api.core.v1.ScaleIOVolumeSource", {
  fsType: t.string().pb(9).default("xfs", "published"),
  gateway: t.string().pb(1).required().always("zero"),
  protectionDomain: t.string().pb(5),
  readOnly: t.bool().pb(10),
  secretRef: LocalObjectReference.pb(3).required().always("null"),
  sslEnabled: t.bool().pb(4),
  storageMode: t.string().pb(7).default("ThinProvisioned", "published"),
  storagePool: t.string().pb(6),
  system: t.string().pb(2).required().always("zero"),
  volumeName: t.string().pb(8),
});
export interface ScaleIOVolumeSource extends t.Stored<typeof ScaleIOVolumeSource> {}

export const StorageOSVolumeSource = t.object("io.k8s.api.core.v1.StorageOSVolumeSource", {
  fsType: t.string().pb(3),
  readOnly: t.bool().pb(4),
  secretRef: LocalObjectReference.pb(5),
  volumeName: t.string().pb(1),
  volumeNamespace: t.string().pb(2),
});
export interface StorageOSVolumeSource extends t.Stored<typeof StorageOSVolumeSource> {}

export const VsphereVirtualDiskVolumeSource = t.object("io.k8s.api.core.v1.VsphereVirtualDiskVolumeSource", {
  fsType: t.string().pb(2),
  storagePolicyID: t.string().pb(4),
  storagePolicyName: t.string().pb(3),
  volumePath: t.string().pb(1).required().always("zero"),
});
export interface VsphereVirtualDiskVolumeSource extends t.Stored<typeof VsphereVirtualDiskVolumeSource> {}
