/** Fills in what the schema says is there when a client says nothing. Compiled once per node; nodes without defaults below cost nothing. */
import { isObject, type Json, setOwn } from "../base/json.ts";
import { copyJson } from "../base/json-codec.ts";
import type { Node } from "./t.ts";

type Filler = (value: any) => void;
const nothing: Filler = () => undefined;
const compiled = new WeakMap<Node, Filler>();

/** Fills in absent fields, outermost first, so that a defaulted object's own defaults apply too. Changes `object`: a private copy. */
export function applyDefaults(node: Node, object: any): void {
  if (node.custom === undefined) fillerOf(node)(object);
  else node.custom.setDefaults(object);
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
      ? value => { if (Array.isArray(value)) for (let i = 0; i < value.length; i++) item(value[i]); }
      : value => { if (isObject(value)) for (const each of Object.values(value)) item(each); };
  }
  if (node.kind !== "object") return nothing;
  const steps = Object.entries(node.fields ?? {}).map(([name, field]) => ({
    name, fill: fillerOf(field), filled: effective(field), whole: field.default as Json, shared: typeof field.default !== "object",
    keepsNull: field.nullable === true, zeroIsNone: field.always === "zero" && field.pointer !== true,
  })).filter(({ filled, fill }) => filled || fill !== nothing);
  if (steps.length === 0) return nothing;
  return value => {
    if (!isObject(value)) return;
    const object = value as { [name: string]: any };
    for (let i = 0; i < steps.length; i++) {
      const step = steps[i]!, { name } = step;
      let given = name in object && Object.hasOwn(object, name) ? object[name] : undefined;
      // An empty value of a field that is no pointer in Go is as good as none.
      if (step.filled && (given === undefined || (given === null ? !step.keepsNull : step.zeroIsNone && (given === "" || given === 0)))) {
        given = step.shared ? step.whole : copyJson(step.whole);
        setOwn(object, name, given);
      }
      if (given !== undefined && step.fill !== nothing) step.fill(given);
    }
  };
}
/** Go cannot tell a plain field's zero value from none: such a default says nothing. */
const effective = (field: Node): boolean => field.default !== undefined && !(field.kind !== "object" && field.pointer !== true && field.always === undefined && (field.default === "" || field.default === 0 || field.default === false));
