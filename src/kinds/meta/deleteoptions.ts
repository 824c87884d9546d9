import * as t from "../../schema/t.ts";

export const Preconditions = t.object("io.k8s.apimachinery.pkg.apis.meta.v1.Preconditions", {
  resourceVersion: t.string().pb(2).pointer().doc("The version that the object must have."),
  uid: t.string().pb(1).pointer().doc("The identity that the object must have."),
});
export interface Preconditions extends t.Stored<typeof Preconditions> {}

export const DeleteOptions = t.object("io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions", {
  apiVersion: t.string().doc("Version of the schema this object is written in."),
  dryRun: t.list(t.string()).pb(5).doc("Whether to go through all of it without storing anything: All."),
  gracePeriodSeconds: t.int64().pb(1).pointer().doc("How long the object may take to end; 0 is at once."),
  ignoreStoreReadErrorWithClusterBreakingPotential: t.bool().pb(6).pointer().doc("Whether to delete even what can no longer be read."),
  kind: t.string().doc("Name of the kind of object."),
  orphanDependents: t.bool().pb(3).pointer().doc("The older form of propagationPolicy."),
  preconditions: Preconditions.pb(2).doc("What must hold for the object to be deleted."),
  propagationPolicy: t.string().pb(4).pointer().doc("What becomes of what it owns: Orphan, Background or Foreground."),
});
export interface DeleteOptions extends t.Stored<typeof DeleteOptions> {}
