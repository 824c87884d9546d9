/** Turns a checked expression into code, counts what running it costs, and stops when that is too much (cel-go interpreter/). */
import type { Comprehension, Expr } from "./ast.ts";
import type { Checked } from "./checker.ts";
import { CelError, OverBudget } from "./error.ts";
import type { Host, Overload } from "./functions.ts";
import { goTypeOf, noOverload } from "./no-overload.ts";
import type { Type } from "./types.ts";
import { Entries, Items, List, Mapping, Opaque, Optional, Timestamp, Duration, TypeValue, Uint, type Value, keyText, none, typeNameOf } from "./values.ts";

/** A run: values of variables by slot, and what it has cost so far. */
export type Run = { readonly slots: Value[]; readonly host: Host; cost: number; readonly costMax: number };
export type Code = (run: Run) => Value;

function spend(run: Run, cost: number): void {
  run.cost += cost;
  if (run.cost > run.costMax) throw new OverBudget();
}

/** `slots`: where each variable's value will be. Throws CelError for conversions of constants that cannot be. */
export function compile(expr: Expr, checked: Checked, slots: ReadonlyMap<string, number>, host: Host): Code {
  return new Compiler(checked, slots.size, host).code(expr, slots);
}

type Slots = ReadonlyMap<string, number>;

/** Calls of these on constants are done once. */
const conversions = new Set(["bool", "bytes", "double", "duration", "dyn", "int", "string", "timestamp", "type", "uint"]);
const certain = new Set<Type["kind"]>(["bool", "int", "uint", "double", "string", "bytes", "timestamp", "duration"]);
/** What is not so far a constant. */
const unknown = Symbol("unknown");

/**
 * Costs are cel-go's: variables, selections and indexes that follow one another are one attribute, which costs 1 and 1 for each
 * selection or index. It is free itself where it is a branch of `?:`, an index, or asked about by `has`.
 */
class Compiler {
  readonly #checked: Checked;
  readonly #host: Host;
  readonly #constants = new Map<Expr, Value | typeof unknown>();
  #used: number;
  constructor(checked: Checked, used: number, host: Host) {
    this.#checked = checked;
    this.#used = used;
    this.#host = host;
  }

  code(expr: Expr, slots: Slots, free = false): Code {
    const constant = this.#constant(expr, slots);
    if (constant !== unknown) return () => constant;
    switch (expr.kind) {
      case "ident": return this.#variable(expr, expr.name, slots, free);
      case "select": return this.#select(expr, slots, free);
      case "call": return this.#call(expr, slots, free);
      case "list": return this.#list(expr, slots);
      case "map": return this.#map(expr, slots);
      case "comprehension": return this.#comprehension(expr, slots);
      case "message": return this.#message(expr, slots);
      default: throw new CelError("unknown expression");
    }
  }

  #variable(expr: Expr, name: string, slots: Slots, free: boolean): Code {
    const slot = slots.get(this.#checked.variables.get(expr) ?? name)!, cost = free ? 0 : 1;
    return run => { spend(run, cost); return run.slots[slot]!; };
  }

  #isAttribute(expr: Expr, slots: Slots): boolean {
    return this.#constant(expr, slots) === unknown && (expr.kind === "ident" || expr.kind === "select" || (expr.kind === "call" && ["_[_]", "_[?_]", "_?_:_"].includes(expr.name)));
  }
  /** What is selected or indexed, and what doing so costs. */
  #operand(expr: Expr, slots: Slots, free: boolean): { readonly operand: Code; readonly cost: number } {
    const attribute = this.#isAttribute(expr, slots);
    return { operand: this.code(expr, slots, attribute && free), cost: attribute || free ? 1 : 2 };
  }

  #select(expr: Expr & { kind: "select" }, slots: Slots, free: boolean): Code {
    if (this.#checked.variables.has(expr)) return this.#variable(expr, expr.field, slots, free);
    const { field, optional } = expr, { operand, cost } = this.#operand(expr.operand, slots, free || expr.test);
    if (expr.test) return run => {
      const value = operand(run);
      spend(run, cost);
      const inner = value instanceof Optional ? value.value : value;
      if (inner instanceof List) throw new CelError("unsupported index type 'string' in list");
      return inner instanceof Mapping && inner.get(field) !== undefined;
    };
    return run => {
      const value = operand(run);
      if (optional || value instanceof Optional) {
        const found = indexOptional(value, field);
        spend(run, found === none ? cost - 1 : cost);
        return found;
      }
      spend(run, cost);
      return index(value, field);
    };
  }
  #index(container: Expr, key: Expr, optional: boolean, slots: Slots, free: boolean): Code {
    if (key.kind === "literal" && (key.value === null || key.value instanceof Uint8Array)) throw new CelError(`invalid qualifier type: types.${key.value === null ? "Null" : "Bytes"}`);
    const { operand, cost } = this.#operand(container, slots, free), keyCode = this.code(key, slots, true);
    return run => {
      const value = operand(run), at = keyCode(run);
      const found = optional ? indexOptional(value, at) : index(value, at);
      spend(run, found === none ? cost - 1 : cost);
      return found;
    };
  }

  #call(expr: Expr & { kind: "call" }, slots: Slots, free: boolean): Code {
    const all = expr.target !== undefined && !this.#checked.globals.has(expr) ? [expr.target, ...expr.args] : expr.args;
    const [first, second, third] = all as [Expr, Expr, Expr];
    switch (expr.name) {
      case "_[_]": return this.#index(first, second, false, slots, free);
      case "_[?_]": return this.#index(first, second, true, slots, free);
      case "_?_:_": {
        const test = this.code(first, slots), yes = this.code(second, slots, true), no = this.code(third, slots, true);
        return run => {
          const decides = test(run);
          if (typeof decides !== "boolean") throw new CelError("no such overload");
          return decides ? yes(run) : no(run);
        };
      }
      case "@in": { const members = this.#members(second, slots); if (members !== undefined) return isMember(this.code(first, slots), members); break; }
      default:
    }
    const args = all.map(arg => this.code(arg, slots));
    const [a, b] = args as [Code, Code];
    if (this.#checked.overloads.get(expr)?.[0]?.id.startsWith("optional_or") === true) return orElse(a, b, expr.name === "or");
    switch (expr.name) {
      case "_&&_": return logical(a, b, false);
      case "_||_": return logical(a, b, true);
      case "@not_strictly_false": return run => {
        const value = a(run);
        spend(run, 1);
        return value !== false;
      };
      default: return this.#function(expr, all, args);
    }
  }

  #function(expr: Expr & { kind: "call" }, parts: readonly Expr[], args: readonly Code[]): Code {
    const overloads = this.#checked.overloads.get(expr) ?? [];
    const name = this.#checked.globals.get(expr) ?? expr.name;
    const [a, b] = args as [Code, Code], count = args.length;
    // Values of simple types are what they were declared to be.
    const sure = overloads.length === 1 && parts.every(part => certain.has(this.#checked.typeOf(part).kind)) ? overloads[0] : undefined;
    return run => {
      const values = count === 2 ? [a(run), b(run)] : count === 1 ? [a(run)] : args.map(arg => arg(run));
      try {
        const overload = sure ?? pick(name, overloads, values);
        const result = overload.call(values, run.host);
        spend(run, overload.cost?.(values, result) ?? 1);
        return result;
      } catch (error) {
        if (error instanceof CelError) spend(run, 1);
        throw error;
      }
    };
  }

  /** Texts, numbers and booleans of a list that is known beforehand: finding one among them costs nothing. */
  #members(expr: Expr, slots: Slots): ReadonlySet<string> | undefined {
    const list = this.#constant(expr, slots);
    if (!(list instanceof List)) return undefined;
    const texts = Array.from(list, item => (typeof item === "number" && !Number.isInteger(item) ? `n${item}` : keyText(item)));
    return texts.some(text => text === undefined) ? undefined : new Set(texts as string[]);
  }

  /** Values that do not depend on anything are made once and cost nothing, as cel-go's optimiser has it. */
  #constant(expr: Expr, slots: Slots): Value | typeof unknown {
    const known = this.#constants.get(expr);
    if (known !== undefined) return known;
    const value = this.#evaluated(expr, slots);
    this.#constants.set(expr, value);
    return value;
  }
  #evaluated(expr: Expr, slots: Slots): Value | typeof unknown {
    switch (expr.kind) {
      case "literal": return expr.value;
      case "ident": case "select": {
        const name = this.#checked.variables.get(expr);
        return name !== undefined && !slots.has(name) ? new TypeValue(name) : unknown;
      }
      case "list": {
        const items = expr.items.map(({ value, optional }) => (optional ? unknown : this.#constant(value, slots)));
        return items.includes(unknown) ? unknown : new Items(items as Value[]);
      }
      case "map": {
        const entries = expr.entries.map(({ key, value, optional }) => [optional ? unknown : this.#constant(key, slots), this.#constant(value, slots)] as const);
        if (entries.some(each => each.includes(unknown))) return unknown;
        const made = new Map((entries as (readonly [Value, Value])[]).map(entry => [keyText(entry[0]) ?? "", entry]));
        return made.size === entries.length && !made.has("") ? new Entries(made) : unknown;
      }
      case "call": {
        if (!conversions.has(expr.name) || expr.target !== undefined || expr.args.length !== 1) return unknown;
        const value = this.#constant(expr.args[0]!, slots);
        return value === unknown ? unknown : pick(expr.name, this.#checked.overloads.get(expr) ?? [], [value]).call([value], this.#host);
      }
      default: return unknown;
    }
  }

  #list(expr: Expr & { kind: "list" }, slots: Slots): Code {
    const items = expr.items.map(({ value, optional }) => ({ code: this.code(value, slots), optional }));
    return run => {
      const values: Value[] = [];
      for (const { code, optional } of items) {
        const value = code(run);
        if (!optional) values.push(value);
        else if (!(value instanceof Optional)) throw new CelError(`cannot initialize optional list element from non-optional value`);
        else if (value.value !== undefined) values.push(value.value);
      }
      spend(run, 10);
      return new Items(values);
    };
  }
  #map(expr: Expr & { kind: "map" }, slots: Slots): Code {
    const entries = expr.entries.map(({ key, value, optional }) => ({ key: this.code(key, slots), value: this.code(value, slots), optional }));
    return run => {
      const made = new Map<string, readonly [Value, Value]>();
      for (const { key: keyCode, value: valueCode, optional } of entries) {
        // What cannot be looked up is there nevertheless.
        const key = keyCode(run), text = keyText(key) ?? `o${made.size}`;
        let value: Value | undefined = valueCode(run);
        if (optional) value = value instanceof Optional ? value.value : undefined;
        if (value === undefined) continue;
        if (made.has(text)) throw new CelError(`Failed with repeated key`);
        made.set(text, [key, value]);
      }
      spend(run, 30);
      return new Entries(made);
    };
  }

  #message(expr: Expr & { kind: "message" }, slots: Slots): Code {
    const message = this.#checked.messages.get(expr);
    if (message === undefined) throw new CelError(`unknown type: ${expr.name}`);
    const fields = expr.fields.map(({ name, value, optional }) => ({ name, optional, code: this.code(value, slots) }));
    return run => {
      const made = new Map<string, Value>();
      for (const { name, optional, code } of fields) {
        const value = code(run);
        if (!optional) made.set(name, value);
        else if (!(value instanceof Optional)) throw new CelError(`cannot initialize optional entry '${name}' from non-optional value`);
        else if (value.value !== undefined) made.set(name, value.value);
      }
      spend(run, 40);
      return message.make(made);
    };
  }

  #comprehension(expr: Comprehension, slots: Slots): Code {
    const range = this.code(expr.range, slots), initial = this.code(expr.initial, slots);
    const result = this.#used++, first = this.#used++, second = this.#used++;
    const withResult = new Map([...slots, [expr.accumulator, result]]);
    const inside = new Map([...withResult, [expr.variable, first], ...(expr.variable2 === undefined ? [] : [[expr.variable2, second] as const])]);
    const condition = this.code(expr.condition, inside), step = this.code(expr.step, inside), final = this.code(expr.result, withResult);
    const two = expr.variable2 !== undefined;
    const absorbs = expr.step.kind === "call" && (expr.step.name === "_&&_" || expr.step.name === "_||_");
    return run => {
      const over = range(run), { slots: values } = run;
      let accumulated: Value | Failed = initial(run);
      const turn = (one: Value, other: Value | undefined): boolean => {
        // What failed stays as it is until a later element decides; `&&` and `||` know it.
        values[result] = accumulated as Value;
        values[first] = one;
        if (other !== undefined) values[second] = other;
        if (!(accumulated instanceof Failed) && condition(run) !== true) return false;
        accumulated = absorbs ? attempt(step, run) : step(run);
        return true;
      };
      if (over instanceof List) for (let i = 0; i < over.size; i++) { if (!turn(two ? BigInt(i) : over.at(i), two ? over.at(i) : undefined)) break; }
      else if (over instanceof Mapping) for (const key of over.keys()) { if (!turn(key, two ? index(over, key) : undefined)) break; }
      else throw new CelError(two ? `unsupported comprehension range type: ${goTypeOf(over)}` : `got '${goTypeOf(over)}', expected iterable type`);
      if (accumulated instanceof Failed) throw accumulated.error;
      values[result] = accumulated;
      return final(run);
    };
  }
}

function isMember(code: Code, members: ReadonlySet<string>): Code {
  if (members.size === 0) return () => false;
  return run => {
    const value = code(run);
    const text = typeof value === "number" && !Number.isInteger(value) ? `n${value}` : keyText(value);
    return text !== undefined && members.has(text);
  };
}

/** In a loop an error is a value until its end: a later element may make it not matter. */
class Failed {
  readonly error: CelError;
  constructor(error: CelError) {
    this.error = error;
  }
}
function attempt(code: Code, run: Run): Value | Failed {
  try {
    return code(run);
  } catch (error) {
    if (error instanceof CelError) return new Failed(error);
    throw error;
  }
}

/** `&&` and `||`: an error or a wrong type on one side does not matter if the other side decides. */
function logical(a: Code, b: Code, decides: boolean): Code {
  return run => {
    const left = attempt(a, run);
    if (left === decides) return decides;
    const right = attempt(b, run);
    if (right === decides) return decides;
    if (left instanceof Failed) throw left.error;
    if (typeof left !== "boolean") throw new CelError("no such overload");
    if (right instanceof Failed) throw right.error;
    if (typeof right !== "boolean") throw new CelError("no such overload");
    return !decides;
  };
}

/** The right side is wanted only if there is nothing on the left. */
function orElse(a: Code, b: Code, keepsOptional: boolean): Code {
  return run => {
    const value = a(run);
    if (!(value instanceof Optional)) return value;
    return value.value === undefined ? b(run) : keepsOptional ? value : value.value;
  };
}

function index(container: Value, key: Value): Value {
  if (container instanceof Optional) return indexOptional(container, key);
  if (container instanceof List) {
    const at = indexNumber(key);
    if (container.strict && typeof key !== "bigint") throw new CelError(`unsupported index: ${renderKey(key)}`);
    if (at < 0n || at >= BigInt(container.size)) throw new CelError(`index out of bounds: ${at}`);
    return container.at(Number(at));
  }
  // Quirk: what has nothing inside lacks every key.
  const found = container instanceof Mapping ? container.get(key) : undefined;
  if (found === undefined) throw new CelError(`no such key: ${typeof key === "string" ? key : renderKey(key)}`);
  return found;
}
function indexOptional(container: Value, key: Value): Optional {
  const inner = container instanceof Optional ? container.value : container;
  if (inner === undefined) return none;
  if (inner instanceof List) {
    const at = indexNumber(key);
    return at < 0n || at >= BigInt(inner.size) ? none : new Optional(inner.at(Number(at)));
  }
  const found = inner instanceof Mapping ? inner.get(key) : undefined;
  return found === undefined ? none : new Optional(found);
}
function indexNumber(key: Value): bigint {
  if (typeof key === "bigint") return key;
  if (key instanceof Uint) return key.value;
  if (typeof key === "number" && Number.isInteger(key)) return BigInt(key);
  throw new CelError(typeof key === "number" ? `unsupported index value ${key} in list` : `unsupported index type '${typeNameOf(key)}' in list`);
}
function renderKey(key: Value): string {
  return key instanceof Uint ? String(key.value) : String(key);
}

/** The overload for the types that the values turn out to have. */
function pick(name: string, overloads: readonly Overload[], values: readonly Value[]): Overload {
  for (const overload of overloads) if (overload.args.every((type, i) => isOf(values[i]!, type))) return overload;
  throw noOverload(name, values);
}
function isOf(value: Value, type: Type): boolean {
  switch (type.kind) {
    case "dyn": case "param": case "error": return true;
    case "null": return value === null;
    case "bool": return typeof value === "boolean";
    case "int": return typeof value === "bigint";
    case "uint": return value instanceof Uint;
    case "double": return typeof value === "number";
    case "string": return typeof value === "string";
    case "bytes": return value instanceof Uint8Array;
    case "timestamp": return value instanceof Timestamp;
    case "duration": return value instanceof Duration;
    case "list": return value instanceof List && (value.size === 0 || !certain.has(type.item.kind) || isOf(value.at(0), type.item));
    case "map": return value instanceof Mapping;
    case "object": return value instanceof Mapping;
    case "type": return value instanceof TypeValue;
    case "opaque": return type.name === "optional_type" ? value instanceof Optional : value instanceof Opaque && value.typeName === type.name;
  }
}

