import type { Entry } from "./store.ts";

// Small enough that inserting into a chunk is one short memmove, large enough that the list of chunks stays short (150,000 keys: about 900).
const chunkEntriesMax = 256;

/**
 * Entries in key order: lookups by key, and ranges that cost as much as they return.
 *
 * A list of sorted chunks; chunk i holds keys smaller than all of chunk i+1's:
 * `[[/a, /b, /c], [/d, /f], [/k, …]]`. Inserting `/e` finds the last chunk whose first key is not greater, splices there, and
 * splits the chunk when it is full.
 */
export class SortedIndex {
  readonly #byKey = new Map<string, Entry>();
  readonly #chunks: Entry[][] = [];

  get size(): number {
    return this.#byKey.size;
  }

  get(key: string): Entry | undefined {
    return this.#byKey.get(key);
  }

  set(entry: Entry): void {
    const known = this.#byKey.has(entry.key);
    this.#byKey.set(entry.key, entry);
    if (this.#chunks.length === 0) {
      this.#chunks.push([entry]);
      return;
    }
    const at = Math.max(this.#chunkOf(entry.key), 0);
    const chunk = this.#chunks[at]!;
    const position = firstNotBefore(chunk, entry.key);
    if (known) {
      chunk[position] = entry;
      return;
    }
    // Keys that only grow, as in a load, fill chunks instead of leaving them half empty.
    if (chunk.length >= chunkEntriesMax && position === chunk.length && at === this.#chunks.length - 1) {
      this.#chunks.push([entry]);
      return;
    }
    chunk.splice(position, 0, entry);
    if (chunk.length > chunkEntriesMax) this.#chunks.splice(at + 1, 0, chunk.splice(chunk.length >> 1));
  }

  delete(key: string): void {
    if (!this.#byKey.delete(key)) return;
    const at = this.#chunkOf(key);
    const chunk = this.#chunks[at]!;
    chunk.splice(firstNotBefore(chunk, key), 1);
    if (chunk.length === 0) this.#chunks.splice(at, 1);
  }

  /** How many entries have `from` <= key < `to`. */
  count(from: string, to: string): number {
    const [startChunk, start] = this.#position(from);
    const [endChunk, end] = this.#position(to);
    let count = end - start;
    for (let i = startChunk; i < endChunk; i++) count += this.#chunks[i]!.length;
    return count;
  }

  /** The entries with `from` <= key < `to`, in order, at most `limit`. */
  range(from: string, to: string, limit = Infinity): Entry[] {
    const found: Entry[] = [];
    const [startChunk, start] = this.#position(from);
    const [endChunk, end] = this.#position(to);
    for (let i = startChunk; i <= endChunk && found.length < limit; i++) {
      const chunk = this.#chunks[i];
      if (chunk === undefined) break;
      const last = i === endChunk ? end : chunk.length;
      for (let j = i === startChunk ? start : 0; j < last && found.length < limit; j++) found.push(chunk[j]!);
    }
    return found;
  }

  /** The place of the first entry whose key is not before `key`: chunk, and position in it. */
  #position(key: string): [number, number] {
    const at = Math.max(this.#chunkOf(key), 0);
    const chunk = this.#chunks[at];
    return chunk === undefined ? [at, 0] : [at, firstNotBefore(chunk, key)];
  }

  /** The last chunk whose first key is not after `key`; -1 if there is none. */
  #chunkOf(key: string): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#chunks[middle]![0]!.key <= key) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

function firstNotBefore(chunk: readonly Entry[], key: string): number {
  let low = 0;
  let high = chunk.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (chunk[middle]!.key < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
