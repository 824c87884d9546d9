/** A container as CRI is told of it (upstream: kuberuntime_container.go and kuberuntime_container_linux.go). */
import type { Pod } from "../kinds/core/pod.ts";
import { containerHash, type Placed } from "./containers.ts";
import { ConfigError, type Variable } from "./env.ts";
import { expand } from "./expand.ts";
import { containerResources } from "./resources.ts";
import { annotation, label, type ContainerConfig, type ImageState, type Mount } from "./runtime.ts";
import { groupsOf, namespacesOf, podLogsDir, profileOf, type NodeFacts } from "./sandbox-config.ts";

export type ContainerInputs = {
  readonly attempt: number;
  readonly restartCount: number;
  readonly environment: readonly Variable[];
  readonly mounts: readonly Mount[];
  readonly imageRef: string;
  readonly image: ImageState | undefined;
  readonly node: NodeFacts;
  /** Of the container that an ephemeral one looks into. */
  readonly targetId?: string;
};

const masked = ["/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap"];
const readonly = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

export function containerConfig(pod: Pod, { container, role }: Placed, given: ContainerInputs): ContainerConfig {
  const { name = "", namespace = "", uid = "", deletionGracePeriodSeconds } = pod.metadata;
  const values = new Map(given.environment.map(({ key, value }) => [key, value]));
  const expanded = (list: readonly string[] | undefined): readonly string[] => (list ?? []).map(text => expand(text, key => values.get(key)));
  return {
    metadata: { name: container.name, attempt: given.attempt },
    image: { image: given.imageRef },
    command: expanded(container.command), args: expanded(container.args), workingDir: container.workingDir ?? "",
    envs: given.environment, mounts: given.mounts, devices: [],
    labels: { [label.podName]: name, [label.podNamespace]: namespace, [label.podUID]: uid, [label.containerName]: container.name, [label.role]: role },
    annotations: {
      [annotation.hash]: containerHash(container), [annotation.restartCount]: String(given.restartCount),
      [annotation.terminationMessagePath]: container.terminationMessagePath ?? "", [annotation.terminationMessagePolicy]: container.terminationMessagePolicy ?? "File",
      [annotation.podGracePeriod]: String(pod.spec.terminationGracePeriodSeconds ?? 30),
      ...(deletionGracePeriodSeconds !== undefined && { [annotation.podDeletionGracePeriod]: String(deletionGracePeriodSeconds) }),
      ...(container.lifecycle?.preStop && { [annotation.preStop]: JSON.stringify(container.lifecycle.preStop) }),
      ...(container.ports?.length && { [annotation.ports]: JSON.stringify(container.ports) }),
    },
    logPath: `${container.name}/${given.restartCount}.log`,
    stdin: container.stdin ?? false, stdinOnce: container.stdinOnce ?? false, tty: container.tty ?? false,
    linux: { resources: containerResources(pod, container, given.node.memoryCapacity), securityContext: securityOf(pod, container, given) },
  };
}

export function logPathOf(pod: Pod, container: string, restartCount: number, node: Pick<NodeFacts, "logsDir">): string {
  return `${podLogsDir(pod, node)}/${container}/${restartCount}.log`;
}

function securityOf(pod: Pod, container: Placed["container"], { node, image, targetId }: ContainerInputs): ContainerConfig["linux"]["securityContext"] {
  const own = container.securityContext ?? {};
  const shared = pod.spec.securityContext ?? {};
  const user = own.runAsUser ?? shared.runAsUser;
  const group = own.runAsGroup ?? shared.runAsGroup;
  verifyNotRoot(pod, container, image);
  const unmasked = own.procMount === "Unmasked";
  // A new privilege is refused only when asked for, and never to those who have all of them (pkg/securitycontext: AddNoNewPrivileges).
  const noNewPrivs = own.allowPrivilegeEscalation === false;
  return {
    privileged: own.privileged ?? false, readonlyRootfs: own.readOnlyRootFilesystem ?? false, noNewPrivs,
    namespaceOptions: namespacesOf(pod, targetId === undefined ? undefined : { containerId: targetId }),
    supplementalGroups: groupsOf(pod),
    ...(own.capabilities && { capabilities: { addCapabilities: own.capabilities.add ?? [], dropCapabilities: own.capabilities.drop ?? [] } }),
    ...(user !== undefined ? { runAsUser: { value: user } } : image?.uid !== undefined ? { runAsUser: { value: image.uid } } : image?.username ? { runAsUsername: image.username } : {}),
    ...(group !== undefined && { runAsGroup: { value: group } }),
    maskedPaths: unmasked ? [] : masked, readonlyPaths: unmasked ? [] : readonly,
    seccomp: own.privileged ? profileOf({ type: "Unconfined" }, node) : profileOf(own.seccompProfile ?? shared.seccompProfile, node),
  };
}

/** Checked against the image at every start, never remembered (pkg/kubelet/kuberuntime/security_context_others.go). */
function verifyNotRoot(pod: Pod, container: Placed["container"], image: ImageState | undefined): void {
  const own = container.securityContext ?? {};
  const shared = pod.spec.securityContext ?? {};
  if (!(own.runAsNonRoot ?? shared.runAsNonRoot)) return;
  const where = `(pod: "${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})", container: ${container.name})`;
  const user = own.runAsUser ?? shared.runAsUser;
  if (user === 0) throw new ConfigError(`container's runAsUser breaks non-root policy ${where}`);
  if (user !== undefined) return;
  if (image?.uid === 0 || (image?.uid === undefined && !image?.username)) throw new ConfigError(`container has runAsNonRoot and image will run as root ${where}`);
  if (image?.uid === undefined) throw new ConfigError(`container has runAsNonRoot and image has non-numeric user (${image?.username}), cannot verify user is non-root ${where}`);
}
