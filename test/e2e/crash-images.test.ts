import assert from "node:assert/strict";
import { test } from "node:test";
import { checkImages } from "../crash/check-images.ts";
import { recordWithStrace } from "../crash/strace.ts";

test("no power cut, with the real system calls and syncs, loses an acknowledged write (P02, 1,000 images)", () => {
  const operations = recordWithStrace({ seed: 1, commits: 150 });
  assert.ok(operations.filter(operation => operation.type === "sync").length > 100, "the recording has the syncs of its commits");
  assert.deepEqual(checkImages(operations, "timonier.db", { seed: 1, count: 1_000 }), []);
  const unsynced = operations.filter(operation => operation.type !== "sync");
  assert.ok(checkImages(unsynced, "timonier.db", { seed: 1, count: 50 }).length > 0, "a store without syncs is found out");
});
