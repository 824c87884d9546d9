import assert from "node:assert/strict";
import { test } from "node:test";
import { silent } from "../base/log.ts";
import { MemoryEngine } from "../store/memory.ts";
import { RevisionedStore } from "../store/revisioned-store.ts";
import { ManualClock } from "../../test/store/manual-clock.ts";
import { keepInStep, type InStepOptions } from "./keep-in-step.ts";

async function kept(options: Partial<InStepOptions>) {
  const clock = new ManualClock();
  const store = await RevisionedStore.open(new MemoryEngine({ clock }), { clock, log: silent, onFailure: error => { throw error; } });
  const stop = new AbortController();
  const [begun, ends]: [number[], (() => void)[]] = [[], []];
  const done = keepInStep({ store, clock }, { prefix: "/a/", ...options }, () => new Promise<void>(resolve => { begun.push(store.revision); ends.push(resolve); }), stop.signal);
  const turn = () => new Promise<void>(resolve => setImmediate(resolve));
  return { clock, store, stop, begun, done, turn, end: async () => { ends.shift()?.(); await turn(); } };
}

test("one pass at the start, none for what lies elsewhere, one for all that changed during another", async () => {
  const { store, stop, begun, done, turn, end } = await kept({});
  await end();
  await store.put("/b/x", "1", 0);
  await turn();
  assert.equal(begun.length, 1);
  await store.put("/a/x", "1", 0);
  await turn();
  await Promise.all(["/a/y", "/a/z"].map(key => store.put(key, "1", 0)));
  await turn();
  assert.equal(begun.length, 2, "never two at once");
  await end();
  assert.equal(begun.length, 3);
  assert.equal(begun[2], store.revision);
  await end();
  await turn();
  assert.equal(begun.length, 3);
  stop.abort();
  await done;
});

test("changes after a pass are gathered; others than the store's count too, until the end", async () => {
  let note = (): void => undefined;
  let stopped = 0;
  const { clock, stop, begun, done, turn, end } = await kept({ settleMs: 1_000, onChange: given => { note = given; return () => stopped++; } });
  await end();
  note();
  await clock.advance(999);
  await turn();
  assert.equal(begun.length, 1);
  await clock.advance(1);
  await turn();
  assert.equal(begun.length, 2);
  await end();
  stop.abort();
  await clock.advance(1_000);
  await done;
  assert.equal(stopped, 1);
});
