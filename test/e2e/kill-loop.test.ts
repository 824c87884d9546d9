import assert from "node:assert/strict";
import { test } from "node:test";
import { seeded } from "../crash/workload.ts";
import { killStoreLoop } from "../kill/store-loop.ts";

test("20 kills of a store under at least 500 writes/s lose nothing (P01)", async () => {
  const result = await killStoreLoop({ cycles: 20, random: seeded(2) });
  assert.deepEqual(result.problems, []);
  assert.ok(result.writesPerSecond >= 500, `void: only ${result.writesPerSecond} writes/s`);
  assert.ok(result.readyMs.at(-1)! <= 3_000, `ready again after ${result.readyMs.at(-1)} ms`);
});
