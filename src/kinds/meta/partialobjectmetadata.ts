/** Objects of which only the metadata is sent. */
import { ListMeta } from "./listmeta.ts";
import { ObjectMeta } from "./objectmeta.ts";
import * as t from "../../schema/t.ts";

export const PartialObjectMetadata = t.object("io.k8s.apimachinery.pkg.apis.meta.v1.PartialObjectMetadata", {
  apiVersion: t.string().doc("Version of the schema this object is written in."),
  kind: t.string().doc("Name of the kind of object."),
  metadata: ObjectMeta.pb(1).always("{}").doc("Name, labels, and the rest of what every object carries."),
});
export interface PartialObjectMetadata extends t.Stored<typeof PartialObjectMetadata> {}

export const PartialObjectMetadataList = t.object("io.k8s.apimachinery.pkg.apis.meta.v1.PartialObjectMetadataList", {
  apiVersion: t.string().doc("Version of the schema this object is written in."),
  kind: t.string().doc("Name of the kind of object."),
  metadata: ListMeta.pb(1).always("{}").doc("Name, labels, and the rest of what every object carries."),
  items: t.list(PartialObjectMetadata).implied().pb(2).required().always("[]").doc("The objects."),
});
export interface PartialObjectMetadataList extends t.Stored<typeof PartialObjectMetadataList> {}
