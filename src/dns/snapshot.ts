/** What the zone knew, written down: a name server that starts again answers from it until it has listed what exists. */
import { joinKey, keyOf, type Copy, type Index } from "../client/informer.ts";
import type { Service } from "../kinds/core/service.ts";
import type { ObjectMeta } from "../kinds/meta/objectmeta.ts";
import type { EndpointSlice } from "../kinds/discovery/endpointslice.ts";
import { clusterView } from "./cluster-view.ts";
import type { ClusterView } from "./cluster-zone.ts";

/** Services, and the slices of headless ones, with the fields that answers are made of. */
export type Snapshot = { readonly format: 1; readonly revision: number; readonly services: readonly Service[]; readonly slices: readonly EndpointSlice[] };

const isHeadless = (service: Service | undefined): boolean => service?.spec.clusterIP === "None";
const ownerOf = ({ metadata }: EndpointSlice): string => joinKey(metadata.namespace, metadata.labels?.["kubernetes.io/service-name"]);

export function snapshotOf(services: Copy<Service>, slices: Copy<EndpointSlice>, revision: number): Snapshot {
  return {
    format: 1, revision,
    services: services.list().map(({ metadata: { namespace, name }, spec: { type, clusterIP, clusterIPs, externalName, ports } }) => ({
      metadata: { namespace, name }, spec: { type, clusterIP, clusterIPs, externalName, ...(ports === undefined ? {} : { ports: ports.map(({ name: port, port: number, protocol }) => ({ name: port, port: number, protocol })) }) },
    }) as unknown as Service),
    slices: slices.list().filter(slice => isHeadless(services.get(ownerOf(slice)))).map(({ metadata: { namespace, name, labels }, ports, endpoints }) => ({
      metadata: { namespace, name, labels: { "kubernetes.io/service-name": labels?.["kubernetes.io/service-name"] } }, ports,
      endpoints: endpoints?.map(({ addresses, hostname, conditions }) => ({ addresses, hostname, conditions: { ready: conditions?.ready } })),
    }) as unknown as EndpointSlice),
  };
}
/** Whether a change of this slice may change an answer. */
export function concernsNames(slice: EndpointSlice, services: Pick<Copy<Service>, "get">): boolean {
  return isHeadless(services.get(ownerOf(slice)));
}

/** Answers by what was known; `unknown` throws for what was not, since it may exist by now. */
export function snapshotView({ services, slices }: Snapshot, unknown: () => never): ClusterView {
  const view = clusterView(copyOf(services), copyOf(slices), () => undefined);
  return {
    ...view,
    denying: unknown,
    servicesByAddress: address => { const found = view.servicesByAddress(address); return found.length > 0 ? found : unknown(); },
  };
}

/** A list as a local copy that nothing changes. */
export function copyOf<T extends { readonly metadata: ObjectMeta }>(objects: readonly T[]): Copy<T> {
  const byKey = new Map(objects.map(object => [keyOf(object), object]));
  const indexes = new Map<Index<T>, Map<string, T[]>>();
  const indexed = (index: Index<T>): Map<string, T[]> => {
    let found = indexes.get(index);
    if (found === undefined) {
      indexes.set(index, found = new Map());
      for (const object of objects) for (const value of index.valuesOf(object)) found.set(value, [...found.get(value) ?? [], object]);
    }
    return found;
  };
  return { get: key => byKey.get(key), list: () => objects, by: (index, value) => indexed(index).get(value) ?? [] };
}
