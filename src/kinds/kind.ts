/** What a kind is: everything the system knows of it, in one declaration. */
import type { Json } from "../base/json.ts";
import type { Problem } from "../schema/problem.ts";
import * as t from "../schema/t.ts";
import { ObjectMeta } from "./meta/objectmeta.ts";

export type { Problem } from "../schema/problem.ts";

type F = t.Field<any, any, any>;
export type Shape = { readonly [name: string]: F };

/** One column of `kubectl get`. `priority` 1 shows with `-o wide` only. */
export type Column<T = any> = {
  readonly name: string;
  readonly type?: "string" | "integer" | "number" | "boolean" | "date";
  readonly format?: string;
  readonly priority?: 0 | 1;
  readonly doc?: string;
  /** False: rows have the cell, the definitions of the columns do not tell of it. */
  readonly announced?: false;
  /** `now` is in milliseconds since the epoch. */
  readonly cell: (object: T, now: number) => string | number | bigint | boolean | null;
};

/** What `defaults` and `prepare` may use besides the object. */
export type PrepareContext = {
  readonly now: number;
  readonly operation: "create" | "update";
  readonly subresource: string;
  /** The version in the URL; absent: the kind's own. */
  readonly apiVersion?: string;
  /** Tells the client, whatever becomes of the request. */
  readonly warn?: (text: string) => void;
};

export type Kind<S extends Shape = any> = {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  /** Default: the kind in lower case. */
  readonly singular?: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly namespaced: boolean;
  /** OpenAPI definition name: `io.k8s.api.core.v1.Pod`. */
  readonly definition: string;
  readonly doc: string;
  /** Upstream's OpenAPI demands metadata of this kind (core/v1 Event alone). */
  readonly metadataRequired?: boolean;
  /** Everything but apiVersion, kind and metadata. */
  readonly fields: S;
  /** The whole object's schema, metadata included; made by `defineKind`. */
  readonly schema: t.Field<any, any, any>;
  /** Default: create delete deletecollection get list patch update watch. */
  readonly verbs?: readonly Verb[];
  readonly subresources?: readonly string[];
  /** Fields besides metadata.name and metadata.namespace that a field selector may name, and how to read each. */
  readonly selectable?: { readonly [path: string]: (object: any) => string };
  /** What is told of a field that cannot be selected, where upstream has words of its own. */
  readonly unselectable?: (field: string) => string;
  /** Upstream keeps no watch cache of it: a list at resourceVersion 0 minds its limit. */
  readonly uncached?: boolean;
  /** Grammar of metadata.name: default dns-1123-subdomain. */
  readonly nameGrammar?: "dns-1123-subdomain" | "dns-1123-label" | "dns-1035-label" | "path-segment";
  /** Defaults a single field cannot express; runs after the schema's own, on a mutable private copy. Also on every read-modify-write. */
  readonly defaults?: (object: any) => void;
  /** Upstream's "strategy": what the server itself decides before validation (cluster IPs, status reset, generation rules). Mutates `next`. */
  readonly prepare?: (next: any, previous: any | undefined, context: PrepareContext) => void;
  /** Rules the schema cannot say: across fields, or across an update. */
  readonly rules?: (next: any, previous: any | undefined, context: PrepareContext) => Iterable<Problem>;
  /** Fields that upstream checks in another order than that of their protobuf numbers: paths without indices, those not named come after. */
  readonly checkOrder?: readonly string[];
  /** Paths that writing through a subresource ("": the object) does not own, where they are not those of most kinds (upstream's GetResetFields). */
  readonly resets?: (subresource: string) => readonly (readonly string[])[];
  /** Non-fatal advice on what a client writes, sent as `Warning` headers; not on subresources but `scale`. */
  readonly warnings?: (next: any, previous: any | undefined) => Iterable<string>;
  /** The same on writes of its status. */
  readonly statusWarnings?: (next: any) => Iterable<string>;
  /** What every request for it is answered with besides, as a `Warning` header. */
  readonly deprecated?: string | undefined;
  readonly columns: readonly Column[];
  /** Conditions of an object's row in a Table. */
  readonly rowConditions?: (object: any) => readonly { readonly type: string; readonly status: string; readonly reason: string; readonly message: string }[];
  /** The version that upstream stores it in, where that is not this one: only the storage version hash tells. */
  readonly hashedAs?: string;
  /** The order of rows in a Table of a list, where it is not that of the names. */
  readonly tableOrder?: (a: any, b: any) => number;
  /** `metadata.generation` starts at 1 and rises with every change outside metadata and status; "first": it stays 1. */
  readonly generation?: true | "first";
  /** A create keeps the status it brings (nodes, custom resources without the subresource); otherwise `prepare` sees none. */
  readonly statusOnCreate?: boolean;
  /** One that comes without a name is named by the server. */
  readonly namedIfNameless?: boolean;
  /** A PUT of an absent object creates it (upstream's AllowCreateOnUpdate). */
  readonly createOnUpdate?: boolean;
  /** A change of these makes a new generation, too. */
  readonly generationBy?: "labels" | "annotations";
  /** A PUT without resourceVersion is refused (upstream's AllowUnconditionalUpdate returns false). */
  readonly conditionalUpdate?: boolean;
  /** A write of its status changes nothing of its metadata (upstream's ResetObjectMetaForStatus). */
  readonly statusAlone?: boolean;
  /** DELETE answers with the object rather than a Status (upstream's ReturnDeletedObject). */
  readonly returnDeleted?: boolean;
  /** Dependents are orphaned unless the caller says otherwise (batch/v1 Job, ReplicationController); a text: what a caller who does not is told. */
  readonly orphanByDefault?: true | string;
  /** Nothing waits for dependents, whatever the caller says (upstream's GarbageCollectionUnsupported). */
  readonly ownsNothing?: boolean;
  /** Made by a CustomResourceDefinition: no protobuf, no strategic merge, every field but metadata is the definition's. */
  readonly custom?: true;
  /** Where `scale` finds its numbers, as dotted paths; absent: spec.replicas, status.replicas and spec.selector. */
  readonly scale?: { readonly spec: string; readonly status: string; readonly selector?: string };
  /** Objects may be stored in an older version or without newer defaults: how to see them in this one. */
  readonly fromStored?: (object: any) => Json;
  /** Its definition is being deleted: nothing new of it is made. */
  readonly terminating?: boolean;
  /** The apiVersion that stored objects have; absent: the kind's own, whatever version they came in. */
  readonly storedAs?: string;
  /** How objects come from one version to another, where only somebody else knows. */
  readonly conversion?: Conversion;
  /** Another API server stores its objects, under resource versions of its own: only their metadata is known here. */
  readonly remote?: true;
  /** Never stored: a request whose answer is computed (reviews, bindings, evictions). */
  readonly virtual?: boolean;
  /** Kind of its lists, where that is not `…List`. */
  readonly listKind?: string;
  /** Answers only as a subresource of others (`scale`, `eviction`, `token`): no path of its own. */
  readonly subresourceOnly?: boolean;
  /** Other versions or groups the same stored objects are served under. */
  readonly alsoServed?: readonly AlsoServed[];
};
/** Objects of one kind in another version. Throws an `ApiError` when it cannot be made. */
export interface Conversion {
  /** In the same order; those that are in this version already are returned as they are. */
  convert(objects: readonly any[], apiVersion: string): Promise<readonly any[]>;
  /** Makes sure that `converted` has an answer for each. `fresh`: even if it had one, since whoever converts may have changed its mind. */
  prepare(objects: readonly any[], apiVersion: string, how?: { readonly fresh?: boolean }): Promise<void>;
  /** What `prepare` has made. */
  converted(object: any, apiVersion: string): any;
}

/** Another version, or group, of a kind. The two functions work on the fields only: apiVersion and kind are set by the caller. */
export type AlsoServed = {
  readonly group?: string;
  readonly version: string;
  readonly definition: string;
  readonly fields: Shape;
  /** The whole object's schema; made by `defineKind`. */
  readonly schema: t.Field<any, any, any>;
  readonly fromStored: (object: any) => Json;
  readonly toStored: (object: any) => Json;
  /** What a version of a custom resource has of its own. */
  readonly overrides?: Pick<AnyKind, "subresources" | "scale" | "deprecated" | "selectable"> & { readonly columns?: AnyKind["columns"] };
};
export type Verb = "create" | "delete" | "deletecollection" | "get" | "list" | "patch" | "update" | "watch";
export type AnyKind = Kind<any>;

type Declared<S extends Shape> = Omit<Kind<S>, "schema" | "columns" | "prepare" | "rules" | "warnings" | "statusWarnings" | "defaults" | "selectable" | "alsoServed"> & {
  readonly alsoServed?: readonly Omit<AlsoServed, "schema">[];
  readonly columns?: readonly Column<ObjectOf<S>>[];
  readonly selectable?: { readonly [path: string]: (object: ObjectOf<S>) => string };
  readonly defaults?: (object: any) => void;
  readonly prepare?: (next: any, previous: ObjectOf<S> | undefined, context: PrepareContext) => void;
  readonly rules?: (next: ObjectOf<S>, previous: ObjectOf<S> | undefined, context: PrepareContext) => Iterable<Problem>;
  readonly warnings?: (next: ObjectOf<S>, previous: ObjectOf<S> | undefined) => Iterable<string>;
  readonly statusWarnings?: (next: ObjectOf<S>) => Iterable<string>;
};

/** Metadata of an object that the server has stored. */
export interface StoredMeta extends ObjectMeta {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly creationTimestamp: string;
}
/** An object as the server stores and controllers read it. */
export type ObjectOf<S extends Shape> = { readonly apiVersion: string; readonly kind: string; readonly metadata: StoredMeta } & t.StoredShape<S>;
export type Resource<K> = K extends Kind<infer S> ? ObjectOf<S> : never;
/** An object as a client may send it. */
export type New<K> = K extends Kind<infer S> ? { readonly metadata?: t.Input<typeof ObjectMeta> } & t.InputShape<S> : never;

/** Declares a kind. Protobuf numbers 1 metadata, 2… as each field says. */
export function defineKind<const S extends Shape>(kind: Declared<S>): Kind<S> {
  const alsoServed = kind.alsoServed?.map(served => ({ ...served, schema: wholeObject(served.definition, served.fields) }));
  return { columns: [], ...kind, schema: wholeObject(kind.definition, kind.fields, kind.metadataRequired), ...(alsoServed ? { alsoServed } : {}) } as unknown as Kind<S>;
}

function wholeObject(definition: string, fields: Shape, metadataRequired = false): F {
  const metadata = ObjectMeta.pb(1).always("{}").doc("Name, labels and everything else that every object has.");
  return t.object(definition, {
    apiVersion: t.string().doc("Version of the schema this object is written in."),
    kind: t.string().doc("Name of the resource this object represents."),
    metadata: metadataRequired ? metadata.required() : metadata,
    ...fields,
    ...(fields["status"] === undefined ? {} : { status: fields["status"].unchecked() }),
  });
}

/** What a list of objects with this definition is called. */
export const listDefinition = (definition: string, { listKind }: { readonly listKind?: string | undefined }): string => (listKind === undefined ? `${definition}List` : definition.replace(/[^.]+$/, listKind));

/** `group/version`, or `version` alone in the core group. */
export function apiVersionOf(kind: Pick<AnyKind, "group" | "version">): string {
  return kind.group === "" ? kind.version : `${kind.group}/${kind.version}`;
}
/** `plural.group` as upstream's messages write it. */
export function qualifiedResource(kind: Pick<AnyKind, "group" | "plural">): string {
  return kind.group === "" ? kind.plural : `${kind.plural}.${kind.group}`;
}
