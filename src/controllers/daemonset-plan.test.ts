import assert from "node:assert/strict";
import { test } from "node:test";
import type { DaemonSet } from "../kinds/apps/daemonset.ts";
import type { Node } from "../kinds/core/node.ts";
import type { Pod } from "../kinds/core/pod.ts";
import { fits, planStatus, planSteps } from "./daemonset-plan.ts";

const now = 1_900_000_000_000;
// A node is its name, then s for a NoSchedule and e for a NoExecute taint, and l for a label; a pod is its node, a (old) or b (new), ! not ready, x dying, f failed, and a number to tell it from others.
const cases = [
  // nodes     pods             surge/unavailable  what is made, and what is removed
  ["m n",      "",              "0/1",             "+m +n"],
  ["m n",      "mb",            "0/1",             "+n"],
  ["m ns oe",  "mb nb ob",      "0/1",             "-ob"],
  ["ms",       "",              "0/1",             ""],
  ["m",        "mb mb2",        "0/1",             "-mb2"],
  ["m",        "mbf",           "0/1",             "-mbf"],
  ["m",        "mbx",           "0/1",             ""],
  ["m",        "zb",            "0/1",             "+m"],
  ["m n o",    "ma na oa",      "0/1",             "-ma"],
  ["m n o",    "ma na oa",      "0/2",             "-ma -na"],
  ["m n o",    "mb! na oa",     "0/1",             ""],
  ["m n o",    "mb na! oa",     "0/1",             "-na!"],
  ["m n",      "ma na",         "1/0",             "+m"],
  ["m n",      "ma mb! na",     "1/0",             ""],
  ["m n",      "ma mb na",      "1/0",             "-ma"],
] as const;
for (const [nodes, pods, bounds, expected] of cases)
  test(`nodes [${nodes}] pods [${pods}] surge/unavailable ${bounds}`, () => {
    const { create, remove } = planSteps(set(bounds), nodes.split(" ").map(node), pods.split(" ").filter(Boolean).map(pod), "b", now);
    assert.equal([...create.map(name => `+${name}`), ...remove.map(({ pod }) => `-${pod.metadata.name}`)].join(" "), expected);
  });

test("a NoSchedule taint lets a pod stay, a NoExecute taint does not, and a node that is not selected neither", () => {
  const selecting = { ...set("0/1"), spec: { ...set("0/1").spec, template: { spec: { nodeSelector: { l: "1" } } } } } as unknown as DaemonSet;
  assert.deepEqual([fits(set("0/1"), node("ms")), fits(set("0/1"), node("me")), fits(selecting, node("m")), fits(selecting, node("ml"))],
    [{ run: false, stay: true }, { run: false, stay: false }, { run: false, stay: false }, { run: true, stay: true }]);
});

test("the status counts nodes", () => {
  const status = planStatus(set("0/1"), ["m", "n", "o", "pe"].map(node), ["ma", "nb!", "pb"].map(pod), "b", now);
  assert.deepEqual(status, { currentNumberScheduled: 2, numberMisscheduled: 1, desiredNumberScheduled: 3, numberReady: 1, updatedNumberScheduled: 1, numberAvailable: 1, numberUnavailable: 2 });
});

function set(bounds: string): DaemonSet {
  const [maxSurge, maxUnavailable] = bounds.split("/").map(Number);
  return { metadata: { name: "d" }, spec: { template: { spec: {} }, updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxSurge, maxUnavailable } } }, status: {} } as unknown as DaemonSet;
}
function node(text: string): Node {
  const taints = [...(text.includes("s") ? [{ key: "k", effect: "NoSchedule" }] : []), ...(text.includes("e") ? [{ key: "k", effect: "NoExecute" }] : [])];
  return { metadata: { name: text[0], labels: text.includes("l") ? { l: "1" } : {} }, spec: { taints } } as unknown as Node;
}
function pod(text: string): Pod {
  return {
    metadata: { name: text, creationTimestamp: `2030-01-01T00:00:0${/\d/.exec(text)?.[0] ?? 0}Z`, labels: { "controller-revision-hash": text[1] }, ...(text.includes("x") ? { deletionTimestamp: "now" } : {}) },
    spec: { nodeName: text[0] },
    status: { phase: text.includes("f") ? "Failed" : "Running", conditions: [{ type: "Ready", status: text.includes("!") ? "False" : "True", lastTransitionTime: "2020-01-01T00:00:00Z" }] },
  } as unknown as Pod;
}
