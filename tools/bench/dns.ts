/** The name server, sockets included, on core 0; Debian's dnsperf asks from core 1. Queries a second, and queries a second of the server's processor time, which other work on the machine disturbs less. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Row } from "./table.ts";

const port = 15_353;
const seconds = 4;

export async function benchDns(runs: number): Promise<Row[]> {
  if (spawnSync("dnsperf", ["-h"]).error) throw new Error("dnsperf is not installed (Debian package dnsperf)");
  const folder = mkdtempSync(join(tmpdir(), "timonier-bench-dns-"));
  const rows: { what: string; unit: string; runs: number[]; goal?: string }[] = [];
  const note = (what: string, unit: string, value: number, goal?: string): void => {
    let row = rows.find(each => each.what === what);
    if (!row) rows.push(row = { what, unit, runs: [], ...(goal === undefined ? {} : { goal }) });
    row.runs.push(value);
  };
  const server = spawn("taskset", ["-c", "0", process.execPath, new URL("dns-server.ts", import.meta.url).pathname, String(port)], { stdio: ["pipe", "pipe", "inherit"] });
  const said = async (): Promise<number> => Number(String((await once(server.stdout, "data"))[0]));
  try {
    await said();
    const file = join(folder, "queries");
    // Names that exist, names of the search list that do not, and SRV.
    writeFileSync(file, Array.from({ length: 3_000 }, (_, i) => (i % 10 === 9 ? `_http._tcp.s${i % 1_000}.default.svc.cluster.local SRV` : i % 3 === 2 ? `s${i % 1_000}.default.svc.cluster.local.default.svc.cluster.local A` : `s${i % 1_000}.default.svc.cluster.local ${i % 3 === 0 ? "A" : "AAAA"}`)).join("\n"));
    const cpu = async (): Promise<number> => { server.stdin.write("\n"); return said(); };
    for (let run = 0; run < runs + 1; run++)
      for (const mode of ["udp", "tcp"]) {
        const before = await cpu();
        const output = await dnsperf(["-s", "127.0.0.1", "-p", String(port), "-m", mode, "-d", file, "-l", String(seconds), "-c", "8", "-q", "200"]);
        const spent = (await cpu()) - before;
        const number = (pattern: RegExp): number => Number(pattern.exec(output)?.[1] ?? NaN);
        const [rate, done, lost] = [number(/Queries per second: +([\d.]+)/), number(/Queries completed: +(\d+)/), number(/Queries lost: +(\d+)/)];
        if (run === 0) continue; // the compiler warms up
        note(`${mode.toUpperCase()}, 200 in flight`, "/s", rate, mode === "udp" ? "≥ 30,000" : undefined);
        note(`  a second of processor time, ${mode.toUpperCase()}`, "/s", done / (spent / 1_000));
        note(`  lost, ${mode.toUpperCase()}`, "", lost);
      }
  } finally {
    server.stdin.end();
    rmSync(folder, { recursive: true, force: true });
  }
  return rows;
}

async function dnsperf(args: readonly string[]): Promise<string> {
  const child = spawn("taskset", ["-c", "1", "dnsperf", ...args], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => { output += text; });
  await once(child, "close");
  return output;
}
