import { Condition } from "../meta/condition.ts";
import { serviceColumns } from "./servicecolumns.ts";
import { defaultService } from "./servicedefaults.ts";
import { balancerWarnings, serviceRules, serviceWarnings } from "./servicerules.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const ServicePort = t.object("io.k8s.api.core.v1.ServicePort", {
  appProtocol: t.string().pb(6).pointer().doc("Protocol spoken on the port, such as https or kubernetes.io/h2c."),
  name: t.string().pb(1).doc("Name of the port, needed where there are several."),
  nodePort: t.int32().pb(5).doc("Port of every node that leads to the service."),
  port: t.int32().pb(3).required().always("zero").doc("Port of the service."),
  protocol: t.oneOf("SCTP", "TCP", "UDP").pb(2).default("TCP", "published").doc("TCP, UDP or SCTP."),
  targetPort: t.intOrString().pb(4).always("zero").doc("Number or name of the pods' port; the same number if not given."),
});
export interface ServicePort extends t.Stored<typeof ServicePort> {}

export const ClientIPConfig = t.object("io.k8s.api.core.v1.ClientIPConfig", {
  timeoutSeconds: t.int32().pb(1).pointer().doc("How long a client stays with its pod."),
});
export interface ClientIPConfig extends t.Stored<typeof ClientIPConfig> {}

export const SessionAffinityConfig = t.object("io.k8s.api.core.v1.SessionAffinityConfig", {
  clientIP: ClientIPConfig.pb(1).doc("How it works for clients of the same address."),
});
export interface SessionAffinityConfig extends t.Stored<typeof SessionAffinityConfig> {}

export const ServiceSpec = t.object("io.k8s.api.core.v1.ServiceSpec", {
  allocateLoadBalancerNodePorts: t.bool().pb(20).pointer().doc("Whether a load balancer's service gets node ports."),
  clusterIP: t.string().pb(3).doc("Address within the cluster; None for a service without one."),
  clusterIPs: t.list(t.string()).pb(18).doc("The same, one per address family."),
  externalIPs: t.list(t.string()).pb(5).doc("Further addresses whose traffic the nodes take for the service."),
  externalName: t.string().pb(10).doc("DNS name that the service is an alias of."),
  externalTrafficPolicy: t.oneOf("Cluster", "Local").unchecked().pb(11).doc("Whether traffic from outside goes to any pod or only to those of the node it came to."),
  healthCheckNodePort: t.int32().pb(12).doc("Port at which nodes say whether they have pods of the service."),
  internalTrafficPolicy: t.oneOf("Cluster", "Local").pb(22).pointer().doc("Whether traffic from inside goes to any pod or only to those of the same node."),
  ipFamilies: t.list(t.oneOf("", "IPv4", "IPv6").unchecked()).pb(19).doc("IPv4, IPv6 or both, in order."),
  ipFamilyPolicy: t.oneOf("PreferDualStack", "RequireDualStack", "SingleStack").pb(17).pointer().doc("Whether one address family or two."),
  loadBalancerClass: t.string().pb(21).pointer().doc("Which load balancer takes care of it."),
  loadBalancerIP: t.string().pb(8).doc("Address asked of the load balancer."),
  loadBalancerSourceRanges: t.list(t.string()).pb(9).doc("Clients that the load balancer lets through."),
  ports: t.listBy(ServicePort, "port", "protocol").pb(1).mergeBy("port").doc("Ports of the service."),
  publishNotReadyAddresses: t.bool().pb(13).doc("Whether pods count although they are not ready."),
  selector: t.map(t.string()).pb(2).atomic().doc("Labels of the pods behind the service; without it someone else lists them."),
  sessionAffinity: t.oneOf("ClientIP", "None").pb(7).default("None").doc("Whether a client stays with one pod: None or ClientIP."),
  sessionAffinityConfig: SessionAffinityConfig.pb(14).doc("How long it stays."),
  trafficDistribution: t.string().pb(23).pointer().doc("Which pods are preferred, such as those close by."),
  type: t.oneOf("ClusterIP", "ExternalName", "LoadBalancer", "NodePort").pb(4).default("ClusterIP").doc("How the service is reached: ClusterIP, NodePort, LoadBalancer or ExternalName."),
});
export interface ServiceSpec extends t.Stored<typeof ServiceSpec> {}

export const PortStatus = t.object("io.k8s.api.core.v1.PortStatus", {
  error: t.string().pb(3).pointer().doc("What is wrong with the port."),
  port: t.int32().pb(1).required().always("zero").doc("Number of the port."),
  protocol: t.oneOf("SCTP", "TCP", "UDP").pb(2).required().always("zero").doc("Its protocol."),
});
export interface PortStatus extends t.Stored<typeof PortStatus> {}

export const LoadBalancerIngress = t.object("io.k8s.api.core.v1.LoadBalancerIngress", {
  hostname: t.string().pb(2).doc("Name of the load balancer."),
  ip: t.string().pb(1).doc("Address of the load balancer."),
  ipMode: t.string().pb(3).pointer().doc("Whether it passes packets on as they are (VIP) or in its own name (Proxy)."),
  ports: t.list(PortStatus).pb(4).doc("How each port is."),
});
export interface LoadBalancerIngress extends t.Stored<typeof LoadBalancerIngress> {}

export const LoadBalancerStatus = t.object("io.k8s.api.core.v1.LoadBalancerStatus", {
  ingress: t.list(LoadBalancerIngress).pb(1).doc("Where traffic comes in."),
});
export interface LoadBalancerStatus extends t.Stored<typeof LoadBalancerStatus> {}

export const ServiceStatus = t.object("io.k8s.api.core.v1.ServiceStatus", {
  conditions: t.listBy(Condition, "type").pb(2).mergeBy("type").doc("What is known about the object, one entry per aspect."),
  loadBalancer: LoadBalancerStatus.pb(1).always("{}").doc("What the load balancer offers."),
});
export interface ServiceStatus extends t.Stored<typeof ServiceStatus> {}

export const Service = defineKind({
  group: "", version: "v1", kind: "Service", plural: "services", namespaced: true, createOnUpdate: true,
  shortNames: ["svc"], categories: ["all"], subresources: ["proxy", "status"],
  returnDeleted: true,
  definition: "io.k8s.api.core.v1.Service",
  doc: "A stable name, address and set of ports in front of pods.",
  fields: {
    spec: ServiceSpec.pb(2).always("{}").doc("How the service is reached, and what is behind it."),
    status: ServiceStatus.pb(3).always("{}").doc("What has been set up for it."),
  },
  nameGrammar: "dns-1123-label",
  defaults: defaultService,
  rules: serviceRules,
  selectable: { "spec.clusterIP": service => service.spec.clusterIP ?? "", "spec.type": service => service.spec.type },
  warnings: serviceWarnings, statusWarnings: ({ status }) => balancerWarnings(status),
  columns: serviceColumns,
});
export interface Service extends Resource<typeof Service> {}
