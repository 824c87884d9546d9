/**
 * Stored values as objects and as texts. A value is JSON without `metadata.resourceVersion`; both views put the entry's
 * revision in. Each entry is parsed at most once: whoever wrote an object offers it, and the views take it over.
 */
import type { Entry, Index } from "../store/store.ts";
import { deepFreeze } from "../base/json.ts";
import { parseJson, stringifyJson } from "../base/json-codec.ts";
import { withNulls, withoutNulls } from "../schema/go-nulls.ts";
import { managedFieldsText } from "../schema/managed-fields.ts";
import type { Node } from "../schema/t.ts";

type Memo = { object: any };
type Options = {
  /** Deep-freezes every object that is handed out: for tests, where a mutation must fail loudly. */
  readonly freeze: boolean;
  /** The schema of what lies at a store key; `undefined`: it is held as it is written. */
  readonly nodeOf?: (key: string) => Node | undefined;
};

export class Objects {
  readonly #freeze: boolean;
  readonly #nodeOf: (key: string) => Node | undefined;
  readonly #indexes = new WeakMap<(object: any) => string, Index>();
  readonly #offered = new Map<string, { value: string; object: any }>();

  constructor(options: Options) {
    this.#freeze = options.freeze;
    this.#nodeOf = options.nodeOf ?? (() => undefined);
  }

  /** The entry's object with its resourceVersion: shared, never to be mutated. */
  object(entry: Entry): any {
    const memo = entry.memo as Memo | undefined;
    if (memo !== undefined) return memo.object;
    const offer = this.#offered.get(entry.key);
    const taken = offer !== undefined && offer.value === entry.value;
    const object = taken ? offer.object : this.#parsed(entry);
    const version = String(entry.revision);
    const versioned = object.metadata.resourceVersion === version ? object : withVersion(object, version);
    if (this.#freeze) deepFreeze(versioned);
    entry.memo = { object: versioned } satisfies Memo;
    return versioned;
  }

  #parsed({ key, value }: Entry): any {
    const object = parseStored(value), node = this.#nodeOf(key);
    return node === undefined ? object : withoutNulls(node, object);
  }

  /** By what `get` says of the objects; the same for the same function. */
  index(get: (object: any) => string): Index {
    let index = this.#indexes.get(get);
    if (index === undefined) this.#indexes.set(get, (index = { of: entry => get(this.object(entry)) }));
    return index;
  }

  /** JSON text with the resourceVersion spliced in. */
  text(entry: Entry): string {
    return splice(entry.value, entry.revision);
  }

  /** Until the returned function is called, an entry of this key with this very value need not be parsed. */
  offer(key: string, value: string, object: any): () => void {
    const mine = { value, object };
    this.#offered.set(key, mine);
    return () => {
      if (this.#offered.get(key) === mine) this.#offered.delete(key);
      // The map's outgrown tables still know it (`base/in-flight.ts`).
      mine.value = "";
      mine.object = undefined;
    };
  }
}

/** The text that is stored: no resourceVersion, and the type first as Go writes it. */
export function storedText(node: Node, object: any): string {
  const { kind, apiVersion, metadata: given, ...rest } = withNulls(node, object);
  const { name, generateName, namespace, uid, resourceVersion: _, generation, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds, managedFields, ...metadata } = given;
  const before = { name, generateName, namespace, uid, generation, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds, ...metadata };
  const entries = managedFieldsText(managedFields);
  if (entries === undefined) return stringifyJson({ kind, apiVersion, metadata: { ...before, ...(managedFields === undefined ? {} : { managedFields }) }, ...rest });
  // Who owns what is half of the text, and known as text already.
  const metadataText = opened(before) + `"managedFields":${entries}}`;
  const others = stringifyJson(rest);
  return `${opened({ kind, apiVersion })}"metadata":${metadataText}${others === "{}" ? "}" : `,${others.slice(1)}`}`;
}

/** An object's text up to where another member may follow. */
function opened(object: object): string {
  const text = stringifyJson(object);
  return text === "{}" ? "{" : `${text.slice(0, -1)},`;
}

/** The same object with another resourceVersion, placed after the uid as Go does; everything else is shared. */
export function withVersion(object: any, resourceVersion: string): any {
  const { name, generateName, namespace, uid, resourceVersion: _, ...rest } = object.metadata;
  const metadata = { ...(name === undefined ? {} : { name }), ...(generateName === undefined ? {} : { generateName }), ...(namespace === undefined ? {} : { namespace }), ...(uid === undefined ? {} : { uid }), resourceVersion, ...rest };
  return { ...object, metadata };
}

/** Puts the resourceVersion where Go writes it. */
export function splice(value: string, revision: number): string {
  const { at, text } = versionIn(value, revision);
  return `${value.slice(0, at)}${text}${value.slice(at)}`;
}

/** Where Go writes the resourceVersion, and how: after the uid, which stands among the first fields of metadata and whose quotes no user text can imitate. */
export function versionIn(value: string, revision: number): { readonly at: number; readonly text: string } {
  const uid = value.indexOf(',"uid":"');
  if (uid >= 0) return { at: value.indexOf('"', uid + 8) + 1, text: `,"resourceVersion":"${revision}"` };
  const at = value.indexOf('"metadata":{') + 12;
  return { at, text: `"resourceVersion":"${revision}"${value[at] === "}" ? "" : ","}` };
}

/** Whole numbers past 2^53 survive; all else takes the fast way. */
function parseStored(text: string): any {
  return /[:[,]-?[0-9]{16}/.test(text) ? parseJson(text).value : JSON.parse(text);
}
