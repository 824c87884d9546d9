import { Taint } from "./toleration.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { sameJson } from "../../base/json.ts";
import { duplicate, forbidden, invalidValue } from "../../schema/problem.ts";
import { validateTaints } from "./affinityrules.ts";
import { cidrWarnings, validateCidr } from "./iprules.ts";
import { validateAmount } from "./resourcerules.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const ConfigMapNodeConfigSource = t.object("io.k8s.api.core.v1.ConfigMapNodeConfigSource", {
  kubeletConfigKey: t.string().pb(5).required().always("zero").doc("The key that holds the configuration."),
  name: t.string().pb(2).required().always("zero").doc("The config map."),
  namespace: t.string().pb(1).required().always("zero").doc("Its namespace."),
  resourceVersion: t.string().pb(4).doc("Its version; only in status."),
  uid: t.string().pb(3).doc("Its identity; only in status."),
});
export interface ConfigMapNodeConfigSource extends t.Stored<typeof ConfigMapNodeConfigSource> {}

export const NodeConfigSource = t.object("io.k8s.api.core.v1.NodeConfigSource", {
  configMap: ConfigMapNodeConfigSource.pb(2).doc("The config map to read it from."),
});
export interface NodeConfigSource extends t.Stored<typeof NodeConfigSource> {}

export const NodeSpec = t.object("io.k8s.api.core.v1.NodeSpec", {
  configSource: NodeConfigSource.pb(6).doc("No longer used."),
  externalID: t.string().pb(2).doc("No longer used."),
  podCIDR: t.string().pb(1).doc("Addresses for the node's pods."),
  podCIDRs: t.set(t.string()).pb(7).mergeBy().doc("The same, at most one range per address family."),
  providerID: t.string().pb(3).doc("What the cloud calls the machine."),
  taints: t.list(Taint).pb(5).doc("What keeps pods away that do not tolerate it."),
  unschedulable: t.bool().pb(4).doc("Whether new pods are kept away, as kubectl cordon does."),
});
export interface NodeSpec extends t.Stored<typeof NodeSpec> {}

export const NodeAddress = t.object("io.k8s.api.core.v1.NodeAddress", {
  address: t.string().pb(2).required().always("zero").doc("The address or name."),
  type: t.string().pb(1).required().always("zero").doc("What it is: Hostname, InternalIP, ExternalIP, InternalDNS or ExternalDNS."),
});
export interface NodeAddress extends t.Stored<typeof NodeAddress> {}

export const NodeCondition = t.object("io.k8s.api.core.v1.NodeCondition", {
  lastHeartbeatTime: t.time().pb(3).always("null").doc("When it was last reported."),
  lastTransitionTime: t.time().pb(4).always("null").doc("When the status last changed."),
  message: t.string().pb(6).doc("The same for people, in a sentence."),
  reason: t.string().pb(5).doc("Why it last changed, as one CamelCase word for programs."),
  status: t.string().pb(2).required().always("zero").doc("Whether it holds: True, False, or Unknown."),
  type: t.string().pb(1).required().always("zero").doc("Which aspect this is about."),
});
export interface NodeCondition extends t.Stored<typeof NodeCondition> {}

export const NodeConfigStatus = t.object("io.k8s.api.core.v1.NodeConfigStatus", {
  active: NodeConfigSource.pb(2).doc("The configuration in use."),
  assigned: NodeConfigSource.pb(1).doc("The configuration to be used."),
  error: t.string().pb(4).doc("What is wrong with it."),
  lastKnownGood: NodeConfigSource.pb(3).doc("The configuration to fall back to."),
});
export interface NodeConfigStatus extends t.Stored<typeof NodeConfigStatus> {}

export const DaemonEndpoint = t.object("io.k8s.api.core.v1.DaemonEndpoint", {
  Port: t.int32().pb(1).required().always("zero").doc("The port."),
});
export interface DaemonEndpoint extends t.Stored<typeof DaemonEndpoint> {}

export const NodeDaemonEndpoints = t.object("io.k8s.api.core.v1.NodeDaemonEndpoints", {
  kubeletEndpoint: DaemonEndpoint.pb(1).always("{}").doc("Where the kubelet listens."),
});
export interface NodeDaemonEndpoints extends t.Stored<typeof NodeDaemonEndpoints> {}

export const NodeFeatures = t.object("io.k8s.api.core.v1.NodeFeatures", {
  supplementalGroupsPolicy: t.bool().pb(1).pointer().doc("Whether supplementalGroupsPolicy of pods is understood."),
});
export interface NodeFeatures extends t.Stored<typeof NodeFeatures> {}

export const ContainerImage = t.object("io.k8s.api.core.v1.ContainerImage", {
  names: t.list(t.string()).pb(1).always("[]").doc("What the image is called, by tag and by digest."),
  sizeBytes: t.int64().pb(2).doc("Its size in bytes."),
});
export interface ContainerImage extends t.Stored<typeof ContainerImage> {}

export const NodeSwapStatus = t.object("io.k8s.api.core.v1.NodeSwapStatus", {
  capacity: t.int64().pb(1).pointer().doc("Swap space in bytes."),
});
export interface NodeSwapStatus extends t.Stored<typeof NodeSwapStatus> {}

export const NodeSystemInfo = t.object("io.k8s.api.core.v1.NodeSystemInfo", {
  architecture: t.string().pb(10).required().always("zero").doc("The processor, such as amd64."),
  bootID: t.string().pb(3).required().always("zero").doc("Changes with each start of the machine."),
  containerRuntimeVersion: t.string().pb(6).required().always("zero").doc("Name and version of the container runtime."),
  kernelVersion: t.string().pb(4).required().always("zero").doc("Version of the kernel."),
  kubeProxyVersion: t.string().pb(8).required().always("zero").doc("No longer used."),
  kubeletVersion: t.string().pb(7).required().always("zero").doc("Version of the node's agent."),
  machineID: t.string().pb(1).required().always("zero").doc("The machine's identity, as /etc/machine-id has it."),
  operatingSystem: t.string().pb(9).required().always("zero").doc("Such as linux."),
  osImage: t.string().pb(5).required().always("zero").doc("Name of the distribution."),
  swap: NodeSwapStatus.pb(11).doc("What swap space there is."),
  systemUUID: t.string().pb(2).required().always("zero").doc("The machine's identity, as its firmware has it."),
});
export interface NodeSystemInfo extends t.Stored<typeof NodeSystemInfo> {}

export const NodeRuntimeHandlerFeatures = t.object("io.k8s.api.core.v1.NodeRuntimeHandlerFeatures", {
  recursiveReadOnlyMounts: t.bool().pb(1).pointer().doc("Whether recursively read-only mounts work."),
  userNamespaces: t.bool().pb(2).pointer().doc("Whether user namespaces work."),
});
export interface NodeRuntimeHandlerFeatures extends t.Stored<typeof NodeRuntimeHandlerFeatures> {}

export const NodeRuntimeHandler = t.object("io.k8s.api.core.v1.NodeRuntimeHandler", {
  features: NodeRuntimeHandlerFeatures.pb(2).doc("What it can do."),
  name: t.string().pb(1).always("zero").doc("Its name; empty is the default one."),
});
export interface NodeRuntimeHandler extends t.Stored<typeof NodeRuntimeHandler> {}

export const AttachedVolume = t.object("io.k8s.api.core.v1.AttachedVolume", {
  devicePath: t.string().pb(2).required().always("zero").doc("Where the device appears on the node."),
  name: t.string().pb(1).required().always("zero").doc("Name of the volume."),
});
export interface AttachedVolume extends t.Stored<typeof AttachedVolume> {}

export const NodeStatus = t.object("io.k8s.api.core.v1.NodeStatus", {
  addresses: t.listBy(NodeAddress, "type").pb(5).mergeBy("type").doc("How the node is reached."),
  allocatable: t.map(t.quantity()).pb(2).doc("How much of each resource pods may have."),
  capacity: t.map(t.quantity()).pb(1).doc("How much of each resource the machine has."),
  conditions: t.listBy(NodeCondition, "type").pb(4).mergeBy("type").doc("What is known about the object, one entry per aspect."),
  config: NodeConfigStatus.pb(11).doc("No longer used."),
  daemonEndpoints: NodeDaemonEndpoints.pb(6).always("{}").doc("Ports of what runs on the node."),
  declaredFeatures: t.list(t.string()).pb(14).doc("Features that the node says it has."),
  features: NodeFeatures.pb(13).doc("What the runtime can do, whichever handler is used."),
  images: t.list(ContainerImage).pb(8).doc("Images present on the node."),
  nodeInfo: NodeSystemInfo.pb(7).always("{}").doc("Versions and identities of the machine and its software."),
  phase: t.oneOf("Pending", "Running", "Terminated").pb(3).doc("No longer used."),
  runtimeHandlers: t.list(NodeRuntimeHandler).pb(12).doc("Runtimes that a RuntimeClass may name."),
  volumesAttached: t.list(AttachedVolume).pb(10).doc("Volumes that are attached to the node."),
  volumesInUse: t.list(t.string()).pb(9).doc("Volumes that are attached and mounted."),
});
export interface NodeStatus extends t.Stored<typeof NodeStatus> {}

export const Node = defineKind({
  group: "", version: "v1", kind: "Node", plural: "nodes", namespaced: false,
  shortNames: ["no"], subresources: ["proxy", "status"],
  statusOnCreate: true,
  definition: "io.k8s.api.core.v1.Node",
  doc: "A machine that runs pods.",
  fields: {
    spec: NodeSpec.pb(2).always("{}").doc("Whether and how the node takes pods."),
    status: NodeStatus.pb(3).always("{}").doc("What the node has, and how it is."),
  },
  defaults({ spec, status }) {
    // Quirk: podCIDR is the first of podCIDRs, and each fills the other in (conversion of NodeSpec).
    if ((spec.podCIDR ?? "") !== "" && (spec.podCIDRs ?? []).length === 0) spec.podCIDRs = [spec.podCIDR];
    else if ((spec.podCIDR ?? "") !== "" && spec.podCIDRs[0] !== spec.podCIDR) spec.podCIDRs = [spec.podCIDR];
    else if ((spec.podCIDRs ?? []).length > 0) spec.podCIDR = spec.podCIDRs[0];
    if (status.allocatable === undefined && status.capacity !== undefined) status.allocatable = { ...status.capacity };
  },
  *warnings({ spec }) {
    if (spec.externalID) yield "spec.externalID: this field is deprecated, and is unused by Kubernetes";
    for (const [i, cidr] of (spec.podCIDRs ?? []).entries()) yield* cidrWarnings(cidr, `spec.podCIDRs[${i}]`);
  },
  // Behind a feature gate that is gone.
  prepare({ spec, status }) {
    if (spec.configSource !== undefined) delete spec.configSource;
    if (status.config !== undefined) delete status.config;
  },
  *rules(next, previous) {
    yield* validateTaints(next.spec.taints, "metadata.taints");
    for (const list of ["capacity", "allocatable"] as const) for (const [name, amount] of Object.entries(next.status[list] ?? {})) yield* validateAmount(name, amount, `status.${list}.${name}`);
    for (const [i, range] of (next.spec.podCIDRs ?? []).entries()) yield* validateCidr(range, `spec.podCIDRs[${i}]`);
    const families = (next.spec.podCIDRs ?? []).map(range => range.includes(":"));
    if (families.length > 2 || (families.length === 2 && families[0] === families[1])) yield invalidValue("spec.podCIDRs", next.spec.podCIDRs, "may specify no more than one CIDR for each IP family");
    if (previous === undefined) return;
    const addresses = next.status.addresses ?? [];
    for (const [i, address] of addresses.entries()) if (addresses.findIndex(other => sameJson(other, address)) < i) yield duplicate(`status.addresses[${i}]`, address);
    if ((previous.spec.podCIDRs ?? []).length > 0 && !sameJson(previous.spec.podCIDRs, next.spec.podCIDRs)) yield forbidden("spec.podCIDRs", 'node updates may not change podCIDR except from "" to valid');
    if (previous.spec.providerID && previous.spec.providerID !== next.spec.providerID) yield forbidden("spec.providerID", 'node updates may not change providerID except from "" to valid');
    // Upstream checks these once more.
    yield* validateTaints(next.spec.taints, "metadata.taints");
    if (previous.spec.externalID !== next.spec.externalID) yield forbidden("spec.externalID", "may not be updated");
  },
  selectable: { "spec.unschedulable": node => String(node.spec.unschedulable ?? false) },
  columns: [
    nameColumn,
    { name: "Status", type: "string", doc: "Whether the node is ready, and open for new pods.", cell: nodeStatus },
    { name: "Roles", type: "string", doc: "Roles, from the node's labels.", cell: node => nodeRoles(node.metadata.labels) },
    ageColumn,
    { name: "Version", type: "string", doc: "Version of the node agent.", cell: node => node.status.nodeInfo.kubeletVersion },
    { name: "Internal-IP", type: "string", priority: 1, doc: "Address in the cluster's network.", cell: node => nodeAddress(node, "InternalIP") },
    { name: "External-IP", type: "string", priority: 1, doc: "Address from outside.", cell: node => nodeAddress(node, "ExternalIP") },
    { name: "OS-Image", type: "string", priority: 1, doc: "Operating system.", cell: node => node.status.nodeInfo.osImage || "<unknown>" },
    { name: "Kernel-Version", type: "string", priority: 1, doc: "Version of the kernel.", cell: ({ status: { nodeInfo } }) => (nodeInfo.architecture ? `${nodeInfo.kernelVersion || "<unknown>"} (${nodeInfo.architecture})` : nodeInfo.kernelVersion || "<unknown>") },
    { name: "Container-Runtime", type: "string", priority: 1, doc: "Container runtime and its version.", cell: node => node.status.nodeInfo.containerRuntimeVersion || "<unknown>" },
  ],
});
export interface Node extends Resource<typeof Node> {}

type NodeLike = { readonly spec: NodeSpec; readonly status: NodeStatus };
function nodeStatus({ spec, status }: NodeLike): string {
  const ready = status.conditions?.find(({ type }) => type === "Ready");
  const state = ready === undefined ? "Unknown" : ready.status === "True" ? "Ready" : "NotReady";
  return spec.unschedulable === true ? `${state},SchedulingDisabled` : state;
}
function nodeRoles(labels: { readonly [key: string]: string } | undefined): string {
  const prefix = "node-role.kubernetes.io/";
  const roles = Object.entries(labels ?? {}).flatMap(([key, value]) => (key.startsWith(prefix) ? key.slice(prefix.length) || [] : key === "kubernetes.io/role" ? value || [] : []));
  return [...new Set(roles)].sort().join(",") || "<none>";
}
const nodeAddress = ({ status }: NodeLike, type: string): string => status.addresses?.find(address => address.type === type)?.address ?? "<none>";
