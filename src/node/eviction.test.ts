import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMetrics, valueOf } from "../../test/prometheus.ts";
import { VirtualClock } from "../../test/sim/clock.ts";
import { silent } from "../base/log.ts";
import { Eviction, transitionMs } from "./eviction.ts";
import { AgentFigures } from "./figures.ts";

const gi = 2 ** 30;

/** A node with one pod whose Node object is written only while `api.writes`. */
function node() {
  const clock = new VirtualClock();
  const api = { writes: true, conditions: new Set<string>() };
  const machine = { freeDisk: 50, freeMemory: gi };
  const ended: string[] = [];
  let images = 0;
  const worker = { state: "syncing", runtimeState: undefined, pod: { metadata: { name: "web", namespace: "default", uid: "u" }, spec: { containers: [{ name: "c" }] }, status: {} }, fail: (reason: string) => { ended.push(reason); worker.state = "done"; } };
  const figures = new AgentFigures("n1");
  const eviction: Eviction = new Eviction({
    figures, clock, log: silent, workers: () => [worker as never], freeImages: async () => { images++; }, tellNode: () => undefined, tellPod: () => undefined, published: () => api.conditions,
    writable: async () => { if (!api.writes) throw new Error("the server's disk is full"); },
    changed: async () => {
      if (!api.writes) throw new Error("the server's disk is full");
      api.conditions = new Set(eviction.pressures);
    },
    stats: {
      nodeSummary: async () => ({ node: { memory: { availableBytes: machine.freeMemory, workingSetBytes: gi }, fs: { availableBytes: machine.freeDisk, capacityBytes: 1_000 }, runtime: { imageFs: { availableBytes: machine.freeDisk, capacityBytes: 1_000 } } } }),
      podsSummary: async () => [{ podRef: { uid: "u" }, memory: { workingSetBytes: 1 }, "ephemeral-storage": { usedBytes: 1 } }],
    } as never,
  });
  const look = async (): Promise<void> => {
    let done = false;
    void eviction.look(new AbortController().signal).then(() => { done = true; });
    await clock.until(() => done, 60_000);
  };
  return { clock, api, machine, ended, eviction, look, images: () => images, evictions: (eviction_signal: string) => valueOf(parseMetrics(figures.metrics.render()), "kubelet_evictions", { eviction_signal }) };
}

test("a disk that runs short is told of, images go, then a pod", async () => {
  const { machine, ended, look, images, api, evictions } = node();
  await look();
  assert.deepEqual([ended, images(), evictions("imagefs.available")], [[], 0, undefined]);
  machine.freeDisk = 49;
  await look();
  assert.deepEqual([ended, images(), [...api.conditions], evictions("imagefs.available")], [["Evicted"], 1, ["DiskPressure"], 1]);
});

test("a disk so full that nobody can be told ends no pod and refuses none; when it can be told it does", async () => {
  const { machine, ended, eviction, look, api } = node();
  machine.freeDisk = 0;
  api.writes = false;
  await look();
  await look();
  assert.deepEqual([ended, [...eviction.pressures], [...eviction.effective]], [[], ["DiskPressure"], []]);
  api.writes = true;
  api.conditions = new Set(eviction.pressures);
  assert.deepEqual([...eviction.effective], ["DiskPressure"]);
  await look();
  assert.deepEqual(ended, ["Evicted"]);
});

test("a disk that was short when the Node said so, and is full now, ends no pod", async () => {
  const { machine, ended, look, api } = node();
  machine.freeDisk = 0;
  api.writes = false;
  api.conditions = new Set(["DiskPressure"]);
  await look();
  assert.deepEqual(ended, []);
  api.writes = true;
  await look();
  assert.deepEqual(ended, ["Evicted"]);
});

test("space that came back before anybody could be told was never short", async () => {
  const { machine, ended, eviction, look, api, clock } = node();
  machine.freeDisk = 0;
  api.writes = false;
  await look();
  machine.freeDisk = 500;
  api.writes = true;
  await look();
  assert.deepEqual([ended, [...eviction.effective]], [[], []]);
  await clock.pass(transitionMs);
  assert.deepEqual([...eviction.pressures], []);
});

test("memory does not wait for the API server", async () => {
  const { machine, ended, eviction, look, api } = node();
  machine.freeMemory = 50 * 2 ** 20;
  api.writes = false;
  await look();
  assert.deepEqual([ended, [...eviction.effective]], [["Evicted"], ["MemoryPressure"]]);
});
