/** What the schema itself demands: values within bounds, known enum values, grammars, no field absent that a client must give, nothing immutable changed. */
import { isObject, sameJson } from "../base/json.ts";
import { byteLength, grammars } from "./grammar.ts";
import { invalidValue, notSupported, type Problem, required, tooLong, tooMany } from "./problem.ts";
import type { Node } from "./t.ts";

type Check = (value: any, previous: any, path: string, problems: Problem[]) => void;
const nothing: Check = () => undefined;
const compiled = new WeakMap<Node, Check>();

/** Every problem of `next` (decoded and defaulted), with its path; `previous` is what it replaces, if anything. */
export function validate(node: Node, next: unknown, previous?: unknown, path = ""): readonly Problem[] {
  if (node.custom !== undefined) return node.custom.validate(next, previous);
  const problems: Problem[] = [];
  checkOf(node)(next, previous, path, problems);
  return problems;
}

function checkOf(node: Node): Check {
  let check = compiled.get(node);
  if (check) return check;
  compiled.set(node, (value, previous, path, problems) => checkOf(node)(value, previous, path, problems));
  check = compile(node);
  compiled.set(node, check);
  return check;
}

function compile(node: Node): Check {
  if (node.unchecked === true) return nothing;
  const own = ownCheck(node);
  const inner = innerCheck(node);
  if (own === nothing) return inner;
  if (inner === nothing) return own;
  return (value, previous, path, problems) => {
    own(value, previous, path, problems);
    inner(value, previous, path, problems);
  };
}

function innerCheck(node: Node): Check {
  if (node.kind === "object") return objectCheck(node);
  if (node.items === undefined || (node.kind !== "list" && node.kind !== "map")) return nothing;
  const item = checkOf(node.items);
  if (item === nothing) return nothing;
  if (node.kind === "map") {
    return (value, previous, path, problems) => {
      if (isObject(value)) for (const key of Object.keys(value)) item(value[key], isObject(previous) && Object.hasOwn(previous, key) ? previous[key] : undefined, `${path}[${key}]`, problems);
    };
  }
  const keys = node.list?.type === "map" ? node.list.keys : undefined;
  return (value, previous, path, problems) => {
    if (!Array.isArray(value)) return;
    for (let i = 0; i < value.length; i++) item(value[i], previousItem(value[i], previous, i, keys), `${path}[${i}]`, problems);
  };
}
function previousItem(item: any, previous: unknown, index: number, keys: readonly string[] | undefined): unknown {
  if (!Array.isArray(previous)) return undefined;
  return keys === undefined ? previous[index] : previous.find(other => keys.every(key => other?.[key] === item?.[key]));
}
function objectCheck(node: Node): Check {
  const fields = Object.entries(node.fields ?? {}).map(([name, field]) => ({ name, field, check: checkOf(field) }))
    .filter(({ field, check }) => check !== nothing || demanded(field));
  if (fields.length === 0) return nothing;
  return (value, previous, path, problems) => {
    if (!isObject(value)) return;
    const object = value as { readonly [name: string]: unknown };
    const before = isObject(previous) ? (previous as { readonly [name: string]: unknown }) : undefined;
    for (let i = 0; i < fields.length; i++) {
      const { name, field, check } = fields[i]!;
      const given = Object.hasOwn(object, name) ? object[name] : undefined;
      const was = before !== undefined && Object.hasOwn(before, name) ? before[name] : undefined;
      if ((given === undefined || given === null) && demanded(field)) {
        if (given === undefined || field.nullable !== true) problems.push(required(at(path, name)));
      } else if (check !== nothing && (given !== undefined || field.immutable === true)) check(given, was, at(path, name), problems);
    }
  };
}
const at = (path: string, name: string): string => (path === "" ? name : `${path}.${name}`);
/** A field that Go cannot fill with a zero value by itself; the others are checked, where upstream does, by a kind's rules. */
const demanded = (field: Node): boolean => field.unchecked !== true && field.presence === "required" && (field.always === "null" || field.always === undefined) && field.format !== "date-time" && field.format !== "micro-time";

function ownCheck(node: Node): Check {
  const checks: Check[] = [];
  if (node.immutable === true) {
    checks.push((value, previous, path, problems) => {
      if (previous !== undefined && !sameJson(value, previous)) problems.push(invalidValue(path, value, "field is immutable"));
    });
  }
  if (node.enum !== undefined) {
    const values = new Set(node.enum);
    checks.push((value, _previous, path, problems) => {
      if (typeof value === "string" && !values.has(value)) problems.push(notSupported(path, value, [...values].sort()));
    });
  }
  if (node.min !== undefined || node.max !== undefined) checks.push(boundsCheck(node.min, node.max));
  if (node.minLength !== undefined || node.maxLength !== undefined) checks.push(lengthCheck(node.minLength, node.maxLength));
  if (node.minItems !== undefined || node.maxItems !== undefined) checks.push(itemsCheck(node.minItems, node.maxItems));
  if (node.grammar !== undefined) {
    const grammar = grammars[node.grammar];
    if (grammar === undefined) throw new Error(`no grammar named ${node.grammar}`);
    checks.push((value, _previous, path, problems) => {
      if (typeof value === "string") for (const detail of grammar(value)) problems.push(invalidValue(path, value, detail));
    });
  }
  if (checks.length < 2) return checks[0] ?? nothing;
  return (value, previous, path, problems) => { for (const check of checks) check(value, previous, path, problems); };
}

const boundsCheck = (min: number | undefined, max: number | undefined): Check => (value, _previous, path, problems) => {
  if (typeof value !== "number" && typeof value !== "bigint") return;
  if (min !== undefined && value < min) problems.push(invalidValue(path, value, max === undefined ? `must be greater than or equal to ${min}` : `must be between ${min} and ${max}, inclusive`));
  else if (max !== undefined && value > max) problems.push(invalidValue(path, value, min === undefined ? `must be less than or equal to ${max}` : `must be between ${min} and ${max}, inclusive`));
};
const lengthCheck = (min: number | undefined, max: number | undefined): Check => (value, _previous, path, problems) => {
  if (typeof value !== "string") return;
  if (max !== undefined && byteLength(value) > max) problems.push(tooLong(path, max));
  if (min !== undefined && value.length < min) problems.push(min === 1 ? required(path) : { field: path, reason: "TooShort", detail: `must be at least ${min} characters` });
};
const itemsCheck = (min: number | undefined, max: number | undefined): Check => (value, _previous, path, problems) => {
  if (!Array.isArray(value)) return;
  if (max !== undefined && value.length > max) problems.push(tooMany(path, value.length, max));
  if (min !== undefined && value.length < min) problems.push({ field: path, reason: "TooFew", value: value.length, detail: `must have at least ${min} items` });
};
