import assert from "node:assert/strict";
import { test } from "node:test";
import { nothing, parseFieldSelector, parseLabelSelector, selectorOf, SelectorError } from "./selector.ts";

const labels = (text: string): { [key: string]: string } => Object.fromEntries(text.split(" ").filter(Boolean).map(pair => pair.split("=") as [string, string]));

// selector                  how it prints             labels that match | labels that do not
const selections = [
  ["",                        "",                       "a=b |", ""],
  ["x=a",                     "x=a",                    "x=a | x=a y=b", "y=a | x=b |"],
  ["x==a,y!=b",               "x==a,y!=b",              "x=a | x=a y=c", "x=a y=b"],
  ["x in (b, a)",             "x in (a,b)",             "x=a | x=b", "x=c | y=a"],
  ["x notin (a,b),y",         "x notin (a,b),y",        "y=1 | x=c y=1", "x=a y=1 | x=c"],
  ["!x,y in (in,notin)",      "!x,y in (in,notin)",     "y=in | y=notin", "x=1 y=in | y=x"],
  ["x in ()",                 "x in ()",                "x=", "x=a |"],
  ["x in (,a)",               "x in (,a)",              "x= | x=a", "x=b"],
  ["x>5,y<3",                 "x>5,y<3",                "x=6 y=-2", "x=5 y=2 | x=a y=2 | x=7"],
  ["z=1,a.io/b=2",            "a.io/b=2,z=1",           "a.io/b=2 z=1", "z=1"],
] as const;
for (const [text, printed, matching, others] of selections)
  test(`selector "${text}"`, () => {
    const selector = parseLabelSelector(text);
    assert.equal(String(selector), printed);
    for (const set of matching.split("|")) assert.equal(selector.matches(labels(set)), true, set);
    if (others !== "") for (const set of others.split("|")) assert.equal(selector.matches(labels(set)), false, set);
  });

const refused = [
  ["x=a||y=b", /found '\|\|y', expected|Invalid value: "a\|\|y"/],
  ["x in a", "unable to parse requirement: found 'a' expected: '('"],
  ["x,", "found '', expected: identifier after ','"],
  ["=a", "found '=', expected: !, identifier, or 'end of string'"],
  ["x=a b", "found 'b', expected: ',' or 'end of string'"],
  ["x a", "unable to parse requirement: found 'a', expected: in, notin, =, ==, !=, gt, lt"],
  ["!", "unable to parse requirement: found '', expected: identifier"],
  ["x in (a", "unable to parse requirement: found '', expected: ',' or ')'"],
  ["x>a", "unable to parse requirement: values[0]: Invalid value: \"a\": for 'Gt', 'Lt' operators, the value must be an integer"],
  ["x_=a", "unable to parse requirement: <nil>: Invalid value: \"x_\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"],
  ["x=a@b", "unable to parse requirement: values[0][x]: Invalid value: \"a@b\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"],
] as const;
for (const [text, message] of refused)
  test(`selector "${text}" is refused as upstream refuses it`, () => {
    assert.throws(() => parseLabelSelector(text), (error: unknown) => {
      assert.ok(error instanceof SelectorError);
      if (typeof message === "string") assert.equal(error.message, message);
      else assert.match(error.message, message);
      return true;
    });
  });

test("an object's selector: absent matches nothing, empty everything, user keys are only keys", () => {
  assert.equal(selectorOf(undefined), nothing);
  assert.equal(selectorOf({}).matches({ a: "b" }), true);
  assert.equal(selectorOf({ matchExpressions: [{ key: "toString", operator: "Exists" }] }).matches({}), false);
  assert.equal(selectorOf({ matchLabels: { a: "b" }, matchExpressions: [{ key: "c", operator: "NotIn", values: ["d"] }] }).matches({ a: "b" }), true);
  assert.throws(() => selectorOf({ matchExpressions: [{ key: "a", operator: "Near" }] }), /"Near" is not a valid label selector operator/);
});

test("field selectors keep escaped commas and equal signs in values", () => {
  assert.deepEqual(parseFieldSelector("metadata.name=a,spec.x!=b\\,c,status.y==\\=z"), [
    { field: "metadata.name", operator: "=", value: "a" },
    { field: "spec.x", operator: "!=", value: "b,c" },
    { field: "status.y", operator: "=", value: "=z" },
  ]);
  assert.throws(() => parseFieldSelector("abc"), /invalid selector: 'abc'; can't understand 'abc'/);
  assert.throws(() => parseFieldSelector("a=b\\x"), /invalid field selector: invalid escape sequence: \\x/);
});
