/** What another API server says it serves, in either of upstream's forms (kube-aggregator pkg/apiserver/handler_discovery.go). */
import { isObject, type Json, type JsonObject } from "../../base/json.ts";

export const aggregatedAccept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList";

/** One group and version's resources, as the aggregated document lists them. */
export type Resources = readonly JsonObject[];

/** One group and version that another server serves. */
export type RemoteVersion = { readonly group: string; readonly version: string; readonly groupPriority: number; readonly versionPriority: number; readonly current: boolean; readonly resources: Resources };

const listOf = (value: Json | undefined): readonly JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);
const textOf = (value: Json | undefined): string => (typeof value === "string" ? value : "");

/** The resources of this version in an aggregated document; `undefined` if it does not name it. */
export function fromAggregated(document: Json, group: string, version: string): Resources | undefined {
  if (!isObject(document)) return undefined;
  const found = listOf(document.items).find(({ metadata }) => isObject(metadata) && metadata.name === group);
  const resources = listOf(found?.versions).find(each => each.version === version)?.resources;
  // Clients of 1.26 panic where a responseKind is null.
  return found === undefined || resources === undefined ? undefined : listOf(resources).map(each => ({ ...each, responseKind: each.responseKind ?? {}, ...(each.subresources === undefined ? {} : { subresources: listOf(each.subresources).map(sub => ({ ...sub, responseKind: sub.responseKind ?? {} })) }) }));
}

/** An APIResourceList in the aggregated document's form (apiserver pkg/endpoints/installer.go ConvertGroupVersionIntoToDiscovery). */
export function fromLegacy(document: Json): Resources {
  const all = isObject(document) ? listOf(document.resources) : [];
  const kindOf = (each: JsonObject): JsonObject => ({ group: textOf(each.group), version: textOf(each.version), kind: textOf(each.kind) });
  const subresourcesOf = (name: string): Resources => all.filter(each => textOf(each.name).startsWith(`${name}/`)).map(each => ({ subresource: textOf(each.name).slice(name.length + 1), responseKind: kindOf(each), verbs: each.verbs ?? [] }));
  return all.filter(each => !textOf(each.name).includes("/")).map(each => {
    const name = textOf(each.name);
    const subresources = subresourcesOf(name);
    return {
      resource: name, responseKind: kindOf(each), scope: each.namespaced === true ? "Namespaced" : "Cluster", singularResource: textOf(each.singularName), verbs: each.verbs ?? [],
      ...(each.shortNames === undefined ? {} : { shortNames: each.shortNames }), ...(each.categories === undefined ? {} : { categories: each.categories }), ...(subresources.length === 0 ? {} : { subresources }),
    };
  });
}
