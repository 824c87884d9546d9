import assert from "node:assert/strict";
import { test } from "node:test";
import { inRange, parseIPv4, parseIPv4Range, renderIPv4 } from "./ipv4.ts";

test("addresses are read strictly and written back", () => {
  assert.deepEqual(["10.96.0.1", "0.0.0.0", "255.255.255.255", "010.0.0.1", "1.2.3", "1.2.3.256", "a.b.c.d", "1.2.3.4.5"].map(text => { const address = parseIPv4(text); return address === undefined ? undefined : renderIPv4(address); }),
    ["10.96.0.1", "0.0.0.0", "255.255.255.255", undefined, undefined, undefined, undefined, undefined]);
});

test("a range begins at its own first address", () => {
  const range = parseIPv4Range("10.97.1.2/12")!;
  assert.deepEqual([renderIPv4(range.first), range.size], ["10.96.0.0", 2 ** 20]);
  assert.deepEqual(["10.96.0.0", "10.111.255.255", "10.112.0.0"].map(text => inRange(range, parseIPv4(text)!)), [true, true, false]);
  assert.deepEqual(["10.0.0.0", "10.0.0.0/33", "x/8"].map(parseIPv4Range), [undefined, undefined, undefined]);
});
