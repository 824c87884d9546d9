import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { sha256 } from "./sha256.ts";

for (const length of [0, 1, 3, 55, 56, 63, 64, 65, 200, 1000])
  test(`${length} bytes hash as everywhere`, () => {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 37 + 11) % 256);
    assert.deepEqual([...sha256(bytes)], [...createHash("sha256").update(bytes).digest()]);
  });
