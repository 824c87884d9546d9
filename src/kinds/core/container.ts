import { EnvFromSource, EnvVar } from "./env.ts";
import { Lifecycle, Probe } from "./probe.ts";
import { ContainerResizePolicy, ResourceRequirements } from "./resources.ts";
import { SecurityContext } from "./security.ts";
import * as t from "../../schema/t.ts";

export const ContainerPort = t.object("io.k8s.api.core.v1.ContainerPort", {
  containerPort: t.int32().pb(3).required().always("zero").doc("The port that the container listens on."),
  hostIP: t.string().pb(5).doc("Address of the node that the port is opened on."),
  hostPort: t.int32().pb(2).doc("Port of the node that leads to this one."),
  name: t.string().pb(1).doc("What services and probes may call the port."),
  protocol: t.oneOf("SCTP", "TCP", "UDP").pb(4).default("TCP", "published").doc("Protocol of the port."),
});
export interface ContainerPort extends t.Stored<typeof ContainerPort> {}

export const ContainerRestartRuleOnExitCodes = t.object("io.k8s.api.core.v1.ContainerRestartRuleOnExitCodes", {
  operator: t.string().pb(1).required().doc("Whether the exit code must be among the values or not."),
  values: t.set(t.int32()).pb(2).doc("The exit codes."),
});
export interface ContainerRestartRuleOnExitCodes extends t.Stored<typeof ContainerRestartRuleOnExitCodes> {}

export const ContainerRestartRule = t.object("io.k8s.api.core.v1.ContainerRestartRule", {
  action: t.string().pb(1).required().doc("What to do when the container ends so."),
  exitCodes: ContainerRestartRuleOnExitCodes.pb(2).doc("Exit codes that the rule is about."),
});
export interface ContainerRestartRule extends t.Stored<typeof ContainerRestartRule> {}

export const VolumeDevice = t.object("io.k8s.api.core.v1.VolumeDevice", {
  devicePath: t.string().pb(2).required().always("zero").doc("Where the device appears in the container."),
  name: t.string().pb(1).required().always("zero").doc("The pod's volume, which must be a claim of mode Block."),
});
export interface VolumeDevice extends t.Stored<typeof VolumeDevice> {}

export const VolumeMount = t.object("io.k8s.api.core.v1.VolumeMount", {
  mountPath: t.string().pb(3).required().always("zero").doc("Where in the container the volume is mounted."),
  mountPropagation: t.oneOf("Bidirectional", "HostToContainer", "None").unchecked().pb(5).pointer().doc("Whether mounts made later inside are seen outside, and the other way round."),
  name: t.string().pb(1).required().always("zero").doc("The pod's volume."),
  readOnly: t.bool().pb(2).doc("Whether the container cannot write to it."),
  recursiveReadOnly: t.string().pb(7).pointer().doc("Whether mounts below it are read-only as well."),
  subPath: t.string().pb(4).doc("Path in the volume to mount, instead of its root."),
  subPathExpr: t.string().pb(6).doc("The same with $(NAME) replaced by the container's environment."),
});
export interface VolumeMount extends t.Stored<typeof VolumeMount> {}

export const Container = t.object("io.k8s.api.core.v1.Container", {
  args: t.list(t.string()).pb(4).doc("Arguments of the entry point; the image's own if empty."),
  command: t.list(t.string()).pb(3).doc("The entry point, run without a shell; the image's own if empty."),
  env: t.listBy(EnvVar, "name").pb(7).mergeBy("name").doc("Environment variables."),
  envFrom: t.list(EnvFromSource).pb(19).doc("Config maps and secrets whose keys become environment variables."),
  image: t.string().pb(2).doc("The image to run."),
  imagePullPolicy: t.oneOf("Always", "IfNotPresent", "Never").pb(14).doc("When the image is pulled: Always, IfNotPresent or Never."),
  lifecycle: Lifecycle.pb(12).doc("What to run after the container's start and before its end."),
  livenessProbe: Probe.pb(10).doc("Asked while the container runs; it is restarted when this fails."),
  name: t.string().pb(1).required().always("zero").doc("Name of the container, unique in its pod."),
  ports: t.listBy(ContainerPort, "containerPort", "protocol").pb(6).mergeBy("containerPort").doc("Ports that the container listens on, for information."),
  readinessProbe: Probe.pb(11).doc("Asked while the container runs; services send nothing to the pod while this fails."),
  resizePolicy: t.list(ContainerResizePolicy).pb(23).doc("Whether a change of its resources restarts the container, by resource."),
  resources: ResourceRequirements.pb(8).always("{}").doc("How much of the node the container needs, and the most it may take."),
  restartPolicy: t.string().pb(24).pointer().doc("Whether this container is restarted; Always makes an init container a sidecar."),
  restartPolicyRules: t.list(ContainerRestartRule).pb(25).doc("Exceptions from the restart policy by exit code; the first that matches decides."),
  securityContext: SecurityContext.pb(15).doc("Rights of the container; what is said here goes before what the pod says."),
  startupProbe: Probe.pb(22).doc("Asked first; the other probes wait until this has succeeded."),
  stdin: t.bool().pb(16).doc("Whether the container keeps a standard input that can be attached to."),
  stdinOnce: t.bool().pb(17).doc("Whether that input closes for good when the first client detaches."),
  terminationMessagePath: t.string().pb(13).default("/dev/termination-log").doc("File whose text becomes the message of the container's end."),
  terminationMessagePolicy: t.oneOf("FallbackToLogsOnError", "File").pb(20).default("File").doc("Whether the end of the log becomes the message if that file is empty."),
  tty: t.bool().pb(18).doc("Whether the container gets a terminal; needs stdin."),
  volumeDevices: t.listBy(VolumeDevice, "devicePath").pb(21).mergeBy("devicePath").doc("The pod's block devices that the container sees."),
  volumeMounts: t.listBy(VolumeMount, "mountPath").pb(9).mergeBy("mountPath").doc("The pod's volumes that the container sees."),
  workingDir: t.string().pb(5).doc("Directory to start in; the image's own if empty."),
});
export interface Container extends t.Stored<typeof Container> {}

export const EphemeralContainer = t.object("io.k8s.api.core.v1.EphemeralContainer", {
  args: t.list(t.string()).pb(4).within(1).doc("Arguments of the entry point; the image's own if empty."),
  command: t.list(t.string()).pb(3).within(1).doc("The entry point, run without a shell; the image's own if empty."),
  env: t.listBy(EnvVar, "name").pb(7).within(1).mergeBy("name").doc("Environment variables."),
  envFrom: t.list(EnvFromSource).pb(19).within(1).doc("Config maps and secrets whose keys become environment variables."),
  image: t.string().pb(2).within(1).doc("The image to run."),
  imagePullPolicy: t.oneOf("Always", "IfNotPresent", "Never").pb(14).within(1).doc("When the image is pulled: Always, IfNotPresent or Never."),
  lifecycle: Lifecycle.pb(12).within(1).doc("What to run after the container's start and before its end."),
  livenessProbe: Probe.pb(10).within(1).doc("Asked while the container runs; it is restarted when this fails."),
  name: t.string().pb(1).within(1).required().always("zero").doc("Name of the container, unique in its pod."),
  ports: t.listBy(ContainerPort, "containerPort", "protocol").pb(6).within(1).mergeBy("containerPort").doc("Ports that the container listens on, for information."),
  readinessProbe: Probe.pb(11).within(1).doc("Asked while the container runs; services send nothing to the pod while this fails."),
  resizePolicy: t.list(ContainerResizePolicy).pb(23).within(1).doc("Whether a change of its resources restarts the container, by resource."),
  resources: ResourceRequirements.pb(8).within(1).always("{}").doc("How much of the node the container needs, and the most it may take."),
  restartPolicy: t.string().pb(24).within(1).pointer().doc("Whether this container is restarted; Always makes an init container a sidecar."),
  restartPolicyRules: t.list(ContainerRestartRule).pb(25).within(1).doc("Exceptions from the restart policy by exit code; the first that matches decides."),
  securityContext: SecurityContext.pb(15).within(1).doc("Rights of the container; what is said here goes before what the pod says."),
  startupProbe: Probe.pb(22).within(1).doc("Asked first; the other probes wait until this has succeeded."),
  stdin: t.bool().pb(16).within(1).doc("Whether the container keeps a standard input that can be attached to."),
  stdinOnce: t.bool().pb(17).within(1).doc("Whether that input closes for good when the first client detaches."),
  targetContainerName: t.string().pb(2).doc("The container whose processes this one shall see."),
  terminationMessagePath: t.string().pb(13).within(1).default("/dev/termination-log").doc("File whose text becomes the message of the container's end."),
  terminationMessagePolicy: t.oneOf("FallbackToLogsOnError", "File").pb(20).within(1).default("File").doc("Whether the end of the log becomes the message if that file is empty."),
  tty: t.bool().pb(18).within(1).doc("Whether the container gets a terminal; needs stdin."),
  volumeDevices: t.listBy(VolumeDevice, "devicePath").pb(21).within(1).mergeBy("devicePath").doc("The pod's block devices that the container sees."),
  volumeMounts: t.listBy(VolumeMount, "mountPath").pb(9).within(1).mergeBy("mountPath").doc("The pod's volumes that the container sees."),
  workingDir: t.string().pb(5).within(1).doc("Directory to start in; the image's own if empty."),
});
export interface EphemeralContainer extends t.Stored<typeof EphemeralContainer> {}
