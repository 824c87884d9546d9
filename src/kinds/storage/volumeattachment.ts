import { goValue } from "../../schema/go-value.ts";
import { PersistentVolumeSpec } from "../core/persistentvolume.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { sameJson } from "../../base/json.ts";
import { forbidden, invalidValue, required } from "../../schema/problem.ts";
import { defineKind, type Resource } from "../kind.ts";
import { dnsSubdomain } from "../../schema/grammar.ts";
import { validateDriverName } from "../core/volumesourcerules.ts";
import * as t from "../../schema/t.ts";

export const VolumeAttachmentSource = t.object("io.k8s.api.storage.v1.VolumeAttachmentSource", {
  inlineVolumeSpec: PersistentVolumeSpec.pb(2).doc("The volume itself, if it is not a persistent one."),
  persistentVolumeName: t.string().pb(1).pointer().doc("The persistent volume."),
});
export interface VolumeAttachmentSource extends t.Stored<typeof VolumeAttachmentSource> {}

export const VolumeAttachmentSpec = t.object("io.k8s.api.storage.v1.VolumeAttachmentSpec", {
  attacher: t.string().pb(1).required().always("zero").doc("Driver that attaches."),
  nodeName: t.string().pb(3).required().always("zero").doc("Node to attach to."),
  source: VolumeAttachmentSource.pb(2).required().always("{}").doc("Volume to attach."),
});
export interface VolumeAttachmentSpec extends t.Stored<typeof VolumeAttachmentSpec> {}

export const VolumeError = t.object("io.k8s.api.storage.v1.VolumeError", {
  errorCode: t.int32().pb(3).pointer().doc("Code of the error."),
  message: t.string().pb(2).doc("What went wrong."),
  time: t.time().pb(1).always("null").doc("When it went wrong."),
});
export interface VolumeError extends t.Stored<typeof VolumeError> {}

export const VolumeAttachmentStatus = t.object("io.k8s.api.storage.v1.VolumeAttachmentStatus", {
  attachError: VolumeError.pb(3).doc("What last went wrong when attaching."),
  attached: t.bool().pb(1).required().always("zero").doc("Whether it is attached."),
  attachmentMetadata: t.map(t.string()).pb(2).doc("What the node has to know for mounting."),
  detachError: VolumeError.pb(4).doc("What last went wrong when detaching."),
});
export interface VolumeAttachmentStatus extends t.Stored<typeof VolumeAttachmentStatus> {}

export const VolumeAttachment = defineKind({
  group: "storage.k8s.io", version: "v1", kind: "VolumeAttachment", plural: "volumeattachments", namespaced: false,
  conditionalUpdate: true,
  statusAlone: true,
  subresources: ["status"],
  returnDeleted: true,
  definition: "io.k8s.api.storage.v1.VolumeAttachment",
  doc: "Asks that a volume be attached to a node.",
  fields: {
    spec: VolumeAttachmentSpec.pb(2).required().always("{}").doc("What is attached where."),
    status: VolumeAttachmentStatus.pb(3).always("{}").doc("Whether it is attached."),
  },
  *rules(next, previous, { subresource }) {
    if (subresource === "status") return;
    const { attacher, nodeName, source } = next.spec;
    yield* validateDriverName(attacher, "spec.attacher");
    const name = source.persistentVolumeName;
    if ((name === undefined) === (source.inlineVolumeSpec === undefined)) yield (name === undefined ? required : forbidden)("spec.source", "must specify exactly one of inlineVolumeSpec and persistentVolumeName");
    else if (name === "") yield required("spec.source.persistentVolumeName", "must specify non empty persistentVolumeName");
    for (const detail of dnsSubdomain(nodeName)) yield invalidValue("spec.nodeName", nodeName, detail);
    if (name !== undefined) for (const detail of dnsSubdomain(name)) yield invalidValue("spec.source.persistentVolumeName", name, detail);
    if (previous !== undefined && !sameJson(next.spec, previous.spec)) yield invalidValue("spec", goValue(VolumeAttachmentSpec.node, next.spec), "field is immutable");
  },
  columns: [
    nameColumn,
    { name: "Attacher", type: "string", format: "name", doc: "Driver that attaches it.", cell: ({ spec }) => spec.attacher },
    { name: "PV", type: "string", doc: "The volume.", cell: ({ spec }) => spec.source.persistentVolumeName ?? "" },
    { name: "Node", type: "string", doc: "The node.", cell: ({ spec }) => spec.nodeName },
    { name: "Attached", type: "boolean", doc: "Whether it is attached.", cell: ({ status }) => status.attached },
    ageColumn,
  ],
});
export interface VolumeAttachment extends Resource<typeof VolumeAttachment> {}
