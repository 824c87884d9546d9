import assert from "node:assert/strict";
import { test } from "node:test";

export type Run = (seed: number, mutant?: string) => Promise<void>;

const given = process.env["SEED"];
const chosen = process.env["MUTANT"];

/**
 * A guarantee that holds for every seed, and mutants that must break it: they prove that the generator still reaches the case. `SEED=7` runs one seed,
 * `SEEDS=1000` (or `npm run sim -- --seeds 1000`) many, `MUTANT=name` shows how a mutant fails, `TRACE=1` prints what happens.
 */
export function property(name: string, seeds: number, run: Run, mutants: readonly string[] = []): void {
  const count = Number(process.env["SEEDS"] ?? seeds);
  const list = given === undefined ? Array.from({ length: count }, (_, i) => i + 1) : [Number(given)];
  if (chosen !== undefined) {
    if (mutants.includes(chosen)) for (const seed of list) test(`${name} (SEED=${seed} MUTANT=${chosen})`, () => run(seed, chosen));
    return;
  }
  test(`${name} (${list.length} seeds)`, async () => {
    for (const seed of list) await run(seed).catch((error: unknown) => { throw new Error(`SEED=${seed}: ${(error as Error).message}`, { cause: error }); });
  });
  if (given === undefined)
    for (const mutant of mutants)
      test(`${name}: the mutant ${mutant} is caught`, async () => {
        for (let seed = 1; seed <= Math.max(seeds, 20); seed++)
          if (await run(seed, mutant).then(() => false, () => true)) return;
        assert.fail(`no seed of ${seeds} catches ${mutant}`);
      });
}
