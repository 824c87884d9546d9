import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ledger } from "./ledger.ts";
import { runStore } from "./store-loop.ts";

/** A system call that fails with EIO at its n-th use. */
export type DiskError = { readonly call: "fsync" | "pwrite64"; readonly n: number };

/** P03: what is wrong with how a store under load takes the error, and with what the next start finds. Needs strace. */
export async function diskErrorProblems(errors: readonly DiskError[], onError: (problems: readonly string[]) => void = () => undefined): Promise<string[]> {
  const directory = mkdtempSync(join(tmpdir(), "timonier-eio-"));
  const problems: string[] = [];
  const ledger = new Ledger();
  const path = join(directory, "timonier.db");
  try {
    let cycle = 0;
    for (const { call, n } of errors) {
      const before = problems.length;
      const say = (problem: string) => problems.push(`EIO at ${call} ${n}: ${problem}`);
      // Only the main thread is traced: it is the one that writes the store. And only the files: SQLite's own sync of the directory repeats ours, its result means nothing.
      const under = ["strace", "-o", "/dev/null", ...["", "-wal", "-reserve"].flatMap(suffix => ["-P", path + suffix]), "-e", `trace=${call}`, "-e", `inject=${call}:error=EIO:when=${n}`];
      const run = await runStore({ path, cycle: cycle++, loadMs: 10_000, ledger, under });
      run.problems.forEach(say);
      if (run.signal !== null || run.code === 0) say(`the process ended with ${run.signal ?? run.code}`);
      if (run.silentMs > 1_000) say(`the process went on for ${run.silentMs} ms`);
      const after = await runStore({ path, cycle: cycle++, loadMs: 0, ledger });
      after.problems.forEach(say);
      if (after.signal !== "SIGKILL") say("the store does not start afterwards");
      onError(problems.slice(before));
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
  return problems;
}
