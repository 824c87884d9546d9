/**
 * The schema language. One expression per field gives, from a single place: the TypeScript type (before and after
 * defaulting), decoding, validation, defaulting, OpenAPI, protobuf, and the list and map metadata that strategic-merge
 * patch and server-side apply need. Custom resources become the same nodes at run time.
 */
import type { Json } from "../base/json.ts";
import type { Problem } from "./problem.ts";

export type ListType =
  /** `implied`: upstream says nothing in its OpenAPI, and atomic is what that means. */
  | { readonly type: "atomic"; readonly implied?: true }
  | { readonly type: "set" }
  | { readonly type: "map"; readonly keys: readonly string[] };

/** What goes over the wire in JSON for each `format`: quantity, int-or-string and the times are strings (or a number). */
export type Format =
  | "int32" | "int64" | "double" | "byte" | "date-time" | "micro-time" | "duration" | "quantity" | "int-or-string";

/** What the machinery walks at run time: plain data. A `fields` or `items` that refers to itself is a getter (see `lazy`). */
export type Node = {
  readonly kind: "string" | "integer" | "number" | "boolean" | "object" | "list" | "map" | "any";
  readonly format?: Format;
  /** A custom resource's text with a format: any scalar may be applied, and is judged when the object is validated. */
  readonly untyped?: true;
  /** OpenAPI definition name of a shared object, e.g. `io.k8s.api.core.v1.Container`. */
  readonly ref?: string;
  readonly fields?: { readonly [name: string]: Node };
  readonly items?: Node;
  readonly list?: ListType;
  /** Object or map replaced as a whole by server-side apply (`x-kubernetes-map-type: atomic`); false where upstream declares `granular`. */
  readonly atomic?: boolean;
  readonly patchStrategy?: "merge" | "retainKeys" | "merge,retainKeys" | "replace";
  readonly patchMergeKey?: string;
  readonly presence?: Presence;
  readonly default?: Json;
  readonly publishedDefault?: boolean;
  readonly immutable?: boolean;
  readonly nullable?: boolean;
  readonly enum?: readonly string[];
  readonly min?: number;
  readonly max?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  /** A named grammar from `schema/grammar.ts` (dns-1123-label, qualified-name, …): linear-time, with upstream's message. */
  readonly grammar?: string;
  /** Keep fields the schema does not know (`x-kubernetes-preserve-unknown-fields`). */
  readonly preserveUnknown?: boolean;
  /** Upstream checks nothing of it by itself (the status of built-in kinds): `validate` leaves it to the kind's rules. */
  readonly unchecked?: boolean;
  /** A whole object with apiVersion, kind and metadata inside (`x-kubernetes-embedded-resource`). */
  readonly embedded?: boolean;
  /** One-of-many: the discriminator field if any, and member fields (`x-kubernetes-unions`). */
  readonly union?: { readonly discriminator?: string; readonly members: { readonly [field: string]: string } };
  /** Protobuf field number. */
  readonly pb?: number;
  /** Numbers of the messages around this field in protobuf, outermost first, where JSON has no such nesting (`Volume` has `volumeSource = 2`). */
  readonly within?: readonly number[];
  /** How protobuf differs from JSON for this node; derived from `format` when absent. */
  readonly wire?: "list-wrapper" | "bool-or-schema" | "schema-or-array" | "schema-or-strings" | "raw";
  /** Go writes it even when empty: as its zero value, as `{}`, as `null` for a nil pointer or time; `[]` is a list that is never absent to us and `null` in what is stored and sent (`go-nulls.ts`), "zero" one that is made and never nil. */
  readonly always?: Always;
  /** A pointer in Go: protobuf and JSON keep the difference between absent and zero. */
  readonly pointer?: boolean;
  /** On the root of a custom resource: its values keep what Go's types would drop, and its own schema decodes, defaults, checks and publishes it. */
  readonly custom?: CustomSchema;
  /** One sentence for `kubectl explain`, in our own words. */
  readonly doc?: string;
};

export type Always = "zero" | "{}" | "null" | "[]";

export type CustomSchema = {
  /** A private copy without what the schema does not know; what an apply has made keeps nulls that are not allowed. */
  decode(value: Json, applied: boolean): { readonly object: any; readonly unknown: readonly string[] };
  setDefaults(object: any): void;
  validate(next: any, previous: any): readonly Problem[];
  /** What is looked at after `validate`, which found `problems`, and may take long; `undefined`: nothing. */
  rules(next: any, previous: any, problems: readonly Problem[]): Steps | undefined;
  /** The definition as OpenAPI publishes it. */
  publish(dialect: "v2" | "v3"): { readonly [keyword: string]: Json };
};

/** A check that may take long, done in steps so that others have their turn: `step` is true when it is over. */
export type Steps = { readonly problems: readonly Problem[]; step(): boolean };

/** How a field appears: absent-able, demanded of the client, or filled in by us. */
export type Presence = "optional" | "required" | "defaulted";

export class Field<In, Out = In, P extends Presence = "optional"> {
  declare readonly In: In;
  declare readonly Out: Out;
  declare readonly P: P;
  readonly node: Node;
  /** Its node has getters that must not run while kinds are still being declared. */
  readonly #lazy: boolean;
  constructor(node: Node, lazy = false) {
    this.node = node;
    this.#lazy = lazy;
  }
  #with<Q extends Presence = P>(more: Partial<Node>): Field<In, Out, Q> {
    if (!this.#lazy) return new Field({ ...this.node, ...more });
    return new Field(Object.create(Object.prototype, { ...Object.getOwnPropertyDescriptors(this.node), ...Object.getOwnPropertyDescriptors(more) }) as Node, true);
  }

  required(): Field<In, Out, "required"> { return this.#with({ presence: "required" }); }
  /** `published`: upstream's OpenAPI documents name this default too; the rest of them only its code does. */
  default(value: In & Json, published?: "published"): Field<In, Out, P extends "required" ? P : "defaulted"> {
    return this.#with({ ...(this.node.presence === "required" ? {} : { presence: "defaulted" as const }), default: value, ...(published ? { publishedDefault: true } : {}) });
  }
  /** Present in what is stored without a static default (filled in by a kind's `defaults` or by the server). */
  filled(): Field<In, Out, "defaulted"> { return this.#with({ presence: "defaulted" }); }
  /** Protobuf field number. */
  pb(pb: number): Field<In, Out, P> { return this.#with({ pb }); }
  /** Protobuf nests this field in messages that JSON does not have. */
  within(...within: readonly number[]): Field<In, Out, P> { return this.#with({ within }); }
  doc(doc: string): Field<In, Out, P> { return this.#with({ doc }); }
  immutable(): Field<In, Out, P> { return this.#with({ immutable: true }); }
  nullable(): Field<In, Out, P> { return this.#with({ nullable: true }); }
  min(min: number): Field<In, Out, P> { return this.#with({ min }); }
  max(max: number): Field<In, Out, P> { return this.#with({ max }); }
  minLength(minLength: number): Field<In, Out, P> { return this.#with({ minLength }); }
  maxLength(maxLength: number): Field<In, Out, P> { return this.#with({ maxLength }); }
  maxItems(maxItems: number): Field<In, Out, P> { return this.#with({ maxItems }); }
  minItems(minItems: number): Field<In, Out, P> { return this.#with({ minItems }); }
  grammar(grammar: string): Field<In, Out, P> { return this.#with({ grammar }); }
  atomic(): Field<In, Out, P> { return this.#with({ atomic: true }); }
  implied(): Field<In, Out, P> { return this.#with({ list: { type: "atomic", implied: true } }); }
  granular(): Field<In, Out, P> { return this.#with({ atomic: false }); }
  preserveUnknown(): Field<In, Out, P> { return this.#with({ preserveUnknown: true }); }
  unchecked(): Field<In, Out, P> { return this.#with({ unchecked: true }); }
  embedded(): Field<In, Out, P> { return this.#with({ embedded: true }); }
  pointer(): Field<In, Out, P> { return this.#with({ pointer: true }); }
  /** Always there once decoded; `null` alone says nothing of what we hold. */
  always<const A extends Always>(always: A): Field<In, Out, A extends "null" ? P : P extends "optional" ? "defaulted" : P> { return this.#with({ always }); }
  wire(wire: NonNullable<Node["wire"]>): Field<In, Out, P> { return this.#with({ wire }); }
  union(union: NonNullable<Node["union"]>): Field<In, Out, P> { return this.#with({ union }); }
  /** Strategic-merge patch merges list items by this key, or scalars as a set when no key is given. */
  mergeBy(patchMergeKey?: string): Field<In, Out, P> {
    return this.#with({ patchStrategy: "merge", ...(patchMergeKey === undefined ? {} : { patchMergeKey }) });
  }
  /** Strategic-merge patch replaces the whole. */
  replaced(): Field<In, Out, P> { return this.#with({ patchStrategy: "replace" }); }
  retainKeys(): Field<In, Out, P> {
    return this.#with({ patchStrategy: this.node.patchStrategy === "merge" ? "merge,retainKeys" : "retainKeys" });
  }
}

type AnyField = Field<any, any, any>;
type Shape = { readonly [name: string]: AnyField };
type Flat<T> = { [K in keyof T]: T[K] } & {};
type KeysOf<S extends Shape, P extends Presence> = {
  [K in keyof S]: S[K] extends Field<any, any, infer Q> ? (Q extends P ? K : never) : never;
}[keyof S];

/** What a client may send. */
export type InputShape<S extends Shape> = Flat<
  { readonly [K in KeysOf<S, "required">]: S[K]["In"] } & { readonly [K in KeysOf<S, "optional" | "defaulted">]?: S[K]["In"] | undefined }
>;
/** What the server stores and controllers read: defaulted fields are present. */
export type StoredShape<S extends Shape> = Flat<
  { readonly [K in KeysOf<S, "required" | "defaulted">]: S[K]["Out"] } & { readonly [K in KeysOf<S, "optional">]?: S[K]["Out"] | undefined }
>;
export type Input<F extends AnyField> = F["In"];
export type Stored<F extends AnyField> = F["Out"];

export const string = (): Field<string> => new Field({ kind: "string" });
export const bool = (): Field<boolean> => new Field({ kind: "boolean" });
export const int32 = (): Field<number> => new Field({ kind: "integer", format: "int32" });
/** Within ±2^53 a number; beyond it a bigint (`base/json-codec.ts`), never rounded. */
export const int64 = (): Field<number> => new Field({ kind: "integer", format: "int64" });
export const double = (): Field<number> => new Field({ kind: "number", format: "double" });
/** Base64 in JSON. */
export const bytes = (): Field<string> => new Field({ kind: "string", format: "byte" });
/** Any JSON value. */
export const any = (): Field<Json> => new Field({ kind: "any" });
/** A whole object of any kind, kept as it came: upstream's RawExtension. */
export const rawExtension = (): Field<Json> => new Field({ kind: "any", ref: "io.k8s.apimachinery.pkg.runtime.RawExtension", wire: "raw" });
/** A trie of field paths (`managedFields`). */
export const fieldsV1 = (): Field<Json> => new Field({ kind: "any", ref: "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1", wire: "raw" });
/** Any JSON value, raw in protobuf: upstream's apiextensions JSON. */
export const rawJson = (): Field<Json> => new Field({ kind: "any", ref: "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON", wire: "raw" });
/** RFC 3339, whole seconds. */
export const time = (): Field<string | null, string> => new Field({ kind: "string", format: "date-time", nullable: true });
/** RFC 3339 with six digits. */
export const microTime = (): Field<string | null, string> => new Field({ kind: "string", format: "micro-time", nullable: true });
/** Go's notation: `1m0s`. */
export const duration = (): Field<string> => new Field({ kind: "string", format: "duration" });
export const quantity = (): Field<string | number, string> => new Field({ kind: "string", format: "quantity" });
export const intOrString = (): Field<number | string> => new Field({ kind: "string", format: "int-or-string" });

export function oneOf<const V extends readonly string[]>(...values: V): Field<V[number]> {
  return new Field({ kind: "string", enum: values });
}

/** An object. With a name it is a definition of its own in OpenAPI; without, it is written in place. */
export function object<S extends Shape>(ref: string, fields: S): Field<InputShape<S>, StoredShape<S>>;
export function object<S extends Shape>(fields: S): Field<InputShape<S>, StoredShape<S>>;
export function object(first: string | Shape, second?: Shape): AnyField {
  const shape = typeof first === "string" ? second! : first;
  const fields = Object.fromEntries(Object.entries(shape).map(([name, field]) => [name, field.node]));
  return new Field({ kind: "object", fields, ...(typeof first === "string" ? { ref: first } : {}) });
}

/** A map from any string to one kind of value. */
export function map<In, Out>(value: Field<In, Out, any>): Field<{ readonly [key: string]: In }, { readonly [key: string]: Out }> {
  return new Field({ kind: "map", items: value.node });
}
/** A list replaced as a whole. The default, because it is what server-side apply assumes. */
export function list<In, Out>(item: Field<In, Out, any>): Field<readonly In[], readonly Out[]> {
  return new Field({ kind: "list", items: item.node, list: { type: "atomic" } });
}
/** A list of distinct scalars. */
export function set<In, Out>(item: Field<In, Out, any>): Field<readonly In[], readonly Out[]> {
  return new Field({ kind: "list", items: item.node, list: { type: "set" } });
}
/** A list of objects told apart by `keys`, each of which must name a field of the item. */
export function listBy<In extends object, Out>(
  item: Field<In, Out, any>,
  ...keys: readonly (keyof In & string)[]
): Field<readonly In[], readonly Out[]> {
  return new Field({ kind: "list", items: item.node, list: { type: "map", keys } });
}

/** A JSON schema, or what may stand in its place: a bool, a list of schemas or a list of field names (upstream's JSONSchemaPropsOr…). */
export function schemaOr(wire: "bool-or-schema" | "schema-or-array" | "schema-or-strings", schema: () => AnyField): Field<Json> {
  const name = { "bool-or-schema": "JSONSchemaPropsOrBool", "schema-or-array": "JSONSchemaPropsOrArray", "schema-or-strings": "JSONSchemaPropsOrStringArray" }[wire];
  return new Field(Object.defineProperty({ kind: "any", wire, ref: `io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.${name}` }, "items", { get: () => schema().node, enumerable: true, configurable: true }) as Node, true);
}

/** A schema that refers to itself: `type` says what it is, `field` is asked for when it is first walked. */
export function lazy<In, Out = In>(field: () => AnyField): Field<In, Out> {
  let node: Node | undefined;
  const found = (): Node => (node ??= field().node);
  return new Field(Object.defineProperties({}, Object.fromEntries(
    (["kind", "fields", "items", "ref", "list", "union", "preserveUnknown", "atomic", "format"] as const).map(name => [name, { get: () => found()[name], enumerable: true, configurable: true }]),
  )) as Node, true);
}
