import assert from "node:assert/strict";
import { silent } from "../../src/base/log.ts";
import { MemoryDisk, MemoryEngine } from "../../src/store/memory.ts";
import { RevisionedStore } from "../../src/store/revisioned-store.ts";
import type { Engine, EngineFeed } from "../../src/store/store.ts";
import { VirtualClock } from "./clock.ts";
import { property } from "./property.ts";
import { SeededRandom } from "./random.ts";

property("an acknowledged write survives the server's death, revisions only rise, and of two writers one wins", 20, async (seed, mutant) => {
  const clock = new VirtualClock();
  const random = new SeededRandom(seed);
  const disk = new MemoryDisk();
  /** The newest acknowledged value of each key, and those whose fate nobody was told. */
  const acknowledged = new Map<string, { readonly value: string; readonly revision: number }>();
  const doubtful = new Map<string, string[]>();
  let highest = 0;
  let wins = 0;

  for (let life = 0; life < 6; life++) {
    const engine = new MemoryEngine({ disk, clock, flushMs: 2 });
    const store = await opened(RevisionedStore.open(mutant === "early-answer" ? answersEarly(engine) : engine, { clock, log: silent, onFailure: () => undefined }), clock);
    assert.ok(store.revision >= highest, `the revision went back from ${highest} to ${store.revision}`);
    for (const [key, { value, revision }] of acknowledged) {
      const entry = store.get(key);
      const fair = entry?.value === value || (entry !== undefined && entry.revision > revision && (doubtful.get(key) ?? []).includes(entry.value));
      assert.ok(fair, `${key} was acknowledged as ${value} and is now ${entry?.value}`);
      if (entry !== undefined) acknowledged.set(key, entry);
    }
    doubtful.clear();
    let dead = false;
    const writer = async (name: string): Promise<void> => {
      const own = random.fork();
      for (let i = 0; !dead; i++) {
        const key = `/registry/k${own.between(0, 4)}`;
        const value = `${name}.${life}.${i}`;
        const expected = store.get(key)?.revision ?? 0;
        doubtful.set(key, [...(doubtful.get(key) ?? []), value]);
        const result = await store.put(key, value, expected).catch(() => undefined);
        if (dead || result === undefined) return;
        if (result.ok) {
          wins++;
          const before = acknowledged.get(key)?.revision ?? 0;
          assert.ok(result.entry.revision > highest || result.entry.revision > before, "each write has a revision of its own");
          assert.ok(before <= expected || before === 0 || life > 0, "a writer that had not seen the newest value does not win");
          highest = Math.max(highest, result.entry.revision);
          if (result.entry.revision > before) acknowledged.set(key, { value, revision: result.entry.revision });
        }
        await clock.sleep(own.next() * 3);
      }
    };
    for (const name of ["a", "b", "c"]) void writer(name);
    await clock.pass(20 + random.next() * 40);
    dead = true;
    engine.crash(random.chance(0.5));
  }
  assert.ok(wins > 20, "the load was real");
}, ["early-answer"]);

async function opened<T>(opening: Promise<T>, clock: VirtualClock): Promise<T> {
  let done = false;
  const result = opening.finally(() => (done = true));
  await clock.until(() => done, 1_000, "the store to open");
  return result;
}
/** The mutant: says "written" before it is. */
function answersEarly(engine: MemoryEngine): Engine {
  let feed: EngineFeed | undefined;
  let revision = 0;
  return {
    open: async () => {
      const state = await engine.open();
      ({ revision } = state);
      return state;
    },
    replay: given => {
      feed = given;
      // Only what was there: later records are told at once, by `commit` below.
      let open = true;
      return engine.replay(records => { if (open) given(records); }).then(() => void (open = false));
    },
    commit: async (writes, options) => {
      const records = writes.map(({ key, value }) => ({ revision: ++revision, key, value }));
      void engine.commit(writes, options).catch(() => undefined);
      feed?.(records);
      return records.map(record => record.revision);
    },
    sync: () => engine.sync(),
    compact: (oldest, dead) => engine.compact(oldest, dead),
    close: () => engine.close(),
  };
}
