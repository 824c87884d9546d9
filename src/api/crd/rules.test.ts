/** The CEL rules of custom resources' schemas, in upstream's words. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json } from "../../base/json.ts";
import { celHost } from "../../host/regex.ts";
import { problemBody } from "../../schema/problem.ts";
import { ruleProblems } from "./rules-check.ts";
import { normalPath } from "./rules-compile.ts";
import { Rules } from "./rules.ts";
import type { Schema } from "./schema.ts";

const text: Schema = { type: "string" }, int: Schema = { type: "integer" };
const objectOf = (properties: { readonly [name: string]: Schema }, more: Schema = {}): Schema => ({ type: "object", properties, ...more });
const rules = (...all: readonly (string | { readonly [key: string]: Json })[]): Schema => ({ "x-kubernetes-validations": all.map(each => (typeof each === "string" ? { rule: each } : each)) });

function told(schema: Schema, object: Json, old?: Json): readonly string[] {
  return new Rules(schema, celHost).validate(object, old).map(problem => `${problem.field}: ${problemBody(problem)}`);
}
const check = (name: string, schema: Schema, object: Json, old: Json | undefined, ...expected: readonly string[]): void => {
  test(name, () => assert.deepEqual(told(schema, object, old), expected));
};

const bounds = objectOf({ spec: objectOf({ min: int, max: int }, rules({ rule: "self.min <= self.max", message: "min is over max" })) });
check("a rule holds", bounds, { spec: { min: 1, max: 2 } }, undefined);
check("a rule fails", bounds, { spec: { min: 3, max: 2 } }, undefined, "spec: Invalid value: min is over max");
check("what is absent is not checked", bounds, {}, undefined);
check("an absent field fails its rule", bounds, { spec: { min: 3 } }, undefined, "spec: Invalid value: no such key: max evaluating rule: min is over max".replace("Invalid value:", "Invalid value: \"object\":"));
check("without a message, the rule is told", objectOf({ n: { ...int, ...rules("self > 2") } }), { n: 1 }, undefined, "n: Invalid value: 1: failed rule: self > 2");
check("the whole object has a name", objectOf({}, rules("self.metadata.name.startsWith('a')")), { metadata: { name: "b" } }, undefined, "<nil>: Invalid value: failed rule: self.metadata.name.startsWith('a')");
check("a list's items", objectOf({ l: { type: "array", items: { ...text, ...rules("size(self) < 3") } } }), { l: ["ab", "abc"] }, undefined, 'l[1]: Invalid value: "abc": failed rule: size(self) < 3');
check("a map's values", objectOf({ m: { type: "object", additionalProperties: { ...int, ...rules("self > 0") } } }), { m: { a: 1, b: -1 } }, undefined, "m[b]: Invalid value: -1: failed rule: self > 0");
check("names that CEL cannot say are escaped", objectOf({ "a-b": text, "c.d/e": text, namespace: text, __x: text }, rules("self.a__dash__b + self.c__dot__d__slash__e + self.__namespace__ + self.__underscores__x == 'abcd'")), { "a-b": "a", "c.d/e": "b", namespace: "c", __x: "d" }, undefined);
check("words of the language are fields' names after a dot as well", objectOf({ namespace: text, package: text, m: objectOf({ namespace: text }) }, rules("!has(self.m.namespace) || self.m.namespace == self.namespace + self.package + self.__namespace__")), { namespace: "a", package: "b", m: { namespace: "aba" } }, undefined);
check("an int or a string", objectOf({ p: { "x-kubernetes-int-or-string": true } }, rules("type(self.p) == string ? self.p == 'x' : self.p == 80")), { p: 80 }, undefined);
check("the wrong one of them", objectOf({ p: { "x-kubernetes-int-or-string": true } }, rules("self.p > 5")), { p: "x" }, undefined, "<nil>: Invalid value: \"object\": 'no such overload': call arguments did not match a supported operator, function or macro signature for rule: self.p > 5");
check("formats have types", objectOf({ at: { ...text, format: "date-time" }, in: { ...text, format: "duration" }, b: { ...text, format: "byte" }, d: { ...text, format: "date" } },
  rules("self.at + self.__in__ == timestamp('2026-01-01T01:00:00Z') && self.b == b'hi' && self.d.getFullYear() == 2026")), { at: "2026-01-01T00:00:00Z", in: "1h", b: "aGk=", d: "2026-02-03" }, undefined);
check("sets are equal in any order", objectOf({ s: { type: "array", "x-kubernetes-list-type": "set", items: text } }, rules("self.s == ['b', 'a'] && self.s + ['a', 'c'] == ['c', 'b', 'a']")), { s: ["a", "b"] }, undefined);
check("list items with keys are merged by them", objectOf({ l: { type: "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"], items: objectOf({ k: text, v: int }) } }, rules("self.l + self.l == self.l")), { l: [{ k: "a", v: 1 }, { k: "b", v: 2 }] }, undefined);
check("null where it may be", objectOf({ l: { type: "array", items: { ...text, nullable: true } } }, rules("self.l.all(x, dyn(x) == null || x == 'a')")), { l: ["a", null] }, undefined);
check("a nullable field that is null is absent", objectOf({ n: { ...int, nullable: true } }, rules("!has(self.n)")), { n: null }, undefined);
check("JavaScript's own names are nothing", objectOf({ constructor: text }, rules("!has(self.constructor)")), { metadata: {} }, undefined);
check("rules in allOf", objectOf({ n: { ...int, allOf: [rules("self > 1")] } }), { n: 1 }, undefined, "n: Invalid value: 1: failed rule: self > 1");

const grows = objectOf({ spec: objectOf({ n: { ...int, ...rules("self >= oldSelf") } }) });
check("old values: none on create", grows, { spec: { n: 1 } }, undefined);
check("old values: kept", grows, { spec: { n: 2 } }, { spec: { n: 1 } });
check("old values: broken", grows, { spec: { n: 1 } }, { spec: { n: 2 } }, "spec.n: Invalid value: 1: failed rule: self >= oldSelf");
check("old values: the field is new", grows, { spec: { n: 1 } }, { spec: {} });
const once = objectOf({ n: { ...int, ...rules({ rule: "oldSelf.hasValue() || self == 1", optionalOldSelf: true }) } });
check("optional old value: none", once, { n: 2 }, undefined, "n: Invalid value: 2: failed rule: oldSelf.hasValue() || self == 1");
check("optional old value: some", once, { n: 2 }, { n: 1 });

const keyed = objectOf({ l: { type: "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"], items: objectOf({ k: text, v: { ...int, ...rules("self == oldSelf") } }) } });
check("old items are found by key", keyed, { l: [{ k: "b", v: 2 }, { k: "a", v: 9 }, { k: "c", v: 3 }] }, { l: [{ k: "a", v: 1 }, { k: "b", v: 2 }] }, "l[1].v: Invalid value: 9: failed rule: self == oldSelf");
check("what did not change may stay wrong", bounds, { spec: { min: 3, max: 2 }, other: 1 }, { spec: { min: 3, max: 2 } });
check("what did change may not", bounds, { spec: { min: 4, max: 2 } }, { spec: { min: 3, max: 2 } }, "spec: Invalid value: min is over max");

const expressive = (more: { readonly [key: string]: Json }): Schema => objectOf({ spec: objectOf({ n: int, m: objectOf({ "a.b": int }) }, rules({ rule: "self.n > 2", ...more })) });
check("a message that is made", expressive({ messageExpression: "'n is %d'.format([self.n])" }), { spec: { n: 1 } }, undefined, "spec: Invalid value: n is 1");
check("a message that cannot be made", expressive({ messageExpression: "'n is ' + string(1 / (self.n - 1))", message: "too small" }), { spec: { n: 1 } }, undefined, "spec: Invalid value: too small");
check("an empty message is none", expressive({ messageExpression: "' '" }), { spec: { n: 1 } }, undefined, "spec: Invalid value: failed rule: self.n > 2");
check("another field is blamed", expressive({ fieldPath: ".n", reason: "FieldValueForbidden", message: "no" }), { spec: { n: 1 } }, undefined, "spec.n: Forbidden: no");
check("a field is missing", expressive({ fieldPath: ".m['a.b']", reason: "FieldValueRequired", message: "m.a.b is needed" }), { spec: { n: 1 } }, undefined, "spec.m.a.b: Required value: m.a.b is needed");
check("a rule that does not compile", objectOf({}, rules("self.nope == 1")), {}, undefined, "<nil>: Invalid value: \"object\": rule compile error: compilation failed: ERROR: <input>:1:5: undefined field 'nope'\n | self.nope == 1\n | ....^");
check("a rule that is no condition", objectOf({ n: int }, rules("self.n + 1")), { n: 1 }, undefined, "<nil>: Invalid value: \"object\": rule compile error: cel expression must evaluate to a bool");
check("one evaluation may cost so much", objectOf({ l: { type: "array", items: int } }, rules("self.l.all(a, self.l.all(b, self.l.all(c, a + b + c > 0)))")), { l: Array.from({ length: 200 }, () => 1) }, undefined,
  "<nil>: Invalid value: \"object\": 'operation cancelled: actual cost limit exceeded': no further validation rules will be run due to call cost exceeds limit for rule: self.l.all(a, self.l.all(b, self.l.all(c, a + b + c > 0)))");
check("all of them together, too", objectOf({ l: { type: "array", items: { ...int, ...rules("lists.range(10000).all(x, x >= 0)") } } }), { l: Array.from({ length: 1000 }, () => 1) }, undefined,
  ...["l[166]: Invalid value: \"integer\": validation failed due to running out of cost budget, no further validation rules will be run"]);

test("what may take long is done in steps, none of which uses more than one rule may", () => {
  const costly = (count: number): Json => ({ l: Array.from({ length: count }, () => 1) });
  const schema = objectOf({ l: { type: "array", items: { ...int, ...rules("lists.range(10000).all(x, x >= 0)", "self < 1") } } });
  const run = new Rules(schema, celHost).begin(costly(50), undefined);
  let steps = 1;
  while (!run.step()) steps++;
  assert.ok(steps >= 10 && steps <= 50, `${steps} steps`);
  assert.equal(run.problems.length, 50, "each item is looked at once");
  assert.equal(new Rules(schema, celHost).begin(costly(1), undefined).step(), true, "what is cheap is done at once");
});

test("field paths", () => {
  const schema = objectOf({ a: objectOf({ "b.c": int }), m: { type: "object", additionalProperties: int } });
  const paths: readonly (readonly [string, string | undefined])[] = [[".a", ".a"], [".a['b.c']", ".a.b.c"], [".m.x", ".m[x]"], [".m['x']", ".m[x]"], ["a", undefined], [".x", undefined], [".a[0]", undefined], [".a['b", undefined], [".", undefined], [".a.__proto__", undefined]];
  for (const [path, expected] of paths) {
    const found = normalPath(path, schema);
    assert.equal("path" in found ? found.path : undefined, expected, path);
  }
});

function refused(schema: Schema): readonly string[] {
  return ruleProblems(schema, "s", celHost).map(problem => `${problem.field}: ${problemBody(problem)}`);
}
const checkForm = (name: string, schema: Schema, ...expected: readonly (string | RegExp)[]): void => {
  test(`definition: ${name}`, () => {
    const found = refused(schema);
    assert.equal(found.length, expected.length, found.join("\n"));
    expected.forEach((each, i) => (typeof each === "string" ? assert.equal(found[i], each) : assert.match(found[i]!, each)));
  });
};
const at = "s.x-kubernetes-validations[0]", advice = "(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)";
checkForm("good", bounds);
checkForm("an empty rule", objectOf({}, rules(" ")), `${at}.rule: Required value: rule is not specified`);
checkForm("lines", objectOf({}, rules("true ||\nfalse")), `${at}.message: Required value: message must be specified if rule contains line breaks`);
checkForm("an unknown reason", objectOf({}, rules({ rule: "true", reason: "Why" })), `${at}.reason: Unsupported value: "Why": supported values: "FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"`);
checkForm("a path to nowhere", objectOf({}, rules({ rule: "true", fieldPath: ".x" })), `${at}.fieldPath: Invalid value: ".x": must be a valid path`);
checkForm("a syntax error", objectOf({}, rules("self = 42")), /^s\.x-kubernetes-validations\[0\]\.rule: Invalid value: .*compilation failed: ERROR: <input>:1:6: Syntax error: token recognition error at: '= '/s);
checkForm("an unknown property", objectOf({ a: int }, rules("self.b == 1")), /compilation failed: ERROR: <input>:1:5: undefined field 'b'/);
checkForm("a message that is no text", objectOf({ a: int }, rules({ rule: "self.a == 1", messageExpression: "self.a" })), /^s\.x-kubernetes-validations\[0\]\.messageExpression: Invalid value: .*: messageExpression must evaluate to a string$/);
checkForm("a literal that is no number", objectOf({}, rules("int('x') == 1")), /program instantiation failed: type conversion error from 'string' to 'int'$/);
checkForm("old values of items without keys", objectOf({ l: { type: "array", maxItems: 3, items: { ...int, ...rules("self == oldSelf") } } }), 's.properties[l].items.x-kubernetes-validations[0].rule: Invalid value: "self == oldSelf": oldSelf cannot be used on the uncorrelatable portion of the schema within s.properties[l]');
checkForm("optional old values that nobody asks for", objectOf({}, rules({ rule: "true", optionalOldSelf: true })), `${at}.optionalOldSelf: Invalid value: true: may not be set if oldSelf is not used in rule`);
checkForm("too expensive", objectOf({ l: { type: "array", items: text } }, rules("self.l.all(x, self.l.all(y, x == y))")),
  `${at}.rule: Forbidden: estimated rule cost exceeds budget by factor of more than 100x ${advice}`,
  `${at}.rule: Forbidden: contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema`,
  `s: Forbidden: x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema exceeds budget by factor of more than 100x ${advice}`);
checkForm("bounds make it cheap", objectOf({ l: { type: "array", maxItems: 10, items: { ...text, maxLength: 10 } } }, rules("self.l.all(x, self.l.all(y, x == y))")));
checkForm("a little too expensive", objectOf({ l: { type: "array", maxItems: 10_000, items: { ...text, ...rules("self.contains('a')") } } }), /estimated rule cost exceeds budget by factor of more than 100x/, /contributed/, /entire OpenAPIv3 schema/);
