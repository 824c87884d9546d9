import type { Store } from "../store/store.ts";
import type { Reader } from "./context.ts";
import type { Objects } from "./objects.ts";
import { storeKey, type Registry } from "./registry.ts";

const everything = "/registry/";
/** Lists that are remembered, and the longest of them: admission asks a dozen short ones at every write, which hardly ever change. */
const listsMax = 1_000;
const listedMax = 32;

/** The newest stored objects, straight from the store's memory. Resources that are not served have no objects. */
export function storeReader(store: Store, objects: Objects, registry: Registry): Reader {
  /** By the prefix of their keys. */
  const lists = new Map<string, readonly any[]>();
  // Watches of shorter prefixes hear first: nobody who is told of a change reads a list from before it.
  const watch = store.watch(everything, store.revision, ({ changes }) => {
    if (lists.size === 0) return;
    for (const { key } of changes) {
      const inNamespace = key.slice(0, key.lastIndexOf("/") + 1);
      lists.delete(inNamespace);
      lists.delete(prefixOfResource(inNamespace));
    }
  });
  if ("compacted" in watch) throw new Error("the store forgot its newest revision");
  return {
    get(group, resource, namespace, name) {
      const served = registry.resource(group, resource);
      const entry = served === undefined ? undefined : store.get(storeKey(served.prefix, namespace, name));
      return entry === undefined ? undefined : objects.object(entry);
    },
    list(group, resource, namespace) {
      const served = registry.resource(group, resource);
      if (served === undefined) return [];
      const prefix = namespace === "" ? served.prefix : `${served.prefix}${namespace}/`;
      const known = lists.get(prefix);
      if (known !== undefined) return known;
      const found = store.list(prefix).entries.map(entry => objects.object(entry));
      if (found.length > listedMax) return found;
      if (lists.size >= listsMax) lists.clear();
      lists.set(prefix, found);
      return found;
    },
  };
}

/** `/registry/core/pods/` of `/registry/core/pods/default/`; of itself, itself. */
function prefixOfResource(prefix: string): string {
  const group = prefix.indexOf("/", everything.length);
  return prefix.slice(0, prefix.indexOf("/", group + 1) + 1);
}
