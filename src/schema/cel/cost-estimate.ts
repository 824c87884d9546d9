/** What an expression may cost at most, from how large its data can be (cel-go checker/cost.go, ext/, apiserver pkg/cel/library/cost.go). */
import type { Comprehension, Expr } from "./ast.ts";
import type { Checked } from "./checker.ts";
import { type Size, functionEstimates, largest, times } from "./cost-functions.ts";
import { type Type, isOptional } from "./types.ts";

/** How large what stands at a path can be, e.g. `["self", "spec", "names", "@items"]`; `undefined` if nothing is known. */
export type SizeAt = (path: readonly string[]) => number | undefined;

const anySize: Size = { min: 0, max: largest };
const exactly = (size: number): Size => ({ min: size, max: size });
const union = (a: Size, b: Size): Size => ({ min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) });
const nothing: Size = { min: largest, max: 0 };

/** Sizes of what a list or a map holds. */
type EntrySize = { readonly container: "list" | "map"; readonly key: Size; readonly value: Size };
type Local = { readonly path: readonly string[]; readonly size: Size | undefined; readonly entry: EntrySize | undefined };

export function estimateCost(expr: Expr, checked: Checked, sizeAt: SizeAt): number {
  return new Estimator(checked, sizeAt).cost(expr);
}

class Estimator {
  readonly #checked: Checked;
  readonly #sizeAt: SizeAt;
  readonly #locals = new Map<string, Local>();
  readonly #paths = new Map<Expr, readonly string[]>();
  readonly #sizes = new Map<Expr, Size>();
  readonly #entries = new Map<Expr, EntrySize>();
  constructor(checked: Checked, sizeAt: SizeAt) {
    this.#checked = checked;
    this.#sizeAt = sizeAt;
  }

  cost(expr: Expr): number {
    switch (expr.kind) {
      case "literal": return 0;
      case "ident": this.#paths.set(expr, this.#locals.get(expr.name)?.path ?? [expr.name]); return 1;
      case "select": return this.#select(expr);
      case "call": return expr.name === "dyn" && expr.target === undefined ? this.#dyn(expr, expr.args[0]!) : this.#call(expr);
      case "list": return this.#list(expr);
      case "map": return this.#map(expr);
      case "message": return 40;
      case "comprehension": return isBinding(expr) ? this.#bind(expr) : this.#comprehension(expr);
    }
  }

  #select(expr: Expr & { kind: "select" }): number {
    if (this.#checked.variables.has(expr)) return 1;
    const operand = this.cost(expr.operand);
    // Whether a field is there is told for nothing.
    if (expr.test) return operand;
    const { kind } = this.#checked.typeOf(expr.operand);
    if (!expr.optional) this.#paths.set(expr, [...this.#pathOf(expr.operand), expr.field]);
    return operand + (expr.optional || kind === "map" || kind === "object" ? 1 : 0);
  }
  #dyn(expr: Expr, arg: Expr): number {
    const cost = this.cost(arg);
    this.#copySizes(expr, arg);
    return cost + 1;
  }

  #call(expr: Expr & { kind: "call" }): number {
    const target = expr.target !== undefined && !this.#checked.globals.has(expr) ? expr.target : undefined;
    const all = target === undefined ? expr.args : [target, ...expr.args];
    const argCosts = expr.args.map(arg => this.cost(arg)), sum = argCosts.reduce((a, b) => a + b, 0) + (target === undefined ? 0 : this.cost(target));
    const name = this.#checked.globals.get(expr) ?? expr.name, [a, b, c] = all as [Expr, Expr, Expr];
    let result: Size | undefined, cost: number;
    switch (name) {
      case "_&&_": case "_||_": cost = sum; break;
      case "_?_:_": {
        result = union(this.#sizeOr(b), this.#sizeOr(c));
        const yes = this.#entryOf(b), no = this.#entryOf(c);
        if (yes !== undefined && no !== undefined) this.#entries.set(expr, joined(yes, no));
        cost = argCosts[0]! + Math.max(argCosts[1]!, argCosts[2]!);
        break;
      }
      case "_[_]": {
        const container = this.#checked.typeOf(a).kind;
        if (container === "list" || container === "map") this.#paths.set(expr, [...this.#pathOf(a), container === "list" ? "@items" : "@values"]);
        result = this.#entryOf(a)?.value;
        cost = sum + 1;
        break;
      }
      default: cost = sum; {
        let most = 0;
        for (const overload of this.#checked.overloads.get(expr) ?? []) {
          const types = all.map(each => this.#checked.typeOf(each));
          const estimate = functionEstimates(name, overload.id, { size: i => this.#sizeOr(all[i]!), itemSize: i => this.#itemSize(all[i]!), types, literal: i => literalOf(all[i]), count: all.length });
          most = Math.max(most, estimate.cost);
          if (estimate.size !== undefined) result = result === undefined ? estimate.size : union(result, estimate.size);
        }
        if (name === "_+_") {
          const left = this.#entryOf(a), right = this.#entryOf(b);
          if (left !== undefined && right !== undefined) this.#entries.set(expr, joined(left, right));
        }
        cost += most;
      }
    }
    result ??= this.#sizeOf(expr);
    if (result !== undefined) this.#sizes.set(expr, result);
    return cost;
  }

  #list(expr: Expr & { kind: "list" }): number {
    let cost = 10, value = expr.items.length === 0 ? exactly(0) : nothing;
    for (const item of expr.items) {
      cost += this.cost(item.value);
      value = union(value, this.#sizeOr(item.value));
    }
    this.#entries.set(expr, { container: "list", key: exactly(1), value });
    return cost;
  }
  #map(expr: Expr & { kind: "map" }): number {
    let cost = 30, key = expr.entries.length === 0 ? exactly(0) : nothing, value = key;
    for (const entry of expr.entries) {
      cost += this.cost(entry.key) + this.cost(entry.value);
      key = union(key, this.#sizeOr(entry.key));
      value = union(value, this.#sizeOr(entry.value));
    }
    this.#entries.set(expr, { container: "map", key, value });
    return cost;
  }

  #within<T>(locals: readonly (readonly [string, Local])[], inside: () => T): T {
    const before = locals.map(([name]) => [name, this.#locals.get(name)] as const);
    for (const [name, local] of locals) this.#locals.set(name, local);
    const result = inside();
    for (const [name, local] of before) if (local === undefined) this.#locals.delete(name); else this.#locals.set(name, local);
    return result;
  }
  #bind(expr: Comprehension): number {
    const cost = this.cost(expr.range) + this.cost(expr.initial);
    const local: Local = { path: this.#pathOf(expr.initial), size: this.#sizeOf(expr.initial), entry: this.#entryOf(expr.initial) };
    return cost + this.#within([[expr.accumulator, local]], () => {
      const result = this.cost(expr.result);
      this.#copySizes(expr, expr.result);
      return result;
    });
  }
  #comprehension(expr: Comprehension): number {
    const cost = this.cost(expr.range) + this.cost(expr.initial);
    const accumulator: Local = { path: this.#pathOf(expr.initial), size: this.#sizeOf(expr.initial), entry: this.#entryOf(expr.initial) };
    return this.#within([[expr.accumulator, accumulator]], () => {
      const loop = this.#within(this.#loopLocals(expr), () => this.cost(expr.condition) + this.cost(expr.step));
      const result = this.cost(expr.result), count = this.#sizeOr(expr.range);
      if (expr.initial.kind === "literal") { const size = this.#sizeOf(expr.initial); if (size !== undefined) this.#sizes.set(expr, size); }
      if (expr.initial.kind === "list" || expr.initial.kind === "map") {
        this.#sizes.set(expr, count);
        const entry = this.#entryOf(expr.step);
        if (entry !== undefined) this.#entries.set(expr, entry);
      }
      return cost + result + times(count.max, loop);
    });
  }
  #loopLocals({ range, variable, variable2 }: Comprehension): readonly (readonly [string, Local])[] {
    const entry = this.#entryOf(range), path = this.#pathOf(range), isList = (entry?.container ?? this.#checked.typeOf(range).kind) === "list";
    const key: Local = { path: [...path, isList ? "@indices" : "@keys"], size: entry?.key, entry: undefined };
    const value: Local = { path: [...path, isList ? "@items" : "@values"], size: entry?.value, entry: undefined };
    return variable2 === undefined ? [[variable, isList ? value : key]] : [[variable, key], [variable2, value]];
  }

  #pathOf(expr: Expr): readonly string[] {
    return (expr.kind === "ident" ? this.#locals.get(expr.name)?.path : undefined) ?? this.#paths.get(expr) ?? [];
  }
  #sizeOr(expr: Expr): Size {
    return this.#sizeOf(expr) ?? anySize;
  }
  #sizeOf(expr: Expr): Size | undefined {
    const known = this.#sizes.get(expr) ?? literalSize(expr);
    if (known !== undefined) return known;
    const found = this.#sizeFor(this.#pathOf(expr));
    if (found !== undefined) return found;
    if (isScalar(this.#checked.typeOf(expr))) return exactly(1);
    return expr.kind === "ident" ? this.#locals.get(expr.name)?.size : undefined;
  }
  #sizeFor(path: readonly string[]): Size | undefined {
    // Quirk: what is inside something that a call made counts as the root does.
    const max = path.length === 0 ? undefined : this.#sizeAt(path);
    return max === undefined ? undefined : { min: 0, max };
  }
  #itemSize(expr: Expr): Size {
    const path = this.#pathOf(expr);
    return (path.length === 0 ? undefined : this.#sizeFor([...path, "@items"])) ?? anySize;
  }
  #entryOf(expr: Expr): EntrySize | undefined {
    return this.#entries.get(expr) ?? (expr.kind === "ident" ? this.#locals.get(expr.name)?.entry : undefined);
  }
  #copySizes(to: Expr, from: Expr): void {
    const size = this.#sizeOf(from), entry = this.#entryOf(from);
    if (size !== undefined) this.#sizes.set(to, size);
    if (entry !== undefined) this.#entries.set(to, entry);
  }
}

const joined = (a: EntrySize, b: EntrySize): EntrySize => ({ container: a.container, key: union(a.key, b.key), value: union(a.value, b.value) });

function isBinding({ range, condition, accumulator }: Comprehension): boolean {
  return range.kind === "list" && range.items.length === 0 && condition.kind === "literal" && condition.value === false && accumulator !== "@result";
}

function literalSize(expr: Expr): Size | undefined {
  if (expr.kind === "list") return exactly(expr.items.length);
  if (expr.kind === "map") return exactly(expr.entries.length);
  if (expr.kind !== "literal") return undefined;
  const { value } = expr;
  return exactly(typeof value === "string" ? [...value].length : value instanceof Uint8Array ? value.length : 1);
}
function literalOf(expr: Expr | undefined): bigint | undefined {
  return expr?.kind === "literal" && typeof expr.value === "bigint" ? expr.value : undefined;
}

function isScalar(type: Type): boolean {
  return ["bool", "double", "duration", "int", "timestamp", "uint"].includes(type.kind) || (isOptional(type) && isScalar(type.params[0]!));
}
