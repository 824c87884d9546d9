/** How many objects there are, for /metrics (apiserver pkg/storage/etcd3/metrics): counted when somebody asks. */
import type { Metrics } from "../base/metrics.ts";
import type { Store } from "../store/store.ts";
import type { Reader } from "./context.ts";
import { prefixOf, type Registry } from "./registry.ts";

export function observeStore(metrics: Metrics, store: Store, registry: Registry): void {
  const counts = (): readonly (readonly [group: string, resource: string, count: number])[] => {
    const found = new Map<string, readonly [string, string, number]>();
    // One resource may be served in several versions; it is stored once.
    for (const kind of registry.kinds()) if (kind.virtual !== true) found.set(`${kind.plural}.${kind.group}`, [kind.group, kind.plural, store.count(prefixOf(kind))]);
    return [...found.values()];
  };
  metrics.observedSeries("apiserver_resource_objects", "Objects stored, by group and resource.", ["group", "resource"], () => counts().map(([group, resource, count]) => [[group, resource], count] as const));
  metrics.observedSeries("apiserver_storage_objects", "Deprecated, see apiserver_resource_objects: objects stored, by resource and group.", ["resource"], () => counts().map(([group, resource, count]) => [[group === "" ? resource : `${resource}.${group}`], count] as const));
}

/** kube-aggregator pkg/controllers/status/metrics. */
export function observeServices(metrics: Metrics, read: Reader): void {
  metrics.observedSeries("aggregator_unavailable_apiservice", "Whether an APIService cannot be reached: 1, it cannot.", ["name"], () =>
    read.list("apiregistration.k8s.io", "apiservices", "").map(({ metadata, status }) => [[metadata.name], status?.conditions?.some(({ type, status: value }: { readonly type: string; readonly status: string }) => type === "Available" && value === "False") ? 1 : 0] as const));
}
