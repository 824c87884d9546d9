import assert from "node:assert/strict";
import { test } from "node:test";
import { SortedIndex } from "./sorted-index.ts";

const entry = (key: string, revision = 1) => ({ key, value: "", revision, memo: undefined });

test("ranges and counts equal those of a sorted array, whatever was put and deleted", () => {
  const index = new SortedIndex();
  const model = new Map<string, number>();
  let seed = 12345;
  const random = (below: number) => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) % below;
  const probes = ["", "/n0100", "/n0500", "/n0500\0", "/n0999", "/n2000", "/z"];
  for (let step = 0; step < 20_000; step++) {
    const key = `/n${String(random(3_000)).padStart(4, "0")}`;
    if (random(5) < (step < 12_000 ? 1 : 4)) {
      index.delete(key);
      model.delete(key);
    } else {
      index.set(entry(key, step));
      model.set(key, step);
    }
    if (step % 400 !== 0) continue;
    const sorted = [...model].sort(([a], [b]) => (a < b ? -1 : 1));
    assert.equal(index.size, model.size);
    for (const from of probes)
      for (const to of probes.filter(probe => probe >= from)) {
        const expected = sorted.filter(([name]) => name >= from && name < to);
        assert.deepEqual(index.range(from, to).map(each => [each.key, each.revision]), expected);
        assert.equal(index.count(from, to), expected.length);
        assert.deepEqual(index.range(from, to, 7).map(each => each.key), expected.slice(0, 7).map(([name]) => name));
      }
  }
});

test("keys that arrive in order leave no half-empty chunks, and all are found", () => {
  const index = new SortedIndex();
  for (let i = 0; i < 2_000; i++) index.set(entry(`/${String(i).padStart(5, "0")}`));
  assert.equal(index.range("/", "0").length, 2_000);
  for (let i = 0; i < 2_000; i++) index.delete(`/${String(i).padStart(5, "0")}`);
  assert.deepEqual([index.size, index.range("/", "0").length, index.get("/00001")], [0, 0, undefined]);
});
