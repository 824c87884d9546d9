import { ListMeta } from "./listmeta.ts";
import * as t from "../../schema/t.ts";

export const StatusCause = t.object("io.k8s.apimachinery.pkg.apis.meta.v1.StatusCause", {
  field: t.string().pb(3).doc("The field that is wrong."),
  message: t.string().pb(2).doc("What is wrong, for people."),
  reason: t.string().pb(1).doc("What is wrong, as one CamelCase word."),
});
export interface StatusCause extends t.Stored<typeof StatusCause> {}

export const StatusDetails = t.object("io.k8s.apimachinery.pkg.apis.meta.v1.StatusDetails", {
  causes: t.list(StatusCause).pb(4).doc("What is wrong, one entry per problem."),
  group: t.string().pb(2).doc("API group of the object."),
  kind: t.string().pb(3).doc("Kind of the object."),
  name: t.string().pb(1).doc("Name of the object."),
  retryAfterSeconds: t.int32().pb(5).doc("After how many seconds to try again."),
  uid: t.string().pb(6).doc("Identity of the object."),
});
export interface StatusDetails extends t.Stored<typeof StatusDetails> {}

export const Status = t.object("io.k8s.apimachinery.pkg.apis.meta.v1.Status", {
  apiVersion: t.string().doc("Version of the schema this object is written in."),
  code: t.int32().pb(6).doc("HTTP status."),
  details: StatusDetails.pb(5).doc("More about the object and the problem."),
  kind: t.string().doc("Name of the kind of object."),
  message: t.string().pb(3).doc("What happened, for people."),
  metadata: ListMeta.pb(1).always("{}").doc("Version of the list, if it is about one."),
  reason: t.string().pb(4).doc("What happened, as one CamelCase word."),
  status: t.string().pb(2).doc("Success or Failure."),
});
export interface Status extends t.Stored<typeof Status> {}
