/**
 * P20: what nodes' heartbeats, an elected leader and an administrator feel while others flood the server: lists of all pods, patches of one object, watches opened and
 * closed. `FULL=1`: for ten minutes, with 10,000 pods, as the promise has it.
 */
import { Worker } from "node:worker_threads";
import { rssMB, startCluster, type BenchCluster } from "./cluster.ts";
import { podBody } from "./api.ts";
import { LoadClient, load } from "./http.ts";
import { percentile, rowsOf, type AddRow, type Row } from "./table.ts";

const isFull = process.env["FULL"] === "1";
const pods = isFull ? 10_000 : 5_000;
const nodes = 5;
/** Upstream's leaseDurationSeconds of a node, after which it is taken for dead. */
const leaseMs = 40_000;
const accounts = 20;
const perAccount = 25;
const floodMs = isFull ? 600_000 : 20_000;

export async function benchFairness(runs: number): Promise<Row[]> {
  return rowsOf(runs, async add => {
    const cluster = startCluster({ nodes });
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
  const { metadata: { resourceVersion: _, managedFields: __, ...metadata }, spec } = await send("GET", lease);
  const heart = await LoadClient.open(credentials, 1, { "impersonate-user": `system:node:${node}`, "impersonate-group": "system:nodes" });
  const pulse = (client: LoadClient, path: string, { metadata, spec }: { readonly metadata: object; readonly spec: object }) => async (): Promise<void> => {
    const renewTime = new Date().toISOString().replace("Z", "000Z");
    const { status } = await client.request("PUT", path, Buffer.from(JSON.stringify({ metadata, spec: { ...spec, renewTime } })));
    if (status !== 200) throw new Error(`PUT ${path} was answered ${status}`);
    await new Promise(resolve => setTimeout(resolve, 20));
  };
  const beat = pulse(heart, lease, { metadata, spec });
  const leaders = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases";
  const election = { metadata: { name: "bench" }, spec: { holderIdentity: "bench", leaseDurationSeconds: 15 } };
  await send("POST", leaders, election);
  const leader = await LoadClient.open(credentials, 1, { "impersonate-user": "system:kube-scheduler" });
  const renew = pulse(leader, `${leaders}/bench`, election);
  // The election of that name is not the scheduler's by its role: it is given to it.
  await send("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", { metadata: { name: "bench-leader" }, roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" }, subjects: [{ kind: "User", apiGroup: "rbac.authorization.k8s.io", name: "system:kube-scheduler" }] });
  const quiet = await load(1, 3_000, beat);
  const flood = new Worker(new URL("./flood.ts", import.meta.url), { workerData: { server: credentials.server, ca: credentials.ca.toString("utf8"), tokens, perAccount } });
  const failed = new Promise<never>((_, reject) => flood.once("error", reject));
  await Promise.race([new Promise(resolve => flood.once("message", resolve)), failed]);
  const [server = 0] = cluster.pids();
  let rss = 0;
  const look = setInterval(() => { rss = Math.max(rss, rssMB(server)); }, 100);
  // What the nodes themselves do meanwhile: how old a lease gets, and whether one is ever taken for dead.
  let oldestLease = 0, unready = 0, looked = true;
  const watchNodes = setInterval(() => {
    if (!looked) return;
    looked = false;
    void (async () => {
      const [leases, all] = [(await send("GET", "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases")).items, (await send("GET", "/api/v1/nodes")).items];
      for (const { metadata: { name }, spec } of leases) if (name !== node) oldestLease = Math.max(oldestLease, Date.now() - Date.parse(spec.renewTime));
      for (const { status } of all) if (status.conditions.find(({ type }: { type: string }) => type === "Ready").status !== "True") unready++;
      looked = true;
    })();
  }, 1_000);
  const [beats, renewals, gets] = await Promise.all([load(1, floodMs, beat), load(1, floodMs, renew), load(1, floodMs, async () => {
    const { status } = await admin.request("GET", "/api/v1/namespaces/flood");
    if (status !== 200) throw new Error(`an administrator was answered ${status}`);
    await new Promise(resolve => setTimeout(resolve, 20));
  })]);
  clearInterval(look);
  clearInterval(watchNodes);
  const counts = await new Promise<{ readonly [status: string]: number }>(resolve => {
    flood.once("message", resolve);
    flood.postMessage("end");
  });
  await flood.terminate();
  // Each beat ends with a pause of 20 ms, which is not the server's.
  const at = (times: readonly number[], share: number): number => percentile(times, share) - 20;
  add("heartbeat without a flood, p99", "ms", at(quiet.sortedMs, 0.99));
  add("heartbeat during the flood, p50", "ms", at(beats.sortedMs, 0.5));
  add("  p99", "ms", at(beats.sortedMs, 0.99), "≤ 1,000");
  add("  longest", "ms", at(beats.sortedMs, 1));
  add("leader's renewal during the flood, p99", "ms", at(renewals.sortedMs, 0.99), "≤ 1,000");
  add("  longest", "ms", at(renewals.sortedMs, 1));
  add("administrator's GET, p99", "ms", at(gets.sortedMs, 0.99), "≤ 1,000");
  add("flood: answered", "/s", (counts["200"] ?? 0) / (floodMs / 1000));
  add("flood: refused with 429", "/s", (counts["429"] ?? 0) / (floodMs / 1000));
  add("flood: 429 without Retry-After", "", counts["bare"] ?? 0, "0");
  add("flood: anything else", "", Object.entries(counts).filter(([status]) => !["200", "429", "bare"].includes(status)).reduce((sum, [, count]) => sum + count, 0), "0");
  add("server memory, most", "MB", rss);
  add("oldest lease of a node", "s", oldestLease / 1_000, `< ${leaseMs / 1_000}`);
  add("times a node was not Ready", "", unready, "0");
  heart.close();
  leader.close();
  admin.close();
}
