import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMetrics, valueOf } from "../../test/prometheus.ts";
import { VirtualClock } from "../../test/sim/clock.ts";
import { cadvisorMetrics } from "./cadvisor-metrics.ts";
import { Metrics } from "../base/metrics.ts";
import { observeNode } from "./node-figures.ts";
import { Stats, type Seen } from "./stats.ts";
import { resourceMetrics } from "./streaming/resource-metrics.ts";
import type { CgroupUsage, Meter } from "./usage.ts";
import { nodeAttributes } from "./access.ts";

const usage = (cpuNanos: number, memory = 0): CgroupUsage => ({
  cpuNanos, cpuUserNanos: cpuNanos / 2, cpuSystemNanos: cpuNanos / 2, memory: { usage: memory * 2, workingSet: memory, rss: memory, cache: 0, pageFaults: 1, majorPageFaults: 0, failures: 3, swap: 7 }, processes: 2, disks: [{ device: "/dev/sda", readBytes: 1, reads: 2, writeBytes: 3, writes: 4 }],
  throttled: { periods: 10, throttledPeriods: 4, nanos: 2_000_000_000 }, limits: { cpuShares: 102, cpuPeriod: 100_000, cpuQuota: 20_000, memory: 100 },
});
const seen: readonly Seen[] = [{
  pod: { apiVersion: "v1", kind: "Pod", metadata: { name: "web", namespace: "default", uid: "u1" }, spec: { containers: [{ name: "app" }], volumes: [{ name: "scratch", emptyDir: {} }] }, status: { startTime: "2026-01-01T00:00:00Z", qosClass: "Burstable" } } as never,
  state: { sandboxes: [{ id: "s1", ready: true, hostNetwork: false, createdAt: 0 }], containers: [{ id: "c1", name: "app", state: "running", startedAt: 1_000, logPath: "/logs/app", image: "web:1" }, { id: "c0", name: "app", state: "exited" }] } as never,
}];

function measuring(): { readonly stats: Stats; readonly clock: VirtualClock; readonly meter: Meter; readonly spend: (nanos: number) => void } {
  const clock = new VirtualClock();
  let spent = 0;
  const network = { name: "eth0", rxBytes: 11, rxErrors: 0, rxPackets: 1, rxDropped: 0, txBytes: 22, txErrors: 0, txPackets: 2, txDropped: 0 };
  const meter: Meter = {
    cgroup: path => (path.includes("/podu1") ? usage(spent, 40) : path === "/t" ? usage(spent, 50) : undefined), networks: path => (path.endsWith("/s1") ? [network] : []),
    machine: () => ({ cpuNanos: spent * 2, memory: usage(0, 60).memory, memoryCapacity: 200, cpus: 4, networks: [network], processes: 9, processesMax: 99, bootedAt: 0 }),
    disk: async () => ({ available: 70, capacity: 100, used: 30, inodes: 10, inodesFree: 4 }), size: async path => ({ bytes: path === "/logs/app" ? 5 : path.endsWith("/scratch") ? 6 : 1, inodes: 1 }),
  };
  const stats = new Stats({ meter, clock, runtime: { writableLayers: async () => new Map([["c1", { bytes: 8, inodes: 3 }]]) }, node: { nodeName: "n1", cgroupRoot: "/t", logsDir: "/logs", podsDir: "/pods" }, imagesDir: "/images" });
  return { stats, clock, meter, spend: nanos => { spent += nanos; } };
}

test("the summary has kubelet's fields; a rate comes with the second look", async () => {
  const { stats, clock, spend } = measuring();
  const first = (await stats.summary(seen)) as any;
  assert.equal(first.pods[0].cpu.usageNanoCores, undefined);
  spend(500_000_000);
  await clock.pass(1_000);
  const { node, pods: [pod] } = (await stats.summary(seen)) as any;
  assert.deepEqual([node.nodeName, node.cpu.usageNanoCores, node.memory.availableBytes, node.systemContainers[0].cpu.usageNanoCores, node.rlimit.curproc], ["n1", 1_000_000_000, 140, 500_000_000, 9]);
  assert.deepEqual([node.fs.usedBytes, node.fs.inodesUsed, node.runtime.imageFs.availableBytes, node.network.interfaces.length], [30, 6, 70, 1]);
  assert.deepEqual([pod.podRef, pod.cpu.usageNanoCores, pod.memory.workingSetBytes, pod.network.rxBytes], [{ name: "web", namespace: "default", uid: "u1" }, 500_000_000, 40, 11]);
  assert.deepEqual([pod.containers.length, pod.containers[0].rootfs.usedBytes, pod.containers[0].logs.usedBytes, pod.volume[0].usedBytes], [1, 8, 5, 6]);
  assert.equal(pod["ephemeral-storage"].usedBytes, 8 + 1 + 6, "its layer, its log folder, its volume");
});

test("the brief summary is processor and memory alone, and enough for /metrics/resource", async () => {
  const { stats, spend } = measuring();
  spend(2_500_000_000);
  const brief = (await stats.summary(seen, true)) as any;
  assert.deepEqual([brief.node.fs, brief.pods[0].network, brief.pods[0].containers[0].rootfs], [undefined, undefined, undefined]);
  assert.match(resourceMetrics(brief, 5), /^container_cpu_usage_seconds_total\{container="app",namespace="default",pod="web"\} 2\.5 5$/m);
});

test("/metrics/cadvisor tells pods and containers apart as its users expect", () => {
  const { stats, spend } = measuring();
  spend(1_500_000_000);
  const text = cadvisorMetrics(stats.figures(seen), stats.machine(), 1_000);
  for (const line of [
    'container_cpu_usage_seconds_total{container="app",cpu="total",id="/t/burstable/podu1/c1",image="web:1",name="c1",namespace="default",pod="web"} 1.5 1000',
    'container_memory_working_set_bytes{container="",id="/t/burstable/podu1",image="",name="",namespace="default",pod="web"} 40 1000',
    'container_network_receive_bytes_total{container="",id="/t/burstable/podu1",image="",interface="eth0",name="",namespace="default",pod="web"} 11 1000',
    'container_cpu_cfs_throttled_seconds_total{container="app",id="/t/burstable/podu1/c1",image="web:1",name="c1",namespace="default",pod="web"} 2 1000',
    'container_memory_swap{container="app",id="/t/burstable/podu1/c1",image="web:1",name="c1",namespace="default",pod="web"} 7 1000',
    'container_fs_writes_bytes_total{container="app",device="/dev/sda",id="/t/burstable/podu1/c1",image="web:1",name="c1",namespace="default",pod="web"} 3 1000',
    "machine_cpu_cores 4",
  ]) assert.ok(text.includes(`${line}\n`), `${line}\nin\n${text}`);
});

test("claims of pods that run show in the summary and in kubelet_volume_stats, each once", async () => {
  const { stats } = measuring();
  const claims = [{ volume: "data", claim: "mine", path: "/volumes/1" }];
  const [pod] = seen;
  const holding: readonly Seen[] = [{ ...pod!, claims }, { ...pod!, claims }, { pod: pod!.pod, state: undefined, claims: [{ volume: "data", claim: "waits", path: "/volumes/2" }] }];
  const summary = (await stats.summary(holding)) as any;
  assert.deepEqual([summary.pods[0].volume[1].name, summary.pods[0].volume[1].pvcRef, summary.pods[0].volume[1].usedBytes, summary.pods[0].volume[1].capacityBytes], ["data", { name: "mine", namespace: "default" }, 30, 100]);
  const found = await stats.claims(holding);
  const metrics = new Metrics();
  observeNode(metrics, () => holding, () => found);
  const scrape = parseMetrics(metrics.render());
  const labels = { namespace: "default", persistentvolumeclaim: "mine" };
  assert.deepEqual(["capacity_bytes", "available_bytes", "used_bytes", "inodes", "inodes_free", "inodes_used"].map(name => valueOf(scrape, `kubelet_volume_stats_${name}`, labels)), [100, 70, 30, 10, 4, 6]);
  assert.equal([...scrape.samples.values()].filter(({ name }) => name === "kubelet_volume_stats_used_bytes").length, 1);
});

test("what a path needs is kubelet's fine-grained subresource, or proxy", () => {
  const needs = (path: string): string => nodeAttributes("GET", path).subresources.join(" ");
  assert.deepEqual(["/stats/summary", "/metrics/cadvisor", "/logs/", "/pods", "/healthz", "/configz", "/runningpods/", "/metrics/slis", "/exec/a/b/c", "/"].map(needs), ["stats", "metrics", "log", "pods proxy", "healthz proxy", "configz proxy", "pods proxy", "metrics", "proxy", "proxy"]);
});
