/** What every engine under a `RevisionedStore` must do. One body, run against each engine; names of the watch guarantees are etcd's (docs/learning/api_guarantees). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { silent } from "../../src/base/log.ts";
import { RevisionedStore, type StoreLimits } from "../../src/store/revisioned-store.ts";
import type { Batch, Change, Compacted, Engine, Index, ListResult, Only, Store, Watch, WriteResult } from "../../src/store/store.ts";
import { ManualClock } from "./manual-clock.ts";

export type EngineUnderTest = {
  readonly name: string;
  /** Engines of one `place` see the same data, one after the other. */
  place(): Promise<{ engine(): Engine; remove(): Promise<void> }>;
};

type World = { readonly store: RevisionedStore; readonly clock: ManualClock; reopen(): Promise<World> };

export function storeConformance(target: EngineUnderTest): void {
  const check = (name: string, body: (world: World) => Promise<void>, limits: Partial<StoreLimits> = {}) =>
    void test(`${target.name}: ${name}`, async () => {
      const place = await target.place();
      let store: RevisionedStore | undefined;
      const open = async (): Promise<World> => {
        await store?.close();
        const clock = new ManualClock();
        store = await RevisionedStore.open(place.engine(), { clock, log: silent, onFailure: error => console.error(error), limits });
        return { store, clock, reopen: open };
      };
      try {
        await body(await open());
      } finally {
        await store?.close();
        await place.remove();
      }
    });

  check("an empty store is at revision 1", async ({ store }) => {
    assert.deepEqual([store.revision, store.oldestRevision, store.count("/"), store.list("/").entries.length], [1, 1, 0, 0]);
  });

  check("a write is visible once it is acknowledged, and gets the next revision", async ({ store }) => {
    const writing = store.put("/a/x", "1", 0);
    assert.equal(store.get("/a/x"), undefined);
    const written = won(await writing);
    assert.deepEqual([written.entry.revision, written.previous, store.get("/a/x")?.value, store.revision], [2, undefined, "1", 2]);
    const replaced = won(await store.put("/a/x", "2", 2));
    assert.deepEqual([replaced.entry.revision, replaced.previous?.value], [3, "1"]);
    const deleted = won(await store.delete("/a/x", 3));
    assert.deepEqual([deleted.entry.value, deleted.entry.revision, deleted.previous?.revision, store.get("/a/x"), store.revision], ["2", 4, 3, undefined, 4]);
  });

  const refusals = [
    // have  operation  expected
    [ false, "put",     7 ],
    [ true,  "put",     0 ],
    [ true,  "put",     1 ],
    [ false, "delete",  0 ],
    [ false, "delete",  3 ],
    [ true,  "delete",  0 ],
    [ true,  "delete",  9 ],
  ] as const;
  for (const [have, operation, expected] of refusals)
    check(`${operation} expecting ${expected} is refused when the key ${have ? "is at 2" : "does not exist"}`, async ({ store }) => {
      if (have) await store.put("/a/x", "1", 0);
      const before = store.revision;
      const result = operation === "put" ? await store.put("/a/x", "2", expected) : await store.delete("/a/x", expected);
      assert.deepEqual([result.ok, result.ok ? undefined : result.current?.revision, store.revision], [false, have ? 2 : undefined, before]);
    });

  check("of many writers that expect the same revision exactly one wins, and the others see its value", async ({ store }) => {
    await store.put("/a/x", "0", 0);
    const results = await Promise.all(Array.from({ length: 50 }, (_, i) => store.put("/a/x", `w${i}`, 2)));
    const winners = results.filter(result => result.ok);
    assert.equal(winners.length, 1);
    assert.deepEqual(new Set(results.filter(result => !result.ok).map(result => (result.ok ? "" : result.current?.value))), new Set([store.get("/a/x")?.value]));
  });

  check("a key that is deleted and made again in one batch has both revisions", async ({ store }) => {
    await store.put("/a/x", "1", 0);
    const seen = collect(store, "/a/", 2);
    const [gone, made, again] = await Promise.all([store.delete("/a/x", 2), store.put("/a/x", "2", 0), store.put("/a/x", "3", 0)]);
    assert.deepEqual([gone.ok, made.ok, again.ok], [true, true, false]);
    assert.deepEqual(seen.changes.map(shown), ["delete /a/x 3", "put /a/x 4"]);
  });

  check("a list is in key order, holds only its prefix and pages without a hole", async ({ store }) => {
    const names = ["b/2", "a/1", "a/10", "a/2", "a-b/1", "a0/1", "b/1", "a/3"];
    await Promise.all(names.map(name => store.put(`/r/${name}`, name, 0)));
    assert.deepEqual(keys(store.list("/r/a/")), ["/r/a/1", "/r/a/10", "/r/a/2", "/r/a/3"]);
    assert.deepEqual(keys(store.list("/r/")), names.map(name => `/r/${name}`).sort());
    assert.deepEqual([store.count("/r/"), store.count("/r/a/"), store.count("/r/zzz/")], [8, 4, 0]);
    const pages: string[] = [];
    let page = store.list("/r/", { limit: 3 });
    const remaining = [page.remaining];
    for (; page.remaining > 0; remaining.push(page.remaining)) {
      pages.push(...keys(page));
      page = store.list("/r/", { limit: 3, after: page.entries.at(-1)!.key });
    }
    assert.deepEqual([...pages, ...keys(page)], keys(store.list("/r/")));
    assert.deepEqual(remaining, [5, 2, 0]);
  });

  check("a list at an old revision shows what was there then", async ({ store }) => {
    const states = new Map<number, string[]>();
    const note = () => states.set(store.revision, store.list("/r/").entries.map(entry => `${entry.key}=${entry.value}@${entry.revision}`));
    note();
    for (let i = 0; i < 60; i++) {
      const key = `/r/n${(i * 7) % 11}`;
      const current = store.get(key);
      if (current !== undefined && i % 3 === 0) await store.delete(key, current.revision);
      else await store.put(key, `v${i}`, current?.revision ?? 0);
      note();
    }
    for (const [revision, state] of states) {
      const then = listed(store.listAt("/r/", revision));
      assert.deepEqual(then.entries.map(entry => `${entry.key}=${entry.value}@${entry.revision}`), state);
      const first = listed(store.listAt("/r/", revision, { limit: 2 }));
      const rest = first.entries.length < 2 ? [] : listed(store.listAt("/r/", revision, { after: first.entries[1]!.key })).entries;
      assert.deepEqual([...first.entries, ...rest].map(entry => entry.key), then.entries.map(entry => entry.key));
      assert.equal(first.remaining, rest.length);
    }
  });

  check("values come back byte for byte", async world => {
    const values = ["{}", `{"__proto__":1}`, "é€𝄞\u0000\u2028", `"${"x".repeat(200_000)}"`, `{"n":9007199254740993}`];
    await Promise.all(values.map((value, i) => world.store.put(`/a/${i}`, value, 0)));
    const { store } = await world.reopen();
    assert.deepEqual(store.list("/a/").entries.map(entry => entry.value), values);
  });

  check("everything acknowledged is there after a restart, with its revision, and revisions go on", async world => {
    for (let i = 0; i < 20; i++) await world.store.put(`/a/${i % 5}`, `v${i}`, world.store.get(`/a/${i % 5}`)?.revision ?? 0);
    await world.store.delete("/a/3", world.store.get("/a/3")!.revision);
    const before = world.store.list("/a/");
    const { store } = await world.reopen();
    assert.deepEqual(store.list("/a/"), before);
    assert.equal(won(await store.put("/a/new", "n", 0)).entry.revision, before.revision + 1);
  });

  check("revisions never go back, not even when every key is deleted and compacted", async world => {
    for (let i = 0; i < 5; i++) await world.store.put(`/a/${i}`, "v", 0);
    for (let i = 0; i < 5; i++) await world.store.delete(`/a/${i}`, i + 2);
    const newest = world.store.revision;
    await world.store.compact(newest);
    await world.store.put("/b/x", "v", 0);
    await world.store.delete("/b/x", newest + 1);
    await world.store.compact(newest + 2);
    const reopened = await world.reopen();
    assert.deepEqual([reopened.store.revision, reopened.store.oldestRevision], [newest + 2, newest + 2]);
    const again = await reopened.reopen();
    assert.equal(won(await again.store.put("/a/x", "v", 0)).entry.revision, newest + 3);
  });

  check("what is compacted is refused, by lists and by watches, before and after a restart", async world => {
    for (let i = 0; i < 6; i++) await world.store.put("/a/x", `${i}`, i === 0 ? 0 : i + 1);
    await world.store.compact(5);
    for (const { store } of [world, await world.reopen()]) {
      assert.deepEqual([store.listAt("/a/", 4), store.watch("/a/", 4, () => {})], [{ compacted: true, oldest: 5 }, { compacted: true, oldest: 5 }]);
      assert.deepEqual(listed(store.listAt("/a/", 5)).entries.map(entry => entry.value), ["3"]);
      assert.deepEqual(collect(store, "/a/", 5).changes.map(shown), ["put /a/x 6", "put /a/x 7"]);
      assert.deepEqual(store.listAt("/a/", 8), { compacted: true, oldest: 5 });
    }
  });

  check("history is kept for one interval and forgotten within two; an idle store has no timer", async ({ store, clock }) => {
    await store.put("/a/x", "1", 0);
    await clock.advance(4 * 60_000);
    await store.put("/a/x", "2", 2);
    await clock.advance(2 * 60_000);
    assert.equal(store.oldestRevision, 2);
    await clock.advance(5 * 60_000);
    assert.equal(store.oldestRevision, 3);
    assert.equal(clock.waiting, 0);
  });

  check("history is bounded by count", async ({ store }) => {
    for (let i = 0; i < 100; i++) await store.put("/a/x", `${i}`, i === 0 ? 0 : i + 1);
    const kept = collect(store, "/a/", store.oldestRevision).changes;
    assert.ok(kept.length <= 21 && kept.length >= 18, `${kept.length} changes are kept`);
    assert.equal(kept.at(-1)?.revision, store.revision);
  }, { historyChanges: 20 });

  check("history is bounded by bytes", async ({ store }) => {
    for (let i = 0; i < 50; i++) await store.put("/a/x", "x".repeat(1_000), i === 0 ? 0 : i + 1);
    assert.ok(store.revision - store.oldestRevision <= 9, `${store.revision - store.oldestRevision} changes are kept`);
  }, { historyBytes: 10_000 });

  check("more writes than may wait are refused, not queued", async ({ store }) => {
    const results = await Promise.allSettled(Array.from({ length: 8 }, (_, i) => store.put(`/a/${i}`, "v", 0)));
    assert.deepEqual(results.map(result => (result.status === "rejected" ? (result.reason as Error).name : "ok")), ["ok", "ok", "ok", "ok", "ok", "StoreBusy", "StoreBusy", "StoreBusy"]);
  }, { pendingWrites: 5 });

  check("a batch larger than one commit may be is made in several", async ({ store }) => {
    const batches: number[] = [];
    store.watch("/a/", 1, batch => batches.push(batch.changes.length));
    await Promise.all(Array.from({ length: 10 }, (_, i) => store.put(`/a/${i}`, "v", 0)));
    assert.deepEqual(batches, [4, 4, 2]);
  }, { batchWrites: 4 });

  check("a closed store refuses writes and has finished those it accepted", async ({ store }) => {
    const accepted = store.put("/a/x", "v", 0);
    await store.close();
    assert.equal((await accepted).ok, true);
    await assert.rejects(store.put("/a/y", "v", 0), { name: "StoreClosed" });
  });

  watchGuarantees(check);
}

function watchGuarantees(check: (name: string, body: (world: World) => Promise<void>, limits?: Partial<StoreLimits>) => void): void {
  check("Filter: a watch hears only of its prefix or key", async ({ store }) => {
    const inA = collect(store, "/r/a/", 1);
    const all = collect(store, "/r/", 1);
    const one = collect(store, "/r/a/x", 1);
    await Promise.all(["a/x", "ab/x", "a/xy", "b/x"].map(name => store.put(`/r/${name}`, "v", 0)));
    assert.deepEqual(inA.changes.map(change => change.key), ["/r/a/x", "/r/a/xy"]);
    assert.deepEqual(all.changes.map(change => change.key), ["/r/a/x", "/r/ab/x", "/r/a/xy", "/r/b/x"]);
    assert.deepEqual(one.changes.map(change => change.key), ["/r/a/x"]);
  });

  check("Only: a watch of one value hears what comes to it, changes there and leaves it, now and in the past, whatever others hear", async ({ store }) => {
    let asked = 0;
    const first: Index = { of: ({ value }) => { asked++; return value.slice(0, 1); } }, second: Index = { of: ({ value }) => value.slice(1) };
    const wanted = [["/a/", first, "p"], ["/a/", first, "q"], ["/a/", second, "1"], ["/b/", first, "p"]] as const;
    const live = wanted.map(([prefix, index, value]) => collect(store, prefix, 1, { index, value }));
    const others = Array.from({ length: 100 }, (_, i) => collect(store, "/a/", 1, { index: first, value: `other${i}` }));
    const all = collect(store, "/a/", 1);
    const before = asked;
    await Promise.all([store.put("/a/x", "p1", 0), store.put("/a/y", "q1", 0), store.put("/b/x", "p2", 0)]);
    await store.put("/a/x", "q1", 2);
    await store.put("/a/y", "q2", 3);
    await store.delete("/a/x", 5);
    const told = [["put /a/x 2", "put /a/x 5"], ["put /a/y 3", "put /a/x 5", "put /a/y 6", "delete /a/x 7"], ["put /a/x 2", "put /a/y 3", "put /a/x 5", "put /a/y 6", "delete /a/x 7"], ["put /b/x 4"]];
    assert.deepEqual(live.map(({ changes }) => changes.map(shown)), told);
    assert.ok(asked - before <= 2 * 6, `${asked - before} questions for 6 changes and 104 watches`);
    assert.deepEqual(wanted.map(([prefix, index, value]) => collect(store, prefix, 1, { index, value }).changes.map(shown)), told, "of the past");
    assert.deepEqual([all.changes.length, ...others.map(({ changes }) => changes.length)], [5, ...others.map(() => 0)]);
    for (const each of [...live, ...others, all]) each.close();
    assert.equal(store.watchCount, wanted.length);
  });

  check("Ordered, Unique, Reliable: a watch hears every change once, in order, from wherever it starts", async ({ store }) => {
    const fromStart = collect(store, "/a/", 1);
    await churn(store, 100);
    assert.deepEqual(fromStart.changes.map(change => change.revision), Array.from({ length: 100 }, (_, i) => i + 2));
    for (const from of [1, 2, 50, 100, 101]) assert.deepEqual(collect(store, "/a/", from).changes.map(change => change.revision), fromStart.changes.map(change => change.revision).filter(revision => revision > from));
  });

  check("Atomic: a commit reaches a watch in one call, after it is readable", async ({ store }) => {
    const calls: string[] = [];
    store.watch("/a/", 1, batch => calls.push(batch.changes.map(change => `${shown(change)} ${store.get(change.key)?.revision === change.revision}`).join(", ") + ` up to ${batch.progress} of ${store.revision}`));
    await Promise.all([store.put("/a/x", "1", 0), store.put("/b/x", "1", 0), store.put("/a/y", "1", 0)]);
    assert.deepEqual(calls, ["put /a/x 2 true, put /a/y 4 true up to 4 of 4"]);
  });

  check("Bookmarkable: progress never runs ahead of what was delivered", async ({ store }) => {
    const seen = collect(store, "/a/", 1);
    let checked = 0;
    store.watch("/", 1, batch => {
      checked++;
      assert.ok(batch.progress === store.revision && batch.changes.every(change => change.revision <= batch.progress));
    });
    await churn(store, 30);
    assert.equal(seen.progress, store.revision);
    assert.ok(checked > 0);
  });

  check("Resumable: a watch goes on where another one, or one before a restart, ended", async world => {
    const first = collect(world.store, "/a/", 1);
    await churn(world.store, 20);
    first.close();
    await churn(world.store, 20);
    const { store } = await world.reopen();
    await churn(store, 20);
    const second = collect(store, "/a/", first.progress);
    assert.deepEqual([...first.changes, ...second.changes].map(change => change.revision), Array.from({ length: 60 }, (_, i) => i + 2));
  });

  check("Is-create and previous value: a change carries what was there before, in the live feed, in the replay and after a restart", async world => {
    const live = collect(world.store, "/a/", 1);
    await churn(world.store, 40);
    const current = new Map<string, string>();
    const problems: string[] = [];
    for (const change of live.changes) {
      const previous = change.previous && `${change.previous.value}@${change.previous.revision}`;
      if (previous !== current.get(change.key)) problems.push(`${shown(change)}: ${previous} instead of ${current.get(change.key)}`);
      if (change.type === "delete") current.delete(change.key);
      else current.set(change.key, `${change.entry.value}@${change.revision}`);
      if (change.type === "delete" && change.entry.value !== change.previous?.value) problems.push(`${shown(change)} lacks the last value`);
    }
    assert.deepEqual(problems, []);
    const whole = (changes: readonly Change[]) => changes.map(change => [shown(change), change.entry.value, change.previous?.value, change.previous?.revision]);
    assert.deepEqual(whole(collect(world.store, "/a/", 1).changes), whole(live.changes));
    assert.deepEqual(whole(collect((await world.reopen()).store, "/a/", 1).changes), whole(live.changes));
  });

  check("Future: a watch from a revision to come hears what comes after it", async ({ store }) => {
    const seen = collect(store, "/a/", 4);
    await Promise.all([1, 2, 3, 4].map(i => store.put(`/a/${i}`, "v", 0)));
    assert.deepEqual(seen.changes.map(change => change.revision), [5]);
  });

  check("a watch that is opened or closed inside a sink neither misses nor repeats", async ({ store }) => {
    let inner: Collected | undefined;
    const other = collect(store, "/a/", 1);
    store.watch("/a/", 1, () => {
      inner ??= collect(store, "/a/", 1);
      other.close();
    });
    await churn(store, 10);
    assert.deepEqual(inner?.changes.map(change => change.revision), Array.from({ length: 10 }, (_, i) => i + 2));
    assert.deepEqual(other.changes.map(change => change.revision), [2]);
    assert.equal(store.watchCount, 2);
  });
}

type Collected = { readonly changes: Change[]; progress: number; close(): void };

/** A watch that keeps what it hears. */
export function collect(store: Store, prefix: string, revision: number, only?: Only): Collected {
  const changes: Change[] = [];
  const collected: Collected = { changes, progress: revision, close: () => {} };
  const watch = store.watch(prefix, revision, (batch: Batch) => {
    changes.push(...batch.changes);
    collected.progress = batch.progress;
  }, only);
  assert.ok(!("compacted" in watch), `revision ${revision} is compacted`);
  collected.close = () => (watch as Watch).close();
  return collected;
}

/** `count` writes under /a/, one after the other: mostly puts over few keys, some deletes. */
async function churn(store: Store, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const key = `/a/k${(store.revision * 7) % 5}`;
    const current = store.get(key);
    if (current !== undefined && store.revision % 4 === 0) won(await store.delete(key, current.revision));
    else won(await store.put(key, `v${store.revision}`, current?.revision ?? 0));
  }
}

function won(result: WriteResult): WriteResult & { ok: true } {
  assert.ok(result.ok, "the write is refused");
  return result;
}
function listed(result: ListResult | Compacted): ListResult {
  assert.ok("entries" in result, "the revision is compacted");
  return result;
}
const keys = (list: ListResult) => list.entries.map(entry => entry.key);
const shown = (change: Change) => `${change.type} ${change.key} ${change.revision}`;
