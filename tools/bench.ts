/**
 * `npm run bench -- NAME [RUNS]` measures one part and prints its rows: median, smallest, largest, goal, peer.
 * `npm run bench -- figures [RUNS]` measures all of them and writes docs/guide/figures.md; take a quiet machine.
 */
import { writeFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import { printTable, type Row, tableOf } from "./bench/table.ts";

type Bench = { readonly title: string; readonly runs: number; readonly measure: (runs: number) => Promise<Row[]> };
const benches: { readonly [name: string]: Bench } = {
  up: { title: "Start", runs: 5, measure: async runs => (await import("./bench/rest.ts")).benchUp(runs) },
  ingress: { title: "Ingress proxy on one core, three backends, HTTP/1.1 kept alive", runs: 3, measure: async runs => (await import("./bench/ingress.ts")).benchIngress(runs) },
  memory: { title: "At rest", runs: 1, measure: async runs => (await import("./bench/rest.ts")).benchMemory(runs) },
  api: { title: "API server on one core, TLS, fsync on", runs: 3, measure: async runs => (await import("./bench/api.ts")).benchApi(runs) },
  create: { title: "A create inside the API server, least processor time", runs: 3, measure: async runs => (await import("./bench/create.ts")).benchCreate(runs) },
  watch: { title: "Watch fan-out, server on one core, TLS", runs: 3, measure: async runs => (await import("./bench/watch.ts")).benchWatch(runs) },
  schedule: { title: "Scheduling", runs: 3, measure: async runs => (await import("./bench/schedule.ts")).benchSchedule(runs) },
  fairness: { title: "A flood of 500 requests at a time, server on one core, TLS", runs: 1, measure: async runs => (await import("./bench/fairness.ts")).benchFairness(runs) },
  readers: { title: "A thousand watchers that stop reading, server on one core, TLS", runs: 1, measure: async runs => (await import("./bench/slow-readers.ts")).benchSlowReaders(runs) },
  services: { title: "Service proxy, nftables in a network namespace of its own", runs: 5, measure: async runs => (await import("./bench/services.ts")).benchServices(runs) },
  dns: { title: "Cluster DNS, one core, dnsperf beside it", runs: 3, measure: async runs => (await import("./bench/dns.ts")).benchDns(runs) },
  store: { title: "Durable store, 3.4 KB a put", runs: 3, measure: async runs => (await import("./bench/store.ts")).benchStore(runs) },
};

const [name = "", given] = process.argv.slice(2);
const bench = Object.hasOwn(benches, name) ? benches[name] : undefined;
const runsOf = ({ runs }: Bench) => (given === undefined ? runs : Number(given));
if (name === "figures") await writeFigures();
else if (bench === undefined) {
  console.error(`usage: npm run bench -- ${Object.keys(benches).join("|")}|figures [RUNS]`);
  process.exitCode = 1;
} else printTable(bench.title, await bench.measure(runsOf(bench)));

async function writeFigures(): Promise<void> {
  const load = loadavg()[0] ?? 0;
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim() ?? "unknown processor"}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux, Node ${process.versions.node}`;
  const parts: string[] = [];
  for (const [which, each] of Object.entries(benches)) {
    const runs = runsOf(each);
    console.log(`${each.title} …`);
    const text = await each.measure(runs).then(rows => `\`\`\`\n${tableOf(each.title, rows)}\n\`\`\``, (error: unknown) => `Did not finish: ${error instanceof Error ? error.message.split("\n")[0] : String(error)}.`);
    console.log(text);
    parts.push(`## ${each.title}\n\n\`npm run bench -- ${which}\`, ${runs} ${runs === 1 ? "run" : "runs"}\n\n${text}\n`);
  }
  writeFileSync(new URL("../docs/guide/figures.md", import.meta.url), `# Figures

What this version does, measured by \`npm run bench -- figures\` on ${new Date().toISOString().slice(0, 10)}: ${machine}. Load of the machine before it began: ${load.toFixed(1)}${load > 0.5 ? ", so wall-clock figures are too low; compare processor time and ratios" : ""}.
The server has core 0 to itself, the load comes from the other cores; every write is flushed to the disk before it is acknowledged. Peers are what others publish (\`../shared/performance.md\`), but etcd, which ran here on the same disk through its gRPC API.

${parts.join("\n")}`);
}
