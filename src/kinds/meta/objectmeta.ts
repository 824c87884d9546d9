import * as t from "../../schema/t.ts";

export const OwnerReference = t.object("io.k8s.apimachinery.pkg.apis.meta.v1.OwnerReference", {
  apiVersion: t.string().pb(5).required().always("zero").doc("API version of the owner."),
  kind: t.string().pb(1).required().always("zero").doc("Kind of the owner."),
  name: t.string().pb(3).required().always("zero").doc("Name of the owner."),
  uid: t.string().pb(4).required().always("zero").doc("UID of the owner, which a later object of the same name does not have."),
  controller: t.bool().pb(6).pointer().doc("True if this owner manages the object; at most one owner may."),
  blockOwnerDeletion: t.bool().pb(7).pointer().doc("True if foreground deletion of the owner waits for this object."),
}).atomic();

export interface OwnerReference extends t.Stored<typeof OwnerReference> {}

export const ManagedFieldsEntry = t.object("io.k8s.apimachinery.pkg.apis.meta.v1.ManagedFieldsEntry", {
  manager: t.string().pb(1).doc("Who wrote these fields."),
  operation: t.string().pb(2).doc("How they were written."),
  apiVersion: t.string().pb(3).doc("Version in which the field paths are written."),
  time: t.time().pb(4).pointer().doc("When the set of fields last changed."),
  fieldsType: t.string().pb(6).doc("Format of fieldsV1; always FieldsV1."),
  fieldsV1: t.fieldsV1().pb(7).pointer().doc("The fields, as a trie of paths."),
  subresource: t.string().pb(8).doc("Subresource through which they were written, if any."),
});

export interface ManagedFieldsEntry extends t.Stored<typeof ManagedFieldsEntry> {}

export const ObjectMeta = t.object("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta", {
  name: t.string().pb(1).doc("Unique within a namespace; cannot be changed."),
  generateName: t.string().pb(2).doc("Prefix of a name that the server completes when name is empty."),
  namespace: t.string().pb(3).doc("The space in which the name is unique; cannot be changed."),
  selfLink: t.string().pb(4).doc("Unused; kept for old clients."),
  uid: t.string().pb(5).doc("Unique in time and space, set by the server."),
  resourceVersion: t.string().pb(6).doc("Version of this object, for optimistic concurrency and watches."),
  generation: t.int64().pb(7).doc("Rises when the desired state changes."),
  creationTimestamp: t.time().pb(8).doc("CreationTimestamp is a timestamp of when the server stored the object first."),
  deletionTimestamp: t.time().pb(9).pointer().doc("When the object will be gone; set by the server on graceful deletion."),
  deletionGracePeriodSeconds: t.int64().pb(10).pointer().doc("Seconds the object has to end gracefully."),
  labels: t.map(t.string()).pb(11).doc("Keys and values to select objects by."),
  annotations: t.map(t.string()).pb(12).doc("Keys and values for tools; not selectable."),
  ownerReferences: t.listBy(OwnerReference, "uid").mergeBy("uid").pb(13).doc("Objects this one depends on; when all are gone it is collected."),
  finalizers: t.set(t.string()).mergeBy().pb(14).doc("Names of those who must agree before the object is removed."),
  managedFields: t.list(ManagedFieldsEntry).pb(17).nullable().doc("Which manager set which fields; kept by the server."),
});
export interface ObjectMeta extends t.Stored<typeof ObjectMeta> {}
