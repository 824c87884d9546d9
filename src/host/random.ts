import { randomBytes, randomUUID } from "node:crypto";
import type { Random } from "../base/random.ts";

/** Chance from the operating system's generator, drawn in blocks: one system call for many numbers. */
export function systemRandom(): Random {
  let block = randomBytes(1024);
  let used = 0;
  return {
    next: () => {
      if (used + 6 > block.length) { block = randomBytes(1024); used = 0; }
      const value = block.readUIntBE(used, 6) / 2 ** 48;
      used += 6;
      return value;
    },
    uuid: () => randomUUID(),
    bytes: length => new Uint8Array(randomBytes(length)),
  };
}
