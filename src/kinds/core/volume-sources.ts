import { LocalObjectReference } from "./references.ts";
import * as t from "../../schema/t.ts";

export const AWSElasticBlockStoreVolumeSource = t.object("io.k8s.api.core.v1.AWSElasticBlockStoreVolumeSource", {
  fsType: t.string().pb(2).doc("File system of the volume, such as ext4 or xfs."),
  partition: t.int32().pb(3).doc("Number of the partition to mount; 0 is the whole disk."),
  readOnly: t.bool().pb(4).doc("Whether writing is refused."),
  volumeID: t.string().pb(1).required().always("zero").doc("The disk's identity."),
});
export interface AWSElasticBlockStoreVolumeSource extends t.Stored<typeof AWSElasticBlockStoreVolumeSource> {}

export const AzureDiskVolumeSource = t.object("io.k8s.api.core.v1.AzureDiskVolumeSource", {
  cachingMode: t.oneOf("None", "ReadOnly", "ReadWrite").pb(3).pointer().default("ReadWrite", "published").unchecked().doc("How the host caches: None, ReadOnly or ReadWrite."),
  diskName: t.string().pb(1).required().always("zero").doc("Name of the disk."),
  diskURI: t.string().pb(2).required().always("zero").doc("Address of the disk."),
  fsType: t.string().pb(4).pointer().default("ext4", "published").doc("File system of the volume, such as ext4 or xfs."),
  kind: t.oneOf("Dedicated", "Managed", "Shared").pb(6).pointer().default("Shared", "published").unchecked().doc("Shared, Dedicated or Managed."),
  readOnly: t.bool().pb(5).pointer().default(false, "published").doc("Whether writing is refused."),
});
export interface AzureDiskVolumeSource extends t.Stored<typeof AzureDiskVolumeSource> {}

export const AzureFileVolumeSource = t.object("io.k8s.api.core.v1.AzureFileVolumeSource", {
  readOnly: t.bool().pb(3).doc("Whether writing is refused."),
  secretName: t.string().pb(1).required().always("zero").doc("Secret with the account's name and key."),
  shareName: t.string().pb(2).required().always("zero").doc("Name of the share."),
});
export interface AzureFileVolumeSource extends t.Stored<typeof AzureFileVolumeSource> {}

export const CephFSVolumeSource = t.object("io.k8s.api.core.v1.CephFSVolumeSource", {
  monitors: t.list(t.string()).pb(1).required().always("[]").doc("Addresses of the monitors."),
  path: t.string().pb(2).doc("Directory to mount."),
  readOnly: t.bool().pb(6).doc("Whether writing is refused."),
  secretFile: t.string().pb(4).doc("File with the user's key."),
  secretRef: LocalObjectReference.pb(5).doc("Secret with the user's key."),
  user: t.string().pb(3).doc("User of Ceph."),
});
export interface CephFSVolumeSource extends t.Stored<typeof CephFSVolumeSource> {}

export const CinderVolumeSource = t.object("io.k8s.api.core.v1.CinderVolumeSource", {
  fsType: t.string().pb(2).doc("File system of the volume, such as ext4 or xfs."),
  readOnly: t.bool().pb(3).doc("Whether writing is refused."),
  secretRef: LocalObjectReference.pb(4).doc("Secret with how OpenStack is reached."),
  volumeID: t.string().pb(1).required().always("zero").doc("The disk's identity."),
});
export interface CinderVolumeSource extends t.Stored<typeof CinderVolumeSource> {}

export const CSIVolumeSource = t.object("io.k8s.api.core.v1.CSIVolumeSource", {
  driver: t.string().pb(1).required().always("zero").doc("Name of the driver."),
  fsType: t.string().pb(3).pointer().doc("File system of the volume, such as ext4 or xfs."),
  nodePublishSecretRef: LocalObjectReference.pb(5).doc("Secret handed to the driver when it mounts."),
  readOnly: t.bool().pb(2).pointer().doc("Whether writing is refused."),
  volumeAttributes: t.map(t.string()).pb(4).doc("What else the driver is told."),
});
export interface CSIVolumeSource extends t.Stored<typeof CSIVolumeSource> {}

export const EmptyDirVolumeSource = t.object("io.k8s.api.core.v1.EmptyDirVolumeSource", {
  medium: t.string().pb(1).doc("Memory for a file system in memory; the node's disk if empty."),
  sizeLimit: t.quantity().pb(2).pointer().doc("How much may be in it."),
});
export interface EmptyDirVolumeSource extends t.Stored<typeof EmptyDirVolumeSource> {}

export const FCVolumeSource = t.object("io.k8s.api.core.v1.FCVolumeSource", {
  fsType: t.string().pb(3).doc("File system of the volume, such as ext4 or xfs."),
  lun: t.int32().pb(2).pointer().doc("Number of the logical unit."),
  readOnly: t.bool().pb(4).doc("Whether writing is refused."),
  targetWWNs: t.list(t.string()).pb(1).doc("World-wide names of the targets."),
  wwids: t.list(t.string()).pb(5).doc("World-wide identifiers, instead of targets and unit."),
});
export interface FCVolumeSource extends t.Stored<typeof FCVolumeSource> {}

export const FlexVolumeSource = t.object("io.k8s.api.core.v1.FlexVolumeSource", {
  driver: t.string().pb(1).required().always("zero").doc("Name of the program."),
  fsType: t.string().pb(2).doc("File system of the volume, such as ext4 or xfs."),
  options: t.map(t.string()).pb(5).doc("What else it is told."),
  readOnly: t.bool().pb(4).doc("Whether writing is refused."),
  secretRef: LocalObjectReference.pb(3).doc("Secret handed to it."),
});
export interface FlexVolumeSource extends t.Stored<typeof FlexVolumeSource> {}

export const FlockerVolumeSource = t.object("io.k8s.api.core.v1.FlockerVolumeSource", {
  datasetName: t.string().pb(1).doc("Name of the dataset."),
  datasetUUID: t.string().pb(2).doc("The dataset's identity."),
});
export interface FlockerVolumeSource extends t.Stored<typeof FlockerVolumeSource> {}

export const GCEPersistentDiskVolumeSource = t.object("io.k8s.api.core.v1.GCEPersistentDiskVolumeSource", {
  fsType: t.string().pb(2).doc("File system of the volume, such as ext4 or xfs."),
  partition: t.int32().pb(3).doc("Number of the partition to mount; 0 is the whole disk."),
  pdName: t.string().pb(1).required().always("zero").doc("Name of the disk."),
  readOnly: t.bool().pb(4).doc("Whether writing is refused."),
});
export interface GCEPersistentDiskVolumeSource extends t.Stored<typeof GCEPersistentDiskVolumeSource> {}

export const GitRepoVolumeSource = t.object("io.k8s.api.core.v1.GitRepoVolumeSource", {
  directory: t.string().pb(3).doc("Directory to check out into."),
  repository: t.string().pb(1).required().always("zero").doc("Address of the repository."),
  revision: t.string().pb(2).doc("Commit to check out."),
});
export interface GitRepoVolumeSource extends t.Stored<typeof GitRepoVolumeSource> {}

export const GlusterfsVolumeSource = t.object("io.k8s.api.core.v1.GlusterfsVolumeSource", {
  endpoints: t.string().pb(1).required().always("zero").doc("Endpoints object with the servers' addresses."),
  path: t.string().pb(2).required().always("zero").doc("Name of the volume."),
  readOnly: t.bool().pb(3).doc("Whether writing is refused."),
});
export interface GlusterfsVolumeSource extends t.Stored<typeof GlusterfsVolumeSource> {}

export const HostPathVolumeSource = t.object("io.k8s.api.core.v1.HostPathVolumeSource", {
  path: t.string().pb(1).required().always("zero").doc("Path on the node."),
  type: t.oneOf("", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket").pb(2).pointer().default("").unchecked().doc("What has to be there, or is made: such as Directory, DirectoryOrCreate or File."),
});
export interface HostPathVolumeSource extends t.Stored<typeof HostPathVolumeSource> {}

export const ImageVolumeSource = t.object("io.k8s.api.core.v1.ImageVolumeSource", {
  pullPolicy: t.oneOf("Always", "IfNotPresent", "Never").pb(2).doc("When the image is pulled: Always, IfNotPresent or Never."),
  reference: t.string().pb(1).doc("The image."),
});
export interface ImageVolumeSource extends t.Stored<typeof ImageVolumeSource> {}

export const ISCSIVolumeSource = t.object("io.k8s.api.core.v1.ISCSIVolumeSource", {
  chapAuthDiscovery: t.bool().pb(8).doc("Whether discovery authenticates by CHAP."),
  chapAuthSession: t.bool().pb(11).doc("Whether the session authenticates by CHAP."),
  fsType: t.string().pb(5).doc("File system of the volume, such as ext4 or xfs."),
  initiatorName: t.string().pb(12).pointer().doc("Name of the initiator, instead of the node's."),
  iqn: t.string().pb(2).required().always("zero").doc("Name of the target."),
  iscsiInterface: t.string().pb(4).default("default", "published").doc("Name of the interface; default is tcp."),
  lun: t.int32().pb(3).required().always("zero").doc("Number of the logical unit."),
  portals: t.list(t.string()).pb(7).doc("Further addresses of the target."),
  readOnly: t.bool().pb(6).doc("Whether writing is refused."),
  secretRef: LocalObjectReference.pb(10).doc("Secret with the CHAP credentials."),
  targetPortal: t.string().pb(1).required().always("zero").doc("Address of the target."),
});
export interface ISCSIVolumeSource extends t.Stored<typeof ISCSIVolumeSource> {}

export const NFSVolumeSource = t.object("io.k8s.api.core.v1.NFSVolumeSource", {
  path: t.string().pb(2).required().always("zero").doc("Directory that the server exports."),
  readOnly: t.bool().pb(3).doc("Whether writing is refused."),
  server: t.string().pb(1).required().always("zero").doc("Address of the server."),
});
export interface NFSVolumeSource extends t.Stored<typeof NFSVolumeSource> {}

export const PersistentVolumeClaimVolumeSource = t.object("io.k8s.api.core.v1.PersistentVolumeClaimVolumeSource", {
  claimName: t.string().pb(1).required().always("zero").doc("The claim, in the pod's namespace."),
  readOnly: t.bool().pb(2).doc("Whether writing is refused."),
});
export interface PersistentVolumeClaimVolumeSource extends t.Stored<typeof PersistentVolumeClaimVolumeSource> {}

export const PhotonPersistentDiskVolumeSource = t.object("io.k8s.api.core.v1.PhotonPersistentDiskVolumeSource", {
  fsType: t.string().pb(2).doc("File system of the volume, such as ext4 or xfs."),
  pdID: t.string().pb(1).required().always("zero").doc("The disk's identity."),
});
export interface PhotonPersistentDiskVolumeSource extends t.Stored<typeof PhotonPersistentDiskVolumeSource> {}

export const PortworxVolumeSource = t.object("io.k8s.api.core.v1.PortworxVolumeSource", {
  fsType: t.string().pb(2).doc("File system of the volume, such as ext4 or xfs."),
  readOnly: t.bool().pb(3).doc("Whether writing is refused."),
  volumeID: t.string().pb(1).required().always("zero").doc("The volume's identity."),
});
export interface PortworxVolumeSource extends t.Stored<typeof PortworxVolumeSource> {}

export const QuobyteVolumeSource = t.object("io.k8s.api.core.v1.QuobyteVolumeSource", {
  group: t.string().pb(5).doc("Group that owns the volume."),
  readOnly: t.bool().pb(3).doc("Whether writing is refused."),
  registry: t.string().pb(1).required().always("zero").doc("Addresses of the registry."),
  tenant: t.string().pb(6).doc("Tenant that owns the volume."),
  user: t.string().pb(4).doc("User that owns the volume."),
  volume: t.string().pb(2).required().always("zero").doc("Name of the volume."),
});
export interface QuobyteVolumeSource extends t.Stored<typeof QuobyteVolumeSource> {}

export const RBDVolumeSource = t.object("io.k8s.api.core.v1.RBDVolumeSource", {
  fsType: t.string().pb(3).doc("File system of the volume, such as ext4 or xfs."),
  image: t.string().pb(2).required().always("zero").doc("Name of the image."),
  keyring: t.string().pb(6).default("/etc/ceph/keyring", "published").doc("File with the user's key."),
  monitors: t.list(t.string()).pb(1).required().always("[]").doc("Addresses of the monitors."),
  pool: t.string().pb(4).default("rbd", "published").doc("Pool that the image is in."),
  readOnly: t.bool().pb(8).doc("Whether writing is refused."),
  secretRef: LocalObjectReference.pb(7).doc("Secret with the user's key."),
  user: t.string().pb(5).default("admin", "published").doc("User of Ceph."),
});
export interface RBDVolumeSource extends t.Stored<typeof RBDVolumeSource> {}

export const ScaleIOVolumeSource = t.object("io.k8s.api.core.v1.ScaleIOVolumeSource", {
  fsType: t.string().pb(9).default("xfs", "published").doc("File system of the volume, such as ext4 or xfs."),
  gateway: t.string().pb(1).required().always("zero").doc("Address of the gateway."),
  protectionDomain: t.string().pb(5).doc("Name of the protection domain."),
  readOnly: t.bool().pb(10).doc("Whether writing is refused."),
  secretRef: LocalObjectReference.pb(3).required().always("null").unchecked().doc("Secret with the credentials."),
  sslEnabled: t.bool().pb(4).doc("Whether the gateway is spoken to over TLS."),
  storageMode: t.string().pb(7).default("ThinProvisioned", "published").doc("ThickProvisioned or ThinProvisioned."),
  storagePool: t.string().pb(6).doc("Pool that the volume is in."),
  system: t.string().pb(2).required().always("zero").doc("Name of the storage system."),
  volumeName: t.string().pb(8).doc("Name of the volume."),
});
export interface ScaleIOVolumeSource extends t.Stored<typeof ScaleIOVolumeSource> {}

export const StorageOSVolumeSource = t.object("io.k8s.api.core.v1.StorageOSVolumeSource", {
  fsType: t.string().pb(3).doc("File system of the volume, such as ext4 or xfs."),
  readOnly: t.bool().pb(4).doc("Whether writing is refused."),
  secretRef: LocalObjectReference.pb(5).doc("Secret with the credentials."),
  volumeName: t.string().pb(1).doc("Name of the volume."),
  volumeNamespace: t.string().pb(2).doc("Its namespace within StorageOS."),
});
export interface StorageOSVolumeSource extends t.Stored<typeof StorageOSVolumeSource> {}

export const VsphereVirtualDiskVolumeSource = t.object("io.k8s.api.core.v1.VsphereVirtualDiskVolumeSource", {
  fsType: t.string().pb(2).doc("File system of the volume, such as ext4 or xfs."),
  storagePolicyID: t.string().pb(4).doc("Identity of the storage policy."),
  storagePolicyName: t.string().pb(3).doc("Name of the storage policy."),
  volumePath: t.string().pb(1).required().always("zero").doc("Path of the disk."),
});
export interface VsphereVirtualDiskVolumeSource extends t.Stored<typeof VsphereVirtualDiskVolumeSource> {}
