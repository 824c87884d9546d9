import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { silent } from "../base/log.ts";
import { AuditFile } from "./audit-file.ts";

const now = Date.UTC(2026, 10, 20);
function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), "timonier-audit-"));
  t.after(() => rmSync(dir, { recursive: true }));
  return dir;
}

test("lines are appended in order, for root's eyes only", async t => {
  const path = join(folder(t), "audit.log");
  for (const round of [0, 1]) {
    const file = new AuditFile({ path, log: silent, now: () => now });
    for (let i = 0; i < 100; i++) file.append(`${round}-${i}`);
    await file.close();
    file.append("after the end");
  }
  assert.equal(readFileSync(path, "utf8"), [0, 1].flatMap(round => Array.from({ length: 100 }, (_, i) => `${round}-${i}\n`)).join(""));
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test("a full file is put aside, and only so many of them are kept, none too old", async t => {
  const dir = folder(t);
  let time = now;
  const ancient = join(dir, "audit-2020-01-01T00-00-00.000Z.log");
  writeFileSync(ancient, "old");
  utimesSync(ancient, 1_577_836_800, 1_577_836_800);
  for (let i = 0; i < 6; i++) {
    const file = new AuditFile({ path: join(dir, "audit.log"), log: silent, now: () => (time += 1000), bytesMax: 10, filesMax: 3 });
    file.append(`file ${i} with enough in it`);
    await file.close();
  }
  assert.deepEqual(readdirSync(dir).sort().map(name => readFileSync(join(dir, name), "utf8").slice(0, 6)), ["file 4", "file 5", ""]);
});
