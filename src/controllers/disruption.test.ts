import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../kinds/core/pod.ts";
import type { PodDisruptionBudget } from "../kinds/policy/poddisruptionbudget.ts";
import { planStatus } from "./disruption.ts";
import { timeLeft } from "./ttl-after-finished.ts";
import type { Job } from "../kinds/batch/job.ts";

const now = 1_900_000_000_000;
// A pod is a letter: r ready, n not ready, x ready and dying, d ready with its eviction allowed, D allowed too long ago.
const cases = [
  // budget                     pods     expected  allowed current desired  reason
  [{ minAvailable: 2 },         "rrr",   3,        1, 3, 2, "SufficientPods"],
  [{ minAvailable: 3 },         "rrr",   3,        0, 3, 3, "InsufficientPods"],
  [{ minAvailable: "50%" },     "rrr",   3,        1, 3, 2, "SufficientPods"],
  [{ maxUnavailable: 1 },       "rrn",   3,        0, 2, 2, "InsufficientPods"],
  [{ maxUnavailable: "34%" },   "rrr",   3,        2, 3, 1, "SufficientPods"],
  [{ maxUnavailable: 1 },       "rrx",   3,        0, 2, 2, "InsufficientPods"],
  [{ maxUnavailable: 2 },       "rrd",   3,        1, 2, 1, "SufficientPods"],
  [{ maxUnavailable: 2 },       "rrD",   3,        2, 3, 1, "SufficientPods"],
  [{ minAvailable: 0 },         "",      0,        0, 0, 0, "InsufficientPods"],
] as const;
for (const [spec, letters, expected, allowed, current, desired, reason] of cases)
  test(`budget ${JSON.stringify(spec)} with [${letters}]`, () => {
    const disrupted = [...letters].flatMap((letter, i) => (letter === "d" || letter === "D" ? [[`p${i}`, new Date(now - (letter === "d" ? 1 : 300) * 1000).toISOString()]] : []));
    const budget = { metadata: { generation: 1 }, spec, status: { disruptedPods: Object.fromEntries(disrupted) } } as unknown as PodDisruptionBudget;
    const pods = [...letters].map((letter, i) => ({ metadata: { name: `p${i}`, ...(letter === "x" ? { deletionTimestamp: "now" } : {}) }, status: { conditions: [{ type: "Ready", status: letter === "n" ? "False" : "True" }] } }) as unknown as Pod);
    const status = planStatus(budget, pods, expected, now);
    assert.deepEqual([status.disruptionsAllowed, status.currentHealthy, status.desiredHealthy, status.conditions?.[0]?.reason], [allowed, current, desired, reason]);
  });

test("a finished job lives as long as it was given", () => {
  const job = (ttl: number | undefined, ended: number | undefined): Job => ({ metadata: {}, spec: ttl === undefined ? {} : { ttlSecondsAfterFinished: ttl }, status: ended === undefined ? {} : { conditions: [{ type: "Failed", status: "True", lastTransitionTime: new Date(now - ended * 1000).toISOString() }] } }) as unknown as Job;
  assert.deepEqual([timeLeft(job(60, 20), now), timeLeft(job(0, 0), now), timeLeft(job(undefined, 20), now), timeLeft(job(60, undefined), now)], [40_000, 0, undefined, undefined]);
});
