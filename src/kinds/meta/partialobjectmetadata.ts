/** Objects of which only the metadata is sent. */
import { ListMeta } from "./listmeta.ts";
import { ObjectMeta } from "./objectmeta.ts";
import * as t from "../../schema/t.ts";

export const PartialObjectMetadata = t.object("io.k8s.apimachinery.pkg.apis.meta.v1.PartialObjectMetadata", {
  apiVersion: t.string(),
  kind: t.string(),
  metadata: ObjectMeta.pb(1).always("{}"),
});
export interface PartialObjectMetadata extends t.Stored<typeof PartialObjectMetadata> {}

export const PartialObjectMetadataList = t.object("io.k8s.apimachinery.pkg.apis.meta.v1.PartialObjectMetadataList", {
  apiVersion: t.string(),
  kind: t.string(),
  metadata: ListMeta.pb(1).always("{}"),
  items: t.list(PartialObjectMetadata).implied().pb(2).required().always("[]"),
});
export interface PartialObjectMetadataList extends t.Stored<typeof PartialObjectMetadataList> {}
