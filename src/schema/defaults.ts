/** Fills in what the schema says is there when a client says nothing. Compiled once per node; nodes without defaults below cost nothing. */
import { isObject, type Json } from "../base/json.ts";
import { copyJson } from "../base/json-codec.ts";
import type { Node } from "./t.ts";

type Filler = (value: any) => void;
const nothing: Filler = () => undefined;
const compiled = new WeakMap<Node, Filler>();

/** Fills in absent fields, outermost first, so that a defaulted object's own defaults apply too. Changes `object`: a private copy. */
export function applyDefaults(node: Node, object: any): void {
  fillerOf(node)(object);
}

function fillerOf(node: Node): Filler {
  let filler = compiled.get(node);
  if (filler) return filler;
  // A schema that contains itself is filled through the cache.
  compiled.set(node, value => fillerOf(node)(value));
  filler = compile(node);
  compiled.set(node, filler);
  return filler;
}

function compile(node: Node): Filler {
  if (node.kind === "list" || (node.kind === "map" && node.items)) {
    const item = fillerOf(node.items!);
    if (item === nothing) return nothing;
    return node.kind === "list"
      ? value => { if (Array.isArray(value)) for (const each of value) item(each); }
      : value => { if (isObject(value)) for (const each of Object.values(value)) item(each); };
  }
  if (node.kind !== "object") return nothing;
  const steps = Object.entries(node.fields ?? {}).map(([name, field]) => ({ name, field, fill: fillerOf(field) })).filter(({ field, fill }) => effective(field) || fill !== nothing);
  if (steps.length === 0) return nothing;
  return value => {
    if (!isObject(value)) return;
    const object = value as { [name: string]: any };
    for (const { name, field, fill } of steps) {
      let given = Object.hasOwn(object, name) ? object[name] : undefined;
      if (effective(field) && lacks(field, given)) {
        given = typeof field.default === "object" ? copyJson(field.default as Json) : field.default;
        Object.defineProperty(object, name, { value: given, enumerable: true, configurable: true, writable: true });
      }
      if (given !== undefined && fill !== nothing) fill(given);
    }
  };
}
/** Go cannot tell a plain field's zero value from none: such a default says nothing. */
const effective = (field: Node): boolean => field.default !== undefined && !(field.kind !== "object" && field.pointer !== true && field.always === undefined && (field.default === "" || field.default === 0 || field.default === false));

/** An empty value of a field that is no pointer in Go is as good as none. */
function lacks(field: Node, given: unknown): boolean {
  if (given === undefined) return true;
  if (given === null) return field.nullable !== true;
  return field.always === "zero" && field.pointer !== true && (given === "" || given === 0);
}
