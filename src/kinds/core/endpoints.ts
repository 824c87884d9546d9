import { ObjectReference } from "./references.ts";
import { ageColumn, nameColumn, upToThree } from "../columns.ts";
import { endpointsRules } from "../discovery/rules.ts";
import { ipWarnings } from "./iprules.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const EndpointAddress = t.object("io.k8s.api.core.v1.EndpointAddress", {
  hostname: t.string().pb(3).doc("Name of this address."),
  ip: t.string().pb(1).required().always("zero").doc("The address."),
  nodeName: t.string().pb(4).pointer().doc("Node that the address is on."),
  targetRef: ObjectReference.pb(2).doc("The object behind the address, usually a pod."),
}).atomic();
export interface EndpointAddress extends t.Stored<typeof EndpointAddress> {}

export const EndpointPort = t.object("io.k8s.api.core.v1.EndpointPort", {
  appProtocol: t.string().pb(4).pointer().doc("Protocol spoken on the port, such as https or kubernetes.io/h2c."),
  name: t.string().pb(1).doc("Name of the service's port that this one stands for."),
  port: t.int32().pb(2).required().always("zero").doc("Number of the port."),
  protocol: t.oneOf("SCTP", "TCP", "UDP").pb(3).default("TCP").doc("UDP, TCP or SCTP."),
}).atomic();
export interface EndpointPort extends t.Stored<typeof EndpointPort> {}

export const EndpointSubset = t.object("io.k8s.api.core.v1.EndpointSubset", {
  addresses: t.list(EndpointAddress).pb(1).doc("Addresses that may be sent to."),
  notReadyAddresses: t.list(EndpointAddress).pb(2).doc("Addresses whose pods are not ready."),
  ports: t.list(EndpointPort).pb(3).doc("Ports of each of these addresses."),
});
export interface EndpointSubset extends t.Stored<typeof EndpointSubset> {}

export const Endpoints = defineKind({
  group: "", version: "v1", kind: "Endpoints", plural: "endpoints", namespaced: true,
  shortNames: ["ep"], deprecated: "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
  createOnUpdate: true,
  definition: "io.k8s.api.core.v1.Endpoints",
  doc: "Addresses behind a service, in the old form.",
  fields: {
    subsets: t.list(EndpointSubset).pb(2).doc("Addresses and ports; each subset stands for all combinations of its own."),
  },
  rules: endpointsRules,
  *warnings({ metadata, subsets }) {
    if (metadata.labels?.["endpoints.kubernetes.io/managed-by"] === "endpoint-controller") return;
    for (const [i, subset] of (subsets ?? []).entries()) for (const list of ["addresses", "notReadyAddresses"] as const) for (const [j, { ip }] of (subset[list] ?? []).entries()) yield* ipWarnings(ip, `subsets[${i}].${list}[${j}].ip`);
  },
  columns: [
    nameColumn,
    { name: "Endpoints", type: "string", doc: "Addresses and ports, three at most.", cell: endpointsText },
    ageColumn,
  ],
});
export interface Endpoints extends Resource<typeof Endpoints> {}

function endpointsText({ subsets }: { readonly subsets?: readonly EndpointSubset[] | undefined }): string {
  if (subsets === undefined) return "<none>";
  const all = subsets.flatMap(({ addresses = [], ports = [] }) => (ports.length === 0 ? addresses.map(({ ip }) => ip)
    : ports.flatMap(({ port }) => addresses.map(({ ip }) => (ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`)))));
  return upToThree(all, all.length);
}
