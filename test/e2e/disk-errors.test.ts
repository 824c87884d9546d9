import assert from "node:assert/strict";
import { test } from "node:test";
import { diskErrorProblems } from "../kill/disk-errors.ts";

const places = [
  // call, n-th use: around opening, single commits, checkpoints
  [ "fsync",    [1, 2, 3, 5, 8, 13, 21, 34, 55, 89] ],
  [ "pwrite64", [1, 2, 4, 8, 16, 40, 100, 250, 500] ],
] as const;
for (const [call, ns] of places)
  test(`a ${call} that fails ends the process, tells no lie and loses nothing (P03, n = ${ns.join(", ")})`, async () => {
    assert.deepEqual(await diskErrorProblems(ns.map(n => ({ call, n }))), []);
  });
