/** How many pods a metric asks for: pure arithmetic over pods and figures (pkg/controller/podautoscaler/replica_calculator.go). Values are in thousandths. */
import { quantityMilli } from "../base/quantity.ts";
import { msOf } from "../base/time.ts";
import type { Pod } from "../kinds/core/pod.ts";
import { MetricsError, type PodMetrics } from "./autoscaler-metrics.ts";
import { isPodReady, podCondition } from "./pods.ts";

/** Parts by which a metric may differ from its target before anything changes. */
export type Tolerances = { readonly up: number; readonly down: number };
/** A pod's processor load does not count while it starts (--horizontal-pod-autoscaler-cpu-initialization-period). */
export const initializationMs = 300_000;
/** A pod that became unready this soon after its start has never been ready (--horizontal-pod-autoscaler-initial-readiness-delay). */
export const readinessDelayMs = 30_000;
const int32Max = 2 ** 31 - 1;

export type Proposal = { readonly replicas: number; /** What is now, per pod. */ readonly raw: number; /** Percent of what the pods request. */ readonly utilization?: number };
type Groups = { readonly ready: number; readonly unready: ReadonlySet<string>; readonly missing: ReadonlySet<string>; readonly ignored: ReadonlySet<string> };

export function groupPods(pods: readonly Pod[], metrics: PodMetrics, resource: string, now: number): Groups {
  const [unready, missing, ignored] = [new Set<string>(), new Set<string>(), new Set<string>()];
  let ready = 0;
  for (const pod of pods) {
    const { name } = pod.metadata;
    const metric = metrics.get(name);
    if (pod.metadata.deletionTimestamp !== undefined || pod.status.phase === "Failed") ignored.add(name);
    else if (pod.status.phase === "Pending") unready.add(name);
    else if (metric === undefined) missing.add(name);
    else if (resource === "cpu" && isStarting(pod, metric.timestampMs, metric.windowMs, now)) unready.add(name);
    else ready++;
  }
  return { ready, unready, missing, ignored };
}
function isStarting(pod: Pod, timestampMs: number, windowMs: number, now: number): boolean {
  const condition = podCondition(pod, "Ready");
  const started = msOf(pod.status.startTime);
  if (condition === undefined || started === undefined) return true;
  const changed = msOf(condition.lastTransitionTime) ?? 0;
  // Young: unready, or not a whole window measured since it turned ready.
  if (started + initializationMs > now) return condition.status === "False" || timestampMs < changed + windowMs;
  return condition.status === "False" && started + readinessDelayMs > changed;
}

/** Towards a percentage of what the pods request. */
export function utilizationReplicas(current: number, target: number, resource: string, container: string, pods: readonly Pod[], metrics: PodMetrics, tolerances: Tolerances, now: number): Proposal {
  if (pods.length === 0) throw new MetricsError("no pods returned by selector while calculating replica count");
  const groups = groupPods(pods, metrics, resource, now);
  const counted = without(metrics, groups);
  if (counted.size === 0) throw new MetricsError("did not receive metrics for targeted pods (pods might be unready)");
  const requests = new Map(pods.map(pod => [pod.metadata.name, requestOf(pod, container, resource)]));
  const judge = (values: ReadonlyMap<string, number>): { ratio: number; utilization: number; raw: number } => {
    let [total, asked, entries] = [0, 0, 0];
    for (const [name, value] of values) {
      const request = requests.get(name);
      if (request === undefined) continue;
      total += value;
      asked += request;
      entries++;
    }
    if (asked === 0) throw new MetricsError("no metrics returned matched known pods");
    const utilization = Math.trunc((total * 100) / asked);
    return { ratio: utilization / target, utilization, raw: Math.trunc(total / entries) };
  };
  const first = judge(counted);
  const replicas = settle(current, groups, counted, tolerances, first.ratio, name => Math.trunc((requests.get(name)! * Math.max(100, target)) / 100), values => judge(values).ratio);
  return { replicas, utilization: first.utilization, raw: first.raw };
}

/** Towards a plain average per pod. */
export function averageReplicas(current: number, target: number, resource: string, pods: readonly Pod[], metrics: PodMetrics, tolerances: Tolerances, now: number): Proposal {
  if (pods.length === 0) throw new MetricsError("no pods returned by selector while calculating replica count");
  const groups = groupPods(pods, metrics, resource, now);
  const counted = without(metrics, groups);
  if (counted.size === 0) throw new MetricsError("did not receive metrics for targeted pods (pods might be unready)");
  const average = (values: ReadonlyMap<string, number>): number => Math.trunc([...values.values()].reduce((sum, value) => sum + value, 0) / values.size);
  const raw = average(counted);
  return { replicas: settle(current, groups, counted, tolerances, raw / target, () => target, values => average(values) / target), raw };
}

/** Pods without a figure are taken to be on the careful side, and no change is made that only they would justify. */
function settle(current: number, groups: Groups, counted: ReadonlyMap<string, number>, tolerances: Tolerances, ratio: number, full: (pod: string) => number, ratioOf: (values: ReadonlyMap<string, number>) => number): number {
  const upWithUnready = groups.unready.size > 0 && ratio > 1;
  if (!upWithUnready && groups.missing.size === 0) return within(tolerances, ratio) ? current : Math.ceil(ratio * groups.ready);
  const values = new Map(counted);
  if (ratio < 1) for (const name of groups.missing) values.set(name, full(name));
  else if (ratio > 1) for (const name of groups.missing) values.set(name, 0);
  if (upWithUnready) for (const name of groups.unready) values.set(name, 0);
  const again = ratioOf(values);
  if (within(tolerances, again) || (ratio < 1 && again > 1) || (ratio > 1 && again < 1)) return current;
  const replicas = Math.ceil(again * values.size);
  return (again < 1 && replicas > current) || (again > 1 && replicas < current) ? current : replicas;
}

/** Towards a value of one object or from outside, however many pods there are. */
export function valueReplicas(current: number, usage: number, target: number, pods: readonly Pod[], tolerances: Tolerances): Proposal {
  const ratio = usage / target;
  if (current === 0) return { replicas: Math.ceil(ratio), raw: usage };
  if (within(tolerances, ratio)) return { replicas: current, raw: usage };
  if (pods.length === 0) throw new MetricsError("unable to calculate ready pods: no pods returned by selector while calculating replica count");
  const ready = pods.filter(pod => pod.status.phase === "Running" && isPodReady(pod)).length;
  return { replicas: Math.min(int32Max, Math.ceil(ratio * ready)), raw: usage };
}

/** Towards an average per pod of one value. `pods` is how many the target's status counts. */
export function shareReplicas(pods: number, usage: number, target: number, tolerances: Tolerances): Proposal {
  const ratio = usage / (target * pods);
  return { replicas: within(tolerances, ratio) ? pods : Math.min(int32Max, Math.ceil(usage / target)), raw: pods === 0 ? 0 : Math.ceil(usage / pods) };
}

function within({ up, down }: Tolerances, ratio: number): boolean {
  return 1 - down <= ratio && ratio <= 1 + up;
}
function without(metrics: PodMetrics, { unready, ignored }: Groups): Map<string, number> {
  return new Map([...metrics].filter(([name]) => !unready.has(name) && !ignored.has(name)).map(([name, { value }]) => [name, value]));
}

/** Thousandths that a pod, or one container of it, requests. */
function requestOf(pod: Pod, container: string, resource: string): number {
  const own = pod.spec.resources?.requests;
  if (container === "" && own !== undefined && Object.keys(own).length > 0) {
    // A resource that the pod itself does not name is what its containers ask for, where they do.
    if (Object.hasOwn(own, resource)) return quantityMilli(own[resource]!);
    const asked = running(pod).flatMap(each => each.resources?.requests?.[resource] ?? []);
    if (asked.length === 0) throw new MetricsError(`missing pod-level request for ${resource} in Pod ${pod.metadata.name}`);
    return asked.reduce((sum, amount) => sum + quantityMilli(amount), 0);
  }
  const counted = running(pod).filter(({ name }) => container === "" || name === container);
  if (container !== "" && counted.length === 0) throw new MetricsError(`container ${container} not found in Pod ${pod.metadata.name}`);
  return counted.reduce((sum, { name, resources }) => {
    const amount = resources?.requests?.[resource];
    if (amount === undefined) throw new MetricsError(`missing request for ${resource} in container ${name} of Pod ${pod.metadata.name}`);
    return sum + quantityMilli(amount);
  }, 0);
}
const running = (pod: Pod): Pod["spec"]["containers"] => [...pod.spec.containers, ...(pod.spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always")];
