import assert from "node:assert/strict";
import { test } from "node:test";
import { seeded } from "../crash/workload.ts";
import { killApiLoop } from "../kill/api-loop.ts";
import { killStoreLoop } from "../kill/store-loop.ts";

for (const [what, loop, seed] of [["a store", killStoreLoop, 2], ["the server, written to over TLS,", killApiLoop, 3]] as const)
  test(`20 kills of ${what} after as many writes as 500/s give lose nothing (P01)`, async () => {
    const result = await loop({ cycles: 20, random: seeded(seed), perSecondMin: 500 });
    console.log(`${result.acknowledged} acknowledged writes, ${result.writesPerSecond}/s, ready again after at most ${result.readyMs.at(-1)?.toFixed(0)} ms`);
    assert.deepEqual(result.problems, []);
    assert.ok(result.acknowledged >= result.due, `void: ${result.acknowledged} of ${result.due} writes`);
    // The median: the slowest of twenty says how busy the machine was.
    assert.ok(result.readyMs[10]! <= 3_000, `ready again after ${result.readyMs[10]} ms`);
  });
