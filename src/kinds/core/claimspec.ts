import { TypedLocalObjectReference, TypedObjectReference } from "./references.ts";
import { LabelSelector } from "../meta/labelselector.ts";
import * as t from "../../schema/t.ts";

export const VolumeResourceRequirements = t.object("io.k8s.api.core.v1.VolumeResourceRequirements", {
  limits: t.map(t.quantity()).pb(1),
  requests: t.map(t.quantity()).pb(2),
});
export interface VolumeResourceRequirements extends t.Stored<typeof VolumeResourceRequirements> {}

export const PersistentVolumeClaimSpec = t.object("io.k8s.api.core.v1.PersistentVolumeClaimSpec", {
  accessModes: t.list(t.oneOf("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")).pb(1),
  dataSource: TypedLocalObjectReference.pb(7),
  dataSourceRef: TypedObjectReference.pb(8),
  resources: VolumeResourceRequirements.pb(2).always("{}"),
  selector: LabelSelector.pb(4),
  storageClassName: t.string().pb(5).pointer(),
  volumeAttributesClassName: t.string().pb(9).pointer(),
  volumeMode: t.oneOf("Block", "Filesystem").pb(6).pointer().default("Filesystem"),
  volumeName: t.string().pb(3),
});
export interface PersistentVolumeClaimSpec extends t.Stored<typeof PersistentVolumeClaimSpec> {}
