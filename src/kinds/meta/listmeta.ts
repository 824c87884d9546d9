import * as t from "../../schema/t.ts";

export const ShardInfo = t.object("io.k8s.apimachinery.pkg.apis.meta.v1.ShardInfo", {
  selector: t.string().pb(1).required().always("zero").doc("Which part of the objects the list holds."),
});
export interface ShardInfo extends t.Stored<typeof ShardInfo> {}

export const ListMeta = t.object("io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta", {
  continue: t.string().pb(3).doc("Where the next page starts; empty on the last."),
  remainingItemCount: t.int64().pb(4).pointer().doc("How many objects follow this page."),
  resourceVersion: t.string().pb(2).doc("Version of the whole list."),
  selfLink: t.string().pb(1).doc("No longer used."),
  shardInfo: ShardInfo.pb(5).doc("Which part of the objects this is."),
});
export interface ListMeta extends t.Stored<typeof ListMeta> {}
