import assert from "node:assert/strict";
import { test } from "node:test";
import { planStep } from "./node-ttl.ts";

test("a cluster's step goes up above its most and down below its least", () => {
  let step = 0;
  const seen = [1, 100, 101, 90, 89, 500, 501, 450, 5_000, 1_800, 1_799, 0].map(nodes => `${nodes}:${step = planStep(step, nodes)}`);
  assert.equal(seen.join(" "), "1:0 100:0 101:1 90:1 89:0 500:1 501:2 450:2 5000:4 1800:4 1799:3 0:0");
});
