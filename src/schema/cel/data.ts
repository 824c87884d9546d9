/** JSON as CEL sees it: with a schema, each part has its declared type; without one, what JSON itself tells (apiserver pkg/cel/common). */
import { decodeBase64 } from "../../base/base64.ts";
import { type Json, getOwn, isObject, sameJson } from "../../base/json.ts";
import { CelError } from "./error.ts";
import { escapeName, isReservedName, unescapeName } from "./names.ts";
import { parseDuration, parseTimestamp } from "./time.ts";
import { type ObjectField, type Type, listOf, mapOf, types } from "./types.ts";
import { List, Mapping, type UnorderedList, type Value, keyText } from "./values.ts";

/** A type, how JSON becomes values of it, and how much of it a request can hold: what costs are estimated by. */
export type Decl = {
  readonly type: Type;
  /** Never given `null`. */
  readonly adapt: (json: Json) => Value;
  readonly nullable?: boolean;
  /** Bytes of the smallest value in JSON. */
  readonly minSize: number;
  /** Characters of the longest text, items of the longest list. */
  readonly maxElements: number;
  readonly fields?: ReadonlyMap<string, Decl>;
  readonly item?: Decl;
};

/** Bytes of the largest request. */
export const requestMax = 3 * 1024 * 1024;

/** How large what stands at a path inside can be. */
export function sizeInside(root: Decl, [, ...path]: readonly string[]): number | undefined {
  let here: Decl | undefined = root;
  for (const name of path) here = name === "@items" || name === "@values" ? here?.item : name === "@keys" ? (here?.type.kind === "map" ? keyDecl : undefined) : here?.fields?.get(name);
  return here?.maxElements;
}

const wrong = (text: string): never => { throw new CelError(text); };
const adapted = (decl: Decl, json: Json): Value => (json === null ? (decl.nullable === true ? null : wrong("invalid data, got null for schema with nullable=false")) : decl.adapt(json));
const isText = (json: Json): string => (typeof json === "string" ? json : wrong(`invalid data, expected string, got ${goType(json)}`));
function goType(json: Json): string {
  if (typeof json === "number" || typeof json === "bigint") return Number.isInteger(Number(json)) ? "int64" : "float64";
  return typeof json === "boolean" ? "bool" : typeof json === "string" ? "string" : Array.isArray(json) ? "[]interface {}" : "map[string]interface {}";
}
const isWhole = (json: Json): json is number | bigint => typeof json === "bigint" || (typeof json === "number" && Number.isInteger(json));

export const boolDecl: Decl = { type: types.bool, minSize: 4, maxElements: 0, adapt: json => (typeof json === "boolean" ? json : wrong(`invalid data, expected bool, got ${goType(json)}`)) };
export const intDecl: Decl = { type: types.int, minSize: 1, maxElements: 0, adapt: json => (isWhole(json) ? BigInt(json) : wrong(`invalid data, expected int, got ${goType(json)}`)) };
export const doubleDecl: Decl = { type: types.double, minSize: 1, maxElements: 0, adapt: json => (typeof json === "number" || typeof json === "bigint" ? Number(json) : wrong(`invalid data, expected float, got ${goType(json)}`)) };
export const intOrStringDecl = (maxElements: number): Decl => ({
  type: types.dyn, minSize: 1, maxElements,
  adapt: json => (typeof json === "string" ? json : isWhole(json) ? BigInt(json) : wrong("invalid data, expected XIntOrString value to be either a string or integer")),
});

/** A text; `format` may give it a meaning of its own. */
export function textDecl(format: string | undefined, maxElements: number): Decl {
  switch (format) {
    case "byte": return { type: types.bytes, minSize: 2, maxElements, adapt: json => decodeBase64(isText(json)) ?? wrong(`Invalid byte formatted string ${isText(json)}`) };
    case "duration": return { type: types.duration, minSize: 3, maxElements: 32, adapt: json => parseDuration(isText(json)) ?? wrong(`Invalid duration ${isText(json)}`) };
    case "date": return { type: types.timestamp, minSize: 12, maxElements: 12, adapt: json => parseTimestamp(`${isText(json)}T00:00:00Z`) ?? wrong(`Invalid date formatted string ${isText(json)}`) };
    case "date-time": return { type: types.timestamp, minSize: 21, maxElements: 32, adapt: json => parseTimestamp(isText(json)) ?? wrong(`Invalid date-time formatted string ${isText(json)}`) };
    default: return { type: types.string, minSize: 2, maxElements, adapt: isText };
  }
}

/** Names in maps. */
const keyDecl = textDecl(undefined, 0);

/** `unordered`: a set, or the fields that tell items apart. */
export function listDecl(item: Decl, unordered: "set" | readonly string[] | undefined, itemsMax: number | undefined): Decl {
  const order = unordered === undefined ? undefined : orderOf(unordered);
  return {
    type: listOf(item.type), item, minSize: 2, maxElements: itemsMax ?? Math.trunc((requestMax - 2) / (item.minSize + 1)),
    adapt: json => (Array.isArray(json) ? new JsonList(json as readonly Json[], item, order) : wrong("invalid data, expected an array for the provided schema with type=array")),
  };
}
function orderOf(unordered: "set" | readonly string[]): UnorderedList {
  if (unordered === "set") return { keyOf: item => keyText(item) ?? String(item) };
  const names = unordered.map(name => escapeName(name) ?? name);
  return { keyOf: item => (item instanceof Mapping ? names.map(name => { const key = item.get(name); return key === undefined ? "" : keyText(key); }).join("\0") : "") };
}

export function mapDecl(item: Decl, propertiesMax: number | undefined): Decl {
  return { type: mapOf(types.string, item.type), item, minSize: 2, maxElements: propertiesMax ?? Math.trunc((requestMax - 2) / (item.minSize + 6)), adapt: json => (isObject(json) ? new JsonMap(json, item) : notObject()) };
}

/** `fields` by their names in JSON; those with a `default`, or that need not be there, count nothing towards `minSize`. */
export function objectDecl(name: string, fields: ReadonlyMap<string, Decl>, counted: ReadonlySet<string>): Decl {
  const known = new Map<string, Decl>(), declared = new Map<string, ObjectField>();
  let minSize = 2;
  for (const [json, decl] of fields) {
    if (counted.has(json)) minSize += json.length + decl.minSize + 4;
    const escaped = escapeName(json);
    if (escaped === undefined) continue;
    known.set(escaped, decl);
    for (const said of isReservedName(json) ? [escaped, json] : [escaped]) declared.set(said, { json, type: decl.type });
  }
  return { type: { kind: "object", name, fields: declared }, fields: known, minSize, maxElements: 0, adapt: json => (isObject(json) ? new JsonObject(json, fields) : notObject()) };
}
const notObject = (): never => wrong("invalid data, expected a map for the provided schema with type=object");

/** Anything at all. */
export const anyDecl: Decl = anything(json => (Number.isInteger(json) ? BigInt(json) : json), json => json);
/** Likewise, as Go has what it knows no type of: every number is a double. */
export const goAnyDecl: Decl = anything(json => json, Number);

function anything(number: (json: number) => Value, big: (json: bigint) => Value): Decl {
  const decl: Decl = { type: types.dyn, nullable: true, minSize: 1, maxElements: requestMax, adapt: json => {
    switch (typeof json) {
      case "number": return number(json);
      case "bigint": return big(json);
      case "object":
        if (json === null) return null;
        return Array.isArray(json) ? new JsonList(json as readonly Json[], decl, undefined) : new JsonMap(json as { readonly [key: string]: Json }, decl);
      default: return json;
    }
  } };
  return decl;
}
const isAnything = (decl: Decl): boolean => decl === anyDecl || decl === goAnyDecl;

export function valueOf(decl: Decl, json: Json): Value {
  return adapted(decl, json);
}

class JsonList extends List {
  readonly #items: readonly Json[];
  readonly #item: Decl;
  override readonly unordered: UnorderedList | undefined;
  override readonly strict: boolean;
  constructor(items: readonly Json[], item: Decl, unordered: UnorderedList | undefined) {
    super();
    this.#items = items;
    this.#item = item;
    this.unordered = unordered;
    this.strict = !isAnything(item);
  }
  override get size(): number {
    return this.#items.length;
  }
  override at(index: number): Value {
    return adapted(this.#item, this.#items[index]!);
  }
}

class JsonMap extends Mapping {
  readonly #json: { readonly [key: string]: Json };
  readonly #item: Decl;
  override readonly strict: boolean;
  constructor(json: { readonly [key: string]: Json }, item: Decl) {
    super();
    this.#json = json;
    this.#item = item;
    this.strict = !isAnything(item);
  }
  override get size(): number {
    return Object.keys(this.#json).length;
  }
  override get(key: Value): Value | undefined {
    if (typeof key !== "string") return this.strict ? wrong("no such overload") : undefined;
    const json = getOwn(this.#json, key);
    return json === undefined ? undefined : adapted(this.#item, json);
  }
  override keys(): readonly Value[] {
    return Object.keys(this.#json);
  }
}

/** A field that is null is absent. */
class JsonObject extends Mapping {
  override readonly strict = true;
  readonly #json: { readonly [key: string]: Json };
  readonly #fields: ReadonlyMap<string, Decl>;
  constructor(json: { readonly [key: string]: Json }, fields: ReadonlyMap<string, Decl>) {
    super();
    this.#json = json;
    this.#fields = fields;
  }
  override get size(): number {
    return Object.keys(this.#json).length;
  }
  override get(key: Value): Value | undefined {
    if (typeof key !== "string") return wrong("no such overload");
    const name = unescapeName(key);
    const decl = name === undefined ? undefined : this.#fields.get(name);
    const json = decl === undefined ? undefined : getOwn(this.#json, name!);
    return json === undefined || json === null ? undefined : adapted(decl!, json);
  }
  /** Quirk: fields without a schema are compared where both have them, and stand as nulls at the end of the keys. */
  override sameRest(other: Mapping): boolean {
    return Object.keys(this.#json).every(name => {
      if (this.#fields.has(name)) return true;
      if (!(other instanceof JsonObject)) return wrong("no such overload");
      const theirs = getOwn(other.#json, name);
      return theirs === undefined || sameJson(this.#json[name]!, theirs);
    });
  }
  override keys(): readonly Value[] {
    const names = Object.keys(this.#json), known = names.filter(name => this.#fields.has(name));
    return [...known.map(name => escapeName(name) ?? name), ...Array<null>(names.length - known.length).fill(null)];
  }
}
