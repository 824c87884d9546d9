import assert from "node:assert/strict";
import { test } from "node:test";
import type { Node } from "../kinds/core/node.ts";
import type { Pod } from "../kinds/core/pod.ts";
import { planTaints, planZones, silentConditions } from "./node-plan.ts";
import { evictionTime } from "./taints.ts";

const now = 1_900_000_000_000;

// A node is written Ready's status, then conditions that hold, `!` for unschedulable, and its taints as key:effect (short keys, NS and NE).
const cases = [
  // node                                         eviction  taints
  ["True",                                        "remove", ""],
  ["True Memory !",                               "remove", "memory-pressure:NS unschedulable:NS"],
  ["Unknown",                                     "add",    "unreachable:NS unreachable:NE"],
  ["Unknown",                                     "keep",   "unreachable:NS"],
  ["False",                                       "add",    "not-ready:NS not-ready:NE"],
  ["False unreachable:NS unreachable:NE",         "add",    "not-ready:NS not-ready:NE"],
  ["Unknown unreachable:NS unreachable:NE",       "keep",   "unreachable:NS unreachable:NE"],
  ["Unknown unreachable:NS unreachable:NE",       "remove", "unreachable:NS"],
  ["True unreachable:NS unreachable:NE mine:NE",  "remove", "mine:NE"],
  ["- not-ready:NS",                              "keep",   ""],
] as const;
for (const [text, evict, expected] of cases)
  test(`taints of [${text}], eviction ${evict}`, () => {
    assert.equal(planTaints(node(text), evict, now).map(({ key, effect }) => `${key.replace("node.kubernetes.io/", "")}:${effect === "NoExecute" ? "NE" : "NS"}`).join(" "), expected);
  });

test("a silent node's conditions become Unknown; those never reported are added", () => {
  const conditions = silentConditions(node("True Memory"), now);
  assert.deepEqual(conditions.map(({ type, status, reason }) => `${type} ${status} ${reason}`), [
    "Ready Unknown NodeStatusUnknown", "MemoryPressure Unknown NodeStatusUnknown", "DiskPressure Unknown NodeStatusNeverUpdated", "PIDPressure Unknown NodeStatusNeverUpdated",
  ]);
});

test("zones: a half-dead one is emptied slowly if big and not at all if small; when all are down nothing is", () => {
  const settings = { evictionRate: 0.1, secondaryEvictionRate: 0.01, unhealthyZoneThreshold: 0.55, largeClusterNodes: 50 };
  const zone = (name: string, ready: number, dead: number): Node[] => [...Array.from({ length: ready }, () => inZone("True", name)), ...Array.from({ length: dead }, () => inZone("Unknown", name))];
  const { rates, allDown } = planZones([...zone("a", 9, 1), ...zone("b", 20, 40), ...zone("c", 2, 4), ...zone("d", 0, 3)], settings);
  assert.deepEqual([[...rates.values()], allDown], [[0.1, 0.01, 0, 0.1], false]);
  assert.equal(planZones(zone("a", 0, 2), settings).allDown, true);
});

test("a pod leaves at once, after its toleration's seconds since the taint, or never", () => {
  const taints = [{ key: "k", effect: "NoExecute", timeAdded: new Date(now - 10_000).toISOString() }] as const;
  const time = (tolerations: object[]): number | undefined => evictionTime({ spec: { tolerations } } as unknown as Pod, taints, now);
  assert.deepEqual([time([]), time([{ key: "k", operator: "Exists", tolerationSeconds: 30 }]), time([{ operator: "Exists" }]), time([{ key: "k", operator: "Exists", effect: "NoSchedule" }]), time([{ key: "k", tolerationSeconds: -5 }])],
    [now, now + 20_000, undefined, now, now - 10_000]);
});

function node(text: string): Node {
  const [ready = "", ...words] = text.split(" ");
  const taints = words.filter(word => word.includes(":")).map(word => {
    const [key = "", effect] = word.split(":");
    return { key: key === "mine" ? key : `node.kubernetes.io/${key}`, effect: effect === "NE" ? "NoExecute" : "NoSchedule" };
  });
  return {
    metadata: { name: "n", creationTimestamp: "2030-01-01T00:00:00Z" }, spec: { taints, ...(words.includes("!") ? { unschedulable: true } : {}) },
    status: { conditions: [...(ready === "-" ? [] : [{ type: "Ready", status: ready }]), ...(words.includes("Memory") ? [{ type: "MemoryPressure", status: "True" }] : [])] },
  } as unknown as Node;
}
function inZone(ready: string, zone: string): Node {
  return { ...node(ready), metadata: { name: "n", labels: { "topology.kubernetes.io/zone": zone } } } as unknown as Node;
}
