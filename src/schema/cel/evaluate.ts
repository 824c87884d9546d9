/** Turns a checked expression into code, counts what running it costs, and stops when that is too much (cel-go interpreter/). */
import type { Comprehension, Expr } from "./ast.ts";
import type { Checked } from "./checker.ts";
import { CelError, OverBudget } from "./error.ts";
import type { Host, Overload } from "./functions.ts";
import type { Type } from "./types.ts";
import { Entries, Items, List, Mapping, Opaque, Optional, Timestamp, Duration, TypeValue, Uint, type Value, keyText, none, typeNameOf } from "./values.ts";

/** A run: values of variables by slot, and what it has cost so far. */
export type Run = { readonly slots: Value[]; readonly host: Host; cost: number; readonly costMax: number };
export type Code = (run: Run) => Value;

function spend(run: Run, cost: number): void {
  run.cost += cost;
  if (run.cost > run.costMax) throw new OverBudget();
}

/** `slots`: where each variable's value will be. */
export function compile(expr: Expr, checked: Checked, slots: ReadonlyMap<string, number>): Code {
  return new Compiler(checked, slots.size).code(expr, slots);
}

type Slots = ReadonlyMap<string, number>;

class Compiler {
  readonly #checked: Checked;
  #used: number;
  constructor(checked: Checked, used: number) {
    this.#checked = checked;
    this.#used = used;
  }

  code(expr: Expr, slots: Slots): Code {
    switch (expr.kind) {
      case "literal": { const value = expr.value; return () => value; }
      case "ident": return this.#variable(expr, expr.name, slots);
      case "select": return this.#select(expr, slots);
      case "call": return this.#call(expr, slots);
      case "list": return this.#list(expr, slots);
      case "map": return this.#map(expr, slots);
      case "message": throw new CelError(`unknown type: ${expr.name}`);
      case "comprehension": return this.#comprehension(expr, slots);
    }
  }

  #variable(expr: Expr, name: string, slots: Slots): Code {
    const plain = this.#checked.variables.get(expr) ?? name;
    const slot = slots.get(plain);
    if (slot === undefined) { const value = new TypeValue(plain); return run => { spend(run, 1); return value; }; }
    return run => { spend(run, 1); return run.slots[slot]!; };
  }

  #select(expr: Expr & { kind: "select" }, slots: Slots): Code {
    if (this.#checked.variables.has(expr)) return this.#variable(expr, expr.field, slots);
    const operand = this.code(expr.operand, slots), field = expr.field;
    if (expr.test) return run => {
      const value = operand(run);
      // Quirk: asking whether a field is there costs nothing, as it did in Kubernetes' first version of CEL (PresenceTestHasCost).
      run.cost -= 1;
      const inner = value instanceof Optional ? value.value : value;
      if (inner === undefined) return false;
      if (!(inner instanceof Mapping)) throw new CelError(`no such overload`);
      return inner.get(field) !== undefined;
    };
    const optional = expr.optional;
    return run => {
      const value = operand(run);
      spend(run, 1);
      if (optional || value instanceof Optional) return selectOptional(value, field);
      if (!(value instanceof Mapping)) throw new CelError("no such overload");
      const found = value.get(field);
      if (found === undefined) throw new CelError(`no such key: ${field}`);
      return found;
    };
  }

  #call(expr: Expr & { kind: "call" }, slots: Slots): Code {
    const args = (expr.target !== undefined && !this.#checked.globals.has(expr) ? [expr.target, ...expr.args] : expr.args).map(arg => this.code(arg, slots));
    const [a, b, c] = args as [Code, Code, Code];
    if (this.#checked.overloads.get(expr)?.[0]?.id.startsWith("optional_or") === true) return orElse(a, b, expr.name === "or");
    switch (expr.name) {
      case "_&&_": return logical(a, b, false);
      case "_||_": return logical(a, b, true);
      case "_?_:_": return run => {
        const test = a(run);
        if (typeof test !== "boolean") throw new CelError("no such overload");
        return test ? b(run) : c(run);
      };
      case "@not_strictly_false": return run => {
        const value = a(run);
        spend(run, 1);
        return value !== false;
      };
      case "_[_]": return run => { const container = a(run), key = b(run); spend(run, 1); return index(container, key); };
      case "_[?_]": return run => { const container = a(run), key = b(run); spend(run, 1); return indexOptional(container, key); };
      default: return this.#function(expr, args);
    }
  }

  #function(expr: Expr & { kind: "call" }, args: readonly Code[]): Code {
    const overloads = this.#checked.overloads.get(expr) ?? [];
    return run => {
      const values = args.map(arg => arg(run));
      const overload = overloads.length === 1 && overloads[0]!.args.length === 0 ? overloads[0]! : pick(overloads, values);
      const result = overload.call(values, run.host);
      spend(run, overload.cost?.(values, result) ?? 1);
      return result;
    };
  }

  #list(expr: Expr & { kind: "list" }, slots: Slots): Code {
    const items = expr.items.map(({ value, optional }) => ({ code: this.code(value, slots), optional }));
    if (isConstant(expr)) return folded(expr);
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
    if (isConstant(expr)) return folded(expr);
    return run => {
      const made = new Map<string, readonly [Value, Value]>();
      for (const { key: keyCode, value: valueCode, optional } of entries) {
        const key = keyCode(run), text = keyText(key);
        let value: Value | undefined = valueCode(run);
        if (text === undefined) throw new CelError(`unsupported key type: ${typeNameOf(key)}`);
        if (optional) value = value instanceof Optional ? value.value : undefined;
        if (value === undefined) continue;
        if (made.has(text)) throw new CelError(`Failed with repeated key`);
        made.set(text, [key, value]);
      }
      spend(run, 30);
      return new Entries(made);
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
      else if (over instanceof Mapping) for (const key of over.keys()) { if (!turn(key, two ? over.get(key)! : undefined)) break; }
      else throw new CelError(`got '${typeNameOf(over)}', expected iterable type`);
      if (accumulated instanceof Failed) throw accumulated.error;
      values[result] = accumulated;
      return final(run);
    };
  }
}

/** Lists and maps of literals are made once and cost nothing, as cel-go's optimiser has it. */
function isConstant(expr: Expr): boolean {
  if (expr.kind === "literal") return true;
  if (expr.kind === "list") return expr.items.every(({ value, optional }) => !optional && isConstant(value));
  return expr.kind === "map" && expr.entries.every(({ key, value, optional }) => !optional && isConstant(key) && isConstant(value)) && new Set(expr.entries.map(({ key }) => keyText(constant(key)))).size === expr.entries.length;
}
function constant(expr: Expr): Value {
  if (expr.kind === "literal") return expr.value;
  if (expr.kind === "list") return new Items(expr.items.map(({ value }) => constant(value)));
  return new Entries(new Map((expr.kind === "map" ? expr.entries : []).map(({ key, value }) => [keyText(constant(key)) ?? "", [constant(key), constant(value)] as const])));
}
function folded(expr: Expr): Code {
  const value = constant(expr);
  return () => value;
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
    if (right instanceof Failed) throw right.error;
    if (typeof left !== "boolean" || typeof right !== "boolean") throw new CelError("no such overload");
    return !decides;
  };
}

/** The right side is wanted only if there is nothing on the left. */
function orElse(a: Code, b: Code, keepsOptional: boolean): Code {
  return run => {
    const value = a(run);
    if (!(value instanceof Optional)) throw new CelError("no such overload");
    return value.value === undefined ? b(run) : keepsOptional ? value : value.value;
  };
}

function selectOptional(value: Value, field: string): Optional {
  const inner = value instanceof Optional ? value.value : value;
  if (inner === undefined) return none;
  if (!(inner instanceof Mapping)) throw new CelError("no such overload");
  const found = inner.get(field);
  return found === undefined ? none : found instanceof Optional ? found : new Optional(found);
}

function index(container: Value, key: Value): Value {
  if (container instanceof Optional) return indexOptional(container, key);
  if (container instanceof List) {
    const at = indexNumber(key);
    if (at === undefined) throw new CelError(`unsupported index type '${typeNameOf(key)}' in list`);
    if (at < 0n || at >= BigInt(container.size)) throw new CelError(`index out of bounds: ${at}`);
    return container.at(Number(at));
  }
  if (!(container instanceof Mapping)) throw new CelError("no such overload");
  const found = container.get(key);
  if (found === undefined) throw new CelError(`no such key: ${typeof key === "string" ? key : renderKey(key)}`);
  return found;
}
function indexOptional(container: Value, key: Value): Optional {
  const inner = container instanceof Optional ? container.value : container;
  if (inner === undefined) return none;
  if (inner instanceof List) {
    const at = indexNumber(key);
    if (at === undefined) throw new CelError(`unsupported index type '${typeNameOf(key)}' in list`);
    return at < 0n || at >= BigInt(inner.size) ? none : new Optional(inner.at(Number(at)));
  }
  if (!(inner instanceof Mapping)) throw new CelError("no such overload");
  const found = inner.get(key);
  return found === undefined ? none : new Optional(found);
}
function indexNumber(key: Value): bigint | undefined {
  if (typeof key === "bigint") return key;
  if (key instanceof Uint) return key.value;
  return typeof key === "number" && Number.isInteger(key) ? BigInt(key) : undefined;
}
function renderKey(key: Value): string {
  return key instanceof Uint ? String(key.value) : String(key);
}

/** The overload for the types that the values turn out to have. */
function pick(overloads: readonly Overload[], values: readonly Value[]): Overload {
  for (const overload of overloads) if (overload.args.every((type, i) => isOf(values[i]!, type))) return overload;
  throw new CelError("no such overload");
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
    case "list": return value instanceof List && (value.size === 0 || simple.has(type.item.kind) === false || isOf(value.at(0), type.item));
    case "map": return value instanceof Mapping;
    case "object": return value instanceof Mapping;
    case "type": return value instanceof TypeValue;
    case "opaque": return type.name === "optional_type" ? value instanceof Optional : value instanceof Opaque && value.typeName === type.name;
  }
}
const simple = new Set<Type["kind"]>(["bool", "int", "uint", "double", "string", "bytes", "timestamp", "duration"]);

