import { PersistentVolumeClaimSpec } from "./claimspec.ts";
import { accessModesText, ageColumn, nameColumn } from "../columns.ts";
import { sameJson } from "../../base/json.ts";
import { compareQuantities } from "../../base/quantity.ts";
import { goDiff } from "../../schema/go-value.ts";
import { forbidden, invalidValue, type Problem } from "../../schema/problem.ts";
import { validateClaimSpec } from "./claimrules.ts";
import { defineKind, type Resource } from "../kind.ts";
import { claimFractions, oldAnnotationsIn, oldClass } from "./podwarnings.ts";
import * as t from "../../schema/t.ts";

export const PersistentVolumeClaimCondition = t.object("io.k8s.api.core.v1.PersistentVolumeClaimCondition", {
  lastProbeTime: t.time().pb(3).always("null").doc("When it was last looked at."),
  lastTransitionTime: t.time().pb(4).always("null").doc("When the status last changed."),
  message: t.string().pb(6).doc("The same for people, in a sentence."),
  reason: t.string().pb(5).doc("Why it last changed, as one CamelCase word for programs."),
  status: t.string().pb(2).required().always("zero").doc("Whether it holds: True, False, or Unknown."),
  type: t.string().pb(1).required().always("zero").doc("Which aspect this is about."),
});
export interface PersistentVolumeClaimCondition extends t.Stored<typeof PersistentVolumeClaimCondition> {}

export const ModifyVolumeStatus = t.object("io.k8s.api.core.v1.ModifyVolumeStatus", {
  status: t.oneOf("InProgress", "Infeasible", "Pending").pb(2).required().always("zero").doc("How far the change is: Pending, InProgress or Infeasible."),
  targetVolumeAttributesClassName: t.string().pb(1).doc("The class that it is being changed to."),
});
export interface ModifyVolumeStatus extends t.Stored<typeof ModifyVolumeStatus> {}

export const PersistentVolumeClaimStatus = t.object("io.k8s.api.core.v1.PersistentVolumeClaimStatus", {
  accessModes: t.list(t.oneOf("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")).pb(2).doc("How the volume can be mounted."),
  allocatedResourceStatuses: t.map(t.oneOf("ControllerResizeInProgress", "ControllerResizeInfeasible", "NodeResizeInProgress", "NodeResizeInfeasible", "NodeResizePending")).pb(7).granular().doc("How far a change of size is, by resource."),
  allocatedResources: t.map(t.quantity()).pb(5).doc("Size that is being changed to, by resource."),
  capacity: t.map(t.quantity()).pb(3).doc("How big the volume is."),
  conditions: t.listBy(PersistentVolumeClaimCondition, "type").pb(4).mergeBy("type").doc("What is known about the object, one entry per aspect."),
  currentVolumeAttributesClassName: t.string().pb(8).pointer().doc("Class of the attributes that the volume has now."),
  modifyVolumeStatus: ModifyVolumeStatus.pb(9).doc("How far a change of attributes is."),
  phase: t.oneOf("Bound", "Lost", "Pending").pb(1).default("Pending").doc("Pending, Bound or Lost."),
});
export interface PersistentVolumeClaimStatus extends t.Stored<typeof PersistentVolumeClaimStatus> {}

const classAnnotation = "volume.beta.kubernetes.io/storage-class";

export const PersistentVolumeClaim = defineKind({
  group: "", version: "v1", kind: "PersistentVolumeClaim", plural: "persistentvolumeclaims", namespaced: true,
  shortNames: ["pvc"], subresources: ["status"],
  returnDeleted: true,
  definition: "io.k8s.api.core.v1.PersistentVolumeClaim",
  doc: "Asks for storage, and holds on to it.",
  fields: {
    spec: PersistentVolumeClaimSpec.pb(2).always("{}").doc("What is asked for."),
    status: PersistentVolumeClaimStatus.pb(3).always("{}").doc("What was given."),
  },
  prepare(next, previous, { subresource }) {
    if (previous === undefined) next.status = { phase: "Pending" };
    if (subresource === "") settleSource(next.spec, previous?.spec);
  },
  *rules(next, previous, { subresource }) {
    if (subresource === "status") return;
    yield* validateClaimSpec(next.spec, "spec");
    if (previous === undefined) return;
    yield* specChanges(next, previous);
  },
  *warnings({ metadata, spec }) {
    yield* oldAnnotationsIn(metadata.annotations, oldClass);
    yield* claimFractions(spec.resources, "spec.resources");
  },
  columns: [
    nameColumn,
    { name: "Status", type: "string", doc: "Whether it has a volume.", cell: ({ metadata, status }) => (metadata.deletionTimestamp === undefined ? status.phase : "Terminating") },
    { name: "Volume", type: "string", doc: "The volume it holds.", cell: ({ spec }) => spec.volumeName ?? "" },
    { name: "Capacity", type: "string", doc: "Size of that volume.", cell: ({ spec, status }) => (spec.volumeName ? (status.capacity?.["storage"] ?? "0") : "") },
    { name: "Access Modes", type: "string", doc: "How the volume may be mounted.", cell: ({ spec, status }) => (spec.volumeName ? accessModesText(status.accessModes) : "") },
    { name: "StorageClass", type: "string", doc: "Class of storage asked for.", cell: ({ metadata, spec }) => metadata.annotations?.["volume.beta.kubernetes.io/storage-class"] ?? spec.storageClassName ?? "" },
    { name: "VolumeAttributesClass", type: "string", doc: "Class of attributes asked for.", cell: ({ spec }) => spec.volumeAttributesClassName ?? "<unset>" },
    ageColumn,
    { name: "VolumeMode", type: "string", priority: 1, doc: "Filesystem or block device.", cell: ({ spec }) => spec.volumeMode },
  ],
});
export interface PersistentVolumeClaim extends Resource<typeof PersistentVolumeClaim> {}

/** One source under both names: sources of other namespaces are behind a gate, and the old name alone knows claims and snapshots only (strategy.PrepareForCreate, PrepareForUpdate). */
function settleSource(spec: Sources, old: Sources | undefined): void {
  if (spec.dataSourceRef?.namespace && old?.dataSourceRef === undefined) delete spec.dataSourceRef;
  const { kind, apiGroup = "" } = spec.dataSource ?? { kind: "" };
  const known = (apiGroup === "" && kind === "PersistentVolumeClaim") || (apiGroup === "snapshot.storage.k8s.io" && kind === "VolumeSnapshot");
  if (!known && old?.dataSource === undefined && spec.dataSourceRef === undefined) delete spec.dataSource;
  if (spec.dataSource !== undefined && spec.dataSourceRef === undefined) spec.dataSourceRef = { ...spec.dataSource };
  else if (spec.dataSource === undefined && spec.dataSourceRef !== undefined && !spec.dataSourceRef.namespace) {
    const { namespace: _, ...source } = spec.dataSourceRef;
    spec.dataSource = source;
  }
}
type Sources = { dataSource?: Source | undefined; dataSourceRef?: (Source & { readonly namespace?: string | undefined }) | undefined };
type Source = { readonly apiGroup?: string | undefined; readonly kind: string; readonly name: string };

const present = (spec: object): unknown => Object.fromEntries(Object.entries(spec).filter(([, each]) => each !== undefined));
type Claim = { readonly metadata: { readonly annotations?: { readonly [key: string]: string } | undefined }; readonly spec: PersistentVolumeClaimSpec; readonly status: PersistentVolumeClaimStatus };
/** What may not change, once what may is put back (ValidatePersistentVolumeClaimUpdate). */
function* specChanges(next: Claim, previous: Claim): Iterable<Problem> {
  const bound = previous.status.phase === "Bound", [now, old] = [next.metadata.annotations?.[classAnnotation], previous.metadata.annotations?.[classAnnotation]];
  const [before, after] = [{ ...previous.spec }, { ...next.spec }];
  if (!before.volumeName) before.volumeName = after.volumeName;
  if (old !== undefined && before.storageClassName === undefined && old === after.storageClassName && (now === undefined || now === old)) after.storageClassName = undefined;
  else {
    if ((now ?? "") !== (old ?? "")) yield invalidValue(`metadata.annotations.${classAnnotation}`, now ?? "", "field is immutable");
    if (old === undefined && before.storageClassName === undefined) after.storageClassName = undefined;
  }
  const [wanted, had, reached] = [next.spec.resources.requests?.["storage"] ?? "0", previous.spec.resources.requests?.["storage"] ?? "0", previous.status.capacity?.["storage"] ?? "0"];
  if (bound) {
    after.volumeAttributesClassName = before.volumeAttributesClassName;
    if (after.resources.requests !== undefined) after.resources = { ...after.resources, requests: { ...after.resources.requests, storage: had } };
  }
  if (!sameJson(present(after), present(before))) yield forbidden("spec", `spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n${goDiff(PersistentVolumeClaimSpec.node, before, after)}`);
  const attributes = next.spec.volumeAttributesClassName;
  if (compareQuantities(wanted, had) < 0 && compareQuantities(wanted, reached) <= 0) yield forbidden("spec.resources.requests.storage", "field can not be less than status.capacity");
  if (next.spec.volumeMode !== previous.spec.volumeMode) yield invalidValue("volumeMode", next.spec.volumeMode, "field is immutable");
  if (previous.status.currentVolumeAttributesClassName !== undefined && !attributes && attributes !== previous.spec.volumeAttributesClassName) yield forbidden("spec.volumeAttributesClassName", `update to ${attributes === undefined ? "nil" : "empty string"} is forbidden when status.currentVolumeAttributesClassName is not nil`);
}
