import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../kinds/core/pod.ts";
import type { PodDisruptionBudget } from "../kinds/policy/poddisruptionbudget.ts";
import type { AnyKind } from "../kinds/kind.ts";
import type { Context } from "./controller.ts";
import { expectedPods, isCovered } from "./disruption.ts";

const pod = (name: string, owner?: string): Pod => ({ metadata: { name, namespace: "x", labels: { app: "a" }, ...(owner ? { ownerReferences: [{ apiVersion: owner === "job" ? "batch/v1" : "apps/v1", kind: owner === "job" ? "Job" : "ReplicaSet", name: owner, uid: owner, controller: true }] } : {}) } }) as unknown as Pod;
const objects: { [key: string]: object } = {
  "ReplicaSet x/rs": { metadata: { uid: "rs" }, spec: { replicas: 4 } },
  "ReplicaSet x/web-1": { metadata: { uid: "web-1", ownerReferences: [{ kind: "Deployment", name: "web", uid: "web", controller: true }] }, spec: { replicas: 1 } },
  "ReplicaSet x/web-2": { metadata: { uid: "web-2", ownerReferences: [{ kind: "Deployment", name: "web", uid: "web", controller: true }] }, spec: { replicas: 2 } },
  "Deployment x/web": { metadata: { uid: "web" }, spec: { replicas: 10 } },
};
const context = { read: (kind: AnyKind) => ({ get: (key: string) => objects[`${kind.kind} ${key}`] }) } as unknown as Context;
const counts = (spec: object, ...pods: Pod[]) => {
  const { expected, desired, problem } = expectedPods({ spec } as PodDisruptionBudget, pods, context);
  return problem ?? [expected, desired];
};

test("a number of pods is of those there are, a share or a shortfall of those there should be", () => {
  assert.deepEqual(counts({ minAvailable: 2 }, pod("a"), pod("b"), pod("c")), [3, 2]);
  assert.deepEqual(counts({ minAvailable: "50%" }, pod("a", "rs"), pod("b", "rs")), [4, 2]);
  assert.deepEqual(counts({ maxUnavailable: 1 }, pod("a", "rs")), [4, 3]);
  assert.deepEqual(counts({ maxUnavailable: "30%" }, pod("a", "rs")), [4, 2], "30 % of 4 rounds up to 2 that may be missing");
  assert.deepEqual(counts({ maxUnavailable: 9 }, pod("a", "rs")), [4, 0]);
});

test("during a rollout the Deployment's size counts, once", () => {
  assert.deepEqual(counts({ maxUnavailable: "10%" }, pod("a", "web-1"), pod("b", "web-2"), pod("c", "web-2")), [10, 9]);
});

test("pods of their own have no size to be a share of; other owners are a problem", () => {
  assert.deepEqual(counts({ maxUnavailable: 1 }, pod("a"), pod("b", "rs")), [4, 3]);
  assert.equal(counts({ maxUnavailable: 1 }, pod("a", "job")), 'found no controllers for pod "a"');
});

test("a budget without a selector is about nothing, one with an empty selector about all", () => {
  const budget = (selector: object | undefined): PodDisruptionBudget => ({ metadata: { namespace: "x" }, spec: selector === undefined ? {} : { selector } }) as unknown as PodDisruptionBudget;
  assert.deepEqual([undefined, {}, { matchLabels: { app: "a" } }, { matchLabels: { app: "b" } }].map(selector => isCovered(budget(selector), pod("p"))), [false, true, true, false]);
});
