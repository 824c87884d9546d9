/** Checks custom resources by the CEL rules of their schema (apiextensions pkg/apiserver/schema/cel/validation.go). */
import { type Json, getOwn, isObject } from "../../base/json.ts";
import { type Decl, valueOf } from "../../schema/cel/data.ts";
import { type Program, callCostMax, totalCostMax } from "../../schema/cel/environment.ts";
import { CelError } from "../../schema/cel/error.ts";
import type { Host } from "../../schema/cel/functions.ts";
import { Optional, type Value, none } from "../../schema/cel/values.ts";
import { escapeName } from "../../schema/cel/names.ts";
import { type Problem, duplicate, forbidden, invalidValue, required } from "../../schema/problem.ts";
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
  /** `old`: what the object was before an update. */
  validate(object: Json, old: Json | undefined): readonly Problem[] {
    if (this.#checks === undefined) return [];
    const run = new Run();
    run.validate(this.#checks, object, old, "", { here: old === undefined ? undefined : new Correlated(this.#checks.schema, object, old), above: undefined });
    return run.problems;
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

class Run {
  readonly problems: Problem[] = [];
  #budget = totalCostMax;

  /** False: nothing more may run. */
  validate(checks: Checks, value: Json, old: Json | undefined, path: string, before: Before): boolean {
    if (value === null) return true;
    if (!this.#runRules(checks, value, old ?? undefined, path, before)) return false;
    for (const also of checks.also) if (!this.validate(also, value, old, path, { here: undefined, above: before.above })) return false;
    if (Array.isArray(value)) return this.#items(checks, value, Array.isArray(old) ? old : [], path, before);
    return isObject(value) ? this.#fields(checks, value, isObject(old) ? old : {}, path, before) : true;
  }

  #items({ items, schema }: Checks, list: readonly Json[], old: readonly Json[], path: string, before: Before): boolean {
    return items === undefined || list.every((item, i) => this.validate(items, item, itemLike(schema, old, item), `${path}[${i}]`, inside(before, here => here.index(i))));
  }
  #fields({ values, fields }: Checks, object: { readonly [name: string]: Json }, old: { readonly [name: string]: Json }, path: string, before: Before): boolean {
    for (const [name, value] of Object.entries(object)) {
      const field = fields.get(name), now = path === "" ? name : `${path}.${name}`;
      // Both versions of these are the same whatever was stored.
      const next = before.above === undefined && (name === "apiVersion" || name === "kind") ? { here: undefined, above: undefined } : inside(before, here => here.key(name));
      if (values !== undefined && !this.validate(values, value, getOwn(old, name), `${path}[${name}]`, next)) return false;
      if (field !== undefined && !this.validate(field, value, getOwn(old, name), now, next)) return false;
    }
    return true;
  }

  #runRules({ rules, decl, schema }: Checks, value: Json, old: Json | undefined, path: string, before: Before): boolean {
    if (rules.length === 0) return true;
    const told = schema.type ?? "";
    const field = path === "" ? "<nil>" : path;
    const stop = (detail: string): false => { this.problems.push(invalidValue(field, told, detail)); return false; };
    if (this.#budget <= 0) return stop("validation failed due to running out of cost budget, no further validation rules will be run");
    const lazy = (json: Json): Value => valueOf(decl, json);
    for (const { rule, path: below, program, message, problem, usesOld } of rules) {
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

const shownRule = ({ message, rule }: Rule): string => (message === undefined || message === "" ? rule : message).trim();

function problemFor({ reason }: Rule, field: string, value: Json | undefined, detail: string): Problem {
  switch (reason) {
    case "FieldValueForbidden": return forbidden(field, detail);
    case "FieldValueRequired": return required(field, detail);
    case "FieldValueDuplicate": return value === undefined ? { field, reason: "Duplicate", detail: "" } : duplicate(field, value);
    default: return value === undefined ? { field, reason: "Invalid", detail } : invalidValue(field, value, detail);
  }
}
