import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json } from "../../base/json.ts";
import { silent } from "../../base/log.ts";
import { VirtualClock } from "../../../test/sim/clock.ts";
import { Sampler, usagesBetween } from "./sampler.ts";

type Sample = Parameters<typeof usagesBetween>[0];
const second = 1_000_000_000;
const t0 = Date.parse("2026-01-01T00:00:00Z");

/** `web/app@0=1.5` : container app of pod web, started 0 s after t0, has used 1.5 s of processor time. */
function sample(atSeconds: number, ...containers: readonly string[]): Sample {
  const pods = new Map<string, Map<string, { atMs: number; cpuNanos: number; memoryBytes: number; startedAt: string }>>();
  for (const text of containers) {
    const [, pod = "", name = "", started = "", spent = ""] = /^(\w+)\/(\w+)@(\d+)=([\d.]+)$/.exec(text) ?? [];
    const found = pods.get(`default/${pod}`) ?? new Map();
    pods.set(`default/${pod}`, found.set(name, { atMs: atSeconds * 1000, cpuNanos: Number(spent) * second, memoryBytes: 7, startedAt: new Date(t0 + Number(started) * 1000).toISOString() }));
  }
  return { atMs: atSeconds * 1000, endedAt: t0 + atSeconds * 1000, nodes: new Map(), pods };
}
const shown = (before: Sample, last: Sample): readonly string[] => [...usagesBetween(before, last).pods].map(([pod, { containers, windowMs }]) =>
  `${pod.slice(8)} ${[...containers].map(([name, { cpuNanoCores }]) => `${name}=${cpuNanoCores / 1e6}m`).join(" ")} over ${windowMs / 1000}s`);

for (const [what, before, last, wanted] of [
  ["a rate is the difference over the time between", sample(100, "web/app@0=1"), sample(110, "web/app@0=6"), ["web app=500m over 10s"]],
  ["every container of a pod is told", sample(100, "web/app@0=1", "web/side@0=0"), sample(110, "web/app@0=2", "web/side@0=5"), ["web app=100m side=500m over 10s"]],
  ["a pod is left out while one of its containers has no rate", sample(100, "web/app@0=1"), sample(110, "web/app@0=2", "web/side@105=5"), []],
  ["a container that started between is told from its start once it has run ten seconds", sample(100), sample(115, "web/app@105=2"), ["web app=200m over 10s"]],
  ["a container that was started again is not compared with its predecessor", sample(100, "web/app@0=50"), sample(110, "web/app@104=1"), []],
  ["a counter that went back says nothing", sample(100, "web/app@0=50"), sample(110, "web/app@0=1"), []],
] as const)
  test(what, () => assert.deepEqual(shown(before, last), wanted));

function node(spent: () => number): Json {
  return { node: { cpu: { usageCoreNanoSeconds: spent() }, memory: { workingSetBytes: 5 } }, pods: [] };
}

/** Lets virtual time pass until the promise has settled. */
async function settled<T>(clock: VirtualClock, promise: Promise<T>): Promise<T> {
  let over = false;
  void promise.finally(() => { over = true; });
  await clock.until(() => over, 60_000);
  return promise;
}

test("nothing is read until somebody asks; then a node is read twice, and once more when what is known has aged", async () => {
  const clock = new VirtualClock();
  let reads = 0;
  const sampler = new Sampler({ clock, log: silent, nodes: () => ["a"], read: async () => node(() => { reads++; return clock.monotonic() * 250_000; }) });
  await clock.pass(60_000);
  assert.equal(reads, 0);
  const [one, other] = await settled(clock, Promise.all([sampler.usages(), sampler.usages()]));
  assert.equal(reads, 2, "both askers share one measurement");
  assert.deepEqual([one.nodes.get("a")?.usage.cpuNanoCores, one.nodes.get("a")?.windowMs, other.nodes.get("a")?.usage.memoryBytes], [250_000_000, 1_000, 5]);
  await clock.pass(5_000);
  await settled(clock, sampler.usages());
  assert.equal(reads, 2);
  await clock.pass(10_000);
  assert.equal((await settled(clock, sampler.usages())).nodes.get("a")?.windowMs, 15_000);
  assert.equal(reads, 3);
  await clock.pass(200_000);
  await settled(clock, sampler.usages());
  assert.equal(reads, 5, "after a pause it begins anew");
});

test("a node that does not answer is left out", async () => {
  const clock = new VirtualClock();
  const sampler = new Sampler({ clock, log: silent, nodes: () => ["a", "b"], read: async name => { if (name === "b") throw new Error("gone"); return node(() => clock.monotonic()); } });
  assert.deepEqual([...(await settled(clock, sampler.usages())).nodes.keys()], ["a"]);
});
