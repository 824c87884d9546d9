/** `npm run bench -- NAME [RUNS]`: measures one part and prints its rows: median, smallest, largest, goal, peer. */
import type { Row } from "./bench/table.ts";
import { printTable } from "./bench/table.ts";

const benches: { readonly [name: string]: { readonly title: string; readonly runs: number; readonly measure: (runs: number) => Promise<Row[]> } } = {
  up: { title: "start", runs: 5, measure: async runs => (await import("./bench/rest.ts")).benchUp(runs) },
  api: { title: "API server on one core, TLS, fsync on", runs: 3, measure: async runs => (await import("./bench/api.ts")).benchApi(runs) },
  watch: { title: "watch fan-out, server on one core, TLS", runs: 3, measure: async runs => (await import("./bench/watch.ts")).benchWatch(runs) },
  schedule: { title: "scheduling", runs: 3, measure: async runs => (await import("./bench/schedule.ts")).benchSchedule(runs) },
  memory: { title: "at rest", runs: 3, measure: async runs => (await import("./bench/rest.ts")).benchMemory(runs) },
  store: { title: "durable store", runs: 3, measure: async runs => (await import("./bench/store.ts")).benchStore(runs) },
};

const [name = "", runs] = process.argv.slice(2);
const bench = Object.hasOwn(benches, name) ? benches[name] : undefined;
if (bench === undefined) {
  console.error(`usage: npm run bench -- ${Object.keys(benches).join("|")} [RUNS]`);
  process.exitCode = 1;
} else printTable(bench.title, await bench.measure(runs === undefined ? bench.runs : Number(runs)));
