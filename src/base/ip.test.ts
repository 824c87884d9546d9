import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCidr, parseIp, within } from "./ip.ts";

for (const [text, valid] of [["10.0.0.1", true], ["010.0.0.1", true], ["::1", true], ["::", true], ["fe80::1", true], ["::ffff:1.2.3.4", true], ["2001:db8::1:0:0:1", true], ["1.2.3", false], ["1.2.3.256", false], ["1.2.3.4.5", false], [":::", false], ["1::2::3", false], ["g::", false], ["1:2:3:4:5:6:7:8:9", false], ["", false], ["fe80::1%eth0", false], ["1.2.3.4:80", false]] as const)
  test(`${JSON.stringify(text)} is ${valid ? "an" : "no"} address`, () => assert.equal(parseIp(text) !== undefined, valid));
test("a range holds its addresses and no others", () => {
  const inside = (ip: string, range: string): boolean => within(parseIp(ip)!, parseCidr(range)!);
  assert.deepEqual([inside("10.1.2.3", "10.0.0.0/8"), inside("11.1.2.3", "10.0.0.0/8"), inside("fe80::1", "fe80::/10"), inside("::ffff:10.1.2.3", "10.0.0.0/8"), inside("::1", "0.0.0.0/0")], [true, false, true, true, false]);
});
for (const [text, valid] of [["10.0.0.0/8", true], ["10.0.0.0/33", false], ["10.0.0.0", false], ["::/128", true], ["::/129", false], ["/8", false]] as const)
  test(`${text} is ${valid ? "a" : "no"} range`, () => assert.equal(parseCidr(text) !== undefined, valid));
