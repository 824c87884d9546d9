/** Types of meta/v1 that only answers have, for their protobuf form. */
import { ListMeta } from "../kinds/meta/listmeta.ts";
import { ObjectMeta } from "../kinds/meta/objectmeta.ts";
import * as t from "../schema/t.ts";
import type { Served } from "./registry.ts";

export const PartialObjectMetadata = t.object({ metadata: ObjectMeta.pb(1).always("{}") });
export const PartialObjectMetadataList = t.object({ metadata: ListMeta.pb(1).always("{}"), items: t.list(PartialObjectMetadata).pb(2).always("[]") });

const lists = new WeakMap<t.Node, t.Node>();
/** `PodList` for `Pod`. */
export function listNodeOf({ node }: Served): t.Node {
  let list = lists.get(node);
  if (list === undefined) lists.set(node, (list = t.object({ metadata: ListMeta.pb(1).always("{}"), items: t.list(new t.Field(node)).pb(2).always("[]") }).node));
  return list;
}
