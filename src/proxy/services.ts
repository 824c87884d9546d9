/** From Services and EndpointSlices to what one node must do with a packet: a flat table, the same for every back end. */
import type { EndpointSlice } from "../kinds/discovery/endpointslice.ts";
import type { Service } from "../kinds/core/service.ts";

export type Family = "IPv4" | "IPv6";
export type Protocol = "tcp" | "udp" | "sctp";
export type Target = { readonly ip: string; readonly port: number };

/** One port of one service in one address family. */
export type ServicePort = {
  /** `namespace/name:port`. */
  readonly name: string;
  readonly protocol: Protocol;
  readonly port: number;
  readonly clusterIP: string;
  /** External and load-balancer addresses. */
  readonly externalIPs: readonly string[];
  /** CIDRs allowed to reach the load-balancer addresses; empty: all. */
  readonly sourceRanges: readonly string[];
  readonly loadBalancerIPs: readonly string[];
  readonly nodePort: number;
  /** Seconds that a client stays with its endpoint; 0: no affinity. */
  readonly affinitySeconds: number;
  readonly internalLocal: boolean;
  readonly externalLocal: boolean;
  readonly healthCheckNodePort: number;
  /** Endpoints for traffic with policy Cluster, and those of them on this node. */
  readonly targets: readonly Target[];
  readonly localTargets: readonly Target[];
  /** Addresses that still answer, those that end included. */
  readonly serving: readonly Target[];
};
export type NodeView = { readonly name: string; readonly zone: string };

type Endpoint = NonNullable<EndpointSlice["endpoints"]>[number];
type Candidate = Target & { readonly endpoint: Endpoint };

export function servicePorts(services: readonly Service[], slicesOf: (service: Service) => readonly EndpointSlice[], node: NodeView, family: Family): readonly ServicePort[] {
  return services.flatMap(service => portsOf(service, slicesOf(service).filter(slice => slice.addressType === family), node, family));
}

/** Labels that take a service, or an endpoint slice, from the service proxies (pkg/proxy/apis/well_known_labels.go): it has a proxy of its own, or is to be treated as headless. */
const exemptions = ["service.kubernetes.io/service-proxy-name", "service.kubernetes.io/headless"] as const;
/** The label by which this service or slice is none of ours, if it has one. */
export function exemptedBy({ metadata }: Pick<Service, "metadata">): string | undefined {
  return exemptions.find(label => metadata.labels?.[label] !== undefined);
}

function portsOf(service: Service, slices: readonly EndpointSlice[], node: NodeView, family: Family): readonly ServicePort[] {
  const { spec } = service;
  const isFamily = (ip: string): boolean => ip.includes(":") === (family === "IPv6");
  const clusterIP = (spec.clusterIPs ?? (spec.clusterIP ? [spec.clusterIP] : [])).find(ip => ip !== "None" && isFamily(ip));
  if (exemptedBy(service) !== undefined) return [];
  if (clusterIP === undefined || spec.type === "ExternalName") return [];
  const ingress = spec.type === "LoadBalancer" ? (service.status?.loadBalancer?.ingress ?? []).filter(({ ip, ipMode }) => ip !== undefined && isFamily(ip) && ipMode !== "Proxy") : [];
  return (spec.ports ?? []).map(port => {
    const candidates = candidatesOf(slices, port.name ?? "", port.protocol ?? "TCP");
    const local = candidates.filter(({ endpoint }) => endpoint.nodeName === node.name);
    // Where the load balancer says which ports it has, the others may be another service's by now.
    const loadBalancerIPs = ingress.flatMap(({ ip, ports = [] }) => (ip && (ports.length === 0 || ports.some(each => each.port === port.port && each.protocol === (port.protocol ?? "TCP") && each.error === undefined)) ? [ip] : []));
    return {
      name: `${service.metadata.namespace}/${service.metadata.name}:${port.name ?? port.port}`,
      protocol: (port.protocol ?? "TCP").toLowerCase() as Protocol,
      port: port.port, clusterIP,
      externalIPs: (spec.externalIPs ?? []).filter(isFamily), loadBalancerIPs,
      sourceRanges: loadBalancerIPs.length > 0 ? (spec.loadBalancerSourceRanges ?? []).filter(isFamily) : [],
      nodePort: port.nodePort ?? 0,
      affinitySeconds: spec.sessionAffinity === "ClientIP" ? spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800 : 0,
      internalLocal: spec.internalTrafficPolicy === "Local",
      externalLocal: spec.externalTrafficPolicy === "Local",
      healthCheckNodePort: spec.healthCheckNodePort ?? 0,
      targets: plain(usable(near(candidates, node))),
      localTargets: plain(usable(local)),
      serving: plain(candidates.filter(({ endpoint }) => endpoint.conditions?.serving ?? endpoint.conditions?.ready ?? true)),
    };
  });
}

function candidatesOf(slices: readonly EndpointSlice[], name: string, protocol: string): readonly Candidate[] {
  const found = new Map<string, Candidate>();
  for (const slice of slices.filter(slice => exemptedBy(slice) === undefined))
    for (const port of slice.ports ?? [])
      if ((port.name ?? "") === name && (port.protocol ?? "TCP") === protocol && port.port)
        // Only an endpoint's first address counts, as everywhere since discovery/v1.
        for (const endpoint of slice.endpoints ?? []) if (endpoint.addresses[0]) found.set(`${endpoint.addresses[0]} ${port.port}`, { ip: endpoint.addresses[0], port: port.port, endpoint });
  return [...found.values()];
}

/** The ready ones; while there is none, those that are ending but still serve (pkg/proxy/topology.go). */
function usable(candidates: readonly Candidate[]): readonly Candidate[] {
  const ready = candidates.filter(({ endpoint }) => endpoint.conditions?.ready ?? true);
  if (ready.length > 0) return ready;
  return candidates.filter(({ endpoint }) => (endpoint.conditions?.serving ?? false) && (endpoint.conditions?.terminating ?? false));
}

/** Follows topology hints, by node first, then by zone, as long as every ready endpoint has one and some are meant for us. */
function near(candidates: readonly Candidate[], node: NodeView): readonly Candidate[] {
  const ready = candidates.filter(({ endpoint }) => endpoint.conditions?.ready ?? true);
  if (ready.length === 0) return candidates;
  for (const [hints, mine] of [["forNodes", node.name], ["forZones", node.zone]] as const) {
    if (mine === "" || !ready.every(({ endpoint }) => (endpoint.hints?.[hints]?.length ?? 0) > 0)) continue;
    const meant = ready.filter(({ endpoint }) => endpoint.hints![hints]!.some(hint => hint.name === mine));
    if (meant.length > 0) return meant;
  }
  return candidates;
}

/** In address order, so that the same endpoints always give the same rules. */
function plain(candidates: readonly Candidate[]): readonly Target[] {
  return candidates.map(({ ip, port }) => ({ ip, port })).sort((a, b) => (a.ip === b.ip ? a.port - b.port : a.ip < b.ip ? -1 : 1));
}
