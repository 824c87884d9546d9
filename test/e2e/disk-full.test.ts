import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, existsSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, rmSync, truncateSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { silent } from "../../src/base/log.ts";
import { SqliteEngine } from "../../src/host/sqlite.ts";
import { RevisionedStore } from "../../src/store/revisioned-store.ts";
import { StoreFull } from "../../src/store/store.ts";
import { image, Scratch } from "./harness.ts";
import { ManualClock } from "../store/manual-clock.ts";

const megabyte = 1 << 20;
const key = (i: number) => `/registry/core/pods/default/p${String(i).padStart(4, "0")}`;

/** Runs `body` on a small ext4 file system in a file. */
async function onSmallDisk(body: (directory: string) => Promise<void>, megabytes = 64): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), "timonier-full-"));
  const mount = join(scratch, "mount");
  const file = openSync(join(scratch, "image"), "w");
  ftruncateSync(file, megabytes * megabyte);
  closeSync(file);
  mkdirSync(mount);
  execFileSync("mkfs.ext4", ["-q", "-m", "0", join(scratch, "image")]);
  execFileSync("mount", ["-o", "loop", join(scratch, "image"), mount]);
  try {
    await body(mount);
  } finally {
    // Lazily: a failure in `body` must not hide behind "target is busy".
    execFileSync("umount", ["--lazy", mount]);
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

test("a cluster whose disk, with store and logs, is full answers, deletes, refuses writes with 507, and goes on when space is back (P04)", async () => {
  await onSmallDisk(async directory => {
    const scratch = new Scratch();
    scratch.env["TIMONIER_DATA_DIR"] = directory;
    scratch.env["TIMONIER_NAME"] = `full-${process.pid}`;
    try {
      const port = 22_000 + 2 * (process.pid % 2_000);
      const up = scratch.timonier("up", "--runtime", "simulated", "--nodes", "1", "--port", String(port), "--node-port", String(port + 1));
      assert.equal(up.code, 0, up.err);
      const server = (): string => /pid (\d+)/.exec(scratch.timonier("status").out)?.[1] ?? "none";
      const before = server();
      for (let i = 0; i < 6; i++) scratch.k(`create configmap c${i} --from-literal=a=b`);
      const watch = scratch.startKubectl("get configmaps -w --watch-only -o name");
      await scratch.until("space is held back", () => existsSync(join(directory, scratch.env["TIMONIER_NAME"] ?? "", "store/timonier.db-reserve")));
      const filled = fillUp(join(directory, "filler"));
      // What is left in the files of the store is used up first.
      const refused = await scratch.until("a write is refused", () => {
        const result = scratch.kubectl("create", "configmap", `big-${performance.now().toFixed(0)}`, `--from-literal=a=${"x".repeat(60_000)}`);
        return result.code !== 0 && result.err;
      });
      assert.match(refused, /the server's disk is full: nothing was written; reads and deletes still work/);
      assert.equal(scratch.k("get configmap c1 -o jsonpath={.data.a}"), "b");
      scratch.k("delete configmap c1 c2");
      assert.equal(scratch.k("get --raw /readyz"), "ok");
      truncateSync(join(directory, "filler"), filled - 8 * megabyte);
      await scratch.until("writes go on", () => scratch.kubectl("create", "configmap", "back", "--from-literal=a=b").code === 0, 10);
      await scratch.until("the watch has seen it all", () => watch.out.includes("configmap/c1") && watch.out.includes("configmap/back"));
      assert.equal(server(), before, "without a restart");
      await watch.end();
      fillUp(join(directory, "filler-2"));
      const deleted = scratch.timonier("delete");
      assert.equal(deleted.code, 0, deleted.err);
    } finally {
      // After a failure; when all is well it is gone by now.
      console.log(scratch.timonier("delete").err);
      await scratch.close();
    }
  });
});

test("a node whose disk, with pods, images and logs, is full keeps what runs, and goes on when space is back (P04)", async () => {
  await onSmallDisk(async directory => {
    const scratch = new Scratch();
    scratch.env["TIMONIER_DATA_DIR"] = directory;
    scratch.env["TIMONIER_NAME"] = `full-${process.pid}`;
    try {
      await scratch.registry();
      const up = scratch.timonier("up", "--port", "17853", "--node-port", "17860");
      assert.equal(up.code, 0, up.err);
      const pid = (name: string): string => new RegExp(`^${name}: +pid (\\d+)`, "m").exec(scratch.timonier("status").out)?.[1] ?? "none";
      const before = [pid("Server"), pid("Agent")];
      scratch.k(`create deployment old --image=${image("hello:v1")}`);
      scratch.k("rollout status deploy/old --timeout=60s");
      const filled = fillUp(join(directory, "filler"));
      await scratch.until("a write is refused", () => scratch.kubectl("create", "configmap", `big-${performance.now().toFixed(0)}`, `--from-literal=a=${"x".repeat(60_000)}`).err.includes("disk is full"));
      // Longer than it takes the agent to look at its disk.
      await wait(12_000);
      const ask = (): string => scratch.k("exec deploy/old -- wget -qO- http://127.0.0.1:5000");
      assert.equal(ask(), "hello v1\n");
      truncateSync(join(directory, "filler"), filled - 100 * megabyte);
      await scratch.until("writes go on", () => scratch.kubectl("create", "deployment", "new", `--image=${image("hello:v2")}`).code === 0, 10);
      scratch.k("rollout status deploy/new --timeout=60s");
      assert.equal(ask(), "hello v1\n");
      assert.deepEqual(scratch.k("get pods --no-headers").trim().split("\n").map(line => line.split(/ +/).slice(1, 4).join(" ")), ["1/1 Running 0", "1/1 Running 0"]);
      assert.deepEqual([pid("Server"), pid("Agent")], before, "without a restart");
    } finally {
      console.log(scratch.timonier("delete").err);
      await scratch.close();
    }
  }, 300);
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
  // Neither does a small one slip into what the store's files have left.
  assert.ok((await store.put("/registry/core/configmaps/default/small", "x", 0).catch((error: unknown) => error)) instanceof StoreFull);

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
