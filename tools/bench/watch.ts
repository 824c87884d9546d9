/** Watch fan-out through TLS: one writer, many open watches of one namespace, over ten connections and over one each. */
import { cpuSeconds, rssMB, type BenchCluster } from "./cluster.ts";
import { LoadClient } from "./http.ts";
import { openWatches } from "./watchers.ts";
import { percentile, rowsOfClusters, type AddRow, type Row } from "./table.ts";

const watches = 1_000;
/** One after another, of so many creates at once. */
const bursts = 3;
const events = 200;
const path = "/api/v1/namespaces/default/configmaps";

export async function benchWatch(runs: number): Promise<Row[]> {
  return rowsOfClusters(runs, async (cluster, add) => { for (const connections of [10, 1_000]) await measure(cluster, connections, add); });
}

async function measure(cluster: BenchCluster, connections: number, add: AddRow): Promise<void> {
  const writer = await LoadClient.open(cluster.credentials, 1);
  const [server = 0] = cluster.pids();
  let heard = 0;
  let wanted = Infinity;
  let reached: () => void = () => {};
  const list = JSON.parse((await writer.request("GET", path, undefined, true)).body.toString()) as { metadata: { resourceVersion: string } };
  const open = await openWatches(cluster.credentials, `${path}?watch=1&resourceVersion=${list.metadata.resourceVersion}&labelSelector=bench%3D${connections}`, connections, watches, lines => {
    heard += lines;
    if (heard >= wanted) reached();
  });
  const create = async (i: number) => {
    const body = Buffer.from(JSON.stringify({ metadata: { name: `w${connections}-${process.pid}-${heard}-${i}`, labels: { bench: String(connections) } }, data: { text: "x".repeat(3_000) } }));
    const answer = await writer.request("POST", path, body);
    if (answer.status !== 201) throw new Error(`POST ${path}: ${answer.status} ${answer.body.toString()}`);
  };
  const until = (count: number) => new Promise<void>(resolve => {
    wanted = count;
    reached = resolve;
    if (heard >= wanted) resolve();
  });
  try {
    await until(0);
    // The first event also waits until all watches stand.
    await create(-1);
    await until(watches);
    const name = `${watches.toLocaleString("en")} watches over ${connections} connections`;
    const times: number[] = [];
    for (let i = 0; i < 20; i++) {
      const began = performance.now();
      const all = until(heard + watches);
      await create(i);
      await all;
      times.push(performance.now() - began);
    }
    add(`one event to all of ${name}, median`, "ms", percentile(times.sort((a, b) => a - b), 0.5));
    if (process.env["PERF"] !== undefined) (await import("node:child_process")).spawn("perf", ["record", "-F", "1999", "-g", "-p", String(server), "-o", `${process.env["PERF"]}.${connections}`, "--", "sleep", "4"], { stdio: "ignore" });
    // The first burst is also the compiler's.
    for (let burst = 0; burst <= bursts; burst++) {
      const before = { cpu: cpuSeconds(server), own: process.cpuUsage(), at: performance.now(), heard };
      const all = until(heard + events * watches);
      await Promise.all(Array.from({ length: events }, (_, i) => create(events * (burst + 1) + i)));
      await all;
      if (burst === 0) continue;
      const seconds = (performance.now() - before.at) / 1_000, own = process.cpuUsage(before.own), deliveries = heard - before.heard;
      add(`burst deliveries, ${name}`, "/s", deliveries / seconds, connections === 10 ? "≥ 200,000" : "≥ 60,000");
      add(`  server CPU per delivery, ${connections} connections`, "µs", ((cpuSeconds(server) - before.cpu) / deliveries) * 1e6);
      add(`  load generator's, ${connections} connections`, "µs", (own.user + own.system) / deliveries);
    }
    add(`  server memory after them, ${connections} connections`, "MB", rssMB(server));
  } finally {
    open.close();
    writer.close();
  }
}
