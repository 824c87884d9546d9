/**
 * `node tools/network.ts [kill|roll|names] [COUNT] [CLUSTER-NAME]` against a running cluster of this machine (TIMONIER_DATA_DIR, KUBECONFIG), which gets a
 * deployment of `net:1` (see tools/images/net.ts) and a service. `kill`: server and agent are killed with -9, COUNT times each, under 500 requests/s through
 * the service's cluster address. `roll`: COUNT changes of its endpoints under 10,000 requests. `names`: COUNT services are made and deleted, and the time until the name
 * server says so is measured from the API's answer. Exit code 1 if one request failed or the name server was silent for over a second, or late by more than 100 ms in the median.
 */
import { execFile, spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { asked, query, startLoad } from "../test/kill/network-load.ts";

const [mode = "kill", countText = mode === "kill" ? "20" : "100", name = process.env["TIMONIER_NAME"] ?? "timonier"] = process.argv.slice(2);
const count = Number(countText);
const dnsGapMsMax = 1_000;
const requestsMin = 10_000;
/** The load goes on meanwhile: nothing here may hold up this thread. */
const k = async (...args: readonly string[]): Promise<string> => (await promisify(execFile)("kubectl", args)).stdout;
const cluster = JSON.parse(readFileSync(`${process.env["TIMONIER_DATA_DIR"] ?? `${homedir()}/.timonier`}/${name}/cluster.json`, "utf8")) as { readonly id: string; readonly runFolder: string };
const pidOf = (victim: string): number => Number(readFileSync(`${cluster.runFolder}/${victim}.pid`, "utf8"));
/** How often it said that it was ready. */
const starts = (victim: string): number => readFileSync(`${cluster.runFolder}/${victim}.status`, "utf8").split('"ready":true').length - 1;
if (mode === "names") process.exit(await measureNames());
const labels = { app: "network-kill" };
const made = spawnSync("kubectl", ["apply", "-f", "-"], { input: JSON.stringify({ apiVersion: "v1", kind: "List", items: [
  { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "network-kill" }, spec: { replicas: 3, selector: { matchLabels: labels }, template: { metadata: { labels: { ...labels, in: "yes" } }, spec: { terminationGracePeriodSeconds: 5, containers: [{ name: "c", image: "127.0.0.1:5000/net:1", args: ["serve", "tcp:80"], readinessProbe: { tcpSocket: { port: 80 }, periodSeconds: 1 } }] } } } },
  { apiVersion: "v1", kind: "Service", metadata: { name: "network-kill" }, spec: { selector: { ...labels, in: "yes" }, ports: [{ port: 80 }] } },
]}), encoding: "utf8" });
if (made.status !== 0) throw new Error(made.stderr);
await k("rollout", "status", "deployment/network-kill", "--timeout=60s");
const ip = await k("get", "service", "network-kill", "-o", "jsonpath={.spec.clusterIP}");
const server = await k("get", "service", "-n", "kube-system", "kube-dns", "-o", "jsonpath={.spec.clusterIP}");
await sleep(500);
const load = startLoad({ host: ip, port: 80, perSecond: 500, dns: { server, name: "network-kill.default.svc.cluster.local", address: ip } });
const began = performance.now();
if (mode === "kill") {
  for (let i = 0; i < count; i++)
    for (const victim of ["server", "agent"]) {
      const before = starts(victim);
      process.kill(pidOf(victim), "SIGKILL");
      // One at a time: the next one dies when this one runs again.
      while (starts(victim) === before) await sleep(20);
      await sleep(200);
    }
} else {
  const pods = (await k("get", "pods", "-l", "app=network-kill", "-o", "jsonpath={.items[*].metadata.name}")).split(" ");
  for (let i = 0; i < count; i++) {
    const pod = pods[i % pods.length]!;
    await k("label", "pod", pod, "in=no", "--overwrite");
    await k("label", "pod", pod, "in=yes", "--overwrite");
  }
  await sleep(Math.max(0, (requestsMin / 500) * 1_000 - (performance.now() - began)));
}
const result = await load.stop();
await k("delete", "deployment,service", "network-kill", "--wait=false");
console.log(`${mode} × ${count}: ${result.requests} requests (${result.requestsPerSecond}/s), failures ${JSON.stringify(result.failures)}, slowest ${result.slowestMs} ms, ${result.answers} answers of the name server, longest silence ${result.dnsGapMs} ms`);
process.exitCode = Object.keys(result.failures).length > 0 || result.dnsGapMs > dnsGapMsMax ? 1 : 0;

/** How long the name server lags behind the API; the exit code. */
async function measureNames(): Promise<number> {
  const proxy = spawn("kubectl", ["proxy", "--port=0"], { stdio: ["ignore", "pipe", "inherit"] });
  const port = await new Promise<string>(done => proxy.stdout.on("data", (text: Buffer) => { const found = /:(\d+)/.exec(String(text)); if (found) done(found[1]!); }));
  const services = `http://127.0.0.1:${port}/api/v1/namespaces/default/services`;
  const dns = await k("get", "service", "-n", "kube-system", "kube-dns", "-o", "jsonpath={.spec.clusterIP}");
  const late: number[] = [];
  for (let i = 0; i < count; i++) {
    const service = `names-${process.pid}-${i}`;
    const made = (await (await fetch(services, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ metadata: { name: service }, spec: { ports: [{ port: 80 }] } }) })).json()) as { readonly spec: { readonly clusterIP: string } };
    const wanted = Buffer.from(made.spec.clusterIP.split(".").map(Number));
    const full = `${service}.default.svc.cluster.local`;
    for (const there of [true, false]) {
      if (!there) await fetch(`${services}/${service}`, { method: "DELETE" });
      const began = performance.now();
      while ((await asked(dns, query(i + 1, full), wanted)) !== there) await sleep(1);
      late.push(performance.now() - began);
    }
  }
  proxy.kill();
  late.sort((a, b) => a - b);
  const at = (share: number): number => Math.round(late[Math.min(late.length - 1, Math.floor(late.length * share))]!);
  console.log(`names × ${count}: the name server is right after p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, at most ${at(1)} ms`);
  return at(0.5) <= 100 ? 0 : 1;
}
