import assert from "node:assert/strict";
import { test } from "node:test";
import { slopeOf } from "../tools/soak/slope.ts";

for (const [what, values, slope, error] of [
  ["a straight line has its slope and no doubt", [1, 3, 5, 7], 2, 0],
  ["what stays the same has none", [5, 5, 5], 0, 0],
  ["one peak in the middle is no growth", [0, 0, 6, 0, 0], 0, 1.96 * Math.sqrt(28.8 / 3 / 10)],
] as const)
  test(what, () => {
    const found = slopeOf(values);
    assert.ok(Math.abs(found.slope - slope) < 1e-9 && Math.abs(found.error - error) < 1e-9, JSON.stringify(found));
  });
test("two values say nothing of their doubt", () => assert.equal(slopeOf([1, 2]).error, NaN));
