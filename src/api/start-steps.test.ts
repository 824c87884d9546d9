import assert from "node:assert/strict";
import { test } from "node:test";
import { bodyOf, settle, startHarness } from "../../test/transcripts/harness.ts";
import { StartSteps } from "./start-steps.ts";

test("the server is ready when its start is over, and names what is not", async () => {
  const startSteps = new StartSteps();
  const harness = await startHarness({ startSteps });
  const ask = async (): Promise<readonly string[]> => String(await bodyOf(await harness.send("GET", "/readyz?verbose"))).split("\n").filter(line => !line.endsWith(" ok"));
  const missing = async (): Promise<number> => (await ask()).filter(line => /^\[-\].* failed: reason withheld$/.test(line)).length;
  assert.ok((await ask()).includes("[-]poststarthook/rbac/bootstrap-roles failed: reason withheld"));
  const before = await missing();
  const until = new AbortController();
  const running = harness.api.run(until.signal);
  for (let i = 0; i < 400; i++) await settle();
  assert.deepEqual([before > await missing(), (await harness.send("GET", "/readyz")).status, (await harness.send("GET", "/livez/autoregister-completion")).status, (await harness.send("GET", "/livez/informer-sync")).status], [true, 500, 200, 404]);
  startSteps.done("system");
  assert.deepEqual(await ask(), ["readyz check passed", ""]);
  until.abort();
  await running;
  await harness.close();
});
