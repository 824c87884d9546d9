/** What a node's silence and conditions mean: pure (upstream pkg/controller/nodelifecycle/node_lifecycle_controller.go). */
import { sameJson } from "../base/json.ts";
import { timeOf } from "../base/time.ts";
import type { Node, NodeCondition } from "../kinds/core/node.ts";
import type { Taint } from "../kinds/core/toleration.ts";

export const notReadyKey = "node.kubernetes.io/not-ready";
export const unreachableKey = "node.kubernetes.io/unreachable";
const unschedulableKey = "node.kubernetes.io/unschedulable";
/** Condition that must not hold, and the taint that keeps pods away while it does. */
const pressures: readonly (readonly [condition: string, key: string])[] = [
  ["MemoryPressure", "node.kubernetes.io/memory-pressure"], ["DiskPressure", "node.kubernetes.io/disk-pressure"],
  ["NetworkUnavailable", "node.kubernetes.io/network-unavailable"], ["PIDPressure", "node.kubernetes.io/pid-pressure"],
];
const managedKeys: ReadonlySet<string> = new Set([notReadyKey, unreachableKey, unschedulableKey, ...pressures.map(([, key]) => key)]);

export function readiness(node: Node): "True" | "False" | "Unknown" | undefined {
  return node.status.conditions?.find(({ type }) => type === "Ready")?.status as "True" | "False" | "Unknown" | undefined;
}

/** The conditions of a node that has not been heard of for too long: all that its agent reports become Unknown. */
export function silentConditions(node: Node, now: number): readonly NodeCondition[] {
  const conditions = [...(node.status.conditions ?? [])];
  for (const type of ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"]) {
    const at = conditions.findIndex(condition => condition.type === type);
    const had = conditions[at];
    if (had === undefined)
      conditions.push({ type, status: "Unknown", reason: "NodeStatusNeverUpdated", message: "Kubelet never posted node status.", lastHeartbeatTime: node.metadata.creationTimestamp, lastTransitionTime: timeOf(now) });
    else if (had.status !== "Unknown")
      conditions[at] = { ...had, status: "Unknown", reason: "NodeStatusUnknown", message: "Kubelet stopped posting node status.", lastTransitionTime: timeOf(now) };
  }
  return conditions;
}

/** The node's taints with those that follow from its conditions; `evict` says whether NoExecute may be (or stay) there. */
export function planTaints(node: Node, evict: "add" | "keep" | "remove", now: number): readonly Taint[] {
  const ready = readiness(node);
  const schedule = new Set<string>();
  if (ready === "False") schedule.add(notReadyKey);
  if (ready === "Unknown") schedule.add(unreachableKey);
  for (const [type, key] of pressures) if (node.status.conditions?.some(condition => condition.type === type && condition.status === "True") === true) schedule.add(key);
  if (node.spec.unschedulable === true) schedule.add(unschedulableKey);
  const execute = ready === "Unknown" ? unreachableKey : ready === "False" ? notReadyKey : undefined;

  const taints = node.spec.taints ?? [];
  const has = (key: string, effect: string): boolean => taints.some(taint => taint.key === key && taint.effect === effect);
  const hadExecute = has(notReadyKey, "NoExecute") || has(unreachableKey, "NoExecute");
  const wantsExecute = execute !== undefined && (evict === "add" || (evict === "keep" && hadExecute)) ? execute : undefined;
  const kept = taints.filter(({ key, effect }) => {
    if (effect === "NoSchedule" && managedKeys.has(key)) return schedule.has(key);
    return !(effect === "NoExecute" && (key === notReadyKey || key === unreachableKey)) || key === wantsExecute;
  });
  const added = [
    ...[...schedule].filter(key => !has(key, "NoSchedule")).map((key): Taint => ({ key, effect: "NoSchedule", timeAdded: timeOf(now) })),
    ...(wantsExecute !== undefined && !has(wantsExecute, "NoExecute") ? [{ key: wantsExecute, effect: "NoExecute", timeAdded: timeOf(now) } as const] : []),
  ];
  const next = [...kept, ...added];
  return sameJson(next, taints) ? taints : next;
}
/** True while our own taint throws pods off the node. */
export function isEvicting(node: Node): boolean {
  return node.spec.taints?.some(({ key, effect }) => effect === "NoExecute" && (key === notReadyKey || key === unreachableKey)) === true;
}

/** The zone that upstream's node controller counts a node in: region and zone, or "" without them. */
export function zoneOf({ metadata: { labels = {} } }: Node): string {
  const region = labels["topology.kubernetes.io/region"] ?? labels["failure-domain.beta.kubernetes.io/region"] ?? "";
  const zone = labels["topology.kubernetes.io/zone"] ?? labels["failure-domain.beta.kubernetes.io/zone"] ?? "";
  return region === "" && zone === "" ? "" : `${region}:\0:${zone}`;
}

export type Zones = { readonly rates: ReadonlyMap<string, number>; /** No node anywhere is ready: it is rather we who are cut off. */ readonly allDown: boolean };

/** How many nodes a second may be emptied in each zone. */
export function planZones(nodes: readonly Node[], settings: { readonly evictionRate: number; readonly secondaryEvictionRate: number; readonly unhealthyZoneThreshold: number; readonly largeClusterNodes: number }): Zones {
  const zones = new Map<string, { ready: number; notReady: number }>();
  for (const node of nodes) {
    const zone = zones.get(zoneOf(node)) ?? { ready: 0, notReady: 0 };
    zones.set(zoneOf(node), zone);
    if (readiness(node) === "True") zone.ready++;
    else zone.notReady++;
  }
  const isDown = ({ ready, notReady }: { ready: number; notReady: number }): boolean => ready === 0 && notReady > 0;
  const allDown = zones.size > 0 && [...zones.values()].every(isDown);
  const rates = new Map([...zones].map(([name, zone]): [string, number] => {
    const { ready, notReady } = zone;
    const partlyDown = notReady > 2 && notReady / (ready + notReady) >= settings.unhealthyZoneThreshold;
    if (isDown(zone) || !partlyDown) return [name, settings.evictionRate];
    return [name, ready + notReady > settings.largeClusterNodes ? settings.secondaryEvictionRate : 0];
  }));
  return { rates, allDown };
}
