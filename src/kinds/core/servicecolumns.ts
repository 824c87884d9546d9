/** What `kubectl get services` shows (kubernetes pkg/printers/internalversion printService). */
import { ageColumn, labelsText, nameColumn } from "../columns.ts";
import type { Column, ObjectOf, Shape } from "../kind.ts";
import type { ServiceSpec, ServiceStatus } from "./service.ts";

type ServiceLike = ObjectOf<Shape> & { readonly spec: ServiceSpec; readonly status: ServiceStatus };

export const serviceColumns: readonly Column<ServiceLike>[] = [
  nameColumn,
  { name: "Type", type: "string", doc: "How the service can be reached.", cell: ({ spec }) => spec.type },
  { name: "Cluster-IP", type: "string", doc: "Address inside the cluster.", cell: ({ spec }) => spec.clusterIPs?.[0] ?? "<none>" },
  { name: "External-IP", type: "string", doc: "Addresses from outside of the cluster.", cell: externalAddresses },
  { name: "Port(s)", type: "string", doc: "Ports, with their node ports.", cell: ({ spec }) => (spec.ports ?? []).map(({ port, nodePort, protocol }) => (nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`)).join(",") || "<none>" },
  ageColumn,
  { name: "Selector", type: "string", priority: 1, doc: "Labels of the pods behind the service.", cell: ({ spec }) => labelsText(spec.selector) },
];

function externalAddresses({ spec, status }: ServiceLike): string {
  const given = spec.externalIPs ?? [];
  if (spec.type === "ExternalName") return spec.externalName ?? "";
  if (spec.type !== "LoadBalancer") return given.join(",") || "<none>";
  return [...loadBalancerAddresses(status.loadBalancer.ingress), ...given].join(",") || "<pending>";
}
/** Addresses that a load balancer reported, sorted; names where it has no address. */
export function loadBalancerAddresses(ingress: readonly { readonly ip?: string | undefined; readonly hostname?: string | undefined }[] | undefined): readonly string[] {
  return [...new Set((ingress ?? []).flatMap(({ ip, hostname }) => ip || hostname || []))].sort();
}
