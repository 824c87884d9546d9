import { TypedLocalObjectReference, TypedObjectReference } from "./references.ts";
import { LabelSelector } from "../meta/labelselector.ts";
import * as t from "../../schema/t.ts";

export const VolumeResourceRequirements = t.object("io.k8s.api.core.v1.VolumeResourceRequirements", {
  limits: t.map(t.quantity()).pb(1).doc("The most that it may have."),
  requests: t.map(t.quantity()).pb(2).doc("The least that it needs."),
});
export interface VolumeResourceRequirements extends t.Stored<typeof VolumeResourceRequirements> {}

export const PersistentVolumeClaimSpec = t.object("io.k8s.api.core.v1.PersistentVolumeClaimSpec", {
  accessModes: t.list(t.oneOf("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod").unchecked()).pb(1).doc("How the volume has to be mountable."),
  dataSource: TypedLocalObjectReference.pb(7).doc("A snapshot or claim in the same namespace that the volume starts as a copy of."),
  dataSourceRef: TypedObjectReference.pb(8).doc("Any object, even of another namespace, that the volume is filled from."),
  resources: VolumeResourceRequirements.pb(2).always("{}").doc("How big the volume has to be."),
  selector: LabelSelector.pb(4).doc("Labels that a volume must have to be considered."),
  storageClassName: t.string().pb(5).pointer().doc("The storage class that makes the volume; empty means none."),
  volumeAttributesClassName: t.string().pb(9).pointer().doc("Class of the attributes that the volume should have, and which may be changed later."),
  volumeMode: t.oneOf("Block", "Filesystem").pb(6).pointer().default("Filesystem").doc("Whether the volume holds a file system or is a raw block device."),
  volumeName: t.string().pb(3).doc("The volume that the claim is bound to."),
});
export interface PersistentVolumeClaimSpec extends t.Stored<typeof PersistentVolumeClaimSpec> {}
