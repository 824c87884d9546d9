import assert from "node:assert/strict";
import { test } from "node:test";
import { parseBlkio, parseIoStat } from "./usage.ts";

const name = (device: string): string | undefined => ({ "8:0": "/dev/sda", "253:1": "/dev/dm-1" })[device];

test("what was read and written is found in either version's files; devices that are gone are left out", () => {
  const wanted = [{ device: "/dev/sda", readBytes: 4096, reads: 1, writeBytes: 8192, writes: 2 }, { device: "/dev/dm-1", readBytes: 0, reads: 0, writeBytes: 512, writes: 1 }];
  assert.deepEqual(parseIoStat("8:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0\n253:1 rbytes=0 wbytes=512 rios=0 wios=1\n9:9 rbytes=1 wbytes=1 rios=1 wios=1\n", name), wanted);
  assert.deepEqual(parseBlkio("8:0 Read 4096\n8:0 Write 8192\n8:0 Sync 0\n8:0 Total 12288\n253:1 Read 0\n253:1 Write 512\n9:9 Read 1\nTotal 12800\n", "8:0 Read 1\n8:0 Write 2\n253:1 Read 0\n253:1 Write 1\nTotal 4\n", name), wanted);
  assert.deepEqual([parseIoStat("", name), parseBlkio("Total 0\n", "", name)], [[], []]);
});
