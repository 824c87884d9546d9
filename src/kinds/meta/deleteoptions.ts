import * as t from "../../schema/t.ts";

export const Preconditions = t.object("io.k8s.apimachinery.pkg.apis.meta.v1.Preconditions", {
  resourceVersion: t.string().pb(2).pointer(),
  uid: t.string().pb(1).pointer(),
});
export interface Preconditions extends t.Stored<typeof Preconditions> {}

export const DeleteOptions = t.object("io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions", {
  apiVersion: t.string(),
  dryRun: t.list(t.string()).pb(5),
  gracePeriodSeconds: t.int64().pb(1).pointer(),
  ignoreStoreReadErrorWithClusterBreakingPotential: t.bool().pb(6).pointer(),
  kind: t.string(),
  orphanDependents: t.bool().pb(3).pointer(),
  preconditions: Preconditions.pb(2),
  propagationPolicy: t.string().pb(4).pointer(),
});
export interface DeleteOptions extends t.Stored<typeof DeleteOptions> {}
