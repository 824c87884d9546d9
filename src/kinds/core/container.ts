import { EnvFromSource, EnvVar } from "./env.ts";
import { Lifecycle, Probe } from "./probe.ts";
import { ContainerResizePolicy, ResourceRequirements } from "./resources.ts";
import { SecurityContext } from "./security.ts";
import * as t from "../../schema/t.ts";

export const ContainerPort = t.object("io.k8s.api.core.v1.ContainerPort", {
  containerPort: t.int32().pb(3).required().always("zero"),
  hostIP: t.string().pb(5),
  hostPort: t.int32().pb(2),
  name: t.string().pb(1),
  protocol: t.oneOf("SCTP", "TCP", "UDP").pb(4).default("TCP", "published"),
});
export interface ContainerPort extends t.Stored<typeof ContainerPort> {}

export const ContainerRestartRuleOnExitCodes = t.object("io.k8s.api.core.v1.ContainerRestartRuleOnExitCodes", {
  operator: t.string().pb(1).required(),
  values: t.set(t.int32()).pb(2),
});
export interface ContainerRestartRuleOnExitCodes extends t.Stored<typeof ContainerRestartRuleOnExitCodes> {}

export const ContainerRestartRule = t.object("io.k8s.api.core.v1.ContainerRestartRule", {
  action: t.string().pb(1).required(),
  exitCodes: ContainerRestartRuleOnExitCodes.pb(2),
});
export interface ContainerRestartRule extends t.Stored<typeof ContainerRestartRule> {}

export const VolumeDevice = t.object("io.k8s.api.core.v1.VolumeDevice", {
  devicePath: t.string().pb(2).required().always("zero"),
  name: t.string().pb(1).required().always("zero"),
});
export interface VolumeDevice extends t.Stored<typeof VolumeDevice> {}

export const VolumeMount = t.object("io.k8s.api.core.v1.VolumeMount", {
  mountPath: t.string().pb(3).required().always("zero"),
  mountPropagation: t.oneOf("Bidirectional", "HostToContainer", "None").pb(5).pointer(),
  name: t.string().pb(1).required().always("zero"),
  readOnly: t.bool().pb(2),
  recursiveReadOnly: t.string().pb(7).pointer(),
  subPath: t.string().pb(4),
  subPathExpr: t.string().pb(6),
});
export interface VolumeMount extends t.Stored<typeof VolumeMount> {}

export const Container = t.object("io.k8s.api.core.v1.Container", {
  args: t.list(t.string()).pb(4),
  command: t.list(t.string()).pb(3),
  env: t.listBy(EnvVar, "name").pb(7).mergeBy("name"),
  envFrom: t.list(EnvFromSource).pb(19),
  image: t.string().pb(2),
  imagePullPolicy: t.oneOf("Always", "IfNotPresent", "Never").pb(14),
  lifecycle: Lifecycle.pb(12),
  livenessProbe: Probe.pb(10),
  name: t.string().pb(1).required().always("zero"),
  ports: t.listBy(ContainerPort, "containerPort", "protocol").pb(6).mergeBy("containerPort"),
  readinessProbe: Probe.pb(11),
  resizePolicy: t.list(ContainerResizePolicy).pb(23),
  resources: ResourceRequirements.pb(8).always("{}"),
  restartPolicy: t.string().pb(24).pointer(),
  restartPolicyRules: t.list(ContainerRestartRule).pb(25),
  securityContext: SecurityContext.pb(15),
  startupProbe: Probe.pb(22),
  stdin: t.bool().pb(16),
  stdinOnce: t.bool().pb(17),
  terminationMessagePath: t.string().pb(13).default("/dev/termination-log"),
  terminationMessagePolicy: t.oneOf("FallbackToLogsOnError", "File").pb(20).default("File"),
  tty: t.bool().pb(18),
  volumeDevices: t.listBy(VolumeDevice, "devicePath").pb(21).mergeBy("devicePath"),
  volumeMounts: t.listBy(VolumeMount, "mountPath").pb(9).mergeBy("mountPath"),
  workingDir: t.string().pb(5),
});
export interface Container extends t.Stored<typeof Container> {}

export const EphemeralContainer = t.object("io.k8s.api.core.v1.EphemeralContainer", {
  args: t.list(t.string()).pb(4).within(1),
  command: t.list(t.string()).pb(3).within(1),
  env: t.listBy(EnvVar, "name").pb(7).within(1).mergeBy("name"),
  envFrom: t.list(EnvFromSource).pb(19).within(1),
  image: t.string().pb(2).within(1),
  imagePullPolicy: t.oneOf("Always", "IfNotPresent", "Never").pb(14).within(1),
  lifecycle: Lifecycle.pb(12).within(1),
  livenessProbe: Probe.pb(10).within(1),
  name: t.string().pb(1).within(1).required().always("zero"),
  ports: t.listBy(ContainerPort, "containerPort", "protocol").pb(6).within(1).mergeBy("containerPort"),
  readinessProbe: Probe.pb(11).within(1),
  resizePolicy: t.list(ContainerResizePolicy).pb(23).within(1),
  resources: ResourceRequirements.pb(8).within(1).always("{}"),
  restartPolicy: t.string().pb(24).within(1).pointer(),
  restartPolicyRules: t.list(ContainerRestartRule).pb(25).within(1),
  securityContext: SecurityContext.pb(15).within(1),
  startupProbe: Probe.pb(22).within(1),
  stdin: t.bool().pb(16).within(1),
  stdinOnce: t.bool().pb(17).within(1),
  targetContainerName: t.string().pb(2),
  terminationMessagePath: t.string().pb(13).within(1).default("/dev/termination-log"),
  terminationMessagePolicy: t.oneOf("FallbackToLogsOnError", "File").pb(20).within(1).default("File"),
  tty: t.bool().pb(18).within(1),
  volumeDevices: t.listBy(VolumeDevice, "devicePath").pb(21).within(1).mergeBy("devicePath"),
  volumeMounts: t.listBy(VolumeMount, "mountPath").pb(9).within(1).mergeBy("mountPath"),
  workingDir: t.string().pb(5).within(1),
});
export interface EphemeralContainer extends t.Stored<typeof EphemeralContainer> {}
