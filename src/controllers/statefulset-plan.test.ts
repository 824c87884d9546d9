import assert from "node:assert/strict";
import { test } from "node:test";
import type { StatefulSet } from "../kinds/apps/statefulset.ts";
import type { Pod } from "../kinds/core/pod.ts";
import { planStatus, planSteps } from "./statefulset-plan.ts";

// A set is written replicas[p for Parallel][/partition][~maxUnavailable][D for OnDelete]; a pod ordinal, revision (a old, b new), then ! not ready, x terminating, f failed.
const cases = [
  // set     pods                      what is made, and what is removed
  ["3",      "",                       "+0b"],
  ["3",      "0b!",                    ""],
  ["3",      "0b",                     "+1b"],
  ["3",      "0b 2b",                  "+1b"],
  ["3p",     "",                       "+0b +1b +2b"],
  ["3p",     "0b! 1bf",                "-1"],
  ["3",      "0bf 1b",                 "-0"],
  ["1",      "0b 1b 2b",               "-2"],
  ["1",      "0b 1b 2bx",              ""],
  ["1",      "0b! 1b 2b",              ""],
  ["1",      "0b 1b! 2b",              "-2"],
  ["1",      "0b 1b 2b!",              "-2"],
  ["0p",     "0b 1b! 2bx",             "-1 -0"],
  // Updates go from the top, one at a time, down to the partition.
  ["3",      "0a 1a 2a",               "-2"],
  ["3",      "0a 1a 2ax",              ""],
  ["3",      "0a 1a",                  "+2b"],
  ["3",      "0a 1a 2b!",              ""],
  ["3",      "0a 1a 2b",               "-1"],
  ["3/2",    "0a 1a 2b",               ""],
  ["3/2",    "1a 2b",                  "+0a"],
  ["3D",     "0a 1a 2a",               ""],
  ["4p~2",   "0a 1a 2a 3a",            "-3 -2"],
  ["4p~2",   "0a 1a 2a 3b!",           "-2"],
] as const;
for (const [text, pods, expected] of cases)
  test(`set ${text} with [${pods}]`, () => {
    const { create, remove } = planSteps(set(text), pods.split(" ").filter(Boolean).map(pod), "b", now);
    assert.equal([...create.map(({ ordinal, revision }) => `+${ordinal}${revision === "update" ? "b" : "a"}`), ...remove.map(({ pod }) => `-${pod.metadata.name.slice(4)}`)].join(" "), expected);
  });
const now = 1_900_000_000_000;

test("the status counts by revision, and a finished update makes the new revision the current one", () => {
  const status = (text: string) => planStatus(set("3"), text.split(" ").map(pod), "a", "b", now);
  const { replicas, readyReplicas, currentReplicas, updatedReplicas, availableReplicas, currentRevision } = status("0a 1b! 2b");
  assert.deepEqual([replicas, readyReplicas, currentReplicas, updatedReplicas, availableReplicas, currentRevision], [3, 2, 1, 2, 2, "a"]);
  assert.equal(status("0b 1b 2b").currentRevision, "b");
  assert.equal(status("0b").collisionCount, 0);
});

function set(text: string): StatefulSet {
  const [, replicas, parallel, partition, max, onDelete] = /^(\d+)(p)?(?:\/(\d+))?(?:~(\d+))?(D)?$/.exec(text) ?? [];
  const rollingUpdate = { partition: Number(partition ?? 0), ...(max === undefined ? {} : { maxUnavailable: Number(max) }) };
  return { metadata: { name: "web" }, spec: { replicas: Number(replicas), podManagementPolicy: parallel === undefined ? "OrderedReady" : "Parallel", updateStrategy: onDelete === undefined ? { type: "RollingUpdate", rollingUpdate } : { type: "OnDelete" } }, status: {} } as unknown as StatefulSet;
}
function pod(text: string): Pod {
  const [, ordinal, revision, marks = ""] = /^(\d+)([ab])([!xf]*)$/.exec(text) ?? [];
  return {
    metadata: { name: `web-${ordinal}`, labels: { "controller-revision-hash": revision }, ...(marks.includes("x") ? { deletionTimestamp: "now" } : {}) },
    status: { phase: marks.includes("f") ? "Failed" : "Running", conditions: [{ type: "Ready", status: marks === "" || marks === "x" ? "True" : "False", lastTransitionTime: "2020-01-01T00:00:00Z" }] },
  } as unknown as Pod;
}
