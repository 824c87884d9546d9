/** Finds literals that cannot be what they are used as before anything runs (cel-go cel/validator.go, apiserver pkg/cel/environment/base.go). */
import type { Expr, Issue } from "./ast.ts";
import type { Checked } from "./checker.ts";
import { CelError } from "./error.ts";
import { formatWith, unfit, type Verb } from "./format-text.ts";
import type { Host } from "./functions.ts";
import { inRange, parseDuration, parseTimestamp, second } from "./time.ts";
import { isOptional, renderType, type Type, typeText } from "./types.ts";

const readable: { readonly [name: string]: (text: string) => boolean } = {
  duration: text => parseDuration(text) !== undefined,
  timestamp: text => parseTimestamp(text) !== undefined,
};

export function literalIssues(expr: Expr, checked: Checked, host: Host): readonly Issue[] {
  const finder = new Finder(checked, host);
  finder.visit(expr, false);
  return [...finder.unformatted, ...finder.unreadable, ...finder.mixed];
}

class Finder {
  readonly unformatted: Issue[] = [];
  readonly unreadable: Issue[] = [];
  readonly mixed: Issue[] = [];
  readonly #checked: Checked;
  readonly #host: Host;
  constructor(checked: Checked, host: Host) {
    this.#checked = checked;
    this.#host = host;
  }

  /** `formatted`: among the arguments of `format`, where lists may hold anything. */
  visit(expr: Expr, formatted: boolean): void {
    switch (expr.kind) {
      case "select": this.visit(expr.operand, formatted); break;
      case "list":
        for (const { value } of expr.items) this.visit(value, formatted);
        if (!formatted) this.#sameTypes(expr.items);
        break;
      case "map":
        for (const { key, value } of expr.entries) { this.visit(key, formatted); this.visit(value, formatted); }
        if (!formatted) { this.#sameTypes(expr.entries.map(({ key }) => ({ value: key, optional: false }))); this.#sameTypes(expr.entries); }
        break;
      case "message": for (const { value } of expr.fields) this.visit(value, formatted); break;
      case "comprehension": for (const part of [expr.range, expr.initial, expr.condition, expr.step, expr.result]) this.visit(part, formatted); break;
      case "call": this.#call(expr, formatted); break;
      default:
    }
  }

  #call(expr: Expr & { kind: "call" }, formatted: boolean): void {
    const all = expr.target === undefined ? expr.args : [expr.target, ...expr.args];
    for (const arg of all) this.visit(arg, formatted || expr.name === "format");
    if (expr.name === "format" && expr.args.length === 1) this.#format(expr);
    const last = all.at(-1);
    // Quirk: a number may be written there, but is no duration.
    if (all.length === 1 && last?.kind === "literal" && (expr.name === "duration" || expr.name === "timestamp") && (last.value === null || (typeof last.value === "bigint" && !(expr.name === "timestamp" && inRange(last.value * second))))) {
      this.unreadable.push({ at: last.at, text: `invalid ${expr.name} argument` });
    }
    if (last?.kind !== "literal" || typeof last.value !== "string") return;
    const valid = expr.name === "matches" ? this.#host.regex(last.value) !== undefined : all.length === 1 && Object.hasOwn(readable, expr.name) ? readable[expr.name]!(last.value) : true;
    if (!valid) this.unreadable.push({ at: last.at, text: `invalid ${expr.name} argument` });
  }

  /** What can be known of `"%d".format([…])` (cel-go ext/formatting.go, stringFormatValidator). */
  #format({ at, target, args: [list] }: Expr & { kind: "call" }): void {
    if (target?.kind !== "literal" || typeof target.value !== "string" || list?.kind !== "list") return;
    const { items } = list;
    let asked = 0, place = at;
    const check = (verb: Verb, arg: Expr): void => {
      const problem = unfit(verb, typeText(this.#checked.typeOf(arg)).replace(/\(.*/s, ""));
      if (problem !== undefined) { place = arg.at; throw new CelError(problem); }
      if (verb !== "s") return;
      if (arg.kind === "list") for (const { value } of arg.items) check(verb, value);
      if (arg.kind === "map") for (const { key, value } of arg.entries) { check(verb, key); check(verb, value); }
    };
    try {
      formatWith(target.value, items.length, true, (verb, i) => { asked++; check(verb, items[i]!.value); return ""; });
    } catch (error) {
      if (!(error instanceof CelError)) throw error;
      this.unformatted.push({ at: place, text: error.message });
      return;
    }
    if (items.length > asked) this.unformatted.push({ at, text: `too many arguments supplied to string.format (expected ${asked}, got ${items.length})` });
  }

  #sameTypes(parts: readonly { readonly value: Expr; readonly optional: boolean }[]): void {
    let first: Type | undefined;
    for (const { value, optional } of parts) {
      const whole = this.#checked.typeOf(value), type = optional && isOptional(whole) ? whole.params[0]! : whole;
      first ??= type;
      if (renderType(first) === renderType(type)) continue;
      this.mixed.push({ at: value.at, text: `expected type '${renderType(first)}' but found '${renderType(type)}'` });
      return;
    }
  }
}
