import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { silent } from "../base/log.ts";
import { supervise } from "../base/supervise.ts";
import { Informers } from "../client/informers.ts";
import { Event } from "../kinds/core/event.ts";
import { Namespace } from "../kinds/core/namespace.ts";
import { Node } from "../kinds/core/node.ts";
import { Pod } from "../kinds/core/pod.ts";
import { LocalClient } from "../main/local-client.ts";
import { countingRandom, type Harness, settle, startHarness } from "../../test/transcripts/harness.ts";
import { Scheduler } from "./scheduler.ts";

/** The scheduler against the real API server in memory. */
let harness: Harness, client: LocalClient, scheduler: Scheduler;
const stop = new AbortController();

describe("the scheduler", () => {
  before(async () => {
    harness = await startHarness();
    client = new LocalClient(harness.api, { user: { name: "admin", uid: "", groups: ["system:masters"], extra: {} }, userAgent: "test/1", signal: stop.signal });
    await client.create(Namespace, { metadata: { name: "default" } });
    const { clock } = harness;
    scheduler = new Scheduler({ client, informers: new Informers(client, { clock, log: silent }, stop.signal), clock, random: countingRandom(), log: silent });
    void supervise(scheduler, { clock, maxWaitMs: 1000, log: silent }, stop.signal);
  });
  after(async () => {
    stop.abort();
    await harness.close();
  });

  test("without nodes a pod is told that there are none", async () => {
    await addPod("early", "1");
    await rest();
    assert.equal(scheduled(await pod("early")), "False Unschedulable no nodes available to schedule pods");
    assert.deepEqual(await eventsOf("early"), ["Warning FailedScheduling: no nodes available to schedule pods"]);
  });

  test("a node that comes gets the pod that waits", async () => {
    await addNode("a", { cpu: "2" });
    await rest();
    const found = await pod("early");
    assert.equal(found.spec.nodeName, "a");
    assert.equal(scheduled(found), "True");
    assert.equal((await eventsOf("early")).at(-1), "Normal Scheduled: Successfully assigned default/early to a");
  });

  test("what is decided counts before it is seen", async () => {
    await Promise.all(["one", "two"].map(name => addPod(name, "1")));
    await rest();
    const placed = await Promise.all(["one", "two"].map(pod));
    assert.deepEqual(placed.map(({ spec }) => spec.nodeName ?? "").sort(), ["", "a"]);
    const waiting = placed.find(({ spec }) => spec.nodeName === undefined)!;
    assert.equal(scheduled(waiting), "False Unschedulable 0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.");
    assert.deepEqual(scheduler.why(waiting.metadata.uid ?? "")?.byNode.get("a")?.reasons, ["Insufficient cpu"]);
  });

  test("a pod that is deleted makes room for one that waits", async () => {
    await client.delete(Pod, "default", "early", { gracePeriodSeconds: 0 });
    await rest();
    const placed = await Promise.all(["one", "two"].map(pod));
    assert.deepEqual(placed.map(({ spec }) => spec.nodeName), ["a", "a"]);
  });

  test("a gated pod is not tried until its gates are gone", async () => {
    await addPod("gated", "0", { schedulingGates: [{ name: "example.com/wait" }] });
    await rest();
    const gated = await pod("gated");
    assert.equal(gated.spec.nodeName, undefined);
    assert.deepEqual(await eventsOf("gated"), []);
    await client.patch(Pod, "default", "gated", { type: "json", body: [{ op: "remove", path: "/spec/schedulingGates" }] });
    await rest();
    assert.equal((await pod("gated")).spec.nodeName, "a");
  });

  test("pods of other schedulers are left alone", async () => {
    await addPod("foreign", "0", { schedulerName: "mine" });
    await rest();
    assert.equal((await pod("foreign")).spec.nodeName, undefined);
  });

  test("an important pod takes the place of a lesser one", async () => {
    await addPod("important", "1", { priorityClassName: "system-cluster-critical" });
    await rest();
    const { items } = await client.list(Pod, { namespace: "default" });
    const victims = items.filter(({ metadata }) => metadata.deletionTimestamp !== undefined);
    const important = await pod("important");
    assert.equal(victims.length, 1);
    assert.equal(important.status.nominatedNodeName, "a");
    assert.equal(victims[0]!.status.conditions?.find(({ type }) => type === "DisruptionTarget")?.reason, "PreemptionByScheduler");
    for (const { metadata } of victims) {
      assert.equal((await eventsOf(metadata.name)).at(-1), `Normal Preempted: Preempted by pod ${important.metadata.uid} on node a`);
      await client.delete(Pod, "default", metadata.name, { gracePeriodSeconds: 0 });
    }
    await rest();
    assert.equal((await pod("important")).spec.nodeName, "a");
  });

  test("a hundred pods are placed at once, and no node gets too many", async () => {
    for (let i = 0; i < 12; i++) await addNode(`n${i}`, { cpu: "64" });
    await Promise.all(Array.from({ length: 100 }, (_, i) => addPod(`many-${i}`, "2")));
    await rest();
    const { items } = await client.list(Pod, { namespace: "default" });
    const many = items.filter(({ metadata }) => metadata.name.startsWith("many-"));
    const perNode = Map.groupBy(many, ({ spec }) => spec.nodeName ?? "none");
    assert.equal(perNode.get("none"), undefined);
    assert.ok([...perNode.values()].every(pods => pods.length <= 10), "each node takes ten pods at most");
  });
});

async function rest(): Promise<void> {
  for (let i = 0; i < 20; i++) { await settle(); await harness.clock.advance(5); }
}
async function addNode(name: string, allocatable: { readonly [key: string]: string }): Promise<void> {
  const node = await client.create(Node, { metadata: { name, labels: { "kubernetes.io/hostname": name } } });
  // New nodes are tainted until they report that they are ready.
  await client.updateStatus(Node, { ...node, status: { ...node.status, allocatable: { pods: "10", ...allocatable } } });
  await client.patch(Node, "", name, { type: "merge", body: { spec: { taints: null } } });
}
async function addPod(name: string, cpu: string, more: object = {}): Promise<void> {
  await client.create(Pod, { metadata: { name, namespace: "default" }, spec: { ...more, containers: [{ name: "c", image: "i", resources: { requests: { cpu } } }] } });
}
async function pod(name: string): Promise<Pod> {
  return client.get(Pod, "default", name);
}
async function eventsOf(name: string): Promise<readonly string[]> {
  const { items } = await client.list(Event, { namespace: "default" });
  return items.filter(event => event.involvedObject.name === name).map(event => `${event.type} ${event.reason}: ${event.message}`);
}
function scheduled({ status }: Pod): string {
  const condition = status.conditions?.find(({ type }) => type === "PodScheduled");
  return condition === undefined ? "" : `${condition.status} ${condition.reason ?? ""} ${condition.message ?? ""}`.trim();
}
