/** `up`: from the command to a ready API and to a running pod. `memory`: what a cluster takes when nothing happens. Real containers where there is root and containerd. */
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { messageOf } from "../../src/base/log.ts";
import { pushTestImages } from "../images/hello.ts";
import { startRegistry, type Registry } from "../images/registry.ts";
import { cpuSeconds, physicalMB, pssMB, rssMB, startCluster, type BenchCluster } from "./cluster.ts";
import { LoadClient } from "./http.ts";
import type { Row } from "./table.ts";

const given = process.env["BENCH_IMAGE"];
const image = given ?? "127.0.0.1:5000/hello:v1";
const real = process.getuid?.() === 0 && process.env["BENCH_RUNTIME"] !== "simulated";
const flags = real ? [] : ["--runtime", "simulated", "--nodes", "1"];
const settleMs = 30_000;
const restMs = 60_000;

export async function benchUp(runs: number): Promise<Row[]> {
  const first: number[] = [], ready: number[] = [], pod: number[] = [];
  const registry = real && given === undefined ? await testRegistry() : undefined;
  const cluster = startCluster({ pinned: false, flags });
  first.push(cluster.upMs);
  try {
    // The image is fetched once: what is measured is a start with a cached image.
    await runPod(cluster, "warm", 60_000);
    for (let run = 0; run < runs; run++) {
      cluster.down();
      const began = performance.now();
      const up = cluster.up();
      await answering(cluster);
      ready.push(performance.now() - began);
      await runPod(cluster, `p${run}`, 60_000);
      pod.push(performance.now() - began);
      await up;
    }
  } finally {
    cluster.stop();
    await registry?.stop();
  }
  return [
    { what: "up of a new cluster, the whole command", unit: "ms", runs: first },
    { what: "up to API ready", unit: "ms", runs: ready, goal: "≤ 500 (design 250)", peer: "k3s 20–40 s, kwok 5 s" },
    { what: `up to a Running pod, ${real ? "image cached" : "simulated"}`, unit: "ms", runs: pod, goal: "≤ 2,000 (design 1,000)", peer: "k3d 19.9 s, kind 33.0 s, minikube 50.8 s to a first app" },
  ];
}

/** With the image, from Debian's packages; one that is there already is used. */
async function testRegistry(): Promise<Registry> {
  const folder = join(tmpdir(), "timonier-registry");
  const registry = await startRegistry(folder).catch((error: unknown) => {
    throw new Error(`no registry for the image: apt-get install docker-registry, or name one that can be pulled in BENCH_IMAGE (${messageOf(error)})`, { cause: error });
  });
  await pushTestImages(registry.address, join(folder, "debs"));
  return registry;
}

async function answering(cluster: BenchCluster): Promise<void> {
  for (const deadline = performance.now() + 30_000; performance.now() < deadline; await wait(5)) {
    try {
      const client = await LoadClient.open(cluster.credentials, 1);
      const { status } = await client.request("GET", "/readyz");
      client.close();
      if (status === 200) return;
    } catch {
      // Nobody listens yet.
    }
  }
  throw new Error("the API does not become ready");
}

async function runPod(cluster: BenchCluster, name: string, deadlineMs: number): Promise<void> {
  const client = await LoadClient.open(cluster.credentials, 1);
  const pods = "/api/v1/namespaces/default/pods";
  try {
    const deadline = performance.now() + deadlineMs;
    const body = Buffer.from(JSON.stringify({ metadata: { name }, spec: { containers: [{ name: "c", image }] } }));
    for (;;) {
      const answer = await client.request("POST", pods, body);
      if (answer.status === 201) break;
      if (performance.now() > deadline) throw new Error(`no pod: ${answer.status} ${answer.body.toString()}`);
      await wait(10);
    }
    for (;;) {
      const answer = await client.request("GET", `${pods}/${name}`, undefined, true);
      const { status } = JSON.parse(answer.body.toString()) as { status?: { phase?: string; containerStatuses?: unknown } };
      if (status?.phase === "Running") return;
      if (performance.now() > deadline) throw new Error(`the pod does not run: ${JSON.stringify(status)}`);
      await wait(10);
    }
  } finally {
    client.close();
  }
}

export async function benchMemory(runs: number): Promise<Row[]> {
  const rss: number[] = [], pss: number[] = [], physical: number[] = [], cpu: number[] = [], containerd: number[] = [];
  for (let run = 0; run < runs; run++) {
    const cluster = startCluster({ pinned: false, flags });
    try {
      await wait(settleMs);
      const ours = cluster.pids().filter(pid => commandOf(pid).includes("timonier") && !commandOf(pid).includes("containerd"));
      const before = ours.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
      await wait(restMs);
      cpu.push(((ours.reduce((sum, pid) => sum + cpuSeconds(pid), 0) - before) / (restMs / 1_000)) * 100);
      rss.push(ours.reduce((sum, pid) => sum + rssMB(pid), 0));
      physical.push(physicalMB(ours));
      pss.push(ours.reduce((sum, pid) => sum + pssMB(pid), 0));
      console.log(ours.map(pid => `${roleOf(pid)} ${rssMB(pid).toFixed(0)} MB RSS, ${pssMB(pid).toFixed(0)} MB PSS`).join("; "));
      containerd.push(cluster.pids().filter(pid => commandOf(pid).includes("containerd")).reduce((sum, pid) => sum + rssMB(pid), 0));
    } finally {
      cluster.stop();
    }
  }
  return [
    { what: `memory at rest, ${real ? "server and agent" : "server"}, RSS`, unit: "MB", runs: rss, goal: "≤ 150 (design 120)", peer: "k3s 430–565, minikube 4,000" },
    { what: "  physical: Node's own code, which both share, counted once", unit: "MB", runs: physical },
    { what: "  PSS (shared with every other Node process on the machine)", unit: "MB", runs: pss },
    ...(real ? [{ what: "  the private containerd, RSS", unit: "MB", runs: containerd }] : []),
    { what: "CPU at rest over 60 s, of one core", unit: "%", runs: cpu, goal: "≤ 1 (design 0.5)", peer: "k3s 5–40, microk8s 20–30" },
  ];
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    // It ended meanwhile.
    return "";
  }
}
function roleOf(pid: number): string {
  return / (server|agent) /.exec(commandOf(pid))?.[1] ?? "?";
}
