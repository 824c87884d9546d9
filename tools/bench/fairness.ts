/** P20: what a node's heartbeat and an administrator feel while others flood the server: lists of 5,000 pods, patches of one object, watches opened and closed. */
import { Worker } from "node:worker_threads";
import { rssMB, startCluster, type BenchCluster } from "./cluster.ts";
import { podBody } from "./api.ts";
import { LoadClient, load } from "./http.ts";
import { percentile, rowsOf, type AddRow, type Row } from "./table.ts";

const pods = 5_000;
const accounts = 20;
const perAccount = 25;
const floodMs = 20_000;

export async function benchFairness(runs: number): Promise<Row[]> {
  return rowsOf(runs, async add => {
    const cluster = startCluster();
    try {
      await measure(cluster, add);
    } finally {
      cluster.stop();
    }
  });
}

async function measure(cluster: BenchCluster, add: AddRow): Promise<void> {
  const { credentials } = cluster;
  const admin = await LoadClient.open(credentials, 4);
  const send = async (method: string, path: string, body?: object): Promise<any> => {
    const { status, body: text } = await admin.request(method, path, body === undefined ? undefined : Buffer.from(JSON.stringify(body)), true);
    if (status >= 300 && status !== 409) throw new Error(`${method} ${path}: ${status} ${text.toString("utf8").slice(0, 300)}`);
    return JSON.parse(text.toString("utf8"));
  };
  await send("POST", "/api/v1/namespaces", { metadata: { name: "flood" } });
  await send("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", { metadata: { name: "flood" }, roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" }, subjects: [{ kind: "Group", apiGroup: "rbac.authorization.k8s.io", name: "system:serviceaccounts:flood" }] });
  await send("POST", "/api/v1/namespaces/flood/configmaps", { metadata: { name: "hot" } });
  const tokens: string[] = [];
  for (let i = 0; i < accounts; i++) {
    await send("POST", "/api/v1/namespaces/flood/serviceaccounts", { metadata: { name: `flood-${i}` } });
    tokens.push((await send("POST", `/api/v1/namespaces/flood/serviceaccounts/flood-${i}/token`, { spec: {} })).status.token);
  }
  let made = 0;
  await Promise.all(Array.from({ length: 64 }, async () => {
    while (made < pods) await admin.request("POST", "/api/v1/namespaces/flood/pods", podBody(`p${made++}`));
  }));
  const node = (await send("GET", "/api/v1/nodes")).items[0].metadata.name as string;
  const lease = `/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/${node}`;
  const { metadata: { resourceVersion: _, managedFields: __, ...metadata }, ...object } = await send("GET", lease);
  const heart = await LoadClient.open(credentials, 1, { "impersonate-user": `system:node:${node}`, "impersonate-group": "system:nodes" });
  const body = Buffer.from(JSON.stringify({ ...object, metadata }));
  const beat = async (): Promise<void> => {
    const { status } = await heart.request("PUT", lease, body);
    if (status !== 200) throw new Error(`a heartbeat was answered ${status}`);
    await new Promise(resolve => setTimeout(resolve, 20));
  };
  const quiet = await load(1, 3_000, beat);
  const flood = new Worker(new URL("./flood.ts", import.meta.url), { workerData: { server: credentials.server, ca: credentials.ca.toString("utf8"), tokens, perAccount } });
  const failed = new Promise<never>((_, reject) => flood.once("error", reject));
  await Promise.race([new Promise(resolve => flood.once("message", resolve)), failed]);
  const [server = 0] = cluster.pids();
  let rss = 0;
  const look = setInterval(() => { rss = Math.max(rss, rssMB(server)); }, 100);
  const [beats, gets] = await Promise.all([load(1, floodMs, beat), load(1, floodMs, async () => {
    const { status } = await admin.request("GET", "/api/v1/namespaces/flood");
    if (status !== 200) throw new Error(`an administrator was answered ${status}`);
    await new Promise(resolve => setTimeout(resolve, 20));
  })]);
  clearInterval(look);
  const counts = await new Promise<{ readonly [status: string]: number }>(resolve => {
    flood.once("message", resolve);
    flood.postMessage("end");
  });
  await flood.terminate();
  const ready = (await send("GET", `/api/v1/nodes/${node}`)).status.conditions.find(({ type }: { type: string }) => type === "Ready").status;
  // Each beat ends with a pause of 20 ms, which is not the server's.
  const at = (times: readonly number[], share: number): number => percentile(times, share) - 20;
  add("heartbeat without a flood, p99", "ms", at(quiet.sortedMs, 0.99));
  add("heartbeat during the flood, p50", "ms", at(beats.sortedMs, 0.5));
  add("  p99", "ms", at(beats.sortedMs, 0.99), "≤ 1,000");
  add("  longest", "ms", at(beats.sortedMs, 1));
  add("administrator's GET, p99", "ms", at(gets.sortedMs, 0.99), "≤ 1,000");
  add("flood: answered", "/s", (counts["200"] ?? 0) / (floodMs / 1000));
  add("flood: refused with 429", "/s", (counts["429"] ?? 0) / (floodMs / 1000));
  add("flood: anything else", "", Object.entries(counts).filter(([status]) => status !== "200" && status !== "429").reduce((sum, [, count]) => sum + count, 0), "0");
  add("server memory, most", "MB", rss);
  add("node still Ready", "", ready === "True" ? 1 : 0, "1");
  heart.close();
  admin.close();
}
