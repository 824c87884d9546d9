import { Condition } from "../meta/condition.ts";
import { serviceColumns } from "./servicecolumns.ts";
import { defaultService } from "./servicedefaults.ts";
import { serviceRules } from "./servicerules.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const ServicePort = t.object("io.k8s.api.core.v1.ServicePort", {
  appProtocol: t.string().pb(6).pointer(),
  name: t.string().pb(1),
  nodePort: t.int32().pb(5),
  port: t.int32().pb(3).required().always("zero"),
  protocol: t.oneOf("SCTP", "TCP", "UDP").pb(2).default("TCP", "published"),
  targetPort: t.intOrString().pb(4).always("zero"),
});
export interface ServicePort extends t.Stored<typeof ServicePort> {}

export const ClientIPConfig = t.object("io.k8s.api.core.v1.ClientIPConfig", {
  timeoutSeconds: t.int32().pb(1).pointer(),
});
export interface ClientIPConfig extends t.Stored<typeof ClientIPConfig> {}

export const SessionAffinityConfig = t.object("io.k8s.api.core.v1.SessionAffinityConfig", {
  clientIP: ClientIPConfig.pb(1),
});
export interface SessionAffinityConfig extends t.Stored<typeof SessionAffinityConfig> {}

export const ServiceSpec = t.object("io.k8s.api.core.v1.ServiceSpec", {
  allocateLoadBalancerNodePorts: t.bool().pb(20).pointer(),
  clusterIP: t.string().pb(3),
  clusterIPs: t.list(t.string()).pb(18),
  externalIPs: t.list(t.string()).pb(5),
  externalName: t.string().pb(10),
  externalTrafficPolicy: t.oneOf("Cluster", "Local").pb(11),
  healthCheckNodePort: t.int32().pb(12),
  internalTrafficPolicy: t.oneOf("Cluster", "Local").pb(22).pointer(),
  ipFamilies: t.list(t.oneOf("", "IPv4", "IPv6")).pb(19),
  ipFamilyPolicy: t.oneOf("PreferDualStack", "RequireDualStack", "SingleStack").pb(17).pointer(),
  loadBalancerClass: t.string().pb(21).pointer(),
  loadBalancerIP: t.string().pb(8),
  loadBalancerSourceRanges: t.list(t.string()).pb(9),
  ports: t.listBy(ServicePort, "port", "protocol").pb(1).mergeBy("port"),
  publishNotReadyAddresses: t.bool().pb(13),
  selector: t.map(t.string()).pb(2).atomic(),
  sessionAffinity: t.oneOf("ClientIP", "None").pb(7).default("None"),
  sessionAffinityConfig: SessionAffinityConfig.pb(14),
  trafficDistribution: t.string().pb(23).pointer(),
  type: t.oneOf("ClusterIP", "ExternalName", "LoadBalancer", "NodePort").pb(4).default("ClusterIP"),
});
export interface ServiceSpec extends t.Stored<typeof ServiceSpec> {}

export const PortStatus = t.object("io.k8s.api.core.v1.PortStatus", {
  error: t.string().pb(3).pointer(),
  port: t.int32().pb(1).required().always("zero"),
  protocol: t.oneOf("SCTP", "TCP", "UDP").pb(2).required().always("zero"),
});
export interface PortStatus extends t.Stored<typeof PortStatus> {}

export const LoadBalancerIngress = t.object("io.k8s.api.core.v1.LoadBalancerIngress", {
  hostname: t.string().pb(2),
  ip: t.string().pb(1),
  ipMode: t.string().pb(3).pointer(),
  ports: t.list(PortStatus).pb(4),
});
export interface LoadBalancerIngress extends t.Stored<typeof LoadBalancerIngress> {}

export const LoadBalancerStatus = t.object("io.k8s.api.core.v1.LoadBalancerStatus", {
  ingress: t.list(LoadBalancerIngress).pb(1),
});
export interface LoadBalancerStatus extends t.Stored<typeof LoadBalancerStatus> {}

export const ServiceStatus = t.object("io.k8s.api.core.v1.ServiceStatus", {
  conditions: t.listBy(Condition, "type").pb(2).mergeBy("type"),
  loadBalancer: LoadBalancerStatus.pb(1).always("{}"),
});
export interface ServiceStatus extends t.Stored<typeof ServiceStatus> {}

export const Service = defineKind({
  group: "", version: "v1", kind: "Service", plural: "services", namespaced: true,
  shortNames: ["svc"], categories: ["all"], subresources: ["proxy", "status"],
  returnDeleted: true,
  definition: "io.k8s.api.core.v1.Service",
  doc: "A stable name, address and set of ports in front of pods.",
  fields: {
    spec: ServiceSpec.pb(2).always("{}"),
    status: ServiceStatus.pb(3).always("{}"),
  },
  nameGrammar: "dns-1035-label",
  defaults: defaultService,
  rules: serviceRules,
  selectable: { "spec.clusterIP": service => service.spec.clusterIP ?? "", "spec.type": service => service.spec.type },
  columns: serviceColumns,
});
export interface Service extends Resource<typeof Service> {}
