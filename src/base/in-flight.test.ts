import assert from "node:assert/strict";
import { test } from "node:test";
import { InFlight } from "./in-flight.ts";

test("members come and go in any order, each once", () => {
  const crowd = new InFlight<{ place: number; readonly name: string }>();
  const [a, b, c] = ["a", "b", "c"].map(name => ({ place: -1, name })) as [{ place: number; name: string }, { place: number; name: string }, { place: number; name: string }];
  const names = (): string => crowd.all().map(({ name }) => name).sort().join("");
  for (const item of [a, b, c, b]) crowd.add(item);
  assert.deepEqual([names(), crowd.size], ["abc", 3]);
  crowd.delete(a);
  crowd.delete(a);
  assert.equal(names(), "bc");
  crowd.add(a);
  crowd.delete(b);
  for (const item of crowd.all()) crowd.delete(item);
  assert.deepEqual([names(), crowd.size, a.place], ["", 0, -1]);
});
