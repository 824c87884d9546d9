/** What the zone needs to know, from local copies of services and slices. */
import { byNamespace, joinKey, type Copy, type Index } from "../client/informer.ts";
import type { Service } from "../kinds/core/service.ts";
import type { EndpointSlice } from "../kinds/discovery/endpointslice.ts";
import type { ClusterView } from "./cluster-zone.ts";

const serviceOf: Index<EndpointSlice> = { name: "dns service", valuesOf: ({ metadata }) => [joinKey(metadata.namespace, metadata.labels?.["kubernetes.io/service-name"])] };
const byClusterIP: Index<Service> = { name: "cluster IP", valuesOf: ({ spec }) => spec.clusterIPs ?? (spec.clusterIP ? [spec.clusterIP] : []) };
const byEndpoint: Index<EndpointSlice> = { name: "endpoint", valuesOf: slice => (slice.endpoints ?? []).flatMap(({ addresses }) => [...addresses]) };

/** Thrown for what is asked before it is known whether it exists; the answer may be had after `known`. */
export class NotKnownYet extends Error {
  readonly known: Promise<void>;
  constructor(known: Promise<void>) {
    super("the cluster's services are not known yet");
    this.known = known;
  }
}

/** `known` throws while the copies are not complete: better no answer than a wrong one. */
export function clusterView(services: Copy<Service>, slices: Copy<EndpointSlice>, known: () => void): ClusterView {
  return {
    service: (namespace, name) => {
      known();
      return services.get(joinKey(namespace, name));
    },
    slices: (namespace, service) => slices.by(serviceOf, joinKey(namespace, service)),
    hasServices: namespace => {
      known();
      return services.by(byNamespace, namespace).length > 0;
    },
    // As CoreDNS with "pods insecure", kubeadm's default: pod names are computed, not looked up.
    podExists: () => true,
    servicesByAddress: address => {
      known();
      const headless = slices.by(byEndpoint, address).flatMap(({ metadata }) => services.get(joinKey(metadata.namespace, metadata.labels?.["kubernetes.io/service-name"])) ?? []);
      return [...new Set([...services.by(byClusterIP, address), ...headless.filter(({ spec }) => spec.clusterIP === "None")])];
    },
  };
}
