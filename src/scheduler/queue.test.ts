import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../../test/store/manual-clock.ts";
import { nodeOf, podOf } from "../../test/scheduler/notation.ts";
import { Heap } from "./heap.ts";
import { NodeInfo } from "./node-info.ts";
import { SchedulingQueue } from "./queue.ts";

/*
 * A history: `+p` adds a pod, `*p` updates it, `-p` deletes it, `>p` takes the next, which is to be p (`>` nothing), `!p:Plugin` fails it by a plugin,
 * `?p` has it tried again after an error, `node:…` adds a node, `left:…` says that a pod has left, a number lets so many seconds pass.
 */
const histories: readonly (readonly [string, string])[] = [
  ["first come, first served", "+a +b >a >b >"],
  ["importance first", "+a +b:prio=5 +c:prio=9 >c >b >a"],
  ["a deleted pod is not taken", "+a +b -a >b >"],
  ["a gated pod waits for its gates", "+a:gated > node:n > *a >a"],
  ["a refused pod waits for something that helps", "+a >a !a:NodeResourcesFit > node:n >a"],
  ["what does not help leaves it waiting", "+a:cpu=200 >a !a:NodeResourcesFit node:n >"],
  ["another plugin's event leaves it waiting", "+a >a !a:NodeAffinity left:x >"],
  ["one of two plugins is enough", "+a >a !a:NodeAffinity,NodeResourcesFit left:x >a"],
  ["refused without a reason it waits for anything", "+a >a !a: left:x >a"],
  ["a change of the pod itself lets it try again", "+a >a !a:NodeAffinity *a:select=x/y >a"],
  ["the same pod again changes nothing", "+a >a !a:NodeAffinity *a >"],
  ["after an error it rests a second", "+a >a ?a > 0.9 > 0.2 >a"],
  ["rests grow twofold to ten seconds", "+a >a ?a 1 >a ?a 1 > 1 >a ?a 3 > 1 >a ?a 7 > 1 >a ?a 9 > 1 >a ?a 9 > 1 >a"],
  ["a refused pod that rests comes early when nothing else waits", "+a >a !a:NodeResourcesFit left:x +b >b >a"],
  ["a refused pod is tried again after five minutes anyway", "+a >a !a:NodeAffinity 299 > 2 >a"],
  ["a taken pod that is deleted does not come back", "+a >a -a !a:NodeResourcesFit left:x >"],
  ["a pod updated while taken has its new form", "+a >a *a:prio=3 !a:NodeResourcesFit +b:prio=2 left:x >b >a"],
];

for (const [name, history] of histories)
  test(`queue: ${name}: ${history}`, async () => {
    const clock = new ManualClock(), queue = new SchedulingQueue(clock), taken = new Map<string, NonNullable<ReturnType<typeof queue.take>>>();
    for (const step of history.split(" ")) {
      const [, sign = "", rest = ""] = /^([+*\->!?]?)(.*)$/.exec(step)!;
      const [named = "", detail = ""] = rest.split(/:(.*)/s);
      if (sign === "+") queue.add(podOf(rest));
      else if (sign === "*") queue.update(podOf(rest));
      else if (sign === "-") queue.delete(`uid-${named}`);
      else if (sign === ">") {
        const pod = queue.take();
        assert.equal(pod?.info.pod.metadata.name ?? "", named, step);
        if (pod !== undefined) taken.set(named, pod);
      } else if (sign === "!") queue.fail(taken.get(named)!, new Set(detail.split(",").filter(Boolean)));
      else if (sign === "?") queue.retry(taken.get(named)!);
      else if (named === "node") queue.notify({ type: "node-added", node: new NodeInfo(nodeOf(detail)) });
      else if (named === "left") queue.notify({ type: "pod-left", pod: podOf(detail) });
      else await clock.advance(Number(step) * 1000);
    }
    queue.close();
    assert.equal(clock.waiting, 0);
  });

test("whoever waits for a pod is told", async () => {
  const clock = new ManualClock(), queue = new SchedulingQueue(clock), stop = new AbortController();
  let told = 0;
  void queue.ready(stop.signal).then(() => told++);
  await clock.advance(1000);
  assert.equal(told, 0);
  queue.add(podOf("a"));
  await clock.advance(0);
  assert.equal(told, 1);
  const pod = queue.take()!;
  queue.retry(pod);
  void queue.ready(stop.signal).then(() => told++);
  await clock.advance(900);
  assert.equal(told, 1);
  await clock.advance(200);
  assert.equal(told, 2);
  queue.take();
  void queue.ready(stop.signal).then(() => told++);
  stop.abort();
  await clock.advance(0);
  assert.equal(told, 3);
  queue.close();
});

test("a heap gives back what it got, in order", () => {
  const heap = new Heap<number>((a, b) => a - b), numbers = Array.from({ length: 200 }, (_, i) => (i * 7_919) % 211);
  for (const number of numbers) heap.push(number);
  assert.deepEqual(Array.from(numbers, () => heap.pop()), numbers.toSorted((a, b) => a - b));
  assert.equal(heap.pop(), undefined);
});
