import assert from "node:assert/strict";
import { test } from "node:test";
import { seeded } from "./crash/workload.ts";
import { idOf, Ledger, valueOf } from "./kill/ledger.ts";
import { killStoreLoop } from "./kill/store-loop.ts";

test("a store killed under load has every acknowledged write when it is back (P01, 3 kills)", async () => {
  const result = await killStoreLoop({ cycles: 3, random: seeded(1) });
  assert.deepEqual(result.problems, []);
  assert.ok(result.acknowledged > 0);
});

// A ledger that knows: k was acknowledged as 1@5; j=2 was begun and never heard of again.
const found = [
  // what is found after the kill                     revision  verdict
  [ "k=1@5",                                          5,        "" ],
  [ "k=1@5 j=2@6",                                    6,        "" ],
  [ "j=2@6",                                          6,        "lost: k 1@5" ],
  [ "k=0@4",                                          5,        "k is 0@4" ],
  [ "k=1@6",                                          6,        "k is 1@6" ],
  [ "k=1@5 j=3@6",                                    6,        "j is 3@6" ],
  [ "k=1@5 j=2@5",                                    5,        "revision 5 was given to k=1 and to j=2" ],
  [ "k=1@5",                                          4,        "the store is at revision 4, but 5 was acknowledged" ],
] as const;
for (const [state, revision, verdict] of found)
  test(`finding [${state}] at ${revision} is ${verdict === "" ? "right" : `wrong: ${verdict}`}`, () => {
    const ledger = new Ledger();
    ledger.begin("k", "1");
    ledger.acknowledge("k", "1", 5);
    ledger.begin("j", "2");
    const problems = ledger.check(state.split(" ").map(each => {
      const [, key = "", id = "", at = ""] = /(.*)=(.*)@(.*)/.exec(each)!;
      return { key, id, revision: Number(at) };
    }), revision);
    assert.equal(problems.length === 0, verdict === "");
    assert.ok(verdict === "" || problems.some(problem => problem.startsWith(verdict)), problems.join("; "));
  });

test("a value that is not whole shows", () => {
  const value = valueOf("3.1.17");
  assert.equal(idOf(value), "3.1.17");
  for (const torn of [value.slice(0, -1), value.replace("x", "y"), value.slice(20)]) assert.match(idOf(torn), /^torn:/);
});
