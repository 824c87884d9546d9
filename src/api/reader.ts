import type { Store } from "../store/store.ts";
import type { Reader } from "./context.ts";
import type { Objects } from "./objects.ts";
import { storeKey, type Registry } from "./registry.ts";

/** The newest stored objects, straight from the store's memory. Resources that are not served have no objects. */
export function storeReader(store: Store, objects: Objects, registry: Registry): Reader {
  return {
    get(group, resource, namespace, name) {
      const served = registry.resource(group, resource);
      const entry = served === undefined ? undefined : store.get(storeKey(served.prefix, namespace, name));
      return entry === undefined ? undefined : objects.object(entry);
    },
    list(group, resource, namespace) {
      const served = registry.resource(group, resource);
      if (served === undefined) return [];
      return store.list(namespace === "" ? served.prefix : `${served.prefix}${namespace}/`).entries.map(entry => objects.object(entry));
    },
  };
}
