import assert from "node:assert/strict";
import { test } from "node:test";
import { isApiError } from "../base/api-error.ts";
import { TestClock } from "../../test/transcripts/harness.ts";
import { timeoutOf, within } from "./limits.ts";

test("work that takes too long is answered with 504 and told to stop", async () => {
  const clock = new TestClock();
  let told = false;
  const outcome = within(clock, 60_000, limit => new Promise(() => limit.signal.addEventListener("abort", () => (told = true))), { signal: new AbortController().signal });
  const refused = assert.rejects(outcome, error => isApiError(error, "Timeout") && error.code === 504);
  await clock.advance(60_000);
  await refused;
  assert.equal(told, true);
});

test("work that ends in time leaves no timer behind", async () => {
  const clock = new TestClock();
  assert.equal(await within(clock, 60_000, async () => 7, { signal: new AbortController().signal }), 7);
  assert.equal(clock.pending, 0);
});

for (const [query, ms] of [["", 60_000], ["timeout=5s", 5_000], ["timeout=1.5s", 1_500], ["timeout=2h", 60_000], ["timeout=0s", 60_000], ["timeout=-5s", 60_000]] as const)
  test(`?${query} leaves ${ms} ms`, () => assert.equal(timeoutOf(new URLSearchParams(query)), ms));

for (const [asked, why] of [["nonsense", 'invalid duration "nonsense"'], ["10", 'missing unit in duration "10"'], ["5y", 'unknown unit "y" in duration "5y"'], ["1h.", 'invalid duration "1h."']] as const)
  test(`?timeout=${asked} is refused`, () => assert.throws(() => timeoutOf(new URLSearchParams({ timeout: asked })), { code: 400, message: `invalid timeout specified in the request URL - time: ${why}` }));
