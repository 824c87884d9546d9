import assert from "node:assert/strict";
import { test } from "node:test";
import { repeatsOf } from "./repeats.ts";

const itself = (text: string): string => text;

test("repeats are told where they stand, the first of each is none", () => {
  assert.deepEqual(repeatsOf(["a", "b", "a", "", "", "b", "a"], itself), [2, 4, 5, 6]);
  assert.deepEqual(repeatsOf(["a", "", "b"], itself), []);
  assert.deepEqual(repeatsOf([], itself), []);
});

test("many items are read once each", () => {
  for (const count of [1_000, 10_000]) {
    let asked = 0;
    const items = Array.from({ length: count }, (_, i) => String(i % (count - 1)));
    assert.deepEqual(repeatsOf(items, text => (asked++, text)), [count - 1]);
    assert.equal(asked, count);
  }
});
