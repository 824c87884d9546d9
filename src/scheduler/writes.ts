/** What the scheduler tells the API: bindings, conditions, nominations, evictions, events. */
import { isApiError } from "../base/api-error.ts";
import type { Clock } from "../base/clock.ts";
import type { Json } from "../base/json.ts";
import { timeOf } from "../base/time.ts";
import type { Client } from "../client/client.ts";
import type { EventRecorder } from "../client/events.ts";
import { Pod } from "../kinds/core/pod.ts";
import type { PodInfo } from "./pod-info.ts";

export type Writer = { readonly client: Client; readonly events: EventRecorder; readonly clock: Clock };

/** The name under which the API records who wrote. */
const fieldManager = "kube-scheduler";
/** Longer notes are cut (handleSchedulingFailure's truncateMessage). */
const noteLengthMax = 1024;

export async function bindPod({ client, events }: Writer, pod: Pod, node: string): Promise<void> {
  const { namespace = "", name, uid } = pod.metadata;
  const binding: Json = { apiVersion: "v1", kind: "Binding", metadata: { name, namespace, ...(uid === undefined ? {} : { uid }) }, target: { kind: "Node", name: node } };
  await client.createSubresource(Pod, namespace, name, "binding", binding);
  events.event(pod, "Normal", "Scheduled", `Successfully assigned ${namespace}/${name} to ${node}`);
}

export type Unscheduled = { readonly reason: "Unschedulable" | "SchedulerError"; readonly message: string; /** A new promise, "" for none any more, `undefined` to leave it as it is. */ readonly nominated: string | undefined };

/** Event and condition that say why a pod has no node. The condition is written only if it says something new. */
export async function reportUnschedulable({ client, events, clock }: Writer, pod: Pod, { reason, message, nominated }: Unscheduled): Promise<void> {
  events.event(pod, "Warning", "FailedScheduling", message.length > noteLengthMax ? `${message.slice(0, noteLengthMax - 4)} ...` : message);
  const condition = pod.status.conditions?.find(({ type }) => type === "PodScheduled");
  const told = condition?.status === "False" && condition.reason === reason && condition.message === message;
  const promised = nominated === undefined || nominated === (pod.status.nominatedNodeName ?? "");
  if (told && promised) return;
  const { namespace = "", name, uid, generation } = pod.metadata;
  const status: Json = {
    ...(told ? {} : { conditions: [{
      type: "PodScheduled", status: "False", reason, message, lastProbeTime: null,
      lastTransitionTime: condition?.status === "False" ? condition.lastTransitionTime ?? null : timeOf(clock.now()),
      ...(generation === undefined ? {} : { observedGeneration: generation }),
    }] }),
    ...(promised ? {} : { nominatedNodeName: nominated === "" ? null : nominated! }),
  };
  await client.patch(Pod, namespace, name, { type: "strategic", body: { metadata: { ...(uid === undefined ? {} : { uid }) }, status } }, { subresource: "status", fieldManager });
}

export async function applyNomination({ client }: Writer, pod: Pod, node: string): Promise<void> {
  const { namespace = "", name } = pod.metadata;
  await client.patch(Pod, namespace, name, { type: "strategic", body: { status: { nominatedNodeName: node === "" ? null : node } } }, { subresource: "status", fieldManager });
}

/** Tells the victims why, and deletes them (framework/preemption/executor.go). */
export async function evictVictims(writer: Writer, preemptor: PodInfo, node: string, victims: readonly PodInfo[]): Promise<void> {
  for (const { pod, terminating } of victims) if (!terminating) await evict(writer, preemptor, node, pod);
}

async function evict({ client, events, clock }: Writer, preemptor: PodInfo, node: string, victim: Pod): Promise<void> {
  const { namespace = "", name, uid, generation } = victim.metadata;
  const condition: Json = {
    type: "DisruptionTarget", status: "True", reason: "PreemptionByScheduler", message: `${preemptor.pod.spec.schedulerName}: preempting to accommodate a higher priority pod`,
    lastProbeTime: null, lastTransitionTime: timeOf(clock.now()), ...(generation === undefined ? {} : { observedGeneration: generation }),
  };
  try {
    await client.patch(Pod, namespace, name, { type: "strategic", body: { status: { conditions: [condition] } } }, { subresource: "status", fieldManager });
    await client.delete(Pod, namespace, name, uid === undefined ? {} : { preconditions: { uid } });
  } catch (error) {
    if (!isApiError(error, "NotFound") && !isApiError(error, "Conflict")) throw error;
    return; // already gone: all that was wanted
  }
  events.event(victim, "Normal", "Preempted", `Preempted by pod ${preemptor.uid} on node ${node}`);
}
