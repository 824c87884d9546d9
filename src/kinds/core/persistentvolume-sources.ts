import { ObjectReference, SecretReference } from "./references.ts";
import * as t from "../../schema/t.ts";

export const AzureFilePersistentVolumeSource = t.object("io.k8s.api.core.v1.AzureFilePersistentVolumeSource", {
  readOnly: t.bool().pb(3).doc("Whether writing is refused."),
  secretName: t.string().pb(1).required().always("zero").doc("Secret with the account's name and key."),
  secretNamespace: t.string().pb(4).pointer().always("null").doc("Its namespace; the claim's if empty."),
  shareName: t.string().pb(2).required().always("zero").doc("Name of the share."),
});
export interface AzureFilePersistentVolumeSource extends t.Stored<typeof AzureFilePersistentVolumeSource> {}

export const CephFSPersistentVolumeSource = t.object("io.k8s.api.core.v1.CephFSPersistentVolumeSource", {
  monitors: t.list(t.string()).pb(1).required().always("[]").doc("Addresses of the monitors."),
  path: t.string().pb(2).doc("Directory to mount."),
  readOnly: t.bool().pb(6).doc("Whether writing is refused."),
  secretFile: t.string().pb(4).doc("File with the user's key."),
  secretRef: SecretReference.pb(5).doc("Secret with the user's key."),
  user: t.string().pb(3).doc("User of Ceph."),
});
export interface CephFSPersistentVolumeSource extends t.Stored<typeof CephFSPersistentVolumeSource> {}

export const CinderPersistentVolumeSource = t.object("io.k8s.api.core.v1.CinderPersistentVolumeSource", {
  fsType: t.string().pb(2).doc("File system of the volume, such as ext4 or xfs."),
  readOnly: t.bool().pb(3).doc("Whether writing is refused."),
  secretRef: SecretReference.pb(4).doc("Secret with how OpenStack is reached."),
  volumeID: t.string().pb(1).required().always("zero").doc("The disk's identity."),
});
export interface CinderPersistentVolumeSource extends t.Stored<typeof CinderPersistentVolumeSource> {}

export const CSIPersistentVolumeSource = t.object("io.k8s.api.core.v1.CSIPersistentVolumeSource", {
  controllerExpandSecretRef: SecretReference.pb(9).doc("Secret handed to the driver when it makes the volume bigger."),
  controllerPublishSecretRef: SecretReference.pb(6).doc("Secret handed to the driver when it attaches and detaches."),
  driver: t.string().pb(1).required().always("zero").doc("Name of the driver."),
  fsType: t.string().pb(4).doc("File system of the volume, such as ext4 or xfs."),
  nodeExpandSecretRef: SecretReference.pb(10).doc("Secret handed to the driver when the node makes the file system bigger."),
  nodePublishSecretRef: SecretReference.pb(8).doc("Secret handed to the driver when it mounts for a pod."),
  nodeStageSecretRef: SecretReference.pb(7).doc("Secret handed to the driver when it mounts for the node."),
  readOnly: t.bool().pb(3).doc("Whether writing is refused."),
  volumeAttributes: t.map(t.string()).pb(5).doc("What else the driver is told."),
  volumeHandle: t.string().pb(2).required().always("zero").doc("What the driver calls the volume."),
});
export interface CSIPersistentVolumeSource extends t.Stored<typeof CSIPersistentVolumeSource> {}

export const FlexPersistentVolumeSource = t.object("io.k8s.api.core.v1.FlexPersistentVolumeSource", {
  driver: t.string().pb(1).required().always("zero").doc("Name of the program."),
  fsType: t.string().pb(2).doc("File system of the volume, such as ext4 or xfs."),
  options: t.map(t.string()).pb(5).doc("What else it is told."),
  readOnly: t.bool().pb(4).doc("Whether writing is refused."),
  secretRef: SecretReference.pb(3).doc("Secret handed to it."),
});
export interface FlexPersistentVolumeSource extends t.Stored<typeof FlexPersistentVolumeSource> {}

export const GlusterfsPersistentVolumeSource = t.object("io.k8s.api.core.v1.GlusterfsPersistentVolumeSource", {
  endpoints: t.string().pb(1).required().always("zero").doc("Endpoints object with the servers' addresses."),
  endpointsNamespace: t.string().pb(4).pointer().doc("Its namespace; the claim's if empty."),
  path: t.string().pb(2).required().always("zero").doc("Name of the volume."),
  readOnly: t.bool().pb(3).doc("Whether writing is refused."),
});
export interface GlusterfsPersistentVolumeSource extends t.Stored<typeof GlusterfsPersistentVolumeSource> {}

export const ISCSIPersistentVolumeSource = t.object("io.k8s.api.core.v1.ISCSIPersistentVolumeSource", {
  chapAuthDiscovery: t.bool().pb(8).doc("Whether discovery authenticates by CHAP."),
  chapAuthSession: t.bool().pb(11).doc("Whether the session authenticates by CHAP."),
  fsType: t.string().pb(5).doc("File system of the volume, such as ext4 or xfs."),
  initiatorName: t.string().pb(12).pointer().doc("Name of the initiator, instead of the node's."),
  iqn: t.string().pb(2).required().always("zero").doc("Name of the target."),
  iscsiInterface: t.string().pb(4).default("default", "published").doc("Name of the interface; default is tcp."),
  lun: t.int32().pb(3).required().always("zero").doc("Number of the logical unit."),
  portals: t.list(t.string()).pb(7).doc("Further addresses of the target."),
  readOnly: t.bool().pb(6).doc("Whether writing is refused."),
  secretRef: SecretReference.pb(10).doc("Secret with the CHAP credentials."),
  targetPortal: t.string().pb(1).required().always("zero").doc("Address of the target."),
});
export interface ISCSIPersistentVolumeSource extends t.Stored<typeof ISCSIPersistentVolumeSource> {}

export const LocalVolumeSource = t.object("io.k8s.api.core.v1.LocalVolumeSource", {
  fsType: t.string().pb(2).pointer().doc("File system of the volume, such as ext4 or xfs."),
  path: t.string().pb(1).required().always("zero").doc("Path of the disk or directory on the node."),
});
export interface LocalVolumeSource extends t.Stored<typeof LocalVolumeSource> {}

export const RBDPersistentVolumeSource = t.object("io.k8s.api.core.v1.RBDPersistentVolumeSource", {
  fsType: t.string().pb(3).doc("File system of the volume, such as ext4 or xfs."),
  image: t.string().pb(2).required().always("zero").doc("Name of the image."),
  keyring: t.string().pb(6).default("/etc/ceph/keyring", "published").doc("File with the user's key."),
  monitors: t.list(t.string()).pb(1).required().always("[]").doc("Addresses of the monitors."),
  pool: t.string().pb(4).default("rbd", "published").doc("Pool that the image is in."),
  readOnly: t.bool().pb(8).doc("Whether writing is refused."),
  secretRef: SecretReference.pb(7).doc("Secret with the user's key."),
  user: t.string().pb(5).default("admin", "published").doc("User of Ceph."),
});
export interface RBDPersistentVolumeSource extends t.Stored<typeof RBDPersistentVolumeSource> {}

export const ScaleIOPersistentVolumeSource = t.object("io.k8s.api.core.v1.ScaleIOPersistentVolumeSource", {
  fsType: t.string().pb(9).default("xfs", "published").doc("File system of the volume, such as ext4 or xfs."),
  gateway: t.string().pb(1).required().always("zero").doc("Address of the gateway."),
  protectionDomain: t.string().pb(5).doc("Name of the protection domain."),
  readOnly: t.bool().pb(10).doc("Whether writing is refused."),
  secretRef: SecretReference.pb(3).required().always("null").unchecked().doc("Secret with the credentials."),
  sslEnabled: t.bool().pb(4).doc("Whether the gateway is spoken to over TLS."),
  storageMode: t.string().pb(7).default("ThinProvisioned", "published").doc("ThickProvisioned or ThinProvisioned."),
  storagePool: t.string().pb(6).doc("Pool that the volume is in."),
  system: t.string().pb(2).required().always("zero").doc("Name of the storage system."),
  volumeName: t.string().pb(8).doc("Name of the volume."),
});
export interface ScaleIOPersistentVolumeSource extends t.Stored<typeof ScaleIOPersistentVolumeSource> {}

export const StorageOSPersistentVolumeSource = t.object("io.k8s.api.core.v1.StorageOSPersistentVolumeSource", {
  fsType: t.string().pb(3).doc("File system of the volume, such as ext4 or xfs."),
  readOnly: t.bool().pb(4).doc("Whether writing is refused."),
  secretRef: ObjectReference.pb(5).doc("Secret with the credentials."),
  volumeName: t.string().pb(1).doc("Name of the volume."),
  volumeNamespace: t.string().pb(2).doc("Its namespace within StorageOS."),
});
export interface StorageOSPersistentVolumeSource extends t.Stored<typeof StorageOSPersistentVolumeSource> {}
