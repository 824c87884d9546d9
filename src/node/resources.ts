/** Requests and limits as the kernel is told of them: upstream's pkg/kubelet/cm/helpers_linux.go and pkg/kubelet/qos. */
import { addQuantities, formatQuantity, compareQuantities, parseQuantity, quantityMilli, quantityValue } from "../base/quantity.ts";
import type { Pod } from "../kinds/core/pod.ts";
import type { AnyContainer } from "./containers.ts";
import { isSidecar } from "./containers.ts";
import type { ContainerResources } from "./runtime.ts";

export type QosClass = "Guaranteed" | "Burstable" | "BestEffort";
type Amounts = { readonly [resource: string]: string };

export const cpuPeriod = 100_000;
const sharesMin = 2;
const sharesMax = 262_144;
const quotaMin = 1_000;

/** Only cpu and memory of init and regular containers count, or those of the pod itself where it has any (upstream pkg/apis/core/v1/helper/qos). */
export function qosOf(pod: Pod): QosClass {
  if (pod.status.qosClass) return pod.status.qosClass;
  const podLevel = pod.spec.resources;
  const all = podLevel?.requests || podLevel?.limits ? [podLevel] : [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].map(container => container.resources ?? {});
  const positive = (amounts: Amounts | undefined, name: string): boolean => amounts?.[name] !== undefined && compareQuantities(amounts[name], "0") > 0;
  const names = ["cpu", "memory"];
  if (!all.some(({ requests, limits }) => names.some(name => positive(requests, name) || positive(limits, name)))) return "BestEffort";
  const guaranteed = all.every(({ requests, limits }) => names.every(name =>
    positive(limits, name) && (requests?.[name] === undefined || compareQuantities(requests[name], limits![name]!) === 0)));
  return guaranteed ? "Guaranteed" : "Burstable";
}

export function cpuShares(milli: number): number {
  return milli === 0 ? sharesMin : Math.min(sharesMax, Math.max(sharesMin, Math.floor((milli * 1024) / 1000)));
}
/** 0 means no quota. */
export function cpuQuota(milli: number): number {
  return milli === 0 ? 0 : Math.max(quotaMin, Math.floor((milli * cpuPeriod) / 1000));
}

/** −997 for Guaranteed and critical pods, 1000 for BestEffort, in between by the share of memory asked for (pkg/kubelet/qos/policy.go). */
export function oomScoreAdj(pod: Pod, container: AnyContainer, memoryCapacity: number): number {
  if ((pod.spec.priority ?? 0) >= 2_000_000_000) return -997;
  const qos = qosOf(pod);
  if (qos === "Guaranteed") return -997;
  if (qos === "BestEffort") return 1000;
  const asked = amount(container.resources?.requests, "memory");
  const score = 1000 - Math.floor((1000 * asked) / memoryCapacity);
  return score < 3 ? 3 : score === 1000 ? 999 : score;
}

/** What CRI is told for one container. A limit without a request asks for as much. */
export function containerResources(pod: Pod, container: AnyContainer, memoryCapacity: number): ContainerResources {
  const { requests, limits } = container.resources ?? {};
  const cpuAsked = requests?.["cpu"] ?? limits?.["cpu"];
  const quota = cpuQuota(limits?.["cpu"] === undefined ? 0 : quantityMilli(limits["cpu"]));
  const memory = amount(limits, "memory");
  const pages = Object.entries(limits ?? {}).filter(([name]) => name.startsWith("hugepages-")).map(([name, value]) => ({ pageSize: `${name.slice(10).replace("Ki", "KB").replace("Mi", "MB").replace("Gi", "GB")}`, limit: quantityValue(value) }));
  return {
    cpuShares: cpuShares(cpuAsked === undefined ? 0 : quantityMilli(cpuAsked)), oomScoreAdj: oomScoreAdj(pod, container, memoryCapacity),
    ...(quota > 0 && { cpuQuota: quota, cpuPeriod }), ...(memory > 0 && { memoryLimitInBytes: memory }), ...(pages.length > 0 && { hugepageLimits: pages }),
  };
}

/** Limits of the whole pod's cgroup; absent where some container has none (pkg/kubelet/cm: ResourceConfigForPod). */
export type PodLimits = { readonly cpuShares: number; readonly cpuQuota?: number; readonly cpuPeriod?: number; readonly memory?: number };
export function podLimits(pod: Pod): PodLimits {
  const all = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  const has = (name: string): boolean => pod.spec.resources?.limits?.[name] !== undefined || all.every(({ resources }) => resources?.limits?.[name] !== undefined);
  const shares = cpuShares(quantityMilli(podAmount(pod, "requests", "cpu")));
  if (qosOf(pod) === "BestEffort") return { cpuShares: sharesMin };
  return {
    cpuShares: shares,
    ...(has("cpu") && { cpuQuota: cpuQuota(quantityMilli(podAmount(pod, "limits", "cpu"))), cpuPeriod }),
    ...(has("memory") && { memory: quantityValue(podAmount(pod, "limits", "memory")) }),
  };
}

/** What a pod asks for in all: the sum of what runs together, or the largest moment of its start, and its overhead (component-helpers resource). */
export function podAmount(pod: Pod, which: "requests" | "limits", name: string): string {
  const own = pod.spec.resources?.[which]?.[name];
  if (own !== undefined) return plus(own, pod.spec.overhead?.[name]);
  const of = (container: AnyContainer): string => container.resources?.[which]?.[name] ?? (which === "requests" ? container.resources?.limits?.[name] : undefined) ?? "0";
  let sidecars = "0";
  let starting = "0";
  for (const container of pod.spec.initContainers ?? []) {
    if (isSidecar(container)) sidecars = plus(sidecars, of(container));
    const now = isSidecar(container) ? sidecars : plus(sidecars, of(container));
    if (compareQuantities(now, starting) > 0) starting = now;
  }
  const running = pod.spec.containers.reduce((sum, container) => plus(sum, of(container)), sidecars);
  return plus(compareQuantities(starting, running) > 0 ? starting : running, pod.spec.overhead?.[name]);
}

function plus(a: string, b: string | undefined): string {
  return b === undefined ? a : formatQuantity(addQuantities(parseQuantity(a), parseQuantity(b)));
}
function amount(amounts: Amounts | undefined, name: string): number {
  return amounts?.[name] === undefined ? 0 : quantityValue(amounts[name]);
}
