import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { Secret } from "./secret.ts";

test("a secret prints as [redacted] however it is printed", () => {
  const secret = new Secret("hunter2");
  for (const text of [String(secret), `${secret}`, JSON.stringify({ secret }), inspect(secret), inspect({ deep: [secret] }, { showHidden: true, depth: 9 })])
    assert.ok(text.includes("[redacted]") && !text.includes("hunter2"), text);
  assert.deepEqual(Object.keys(secret), []);
  assert.equal(secret.reveal(), "hunter2");
});
