import { PersistentVolumeClaimSpec } from "./claimspec.ts";
import { ObjectFieldSelector, ResourceFieldSelector } from "./references.ts";
import { AWSElasticBlockStoreVolumeSource, AzureDiskVolumeSource, AzureFileVolumeSource, CSIVolumeSource, CephFSVolumeSource, CinderVolumeSource, EmptyDirVolumeSource, FCVolumeSource, FlexVolumeSource, FlockerVolumeSource, GCEPersistentDiskVolumeSource, GitRepoVolumeSource, GlusterfsVolumeSource, HostPathVolumeSource, ISCSIVolumeSource, ImageVolumeSource, NFSVolumeSource, PersistentVolumeClaimVolumeSource, PhotonPersistentDiskVolumeSource, PortworxVolumeSource, QuobyteVolumeSource, RBDVolumeSource, ScaleIOVolumeSource, StorageOSVolumeSource, VsphereVirtualDiskVolumeSource } from "./volume-sources.ts";
import { LabelSelector } from "../meta/labelselector.ts";
import { ObjectMeta } from "../meta/objectmeta.ts";
import * as t from "../../schema/t.ts";

export const KeyToPath = t.object("io.k8s.api.core.v1.KeyToPath", {
  key: t.string().pb(1).required().always("zero").doc("The key."),
  mode: t.int32().pb(3).pointer().doc("Permission bits of the file."),
  path: t.string().pb(2).required().always("zero").doc("Path of the file within the volume."),
});
export interface KeyToPath extends t.Stored<typeof KeyToPath> {}

export const ConfigMapVolumeSource = t.object("io.k8s.api.core.v1.ConfigMapVolumeSource", {
  defaultMode: t.int32().pb(3).pointer().default(420).doc("Permission bits of the files."),
  items: t.list(KeyToPath).pb(2).doc("Keys that become files, and where; all if empty."),
  name: t.string().pb(1).within(1).default("", "published").doc("The config map."),
  optional: t.bool().pb(4).pointer().doc("Whether it may be missing."),
});
export interface ConfigMapVolumeSource extends t.Stored<typeof ConfigMapVolumeSource> {}

export const DownwardAPIVolumeFile = t.object("io.k8s.api.core.v1.DownwardAPIVolumeFile", {
  fieldRef: ObjectFieldSelector.pb(2).doc("A field of the pod."),
  mode: t.int32().pb(4).pointer().doc("Permission bits of the file."),
  path: t.string().pb(1).required().always("zero").doc("Path of the file within the volume."),
  resourceFieldRef: ResourceFieldSelector.pb(3).doc("A resource of one of the containers."),
});
export interface DownwardAPIVolumeFile extends t.Stored<typeof DownwardAPIVolumeFile> {}

export const DownwardAPIVolumeSource = t.object("io.k8s.api.core.v1.DownwardAPIVolumeSource", {
  defaultMode: t.int32().pb(2).pointer().default(420).doc("Permission bits of the files."),
  items: t.list(DownwardAPIVolumeFile).pb(1).doc("The files."),
});
export interface DownwardAPIVolumeSource extends t.Stored<typeof DownwardAPIVolumeSource> {}

export const PersistentVolumeClaimTemplate = t.object("io.k8s.api.core.v1.PersistentVolumeClaimTemplate", {
  metadata: ObjectMeta.pb(1).always("{}").doc("Labels and annotations of the claim."),
  spec: PersistentVolumeClaimSpec.pb(2).required().always("{}").doc("What is claimed."),
});
export interface PersistentVolumeClaimTemplate extends t.Stored<typeof PersistentVolumeClaimTemplate> {}

export const EphemeralVolumeSource = t.object("io.k8s.api.core.v1.EphemeralVolumeSource", {
  volumeClaimTemplate: PersistentVolumeClaimTemplate.pb(1).doc("The claim to make, which lives as long as the pod."),
});
export interface EphemeralVolumeSource extends t.Stored<typeof EphemeralVolumeSource> {}

export const ClusterTrustBundleProjection = t.object("io.k8s.api.core.v1.ClusterTrustBundleProjection", {
  labelSelector: LabelSelector.pb(3).doc("Labels of the bundles, with signerName."),
  name: t.string().pb(1).pointer().doc("One bundle."),
  optional: t.bool().pb(5).pointer().doc("Whether there may be none."),
  path: t.string().pb(4).required().always("zero").doc("Path of the file within the volume."),
  signerName: t.string().pb(2).pointer().doc("All bundles of this signer."),
});
export interface ClusterTrustBundleProjection extends t.Stored<typeof ClusterTrustBundleProjection> {}

export const ConfigMapProjection = t.object("io.k8s.api.core.v1.ConfigMapProjection", {
  items: t.list(KeyToPath).pb(2).doc("Keys that become files, and where; all if empty."),
  name: t.string().pb(1).within(1).default("", "published").doc("The config map."),
  optional: t.bool().pb(4).pointer().doc("Whether it may be missing."),
});
export interface ConfigMapProjection extends t.Stored<typeof ConfigMapProjection> {}

export const DownwardAPIProjection = t.object("io.k8s.api.core.v1.DownwardAPIProjection", {
  items: t.list(DownwardAPIVolumeFile).pb(1).doc("The files."),
});
export interface DownwardAPIProjection extends t.Stored<typeof DownwardAPIProjection> {}

export const PodCertificateProjection = t.object("io.k8s.api.core.v1.PodCertificateProjection", {
  certificateChainPath: t.string().pb(6).doc("File for the certificates."),
  credentialBundlePath: t.string().pb(4).doc("File for key and certificates together."),
  keyPath: t.string().pb(5).doc("File for the private key."),
  keyType: t.string().pb(2).required().doc("Kind of key to make, such as ED25519 or ECDSAP256."),
  maxExpirationSeconds: t.int32().pb(3).pointer().doc("How long the certificate may be valid at most."),
  signerName: t.string().pb(1).required().doc("The signer that is asked."),
  userAnnotations: t.map(t.string()).pb(7).doc("What the signer is told besides."),
});
export interface PodCertificateProjection extends t.Stored<typeof PodCertificateProjection> {}

export const SecretProjection = t.object("io.k8s.api.core.v1.SecretProjection", {
  items: t.list(KeyToPath).pb(2).doc("Keys that become files, and where; all if empty."),
  name: t.string().pb(1).within(1).default("", "published").doc("The secret."),
  optional: t.bool().pb(4).pointer().doc("Whether it may be missing."),
});
export interface SecretProjection extends t.Stored<typeof SecretProjection> {}

export const ServiceAccountTokenProjection = t.object("io.k8s.api.core.v1.ServiceAccountTokenProjection", {
  audience: t.string().pb(1).doc("Who the token is for; the API server if empty."),
  expirationSeconds: t.int64().pb(2).pointer().default(3600).doc("How long it is valid; it is renewed in time."),
  path: t.string().pb(3).required().always("zero").doc("Path of the file within the volume."),
});
export interface ServiceAccountTokenProjection extends t.Stored<typeof ServiceAccountTokenProjection> {}

export const VolumeProjection = t.object("io.k8s.api.core.v1.VolumeProjection", {
  clusterTrustBundle: ClusterTrustBundleProjection.pb(5).doc("Certificates of authorities."),
  configMap: ConfigMapProjection.pb(3).doc("Keys of a config map."),
  downwardAPI: DownwardAPIProjection.pb(2).doc("Facts about the pod."),
  podCertificate: PodCertificateProjection.pb(6).doc("A key and a certificate for the pod."),
  secret: SecretProjection.pb(1).doc("Keys of a secret."),
  serviceAccountToken: ServiceAccountTokenProjection.pb(4).doc("A token of the pod's service account."),
});
export interface VolumeProjection extends t.Stored<typeof VolumeProjection> {}

export const ProjectedVolumeSource = t.object("io.k8s.api.core.v1.ProjectedVolumeSource", {
  defaultMode: t.int32().pb(2).pointer().default(420).doc("Permission bits of the files."),
  sources: t.list(VolumeProjection).pb(1).always("[]").doc("What is put together."),
});
export interface ProjectedVolumeSource extends t.Stored<typeof ProjectedVolumeSource> {}

export const SecretVolumeSource = t.object("io.k8s.api.core.v1.SecretVolumeSource", {
  defaultMode: t.int32().pb(3).pointer().default(420).doc("Permission bits of the files."),
  items: t.list(KeyToPath).pb(2).doc("Keys that become files, and where; all if empty."),
  optional: t.bool().pb(4).pointer().doc("Whether it may be missing."),
  secretName: t.string().pb(1).doc("The secret."),
});
export interface SecretVolumeSource extends t.Stored<typeof SecretVolumeSource> {}

export const Volume = t.object("io.k8s.api.core.v1.Volume", {
  awsElasticBlockStore: AWSElasticBlockStoreVolumeSource.pb(4).within(2).doc("A disk of Amazon's cloud."),
  azureDisk: AzureDiskVolumeSource.pb(22).within(2).doc("A disk of Microsoft's cloud."),
  azureFile: AzureFileVolumeSource.pb(18).within(2).doc("A file share of Microsoft's cloud."),
  cephfs: CephFSVolumeSource.pb(14).within(2).doc("A directory in CephFS."),
  cinder: CinderVolumeSource.pb(13).within(2).doc("A disk of OpenStack."),
  configMap: ConfigMapVolumeSource.pb(19).within(2).doc("Keys of a config map, as files."),
  csi: CSIVolumeSource.pb(28).within(2).doc("A volume of a CSI driver."),
  downwardAPI: DownwardAPIVolumeSource.pb(16).within(2).doc("Facts about the pod, as files."),
  emptyDir: EmptyDirVolumeSource.pb(2).within(2).doc("A directory that is empty at first and lives as long as the pod."),
  ephemeral: EphemeralVolumeSource.pb(29).within(2).doc("A claim made for the pod, which lives as long as it does."),
  fc: FCVolumeSource.pb(17).within(2).doc("A disk over Fibre Channel."),
  flexVolume: FlexVolumeSource.pb(12).within(2).doc("A volume of a program installed on the node."),
  flocker: FlockerVolumeSource.pb(15).within(2).doc("A dataset of Flocker; no longer supported."),
  gcePersistentDisk: GCEPersistentDiskVolumeSource.pb(3).within(2).doc("A disk of Google's cloud."),
  gitRepo: GitRepoVolumeSource.pb(5).within(2).doc("A Git repository; no longer supported."),
  glusterfs: GlusterfsVolumeSource.pb(9).within(2).doc("A volume of GlusterFS."),
  hostPath: HostPathVolumeSource.pb(1).within(2).doc("A file or directory of the node."),
  image: ImageVolumeSource.pb(30).within(2).doc("Content of an image, read-only."),
  iscsi: ISCSIVolumeSource.pb(8).within(2).doc("A disk over iSCSI."),
  name: t.string().pb(1).required().always("zero").doc("What the pod's containers call the volume."),
  nfs: NFSVolumeSource.pb(7).within(2).doc("A directory of an NFS server."),
  persistentVolumeClaim: PersistentVolumeClaimVolumeSource.pb(10).within(2).doc("A persistent volume, by its claim."),
  photonPersistentDisk: PhotonPersistentDiskVolumeSource.pb(23).within(2).doc("A disk of Photon; no longer supported."),
  portworxVolume: PortworxVolumeSource.pb(24).within(2).doc("A volume of Portworx."),
  projected: ProjectedVolumeSource.pb(26).within(2).doc("Several sources put together in one directory."),
  quobyte: QuobyteVolumeSource.pb(21).within(2).doc("A volume of Quobyte; no longer supported."),
  rbd: RBDVolumeSource.pb(11).within(2).doc("An image of a Ceph block device."),
  scaleIO: ScaleIOVolumeSource.pb(25).within(2).doc("A volume of ScaleIO; no longer supported."),
  secret: SecretVolumeSource.pb(6).within(2).doc("Keys of a secret, as files."),
  storageos: StorageOSVolumeSource.pb(27).within(2).doc("A volume of StorageOS; no longer supported."),
  vsphereVolume: VsphereVirtualDiskVolumeSource.pb(20).within(2).doc("A disk of vSphere."),
});
export interface Volume extends t.Stored<typeof Volume> {}
