import { ObjectReference, SecretReference } from "./references.ts";
import * as t from "../../schema/t.ts";

export const AzureFilePersistentVolumeSource = t.object("io.k8s.api.core.v1.AzureFilePersistentVolumeSource", {
  readOnly: t.bool().pb(3),
  secretName: t.string().pb(1).required().always("zero"),
  secretNamespace: t.string().pb(4).pointer(),
  shareName: t.string().pb(2).required().always("zero"),
});
export interface AzureFilePersistentVolumeSource extends t.Stored<typeof AzureFilePersistentVolumeSource> {}

export const CephFSPersistentVolumeSource = t.object("io.k8s.api.core.v1.CephFSPersistentVolumeSource", {
  monitors: t.list(t.string()).pb(1).required().always("[]"),
  path: t.string().pb(2),
  readOnly: t.bool().pb(6),
  secretFile: t.string().pb(4),
  secretRef: SecretReference.pb(5),
  user: t.string().pb(3),
});
export interface CephFSPersistentVolumeSource extends t.Stored<typeof CephFSPersistentVolumeSource> {}

export const CinderPersistentVolumeSource = t.object("io.k8s.api.core.v1.CinderPersistentVolumeSource", {
  fsType: t.string().pb(2),
  readOnly: t.bool().pb(3),
  secretRef: SecretReference.pb(4),
  volumeID: t.string().pb(1).required().always("zero"),
});
export interface CinderPersistentVolumeSource extends t.Stored<typeof CinderPersistentVolumeSource> {}

export const CSIPersistentVolumeSource = t.object("io.k8s.api.core.v1.CSIPersistentVolumeSource", {
  controllerExpandSecretRef: SecretReference.pb(9),
  controllerPublishSecretRef: SecretReference.pb(6),
  driver: t.string().pb(1).required().always("zero"),
  fsType: t.string().pb(4),
  nodeExpandSecretRef: SecretReference.pb(10),
  nodePublishSecretRef: SecretReference.pb(8),
  nodeStageSecretRef: SecretReference.pb(7),
  readOnly: t.bool().pb(3),
  volumeAttributes: t.map(t.string()).pb(5),
  volumeHandle: t.string().pb(2).required().always("zero"),
});
export interface CSIPersistentVolumeSource extends t.Stored<typeof CSIPersistentVolumeSource> {}

export const FlexPersistentVolumeSource = t.object("io.k8s.api.core.v1.FlexPersistentVolumeSource", {
  driver: t.string().pb(1).required().always("zero"),
  fsType: t.string().pb(2),
  options: t.map(t.string()).pb(5),
  readOnly: t.bool().pb(4),
  secretRef: SecretReference.pb(3),
});
export interface FlexPersistentVolumeSource extends t.Stored<typeof FlexPersistentVolumeSource> {}

export const GlusterfsPersistentVolumeSource = t.object("io.k8s.api.core.v1.GlusterfsPersistentVolumeSource", {
  endpoints: t.string().pb(1).required().always("zero"),
  endpointsNamespace: t.string().pb(4).pointer(),
  path: t.string().pb(2).required().always("zero"),
  readOnly: t.bool().pb(3),
});
export interface GlusterfsPersistentVolumeSource extends t.Stored<typeof GlusterfsPersistentVolumeSource> {}

export const ISCSIPersistentVolumeSource = t.object("io.k8s.api.core.v1.ISCSIPersistentVolumeSource", {
  chapAuthDiscovery: t.bool().pb(8),
  chapAuthSession: t.bool().pb(11),
  fsType: t.string().pb(5),
  initiatorName: t.string().pb(12).pointer(),
  iqn: t.string().pb(2).required().always("zero"),
  iscsiInterface: t.string().pb(4).default("default", "published"),
  lun: t.int32().pb(3).required().always("zero"),
  portals: t.list(t.string()).pb(7),
  readOnly: t.bool().pb(6),
  secretRef: SecretReference.pb(10),
  targetPortal: t.string().pb(1).required().always("zero"),
});
export interface ISCSIPersistentVolumeSource extends t.Stored<typeof ISCSIPersistentVolumeSource> {}

export const LocalVolumeSource = t.object("io.k8s.api.core.v1.LocalVolumeSource", {
  fsType: t.string().pb(2).pointer(),
  path: t.string().pb(1).required().always("zero"),
});
export interface LocalVolumeSource extends t.Stored<typeof LocalVolumeSource> {}

export const RBDPersistentVolumeSource = t.object("io.k8s.api.core.v1.RBDPersistentVolumeSource", {
  fsType: t.string().pb(3),
  image: t.string().pb(2).required().always("zero"),
  keyring: t.string().pb(6).default("/etc/ceph/keyring", "published"),
  monitors: t.list(t.string()).pb(1).required().always("[]"),
  pool: t.string().pb(4).default("rbd", "published"),
  readOnly: t.bool().pb(8),
  secretRef: SecretReference.pb(7),
  user: t.string().pb(5).default("admin", "published"),
});
export interface RBDPersistentVolumeSource extends t.Stored<typeof RBDPersistentVolumeSource> {}

export const ScaleIOPersistentVolumeSource = t.object("io.k8s.api.core.v1.ScaleIOPersistentVolumeSource", {
  fsType: t.string().pb(9).default("xfs", "published"),
  gateway: t.string().pb(1).required().always("zero"),
  protectionDomain: t.string().pb(5),
  readOnly: t.bool().pb(10),
  secretRef: SecretReference.pb(3).required().always("null"),
  sslEnabled: t.bool().pb(4),
  storageMode: t.string().pb(7).default("ThinProvisioned", "published"),
  storagePool: t.string().pb(6),
  system: t.string().pb(2).required().always("zero"),
  volumeName: t.string().pb(8),
});
export interface ScaleIOPersistentVolumeSource extends t.Stored<typeof ScaleIOPersistentVolumeSource> {}

export const StorageOSPersistentVolumeSource = t.object("io.k8s.api.core.v1.StorageOSPersistentVolumeSource", {
  fsType: t.string().pb(3),
  readOnly: t.bool().pb(4),
  secretRef: ObjectReference.pb(5),
  volumeName: t.string().pb(1),
  volumeNamespace: t.string().pb(2),
});
export interface StorageOSPersistentVolumeSource extends t.Stored<typeof StorageOSPersistentVolumeSource> {}
