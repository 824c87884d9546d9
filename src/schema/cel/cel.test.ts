/** CEL against what cel-go with Kubernetes' libraries says of the same expressions: values, costs, and what is wrong. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { anyDecl, valueOf } from "./data.ts";
import { compileExpression } from "./environment.ts";
import type { Host } from "./functions.ts";
import { patchLibrary } from "./library/kubernetes.ts";
import { listOf, mapOf, type Type, types } from "./types.ts";
import { Duration, List, Mapping, Optional, Timestamp, TypeValue, Uint, type Value } from "./values.ts";

const host: Host = {
  regex(pattern) {
    try {
      const regex = new RegExp(pattern, "gu");
      return { test: text => text.search(regex) >= 0, find: text => text.match(regex)?.[0], findAll: (text, limit) => (text.match(regex) ?? []).slice(0, limit) };
    } catch {
      return undefined;
    }
  },
};

const variables = new Map<string, Type>([
  ["n", types.int], ["s", types.string], ["l", listOf(types.int)], ["ls", listOf(types.string)], ["m", mapOf(types.string, types.int)], ["ts", types.timestamp], ["x", types.dyn],
]);
const json = { n: 5, s: "abc déf", l: [3, 1, 2], ls: ["b", "a"], m: { k: 1, j: 2 }, x: { a: 1, b: "text", c: [1, "two", 3.5], d: { e: null } } };
const bindings = new Map<string, Value>([...Object.entries(json).map(([name, value]) => [name, valueOf(anyDecl, value)] as const), ["ts", new Timestamp(BigInt(Date.UTC(2026, 2, 4, 5, 6, 7)) * 1_000_000n)]]);

/** 1 is an int, 1u a uint, 1d a double; "…" a string, b… bytes. */
function show(value: Value): string {
  switch (typeof value) {
    case "number": return `${value}d`;
    case "string": return JSON.stringify(value);
    case "bigint": case "boolean": return String(value);
    default:
  }
  if (value === null) return "null";
  if (value instanceof Uint) return `${value.value}u`;
  if (value instanceof Uint8Array) return `b${Buffer.from(value).toString("hex")}`;
  if (value instanceof Optional) return value.value === undefined ? "none" : `opt(${show(value.value)})`;
  if (value instanceof List) return `[${[...value].map(show).join(",")}]`;
  if (value instanceof Mapping) return `{${Array.from(value.keys(), key => `${show(key)}:${show(value.get(key)!)}`).sort().join(",")}}`;
  if (value instanceof Timestamp || value instanceof Duration) return String(value.nanos);
  return value instanceof TypeValue ? value.name : value.typeName;
}

function outcome(text: string): string {
  const compiled = compileExpression(text, { variables, host, library: patchLibrary });
  if (!compiled.ok) return `refused: ${compiled.message.split("\n")[0]!.replace("ERROR: <input>:", "")}`;
  const result = compiled.program.evaluate(bindings);
  return result.ok ? `${show(result.value)} for ${result.cost}` : `fails: ${result.message}`;
}

const table = String.raw`
(n                                                             => refused: 1:3: Syntax error: missing ')' at '<EOF>'
[(1]                                                           => refused: 1:4: Syntax error: missing ')' at ']'
x[1                                                            => refused: 1:4: Syntax error: missing ']' at '<EOF>'
true true                                                      => refused: 1:6: Syntax error: extraneous input 'true' expecting <EOF>
1 2 3                                                          => refused: 1:3: Syntax error: mismatched input '2' expecting <EOF>
{1 2}                                                          => refused: 1:4: Syntax error: missing ':' at '2'
[1,2                                                           => refused: 1:5: Syntax error: mismatched input '<EOF>' expecting {']', ','}
[1 2]                                                          => refused: 1:4: Syntax error: extraneous input '2' expecting {']', ','}
[1,,2]                                                         => refused: 1:4: Syntax error: mismatched input ',' expecting ']'
s.                                                             => refused: 1:3: Syntax error: no viable alternative at input '.'
1 + + 2                                                        => refused: 1:5: Syntax error: extraneous input '+' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}
if (n)                                                         => refused: 1:1: reserved identifier: if
[,]                                                            => [] for 0
1 + 2 * 3                                                      => 7 for 2
7 / -2                                                         => -3 for 1
7 % -3                                                         => 1 for 1
-9223372036854775808                                           => -9223372036854775808 for 0
9223372036854775807 + 1                                        => fails: integer overflow
1 / 0                                                          => fails: division by zero
2u - 1u                                                        => 1u for 1
1u - 2u                                                        => fails: unsigned integer overflow
1.5 + 2.0                                                      => 3.5d for 1
1 == 1.0                                                       => refused: 1:3: found no matching overload for '_==_' applied to '(int, double)'
1 < 1.5                                                        => true for 1
1u == 1                                                        => refused: 1:4: found no matching overload for '_==_' applied to '(uint, int)'
"a" + "b"                                                      => "ab" for 1
b"ab" + b"\xff"                                                => b6162ff for 1
"é" < "z"                                                      => false for 1
"\u00e9\n" == "é\n"                                            => true for 1
r"\d+"                                                         => "\\d+" for 0
n > 3 && s.startsWith("abc")                                   => true for 4
n > 9 || l.size() == 3                                         => true for 5
true ? n : 0                                                   => 5 for 0
false && 1 / 0 > 1                                             => false for 0
[1, 2] + [3]                                                   => [1,2,3] for 1
[1, "a"]                                                       => refused: 1:5: expected type 'int' but found 'string'
{"a": 1, "b": 2}["b"]                                          => 2 for 2
{"a": 1}.b                                                     => fails: no such key: b
{1: 1, 1u: 2}                                                  => refused: 1:8: expected type 'int' but found 'uint'
l[0] + l[2]                                                    => 5 for 5
l[3]                                                           => fails: index out of bounds: 3
2 in l                                                         => true for 4
n in [1, 5]                                                    => true for 1
"k" in m                                                       => true for 2
m.k + m["j"]                                                   => 3 for 5
has(m.k)                                                       => true for 1
has(m.zzz)                                                     => false for 1
m.zzz                                                          => fails: no such key: zzz
l.all(i, i > 0)                                                => true for 17
l.exists(i, i == 2)                                            => true for 20
l.exists_one(i, i > 1)                                         => false for 13
l.map(i, i * 2)                                                => [6,2,4] for 44
l.map(i, i > 1, i * 2)                                         => [6,4] for 36
l.filter(i, i > 1)                                             => [3,2] for 34
m.map(k, k).size()                                             => 2 for 29
m.all(k, v, v > 0)                                             => true for 12
l.transformList(i, v, i * v)                                   => [0,1,4] for 47
m.transformMap(k, v, v > 1, v + 1)                             => {"j":3} for 11
l.sum() + l.max() - l.min()                                    => 8 for 14
l.isSorted()                                                   => false for 4
l.sort()                                                       => [1,2,3] for 30
[3, 1, 3].distinct()                                           => [3,1] for 29
ls.sortBy(x, x)                                                => ["a","b"] for 49
lists.range(3)                                                 => [0,1,2] for 14
[[1], [2, 3]].flatten()                                        => [1,2,3] for 13
l.slice(1, 3)                                                  => [1,2] for 14
l.reverse()                                                    => [2,1,3] for 15
l.first()                                                      => opt(3) for 2
[1].sum() == 1                                                 => true for 2
s.size()                                                       => 7 for 2
s.charAt(4)                                                    => "d" for 2
s.indexOf("d")                                                 => 4 for 1
s.indexOf("d", 6)                                              => -1 for 1
s.lastIndexOf("é")                                             => 5 for 1
s.substring(4)                                                 => "déf" for 2
s.substring(9)                                                 => fails: index out of range: 9
s.replace("b", "X")                                            => "aXc déf" for 3
s.split(" ")                                                   => ["abc","déf"] for 3
ls.join("-")                                                   => "b-a" for 2
s.upperAscii()                                                 => "ABC DéF" for 2
"  x ".trim()                                                  => "x" for 1
"%s is %d".format([s, n])                                      => "abc déf is 5" for 13
"%.2f of %x".format([2.0, 255])                                => "2.00 of ff" for 1
"%s".format([[1, "a"]])                                        => "[1, \"a\"]" for 1
strings.quote("a\"b").size()                                   => 6 for 2
s.matches("^[a-c]+ ")                                          => true for 3
s.matches("(")                                                 => refused: 1:11: invalid matches argument
s.find("[a-z]+")                                               => "abc" for 3
s.findAll("[a-z]", 2)                                          => ["a","b"] for 3
int("12") + int(2.9)                                           => 14 for 1
int("1x")                                                      => refused: type conversion error from 'string' to 'int'
double("1.5")                                                  => 1.5d for 0
string(1.0)                                                    => "1" for 0
string(duration("90s"))                                        => "90s" for 0
bool("true")                                                   => true for 0
bytes("é").size()                                              => 2 for 1
1 && "a"                                                       => refused: 1:1: expected type 'bool' but found 'int'
{}.size("x")                                                   => refused: 1:8: found no matching overload for 'size' applied to 'map(dyn, dyn).(string)'
optional.none().all(v, true)                                   => refused: 1:14: expression of type 'optional_type(_var0)' cannot be range of a comprehension (must be list, map, or dynamic)
quantity("1").a                                                => refused: 1:14: unexpected failed resolution of 'kubernetes.Quantity'
"%d".format([s])                                               => refused: 1:14: error during formatting: decimal clause can only be used on integers, was given string
"%s".format([quantity("1")])                                   => refused: 1:22: error during formatting: string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps, was given kubernetes.Quantity
"%s".format([1, 2])                                            => refused: 1:12: too many arguments supplied to string.format (expected 1, got 2)
"%y".format([1])                                               => refused: 1:12: could not parse formatting clause: unrecognized formatting clause "y"
"%f".format([1.0 / 0.0])                                       => "∞" for 12
"%s".format([{1.5: 1}])                                        => fails: error during formatting: no formatting function for map key of type double
duration(1)                                                    => refused: 1:10: invalid duration argument
timestamp(9223372036854775807)                                 => refused: 1:11: invalid timestamp argument
x[null]                                                        => refused: invalid qualifier type: types.Null
x.a.b                                                          => fails: no such key: b
x.?a.?b.orValue("none")                                        => "none" for 2
x.b < 1                                                        => fails: no such overload
x.c < 1                                                        => fails: no such overload: _<_
size(x.a)                                                      => fails: no such overload: size
x.a.startsWith("a")                                            => fails: no such overload
x.a.all(v, true)                                               => fails: got 'types.Int', expected iterable type
x.a.all(i, v, true)                                            => fails: unsupported comprehension range type: types.Int
x.a.orValue(2)                                                 => 1 for 2
x.c[1.5]                                                       => fails: unsupported index value 1.5 in list
0.0 / 0.0 < 1.0                                                => fails: NaN values cannot be ordered
string(duration("2562047h47m16.854775807s"))                   => "9223372036.854776s" for 0
semver("1.2")                                                  => fails: No Major.Minor.Patch elements found
semver("1.02.3")                                               => fails: Minor number must not contain leading zeroes "02"
semver("v1", true).minor()                                     => 0 for 2
quantity("1.5Gi").isInteger()                                  => false for 2
quantity("1000m").isInteger()                                  => false for 2
quantity("1k").add(1).asInteger()                              => 1001 for 3
ip("1.5")                                                      => fails: IP Address "1.5" parse error during conversion from string: ParseAddr("1.5"): IPv4 address too short
cidr("::1::/8")                                                => fails: network address parse error during conversion from string: network address parse error during conversion from string: netip.ParsePrefix("::1::/8"): ParseAddr("::1::"): multiple :: in address (at ":")
quantity("1") != x.a                                           => true for 4
type(1) == int                                                 => true for 1
type(n) == type(l)                                             => false for 5
dyn(1) == "a"                                                  => false for 1
n == "a"                                                       => refused: 1:3: found no matching overload for '_==_' applied to '(int, string)'
timestamp("2026-03-04T05:06:07Z").getHours()                   => 5 for 1
timestamp("2026-03-04T05:06:07Z").getHours("America/New_York") => 0 for 1
ts + duration("1h") > ts                                       => true for 4
ts - timestamp("2026-01-01T00:00:00Z") > duration("1s")        => true for 3
timestamp("2026-13-04T05:06:07Z")                              => refused: 1:11: invalid timestamp argument
duration("1h30m").getMinutes()                                 => 90 for 1
optional.of(1).orValue(2)                                      => 1 for 1
optional.none().orValue(2)                                     => 2 for 1
m.?k.orValue(7)                                                => 1 for 2
m.?zzz.hasValue()                                              => false for 2
m[?"zzz"].or(optional.of(3)).value()                           => 3 for 3
optional.none().value()                                        => fails: optional.none() dereference
[?m.?k, ?m.?zzz]                                               => [1] for 13
{?"a": m.?k, ?"b": m.?zzz}                                     => {"a":1} for 33
optional.of(n).optMap(v, v + 1).value()                        => 6 for 10
url("https://a.b:80/c?d=e").getHost()                          => "a.b:80" for 3
isURL("nope")                                                  => false for 1
quantity("1.5Gi").isGreaterThan(quantity("1G"))                => true for 3
quantity("1k").add(500).asInteger()                            => 1500 for 3
isQuantity("1x")                                               => false for 1
ip("10.0.0.1").family()                                        => 4 for 2
ip("fe80::1").isLinkLocalUnicast()                             => true for 2
cidr("10.0.0.0/8").containsIP("10.1.2.3")                      => true for 3
cidr("10.0.0.0/8").prefixLength()                              => 8 for 2
semver("1.2.3").isLessThan(semver("1.10.0"))                   => true for 3
format.dns1123Label().validate("a-b").hasValue()               => false for 10
format.named("dns1123Label").value().validate("A").value()     => ["a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"] for 11
sets.contains([1, 2], [2])                                     => true for 3
sets.intersects(l, [9])                                        => false for 5
x.a + 1                                                        => 2 for 3
x.b + 1                                                        => fails: no such overload
x.nope                                                         => fails: no such key: nope
x.c[1]                                                         => "two" for 3
x.d.e == null                                                  => true for 4
unknown                                                        => refused: 1:1: undeclared reference to 'unknown' (in container '')
n.foo                                                          => refused: 1:2: type 'int' does not support field selection
size()                                                         => refused: 1:5: found no matching overload for 'size' applied to '()'
l.all(1, true)                                                 => refused: 1:7: argument must be a simple name
s == 1                                                         => refused: 1:3: found no matching overload for '_==_' applied to '(string, int)'
{"a": 1, "b": "c"}                                             => refused: 1:15: expected type 'int' but found 'string'
[1, "x"][0]                                                    => refused: 1:5: expected type 'int' but found 'string'
has(n)                                                         => refused: 1:5: invalid argument to has() macro
(((n)))                                                        => 5 for 1
jsonpatch.escapeKey("a/b~c")                                   => "a~1b~0c" for 1
Object{a: 1}                                                   => refused: 1:7: undeclared reference to 'Object' (in container '')
n > 1 ? "a" : 2                                                => refused: 1:7: found no matching overload for '_?_:_' applied to '(bool, string, int)'
`;

for (const line of table.trim().split("\n")) {
  const [text, expected] = line.split(/ +=> /) as [string, string];
  test(text, () => assert.equal(outcome(text), expected));
}

test("reading goes on after what is no token, and after what was left out", () => {
  const problems = (text: string): readonly string[] => {
    const compiled = compileExpression(text, { variables, host });
    return compiled.ok ? [] : compiled.message.split("\n").filter(line => line.startsWith("ERROR")).map(line => line.replace("ERROR: <input>:", "").replace(/ expecting \{.*/, ""));
  };
  assert.deepEqual(problems("'abc"), ["1:1: Syntax error: token recognition error at: ''abc'", "1:5: Syntax error: mismatched input '<EOF>'"]);
  assert.deepEqual(problems("[1 2, 3]"), ["1:4: Syntax error: extraneous input '2'", "1:7: Syntax error: extraneous input '3' expecting ']'"]);
  assert.deepEqual(problems("-"), ["1:2: Syntax error: no viable alternative at input '-'", "1:2: Syntax error: mismatched input '<EOF>'"]);
  assert.deepEqual(problems(""), ["1:0: Syntax error: mismatched input '<EOF>'"]);
});

test("an expression stops when it costs too much", () => {
  const compiled = compileExpression("lists.range(1000).map(i, lists.range(1000).map(j, i * j)).size()", { variables, host });
  assert.ok(compiled.ok);
  const result = compiled.program.evaluate(bindings, 10_000);
  assert.ok(!result.ok && result.overBudget);
  assert.equal(result.message, "operation cancelled: actual cost limit exceeded");
});
test("deep nesting is refused, not a crash", () => {
  assert.match(outcome(`${"(".repeat(100_000)}1${")".repeat(100_000)}`), /^refused: /);
  assert.match(outcome(`${"[".repeat(300)}1${"]".repeat(300)}`), /^refused: .*recursion limit exceeded/);
  assert.match(outcome(`${"!".repeat(50_000)}true`), /^(refused|true)/);
  assert.match(outcome(Array.from({ length: 10_000 }, () => "true").join(" && ")), /^true for/);
});
test("names that are no names", () => {
  for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
    assert.match(outcome(name), /^refused: .*undeclared reference/);
    assert.match(outcome(`x.${name}`), /^fails: no such key/);
    assert.match(outcome(`${name}(1)`), /^refused: .*undeclared reference/);
    assert.match(outcome(`n.${name}()`), /^refused: .*undeclared reference/);
  }
});
