/** Checks custom resources by the CEL rules of their schema (apiextensions pkg/apiserver/schema/cel/validation.go). */
import { type Json, getOwn, isObject } from "../../base/json.ts";
import { type Decl, valueOf } from "../../schema/cel/data.ts";
import { type Program, callCostMax, totalCostMax } from "../../schema/cel/environment.ts";
import { CelError } from "../../schema/cel/error.ts";
import type { Host } from "../../schema/cel/functions.ts";
import { Optional, type Value, none } from "../../schema/cel/values.ts";
import { escapeName } from "../../schema/cel/names.ts";
import { type Problem, duplicate, forbidden, invalidValue, required } from "../../schema/problem.ts";
import { stepCost } from "../pace.ts";
import { type Rule, compileRule, rulesOf } from "./rules-compile.ts";
import { Correlated, itemLike } from "./rules-correlation.ts";
import { declOf } from "./rules-schema.ts";
import type { Schema } from "./schema.ts";

/** Bytes of the longest message that an expression may make. */
const messageMax = 5 * 1024;

type Runnable = { readonly rule: Rule; readonly path: string; readonly program: Program | undefined; readonly message: Program | undefined; readonly problem: string | undefined; readonly usesOld: boolean };

/** What a part of a schema and the parts inside it ask for. */
type Checks = {
  readonly schema: Schema;
  readonly decl: Decl;
  readonly rules: readonly Runnable[];
  readonly items: Checks | undefined;
  readonly values: Checks | undefined;
  readonly fields: ReadonlyMap<string, Checks>;
  readonly also: readonly Checks[];
};

export class Rules {
  readonly #checks: Checks | undefined;
  constructor(schema: Schema, host: Host) {
    this.#checks = mentionsRules(schema) ? build(schema, schema, declOf(schema, "selfType", true), host) : undefined;
  }
  /** Nothing to run. */
  get empty(): boolean {
    return this.#checks === undefined;
  }
  /** All at once. `old`: what the object was before an update. */
  validate(object: Json, old: Json | undefined): readonly Problem[] {
    const run = this.begin(object, old);
    while (!run.step());
    return run.problems;
  }
  /** In steps, since all that one object may use takes most of a second. */
  begin(object: Json, old: Json | undefined): Run {
    return new Run(this.#checks, object, old);
  }
}

function mentionsRules(schema: Schema): boolean {
  return rulesOf(schema).length > 0 || (schema.items !== undefined && mentionsRules(schema.items)) || (isObject(schema.additionalProperties) && mentionsRules(schema.additionalProperties as Schema))
    || Object.values(schema.properties ?? {}).some(mentionsRules) || (schema.allOf ?? []).some(mentionsRules);
}

/** `spine`: the schema that has the types; rules inside `allOf` are about the same value. */
function build(schema: Schema, spine: Schema, decl: Decl | undefined, host: Host): Checks | undefined {
  if (decl === undefined) return undefined;
  const rules = rulesOf(schema).map((rule): Runnable => {
    const { program, message, problem, path } = compileRule(rule, decl, spine, host);
    return { rule, path, program, message, problem, usesOld: program?.uses.has("oldSelf") === true };
  });
  const items = schema.items && spine.items && build(schema.items, spine.items, decl.item, host);
  const values = isObject(schema.additionalProperties) && isObject(spine.additionalProperties) ? build(schema.additionalProperties as Schema, spine.additionalProperties as Schema, decl.item, host) : undefined;
  const fields = new Map<string, Checks>();
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    const inside = getOwn(spine.properties ?? {}, name), escaped = escapeName(name);
    if (inside === undefined) continue;
    const made = build(field, inside, escaped === undefined ? declOf(inside, "selfType") : decl.fields?.get(escaped), host);
    if (made !== undefined) fields.set(name, made);
  }
  const also = (schema.allOf ?? []).flatMap(each => build(each, spine, decl, host) ?? []);
  return rules.length === 0 && items === undefined && values === undefined && fields.size === 0 && also.length === 0 ? undefined : { schema: spine, decl, rules, items, values, fields, also };
}

/** Where a value was before; if nothing there, the nearest thing around it that was. */
type Before = { readonly here: Correlated | undefined; readonly above: Correlated | undefined };
const isUnchanged = ({ here, above }: Before): boolean => (here ?? above)?.unchanged === true;
function inside(before: Before, find: (here: Correlated) => Correlated | undefined): Before {
  return before.here === undefined ? before : { here: find(before.here), above: before.here };
}

/** A value, what is asked of it, and how many of its rules have run. */
type Task = { readonly checks: Checks; readonly value: Json; readonly old: Json | undefined; readonly path: string; readonly before: Before; ran: number };

class Run {
  readonly problems: Problem[] = [];
  #budget = totalCostMax;
  #task: Task | undefined;
  /** What is inside the values that were seen, innermost last. */
  readonly #waiting: Iterator<Task>[] = [];
  constructor(checks: Checks | undefined, value: Json, old: Json | undefined) {
    if (checks !== undefined) this.#task = { checks, value, old, path: "", before: { here: old === undefined ? undefined : new Correlated(checks.schema, value, old), above: undefined }, ran: 0 };
  }

  /** Goes on for a while; true when nothing is left. */
  step(): boolean {
    const until = this.#budget - stepCost;
    for (; this.#task !== undefined; this.#task = this.#next()) {
      const task = this.#task;
      if (task.value === null) continue;
      if (!this.#runRules(task, until)) {
        this.#waiting.length = 0;
        this.#task = undefined;
        return true;
      }
      if (this.#budget <= until) return false;
      this.#waiting.push(insideOf(task));
    }
    return true;
  }

  #next(): Task | undefined {
    for (let inner = this.#waiting.at(-1); inner !== undefined; inner = this.#waiting.at(-1)) {
      const next = inner.next();
      if (next.done !== true) return next.value;
      this.#waiting.pop();
    }
    return undefined;
  }

  /** False: nothing more may run. Stops early once the budget is down to `until`. */
  #runRules(task: Task, until: number): boolean {
    const { value, old, path, before, checks: { rules, decl, schema } } = task;
    if (rules.length === 0) return true;
    const told = schema.type ?? "";
    const field = path === "" ? "<nil>" : path;
    const stop = (detail: string): false => { this.problems.push(invalidValue(field, told, detail)); return false; };
    if (this.#budget <= 0 && task.ran === 0) return stop("validation failed due to running out of cost budget, no further validation rules will be run");
    const lazy = (json: Json): Value => valueOf(decl, json);
    while (task.ran < rules.length && this.#budget > until) {
      const { rule, path: below, program, message, problem, usesOld } = rules[task.ran++]!;
      if (problem !== undefined) this.problems.push(invalidValue(field, told, `rule compile error: ${problem}`));
      if (program === undefined || (usesOld && old === undefined && rule.optionalOldSelf !== true)) continue;
      let bindings: ReadonlyMap<string, Value>;
      try {
        const before = usesOld && old !== undefined ? lazy(old) : undefined;
        bindings = new Map<string, Value>([["self", lazy(value)], ...(rule.optionalOldSelf === true ? [["oldSelf", before === undefined ? none : new Optional(before)] as const] : before === undefined ? [] : [["oldSelf", before] as const])]);
      } catch (error) {
        if (!(error instanceof CelError)) throw error;
        this.problems.push(invalidValue(field, told, `${error.message} evaluating rule: ${shownRule(rule)}`));
        continue;
      }
      const outcome = program.evaluate(bindings, callCostMax);
      if (outcome.cost > this.#budget) return stop("validation failed due to running out of cost budget, no further validation rules will be run");
      this.#budget -= outcome.cost;
      if (!outcome.ok) {
        if (outcome.overBudget) return stop(`'${outcome.message}': no further validation rules will be run due to call cost exceeds limit for rule: ${shownRule(rule)}`);
        this.problems.push(invalidValue(field, told, outcome.message.startsWith("no such overload")
          ? `'${outcome.message}': call arguments did not match a supported operator, function or macro signature for rule: ${shownRule(rule)}` : `${outcome.message} evaluating rule: ${shownRule(rule)}`));
        continue;
      }
      if (outcome.value === true) continue;
      const at = below === "" ? field : path === "" ? below.replace(/^\./, "") : `${path}${below}`;
      const made = message === undefined ? undefined : this.#message(message, rule, bindings);
      if (made !== undefined && "stop" in made) { this.problems.push(invalidValue(at, told, made.stop)); return false; }
      const detail = made?.text ?? (rule.message === undefined || rule.message === "" ? `failed rule: ${shownRule(rule)}` : rule.message.trim());
      if (usesOld || !isUnchanged(before)) this.problems.push(problemFor(rule, at, schema.type === "object" || schema.type === "array" ? undefined : value, detail));
    }
    return true;
  }

  /** `undefined`: no message came of it. */
  #message(program: Program, rule: Rule, bindings: ReadonlyMap<string, Value>): { readonly text: string } | { readonly stop: string } | undefined {
    const outcome = program.evaluate(bindings, callCostMax);
    if (outcome.cost > this.#budget) return { stop: "messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run" };
    this.#budget -= outcome.cost;
    if (!outcome.ok) return outcome.overBudget ? { stop: `no further validation rules will be run due to call cost exceeds limit for messageExpression: ${JSON.stringify(rule.messageExpression)}` } : undefined;
    const text = typeof outcome.value === "string" ? outcome.value.trim() : "";
    return text === "" || text.includes("\n") || new TextEncoder().encode(text).length > messageMax ? undefined : { text };
  }
}

/** What is inside a value, in the order in which upstream looks at it. */
function* insideOf({ checks, value, old, path, before }: Task): Generator<Task> {
  for (const also of checks.also) yield { checks: also, value, old, path, before: { here: undefined, above: before.above }, ran: 0 };
  if (Array.isArray(value)) {
    const { items, schema } = checks, was = Array.isArray(old) ? (old as readonly Json[]) : [];
    if (items !== undefined) for (const [i, item] of (value as readonly Json[]).entries()) yield { checks: items, value: item, old: itemLike(schema, was, item), path: `${path}[${i}]`, before: inside(before, here => here.index(i)), ran: 0 };
    return;
  }
  if (!isObject(value)) return;
  const { values, fields } = checks, was = isObject(old) ? old : {};
  for (const [name, each] of Object.entries(value)) {
    const field = fields.get(name);
    // Both versions of these are the same whatever was stored.
    const next = before.above === undefined && (name === "apiVersion" || name === "kind") ? { here: undefined, above: undefined } : inside(before, here => here.key(name));
    if (values !== undefined) yield { checks: values, value: each, old: getOwn(was, name), path: `${path}[${name}]`, before: next, ran: 0 };
    if (field !== undefined) yield { checks: field, value: each, old: getOwn(was, name), path: path === "" ? name : `${path}.${name}`, before: next, ran: 0 };
  }
}

const shownRule = ({ message, rule }: Rule): string => (message === undefined || message === "" ? rule : message).trim();

function problemFor({ reason }: Rule, field: string, value: Json | undefined, detail: string): Problem {
  switch (reason) {
    case "FieldValueForbidden": return forbidden(field, detail);
    case "FieldValueRequired": return required(field, detail);
    case "FieldValueDuplicate": return value === undefined ? { field, reason: "Duplicate", detail: "" } : duplicate(field, value);
    default: return value === undefined ? { field, reason: "Invalid", detail } : invalidValue(field, value, detail);
  }
}
