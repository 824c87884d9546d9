import { Taint } from "./toleration.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { sameJson } from "../../base/json.ts";
import { duplicate, forbidden } from "../../schema/problem.ts";
import { validateTaints } from "./affinityrules.ts";
import { validateCidr } from "./iprules.ts";
import { validateAmount } from "./resourcerules.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const ConfigMapNodeConfigSource = t.object("io.k8s.api.core.v1.ConfigMapNodeConfigSource", {
  kubeletConfigKey: t.string().pb(5).required().always("zero"),
  name: t.string().pb(2).required().always("zero"),
  namespace: t.string().pb(1).required().always("zero"),
  resourceVersion: t.string().pb(4),
  uid: t.string().pb(3),
});
export interface ConfigMapNodeConfigSource extends t.Stored<typeof ConfigMapNodeConfigSource> {}

export const NodeConfigSource = t.object("io.k8s.api.core.v1.NodeConfigSource", {
  configMap: ConfigMapNodeConfigSource.pb(2),
});
export interface NodeConfigSource extends t.Stored<typeof NodeConfigSource> {}

export const NodeSpec = t.object("io.k8s.api.core.v1.NodeSpec", {
  configSource: NodeConfigSource.pb(6),
  externalID: t.string().pb(2),
  podCIDR: t.string().pb(1),
  podCIDRs: t.set(t.string()).pb(7).mergeBy(),
  providerID: t.string().pb(3),
  taints: t.list(Taint).pb(5),
  unschedulable: t.bool().pb(4),
});
export interface NodeSpec extends t.Stored<typeof NodeSpec> {}

export const NodeAddress = t.object("io.k8s.api.core.v1.NodeAddress", {
  address: t.string().pb(2).required().always("zero"),
  type: t.string().pb(1).required().always("zero"),
});
export interface NodeAddress extends t.Stored<typeof NodeAddress> {}

export const NodeCondition = t.object("io.k8s.api.core.v1.NodeCondition", {
  lastHeartbeatTime: t.time().pb(3).always("null"),
  lastTransitionTime: t.time().pb(4).always("null"),
  message: t.string().pb(6),
  reason: t.string().pb(5),
  status: t.string().pb(2).required().always("zero"),
  type: t.string().pb(1).required().always("zero"),
});
export interface NodeCondition extends t.Stored<typeof NodeCondition> {}

export const NodeConfigStatus = t.object("io.k8s.api.core.v1.NodeConfigStatus", {
  active: NodeConfigSource.pb(2),
  assigned: NodeConfigSource.pb(1),
  error: t.string().pb(4),
  lastKnownGood: NodeConfigSource.pb(3),
});
export interface NodeConfigStatus extends t.Stored<typeof NodeConfigStatus> {}

export const DaemonEndpoint = t.object("io.k8s.api.core.v1.DaemonEndpoint", {
  Port: t.int32().pb(1).required().always("zero"),
});
export interface DaemonEndpoint extends t.Stored<typeof DaemonEndpoint> {}

export const NodeDaemonEndpoints = t.object("io.k8s.api.core.v1.NodeDaemonEndpoints", {
  kubeletEndpoint: DaemonEndpoint.pb(1).always("{}"),
});
export interface NodeDaemonEndpoints extends t.Stored<typeof NodeDaemonEndpoints> {}

export const NodeFeatures = t.object("io.k8s.api.core.v1.NodeFeatures", {
  supplementalGroupsPolicy: t.bool().pb(1).pointer(),
});
export interface NodeFeatures extends t.Stored<typeof NodeFeatures> {}

export const ContainerImage = t.object("io.k8s.api.core.v1.ContainerImage", {
  names: t.list(t.string()).pb(1).always("[]"),
  sizeBytes: t.int64().pb(2),
});
export interface ContainerImage extends t.Stored<typeof ContainerImage> {}

export const NodeSwapStatus = t.object("io.k8s.api.core.v1.NodeSwapStatus", {
  capacity: t.int64().pb(1).pointer(),
});
export interface NodeSwapStatus extends t.Stored<typeof NodeSwapStatus> {}

export const NodeSystemInfo = t.object("io.k8s.api.core.v1.NodeSystemInfo", {
  architecture: t.string().pb(10).required().always("zero"),
  bootID: t.string().pb(3).required().always("zero"),
  containerRuntimeVersion: t.string().pb(6).required().always("zero"),
  kernelVersion: t.string().pb(4).required().always("zero"),
  kubeProxyVersion: t.string().pb(8).required().always("zero"),
  kubeletVersion: t.string().pb(7).required().always("zero"),
  machineID: t.string().pb(1).required().always("zero"),
  operatingSystem: t.string().pb(9).required().always("zero"),
  osImage: t.string().pb(5).required().always("zero"),
  swap: NodeSwapStatus.pb(11),
  systemUUID: t.string().pb(2).required().always("zero"),
});
export interface NodeSystemInfo extends t.Stored<typeof NodeSystemInfo> {}

export const NodeRuntimeHandlerFeatures = t.object("io.k8s.api.core.v1.NodeRuntimeHandlerFeatures", {
  recursiveReadOnlyMounts: t.bool().pb(1).pointer(),
  userNamespaces: t.bool().pb(2).pointer(),
});
export interface NodeRuntimeHandlerFeatures extends t.Stored<typeof NodeRuntimeHandlerFeatures> {}

export const NodeRuntimeHandler = t.object("io.k8s.api.core.v1.NodeRuntimeHandler", {
  features: NodeRuntimeHandlerFeatures.pb(2),
  name: t.string().pb(1).always("zero"),
});
export interface NodeRuntimeHandler extends t.Stored<typeof NodeRuntimeHandler> {}

export const AttachedVolume = t.object("io.k8s.api.core.v1.AttachedVolume", {
  devicePath: t.string().pb(2).required().always("zero"),
  name: t.string().pb(1).required().always("zero"),
});
export interface AttachedVolume extends t.Stored<typeof AttachedVolume> {}

export const NodeStatus = t.object("io.k8s.api.core.v1.NodeStatus", {
  addresses: t.listBy(NodeAddress, "type").pb(5).mergeBy("type"),
  allocatable: t.map(t.quantity()).pb(2),
  capacity: t.map(t.quantity()).pb(1),
  conditions: t.listBy(NodeCondition, "type").pb(4).mergeBy("type"),
  config: NodeConfigStatus.pb(11),
  daemonEndpoints: NodeDaemonEndpoints.pb(6).always("{}"),
  declaredFeatures: t.list(t.string()).pb(14),
  features: NodeFeatures.pb(13),
  images: t.list(ContainerImage).pb(8),
  nodeInfo: NodeSystemInfo.pb(7).always("{}"),
  phase: t.oneOf("Pending", "Running", "Terminated").pb(3),
  runtimeHandlers: t.list(NodeRuntimeHandler).pb(12),
  volumesAttached: t.list(AttachedVolume).pb(10),
  volumesInUse: t.list(t.string()).pb(9),
});
export interface NodeStatus extends t.Stored<typeof NodeStatus> {}

export const Node = defineKind({
  group: "", version: "v1", kind: "Node", plural: "nodes", namespaced: false,
  shortNames: ["no"], subresources: ["proxy", "status"],
  statusOnCreate: true,
  definition: "io.k8s.api.core.v1.Node",
  doc: "A machine that runs pods.",
  fields: {
    spec: NodeSpec.pb(2).always("{}"),
    status: NodeStatus.pb(3).always("{}"),
  },
  defaults({ status }) {
    if (status.allocatable === undefined && status.capacity !== undefined) status.allocatable = { ...status.capacity };
  },
  *rules(next, previous) {
    yield* validateTaints(next.spec.taints, previous === undefined ? "metadata.taints" : "spec.taints");
    for (const list of ["capacity", "allocatable"] as const) for (const [name, amount] of Object.entries(next.status[list] ?? {})) yield* validateAmount(name, amount, `status.${list}.${name}`);
    for (const [i, range] of (next.spec.podCIDRs ?? []).entries()) yield* validateCidr(range, `spec.podCIDRs[${i}]`);
    if (previous === undefined) return;
    const addresses = next.status.addresses ?? [];
    for (const [i, address] of addresses.entries()) if (addresses.findIndex(other => sameJson(other, address)) < i) yield duplicate(`status.addresses[${i}]`, address);
    if ((previous.spec.podCIDRs ?? []).length > 0 && !sameJson(previous.spec.podCIDRs, next.spec.podCIDRs)) yield forbidden("spec.podCIDRs", 'node updates may not change podCIDR except from "" to valid');
    if (previous.spec.providerID && previous.spec.providerID !== next.spec.providerID) yield forbidden("spec.providerID", 'node updates may not change providerID except from "" to valid');
    if (previous.spec.externalID !== next.spec.externalID) yield forbidden("", "node updates may only change labels, taints, or capacity (or configSource, if the DynamicKubeletConfig feature gate is enabled)");
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
    { name: "Kernel-Version", type: "string", priority: 1, doc: "Version of the kernel.", cell: node => node.status.nodeInfo.kernelVersion || "<unknown>" },
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
