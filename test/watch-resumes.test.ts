import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { seeded } from "./crash/workload.ts";
import { watchResumes } from "./served/watch-resumes.ts";

test("watches over TLS that are resumed over a restart and compactions miss, double and reorder nothing", async () => {
  const directory = mkdtempSync(join(tmpdir(), "timonier-resumes-"));
  try {
    const result = await watchResumes(join(directory, "timonier.db"), { events: 1_000, watchers: 3, resumesEach: 4, restarts: 1, compactions: 2, awayMsMax: 10, random: seeded(1) });
    assert.deepEqual(result.problems, []);
    assert.ok(result.resumes >= 3, `void: ${result.resumes} resumes`);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
