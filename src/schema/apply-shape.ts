/**
 * What field ownership needs to know of a schema: which values are leaves, which lists have items with a name of their
 * own, and what Go's types make of an absent field. Derived once per `Node` and remembered.
 */
import type { Json, JsonObject } from "../base/json.ts";
import { givenEmpty } from "./go-nulls.ts";
import type { Node } from "./t.ts";

export type Shape =
  | { readonly type: "scalar"; readonly scalar: "string" | "numeric" | "boolean" | "untyped" }
  /** Its items are owned as one; what they must be is seen when a configuration is checked. */
  | { readonly type: "list"; readonly mode: "atomic"; readonly items: Node | undefined }
  | ListShape
  | MapShape
  /** Anything: maps are granular, lists are leaves, as upstream's `__untyped_deduced_`. */
  | { readonly type: "deduced" };
export type ListShape = {
  readonly type: "list";
  readonly mode: "set" | "map";
  /** Sorted: the order in which a path writes them. */
  readonly keys: readonly string[];
  /** Values that stand in for absent keys. */
  readonly defaults: readonly (Json | undefined)[];
  readonly item: Shape;
};
export type MapShape = {
  readonly type: "map";
  readonly atomic: boolean;
  readonly fields: ReadonlyMap<string, FieldShape>;
  /** The same, sorted by name: the order in which sets of fields are written. */
  readonly ordered: readonly FieldShape[];
  /** Of keys that are no field; `undefined` if there can be none. */
  readonly item: Shape | undefined;
};

export const deduced: Shape = { type: "deduced" };

/** One declared field of an object. */
export class FieldShape {
  readonly name: string;
  /** As an element of a path on the wire. */
  readonly element: string;
  /** The same as a key of an object's text: `"f:name":`. */
  readonly key: string;
  readonly node: Node;
  /** What an absent field is in Go's struct, for fields that Go always writes. */
  readonly zero: Json | undefined;
  readonly #go: boolean;
  readonly #elides: boolean;
  readonly #nil: boolean;
  readonly #inherited: boolean;
  #shape: Shape | undefined;
  constructor(name: string, node: Node) {
    this.name = name;
    this.element = `f:${name}`;
    this.key = `${JSON.stringify(this.element)}:`;
    this.node = node;
    this.#go = node.pb !== undefined || node.always !== undefined;
    this.zero = node.always === undefined ? undefined : node.always === "{}" ? {} : node.always === "[]" || node.always === "null" ? null : zeroOf(node);
    this.#elides = this.#go && node.always === undefined && node.pointer !== true && node.kind !== "object" && node.kind !== "any";
    this.#nil = node.always === "[]";
    this.#inherited = name in Object.prototype;
  }
  get shape(): Shape {
    return (this.#shape ??= shapeOf(this.node));
  }
  /** The field's value as it is written. */
  written(object: JsonObject): Json | undefined {
    return this.#inherited && !Object.hasOwn(object, this.name) ? undefined : object[this.name];
  }
  /** The field's value as the typed object has it: Go knows no null, and drops zero values marked `omitempty`. */
  of(object: JsonObject): Json | undefined {
    const value = this.written(object);
    if (!this.#go) return value;
    if (value === undefined || value === null) return this.zero;
    if (!this.#elides) return this.#nil && value !== givenEmpty && isEmpty(value as object) ? null : value;
    return value === "" || value === 0 || value === false || (typeof value === "object" && isEmpty(value)) ? undefined : value;
  }
}

function zeroOf(node: Node): Json {
  if (node.kind === "list") return [];
  if (node.kind === "string") return node.format === "int-or-string" ? 0 : node.format === "quantity" ? "0" : "";
  if (node.kind === "integer" || node.kind === "number") return 0;
  return node.kind === "boolean" ? false : null;
}

export function isEmpty(value: object): boolean {
  for (const _ in value) return false;
  return true;
}

const shapes = new WeakMap<Node, Shape>();
const owned = new WeakMap<Node, Shape>();

/** The shape of a schema. Its parts are derived when they are first reached, so schemas may refer to themselves. */
export function shapeOf(node: Node): Shape {
  let shape = shapes.get(node);
  if (shape === undefined) shapes.set(node, (shape = derive(node)));
  return shape;
}

/** Paths that nobody owns, because the server or the object's identity does (apimachinery managedfields/internal/stripmeta.go). */
const strippedMeta = new Set(["name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation", "managedFields", "resourceVersion"]);

/** The shape of a whole object without the fields that field managers do not own. */
export function ownedShapeOf(node: Node): Shape {
  let shape = owned.get(node);
  if (shape === undefined) owned.set(node, (shape = deriveOwned(shapeOf(node))));
  return shape;
}

function deriveOwned(root: Shape): Shape {
  if (root.type !== "map") return root;
  const without = (shape: MapShape, names: ReadonlySet<string>, item: Shape | undefined): MapShape => {
    const ordered = shape.ordered.filter(field => !names.has(field.name));
    return { ...shape, ordered, fields: new Map(ordered.map(field => [field.name, field])), item };
  };
  const kept = without(root, new Set(["apiVersion", "kind"]), root.item);
  const ordered = kept.ordered.map(field => {
    if (field.name !== "metadata" || field.shape.type !== "map") return field;
    const shape = without(field.shape, strippedMeta, undefined);
    return Object.create(field, { shape: { value: shape }, of: { value: (object: JsonObject) => field.of(object) ?? {} }, written: { value: (object: JsonObject) => field.written(object) ?? {} } }) as FieldShape;
  });
  return { ...kept, ordered, fields: new Map(ordered.map(field => [field.name, field])) };
}

function derive(node: Node): Shape {
  // A whole object that is kept as it came has no fields to own.
  if (node.ref === "io.k8s.apimachinery.pkg.runtime.RawExtension") return { type: "map", atomic: true, fields: new Map(), ordered: [], item: deduced };
  switch (node.kind) {
    case "any": return deduced;
    case "boolean": return { type: "scalar", scalar: "boolean" };
    case "integer": case "number": return { type: "scalar", scalar: "numeric" };
    case "string": return node.format === "int-or-string" ? deduced : { type: "scalar", scalar: node.untyped !== true && (node.format === undefined || node.format === "byte" || node.format === "duration") ? "string" : "untyped" };
    case "list": return deriveList(node);
    case "map": {
      const items = node.items;
      let item: Shape | undefined;
      return { type: "map", atomic: node.atomic === true, fields: new Map(), ordered: [], get item(): Shape { return (item ??= items === undefined ? deduced : shapeOf(items)); } };
    }
    case "object": {
      const declared = Object.entries(node.fields ?? {}).map(([name, field]) => new FieldShape(name, field)).sort((a, b) => (a.name < b.name ? -1 : 1));
      const open = node.preserveUnknown === true || (declared.length === 0 && node.items === undefined);
      return {
        type: "map", atomic: node.atomic === true, ordered: declared, fields: new Map(declared.map(field => [field.name, field])),
        item: node.items !== undefined ? shapeOf(node.items) : open ? deduced : undefined,
      };
    }
  }
}

function deriveList(node: Node): Shape {
  const list = node.list;
  if (list === undefined || list.type === "atomic" || node.items === undefined) return { type: "list", mode: "atomic", items: node.items };
  const items = node.items;
  const keys = list.type === "map" ? [...list.keys].sort() : [];
  let item: Shape | undefined;
  return { type: "list", mode: list.type, keys, defaults: keys.map(key => defaultOf(items.fields?.[key])), get item(): Shape { return (item ??= shapeOf(items)); } };
}

/** Of a key: what Go's type has where it says nothing is the default that upstream's schema declares. */
function defaultOf(key: Node | undefined): Json | undefined {
  return key?.default ?? (key?.always === "zero" ? zeroOf(key) : undefined);
}

/** `shape`, unless the value is of another form than it says: then what can be deduced from the value. */
export function fitting(shape: Shape, value: Json): Shape {
  if (value === null) return shape;
  if (typeof value !== "object") return shape.type === "scalar" ? shape : deduced;
  if (Array.isArray(value)) return shape.type === "list" ? shape : deduced;
  return shape.type === "map" ? shape : deduced;
}
