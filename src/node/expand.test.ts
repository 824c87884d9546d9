import assert from "node:assert/strict";
import { test } from "node:test";
import { expand } from "./expand.ts";

const values = new Map([["A", "a"], ["B", "$(A)"], ["EMPTY", ""]]);
const cases = [
  ["plain", "plain"], ["$(A)", "a"], ["x$(A)y$(A)z", "xayaz"], ["$(NOPE)", "$(NOPE)"], ["$$(A)", "$(A)"], ["$$$(A)", "$a"], ["$(B)", "$(A)"], ["$(EMPTY)", ""],
  ["$", "$"], ["a$", "a$"], ["$(A", "$(A"], ["$A", "$A"], ["$()", "$()"], ["$(A)$", "a$"], ["$$", "$"], ["$(__proto__)", "$(__proto__)"],
] as const;
for (const [given, want] of cases)
  test(`${given} becomes ${want}`, () => assert.equal(expand(given, name => values.get(name)), want));
