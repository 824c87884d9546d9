/** Scheduling alone (snapshot in, node out) on 5,000 nodes, and through the whole server with simulated nodes. */
import { benchScheduling } from "../../src/scheduler/bench.ts";
import { systemRandom } from "../../src/host/random.ts";
import { startCluster } from "./cluster.ts";
import { load, LoadClient } from "./http.ts";
import type { Row } from "./table.ts";

const shapes = [["basic", 10_000, "≥ 6,800"], ["spread", 5_000, ""], ["anti-affinity", 1_000, ""]] as const;
const nodes = 100;
const pods = 2_000;

export async function benchSchedule(runs: number): Promise<Row[]> {
  // The second row of each is what a whole core would do: on a machine that others use too, the first says more about them.
  const rows: Row[] = shapes.flatMap(([shape, count, goal]) => {
    const wall: number[] = [], processor: number[] = [];
    for (let run = 0; run < runs; run++) {
      const began = performance.now(), before = process.cpuUsage();
      const placed = benchScheduling({ nodes: 5_000, pods: count, shape }, systemRandom());
      const used = process.cpuUsage(before);
      wall.push(placed / ((performance.now() - began) / 1_000));
      processor.push(placed / ((used.user + used.system) / 1e6));
    }
    const peer = shape === "basic" ? "upstream's threshold 680–810" : shape === "spread" ? "upstream's 460" : "upstream's 60";
    return [{ what: `5,000 nodes, ${shape}, in memory`, unit: "pods/s", goal, peer, runs: wall }, { what: "  … a second of processor time", unit: "pods", runs: processor }];
  });
  const whole: number[] = [];
  for (let run = 0; run < runs; run++) whole.push(await throughServer());
  return [...rows, { what: `${nodes} simulated nodes, ${pods.toLocaleString("en")} pods created, bound and Running through the API`, unit: "pods/s", runs: whole }];
}

async function throughServer(): Promise<number> {
  const cluster = startCluster({ nodes, pinned: false });
  const client = await LoadClient.open(cluster.credentials, 4);
  const path = "/api/v1/namespaces/default/pods";
  try {
    const began = performance.now();
    let made = 0;
    await load(32, Infinity, async () => {
      const i = made++;
      if (i >= pods) throw done;
      const body = Buffer.from(JSON.stringify({ metadata: { name: `p${i}` }, spec: { containers: [{ name: "c", image: "hello:v1", resources: { requests: { cpu: "10m" } } }] } }));
      const answer = await client.request("POST", path, body);
      if (answer.status !== 201) throw new Error(`POST ${path}: ${answer.status} ${answer.body.toString()}`);
    }).catch(error => { if (error !== done) throw error; });
    for (;;) {
      const answer = await client.request("GET", `${path}?fieldSelector=status.phase%3DRunning&limit=1`, undefined, true);
      const list = JSON.parse(answer.body.toString()) as { items: readonly unknown[]; metadata: { continue?: string } };
      const running = list.items.length === 0 ? 0 : await countRunning(client, path);
      if (running >= pods) return pods / ((performance.now() - began) / 1_000);
      if (performance.now() - began > 120_000) throw new Error(`only ${running} of ${pods} pods run after two minutes`);
      await new Promise(resolve => setTimeout(resolve, 100));
    }
  } finally {
    client.close();
    cluster.stop();
  }
}
const done = new Error("all are made");

async function countRunning(client: LoadClient, path: string): Promise<number> {
  const answer = await client.request("GET", `${path}?fieldSelector=status.phase%3DRunning`, undefined, true);
  return (JSON.parse(answer.body.toString()) as { items: readonly unknown[] }).items.length;
}
