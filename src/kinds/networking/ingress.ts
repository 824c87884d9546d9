import { TypedLocalObjectReference } from "../core/references.ts";
import { ServiceBackendPort } from "./types.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { ingressProblems, ingressStatusProblems } from "./ingressrules.ts";
import { balancerWarnings } from "../core/servicerules.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const IngressServiceBackend = t.object("io.k8s.api.networking.v1.IngressServiceBackend", {
  name: t.string().pb(1).required().always("zero").doc("The service."),
  port: ServiceBackendPort.pb(2).always("{}").doc("Its port."),
});
export interface IngressServiceBackend extends t.Stored<typeof IngressServiceBackend> {}

export const IngressBackend = t.object("io.k8s.api.networking.v1.IngressBackend", {
  resource: TypedLocalObjectReference.pb(3).doc("Another object of the namespace that answers."),
  service: IngressServiceBackend.pb(4).doc("A service that answers."),
});
export interface IngressBackend extends t.Stored<typeof IngressBackend> {}

export const HTTPIngressPath = t.object("io.k8s.api.networking.v1.HTTPIngressPath", {
  backend: IngressBackend.pb(2).required().always("{}").doc("What answers."),
  path: t.string().pb(1).doc("The path."),
  pathType: t.oneOf("Exact", "ImplementationSpecific", "Prefix").pb(3).pointer().required().always("null").unchecked().doc("How the path is compared: Exact, Prefix or ImplementationSpecific."),
});
export interface HTTPIngressPath extends t.Stored<typeof HTTPIngressPath> {}

export const HTTPIngressRuleValue = t.object("io.k8s.api.networking.v1.HTTPIngressRuleValue", {
  paths: t.list(HTTPIngressPath).pb(1).required().always("[]").doc("Paths, and what answers them."),
});
export interface HTTPIngressRuleValue extends t.Stored<typeof HTTPIngressRuleValue> {}

export const IngressRule = t.object("io.k8s.api.networking.v1.IngressRule", {
  host: t.string().pb(1).doc("Host name of the request, where *. may stand for one label; all if empty."),
  http: HTTPIngressRuleValue.pb(1).within(2).doc("What answers, by path."),
});
export interface IngressRule extends t.Stored<typeof IngressRule> {}

export const IngressTLS = t.object("io.k8s.api.networking.v1.IngressTLS", {
  hosts: t.list(t.string()).pb(1).doc("Host names that the certificate is for."),
  secretName: t.string().pb(2).doc("Secret with certificate and key."),
});
export interface IngressTLS extends t.Stored<typeof IngressTLS> {}

export const IngressSpec = t.object("io.k8s.api.networking.v1.IngressSpec", {
  defaultBackend: IngressBackend.pb(1).doc("What answers when no rule matches."),
  ingressClassName: t.string().pb(4).pointer().doc("The ingress class that takes care of it."),
  rules: t.list(IngressRule).pb(3).doc("What answers, by host and path."),
  tls: t.list(IngressTLS).pb(2).doc("Certificates, by host."),
});
export interface IngressSpec extends t.Stored<typeof IngressSpec> {}

export const IngressPortStatus = t.object("io.k8s.api.networking.v1.IngressPortStatus", {
  error: t.string().pb(3).pointer().doc("What is wrong with the port."),
  port: t.int32().pb(1).required().always("zero").doc("Number of the port."),
  protocol: t.oneOf("SCTP", "TCP", "UDP").pb(2).required().always("zero").doc("Its protocol."),
});
export interface IngressPortStatus extends t.Stored<typeof IngressPortStatus> {}

export const IngressLoadBalancerIngress = t.object("io.k8s.api.networking.v1.IngressLoadBalancerIngress", {
  hostname: t.string().pb(2).doc("Name of the load balancer."),
  ip: t.string().pb(1).doc("Address of the load balancer."),
  ports: t.list(IngressPortStatus).pb(4).doc("How each port is."),
});
export interface IngressLoadBalancerIngress extends t.Stored<typeof IngressLoadBalancerIngress> {}

export const IngressLoadBalancerStatus = t.object("io.k8s.api.networking.v1.IngressLoadBalancerStatus", {
  ingress: t.list(IngressLoadBalancerIngress).pb(1).doc("Where traffic comes in."),
});
export interface IngressLoadBalancerStatus extends t.Stored<typeof IngressLoadBalancerStatus> {}

export const IngressStatus = t.object("io.k8s.api.networking.v1.IngressStatus", {
  loadBalancer: IngressLoadBalancerStatus.pb(1).always("{}").doc("What the load balancer offers."),
});
export interface IngressStatus extends t.Stored<typeof IngressStatus> {}

/** How a class was named before there was a field. */
const classAnnotation = "kubernetes.io/ingress.class";

export const Ingress = defineKind({
  group: "networking.k8s.io", version: "v1", kind: "Ingress", plural: "ingresses", namespaced: true,
  shortNames: ["ing"], subresources: ["status"],
  generation: true,
  definition: "io.k8s.api.networking.v1.Ingress",
  doc: "Routes HTTP from outside to services.",
  fields: {
    spec: IngressSpec.pb(2).always("{}").doc("Which requests go where."),
    status: IngressStatus.pb(3).always("{}").doc("What has been set up for it."),
  },
  *rules(next, previous, { subresource }) { yield* subresource === "status" ? ingressStatusProblems(next.status, previous?.status) : ingressProblems(next.spec); },
  *warnings({ metadata, spec }, previous) {
    if (previous === undefined && metadata.annotations?.[classAnnotation] !== undefined && spec.ingressClassName === undefined) yield `annotation "${classAnnotation}" is deprecated, please use 'spec.ingressClassName' instead`;
  },
  statusWarnings: ({ status }) => balancerWarnings(status),
  columns: [
    nameColumn,
    { name: "Class", type: "string", doc: "Which controller serves it.", cell: ({ spec }) => spec.ingressClassName ?? "<none>" },
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
