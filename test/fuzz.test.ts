import assert from "node:assert/strict";
import { test } from "node:test";
import { fuzz } from "./fuzz/run.ts";

test("2,000 made-up requests break nothing (seed 1; tools/fuzz.ts sends more)", async () => {
  const result = await fuzz({ seed: 1, requests: 2_000 });
  assert.deepEqual(result.problems, []);
  const written = (result.byStatus.get(200) ?? 0) + (result.byStatus.get(201) ?? 0);
  assert.ok(written > 200, `void: only ${written} requests were good`);
});
