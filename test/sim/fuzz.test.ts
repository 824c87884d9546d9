import assert from "node:assert/strict";
import { test } from "node:test";
import { fuzz } from "../fuzz/run.ts";

test("20,000 made-up requests get no 5xx, crash or hang (P18, seed 3)", async () => {
  const result = await fuzz({ seed: 3, requests: 20_000 });
  assert.deepEqual(result.problems, []);
  assert.equal(result.sent, 20_000);
});
