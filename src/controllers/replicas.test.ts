import assert from "node:assert/strict";
import { test } from "node:test";
import type { ReplicaSet } from "../kinds/apps/replicaset.ts";
import type { Pod } from "../kinds/core/pod.ts";
import { planScaling, planStatus } from "./replicas.ts";

// A pod is written name:phase[@node][+ready since, seconds ago][$deletion cost][*restarts].
const cases = [
  // want  have                                              add  remove
  [ 3,     "",                                               3,   "" ],
  [ 600,   "",                                               500, "" ],
  [ 3,     "a:Running@n1+9 b:Pending",                       1,   "" ],
  [ 1,     "a:Running@n1+9 b:Pending@n1 c:Pending",          0,   "c b" ],
  [ 1,     "a:Running@n1 b:Running@n1+9",                    0,   "a" ],
  [ 1,     "a:Running@n1+9 b:Unknown@n1 c:Pending@n1",       0,   "c b" ],
  [ 1,     "a:Running@n1+9$5 b:Running@n2+9$-5",             0,   "b" ],
  [ 1,     "a:Running@n1+9$x b:Running@n2+9$-1",             0,   "b" ],
  [ 2,     "a:Running@n1+9 b:Running@n2+900 c:Running@n2+9", 0,   "c" ],
  [ 1,     "a:Running@n1+900 b:Running@n2+9",                0,   "b" ],
  [ 1,     "a:Running@n1+9*1 b:Running@n2+9*4",              0,   "b" ],
  [ 0,     "b:Running@n1+9 a:Running@n1+9",                  0,   "a b" ],
] as const;
const now = 1_900_000_000_000;

for (const [want, have, add, remove] of cases)
  test(`want ${want}, have [${have}]`, () => {
    const pods = have.split(" ").filter(Boolean).map(pod);
    const plan = planScaling(set(want), pods, pods, now);
    assert.deepEqual([plan.add, plan.remove.map(({ metadata }) => metadata.name).join(" ")], [add, remove]);
  });

test("a pod counts as available once it has been ready for minReadySeconds", () => {
  const pods = ["a:Running@n1+5", "b:Running@n1+15", "c:Running@n1"].map(pod);
  const { replicas, readyReplicas, availableReplicas, terminatingReplicas } = planStatus(set(3, 10), pods, 2, undefined, now);
  assert.deepEqual([replicas, readyReplicas, availableReplicas, terminatingReplicas], [3, 2, 1, 2]);
});

test("the first failure to make pods becomes a condition, which goes with the next success", () => {
  const failed = planStatus(set(1), [], 0, { reason: "FailedCreate", error: new Error("exceeded quota") }, now);
  assert.deepEqual(failed.conditions, [{ type: "ReplicaFailure", status: "True", lastTransitionTime: "2030-03-17T17:46:40Z", reason: "FailedCreate", message: "exceeded quota" }]);
  assert.equal(planStatus({ ...set(1), status: failed }, [], 0, undefined, now).conditions, undefined);
});

function set(replicas: number, minReadySeconds = 0): ReplicaSet {
  return { metadata: { name: "web", generation: 1 }, spec: { replicas, minReadySeconds, selector: {}, template: { metadata: { labels: {} } } }, status: { replicas: 0 } } as unknown as ReplicaSet;
}
function pod(text: string): Pod {
  const [, name = "", phase, nodeName, ready, cost, restarts] = /^(\w+):(\w+)(?:@(\w+))?(?:\+(\d+))?(?:\$(-?\w+))?(?:\*(\d+))?$/.exec(text) ?? [];
  const since = new Date(now - Number(ready ?? 0) * 1000).toISOString();
  return {
    metadata: { name, uid: name, creationTimestamp: "2029-01-01T00:00:00Z", ...(cost === undefined ? {} : { annotations: { "controller.kubernetes.io/pod-deletion-cost": cost } }) },
    spec: { ...(nodeName === undefined ? {} : { nodeName }) },
    status: { phase, conditions: ready === undefined ? [] : [{ type: "Ready", status: "True", lastTransitionTime: since }], containerStatuses: [{ restartCount: Number(restarts ?? 0) }] },
  } as unknown as Pod;
}
