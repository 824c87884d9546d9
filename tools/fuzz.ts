/**
 * P18 by command: `node tools/fuzz.ts [REQUESTS] [SEED]` sends made-up requests to an API server in this process; exit code 1 on any 5xx, crash, hang or stall, or when
 * memory does not come back. The seed replays a run. VERBOSE=1 shows the requests that broke something.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { fuzz } from "../test/fuzz/run.ts";
import { median } from "./bench/table.ts";

/** Servers until everything that loads late is loaded and derived once, and what is remembered within bounds (fields of objects, compiled code) is near them; a tenth of a long run. */
const warmServersMin = 10;
const warmShare = 0.1;
const growthMax = 1.1;

const [requests = "20000", seed = String(Math.floor(Math.random() * 2 ** 31))] = process.argv.slice(2);
console.log(`seed ${seed}`);
process.on("unhandledRejection", error => {
  console.log("unhandled rejection", error);
  process.exit(1);
});
setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
const heapAfterServer: number[] = [];
const started = performance.now();
const result = await fuzz({
  seed: Number(seed), requests: Number(requests),
  // At once: a run may take hours.
  onProblem: (problem, request) => { console.log(`${request.method} ${request.target.slice(0, 200)}: ${problem}`); if (process.env["VERBOSE"] === "1") console.log(request.method, request.target, request.headers, Buffer.from(request.body).toString("latin1").slice(0, 2_000)); },
  onServer: () => {
    collect();
    heapAfterServer.push(process.memoryUsage().heapUsed / 2 ** 20);
    if (heapAfterServer.length % 25 === 0) console.log(`${heapAfterServer.length} servers used up, heap ${heapAfterServer.at(-1)!.toFixed(1)} MB`);
  },
});
for (const stall of result.stalls) console.log(`stall: ${stall}`);
const statuses = [...result.byStatus].sort(([a], [b]) => a - b).map(([status, count]) => `${status}×${count}`).join(" ");
const warmServers = Math.max(warmServersMin, Math.floor(heapAfterServer.length * warmShare));
// One server's heap says little: up to a fifth comes and goes with what its last requests held and which code is compiled just then.
const compared = Math.min(warmServers, (heapAfterServer.length - warmServers) >> 1);
const measured = compared > 0;
const typical = (from: number): number => median(heapAfterServer.slice(from, from + compared).sort((a, b) => a - b));
const [warm, last] = [typical(warmServers), typical(heapAfterServer.length - compared)];
const grew = measured && last > warm * growthMax;
console.log(`${result.sent} requests in ${((performance.now() - started) / 1_000).toFixed(1)} s: ${statuses}; ${result.problems.length} problems, ${result.stalls.length} stalls`);
if (measured) console.log(`heap, the median after servers ${warmServers + 1} to ${warmServers + compared}: ${warm.toFixed(1)} MB, after the last ${compared} of ${heapAfterServer.length}: ${last.toFixed(1)} MB${grew ? ": it grows" : ""}`);
process.exitCode = result.problems.length > 0 || result.stalls.length > 0 || grew ? 1 : 0;
