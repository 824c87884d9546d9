import assert from "node:assert/strict";
import { test } from "node:test";
import type { Deployment } from "../kinds/apps/deployment.ts";
import type { ReplicaSet } from "../kinds/apps/replicaset.ts";
import { nextCheck, pausedConditions, rolloutStatus, withCondition } from "./deployment-status.ts";

const now = 1_900_000_000_000;
const ago = (seconds: number): string => new Date(now - seconds * 1000).toISOString().replace(".000", "");
const progressing = (status: string, reason: string, seconds: number): object => ({ type: "Progressing", status, reason, message: "", lastUpdateTime: ago(seconds), lastTransitionTime: ago(seconds) });
const deploymentOf = (status: object, spec: object = {}): Deployment =>
  ({ metadata: { name: "web", generation: 2 }, spec: { replicas: 3, progressDeadlineSeconds: 60, strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } }, ...spec }, status }) as unknown as Deployment;
const set = (name: string, replicas: number, available: number, conditions?: object[]): ReplicaSet =>
  ({ metadata: { name }, spec: { replicas }, status: { replicas, readyReplicas: available, availableReplicas: available, terminatingReplicas: 0, ...(conditions === undefined ? {} : { conditions }) } }) as unknown as ReplicaSet;

// What is stored, the current and the old set -> reason and message of Progressing.
const cases = [
  ["a rollout that moves", { updatedReplicas: 1, conditions: [progressing("True", "NewReplicaSetCreated", 5)] }, [2, 1], [1, 1], "True ReplicaSetUpdated ReplicaSet \"web-new\" is progressing."],
  ["a rollout that is done", { updatedReplicas: 2, conditions: [progressing("True", "ReplicaSetUpdated", 5)] }, [3, 3], [0, 0], "True NewReplicaSetAvailable ReplicaSet \"web-new\" has successfully progressed."],
  ["a rollout that stands still for less than the deadline", { replicas: 3, updatedReplicas: 2, readyReplicas: 1, availableReplicas: 1, conditions: [progressing("True", "ReplicaSetUpdated", 30)] }, [2, 0], [1, 1], "True ReplicaSetUpdated "],
  ["a rollout that stands still for longer", { replicas: 3, updatedReplicas: 2, readyReplicas: 1, availableReplicas: 1, conditions: [progressing("True", "ReplicaSetUpdated", 61)] }, [2, 0], [1, 1], "False ProgressDeadlineExceeded ReplicaSet \"web-new\" has timed out progressing."],
  ["a completed rollout whose pods fail later", { replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3, conditions: [progressing("True", "NewReplicaSetAvailable", 600)] }, [3, 0], [0, 0], "True NewReplicaSetAvailable "],
] as const;
for (const [name, stored, current, old, expected] of cases)
  test(name, () => {
    const status = rolloutStatus(deploymentOf(stored), set("web-new", current[0], current[1]), [set("web-old", old[0], old[1])], now);
    const condition = status.conditions?.find(({ type }) => type === "Progressing");
    assert.equal(`${condition?.status} ${condition?.reason} ${condition?.message}`, expected);
  });

test("availability is what is ready less what may be missing", () => {
  const available = (count: number): string | undefined => rolloutStatus(deploymentOf({}), set("n", 3, count), [], now).conditions?.find(({ type }) => type === "Available")?.message;
  assert.deepEqual([available(2), available(1)], ["Deployment has minimum availability.", "Deployment does not have minimum availability."]);
});

test("why pods could not be made is taken from the current set first", () => {
  const failure = (reason: string): object => ({ type: "ReplicaFailure", status: "True", reason, message: "quota", lastTransitionTime: ago(3) });
  const { conditions } = rolloutStatus(deploymentOf({}), set("n", 1, 0, [failure("FailedCreate")]), [set("o", 1, 1, [failure("FailedDelete")])], now);
  assert.equal(conditions?.find(({ type }) => type === "ReplicaFailure")?.reason, "FailedCreate");
});

test("pausing and resuming are told once each, and do not hide a missed deadline", () => {
  const paused = pausedConditions(deploymentOf({ conditions: [progressing("True", "ReplicaSetUpdated", 5)] }, { paused: true }), now);
  assert.deepEqual([paused[0]?.status, paused[0]?.reason, paused[0]?.message], ["Unknown", "DeploymentPaused", "Deployment is paused"]);
  assert.equal(pausedConditions(deploymentOf({ conditions: paused }), now)[0]?.reason, "DeploymentResumed");
  assert.equal(pausedConditions(deploymentOf({ conditions: [progressing("False", "ProgressDeadlineExceeded", 5)] }, { paused: true }), now)[0]?.reason, "ProgressDeadlineExceeded");
});

test("a stuck rollout is looked at again just after its deadline", () => {
  assert.equal(nextCheck(deploymentOf({}), { conditions: [progressing("True", "ReplicaSetUpdated", 20)] } as never, now), 41_000);
  assert.equal(nextCheck(deploymentOf({}), { conditions: [progressing("False", "ProgressDeadlineExceeded", 20)] } as never, now), undefined);
});

test("a condition with the same status keeps its transition time; with the same reason nothing changes", () => {
  const before = withCondition([], "Available", "True", "A", "", now - 5_000);
  const other = withCondition(before, "Available", "True", "B", "", now);
  assert.equal(other[0]?.lastTransitionTime, before[0]?.lastTransitionTime);
  assert.equal(withCondition(before, "Available", "True", "A", "other words", now), before);
});
