import assert from "node:assert/strict";
import { test } from "node:test";
import { canonicalDuration } from "./duration.ts";

for (const [given, expected] of [["60s", "1m0s"], ["1h", "1h0m0s"], ["90m", "1h30m0s"], ["1.5s", "1.5s"], ["250ms", "250ms"], ["1us", "1µs"], ["0", "0s"], ["-5s", "-5s"], ["1h2m3.000000004s", "1h2m3.000000004s"], ["1", undefined], ["", undefined], ["s", undefined], ["1d", undefined]] as const)
  test(`the duration ${JSON.stringify(given)} is written ${expected ?? "nowhere"}`, () => assert.equal(canonicalDuration(given), expected));
