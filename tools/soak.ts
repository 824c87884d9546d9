/**
 * P30: `node tools/soak.ts [MINUTES] [CHANGES_PER_SECOND]` (60 and 20) keeps a cluster changing and looks once a minute at what must not grow: memory, descriptors,
 * files of the store, and with real containers (root and `BENCH_IMAGE`) namespaces, interfaces, rules, mounts and cgroups. Exit code 1 when something does.
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { startCluster } from "./bench/cluster.ts";
import { LoadClient } from "./bench/http.ts";
import { slopeOf } from "./soak/slope.ts";

const [minutes, rate] = [Number(process.argv[2] ?? 60), Number(process.argv[3] ?? 20)];
if (!(minutes >= 6) || !(rate > 0)) throw new Error("usage: node tools/soak.ts [MINUTES >= 6] [CHANGES_PER_SECOND > 0]");
const image = process.env["BENCH_IMAGE"];
const real = process.getuid?.() === 0 && image !== undefined;
const nameCount = 50;
/** Objects of one kind at a time; one change in so many is a pod made or taken away. */
const podEvery = real ? 60 : 6;
/** Megabytes an hour that memory may seem to grow by (promises.md, P30). */
const slopeMax = 0.5;

const cluster = startCluster({ pinned: false, flags: real ? [] : ["--runtime", "simulated", "--nodes", "2"] });
const client = await LoadClient.open(cluster.credentials, 2);
const namespace = "/api/v1/namespaces/default";
let [changes, refused] = [0, 0];
const send = async (method: string, path: string, body?: object, type?: string): Promise<void> => {
  const { status, body: answer } = await client.request(method, path, body === undefined ? undefined : Buffer.from(JSON.stringify(body)), false, type);
  changes++;
  if (status >= 500) throw new Error(`${method} ${path}: ${status} ${answer.toString("utf8").slice(0, 300)}`);
  if (status >= 400) refused++;
};

/** What one change is: objects come, are changed and go, a few of each kind at a time. */
async function change(i: number): Promise<void> {
  const [round, slot] = [Math.floor(i / nameCount) % 4, i % nameCount];
  if (i % podEvery === 0) {
    const name = `pod-${Math.floor(i / podEvery / 2) % 10}`;
    if (Math.floor(i / podEvery) % 2 === 0) return send("POST", `${namespace}/pods`, { metadata: { name }, spec: { terminationGracePeriodSeconds: 1, containers: [{ name: "c", image: image ?? "soak" }] } });
    return send("DELETE", `${namespace}/pods/${name}`);
  }
  const [plural, body] = ([
    ["configmaps", { data: { text: "x".repeat(1_000) } }], ["secrets", { stringData: { text: "x".repeat(1_000) } }], ["services", { spec: { selector: { app: `a${slot}` }, ports: [{ port: 80 }] } }],
  ] as const)[slot % 3]!;
  const name = `soak-${slot}`;
  if (round === 0) return send("POST", `${namespace}/${plural}`, { metadata: { name }, ...body });
  if (round === 3) return send("DELETE", `${namespace}/${plural}/${name}`);
  return send("PATCH", `${namespace}/${plural}/${name}`, { metadata: { labels: { round: String(i) } } }, "application/merge-patch+json");
}

const count = (script: string): number => Number(execFileSync("sh", ["-c", script], { encoding: "utf8" }).trim());
const status = (pid: number, field: string): number => Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? NaN) / 1024;
const sizeOf = (folder: string): number => readdirSync(folder, { recursive: true, withFileTypes: true }).reduce((sum, entry) => sum + (entry.isFile() && /\.db(-wal|-shm)?$/.test(entry.name) ? statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0 : 0), 0) / 2 ** 20;

function look(): { readonly [what: string]: number } {
  const found: { [what: string]: number } = { "store, MB": sizeOf(cluster.home) };
  for (const [i, pid] of cluster.pids().entries()) {
    const name = ["server", "agent"][i] ?? `process ${i}`;
    found[`${name}, MB of its own`] = status(pid, "RssAnon");
    found[`${name}, descriptors`] = readdirSync(`/proc/${pid}/fd`).length;
  }
  if (!real) return found;
  return { ...found, interfaces: count("ip -o link | wc -l"), namespaces: count("ls /var/run/netns 2>/dev/null | wc -l"), rules: count("nft list ruleset | wc -l"), mounts: count("wc -l < /proc/self/mountinfo"), cgroups: count("find /sys/fs/cgroup -type d | wc -l") };
}

const samples: { readonly [what: string]: number }[] = [];
try {
  const began = performance.now();
  for (let i = 0, minute = 0; minute <= minutes; i++) {
    const due = began + (i * 1_000) / rate;
    if (due > performance.now()) await wait(due - performance.now());
    await change(i);
    if (performance.now() - began < minute * 60_000) continue;
    // Events live for an hour: until then there would be more of them every minute.
    await send("DELETE", `${namespace}/events`);
    samples.push(look());
    console.log(`${String(minute++).padStart(4)} min  ${Object.entries(samples.at(-1)!).map(([what, value]) => `${what} ${Number.isInteger(value) ? value : value.toFixed(1)}`).join("  ")}`);
  }
} finally {
  client.close();
  cluster.stop();
}

// The first sixth is a start: caches fill, code is compiled.
const counted = samples.slice(Math.ceil(samples.length / 6));
console.log(`\n${changes} changes, ${refused} of them refused with 4xx\n\nper hour, with the 95 % interval:`);
for (const what of Object.keys(counted[0] ?? {})) {
  const { slope, error } = slopeOf(counted.map(sample => sample[what] ?? NaN));
  const [low, high] = [(slope - error) * 60, (slope + error) * 60];
  // A figure grows when even the low end of what it may do is above what is allowed.
  const grows = low > (what.includes("MB") ? slopeMax : 0);
  console.log(`${grows ? "✗" : "✓"} ${what}: ${(slope * 60).toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`);
  if (grows) process.exitCode = 1;
}
