import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "../base/clock.ts";
import { parseMetrics, valueOf } from "../../test/prometheus.ts";
import { Metrics } from "../base/metrics.ts";
import { KeyQueue } from "./queue.ts";
import { QueueFigures } from "./queue-figures.ts";

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

test("what goes through a queue is counted: keys asked for, how long they waited and took, and what failed", async () => {
  const clock = manual();
  const metrics = new Metrics();
  const queue = new KeyQueue(clock, { name: "job", figures: new QueueFigures(metrics) });
  const value = (name: string): number | undefined => valueOf(parseMetrics(metrics.render()), name, { name: "job" });
  for (const key of ["a", "a", "b"]) queue.add(key);
  assert.deepEqual([value("workqueue_adds_total"), value("workqueue_depth")], [2, 2]);
  clock.pass(2_000);
  await queue.take();
  queue.add("a");
  queue.add("a");
  clock.pass(500);
  await queue.take();
  clock.pass(500);
  assert.deepEqual([value("workqueue_unfinished_work_seconds"), value("workqueue_longest_running_processor_seconds")], [1.5, 1]);
  queue.failed("a");
  queue.done("a");
  assert.deepEqual(["workqueue_adds_total", "workqueue_depth", "workqueue_queue_duration_seconds_sum", "workqueue_work_duration_seconds_sum", "workqueue_work_duration_seconds_count", "workqueue_retries_total"].map(value), [3, 1, 4.5, 1, 1, 1]);
});
