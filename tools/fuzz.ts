/** P18 by command: `node tools/fuzz.ts [REQUESTS] [SEED]` sends made-up requests to an API server in this process; exit code 1 on any 5xx, crash, hang or stall. The seed replays a run. */
import { fuzz } from "../test/fuzz/run.ts";

const [requests = "20000", seed = String(Math.floor(Math.random() * 2 ** 31))] = process.argv.slice(2);
console.log(`seed ${seed}`);
process.on("unhandledRejection", error => {
  console.log("unhandled rejection", error);
  process.exit(1);
});
const started = performance.now();
const result = await fuzz({
  seed: Number(seed), requests: Number(requests),
  onProblem: (_, request) => { if (process.env["VERBOSE"] === "1") console.log(request.method, request.target, request.headers, Buffer.from(request.body).toString("latin1").slice(0, 2_000)); },
});
for (const problem of result.problems) console.log(problem);
for (const stall of result.stalls) console.log(`stall: ${stall}`);
const statuses = [...result.byStatus].sort(([a], [b]) => a - b).map(([status, count]) => `${status}×${count}`).join(" ");
console.log(`${result.sent} requests in ${((performance.now() - started) / 1_000).toFixed(1)} s: ${statuses}; ${result.problems.length} problems, ${result.stalls.length} stalls`);
process.exitCode = result.problems.length > 0 || result.stalls.length > 0 ? 1 : 0;
