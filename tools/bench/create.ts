/**
 * What a pod's create costs inside the API server: no TLS, no client. Processor time, the least of many rounds, hears little of what else the machine does;
 * bytes of garbage hear nothing of it.
 */
import { execFileSync } from "node:child_process";
import type { Row } from "./table.ts";

const program = new URL("create-process.ts", import.meta.url).pathname;
// As the launcher starts the server; for counting garbage, so that none is collected in a round.
const asServed = ["--max-semi-space-size=16", "--v8-pool-size=1"];
const uncollected = ["--min-semi-space-size=128", "--max-semi-space-size=128", "--expose-gc"];
const rounds = 16;

export async function benchCreate(runs: number): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [size, name] of [["big", "3.4 KB pod"], ["small", "pod with one container"]] as const) {
    for (const [engine, where] of [["memory", "in memory"], ["sqlite", "SQLite, fsync"]] as const)
      rows.push({ what: `create of a ${name}, ${where}`, unit: "µs", runs: Array.from({ length: runs }, () => least(asServed, engine, size, String(rounds))) });
    rows.push({ what: "  garbage", unit: "KB", runs: [least(uncollected, "memory", size, String(rounds), "garbage")] });
  }
  const [create = NaN, get = NaN] = JSON.parse(output([...asServed, "--expose-gc"], "memory", "big", "1", "outlives")) as readonly number[];
  rows.push({ what: "of a create of a 3.4 KB pod outlives a young collection", unit: "KB", runs: [create] }, { what: "of a GET", unit: "KB", runs: [get] });
  return rows;
}

function least(flags: readonly string[], ...args: readonly string[]): number {
  return Math.min(...(JSON.parse(output(flags, ...args)) as readonly number[]));
}
function output(flags: readonly string[], ...args: readonly string[]): string {
  return execFileSync(process.execPath, ["--disable-warning=ExperimentalWarning", ...flags, program, ...args], { encoding: "utf8" });
}
