import assert from "node:assert/strict";
import { test } from "node:test";
import { unifiedDiff } from "./unified-diff.ts";

const lines = (text: string): string => text.replaceAll(" ", "\n");
for (const [what, before, after, expected] of [
  ["nothing", "a b", "a b", ""],
  ["a line changed", "1 2 3 4 x 5 6 7 8", "1 2 3 4 y 5 6 7 8", "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-x\n+y\n 5\n 6\n 7\n"],
  ["one added at the end", "a", "a b", "@@ -1 +1,2 @@\n a\n+b\n"],
  ["two changes far apart", "x 1 2 3 4 5 6 7 y", "1 2 3 4 5 6 7", "@@ -1,4 +1,3 @@\n-x\n 1\n 2\n 3\n@@ -6,4 +5,3 @@\n 5\n 6\n 7\n-y\n"],
  ["two changes near each other", "x 1 2 3 4 5 6 y", "1 2 3 4 5 6", "@@ -1,8 +1,6 @@\n-x\n 1\n 2\n 3\n 4\n 5\n 6\n-y\n"],
] as const) test(`a unified diff of ${what} is Python's`, () => assert.equal(unifiedDiff(lines(before), lines(after)), expected));
test("lines that are everywhere anchor nothing in a long text", () => {
  const long = Array.from({ length: 250 }, (_, i) => (i % 2 === 0 ? "same" : `l${i}`));
  assert.equal(unifiedDiff(long.join("\n"), long.toSpliced(100, 1, "other").join("\n")), "@@ -98,7 +98,7 @@\n l97\n same\n l99\n-same\n+other\n l101\n same\n l103\n");
});
