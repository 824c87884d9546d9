import type { Batch, Change, Index, Only, Watch } from "./store.ts";

type Watcher = { readonly sink: (batch: Batch) => void; delivered: number; open: boolean };
/** Who watches one prefix: all of it, or only what has one value. */
type Group = { readonly all: Set<Watcher>; readonly by: Map<Index, Map<string, Set<Watcher>>> };

/** Who wants to hear about which keys: a change finds its watchers by the prefixes of its own key and by what its entry says, however many other watches there are. */
export class Watches {
  readonly #byPrefix = new Map<string, Group>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** `sink` hears every published change under `prefix` after `delivered`. */
  add(prefix: string, delivered: number, sink: (batch: Batch) => void, only?: Only): Watch {
    const watcher: Watcher = { sink, delivered, open: true };
    const group = getOrAdd(this.#byPrefix, prefix, () => ({ all: new Set(), by: new Map() }));
    const values = only === undefined ? undefined : getOrAdd(group.by, only.index, () => new Map<string, Set<Watcher>>());
    const watchers = only === undefined ? group.all : getOrAdd(values!, only.value, () => new Set());
    watchers.add(watcher);
    this.#size++;
    return {
      close: () => {
        if (!watcher.open) return;
        watcher.open = false;
        watchers.delete(watcher);
        this.#size--;
        if (watchers.size > 0 || this.#byPrefix.get(prefix) !== group) return;
        if (only !== undefined) {
          if (values!.get(only.value) === watchers) values!.delete(only.value);
          if (values!.size === 0) group.by.delete(only.index);
        }
        if (group.all.size === 0 && group.by.size === 0) this.#byPrefix.delete(prefix);
      },
    };
  }

  /** Hands one commit to every watch it concerns: one call each, the changes in order, all of them. */
  publish(changes: readonly Change[], progress: number): void {
    if (this.#size === 0) return;
    const touched = new Map<string, Change[]>();
    for (const change of changes) for (const prefix of prefixesOf(change.key)) if (this.#byPrefix.has(prefix)) getOrAdd(touched, prefix, () => []).push(change);
    for (const [prefix, list] of touched) {
      const group = this.#byPrefix.get(prefix);
      if (group === undefined) continue;
      this.#deliver(group.all, { changes: list, progress });
      for (const [index, watched] of [...group.by]) {
        const found = new Map<string, Change[]>();
        for (const change of list) for (const value of valuesOf(change, index)) if (watched.has(value)) getOrAdd(found, value, () => []).push(change);
        for (const [value, some] of found) this.#deliver(watched.get(value) ?? new Set(), { changes: some, progress });
      }
    }
  }

  clear(): void {
    for (const { all, by } of this.#byPrefix.values()) for (const watchers of [all, ...[...by.values()].flatMap(values => [...values.values()])]) {
      for (const watcher of watchers) watcher.open = false;
      watchers.clear();
    }
    this.#byPrefix.clear();
    this.#size = 0;
  }

  #deliver(watchers: ReadonlySet<Watcher>, batch: Batch): void {
    const first = batch.changes[0]!.revision;
    // Copied, since a sink may open and close watches; one opened meanwhile has caught up already.
    for (const watcher of [...watchers]) {
      if (!watcher.open || watcher.delivered >= batch.progress) continue;
      const news = watcher.delivered < first ? batch : { ...batch, changes: batch.changes.filter(change => change.revision > watcher.delivered) };
      watcher.delivered = batch.progress;
      if (news.changes.length > 0) watcher.sink(news);
    }
  }
}

function getOrAdd<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}

/** What the entry says, and what it said before if that was something else. */
export function valuesOf({ entry, previous }: Change, index: Index): readonly string[] {
  const is = index.of(entry), was = previous === undefined ? is : index.of(previous);
  return is === was ? [is] : [is, was];
}

/** `/a/b/c` → `/`, `/a/`, `/a/b/`, `/a/b/c`. */
function* prefixesOf(key: string): Iterable<string> {
  for (let slash = key.indexOf("/"); slash !== -1; slash = key.indexOf("/", slash + 1)) yield key.slice(0, slash + 1);
  yield key;
}

/** Whether a watch of `prefix` hears of `key`: a prefix ends with "/", anything else is one key. */
export function covers(prefix: string, key: string): boolean {
  return prefix.endsWith("/") ? key.startsWith(prefix) : key === prefix;
}
