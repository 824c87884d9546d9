/** Which kinds are served, under which group, version and resource name. Custom resources are added and removed while running. */
import type { Json } from "../base/json.ts";
import { assert } from "../base/assert.ts";
import { apiVersionOf, type AnyKind, type Verb } from "../kinds/kind.ts";
import type { Node } from "../schema/t.ts";
import type { Named } from "./errors.ts";

/** One resource under one group and version: what a URL names. */
export type Served = Named & {
  readonly kind: AnyKind;
  readonly group: string;
  readonly version: string;
  /** `group/version`, or the version alone in the core group. */
  readonly apiVersion: string;
  readonly resource: string;
  readonly definition: string;
  readonly node: Node;
  /** The registry's generation that it came with: what was made of objects for another edition may look different. */
  readonly edition: number;
  readonly verbs: readonly Verb[];
  /** Store prefix of everything of this resource; the same for every version it is served under. Ends with "/". */
  readonly prefix: string;
  /** Absent where objects are served as they are stored. */
  readonly convert?: { readonly fromStored: (object: any) => Json; readonly toStored: (object: any) => Json };
};

const allVerbs: readonly Verb[] = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

export class Registry {
  readonly #served = new Map<string, Served>();
  readonly #kinds = new Set<AnyKind>();
  /** Rises with every change: caches of discovery and OpenAPI hang on it. */
  generation = 0;
  readonly #listeners = new Set<() => void>();
  /** Every admission step asks for resources by name; which one is meant changes only with the kinds. */
  readonly #byResource = new Map<string, Map<string, Served>>();
  readonly #versions = new Set<string>();
  readonly #builtIn = new Set<string>();

  constructor(kinds: readonly AnyKind[]) {
    for (const kind of kinds) this.add(kind);
  }

  add(kind: AnyKind): void {
    this.#kinds.add(kind);
    for (const served of servedBy(kind, this.generation)) {
      const key = keyOf(served.group, served.version, served.resource);
      assert(!this.#served.has(key), `${key} is served by one kind only`);
      this.#served.set(key, served);
    }
    this.#changed();
  }

  remove(kind: AnyKind): void {
    this.#kinds.delete(kind);
    for (const { group, version, resource } of servedBy(kind, this.generation)) this.#served.delete(keyOf(group, version, resource));
    this.#changed();
  }
  /** Calls back after every change until the returned function is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
  #changed(): void {
    this.generation++;
    this.#byResource.clear();
    this.#versions.clear();
    this.#builtIn.clear();
    for (const { group, version, kind } of this.#served.values()) {
      this.#versions.add(`${group}/${version}`);
      if (kind.custom !== true) this.#builtIn.add(group);
    }
    for (const listener of this.#listeners) listener();
  }

  find(group: string, version: string, resource: string): Served | undefined {
    return this.#served.get(keyOf(group, version, resource));
  }
  /** How a kind's own version of its objects is served. */
  of(kind: AnyKind): Served | undefined {
    return this.find(kind.group, kind.version, kind.plural);
  }
  /** Any served version of a resource, the kind's own first. */
  resource(group: string, resource: string): Served | undefined {
    const known = this.#byResource.get(group)?.get(resource);
    if (known !== undefined) return known;
    let found: Served | undefined;
    for (const served of this.#served.values()) if (served.group === group && served.resource === resource && (found === undefined || served.convert === undefined)) found = served;
    if (found === undefined) return undefined;
    const ofGroup = this.#byResource.get(group);
    if (ofGroup === undefined) this.#byResource.set(group, new Map([[resource, found]]));
    else ofGroup.set(resource, found);
    return found;
  }
  /** The schema of what is stored at a key. */
  nodeAt(key: string): Node | undefined {
    const [, , group = "", plural = ""] = key.split("/", 4);
    return this.resource(group === "core" ? "" : group, plural)?.kind.schema.node;
  }
  hasVersion(group: string, version: string): boolean {
    return this.#versions.has(`${group}/${version}`);
  }
  /** Whether the group has kinds of our own: what is not in it is a Status, as upstream's router says; elsewhere it is a plain 404. */
  isBuiltIn(group: string): boolean {
    return this.#builtIn.has(group);
  }
  /** Every kind, subresource-only ones included, in the order in which they were added. */
  kinds(): readonly AnyKind[] {
    return [...this.#kinds];
  }
  all(): readonly Served[] {
    return [...this.#served.values()];
  }
}

const keyOf = (group: string, version: string, resource: string): string => `${group}/${version}/${resource}`;

/** Store prefix of a kind's objects: `/registry/core/pods/`. */
export const prefixOf = (kind: Pick<AnyKind, "group" | "plural">): string => `/registry/${kind.group === "" ? "core" : kind.group}/${kind.plural}/`;

/** Store key of one object; `namespace` "" for cluster-scoped ones. */
export const storeKey = (prefix: string, namespace: string, name: string): string => (namespace === "" ? prefix + name : `${prefix}${namespace}/${name}`);

const unchanged = (object: any): Json => object;

function servedBy(kind: AnyKind, edition: number): readonly Served[] {
  if (kind.subresourceOnly === true) return [];
  const prefix = prefixOf(kind);
  const verbs = kind.verbs ?? allVerbs;
  const own: Served = { kind, group: kind.group, version: kind.version, apiVersion: apiVersionOf(kind), resource: kind.plural, definition: kind.definition, node: kind.schema.node, edition, verbs, prefix, ...(kind.fromStored === undefined ? {} : { convert: { fromStored: kind.fromStored, toStored: unchanged } }) };
  const others = (kind.alsoServed ?? []).map((other): Served => {
    const at = { group: other.group ?? kind.group, version: other.version };
    return { ...own, ...at, apiVersion: apiVersionOf(at), ...(other.overrides === undefined ? {} : { kind: { ...kind, ...other.overrides } }), definition: other.definition, node: other.schema.node, convert: { fromStored: other.fromStored, toStored: other.toStored } };
  });
  return [own, ...others];
}
