/** Numbers handed out from a range, of which the lower part is kept for those who ask for a number by name (KEP-3070, KEP-3668). */
import type { Random } from "../../base/random.ts";

export type Band = { readonly first: number; readonly last: number; /** Numbers at the start that are given at random only when all others are taken. */ readonly reserved: number };

/** Which numbers are taken; several allocators may share what is behind it. */
export type Taken = { has(value: number): boolean; add(value: number): unknown; delete(value: number): unknown };

/** Tries at random before the range is searched. */
const randomTriesMax = 8;

export class Allocator {
  readonly #band: Band;
  readonly #random: Random;
  readonly #taken: Taken;

  constructor(band: Band, random: Random, taken: Taken = new Set<number>()) {
    this.#band = band;
    this.#random = random;
    this.#taken = taken;
  }

  has(value: number): boolean {
    return this.#taken.has(value);
  }
  contains(value: number): boolean {
    return value >= this.#band.first && value <= this.#band.last;
  }
  /** False when it is taken already. */
  take(value: number): boolean {
    if (this.#taken.has(value)) return false;
    this.#taken.add(value);
    return true;
  }
  release(value: number): void {
    this.#taken.delete(value);
  }
  /** Any free number; `undefined` when there is none. */
  next(): number | undefined {
    const { first, last, reserved } = this.#band;
    const found = this.#pick(first + reserved, last) ?? this.#pick(first, first + reserved - 1);
    if (found !== undefined) this.#taken.add(found);
    return found;
  }

  #pick(first: number, last: number): number | undefined {
    const size = last - first + 1;
    if (size <= 0) return undefined;
    const start = Math.floor(this.#random.next() * size);
    for (let i = 0; i < randomTriesMax; i++) {
      const value = first + ((start + i * 7919) % size);
      if (!this.#taken.has(value)) return value;
    }
    for (let i = 0; i < size; i++) {
      const value = first + ((start + i) % size);
      if (!this.#taken.has(value)) return value;
    }
    return undefined;
  }
}

/** How many numbers are kept: a part of the range within bounds. */
export const reservedOf = (size: number, part: number, least: number, most: number): number => (size <= least ? 0 : Math.min(Math.max(least, Math.floor(size / part)), most));
