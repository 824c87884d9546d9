import assert from "node:assert/strict";
import { test } from "node:test";
import { goQuote, invalidValue, required } from "./problem.ts";
import { amongst, inOrder } from "./problem-order.ts";
import * as t from "./t.ts";

const { node } = t.object("a.B", { one: t.string().pb(2), ports: t.list(t.object("a.C", { name: t.string().pb(1), protocol: t.string().pb(2) })).pb(1) });
const of = (...fields: string[]) => fields.map(field => invalidValue(field, 1, ""));
for (const [found, ruled, expected] of [
  [["ports[0].protocol"], ["ports[0].name", "ports[1].name", "one"], ["ports[0].name", "ports[0].protocol", "ports[1].name", "one"]],
  [["one"], ["ports"], ["ports", "one"]], [["ports[2].name", "one"], [], ["ports[2].name", "one"]], [["one"], ["one"], ["one"]],
] as const) test(`${found.join()} among ${ruled.join()}`, () => assert.deepEqual(inOrder(node, of(...found), of(...ruled)).map(({ field }) => field), expected));
test("fields may be checked in an order of their own", () => assert.deepEqual(amongst(node, of("ports[0].protocol"), of("ports[0].name", "one"), ["one", "ports", "ports.protocol"]).map(({ field }) => field), ["ports[0].protocol", "ports[0].name", "one"]));
test("another reason is another problem", () => assert.equal(inOrder(node, of("one"), [required("one")]).length, 2));
test("texts are quoted as Go's %q does", () => {
  for (const [text, quoted] of [["a<b>", '"a<b>"'], ["\u0000\u0007\b\v\n", '"\\x00\\a\\b\\v\\n"'], ["\u007f", '"\\x7f"'], ["é💥", '"é💥"'], ["\u2028", '"\\u2028"'], ["\u{e0001}", '"\\U000e0001"'], ["\\u0041", '"\\\\u0041"'], ["\\u0007", '"\\\\u0007"']] as const) assert.equal(goQuote(text), quoted);
});
