/**
 * `node tools/network-kill.ts [kill|roll] [COUNT] [CLUSTER-NAME]` against a running cluster of this machine (TIMONIER_DATA_DIR, KUBECONFIG), which gets a
 * deployment of `net:1` (see tools/images/net.ts) and a service. `kill`: server and agent are killed with -9, COUNT times each, under 500 requests/s through
 * the service's cluster address. `roll`: COUNT changes of its endpoints under 10,000 requests. Exit code 1 if one request failed or the name server was silent for over a second.
 */
import { execFile, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { startLoad } from "../test/kill/network-load.ts";

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
