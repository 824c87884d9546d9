import assert from "node:assert/strict";
import { test } from "node:test";
import { Demand } from "./demand.ts";
import { mandatoryLevels, suggestedLevels } from "./objects.ts";
import { allot, divide, limitsOf, requestSeatsMax, sharesOf, type Claim } from "./shares.ts";
import { deal } from "./shuffle.ts";
import { RetryAfter } from "./retry-after.ts";

const standard = [...mandatoryLevels, ...suggestedLevels];
const shareSum = standard.reduce((sum, { spec }) => sum + sharesOf(spec), 0);

test("the standard levels have upstream's seats: nominal, lower and upper limit, and the most of one list", () => {
  const seats = Object.fromEntries(standard.map(({ metadata: { name }, spec }) => {
    const { nominal, min, max } = limitsOf(spec, shareSum);
    return [name, [nominal, min, max, requestSeatsMax(spec, nominal)]];
  }));
  // As a kube-apiserver 1.36 with default flags tells at /metrics.
  assert.deepEqual(seats, {
    "catch-all": [13, 13, 613, 0], exempt: [0, 0, 600, 0], system: [74, 50, 674, 12], "node-high": [98, 73, 698, 15], "leader-election": [25, 25, 625, 4],
    "workload-high": [98, 49, 698, 15], "workload-low": [245, 24, 845, 37], "global-default": [49, 24, 649, 8],
  });
});

const claim = (target: number, lower: number, upper: number): Claim => ({ target, lower, upper });
for (const [name, sum, claims, seats] of [
  ["without bounds everybody gets the same part of its target", 100, [claim(10, 0, 1000), claim(30, 0, 1000)], [25, 75]],
  ["who may have no more leaves it to the others", 100, [claim(10, 0, 15), claim(30, 0, 1000)], [15, 85]],
  ["who must have more takes it from the others", 100, [claim(40, 40, 50), claim(60, 0, 1000), claim(100, 0, 1000)], [40, 22.5, 37.5]],
  ["nobody asks for anything: what is there is divided", 90, [claim(0, 0, 100), claim(0, 0, 100), claim(0, 0, 100)], [30, 30, 30]],
  ["just enough for what everybody must have", 30, [claim(20, 10, 20), claim(20, 20, 30)], [10, 20]],
  ["too little for what everybody must have", 10, [claim(20, 10, 20), claim(20, 20, 30)], undefined],
  ["more than everybody may have", 100, [claim(20, 10, 20), claim(20, 20, 30)], undefined],
] as const) test(`division: ${name}`, () => assert.deepEqual(divide(sum, claims)?.seats.map(each => Math.round(each * 1000) / 1000), seats));

test("an idle level lends what it may, a busy one borrows up to its limit, and no seat is lost", () => {
  const level = (nominal: number, min: number, max: number, highest: number, smoothed: number) => ({ exempt: false, limits: { nominal, min, max }, highest, smoothed, current: nominal });
  const { seats } = allot([level(100, 50, 700, 0, 0), level(100, 100, 700, 0, 0), level(100, 100, 700, 400, 300)]);
  assert.deepEqual(seats, [50, 100, 150]);
  const exempt = allot([{ exempt: true, limits: { nominal: 0, min: 0, max: 600 }, highest: 80, smoothed: 80, current: 0 }, level(100, 20, 700, 100, 100)]);
  assert.deepEqual(exempt.seats, [80, 20]);
});

test("demand is what was asked for over time: the highest, the average, and a smooth tail", () => {
  const demand = new Demand(0);
  demand.set(10, 0);
  demand.set(30, 5_000);
  demand.set(0, 10_000);
  demand.close(10_000);
  assert.deepEqual([demand.highest, demand.average, demand.deviation, demand.smoothed], [30, 20, 10, 30]);
  demand.close(20_000);
  assert.deepEqual([demand.highest, demand.average, Math.round(demand.smoothed * 100)], [0, 0, 2931]);
});

test("a hand has different queues, all within the deck, and hands are spread evenly", () => {
  const dealt = new Map<number, number>();
  for (let i = 0; i < 5_000; i++) {
    const hand = deal(BigInt(i) * 0x9E3779B97F4A7C15n & 0xFFFFFFFFFFFFFFFFn, 64, 6);
    assert.equal(new Set(hand).size, 6);
    for (const card of hand) dealt.set(card, (dealt.get(card) ?? 0) + 1);
  }
  assert.equal(dealt.size, 64);
  for (const [card, count] of dealt) assert.ok(card >= 0 && card < 64 && count > 350 && count < 600, `queue ${card} was dealt ${count} times`);
});

test("a card is the n-th of those not yet dealt (upstream's cases)", () => {
  assert.deepEqual(deal(0n, 9, 5), [0, 1, 2, 3, 4]);
  // Remainders 8, 7, 6: each the last of the cards left.
  assert.deepEqual(deal(8n + 9n * (7n + 8n * 6n), 9, 3), [8, 7, 6]);
});

test("who is refused waits longer while many are, up to 32 s, and a second less after each quiet second", () => {
  const retry = new RetryAfter();
  let now = 1_000_000_000;
  const seconds: number[] = [];
  for (let second = 0; second < 40; second++, now += 1000) {
    for (let i = 0; i < 200; i++) retry.refused(now);
    seconds.push(retry.seconds);
  }
  assert.deepEqual([seconds[0], seconds[1], Math.max(...seconds)], [1, 2, 32]);
  for (let i = 0; i < 200; i++, now += 60_000) retry.refused(now);
  assert.equal(retry.seconds, 1);
});
