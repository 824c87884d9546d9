import assert from "node:assert/strict";
import { test } from "node:test";
import { Allocator, reservedOf } from "./allocator.ts";

const random = { next: () => 0.3, uuid: () => "", bytes: () => new Uint8Array() };

test("numbers come from the upper band until it is full, then from the lower one, then none", () => {
  const allocator = new Allocator({ first: 10, last: 15, reserved: 2 }, random);
  const given = Array.from({ length: 7 }, () => allocator.next());
  assert.deepEqual([...given.slice(0, 4)].sort(), [12, 13, 14, 15]);
  assert.deepEqual([...given.slice(4, 6)].sort(), [10, 11]);
  assert.equal(given[6], undefined);
});

test("a number is given once, and again after it was released", () => {
  const allocator = new Allocator({ first: 1, last: 3, reserved: 0 }, random);
  assert.deepEqual([allocator.take(2), allocator.take(2), allocator.contains(4)], [true, false, false]);
  allocator.release(2);
  assert.equal(allocator.take(2), true);
});

test("the kept part follows upstream's bounds", () => {
  assert.deepEqual([reservedOf(2 ** 20, 16, 16, 256), reservedOf(256, 16, 16, 256), reservedOf(16, 16, 16, 256), reservedOf(2768, 32, 16, 128)], [256, 16, 0, 86]);
});
