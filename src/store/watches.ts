import type { Batch, Change, Watch } from "./store.ts";

type Watcher = { readonly sink: (batch: Batch) => void; delivered: number; open: boolean };

/** Who wants to hear about which keys: a change finds its watchers by the prefixes of its own key, however many other watches there are. */
export class Watches {
  readonly #byPrefix = new Map<string, Set<Watcher>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** `sink` hears every published change under `prefix` after `delivered`. */
  add(prefix: string, delivered: number, sink: (batch: Batch) => void): Watch {
    const watcher: Watcher = { sink, delivered, open: true };
    const watchers = this.#byPrefix.get(prefix) ?? new Set();
    this.#byPrefix.set(prefix, watchers.add(watcher));
    this.#size++;
    return {
      close: () => {
        if (!watcher.open) return;
        watcher.open = false;
        watchers.delete(watcher);
        this.#size--;
        if (watchers.size === 0 && this.#byPrefix.get(prefix) === watchers) this.#byPrefix.delete(prefix);
      },
    };
  }

  /** Hands one commit to every watch it concerns: one call each, the changes in order, all of them. */
  publish(changes: readonly Change[], progress: number): void {
    if (this.#size === 0) return;
    const touched = new Map<string, Change[]>();
    for (const change of changes)
      for (const prefix of prefixesOf(change.key))
        if (this.#byPrefix.has(prefix)) {
          const list = touched.get(prefix);
          if (list === undefined) touched.set(prefix, [change]);
          else list.push(change);
        }
    for (const [prefix, list] of touched) {
      const batch: Batch = { changes: list, progress };
      // Copied, since a sink may open and close watches; one opened meanwhile has caught up already.
      for (const watcher of [...(this.#byPrefix.get(prefix) ?? [])]) this.#deliver(watcher, batch);
    }
  }

  clear(): void {
    for (const watchers of this.#byPrefix.values()) {
      for (const watcher of watchers) watcher.open = false;
      watchers.clear();
    }
    this.#byPrefix.clear();
    this.#size = 0;
  }

  #deliver(watcher: Watcher, batch: Batch): void {
    if (!watcher.open || watcher.delivered >= batch.progress) return;
    const first = batch.changes[0]!.revision;
    const news = watcher.delivered < first ? batch : { ...batch, changes: batch.changes.filter(change => change.revision > watcher.delivered) };
    watcher.delivered = batch.progress;
    if (news.changes.length > 0) watcher.sink(news);
  }
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
