import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { seeded } from "../crash/workload.ts";
import { watchResumes } from "../served/watch-resumes.ts";

test("72 watch resumes over 20,000 events, three restarts and eight compactions: no gap, double or disorder (P07)", async () => {
  const directory = mkdtempSync(join(tmpdir(), "timonier-resumes-"));
  try {
    const result = await watchResumes(join(directory, "timonier.db"), { events: 20_000, watchers: 6, resumesEach: 12, restarts: 3, compactions: 8, awayMsMax: 100, random: seeded(7) });
    console.log(`${result.resumes} resumes, ${result.relists} relists, ${result.events} events`);
    assert.deepEqual(result.problems, []);
    assert.ok(result.resumes >= 72 && result.events >= 20_000 && result.relists > 0);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
