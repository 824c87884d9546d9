/** A pod's quality-of-service class (kubernetes pkg/apis/core/helper/qos), and the status a new pod starts with. */
import { keepField } from "../../base/json.ts";
import { compareQuantities, quantitySign } from "../../base/quantity.ts";
import { timeOf } from "../../base/time.ts";
import type { PodSpec } from "./podspec.ts";

type QosClass = "BestEffort" | "Burstable" | "Guaranteed";
type Resources = { readonly limits?: { readonly [name: string]: string } | undefined; readonly requests?: { readonly [name: string]: string } | undefined };

/** From what the containers, or the pod as a whole, ask for of cpu and memory. */
export function qosClassOf(spec: PodSpec): QosClass {
  const whole = spec.resources;
  const all: readonly Resources[] = whole !== undefined
    ? [whole]
    : [...spec.containers, ...(spec.initContainers ?? [])].map(({ resources }) => resources);
  const positive = (amount: string | undefined): boolean => amount !== undefined && quantitySign(amount) > 0;
  const names = ["cpu", "memory"] as const;
  if (!all.some(({ limits, requests }) => names.some(name => positive(limits?.[name]) || positive(requests?.[name])))) return "BestEffort";
  const guaranteed = all.every(({ limits, requests }) => names.every(name => positive(limits?.[name]) && (requests?.[name] === undefined || compareQuantities(requests[name], limits![name]!) === 0)));
  return guaranteed ? "Guaranteed" : "Burstable";
}

export function initialStatus(pod: { readonly spec: PodSpec }, now: number): object {
  const gated = (pod.spec.schedulingGates?.length ?? 0) > 0;
  return {
    phase: "Pending", qosClass: qosClassOf(pod.spec),
    ...(gated ? { conditions: [{ lastProbeTime: null, lastTransitionTime: timeOf(now), type: "PodScheduled", status: "False", reason: "SchedulingGated", message: "Scheduling is blocked due to non-empty scheduling gates" }] } : {}),
  };
}

/** What a write of the status leaves alone or cannot take away (podStatusStrategy.PrepareForUpdate, preserveOldObservedGeneration). */
export function keepPodFacts(next: any, previous: any): void {
  keepField(next.metadata, previous.metadata, "ownerReferences");
  if (next.status.qosClass === undefined) keepField(next.status, previous.status, "qosClass");
  if (next.status.observedGeneration === undefined) keepField(next.status, previous.status, "observedGeneration");
  const old: readonly { readonly type: string; readonly observedGeneration?: number }[] = previous.status.conditions ?? [];
  if (!old.some(({ observedGeneration }) => observedGeneration !== undefined)) return;
  // Types may come more than once: each takes the one of its turn.
  const known = new Map<string, (number | undefined)[]>();
  for (const { type, observedGeneration } of old.toReversed()) {
    const turns = known.get(type);
    if (turns === undefined) known.set(type, [observedGeneration]);
    else turns.push(observedGeneration);
  }
  for (const condition of next.status.conditions ?? []) {
    const generation = known.get(condition.type)?.pop();
    if (generation !== undefined) condition.observedGeneration ??= generation;
  }
}
