/** Lists and maps that loops build bit by bit: each bigger one shares what the smaller one holds, so that building takes linear time. */
import { CelError } from "./error.ts";
import { List, Mapping, type Value, keyText, typeNameOf } from "./values.ts";

class GrowingList extends List {
  readonly #shared: Value[];
  override readonly size: number;
  constructor(shared: Value[]) {
    super();
    this.#shared = shared;
    this.size = shared.length;
  }
  override at(index: number): Value {
    return this.#shared[index]!;
  }
  /** Only the longest of those that share may add to what is shared. */
  append(more: List): List {
    const shared = this.#shared.length === this.size ? this.#shared : this.#shared.slice(0, this.size);
    for (let i = 0; i < more.size; i++) shared.push(more.at(i));
    return new GrowingList(shared);
  }
}

export function appended(list: List, more: List): List {
  return (list instanceof GrowingList ? list : new GrowingList([...list])).append(more);
}

type Entry = { readonly key: Value; readonly value: Value; readonly index: number };

class GrowingMap extends Mapping {
  readonly #shared: Map<string, Entry>;
  override readonly size: number;
  constructor(shared: Map<string, Entry>) {
    super();
    this.#shared = shared;
    this.size = shared.size;
  }
  #entry(key: Value): Entry | undefined {
    const text = keyText(key), entry = text === undefined ? undefined : this.#shared.get(text);
    return entry === undefined || entry.index >= this.size ? undefined : entry;
  }
  override get(key: Value): Value | undefined {
    return this.#entry(key)?.value;
  }
  override *keys(): Iterable<Value> {
    for (const { key, index } of this.#shared.values()) if (index < this.size) yield key;
  }
  insert(entries: Iterable<readonly [Value, Value]>): Mapping {
    const shared = this.#shared.size === this.size ? this.#shared : new Map([...this.#shared].slice(0, this.size));
    for (const [key, value] of entries) {
      const text = keyText(key);
      if (text === undefined) throw new CelError(`unsupported key type: ${typeNameOf(key)}`);
      if (shared.has(text)) throw new CelError(`insert failed: key ${typeof key === "string" ? key : text.slice(1)} already exists`);
      shared.set(text, { key, value, index: shared.size });
    }
    return new GrowingMap(shared);
  }
}

export function inserted(map: Mapping, entries: Iterable<readonly [Value, Value]>): Mapping {
  if (map instanceof GrowingMap) return map.insert(entries);
  return new GrowingMap(new Map(Array.from(map.keys(), (key, index) => [keyText(key)!, { key, value: map.get(key)!, index }]))).insert(entries);
}
