/** A pod's quality-of-service class (kubernetes pkg/apis/core/helper/qos), and the status a new pod starts with. */
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
