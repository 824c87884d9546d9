import assert from "node:assert/strict";
import { test } from "node:test";
import { silent } from "../base/log.ts";
import { ManualClock } from "../../test/store/manual-clock.ts";
import { MemoryDisk, MemoryEngine } from "./memory.ts";
import { RevisionedStore } from "./revisioned-store.ts";
import type { StoreFailed } from "./store.ts";

async function open(disk: MemoryDisk, flushMs = 0) {
  const clock = new ManualClock();
  const failures: StoreFailed[] = [];
  const engine = new MemoryEngine({ disk, clock, flushMs });
  const store = await RevisionedStore.open(engine, { clock, log: silent, onFailure: error => failures.push(error) });
  return { engine, store, clock, failures };
}

for (const kept of [false, true])
  test(`a crash during a flush ${kept ? "may keep" : "may lose"} the commit under way, whole, and nothing acknowledged`, async () => {
    const disk = new MemoryDisk();
    const first = await open(disk, 5);
    const acknowledged = first.store.put("/a/x", "1", 0);
    await first.clock.advance(5);
    await acknowledged;
    const unknown = Promise.allSettled([first.store.put("/a/x", "2", 2), first.store.put("/a/y", "1", 0)]);
    await first.clock.advance(1);
    first.engine.crash(kept);
    await first.clock.advance(10);
    assert.deepEqual((await unknown).map(result => result.status === "rejected" && (result.reason as Error).name), ["StoreFailed", "StoreFailed"]);
    assert.equal(first.store.get("/a/x")?.value, "1");
    const second = await open(disk);
    assert.deepEqual(second.store.list("/a/").entries.map(entry => entry.value), kept ? ["2", "1"] : ["1"]);
    assert.equal(second.store.revision, kept ? 4 : 2);
  });

test("a full disk refuses what does not free space, and lets everything else go on", async () => {
  const disk = new MemoryDisk();
  const { store, failures } = await open(disk);
  await store.put("/a/x", "1", 0);
  await store.put("/a/y", "1", 0);
  disk.full = true;
  const heard: string[] = [];
  store.watch("/a/", 3, batch => heard.push(...batch.changes.map(change => `${change.type} ${change.key}`)));
  const results = await Promise.allSettled([store.put("/a/z", "1", 0), store.delete("/a/x", 2), store.put("/a/y", "dying", 3, { frees: true }), store.put("/a/z", "2", 0)]);
  assert.deepEqual(results.map(result => (result.status === "fulfilled" ? result.value.ok : (result.reason as Error).name)), ["StoreFull", true, true, "StoreFull"]);
  assert.deepEqual(heard, ["delete /a/x", "put /a/y"]);
  disk.full = false;
  assert.equal((await store.put("/a/z", "1", 0)).ok, true);
  assert.deepEqual(failures, []);
});

test("a failed flush ends the store: nothing of it is visible, everything waiting is refused, the owner hears it once", async () => {
  const disk = new MemoryDisk();
  const { store, failures } = await open(disk);
  await store.put("/a/x", "1", 0);
  disk.error = "EIO: i/o error, fsync";
  const results = await Promise.allSettled([store.put("/a/x", "2", 2), store.put("/a/x", "3", 2)]);
  assert.deepEqual(results.map(result => result.status === "rejected" && (result.reason as Error).name), ["StoreFailed", "StoreFailed"]);
  assert.equal(store.get("/a/x")?.value, "1");
  await assert.rejects(store.put("/a/y", "1", 0), { name: "StoreFailed" });
  assert.equal(failures.length, 1);
});

test("neither a start nor an end waits for the past to be compacted", async () => {
  class SlowDisk extends MemoryEngine {
    begun = 0;
    #end: (() => void) | undefined;
    override async compact(): Promise<void> {
      this.begun++;
      await new Promise<void>(resolve => { this.#end = resolve; });
    }
    override async close(): Promise<void> {
      this.#end?.();
      await super.close();
    }
  }
  const disk = new MemoryDisk();
  const options = { clock: new ManualClock(), log: silent, onFailure: (error: Error) => { throw error; } };
  const before = await RevisionedStore.open(new MemoryEngine({ disk }), options);
  for (let i = 0, revision = 0; i < 30; i++) revision = ((await before.put("/a/x", `${i}`, revision)) as { entry: { revision: number } }).entry.revision;
  await before.close();
  // 30 killed servers later there is more history than fits; what a start must read is not what it must tidy.
  const engine = new SlowDisk({ disk });
  const store = await RevisionedStore.open(engine, { ...options, limits: { historyChanges: 10 } });
  assert.equal(store.get("/a/x")?.value, "29");
  assert.equal(engine.begun, 1);
  await store.close();
});
