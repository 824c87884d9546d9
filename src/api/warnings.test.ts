import assert from "node:assert/strict";
import { test } from "node:test";
import { warningHeaders } from "./warnings.ts";

test("warnings are told in full, unless they are too long together: then the beginning of each, as many as there is room for", () => {
  const long = "x".repeat(600);
  assert.deepEqual(warningHeaders([long, 'a "b" \\ \n']), [`299 - "${long}"`, '299 - "a \\"b\\" \\\\  "']);
  const many = Array.from({ length: 30 }, (_, i) => `${i} ${long}`);
  assert.deepEqual(warningHeaders(many).map(header => header.length), Array.from({ length: 16 }, () => 256 + '299 - ""'.length));
});
