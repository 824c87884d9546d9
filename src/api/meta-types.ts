/** Types of meta/v1 that only answers have, for their protobuf form. */
import { ListMeta } from "../kinds/meta/listmeta.ts";
import { ObjectMeta } from "../kinds/meta/objectmeta.ts";
import * as t from "../schema/t.ts";
import type { Served } from "./registry.ts";

export const PartialObjectMetadata = t.object({ metadata: ObjectMeta.pb(1).always("{}") });
export const PartialObjectMetadataList = t.object({ metadata: ListMeta.pb(1).always("{}"), items: t.list(PartialObjectMetadata).pb(2).always("[]") });

const GroupVersionKind = t.object({ group: t.string().pb(1).always("zero"), version: t.string().pb(2).always("zero"), kind: t.string().pb(3).always("zero") });
const verbs = t.list(t.string());
const APISubresourceDiscovery = t.object({ subresource: t.string().pb(1).always("zero"), responseKind: GroupVersionKind.pb(2), acceptedTypes: t.list(GroupVersionKind).pb(3), verbs: verbs.pb(4) });
const APIResourceDiscovery = t.object({
  resource: t.string().pb(1).always("zero"), responseKind: GroupVersionKind.pb(2), scope: t.string().pb(3).always("zero"), singularResource: t.string().pb(4).always("zero"), verbs: verbs.pb(5), shortNames: t.list(t.string()).pb(6), categories: t.list(t.string()).pb(7),
  subresources: t.list(APISubresourceDiscovery).pb(8),
});
const APIVersionDiscovery = t.object({ version: t.string().pb(1).always("zero"), resources: t.list(APIResourceDiscovery).pb(2), freshness: t.string().pb(3).always("zero") });
const APIGroupDiscovery = t.object({ metadata: ObjectMeta.pb(1).always("{}"), versions: t.list(APIVersionDiscovery).pb(2) });
/** apidiscovery.k8s.io/v2, with upstream's numbers (its generated.proto). */
export const APIGroupDiscoveryList = t.object({ metadata: ListMeta.pb(1).always("{}"), items: t.list(APIGroupDiscovery).pb(2).always("[]") });

const lists = new WeakMap<t.Node, t.Node>();
/** `PodList` for `Pod`. */
export function listNodeOf({ node }: Served): t.Node {
  let list = lists.get(node);
  if (list === undefined) lists.set(node, (list = t.object({ metadata: ListMeta.pb(1).always("{}"), items: t.list(new t.Field(node)).pb(2).always("[]") }).node));
  return list;
}
