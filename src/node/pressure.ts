/** Whether a node runs short, and which pod is to go first: pure (pkg/kubelet/eviction/helpers.go). Bytes and counts. */
import { compareQuantities, formatQuantity, quantityOf, quantityValue } from "../base/quantity.ts";
import { isObject, type Json, type JsonObject } from "../base/json.ts";
import type { Pod } from "../kinds/core/pod.ts";
import { podAmount } from "./resources.ts";

export type Signal = "memory.available" | "nodefs.available" | "nodefs.inodesFree" | "imagefs.available" | "imagefs.inodesFree";
export type Pressure = "MemoryPressure" | "DiskPressure" | "PIDPressure";
type Resource = "memory" | "ephemeral-storage" | "inodes";
export type Observation = { readonly available: number; readonly capacity: number };
export type Observations = { readonly [S in Signal]?: Observation };

/**
 * Of the disk this much stays free. kubelet's own defaults (15 % for images, 10 % for the rest) are made for machines that are nodes and nothing else: a laptop
 * with 50 of 500 GB free would run no pod at all. k3s has 5 as well.
 */
export const diskPercentMin = 5;

/** Hard thresholds, in kubelet's order: memory before all others. */
export const thresholds: readonly { readonly signal: Signal; readonly resource: Resource; readonly condition: Pressure; /** A quantity, or a share of the capacity. */ readonly least: string }[] = [
  { signal: "memory.available", resource: "memory", condition: "MemoryPressure", least: "100Mi" },
  { signal: "imagefs.available", resource: "ephemeral-storage", condition: "DiskPressure", least: `${diskPercentMin}%` },
  { signal: "imagefs.inodesFree", resource: "inodes", condition: "DiskPressure", least: "5%" },
  { signal: "nodefs.available", resource: "ephemeral-storage", condition: "DiskPressure", least: `${diskPercentMin}%` },
  { signal: "nodefs.inodesFree", resource: "inodes", condition: "DiskPressure", least: "5%" },
];
function leastOf(least: string, capacity: number): number {
  return least.endsWith("%") ? Math.floor((capacity * Number(least.slice(0, -1))) / 100) : quantityValue(least);
}
export type Met = { readonly signal: Signal; readonly resource: Resource; readonly condition: Pressure; readonly threshold: number; readonly available: number };

/** Of a stats summary that is not brief. A file system without a count of inodes has no such signal. */
export function observationsOf(summary: Json): Observations {
  const node = part(isObject(summary) ? summary["node"] : undefined);
  const memory = part(node["memory"]);
  const images = part(part(node["runtime"])["imageFs"]);
  const bytes = (stats: JsonObject): Observation | undefined => (typeof stats["availableBytes"] === "number" && typeof stats["capacityBytes"] === "number" ? { available: stats["availableBytes"], capacity: stats["capacityBytes"] } : undefined);
  const inodes = (stats: JsonObject): Observation | undefined => (typeof stats["inodesFree"] === "number" && typeof stats["inodes"] === "number" && stats["inodes"] > 0 ? { available: stats["inodesFree"], capacity: stats["inodes"] } : undefined);
  const found: { [S in Signal]?: Observation } = {};
  if (typeof memory["availableBytes"] === "number") found["memory.available"] = { available: memory["availableBytes"], capacity: memory["availableBytes"] + Number(memory["workingSetBytes"] ?? 0) };
  for (const [name, observation] of [["nodefs.available", bytes(part(node["fs"]))], ["nodefs.inodesFree", inodes(part(node["fs"]))], ["imagefs.available", bytes(images)], ["imagefs.inodesFree", inodes(images)]] as const)
    if (observation !== undefined) found[name] = observation;
  return found;
}
const part = (value: Json | undefined): JsonObject => (isObject(value) ? value : {});

export function thresholdsMet(observations: Observations): readonly Met[] {
  return thresholds.flatMap(({ signal, resource, condition, least }) => {
    const seen = observations[signal];
    if (seen === undefined) return [];
    const threshold = leastOf(least, seen.capacity);
    return seen.available < threshold ? [{ signal, resource, condition, threshold, available: seen.available }] : [];
  });
}

/** A pod with what its part of the summary says. */
export type Candidate = { readonly pod: Pod; readonly stats: JsonObject };

/** Who goes first: who uses more than it asked for, then the least important, then who is furthest above what it asked for. */
export function evictionOrder(candidates: readonly Candidate[], resource: Resource): readonly Candidate[] {
  const judged = candidates.map(candidate => {
    const used = usageOf(candidate.stats, resource);
    const over = used - (resource === "inodes" ? 0 : quantityValue(podAmount(candidate.pod, "requests", resource)));
    return { candidate, over, priority: candidate.pod.spec.priority ?? 0 };
  });
  return judged.sort((a, b) => Number(b.over > 0) - Number(a.over > 0) || a.priority - b.priority || b.over - a.over).map(({ candidate }) => candidate);
}
function usageOf(stats: JsonObject, resource: Resource): number {
  if (resource === "memory") return Number(part(stats["memory"])["workingSetBytes"] ?? 0);
  return Number(part(stats["ephemeral-storage"])[resource === "inodes" ? "inodesUsed" : "usedBytes"] ?? 0);
}

/** Upstream's text, with the containers that are to blame. */
export function evictionMessage({ pod, stats }: Candidate, met: Met): string {
  const { resource, threshold, available } = met;
  const amount = (value: number): string => formatQuantity(quantityOf(value, resource === "inodes" ? "DecimalSI" : "BinarySI"));
  const blamed = (Array.isArray(stats["containers"]) ? stats["containers"].filter(isObject) : []).flatMap(each => {
    const container = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].find(({ name }) => name === each["name"]);
    if (container === undefined || resource === "inodes") return [];
    const used = resource === "memory" ? Number(part(each["memory"])["workingSetBytes"] ?? 0) : Number(part(each["rootfs"])["usedBytes"] ?? 0) + Number(part(each["logs"])["usedBytes"] ?? 0);
    const request = container.resources?.requests?.[resource] ?? "0";
    return compareQuantities(quantityOf(used), request) > 0 ? [`Container ${container.name} was using ${amount(used)}, request is ${request}, has larger consumption of ${resource}. `] : [];
  });
  return `The node was low on resource: ${resource}. Threshold quantity: ${amount(threshold)}, available: ${amount(available)}. ${blamed.join("")}`;
}

/** Why a pod that has limits of its own on the disk must go, if so. */
export function storageLimitPassed({ pod, stats }: Candidate): { readonly signal: "emptydirfs.limit" | "ephemeralpodfs.limit" | "ephemeralcontainerfs.limit"; readonly message: string } | undefined {
  const list = (value: Json | undefined): readonly JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);
  for (const { name, emptyDir } of pod.spec.volumes ?? []) {
    const limit = emptyDir?.sizeLimit;
    const used = list(stats["volume"]).find(volume => volume["name"] === name);
    if (limit !== undefined && compareQuantities(limit, "0") > 0 && used !== undefined && compareQuantities(quantityOf(Number(used["usedBytes"])), limit) > 0) return { signal: "emptydirfs.limit", message: `Usage of EmptyDir volume "${name}" exceeds the limit "${limit}". ` };
  }
  const all = podAmount(pod, "limits", "ephemeral-storage");
  if (pod.spec.containers.some(({ resources }) => resources?.limits?.["ephemeral-storage"] !== undefined) && compareQuantities(quantityOf(usageOf(stats, "ephemeral-storage")), all) > 0)
    return { signal: "ephemeralpodfs.limit", message: `Pod ephemeral local storage usage exceeds the total limit of containers ${all}. ` };
  for (const each of list(stats["containers"])) {
    const limit = pod.spec.containers.find(({ name }) => name === each["name"])?.resources?.limits?.["ephemeral-storage"];
    const used = Number(part(each["rootfs"])["usedBytes"] ?? 0) + Number(part(each["logs"])["usedBytes"] ?? 0);
    if (limit !== undefined && compareQuantities(limit, "0") > 0 && compareQuantities(quantityOf(used), limit) > 0) return { signal: "ephemeralcontainerfs.limit", message: `Container ${String(each["name"])} exceeded its local ephemeral storage limit "${limit}". ` };
  }
  return undefined;
}
/** Whether its usage must be measured at all. */
export function limitsStorage(pod: Pod): boolean {
  return (pod.spec.volumes ?? []).some(({ emptyDir }) => emptyDir?.sizeLimit !== undefined) || pod.spec.containers.some(({ resources }) => resources?.limits?.["ephemeral-storage"] !== undefined);
}
