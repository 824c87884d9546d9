import { msOf } from "../base/time.ts";
import type { Container, EphemeralContainer } from "../kinds/core/container.ts";
import type { Pod } from "../kinds/core/pod.ts";
import type { ContainerStatus, PodStatus } from "../kinds/core/podstatus.ts";
import type { Involved } from "../client/events.ts";

export type AnyContainer = Container | EphemeralContainer;
export type Role = "init" | "sidecar" | "main" | "ephemeral";
/** A container with its place in the pod. `index` counts within its list in the spec. */
export type Placed = { readonly container: AnyContainer; readonly role: Role; readonly index: number };

/** The one iterator over all containers of a pod: whoever looks at "the containers" looks at these. */
export function containersOf(pod: Pod): readonly Placed[] {
  return [
    ...(pod.spec.initContainers ?? []).map((container, index) => ({ container, role: isSidecar(container) ? "sidecar" : "init", index }) as const),
    ...pod.spec.containers.map((container, index) => ({ container, role: "main", index }) as const),
    ...(pod.spec.ephemeralContainers ?? []).map((container, index) => ({ container, role: "ephemeral", index }) as const),
  ];
}
export function containerOf(pod: Pod, name: string): Placed | undefined {
  return containersOf(pod).find(({ container }) => container.name === name);
}
/** An init container that goes on running beside the others: upstream's "restartable init container". */
export function isSidecar(container: Container): boolean {
  return container.restartPolicy === "Always";
}

/** Whether a container that ended with `exitCode` is to be started again. */
export function restartsAfter(pod: Pod, { container, role }: Placed, exitCode: number): boolean {
  if (role === "ephemeral") return false;
  if (role === "sidecar") return pod.metadata.deletionTimestamp === undefined;
  const rule = container.restartPolicyRules?.find(({ exitCodes }) =>
    exitCodes !== undefined && (exitCodes.operator === "In") === (exitCodes.values ?? []).includes(exitCode));
  if (rule?.action === "Restart") return true;
  const policy = container.restartPolicy ?? pod.spec.restartPolicy;
  if (role === "init") return exitCode !== 0 && policy !== "Never";
  return policy === "Always" || (policy === "OnFailure" && exitCode !== 0);
}

/** Where a container's events point: upstream's `spec.containers{name}`. */
export function involved(pod: Pod, placed?: Placed): Involved {
  const { apiVersion, kind, metadata } = pod;
  if (!placed) return { apiVersion, kind, metadata };
  const list = { init: "initContainers", sidecar: "initContainers", main: "containers", ephemeral: "ephemeralContainers" }[placed.role];
  return { apiVersion, kind, metadata, fieldPath: `spec.${list}{${placed.container.name}}` };
}

export function statusesOf(pod: Pod): readonly ContainerStatus[] {
  return [...(pod.status.initContainerStatuses ?? []), ...(pod.status.containerStatuses ?? []), ...(pod.status.ephemeralContainerStatuses ?? [])];
}
export function statusOf(pod: Pod, name: string): ContainerStatus | undefined {
  return statusesOf(pod).find(status => status.name === name);
}

/** `name_namespace(uid)`, as kubelet's messages write a pod. */
export function podText(pod: Pod): string {
  return `${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})`;
}
export function isTerminal(pod: Pod): boolean {
  return pod.status.phase === "Succeeded" || pod.status.phase === "Failed";
}

/** What of a container may change without making it another one: all but its image (upstream hashes name and image since 1.31). */
export function containerHash(container: AnyContainer): string {
  let hash = 0x811c9dc5;
  for (const char of JSON.stringify([container.name, container.image ?? ""])) hash = Math.imul(hash ^ char.codePointAt(0)!, 0x01000193) >>> 0;
  return hash.toString(16);
}

/** Milliseconds until `activeDeadlineSeconds` is over; undefined without one. */
export function deadlineMsOf({ spec: { activeDeadlineSeconds } }: Pod, { startTime }: PodStatus, nowMs: number): number | undefined {
  return activeDeadlineSeconds === undefined ? undefined : (msOf(startTime) ?? nowMs) + activeDeadlineSeconds * 1000 - nowMs;
}
