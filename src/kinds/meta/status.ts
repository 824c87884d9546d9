import { ListMeta } from "./listmeta.ts";
import * as t from "../../schema/t.ts";

export const StatusCause = t.object("io.k8s.apimachinery.pkg.apis.meta.v1.StatusCause", {
  field: t.string().pb(3),
  message: t.string().pb(2),
  reason: t.string().pb(1),
});
export interface StatusCause extends t.Stored<typeof StatusCause> {}

export const StatusDetails = t.object("io.k8s.apimachinery.pkg.apis.meta.v1.StatusDetails", {
  causes: t.list(StatusCause).pb(4),
  group: t.string().pb(2),
  kind: t.string().pb(3),
  name: t.string().pb(1),
  retryAfterSeconds: t.int32().pb(5),
  uid: t.string().pb(6),
});
export interface StatusDetails extends t.Stored<typeof StatusDetails> {}

export const Status = t.object("io.k8s.apimachinery.pkg.apis.meta.v1.Status", {
  apiVersion: t.string(),
  code: t.int32().pb(6),
  details: StatusDetails.pb(5),
  kind: t.string(),
  message: t.string().pb(3),
  metadata: ListMeta.pb(1).always("{}"),
  reason: t.string().pb(4),
  status: t.string().pb(2),
});
export interface Status extends t.Stored<typeof Status> {}
