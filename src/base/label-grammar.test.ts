import assert from "node:assert/strict";
import { test } from "node:test";
import { isDnsLabel, isDnsSubdomain, labelKeyProblems, labelValueProblems } from "./label-grammar.ts";

/** Every text of up to four of these characters. */
const alphabet = ["a", "B", "0", "-", ".", "_", "/", "\n", "é"];
const texts: string[] = [""];
for (let from = 0, length = 1; length <= 4; length++) {
  const until = texts.length;
  for (; from < until; from++) for (const character of alphabet) texts.push(texts[from]! + character);
}
const accepted = (is: (text: string) => boolean): readonly string[] => texts.filter(is);
const label = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const name = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";

for (const [what, is, pattern] of [
  ["a DNS label", (text: string) => isDnsLabel(text), `${label}`],
  ["a DNS subdomain", isDnsSubdomain, `${label}(\\.${label})*`],
  ["a label's value", (text: string) => labelValueProblems(text).length === 0, `(${name})?`],
  ["a label's key", (text: string) => labelKeyProblems(text).length === 0, `(${label}(\\.${label})*/)?${name}`],
] as const) {
  test(`${what} is what the pattern shown to users accepts`, () => {
    const expected = new RegExp(`^(?:${pattern})$`);
    assert.deepEqual(accepted(is), accepted(text => expected.test(text)));
  });
}

test("labels are measured", () => {
  assert.deepEqual([63, 64].map(length => labelValueProblems("a".repeat(length)).length), [0, 1]);
  assert.deepEqual([63, 64].map(length => labelKeyProblems("a".repeat(length)).length), [0, 1]);
  assert.deepEqual([253, 254].map(length => labelKeyProblems(`${"a".repeat(length)}/x`).length), [0, 1]);
});
