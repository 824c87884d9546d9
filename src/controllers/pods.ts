/** What controllers ask of pods (upstream pkg/api/v1/pod/util.go and pkg/controller/controller_utils.go). */
import { msOf, timeOf } from "../base/time.ts";
import type { Pod } from "../kinds/core/pod.ts";
import type { New } from "../kinds/kind.ts";

type Condition = NonNullable<NonNullable<Pod["status"]>["conditions"]>[number];

export function podCondition(pod: Pod, type: string): Condition | undefined {
  return pod.status.conditions?.find(condition => condition.type === type);
}
export function isPodReady(pod: Pod): boolean {
  return podCondition(pod, "Ready")?.status === "True";
}
export function isPodFinished(pod: Pod): boolean {
  return pod.status.phase === "Succeeded" || pod.status.phase === "Failed";
}
/** Neither finished nor on its way out. */
export function isPodActive(pod: Pod): boolean {
  return !isPodFinished(pod) && pod.metadata.deletionTimestamp === undefined;
}
/** On its way out, containers perhaps still running. */
export function isPodTerminating(pod: Pod): boolean {
  return !isPodFinished(pod) && pod.metadata.deletionTimestamp !== undefined;
}
/** When (ms) the pod counts as available, having been ready for `minReadySeconds`; `undefined` while it is not ready. */
export function availableAt(pod: Pod, minReadySeconds: number): number | undefined {
  const ready = podCondition(pod, "Ready");
  if (ready?.status !== "True") return undefined;
  if (minReadySeconds === 0) return 0;
  const since = msOf(ready.lastTransitionTime);
  return since === undefined ? undefined : since + minReadySeconds * 1000;
}

export type RankedPod = { readonly pod: Pod; /** Active pods of the same family on its node. */ readonly rank: number };

/** Which of two pods is missed least comes first: upstream's ActivePodsWithRanks, with the name for what it leaves open. */
export function leastUsefulFirst(now: number): (a: RankedPod, b: RankedPod) => number {
  return (a, b) =>
    compare(a.pod.spec.nodeName ? 1 : 0, b.pod.spec.nodeName ? 1 : 0)
    || compare(phaseOrder(a.pod), phaseOrder(b.pod))
    || compare(isPodReady(a.pod) ? 1 : 0, isPodReady(b.pod) ? 1 : 0)
    || compare(deletionCost(a.pod), deletionCost(b.pod))
    || compare(b.rank, a.rank)
    || (isPodReady(a.pod) && isPodReady(b.pod) ? youngerFirst(readySince(a.pod), readySince(b.pod), a.pod, b.pod, now) : 0)
    || compare(restarts(b.pod), restarts(a.pod))
    || youngerFirst(msOf(a.pod.metadata.creationTimestamp), msOf(b.pod.metadata.creationTimestamp), a.pod, b.pod, now)
    || (a.pod.metadata.name < b.pod.metadata.name ? -1 : a.pod.metadata.name > b.pod.metadata.name ? 1 : 0);
}

const compare = (a: number, b: number): number => a - b;
const phaseOrder = ({ status: { phase } }: Pod): number => (phase === "Running" ? 2 : phase === "Unknown" ? 1 : 0);
const readySince = (pod: Pod): number | undefined => msOf(podCondition(pod, "Ready")?.lastTransitionTime);
const restarts = (pod: Pod): number => Math.max(0, ...(pod.status.containerStatuses ?? []).map(status => status.restartCount ?? 0));

/** controller.kubernetes.io/pod-deletion-cost: an int32, 0 when absent or unreadable. */
function deletionCost(pod: Pod): number {
  const text = pod.metadata.annotations?.["controller.kubernetes.io/pod-deletion-cost"] ?? "0";
  const cost = /^(0|-?[1-9][0-9]{0,9})$/.test(text) ? Number(text) : 0;
  return cost >= -(2 ** 31) && cost < 2 ** 31 ? cost : 0;
}

/** Ages are compared by their power of two (LogarithmicScaleDown), so that equal ages do not all go together; the uid decides within one. */
function youngerFirst(a: number | undefined, b: number | undefined, podA: Pod, podB: Pod, now: number): number {
  if (a === b) return 0;
  if (a === undefined || b === undefined) return a === undefined ? -1 : 1;
  const order = (time: number): number => (now > time ? Math.floor(Math.log2((now - time) * 1e6)) : -1);
  return order(a) - order(b) || (podA.metadata.uid < podB.metadata.uid ? -1 : 1);
}

/** The pod with a condition set; the same status keeps its transition time. */
export function withPodCondition(pod: Pod, type: string, status: "True" | "False", reason: string, message: string, now: number): Pod {
  const conditions = pod.status.conditions ?? [];
  const had = conditions.find(condition => condition.type === type);
  const next = { ...had, type, status, reason, message, lastTransitionTime: had?.status === status ? had.lastTransitionTime : timeOf(now) } as Condition;
  return { ...pod, status: { ...pod.status, conditions: had === undefined ? [...conditions, next] : conditions.map(condition => (condition === had ? next : condition)) } };
}

type Template = { readonly metadata?: { readonly labels?: { readonly [name: string]: string }; readonly annotations?: { readonly [name: string]: string }; readonly finalizers?: readonly string[] } | undefined; readonly spec?: unknown };

/** The pod that a template describes (upstream GetPodFromTemplate), with `metadata` of its maker's; labels and annotations of both. */
export function podFromTemplate(template: unknown, metadata: object): New<typeof Pod> {
  const { metadata: { labels, annotations, finalizers } = {}, spec } = template as Template;
  const given = metadata as { readonly labels?: object; readonly annotations?: object };
  return {
    metadata: {
      ...metadata,
      ...(labels === undefined && given.labels === undefined ? {} : { labels: { ...labels, ...given.labels } }),
      ...(annotations === undefined && given.annotations === undefined ? {} : { annotations: { ...annotations, ...given.annotations } }),
      ...(finalizers === undefined ? {} : { finalizers }),
    },
    spec,
  } as New<typeof Pod>;
}
