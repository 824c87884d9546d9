import { PersistentVolumeClaimSpec } from "./claimspec.ts";
import { ObjectFieldSelector, ResourceFieldSelector } from "./references.ts";
import { AWSElasticBlockStoreVolumeSource, AzureDiskVolumeSource, AzureFileVolumeSource, CSIVolumeSource, CephFSVolumeSource, CinderVolumeSource, EmptyDirVolumeSource, FCVolumeSource, FlexVolumeSource, FlockerVolumeSource, GCEPersistentDiskVolumeSource, GitRepoVolumeSource, GlusterfsVolumeSource, HostPathVolumeSource, ISCSIVolumeSource, ImageVolumeSource, NFSVolumeSource, PersistentVolumeClaimVolumeSource, PhotonPersistentDiskVolumeSource, PortworxVolumeSource, QuobyteVolumeSource, RBDVolumeSource, ScaleIOVolumeSource, StorageOSVolumeSource, VsphereVirtualDiskVolumeSource } from "./volume-sources.ts";
import { LabelSelector } from "../meta/labelselector.ts";
import { ObjectMeta } from "../meta/objectmeta.ts";
import * as t from "../../schema/t.ts";

export const KeyToPath = t.object("io.k8s.api.core.v1.KeyToPath", {
  key: t.string().pb(1).required().always("zero"),
  mode: t.int32().pb(3).pointer(),
  path: t.string().pb(2).required().always("zero"),
});
export interface KeyToPath extends t.Stored<typeof KeyToPath> {}

export const ConfigMapVolumeSource = t.object("io.k8s.api.core.v1.ConfigMapVolumeSource", {
  defaultMode: t.int32().pb(3).pointer().default(420),
  items: t.list(KeyToPath).pb(2),
  name: t.string().pb(1).within(1),
  optional: t.bool().pb(4).pointer(),
});
export interface ConfigMapVolumeSource extends t.Stored<typeof ConfigMapVolumeSource> {}

export const DownwardAPIVolumeFile = t.object("io.k8s.api.core.v1.DownwardAPIVolumeFile", {
  fieldRef: ObjectFieldSelector.pb(2),
  mode: t.int32().pb(4).pointer(),
  path: t.string().pb(1).required().always("zero"),
  resourceFieldRef: ResourceFieldSelector.pb(3),
});
export interface DownwardAPIVolumeFile extends t.Stored<typeof DownwardAPIVolumeFile> {}

export const DownwardAPIVolumeSource = t.object("io.k8s.api.core.v1.DownwardAPIVolumeSource", {
  defaultMode: t.int32().pb(2).pointer().default(420),
  items: t.list(DownwardAPIVolumeFile).pb(1),
});
export interface DownwardAPIVolumeSource extends t.Stored<typeof DownwardAPIVolumeSource> {}

export const PersistentVolumeClaimTemplate = t.object("io.k8s.api.core.v1.PersistentVolumeClaimTemplate", {
  metadata: ObjectMeta.pb(1).always("{}"),
  spec: PersistentVolumeClaimSpec.pb(2).required().always("{}"),
});
export interface PersistentVolumeClaimTemplate extends t.Stored<typeof PersistentVolumeClaimTemplate> {}

export const EphemeralVolumeSource = t.object("io.k8s.api.core.v1.EphemeralVolumeSource", {
  volumeClaimTemplate: PersistentVolumeClaimTemplate.pb(1),
});
export interface EphemeralVolumeSource extends t.Stored<typeof EphemeralVolumeSource> {}

export const ClusterTrustBundleProjection = t.object("io.k8s.api.core.v1.ClusterTrustBundleProjection", {
  labelSelector: LabelSelector.pb(3),
  name: t.string().pb(1).pointer(),
  optional: t.bool().pb(5).pointer(),
  path: t.string().pb(4).required().always("zero"),
  signerName: t.string().pb(2).pointer(),
});
export interface ClusterTrustBundleProjection extends t.Stored<typeof ClusterTrustBundleProjection> {}

export const ConfigMapProjection = t.object("io.k8s.api.core.v1.ConfigMapProjection", {
  items: t.list(KeyToPath).pb(2),
  name: t.string().pb(1).within(1),
  optional: t.bool().pb(4).pointer(),
});
export interface ConfigMapProjection extends t.Stored<typeof ConfigMapProjection> {}

export const DownwardAPIProjection = t.object("io.k8s.api.core.v1.DownwardAPIProjection", {
  items: t.list(DownwardAPIVolumeFile).pb(1),
});
export interface DownwardAPIProjection extends t.Stored<typeof DownwardAPIProjection> {}

export const PodCertificateProjection = t.object("io.k8s.api.core.v1.PodCertificateProjection", {
  certificateChainPath: t.string().pb(6),
  credentialBundlePath: t.string().pb(4),
  keyPath: t.string().pb(5),
  keyType: t.string().pb(2).required(),
  maxExpirationSeconds: t.int32().pb(3).pointer(),
  signerName: t.string().pb(1).required(),
  userAnnotations: t.map(t.string()).pb(7),
});
export interface PodCertificateProjection extends t.Stored<typeof PodCertificateProjection> {}

export const SecretProjection = t.object("io.k8s.api.core.v1.SecretProjection", {
  items: t.list(KeyToPath).pb(2),
  name: t.string().pb(1).within(1),
  optional: t.bool().pb(4).pointer(),
});
export interface SecretProjection extends t.Stored<typeof SecretProjection> {}

export const ServiceAccountTokenProjection = t.object("io.k8s.api.core.v1.ServiceAccountTokenProjection", {
  audience: t.string().pb(1),
  expirationSeconds: t.int64().pb(2).pointer().default(3600),
  path: t.string().pb(3).required().always("zero"),
});
export interface ServiceAccountTokenProjection extends t.Stored<typeof ServiceAccountTokenProjection> {}

export const VolumeProjection = t.object("io.k8s.api.core.v1.VolumeProjection", {
  clusterTrustBundle: ClusterTrustBundleProjection.pb(5),
  configMap: ConfigMapProjection.pb(3),
  downwardAPI: DownwardAPIProjection.pb(2),
  podCertificate: PodCertificateProjection.pb(6),
  secret: SecretProjection.pb(1),
  serviceAccountToken: ServiceAccountTokenProjection.pb(4),
});
export interface VolumeProjection extends t.Stored<typeof VolumeProjection> {}

export const ProjectedVolumeSource = t.object("io.k8s.api.core.v1.ProjectedVolumeSource", {
  defaultMode: t.int32().pb(2).pointer().default(420),
  sources: t.list(VolumeProjection).pb(1).always("[]"),
});
export interface ProjectedVolumeSource extends t.Stored<typeof ProjectedVolumeSource> {}

export const SecretVolumeSource = t.object("io.k8s.api.core.v1.SecretVolumeSource", {
  defaultMode: t.int32().pb(3).pointer().default(420),
  items: t.list(KeyToPath).pb(2),
  optional: t.bool().pb(4).pointer(),
  secretName: t.string().pb(1),
});
export interface SecretVolumeSource extends t.Stored<typeof SecretVolumeSource> {}

export const Volume = t.object("io.k8s.api.core.v1.Volume", {
  awsElasticBlockStore: AWSElasticBlockStoreVolumeSource.pb(4).within(2),
  azureDisk: AzureDiskVolumeSource.pb(22).within(2),
  azureFile: AzureFileVolumeSource.pb(18).within(2),
  cephfs: CephFSVolumeSource.pb(14).within(2),
  cinder: CinderVolumeSource.pb(13).within(2),
  configMap: ConfigMapVolumeSource.pb(19).within(2),
  csi: CSIVolumeSource.pb(28).within(2),
  downwardAPI: DownwardAPIVolumeSource.pb(16).within(2),
  emptyDir: EmptyDirVolumeSource.pb(2).within(2),
  ephemeral: EphemeralVolumeSource.pb(29).within(2),
  fc: FCVolumeSource.pb(17).within(2),
  flexVolume: FlexVolumeSource.pb(12).within(2),
  flocker: FlockerVolumeSource.pb(15).within(2),
  gcePersistentDisk: GCEPersistentDiskVolumeSource.pb(3).within(2),
  gitRepo: GitRepoVolumeSource.pb(5).within(2),
  glusterfs: GlusterfsVolumeSource.pb(9).within(2),
  hostPath: HostPathVolumeSource.pb(1).within(2),
  image: ImageVolumeSource.pb(30).within(2),
  iscsi: ISCSIVolumeSource.pb(8).within(2),
  name: t.string().pb(1).required().always("zero"),
  nfs: NFSVolumeSource.pb(7).within(2),
  persistentVolumeClaim: PersistentVolumeClaimVolumeSource.pb(10).within(2),
  photonPersistentDisk: PhotonPersistentDiskVolumeSource.pb(23).within(2),
  portworxVolume: PortworxVolumeSource.pb(24).within(2),
  projected: ProjectedVolumeSource.pb(26).within(2),
  quobyte: QuobyteVolumeSource.pb(21).within(2),
  rbd: RBDVolumeSource.pb(11).within(2),
  scaleIO: ScaleIOVolumeSource.pb(25).within(2),
  secret: SecretVolumeSource.pb(6).within(2),
  storageos: StorageOSVolumeSource.pb(27).within(2),
  vsphereVolume: VsphereVirtualDiskVolumeSource.pb(20).within(2),
});
export interface Volume extends t.Stored<typeof Volume> {}
