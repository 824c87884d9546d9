import * as t from "../../schema/t.ts";

export const ShardInfo = t.object("io.k8s.apimachinery.pkg.apis.meta.v1.ShardInfo", {
  selector: t.string().pb(1).required().always("zero"),
});
export interface ShardInfo extends t.Stored<typeof ShardInfo> {}

export const ListMeta = t.object("io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta", {
  continue: t.string().pb(3),
  remainingItemCount: t.int64().pb(4).pointer(),
  resourceVersion: t.string().pb(2),
  selfLink: t.string().pb(1),
  shardInfo: ShardInfo.pb(5),
});
export interface ListMeta extends t.Stored<typeof ListMeta> {}
