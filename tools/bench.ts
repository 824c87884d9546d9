/** `npm run bench -- NAME [RUNS]`: measures one part and prints its rows: median, smallest, largest, goal, peer. */
import type { Row } from "./bench/table.ts";
import { printTable } from "./bench/table.ts";

const benches: { readonly [name: string]: { readonly title: string; readonly runs: number; readonly measure: (runs: number) => Promise<Row[]> } } = {
  api: { title: "API server on one core, TLS, fsync on", runs: 3, measure: async runs => (await import("./bench/api.ts")).benchApi(runs) },
};

const [name = "", runs] = process.argv.slice(2);
const bench = Object.hasOwn(benches, name) ? benches[name] : undefined;
if (bench === undefined) {
  console.error(`usage: npm run bench -- ${Object.keys(benches).join("|")} [RUNS]`);
  process.exitCode = 1;
} else printTable(bench.title, await bench.measure(runs === undefined ? bench.runs : Number(runs)));
