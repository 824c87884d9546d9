import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "../base/clock.ts";
import { KeyQueue } from "./queue.ts";

function manual(): Clock & { pass(ms: number): void } {
  let now = 0;
  let timers: { at: number; fire: () => void }[] = [];
  return {
    now: () => now, monotonic: () => now, sleep: async () => undefined,
    after: (ms, fire) => {
      const timer = { at: now + ms, fire };
      timers.push(timer);
      return () => void (timers = timers.filter(other => other !== timer));
    },
    pass(ms) {
      now += ms;
      const due = timers.filter(timer => timer.at <= now);
      timers = timers.filter(timer => timer.at > now);
      for (const { fire } of due) fire();
    },
  };
}

test("a key is handed out once, and again if it was asked for while it ran", async () => {
  const queue = new KeyQueue(manual());
  queue.add("a");
  queue.add("a");
  queue.add("b");
  assert.deepEqual([await queue.take(), await queue.take()], ["a", "b"]);
  queue.add("a");
  const next = queue.take();
  queue.done("b");
  queue.done("a");
  assert.equal(await next, "a");
  queue.close();
  assert.equal(await queue.take(), undefined);
});

test("a later wait replaces an earlier one", async () => {
  const clock = manual();
  const queue = new KeyQueue(clock);
  queue.addAfter("a", 10);
  queue.addAfter("a", 100);
  clock.pass(50);
  assert.equal(queue.depth, 0);
  clock.pass(50);
  assert.equal(queue.depth, 1);
  queue.close();
});

test("failures wait 5 ms, then twice as long each time up to 1000 s, and success forgets them", () => {
  const queue = new KeyQueue(manual());
  assert.deepEqual([queue.failed("a"), queue.failed("a"), queue.failed("a"), queue.failed("b")], [5, 10, 20, 5]);
  for (let i = 0; i < 30; i++) queue.failed("a");
  assert.equal(queue.failed("a"), 1_000_000);
  queue.succeeded("a");
  assert.equal(queue.failed("a"), 5);
});

test("when very many keys fail at once, the retries are spread: ten a second after a hundred", () => {
  const queue = new KeyQueue(manual());
  const waits = Array.from({ length: 120 }, (_, i) => queue.failed(`k${i}`));
  assert.deepEqual([waits[99], waits[100], waits[119]], [5, 100, 2_000]);
});
