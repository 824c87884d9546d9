import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Ledger, type Found } from "./ledger.ts";

export type LoopResult = { readonly cycles: number; readonly acknowledged: number; readonly writesPerSecond: number; readonly readyMs: readonly number[]; readonly problems: readonly string[] };

const child = new URL("./store-child.ts", import.meta.url).pathname;

/** P01 at the level of the store: starts it, lets eight writers loose, kills it at a random moment, checks what the next start finds. */
export async function killStoreLoop(options: { readonly cycles: number; readonly random: () => number }): Promise<LoopResult> {
  const directory = mkdtempSync(join(tmpdir(), "timonier-kill-"));
  const ledger = new Ledger();
  const problems: string[] = [];
  const readyMs: number[] = [];
  let loadMs = 0;
  try {
    for (let cycle = 0; cycle < options.cycles; cycle++) {
      const run = await killOnce(join(directory, "timonier.db"), cycle, 50 + options.random() * 250, ledger);
      problems.push(...run.problems.map(problem => `cycle ${cycle}: ${problem}`));
      readyMs.push(run.readyMs);
      loadMs += run.loadMs;
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
  return { cycles: options.cycles, acknowledged: ledger.acknowledged, writesPerSecond: Math.round((ledger.acknowledged / loadMs) * 1_000), readyMs: readyMs.sort((a, b) => a - b), problems };
}

async function killOnce(path: string, cycle: number, loadMs: number, ledger: Ledger): Promise<{ problems: string[]; readyMs: number; loadMs: number }> {
  const problems: string[] = [];
  const found: Found[] = [];
  const started = performance.now();
  let ready = 0;
  const server = spawn(process.execPath, [child, path, String(cycle)], { stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: server.stdout });
  lines.on("line", line => {
    const [what, key = "", id = "", revision = ""] = line.split(" ");
    if (what === "f") found.push({ key, id, revision: Number(revision) });
    else if (what === "b") ledger.begin(key, id);
    else if (what === "r") ledger.refuse(key, id);
    else if (what === "a") {
      const problem = ledger.acknowledge(key, id, Number(revision));
      if (problem !== undefined) problems.push(problem);
    } else if (what === "ready") {
      ready = performance.now();
      problems.push(...ledger.check(found, Number(key)));
      setTimeout(() => server.kill("SIGKILL"), loadMs);
    }
  });
  const [[code, signal]] = (await Promise.all([once(server, "exit"), once(lines, "close")])) as unknown as [[number | null, string | null]];
  if (signal !== "SIGKILL") problems.push(`the store ended by itself with ${code ?? signal}`);
  return { problems, readyMs: ready - started, loadMs: performance.now() - ready };
}
