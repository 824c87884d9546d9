/**
 * P01 by command: `node tools/kill-loop.ts store|api [CYCLES] [SEED]` kills a store, or a whole server, under load again and again; exit code 1 if anything
 * acknowledged is lost, torn or its version reused, or if the load was too low to say.
 */
import { seeded } from "../test/crash/workload.ts";
import { killApiLoop } from "../test/kill/api-loop.ts";
import { killStoreLoop } from "../test/kill/store-loop.ts";

const [level = "api", cycles = "1000", seed = "1"] = process.argv.slice(2);
const writesPerSecondMin = 500;
const result = await (level === "store" ? killStoreLoop : killApiLoop)({ cycles: Number(cycles), random: seeded(Number(seed)), onCycle: (cycle, readyMs) => { if (readyMs > 3_000 || cycle % 100 === 99) console.log(`cycle ${cycle}: ready after ${readyMs.toFixed(0)} ms`); } });
const at = (share: number) => result.readyMs[Math.min(Math.floor(result.readyMs.length * share), result.readyMs.length - 1)]?.toFixed(0);
for (const problem of result.problems) console.log(problem);
console.log(`seed ${seed}: ${result.cycles} kills, ${result.acknowledged} acknowledged writes, ${result.writesPerSecond}/s, ready again p50 ${at(0.5)} ms p99 ${at(0.99)} ms, ${result.problems.length} problems`);
if (result.writesPerSecond < writesPerSecondMin) console.log(`void: the load was below ${writesPerSecondMin} writes/s`);
process.exitCode = result.problems.length > 0 || result.writesPerSecond < writesPerSecondMin ? 1 : 0;
