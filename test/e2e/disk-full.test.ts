import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, rmSync, truncateSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { silent } from "../../src/base/log.ts";
import { SqliteEngine } from "../../src/host/sqlite.ts";
import { RevisionedStore } from "../../src/store/revisioned-store.ts";
import { StoreFull } from "../../src/store/store.ts";
import { ManualClock } from "../store/manual-clock.ts";

const megabyte = 1 << 20;
const key = (i: number) => `/registry/core/pods/default/p${String(i).padStart(4, "0")}`;

/** Runs `body` on an ext4 file system of 64 MB in a file. */
async function onSmallDisk(body: (directory: string) => Promise<void>): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), "timonier-full-"));
  const mount = join(scratch, "mount");
  const image = openSync(join(scratch, "image"), "w");
  ftruncateSync(image, 64 * megabyte);
  closeSync(image);
  mkdirSync(mount);
  execFileSync("mkfs.ext4", ["-q", "-m", "0", join(scratch, "image")]);
  execFileSync("mount", ["-o", "loop", join(scratch, "image"), mount]);
  try {
    await body(mount);
  } finally {
    execFileSync("umount", [mount]);
    rmSync(scratch, { recursive: true });
  }
}

/** Writes until not a block is left; returns how many bytes that took. */
function fillUp(path: string): number {
  const file = openSync(path, "w");
  let written = 0;
  try {
    for (let size = megabyte; size >= 512; ) {
      try {
        written += writeSync(file, new Uint8Array(size));
      } catch (error) {
        assert.equal((error as NodeJS.ErrnoException).code, "ENOSPC");
        size /= 2;
      }
    }
  } finally {
    closeSync(file);
  }
  return written;
}

test("a full disk refuses writes; reads, watches and deletes go on; writes resume when space is back, without a restart (P04)", async () => {
  await onSmallDisk(async directory => {
    const failures: Error[] = [];
    const open = () => RevisionedStore.open(new SqliteEngine(join(directory, "timonier.db")), { clock: new ManualClock(), log: silent, onFailure: error => failures.push(error), defer: setImmediate });
    const store = await open();
    try {
      await fillAndFree(store, directory);
    } finally {
      await store.close();
    }
    const again = await open();
    const shown = (of: RevisionedStore) => [of.revision, ...of.list("/").entries.map(entry => [entry.key, entry.revision, entry.value.length])];
    await again.close();
    assert.deepEqual(shown(again), shown(store));
    assert.deepEqual(failures, []);
  });
});

async function fillAndFree(store: RevisionedStore, directory: string): Promise<void> {
  const value = "x".repeat(3_000);
  const entries = 1_000;
  for (let i = 0; i < entries; i++) await store.put(key(i), value, 0);
  const heard: string[] = [];
  store.watch("/registry/", store.revision, batch => heard.push(...batch.changes.map(change => change.type)));

  const filler = join(directory, "filler");
  const filled = fillUp(filler);
  let refused = 0;
  for (let i = 0; i < 5_000 && refused < 20; i++) {
    const started = performance.now();
    const result = await store.put(`/registry/core/secrets/default/s${i}`, value, 0).catch((error: unknown) => error);
    assert.ok(performance.now() - started < 1_000, "an answer takes less than a second");
    if (result instanceof StoreFull) refused++;
    else assert.ok(typeof result === "object" && result !== null && "ok" in result && result.ok, String(result));
  }
  assert.equal(refused, 20, "the disk is full");

  assert.equal(store.get(key(7))?.value, value);
  heard.length = 0;
  for (let i = 0; i < entries; i++) {
    const current = store.get(key(i))!;
    // Half of them with a mark first, as a graceful deletion does.
    const marked = i % 2 === 0 ? await store.put(key(i), `${value}!`, current.revision, { frees: true }) : undefined;
    assert.ok(marked?.ok !== false);
    assert.equal((await store.delete(key(i), store.get(key(i))!.revision)).ok, true);
  }
  assert.equal(heard.length, entries * 1.5);
  await assert.rejects(store.put("/registry/core/secrets/default/no", value, 0), { name: "StoreFull" });

  truncateSync(filler, filled - 6 * megabyte);
  const freed = performance.now();
  for (;;) {
    const result = await store.put("/registry/core/secrets/default/back", value, 0).catch((error: unknown) => error);
    if (!(result instanceof StoreFull)) break;
    assert.ok(performance.now() - freed < 10_000, "writes resume within ten seconds");
    await wait(200);
  }
}
