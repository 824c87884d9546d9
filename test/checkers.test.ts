import assert from "node:assert/strict";
import { test } from "node:test";
import { bugs } from "./checkers/bugs.ts";
import { unlinearizableKeys } from "./checkers/linearizable.ts";
import { watchProblems } from "./checkers/watch.ts";
import { witnessProblems } from "./checkers/witness.ts";
import { rightSystem, runClients, seeded, type Outcome } from "./checkers/workload.ts";

function problemsOf({ operations, log, watches }: Outcome): string[] {
  return [...witnessProblems(operations, log), ...unlinearizableKeys(operations).map(key => `${key} has no order`), ...watches.flatMap(watch => watchProblems(watch, log))];
}

test("a right store passes every checker, 100 runs of eight clients and two resuming watchers", async () => {
  let acknowledged = 0;
  for (let seed = 1; seed <= 100; seed++) {
    const random = seeded(seed);
    const outcome = await runClients(await rightSystem(random), random, 30);
    acknowledged += outcome.log.length;
    assert.deepEqual(problemsOf(outcome), [], `seed ${seed}`);
  }
  assert.ok(acknowledged > 2_000, `void: only ${acknowledged} writes got through`);
});

for (const [name, bug] of Object.entries(bugs))
  test(`the checkers find: ${name}`, async () => {
    let found = 0;
    for (let seed = 1; seed <= 20 && found === 0; seed++) {
      const random = seeded(seed);
      const outcome = await runClients(bug(await rightSystem(random), random), random, 60);
      found = problemsOf(outcome).length;
    }
    assert.ok(found > 0, "20 runs show nothing");
  });

// Two clients on one key, written as client:operation[call-end]; whether an order exists.
const histories = [
  [ "0:w1[0-1] 1:r1[2-3]", true ],
  [ "0:w1[0-1] 1:r-[2-3]", false ],
  [ "0:w1[0-3] 1:r-[1-2]", true ],
  [ "0:w1[0-9] 1:r1[1-2] 1:r-[3-4]", false ],
  [ "0:?1[0-1] 1:r-[2-3] 1:r1[4-5]", true ],
  [ "0:?1[0-1] 1:r-[2-3] 1:r-[4-5]", true ],
  [ "0:?1[0-1] 1:r1[2-3] 1:r-[4-5]", false ],
] as const;
for (const [history, right] of histories)
  test(`${history} ${right ? "has an order" : "has no order"}`, () => {
    const operations = history.split(" ").map(text => {
      const [, client, what, value = "", call, end] = /(\d):([wr?])(.)\[(\d)-(\d)\]/.exec(text)!;
      const common = { client: Number(client), call: Number(call), end: Number(end), key: "/k" };
      if (what === "r") return { ...common, type: "get" as const, seen: value === "-" ? undefined : { value, revision: Number(value) + 1 } };
      return { ...common, type: "write" as const, expected: 0, value, outcome: what === "?" ? ("unknown" as const) : { ok: true as const, revision: Number(value) + 1 } };
    });
    assert.equal(unlinearizableKeys(operations).length === 0, right);
  });
