import { TypedLocalObjectReference } from "../core/references.ts";
import { ServiceBackendPort } from "./types.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { ingressProblems } from "./ingressrules.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const IngressServiceBackend = t.object("io.k8s.api.networking.v1.IngressServiceBackend", {
  name: t.string().pb(1).required().always("zero"),
  port: ServiceBackendPort.pb(2).always("{}"),
});
export interface IngressServiceBackend extends t.Stored<typeof IngressServiceBackend> {}

export const IngressBackend = t.object("io.k8s.api.networking.v1.IngressBackend", {
  resource: TypedLocalObjectReference.pb(3),
  service: IngressServiceBackend.pb(4),
});
export interface IngressBackend extends t.Stored<typeof IngressBackend> {}

export const HTTPIngressPath = t.object("io.k8s.api.networking.v1.HTTPIngressPath", {
  backend: IngressBackend.pb(2).required().always("{}"),
  path: t.string().pb(1),
  pathType: t.oneOf("Exact", "ImplementationSpecific", "Prefix").pb(3).pointer().required().always("null"),
});
export interface HTTPIngressPath extends t.Stored<typeof HTTPIngressPath> {}

export const HTTPIngressRuleValue = t.object("io.k8s.api.networking.v1.HTTPIngressRuleValue", {
  paths: t.list(HTTPIngressPath).pb(1).required().always("[]"),
});
export interface HTTPIngressRuleValue extends t.Stored<typeof HTTPIngressRuleValue> {}

export const IngressRule = t.object("io.k8s.api.networking.v1.IngressRule", {
  host: t.string().pb(1),
  http: HTTPIngressRuleValue.pb(1).within(2),
});
export interface IngressRule extends t.Stored<typeof IngressRule> {}

export const IngressTLS = t.object("io.k8s.api.networking.v1.IngressTLS", {
  hosts: t.list(t.string()).pb(1),
  secretName: t.string().pb(2),
});
export interface IngressTLS extends t.Stored<typeof IngressTLS> {}

export const IngressSpec = t.object("io.k8s.api.networking.v1.IngressSpec", {
  defaultBackend: IngressBackend.pb(1),
  ingressClassName: t.string().pb(4).pointer(),
  rules: t.list(IngressRule).pb(3),
  tls: t.list(IngressTLS).pb(2),
});
export interface IngressSpec extends t.Stored<typeof IngressSpec> {}

export const IngressPortStatus = t.object("io.k8s.api.networking.v1.IngressPortStatus", {
  error: t.string().pb(3).pointer(),
  port: t.int32().pb(1).required().always("zero"),
  protocol: t.oneOf("SCTP", "TCP", "UDP").pb(2).required().always("zero"),
});
export interface IngressPortStatus extends t.Stored<typeof IngressPortStatus> {}

export const IngressLoadBalancerIngress = t.object("io.k8s.api.networking.v1.IngressLoadBalancerIngress", {
  hostname: t.string().pb(2),
  ip: t.string().pb(1),
  ports: t.list(IngressPortStatus).pb(4),
});
export interface IngressLoadBalancerIngress extends t.Stored<typeof IngressLoadBalancerIngress> {}

export const IngressLoadBalancerStatus = t.object("io.k8s.api.networking.v1.IngressLoadBalancerStatus", {
  ingress: t.list(IngressLoadBalancerIngress).pb(1),
});
export interface IngressLoadBalancerStatus extends t.Stored<typeof IngressLoadBalancerStatus> {}

export const IngressStatus = t.object("io.k8s.api.networking.v1.IngressStatus", {
  loadBalancer: IngressLoadBalancerStatus.pb(1).always("{}"),
});
export interface IngressStatus extends t.Stored<typeof IngressStatus> {}

export const Ingress = defineKind({
  group: "networking.k8s.io", version: "v1", kind: "Ingress", plural: "ingresses", namespaced: true,
  shortNames: ["ing"], subresources: ["status"],
  generation: true,
  definition: "io.k8s.api.networking.v1.Ingress",
  doc: "Routes HTTP from outside to services.",
  fields: {
    spec: IngressSpec.pb(2).always("{}"),
    status: IngressStatus.pb(3).always("{}"),
  },
  *rules(next, _previous, { subresource }) { if (subresource !== "status") yield* ingressProblems(next.spec); },
  columns: [
    nameColumn,
    { name: "Class", type: "string", doc: "Which controller serves it.", cell: ({ metadata, spec }) => spec.ingressClassName ?? metadata.annotations?.["kubernetes.io/ingress.class"] ?? "<none>" },
    { name: "Hosts", type: "string", doc: "Names it answers to.", cell: ({ spec }) => hostsText(spec) },
    { name: "Address", type: "string", doc: "Where it can be reached.", cell: ({ status }) => [...new Set((status.loadBalancer.ingress ?? []).flatMap(({ ip, hostname }) => ip || hostname || []))].sort().join(",") },
    { name: "Ports", type: "string", doc: "Ports it listens on.", cell: ({ spec }) => ((spec.tls ?? []).length > 0 ? "80, 443" : "80") },
    ageColumn,
  ],
});
export interface Ingress extends Resource<typeof Ingress> {}

function hostsText({ rules = [] }: IngressSpec): string {
  const hosts = rules.flatMap(({ host }) => host || []);
  if (hosts.length === 0) return "*";
  return hosts.length > 3 ? `${hosts.slice(0, 3).join(",")} + ${rules.length - 3} more...` : hosts.join(",");
}
