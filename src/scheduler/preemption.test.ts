import assert from "node:assert/strict";
import { test } from "node:test";
import { explain } from "./explain.ts";
import { clusterOf, random } from "../../test/scheduler/notation.ts";
import { planPreemption } from "./preemption.ts";
import { schedulePod } from "./schedule-pod.ts";

// name, nodes, pods that are there, pod, `node: victims`, or what the user is told
const cases: readonly (readonly [string, string, string, string, string])[] = [
  ["the less important goes", "a:cpu=1", "x@a:cpu=1", "p:cpu=1,prio=10", "a: x"],
  ["as few as needed go", "a:cpu=3", "x@a:cpu=1 y@a:cpu=1 z@a:cpu=1", "p:cpu=1,prio=10", "a: z"],
  ["the more important stay", "a:cpu=3", "x@a:cpu=1,prio=3 y@a:cpu=1,prio=1 z@a:cpu=1,prio=2", "p:cpu=2,prio=10", "a: z y"],
  ["a small important one stays beside a large one", "a:cpu=4", "x@a:cpu=3,prio=1 y@a:cpu=1,prio=5", "p:cpu=3,prio=10", "a: x"],
  ["equals are not evicted", "a:cpu=1", "x@a:cpu=1,prio=10", "p:cpu=1,prio=10", "0/1 nodes are available: 1 No preemption victims found for incoming pod."],
  ["a node too small is not helped", "a:cpu=1 b:cpu=2", "x@b:cpu=2,prio=10", "p:cpu=2,prio=10", "0/2 nodes are available: 1 No preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling."],
  ["taints are not evicted", "a:taint=k//NoSchedule", "x@a", "p:prio=10", "0/1 nodes are available: 1 Preemption is not helpful for scheduling."],
  ["no use if the rest still fills the node", "a:cpu=3", "x@a:cpu=1 y@a:cpu=2,prio=20", "p:cpu=2,prio=10", "0/1 nodes are available: 1 Insufficient cpu."],
  ["not for pods that must not", "a:cpu=1", "x@a:cpu=1", "p:cpu=1,prio=10,never", "not eligible due to preemptionPolicy=Never."],
  ["the node with the least important victim", "a:cpu=1 b:cpu=1", "x@a:cpu=1,prio=5 y@b:cpu=1,prio=2", "p:cpu=1,prio=10", "b: y"],
  ["the node with the smaller sum", "a:cpu=2 b:cpu=2", "x@a:cpu=1,prio=2 y@a:cpu=1,prio=2 z@b:cpu=1,prio=2 w@b:cpu=1,prio=1", "p:cpu=2,prio=10", "b: z w"],
  ["the node with fewer victims", "a:cpu=2 b:cpu=2", "x@a:cpu=1,prio=2 y@a:cpu=1,prio=2 z@b:cpu=2,prio=2", "p:cpu=2,prio=10", "b: z"],
  ["the node with the younger victim", "a:cpu=1 b:cpu=1", "x@a:cpu=1,started=100 y@b:cpu=1,started=200", "p:cpu=1,prio=10", "b: y"],
  ["a host port is freed", "a", "x@a:port=80 y@a", "p:port=80,prio=1", "a: x"],
  ["anti-affinity is satisfied", "a", "x@a:app=web y@a", "p:avoid=host/app/web,prio=1", "a: x"],
  ["those who shun it go", "a", "x@a:avoid=host/app/web y@a", "p:app=web,prio=1", "a: x"],
  ["affinity to a victim is lost with it", "a:cpu=1", "x@a:cpu=1,app=db", "p:cpu=1,near=host/app/db,prio=1", "0/1 nodes are available: 1 node(s) didn't match pod affinity rules."],
  ["spreading is satisfied", "a:zone=1 b:zone=2,cordoned", "x@a:app=web", "p:app=web,spread=zone/1,prio=1", "a: x"],
];

for (const [name, nodes, placed, waiting, want] of cases)
  test(`${name}: ${waiting} among [${placed}] on [${nodes}]`, () => {
    const { cluster, pods: [pod] } = clusterOf(nodes, placed, waiting);
    const before = cluster.nodes.map(node => [node.name, node.requested.cpu, [...node.pods.keys()]]);
    const decision = schedulePod(pod!, cluster, random());
    assert.ok(decision.node === undefined, "it fits without preemption");
    const plan = planPreemption(pod!, decision.diagnosis, cluster, random());
    assert.equal(plan.node === undefined ? plan.message : `${plan.node}: ${plan.victims.map(victim => victim.pod.metadata.name).join(" ")}`, want);
    assert.deepEqual(cluster.nodes.map(node => [node.name, node.requested.cpu, [...node.pods.keys()]]), before);
  });

const budgets: readonly (readonly [string, number, string, string, string, string])[] = [
  ["a budget spares a more important pod's neighbour", 0, "a:cpu=2", "x@a:cpu=1,app=web y@a:cpu=1,prio=1", "p:cpu=1,prio=10", "a: y"],
  ["a budget that allows one spares the second", 1, "a:cpu=2 b:cpu=2", "x@a:cpu=1,app=web y@a:cpu=1,app=web z@b:cpu=2,prio=5", "p:cpu=2,prio=10", "b: z"],
  ["a budget is broken if nothing else helps", 0, "a:cpu=1", "x@a:cpu=1,app=web", "p:cpu=1,prio=10", "a: x"],
];
for (const [name, allowed, nodes, placed, waiting, want] of budgets)
  test(`${name}: ${waiting} among [${placed}], ${allowed} allowed to go`, () => {
    const { cluster, pods: [pod] } = clusterOf(nodes, placed, waiting, [{ labels: { app: "web" }, allowed }]);
    const decision = schedulePod(pod!, cluster, random());
    assert.ok(decision.node === undefined);
    const plan = planPreemption(pod!, decision.diagnosis, cluster, random());
    assert.equal(plan.node === undefined ? plan.message : `${plan.node}: ${plan.victims.map(victim => victim.pod.metadata.name).join(" ")}`, want);
  });

test("users read both sentences, as upstream 1.36 joins them", () => {
  const { cluster, pods: [pod] } = clusterOf("a:cpu=1 b:taint=k//NoSchedule", "x@a:cpu=1", "p:cpu=1");
  const decision = schedulePod(pod!, cluster, random());
  assert.ok(decision.node === undefined);
  const plan = planPreemption(pod!, decision.diagnosis, cluster, random());
  assert.ok(plan.node === undefined);
  assert.equal(explain(decision.diagnosis, `no new claims to deallocate, preemption: ${plan.message}`),
    "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s). no new claims to deallocate, preemption: 0/2 nodes are available: 1 No preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling.");
});
