import { sameJson } from "../../base/json.ts";
import { ObjectReference } from "../core/references.ts";
import { ageColumn, nameColumn, upToThree } from "../columns.ts";
import { endpointSliceRules } from "./rules.ts";
import { ipWarnings } from "../core/iprules.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const EndpointConditions = t.object("io.k8s.api.discovery.v1.EndpointConditions", {
  ready: t.bool().pb(1).pointer().doc("Whether the endpoint should be sent to."),
  serving: t.bool().pb(2).pointer().doc("Whether it can answer, even while it is going."),
  terminating: t.bool().pb(3).pointer().doc("Whether it is going."),
});
export interface EndpointConditions extends t.Stored<typeof EndpointConditions> {}

export const ForNode = t.object("io.k8s.api.discovery.v1.ForNode", {
  name: t.string().pb(1).required().always("zero").doc("Name of the node."),
});
export interface ForNode extends t.Stored<typeof ForNode> {}

export const ForZone = t.object("io.k8s.api.discovery.v1.ForZone", {
  name: t.string().pb(1).required().always("zero").doc("Name of the zone."),
});
export interface ForZone extends t.Stored<typeof ForZone> {}

export const EndpointHints = t.object("io.k8s.api.discovery.v1.EndpointHints", {
  forNodes: t.list(ForNode).pb(2).doc("Nodes that should use this endpoint."),
  forZones: t.list(ForZone).pb(1).doc("Zones that should use this endpoint."),
});
export interface EndpointHints extends t.Stored<typeof EndpointHints> {}

export const Endpoint = t.object("io.k8s.api.discovery.v1.Endpoint", {
  addresses: t.set(t.string()).pb(1).required().always("[]").doc("Its addresses, of which the first is used."),
  conditions: EndpointConditions.pb(2).always("{}").doc("Whether it is ready, serving, or going."),
  deprecatedTopology: t.map(t.string()).pb(5).doc("Labels of its node, in the older form."),
  hints: EndpointHints.pb(8).doc("Who should use it."),
  hostname: t.string().pb(3).pointer().doc("Its host name."),
  nodeName: t.string().pb(6).pointer().doc("Node that it is on."),
  targetRef: ObjectReference.pb(4).doc("The object behind it, usually a pod."),
  zone: t.string().pb(7).pointer().doc("Zone that it is in."),
});
export interface Endpoint extends t.Stored<typeof Endpoint> {}

export const EndpointPort = t.object("io.k8s.api.discovery.v1.EndpointPort", {
  appProtocol: t.string().pb(4).pointer().doc("Protocol spoken on the port, such as https or kubernetes.io/h2c."),
  name: t.string().pb(1).pointer().default("").doc("Name of the service's port that this one stands for."),
  port: t.int32().pb(3).pointer().doc("Number of the port."),
  protocol: t.oneOf("SCTP", "TCP", "UDP").pb(2).pointer().default("TCP").doc("UDP, TCP or SCTP."),
}).atomic();
export interface EndpointPort extends t.Stored<typeof EndpointPort> {}

export const EndpointSlice = defineKind({
  group: "discovery.k8s.io", version: "v1", kind: "EndpointSlice", plural: "endpointslices", namespaced: true,
  generation: true, generationBy: "labels", createOnUpdate: true,
  definition: "io.k8s.api.discovery.v1.EndpointSlice",
  doc: "Part of the addresses behind a service.",
  fields: {
    addressType: t.oneOf("FQDN", "IPv4", "IPv6").unchecked().pb(4).required().always("zero").doc("What the addresses are: IPv4, IPv6 or FQDN."),
    endpoints: t.list(Endpoint).pb(2).always("[]").doc("The endpoints."),
    ports: t.list(EndpointPort).pb(3).always("[]").doc("Ports of each of the endpoints."),
  },
  // Not to be written any more, but for endpoints that stay as they are (strategy.go dropTopologyOnV1; nothing here has the version that could write it).
  prepare({ endpoints }, previous) {
    if (previous === undefined || !sameJson(previous.endpoints, endpoints)) for (const endpoint of endpoints) if (endpoint.deprecatedTopology !== undefined) delete endpoint.deprecatedTopology;
  },
  rules: endpointSliceRules,
  *warnings({ metadata, addressType, endpoints }, previous) {
    if (previous === undefined && addressType === "FQDN") yield "spec.addressType: FQDN endpoints are deprecated";
    // Our own controllers write no address oddly.
    if (["endpointslice-controller.k8s.io", "endpointslicemirroring-controller.k8s.io"].includes(metadata.labels?.["endpointslice.kubernetes.io/managed-by"] ?? "")) return;
    for (const [i, { addresses }] of (endpoints ?? []).entries()) for (const [j, address] of (addresses ?? []).entries()) yield* ipWarnings(address, `endpoints[${i}].addresses[${j}]`);
  },
  columns: [
    nameColumn,
    { name: "AddressType", type: "string", doc: "Kind of address in the slice.", cell: ({ addressType }) => addressType },
    { name: "Ports", type: "string", doc: "Ports, three at most.", cell: ({ ports }) => upToThree(ports.map(({ port, name }) => (port === undefined ? (name ?? "*") : String(port))), ports.length) || "<unset>" },
    { name: "Endpoints", type: "string", doc: "Addresses, three at most.", cell: ({ endpoints }) => { const all = endpoints.flatMap(({ addresses }) => addresses); return upToThree(all, all.length) || "<unset>"; } },
    ageColumn,
  ],
});
export interface EndpointSlice extends Resource<typeof EndpointSlice> {}
