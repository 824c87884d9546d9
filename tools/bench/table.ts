import { startCluster, type BenchCluster } from "./cluster.ts";

/** One row: what was measured, its runs, and the figure it is held against. */
export type Row = { readonly what: string; readonly unit: string; readonly runs: readonly number[]; readonly goal?: string; readonly peer?: string };

export type AddRow = (what: string, unit: string, value: number, goal?: string) => void;

/** Runs `measure` so many times; each figure that it adds under one name is one run of one row. */
export async function rowsOf(runs: number, measure: (add: AddRow) => Promise<void>): Promise<Row[]> {
  const rows = new Map<string, Row & { readonly runs: number[] }>();
  const add: AddRow = (what, unit, value, goal) => {
    const row = rows.get(what) ?? { what, unit, runs: [], ...(goal === undefined ? {} : { goal }) };
    rows.set(what, row);
    row.runs.push(value);
  };
  for (let run = 0; run < runs; run++) await measure(add);
  return [...rows.values()];
}

/** Each run on a cluster of its own. */
export function rowsOfClusters(runs: number, measure: (cluster: BenchCluster, add: AddRow) => Promise<void>): Promise<Row[]> {
  return rowsOf(runs, async add => {
    const cluster = startCluster();
    try {
      await measure(cluster, add);
    } finally {
      cluster.stop();
    }
  });
}

/** The rows as a table: median, smallest and largest of the runs, the goal and the peer beside them. */
export function printTable(title: string, rows: readonly Row[]): void {
  console.log(tableOf(title, rows));
}

export function tableOf(title: string, rows: readonly Row[]): string {
  const cells = rows.map(({ what, unit, runs, goal, peer }) => {
    const sorted = [...runs].sort((a, b) => a - b);
    return [what, `${show(median(sorted))} ${unit}`, show(sorted[0] ?? NaN), show(sorted.at(-1) ?? NaN), goal ?? "", peer ?? ""];
  });
  const all = [[title, "median", "min", "max", "goal", "peer"], ...cells];
  const widths = all[0]!.map((_, column) => Math.max(...all.map(row => row[column]!.length)));
  return all.map(row => row.map((cell, column) => cell.padEnd(widths[column]!)).join("  ").trimEnd()).join("\n");
}

export function median(sorted: readonly number[]): number {
  return sorted[sorted.length >> 1] ?? NaN;
}
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? NaN;
}
function show(value: number): string {
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString("en");
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
