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
  name: t.string().pb(1),
  value: t.string().pb(2).pointer(),
});
export interface PodDNSConfigOption extends t.Stored<typeof PodDNSConfigOption> {}

export const PodDNSConfig = t.object("io.k8s.api.core.v1.PodDNSConfig", {
  nameservers: t.list(t.string()).pb(1),
  options: t.list(PodDNSConfigOption).pb(3),
  searches: t.list(t.string()).pb(2),
});
export interface PodDNSConfig extends t.Stored<typeof PodDNSConfig> {}

export const HostAlias = t.object("io.k8s.api.core.v1.HostAlias", {
  hostnames: t.list(t.string()).pb(2),
  ip: t.string().pb(1).required().always("zero"),
});
export interface HostAlias extends t.Stored<typeof HostAlias> {}

export const PodOS = t.object("io.k8s.api.core.v1.PodOS", {
  name: t.string().pb(1).required().always("zero"),
});
export interface PodOS extends t.Stored<typeof PodOS> {}

export const PodReadinessGate = t.object("io.k8s.api.core.v1.PodReadinessGate", {
  conditionType: t.string().pb(1).required().always("zero"),
});
export interface PodReadinessGate extends t.Stored<typeof PodReadinessGate> {}

export const PodResourceClaim = t.object("io.k8s.api.core.v1.PodResourceClaim", {
  name: t.string().pb(1).required().always("zero"),
  resourceClaimName: t.string().pb(3).pointer(),
  resourceClaimTemplateName: t.string().pb(4).pointer(),
});
export interface PodResourceClaim extends t.Stored<typeof PodResourceClaim> {}

export const PodSchedulingGate = t.object("io.k8s.api.core.v1.PodSchedulingGate", {
  name: t.string().pb(1).required().always("zero"),
});
export interface PodSchedulingGate extends t.Stored<typeof PodSchedulingGate> {}

export const PodSchedulingGroup = t.object("io.k8s.api.core.v1.PodSchedulingGroup", {
  podGroupName: t.string().pb(1).pointer(),
}).union({ members: {"podGroupName":"PodGroupName"} });
export interface PodSchedulingGroup extends t.Stored<typeof PodSchedulingGroup> {}

export const PodSpec = t.object("io.k8s.api.core.v1.PodSpec", {
  activeDeadlineSeconds: t.int64().pb(5).pointer(),
  affinity: Affinity.pb(18),
  automountServiceAccountToken: t.bool().pb(21).pointer(),
  containers: t.listBy(Container, "name").pb(2).required().always("[]").mergeBy("name"),
  dnsConfig: PodDNSConfig.pb(26),
  dnsPolicy: t.oneOf("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None").pb(6).default("ClusterFirst"),
  enableServiceLinks: t.bool().pb(30).pointer(),
  ephemeralContainers: t.listBy(EphemeralContainer, "name").pb(34).mergeBy("name"),
  hostAliases: t.listBy(HostAlias, "ip").pb(23).mergeBy("ip"),
  hostIPC: t.bool().pb(13),
  hostNetwork: t.bool().pb(11),
  hostPID: t.bool().pb(12),
  hostUsers: t.bool().pb(37).pointer(),
  hostname: t.string().pb(16),
  hostnameOverride: t.string().pb(41).pointer(),
  imagePullSecrets: t.listBy(LocalObjectReference, "name").pb(15).mergeBy("name"),
  initContainers: t.listBy(Container, "name").pb(20).mergeBy("name"),
  nodeName: t.string().pb(10),
  nodeSelector: t.map(t.string()).pb(7).atomic(),
  os: PodOS.pb(36),
  overhead: t.map(t.quantity()).pb(32),
  preemptionPolicy: t.oneOf("Never", "PreemptLowerPriority").pb(31).pointer(),
  priority: t.int32().pb(25).pointer(),
  priorityClassName: t.string().pb(24),
  readinessGates: t.list(PodReadinessGate).pb(28),
  resourceClaims: t.listBy(PodResourceClaim, "name").pb(39).mergeBy("name").retainKeys(),
  resources: ResourceRequirements.pb(40),
  restartPolicy: t.oneOf("Always", "Never", "OnFailure").pb(3).default("Always"),
  runtimeClassName: t.string().pb(29).pointer(),
  schedulerName: t.string().pb(19).default("default-scheduler"),
  schedulingGates: t.listBy(PodSchedulingGate, "name").pb(38).mergeBy("name"),
  schedulingGroup: PodSchedulingGroup.pb(43),
  securityContext: PodSecurityContext.pb(14).default({}),
  serviceAccount: t.string().pb(9),
  serviceAccountName: t.string().pb(8),
  setHostnameAsFQDN: t.bool().pb(35).pointer(),
  shareProcessNamespace: t.bool().pb(27).pointer(),
  subdomain: t.string().pb(17),
  terminationGracePeriodSeconds: t.int64().pb(4).pointer().default(30),
  tolerations: t.list(Toleration).pb(22),
  topologySpreadConstraints: t.listBy(TopologySpreadConstraint, "topologyKey", "whenUnsatisfiable").pb(33).mergeBy("topologyKey"),
  volumes: t.listBy(Volume, "name").pb(1).mergeBy("name").retainKeys(),
});
export interface PodSpec extends t.Stored<typeof PodSpec> {}

export const PodTemplateSpec = t.object("io.k8s.api.core.v1.PodTemplateSpec", {
  metadata: ObjectMeta.pb(1).always("{}"),
  spec: PodSpec.pb(2).always("{}"),
});
export interface PodTemplateSpec extends t.Stored<typeof PodTemplateSpec> {}
