/** One row: what was measured, its runs, and the figure it is held against. */
export type Row = { readonly what: string; readonly unit: string; readonly runs: readonly number[]; readonly goal?: string; readonly peer?: string };

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
