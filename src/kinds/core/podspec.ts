import { Affinity, TopologySpreadConstraint } from "./affinity.ts";
import { Container, EphemeralContainer } from "./container.ts";
import { LocalObjectReference } from "./references.ts";
import { ResourceRequirements } from "./resources.ts";
import { PodSecurityContext } from "./security.ts";
import { Toleration } from "./toleration.ts";
import { Volume } from "./volume.ts";
import { ObjectMeta } from "../meta/objectmeta.ts";
import * as t from "../../schema/t.ts";

export const PodDNSConfigOption = t.object("io.k8s.api.core.v1.PodDNSConfigOption", {
  name: t.string().pb(1).doc("Name of the option."),
  value: t.string().pb(2).pointer().doc("Its value, if it takes one."),
});
export interface PodDNSConfigOption extends t.Stored<typeof PodDNSConfigOption> {}

export const PodDNSConfig = t.object("io.k8s.api.core.v1.PodDNSConfig", {
  nameservers: t.list(t.string()).pb(1).doc("Addresses of name servers, after those of the policy."),
  options: t.list(PodDNSConfigOption).pb(3).doc("Options of the resolver; these go before those of the policy."),
  searches: t.list(t.string()).pb(2).doc("Domains to search in, after those of the policy."),
});
export interface PodDNSConfig extends t.Stored<typeof PodDNSConfig> {}

export const HostAlias = t.object("io.k8s.api.core.v1.HostAlias", {
  hostnames: t.list(t.string()).pb(2).doc("Names for the address."),
  ip: t.string().pb(1).required().always("zero").doc("The address."),
});
export interface HostAlias extends t.Stored<typeof HostAlias> {}

export const PodOS = t.object("io.k8s.api.core.v1.PodOS", {
  name: t.string().pb(1).required().always("zero").doc("linux or windows."),
});
export interface PodOS extends t.Stored<typeof PodOS> {}

export const PodReadinessGate = t.object("io.k8s.api.core.v1.PodReadinessGate", {
  conditionType: t.string().pb(1).required().always("zero").doc("A condition that must be True for the pod to be ready."),
});
export interface PodReadinessGate extends t.Stored<typeof PodReadinessGate> {}

export const PodResourceClaim = t.object("io.k8s.api.core.v1.PodResourceClaim", {
  name: t.string().pb(1).required().always("zero").doc("What the pod's containers call the claim."),
  resourceClaimName: t.string().pb(3).pointer().doc("A claim of the same namespace."),
  resourceClaimTemplateName: t.string().pb(4).pointer().doc("A template from which a claim is made for this pod."),
});
export interface PodResourceClaim extends t.Stored<typeof PodResourceClaim> {}

export const PodSchedulingGate = t.object("io.k8s.api.core.v1.PodSchedulingGate", {
  name: t.string().pb(1).required().always("zero").doc("Name of the gate."),
});
export interface PodSchedulingGate extends t.Stored<typeof PodSchedulingGate> {}

export const PodSchedulingGroup = t.object("io.k8s.api.core.v1.PodSchedulingGroup", {
  podGroupName: t.string().pb(1).pointer().doc("The group of pods that are placed together."),
}).union({ members: {"podGroupName":"PodGroupName"} });
export interface PodSchedulingGroup extends t.Stored<typeof PodSchedulingGroup> {}

export const PodSpec = t.object("io.k8s.api.core.v1.PodSpec", {
  activeDeadlineSeconds: t.int64().pb(5).pointer().doc("How long after its start the pod is ended as failed."),
  affinity: Affinity.pb(18).doc("Where the pod should and must go."),
  automountServiceAccountToken: t.bool().pb(21).pointer().doc("Whether the containers get a token of the service account."),
  containers: t.listBy(Container, "name").pb(2).required().always("[]").mergeBy("name").doc("Containers that make up the pod."),
  dnsConfig: PodDNSConfig.pb(26).doc("Changes to what the DNS policy gives."),
  dnsPolicy: t.oneOf("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None").pb(6).default("ClusterFirst").doc("Whose name servers are asked first: the cluster's or the node's."),
  enableServiceLinks: t.bool().pb(30).pointer().doc("Whether addresses of the namespace's services appear in the environment."),
  ephemeralContainers: t.listBy(EphemeralContainer, "name").pb(34).mergeBy("name").doc("Containers added to the running pod for debugging."),
  hostAliases: t.listBy(HostAlias, "ip").pb(23).mergeBy("ip").doc("Lines to add to /etc/hosts."),
  hostIPC: t.bool().pb(13).doc("Whether the pod shares the node's interprocess communication."),
  hostNetwork: t.bool().pb(11).doc("Whether the pod has the node's network instead of its own."),
  hostPID: t.bool().pb(12).doc("Whether the pod sees the node's processes."),
  hostUsers: t.bool().pb(37).pointer().doc("Whether users in the pod are the node's; false gives it user ids of its own."),
  hostname: t.string().pb(16).doc("Host name of the pod; its own name if empty."),
  hostnameOverride: t.string().pb(41).pointer().doc("Host name that the pod sees, whatever the other fields say."),
  imagePullSecrets: t.listBy(LocalObjectReference, "name").pb(15).mergeBy("name").doc("Secrets with credentials for pulling the images."),
  initContainers: t.listBy(Container, "name").pb(20).mergeBy("name").doc("Containers run before the others, one after another."),
  nodeName: t.string().pb(10).doc("The node that the pod is bound to."),
  nodeSelector: t.map(t.string()).pb(7).atomic().doc("Labels that the node must have."),
  os: PodOS.pb(36).doc("Operating system of the pod."),
  overhead: t.map(t.quantity()).pb(32).doc("What the pod itself takes besides its containers, by resource."),
  preemptionPolicy: t.oneOf("Never", "PreemptLowerPriority").unchecked().pb(31).pointer().doc("Whether pods of lower priority may be evicted to make room."),
  priority: t.int32().pb(25).pointer().doc("Priority as a number, from the priority class."),
  priorityClassName: t.string().pb(24).doc("Name of the priority class."),
  readinessGates: t.list(PodReadinessGate).pb(28).doc("Conditions set by others without which the pod is not ready."),
  resourceClaims: t.listBy(PodResourceClaim, "name").pb(39).mergeBy("name").retainKeys().doc("Claims for devices, which containers refer to by name."),
  resources: ResourceRequirements.pb(40).doc("What all containers together need, and the most they may take."),
  restartPolicy: t.oneOf("Always", "Never", "OnFailure").pb(3).default("Always").doc("Whether containers that have ended are started again: Always, OnFailure or Never."),
  runtimeClassName: t.string().pb(29).pointer().doc("The runtime class, for another container runtime than the usual."),
  schedulerName: t.string().pb(19).default("default-scheduler").doc("The scheduler that places the pod."),
  schedulingGates: t.listBy(PodSchedulingGate, "name").pb(38).mergeBy("name").doc("What has to be removed before the pod is placed."),
  schedulingGroup: PodSchedulingGroup.pb(43).doc("Pods that have to be placed together with this one."),
  securityContext: PodSecurityContext.pb(14).default({}).doc("Rights of all containers, where they say nothing else."),
  serviceAccount: t.string().pb(9).doc("The older name of serviceAccountName."),
  serviceAccountName: t.string().pb(8).doc("The service account that the pod acts as."),
  setHostnameAsFQDN: t.bool().pb(35).pointer().doc("Whether the host name is the pod's fully qualified name."),
  shareProcessNamespace: t.bool().pb(27).pointer().doc("Whether the containers see each other's processes."),
  subdomain: t.string().pb(17).doc("Part of the pod's fully qualified name between its host name and namespace."),
  terminationGracePeriodSeconds: t.int64().pb(4).pointer().default(30).doc("How long the processes may take to end before they are killed."),
  tolerations: t.list(Toleration).pb(22).doc("Taints of nodes that the pod puts up with."),
  topologySpreadConstraints: t.listBy(TopologySpreadConstraint, "topologyKey", "whenUnsatisfiable").pb(33).mergeBy("topologyKey").doc("How pods like this one are spread over zones or nodes."),
  volumes: t.listBy(Volume, "name").pb(1).mergeBy("name").retainKeys().doc("Volumes that containers may mount."),
});
export interface PodSpec extends t.Stored<typeof PodSpec> {}

export const PodTemplateSpec = t.object("io.k8s.api.core.v1.PodTemplateSpec", {
  metadata: ObjectMeta.pb(1).always("{}").doc("Labels and annotations of the pods."),
  spec: PodSpec.pb(2).always("{}").doc("What the pods run."),
});
export interface PodTemplateSpec extends t.Stored<typeof PodTemplateSpec> {}
