import { ObjectReference } from "./references.ts";
import { ageColumn, nameColumn, upToThree } from "../columns.ts";
import { endpointsRules } from "../discovery/rules.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const EndpointAddress = t.object("io.k8s.api.core.v1.EndpointAddress", {
  hostname: t.string().pb(3),
  ip: t.string().pb(1).required().always("zero"),
  nodeName: t.string().pb(4).pointer(),
  targetRef: ObjectReference.pb(2),
}).atomic();
export interface EndpointAddress extends t.Stored<typeof EndpointAddress> {}

export const EndpointPort = t.object("io.k8s.api.core.v1.EndpointPort", {
  appProtocol: t.string().pb(4).pointer(),
  name: t.string().pb(1),
  port: t.int32().pb(2).required().always("zero"),
  protocol: t.oneOf("SCTP", "TCP", "UDP").pb(3).default("TCP"),
}).atomic();
export interface EndpointPort extends t.Stored<typeof EndpointPort> {}

export const EndpointSubset = t.object("io.k8s.api.core.v1.EndpointSubset", {
  addresses: t.list(EndpointAddress).pb(1),
  notReadyAddresses: t.list(EndpointAddress).pb(2),
  ports: t.list(EndpointPort).pb(3),
});
export interface EndpointSubset extends t.Stored<typeof EndpointSubset> {}

export const Endpoints = defineKind({
  group: "", version: "v1", kind: "Endpoints", plural: "endpoints", namespaced: true,
  shortNames: ["ep"],
  createOnUpdate: true,
  definition: "io.k8s.api.core.v1.Endpoints",
  doc: "Addresses behind a service, in the old form.",
  fields: {
    subsets: t.list(EndpointSubset).pb(2),
  },
  rules: endpointsRules,
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
