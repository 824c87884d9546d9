import { isApiError } from "../base/api-error.ts";
import type { AnyKind, Resource } from "../kinds/kind.ts";
import type { ObjectMeta } from "../kinds/meta/objectmeta.ts";
import type { Client, Selection } from "./client.ts";

/** `namespace/name`, or `name` for what lies in no namespace: upstream's cache key. */
export function keyOf(object: { readonly metadata: ObjectMeta }): string {
  return joinKey(object.metadata.namespace, object.metadata.name);
}
export function joinKey(namespace: string | undefined, name: string | undefined): string {
  return namespace === undefined || namespace === "" ? name ?? "" : `${namespace}/${name ?? ""}`;
}
export function splitKey(key: string): { readonly namespace: string; readonly name: string } {
  const slash = key.indexOf("/");
  return slash < 0 ? { namespace: "", name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** One thing that happened to one object. A deletion carries the last state seen; an object made anew under an old name is a deletion and an addition. */
export type Change<T> =
  | { readonly type: "added"; readonly object: T; readonly previous?: undefined }
  | { readonly type: "updated"; readonly object: T; readonly previous: T }
  | { readonly type: "deleted"; readonly object: T; readonly previous?: undefined };

/** A way to find objects other than by key. Declared once, as a constant; built when first asked for and then kept current. */
export type Index<T> = { readonly name: string; readonly valuesOf: (object: T) => readonly string[] };

type Meta = { readonly metadata: ObjectMeta };
export const byNamespace: Index<Meta> = { name: "namespace", valuesOf: ({ metadata }) => [metadata.namespace ?? ""] };
/** By the uid of each owner. */
export const byOwner: Index<Meta> = { name: "owner", valuesOf: ({ metadata }) => metadata.ownerReferences?.map(owner => owner.uid) ?? [] };
/** By the uid of the one owner that manages the object; "namespace/" for those that nobody manages. */
export const byController: Index<Meta> = {
  name: "controller",
  valuesOf: ({ metadata }) => [metadata.ownerReferences?.find(owner => owner.controller === true)?.uid ?? orphansOf(metadata.namespace)],
};
/** The value of `byController` under which a namespace's unmanaged objects are found. */
export function orphansOf(namespace: string | undefined): string {
  return `${namespace ?? ""}/`;
}
export const byNode: Index<{ readonly spec: { readonly nodeName?: string | undefined } }> = { name: "node", valuesOf: ({ spec }) => (spec.nodeName ? [spec.nodeName] : []) };

/** What may be read of a local copy: shared objects that are never mutated, possibly older than the server's. */
export interface Copy<T> {
  get(key: string): T | undefined;
  list(): readonly T[];
  by(index: Index<T>, value: string): readonly T[];
}

/** A local copy of one kind (or a selection of it), kept current by list-then-watch. */
export class Informer<K extends AnyKind> implements Copy<Resource<K>> {
  readonly kind: K;
  readonly name: string;
  readonly selection: Selection;
  readonly #client: Client;
  readonly #objects = new Map<string, Resource<K>>();
  readonly #indexes = new Map<Index<Resource<K>>, Map<string, Map<string, Resource<K>>>>();
  readonly #listeners = new Set<(change: Change<Resource<K>>) => void>();
  readonly #waiting = new Set<{ readonly test: () => boolean; readonly wake: () => void }>();
  #revision = -1;
  /** Where to go on, for kinds of other servers. */
  #resourceVersion: string | undefined;
  #listsBegun = 0;
  #listsDone = 0;
  #mustList = true;
  #interrupt: (() => void) | undefined;

  constructor(kind: K, client: Client, selection: Selection = {}) {
    this.kind = kind;
    this.name = `informer ${kind.plural}`;
    this.selection = selection;
    this.#client = client;
  }

  get(key: string): Resource<K> | undefined {
    return this.#objects.get(key);
  }
  list(): readonly Resource<K>[] {
    return [...this.#objects.values()];
  }
  get size(): number {
    return this.#objects.size;
  }
  by(index: Index<Resource<K>>, value: string): readonly Resource<K>[] {
    const found = this.#index(index).get(value);
    return found === undefined ? [] : [...found.values()];
  }
  /** Every change from now on, in order, exactly once; returns how to stop. The listener must not throw. */
  onChange(listener: (change: Change<Resource<K>>) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** The newest revision that this copy includes; -1 before the first list. */
  get revision(): number {
    return this.#revision;
  }
  /** Resolves once the first list is in, or `signal` aborts. */
  listed(signal: AbortSignal): Promise<void> {
    return this.#until(() => this.#listsDone > 0, signal);
  }
  /** Resolves once this copy includes everything up to `revision`, or `signal` aborts. */
  reached(revision: number, signal: AbortSignal): Promise<void> {
    return this.#until(() => this.#revision >= revision, signal);
  }
  /** Resolves once this copy shows that the object `uid` at `key` is gone or being deleted, or `signal` aborts. */
  showsDeleted(key: string, uid: string | undefined, signal: AbortSignal): Promise<void> {
    return this.#until(() => {
      const object = this.#objects.get(key);
      return object === undefined || object.metadata.deletionTimestamp !== undefined || (uid !== undefined && object.metadata.uid !== uid);
    }, signal);
  }
  /** Lists anew and resolves once that is in: afterwards everything that had happened before the call is known, however a write ended. */
  relisted(signal: AbortSignal): Promise<void> {
    const target = this.#listsBegun + 1;
    this.#mustList = true;
    this.#interrupt?.();
    return this.#until(() => this.#listsDone >= target, signal);
  }

  /** Lists if it must, then watches; ends when the watch ends. Started again (`supervise`), it resumes where it was unless that is too old. */
  async run(signal: AbortSignal): Promise<void> {
    while (this.#mustList && !signal.aborted) await this.#listAll();
    const stop = new AbortController();
    const end = (): void => stop.abort();
    signal.addEventListener("abort", end, { once: true });
    this.#interrupt = end;
    if (signal.aborted) end();
    try {
      for await (const event of this.#client.watch(this.kind, { ...this.selection, revision: this.#revision, resourceVersion: this.#resourceVersion }, stop.signal)) {
        if (stop.signal.aborted) break;
        if (event.type !== "BOOKMARK" && event.revision > this.#revision) this.#apply(event.type === "DELETED" ? "delete" : "put", event.object);
        this.#resourceVersion = event.resourceVersion;
        this.#advance(event.revision);
      }
    } catch (error) {
      // Another server may come back as another one, with resource versions that start anew.
      if (this.kind.remote === true) this.#mustList = true;
      if (isApiError(error, "Expired") || isApiError(error, "Gone")) this.#mustList = true;
      else if (!stop.signal.aborted) throw error;
    } finally {
      this.#interrupt = undefined;
      signal.removeEventListener("abort", end);
    }
  }

  async #listAll(): Promise<void> {
    this.#mustList = false;
    const list = ++this.#listsBegun;
    const { items, revision, resourceVersion } = await this.#client.list(this.kind, this.selection).catch((error: unknown) => {
      this.#mustList = true;
      throw error;
    });
    if (revision < this.#revision) {
      this.#mustList = true;
      throw new Error(`the list of ${this.kind.plural} is at revision ${revision}, older than ${this.#revision} already seen`);
    }
    const gone = new Map(this.#objects);
    for (const item of items) {
      this.#apply("put", item);
      gone.delete(keyOf(item));
    }
    for (const object of gone.values()) this.#apply("delete", object);
    this.#listsDone = list;
    this.#resourceVersion = resourceVersion;
    this.#advance(revision);
  }
  #apply(type: "put" | "delete", object: Resource<K>): void {
    const key = keyOf(object);
    const previous = this.#objects.get(key);
    if (type === "delete") {
      if (previous === undefined) return;
      this.#objects.delete(key);
      this.#reindex(key, previous, undefined);
      this.#tell({ type: "deleted", object });
      return;
    }
    if (previous?.metadata.resourceVersion === object.metadata.resourceVersion && previous?.metadata.uid === object.metadata.uid) return;
    this.#objects.set(key, object);
    this.#reindex(key, previous, object);
    if (previous === undefined) this.#tell({ type: "added", object });
    else if (previous.metadata.uid === object.metadata.uid) this.#tell({ type: "updated", object, previous });
    else {
      this.#tell({ type: "deleted", object: previous });
      this.#tell({ type: "added", object });
    }
  }
  #tell(change: Change<Resource<K>>): void {
    for (const listener of this.#listeners) listener(change);
  }
  #advance(revision: number): void {
    if (revision > this.#revision) this.#revision = revision;
    for (const waiter of this.#waiting)
      if (waiter.test()) {
        this.#waiting.delete(waiter);
        waiter.wake();
      }
  }
  #until(test: () => boolean, signal: AbortSignal): Promise<void> {
    if (signal.aborted || test()) return Promise.resolve();
    return new Promise(resolve => {
      const aborted = (): void => {
        this.#waiting.delete(waiter);
        resolve();
      };
      const waiter = {
        test,
        wake: () => {
          signal.removeEventListener("abort", aborted);
          resolve();
        },
      };
      this.#waiting.add(waiter);
      signal.addEventListener("abort", aborted, { once: true });
    });
  }

  #index(index: Index<Resource<K>>): Map<string, Map<string, Resource<K>>> {
    const known = this.#indexes.get(index);
    if (known !== undefined) return known;
    const made = new Map<string, Map<string, Resource<K>>>();
    for (const [key, object] of this.#objects) insert(made, index.valuesOf(object), key, object);
    this.#indexes.set(index, made);
    return made;
  }
  #reindex(key: string, previous: Resource<K> | undefined, next: Resource<K> | undefined): void {
    for (const [index, values] of this.#indexes) {
      const before = previous === undefined ? [] : index.valuesOf(previous);
      const after = next === undefined ? [] : index.valuesOf(next);
      for (const value of before)
        if (!after.includes(value)) {
          const bucket = values.get(value);
          bucket?.delete(key);
          if (bucket?.size === 0) values.delete(value);
        }
      if (next !== undefined) insert(values, after, key, next);
    }
  }
}

function insert<T>(index: Map<string, Map<string, T>>, values: readonly string[], key: string, object: T): void {
  for (const value of values) {
    const bucket = index.get(value);
    if (bucket === undefined) index.set(value, new Map([[key, object]]));
    else bucket.set(key, object);
  }
}
