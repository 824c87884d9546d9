/** What is wrong with the CEL rules of a definition's schema: their form, their types, and what they could cost (apiextensions pkg/apis/apiextensions/validation). */
import { type Json, isObject } from "../../base/json.ts";
import { requestMax } from "../../schema/cel/data.ts";
import type { Host } from "../../schema/cel/functions.ts";
import { type Problem, forbidden, invalidValue, notSupported, required } from "../../schema/problem.ts";
import { type Rule, compileRule, normalPath, rulesOf } from "./rules-compile.ts";
import { declOf } from "./rules-schema.ts";
import type { Schema } from "./schema.ts";

/** Most that one rule, and all of a schema, may be estimated to cost. */
const ruleCostMax = 10_000_000, schemaCostMax = 100_000_000;
const reasons = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];

/** `path`: of the schema in the definition. */
export function ruleProblems(schema: Schema, path: string, host: Host): readonly Problem[] {
  const checker = new Checker(host);
  checker.visit(schema, path, { times: 1, root: true, uncorrelatable: undefined, typed: true });
  const problems = [...checker.form, ...checker.rules];
  if (checker.total <= schemaCostMax) return problems;
  const expensive = checker.costs.filter(({ cost }) => cost >= schemaCostMax / 100).sort((a, b) => b.cost - a.cost).slice(0, 4);
  return [
    ...problems, ...expensive.map(each => forbidden(each.path, "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema")),
    forbidden(path, tooExpensive("x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema", checker.total, schemaCostMax)),
  ];
}

type Place = {
  /** How often what the schema is about can be in an object; `undefined`: nothing says. */
  readonly times: number | undefined;
  readonly root: boolean;
  /** The list whose items cannot be found in the old object. */
  readonly uncorrelatable: string | undefined;
  /** False inside `allOf` and its like, whose rules are only looked at for their form. */
  readonly typed: boolean;
};

class Checker {
  readonly form: Problem[] = [];
  readonly rules: Problem[] = [];
  readonly costs: { readonly path: string; readonly cost: number }[] = [];
  total = 0;
  readonly #host: Host;
  constructor(host: Host) {
    this.#host = host;
  }

  visit(schema: Schema, path: string, place: Place): void {
    const before = this.form.length;
    const inner = (elements: number | undefined): Place => ({ ...place, root: false, times: place.times === undefined || elements === undefined ? undefined : place.times * elements });
    if (isObject(schema.additionalProperties)) this.visit(schema.additionalProperties as Schema, `${path}.additionalProperties`, inner(elementsOf(schema)));
    for (const [name, field] of Object.entries(schema.properties ?? {})) this.visit(field, `${path}.properties[${name}]`, inner(elementsOf(schema)));
    const untyped = { ...place, typed: false };
    if (schema.not !== undefined) this.visit(schema.not, `${path}.not`, untyped);
    for (const word of ["allOf", "oneOf", "anyOf"] as const) (schema[word] ?? []).forEach((each, i) => this.visit(each, `${path}.${word}[${i}]`, untyped));
    if (schema.items !== undefined) this.visit(schema.items, `${path}.items`, { ...inner(elementsOf(schema)), uncorrelatable: place.uncorrelatable ?? (schema["x-kubernetes-list-type"] === "map" ? undefined : path) });

    const rules = rulesOf(schema);
    rules.forEach((rule, i) => this.#form(rule, schema, `${path}.x-kubernetes-validations[${i}]`));
    if (rules.length > 0 && this.form.length === before && place.typed) this.#compile(rules, schema, path, place);
  }

  #form(rule: Rule, schema: Schema, path: string): void {
    const text = rule.rule.trim(), message = (rule.message ?? "").trim(), newline = /[\n\r]/;
    const given = (value: string | undefined): value is string => value !== undefined && value !== "";
    if (text === "") this.form.push(required(`${path}.rule`, "rule is not specified"));
    else if (given(rule.message) && message === "") this.form.push(invalidValue(`${path}.message`, rule.message, "must be non-empty if specified"));
    else if (newline.test(message)) this.form.push(invalidValue(`${path}.message`, rule.message, "must not contain line breaks"));
    else if (newline.test(text) && message === "") this.form.push(required(`${path}.message`, "message must be specified if rule contains line breaks"));
    if (given(rule.messageExpression) && rule.messageExpression.trim() === "") this.form.push(required(`${path}.messageExpression`, "messageExpression must be non-empty if specified"));
    if (rule.reason !== undefined && !reasons.includes(rule.reason)) this.form.push(notSupported(`${path}.reason`, rule.reason, reasons));
    if (!given(rule.fieldPath)) return;
    if (rule.fieldPath.trim() === "") this.form.push(invalidValue(`${path}.fieldPath`, rule.fieldPath, "must be non-empty if specified"));
    if (newline.test(rule.fieldPath)) this.form.push(invalidValue(`${path}.fieldPath`, rule.fieldPath, "must not contain line breaks"));
    if ("problem" in normalPath(rule.fieldPath, schema)) this.form.push(invalidValue(`${path}.fieldPath`, rule.fieldPath, "must be a valid path"));
  }

  #compile(rules: readonly Rule[], schema: Schema, path: string, place: Place): void {
    const decl = declOf(schema, "selfType", place.root || schema["x-kubernetes-embedded-resource"] === true);
    if (decl === undefined) return void this.rules.push({ field: `${path}.x-kubernetes-validations`, reason: "InternalError", detail: "internal error: failed to construct type information for x-kubernetes-validations rules: unable to convert structural schema to CEL declarations" });
    const times = place.times ?? Math.trunc(requestMax / (decl.minSize + 1));
    rules.forEach((rule, i) => {
      const here = `${path}.x-kubernetes-validations[${i}]`, compiled = compileRule(rule, decl, schema, this.#host);
      const cost = compiled.estimate * times;
      if (cost > ruleCostMax) this.rules.push(forbidden(`${here}.rule`, tooExpensive("estimated rule cost", cost, ruleCostMax)));
      this.#observe(`${here}.rule`, cost);
      if (compiled.problem !== undefined) this.rules.push(invalidValue(`${here}.rule`, shown(rule), compiled.problem));
      if (compiled.messageProblem !== undefined) this.rules.push(invalidValue(`${here}.messageExpression`, shown(rule), compiled.messageProblem));
      if (compiled.message !== undefined) {
        if (compiled.messageEstimate > ruleCostMax) this.rules.push(forbidden(`${here}.messageExpression`, tooExpensive("estimated messageExpression cost", compiled.messageEstimate, ruleCostMax)));
        this.#observe(`${here}.messageExpression`, compiled.messageEstimate);
      }
      if (compiled.program?.uses.has("oldSelf") === true) {
        if (place.uncorrelatable !== undefined) this.rules.push(invalidValue(`${here}.rule`, rule.rule, `oldSelf cannot be used on the uncorrelatable portion of the schema within ${place.uncorrelatable}`));
      } else if (rule.optionalOldSelf !== undefined) this.rules.push(invalidValue(`${here}.optionalOldSelf`, rule.optionalOldSelf, "may not be set if oldSelf is not used in rule"));
    });
  }
  #observe(path: string, cost: number): void {
    this.total += cost;
    this.costs.push({ path, cost });
  }
}

/** How many things can be in one; `undefined`: nothing says. */
function elementsOf({ type, additionalProperties, maxProperties, maxItems }: Schema): number | undefined {
  const limit = type === "object" && additionalProperties !== undefined ? maxProperties : type === "array" ? maxItems : 1;
  return limit === undefined ? undefined : Math.max(limit, 0);
}

function tooExpensive(what: string, cost: number, max: number): string {
  const factor = cost / max;
  const told = factor > 100 ? "more than 100x" : factor < 1.5 ? `${factor.toFixed(6)}x` : `${factor.toFixed(1)}x`;
  return `${what} exceeds budget by factor of ${told} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`;
}

/** As Go tells it. */
function shown(rule: Rule): Json {
  return { Rule: rule.rule, Message: rule.message ?? "", MessageExpression: rule.messageExpression ?? "", Reason: rule.reason ?? null, FieldPath: rule.fieldPath ?? "", OptionalOldSelf: rule.optionalOldSelf ?? null };
}
