import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Ledger, type Found } from "./ledger.ts";

/** `perSecondMin`: a life goes on until it has acknowledged what this rate gives in its time, on a machine that is too busy for it too. */
export type LoopOptions = { readonly cycles: number; readonly random: () => number; readonly perSecondMin?: number; readonly onCycle?: (cycle: number, readyMs: number) => void };
/** `due`: the writes that `perSecondMin` asked for. */
export type LoopResult = { readonly due: number; readonly cycles: number; readonly acknowledged: number; readonly writesPerSecond: number; readonly readyMs: readonly number[]; readonly problems: readonly string[] };

const child = new URL("./store-child.ts", import.meta.url).pathname;

/** P01 at the level of the store: starts it, lets eight writers loose, kills it at a random moment, checks what the next start finds. */
export async function killStoreLoop(options: LoopOptions): Promise<LoopResult> {
  const directory = mkdtempSync(join(tmpdir(), "timonier-kill-"));
  const ledger = new Ledger();
  const problems: string[] = [];
  const readyMs: number[] = [];
  let loadMs = 0, due = 0;
  try {
    for (let cycle = 0; cycle < options.cycles; cycle++) {
      const lifeMs = 50 + options.random() * 250, writesMin = Math.ceil(lifeMs / 1_000 * (options.perSecondMin ?? 0));
      due += writesMin;
      const run = await runStore({ path: join(directory, "timonier.db"), cycle, loadMs: lifeMs, writesMin, ledger });
      if (run.signal !== "SIGKILL") problems.push(`cycle ${cycle}: the store ended by itself with ${run.code ?? run.signal}`);
      problems.push(...run.problems.map(problem => `cycle ${cycle}: ${problem}`));
      readyMs.push(run.readyMs);
      options.onCycle?.(cycle, run.readyMs);
      loadMs += run.loadMs;
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
  return { due, cycles: options.cycles, acknowledged: ledger.acknowledged, writesPerSecond: Math.round((ledger.acknowledged / loadMs) * 1_000), readyMs: readyMs.sort((a, b) => a - b), problems };
}

export type Run = { readonly problems: string[]; readonly readyMs: number; readonly loadMs: number; readonly signal: string | null; readonly code: number | null; /** From the last thing it said to its end. */ readonly silentMs: number };

/** A store or server that takes no more writes is killed after this time, too: what it lacks then shows. */
const loadMsMax = 30_000;
/** Calls `kill` after `loadMs`, but not before `enough`; until what it gives is called. */
export function afterLoad(loadMs: number, enough: () => boolean, kill: () => void): () => void {
  const began = performance.now();
  const end = (): void => {
    if (enough() || performance.now() - began > loadMsMax) kill();
    else timer = setTimeout(end, 5);
  };
  let timer = setTimeout(end, loadMs);
  return () => clearTimeout(timer);
}

/** One life of a store under load, killed after `loadMs` and `writesMin` acknowledged writes, or when it ends by itself; `under` is a command to run it under. */
export async function runStore(options: { readonly path: string; readonly cycle: number; readonly loadMs: number; readonly writesMin?: number; readonly ledger: Ledger; readonly under?: readonly string[] }): Promise<Run> {
  const { ledger } = options;
  const problems: string[] = [];
  const found: Found[] = [];
  const started = performance.now();
  let ready = started;
  let spoke = started;
  let stop = (): void => undefined;
  const before = ledger.acknowledged;
  const [command = "", ...first] = [...(options.under ?? []), process.execPath];
  const server = spawn(command, [...first, child, options.path, String(options.cycle)], { stdio: ["ignore", "pipe", "ignore"] });
  const lines = createInterface({ input: server.stdout });
  lines.on("line", line => {
    spoke = performance.now();
    const [what, key = "", id = "", revision = ""] = line.split(" ");
    if (what === "f") found.push({ key, id, revision: Number(revision) });
    else if (what === "b") ledger.begin(key, id);
    else if (what === "r") ledger.refuse(key, id);
    else if (what === "x") problems.push(`${key}=${id} was readable although its flush had failed`);
    else if (what === "a") {
      const problem = ledger.acknowledge(key, id, Number(revision));
      if (problem !== undefined) problems.push(problem);
    } else if (what === "ready") {
      ready = spoke;
      problems.push(...ledger.check(found, Number(key)));
      stop = afterLoad(options.loadMs, () => ledger.acknowledged - before >= (options.writesMin ?? 0), () => server.kill("SIGKILL"));
    }
  });
  const [[code, signal]] = (await Promise.all([once(server, "exit"), once(lines, "close")])) as unknown as [[number | null, string | null]];
  stop();
  return { problems, readyMs: ready - started, loadMs: performance.now() - ready, signal, code, silentMs: performance.now() - spoke };
}
