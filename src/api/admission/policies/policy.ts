/** A ValidatingAdmissionPolicy, compiled (apiserver pkg/admission/plugin/policy/validating/validator.go). Part of what is loaded with CEL. */
import { anyDecl, valueOf } from "../../../schema/cel/data.ts";
import { type Compiled, type Outcome, callCostMax, compileExpression, totalCostMax } from "../../../schema/cel/environment.ts";
import { CelError } from "../../../schema/cel/error.ts";
import type { Host } from "../../../schema/cel/functions.ts";
import { type Type, types } from "../../../schema/cel/types.ts";
import { Mapping, type Value } from "../../../schema/cel/values.ts";
import { type Problem, invalidValue } from "../../../schema/problem.ts";
import type { Policy, PolicySpec, Verdict } from "./policies.ts";

/** Bytes of the longest message that an expression may make. */
const messageMax = 5 * 1024;

/** Names that expressions may use: all but conditions may also use `variables`. */
function scopes({ paramKind }: PolicySpec): { readonly conditions: ReadonlyMap<string, Type>; readonly all: ReadonlyMap<string, Type> } {
  const names = ["object", "oldObject", "request", "namespaceObject", ...(paramKind === undefined ? [] : ["params"])];
  const conditions = new Map<string, Type>(names.map(name => [name, types.dyn]));
  return { conditions, all: new Map([...conditions, ["variables", types.dyn]]) };
}

/** What is wrong with the expressions of a policy that is being written. */
export function policyProblems(spec: PolicySpec, host: Host): readonly Problem[] {
  const { conditions, all } = scopes(spec), problems: Problem[] = [];
  const check = (path: string, expression: string | undefined, variables: ReadonlyMap<string, Type>, wants?: readonly Type[]): void => {
    if (expression === undefined || expression.trim() === "") return;
    const compiled = compileExpression(expression, { variables, host, ...(wants === undefined ? {} : { wants }) });
    if (!compiled.ok) problems.push(invalidValue(path, expression, compiled.message.startsWith("must evaluate") ? compiled.message : `${compiled.checked === true ? "program instantiation" : "compilation"} failed: ${compiled.message}`));
  };
  (spec.matchConditions ?? []).forEach(({ expression }, i) => check(`spec.matchConditions[${i}].expression`, expression, conditions, [types.bool]));
  (spec.variables ?? []).forEach(({ expression }, i) => check(`spec.variables[${i}].expression`, expression, all));
  (spec.validations ?? []).forEach(({ expression, messageExpression }, i) => {
    check(`spec.validations[${i}].expression`, expression, all, [types.bool]);
    check(`spec.validations[${i}].messageExpression`, messageExpression, all, [types.string]);
  });
  (spec.auditAnnotations ?? []).forEach(({ valueExpression }, i) => check(`spec.auditAnnotations[${i}].valueExpression`, valueExpression, all, [types.string, types.null]));
  return problems;
}

export function compilePolicy(spec: PolicySpec, host: Host): Policy {
  const { conditions: conditionVariables, all: variables } = scopes(spec);
  const compile = (expression: string): Compiled => compileExpression(expression, { variables, host });
  const conditions = (spec.matchConditions ?? []).map(({ name, expression }) => ({ name, compiled: compileExpression(expression, { variables: conditionVariables, wants: [types.bool], host }) }));
  const named = new Map((spec.variables ?? []).map(({ name, expression }) => [name, compile(expression)]));
  const validations = (spec.validations ?? []).map(validation => ({ ...validation, compiled: compile(validation.expression), made: validation.messageExpression === undefined || validation.messageExpression === "" ? undefined : compile(validation.messageExpression) }));
  const fails = spec.failurePolicy !== "Ignore";

  return values => {
    const run = new Run(new Map([...values].map(([name, json]) => [name, valueOf(anyDecl, json)])), named);
    const verdicts: Verdict[] = [];
    const problems: string[] = [];
    for (const { name, compiled } of conditions) {
      const outcome = run.evaluate(compiled);
      if (!outcome.ok) problems.push(`match condition ${JSON.stringify(name)}: ${outcome.message}`);
      else if (outcome.value !== true) return [];
    }
    if (problems.length > 0) return fails ? [{ message: problems.join("; "), reason: "Invalid" }] : [];
    for (const { expression, message, reason, compiled, made } of validations) {
      const outcome = run.evaluate(compiled);
      if (outcome.ok && outcome.value === true) continue;
      if (!outcome.ok) {
        if (fails) verdicts.push({ message: outcome.compile ? `compilation error: ${outcome.message}` : `expression '${expression}' resulted in error: ${outcome.message}`, reason: "Invalid" });
        continue;
      }
      const text = made === undefined ? undefined : run.text(made);
      verdicts.push({ message: text ?? (message === undefined || message.trim() === "" ? `failed expression: ${expression.trim()}` : message.trim()), reason: reason ?? "Invalid" });
    }
    return verdicts;
  };
}

type Result = { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly message: string; readonly compile: boolean };

/** One request seen by one policy: variables are evaluated when they are first asked for, and all share one budget. */
class Run {
  readonly #values: ReadonlyMap<string, Value>;
  #budget = totalCostMax;
  constructor(values: ReadonlyMap<string, Value>, named: ReadonlyMap<string, Compiled>) {
    this.#values = new Map([...values, ["variables", new Variables(named, compiled => this.evaluate(compiled))]]);
  }
  evaluate(compiled: Compiled): Result {
    if (!compiled.ok) return { ok: false, message: compiled.message, compile: true };
    const outcome: Outcome = compiled.program.evaluate(this.#values, callCostMax);
    this.#budget -= outcome.cost;
    if (this.#budget < 0) return { ok: false, message: "validation failed due to running out of cost budget, no further validation rules will be run", compile: false };
    return outcome.ok ? outcome : { ok: false, message: outcome.message, compile: false };
  }
  text(compiled: Compiled): string | undefined {
    const outcome = this.evaluate(compiled);
    const text = outcome.ok && typeof outcome.value === "string" ? outcome.value.trim() : "";
    return text === "" || text.includes("\n") || new TextEncoder().encode(text).length > messageMax ? undefined : text;
  }
}

class Variables extends Mapping {
  readonly #named: ReadonlyMap<string, Compiled>;
  readonly #evaluate: (compiled: Compiled) => Result;
  readonly #known = new Map<string, Result | "asked">();
  constructor(named: ReadonlyMap<string, Compiled>, evaluate: (compiled: Compiled) => Result) {
    super();
    this.#named = named;
    this.#evaluate = evaluate;
  }
  override get size(): number {
    return this.#named.size;
  }
  override keys(): Iterable<Value> {
    return this.#named.keys();
  }
  override get(key: Value): Value | undefined {
    const compiled = typeof key === "string" ? this.#named.get(key) : undefined;
    if (compiled === undefined) return undefined;
    const name = key as string;
    let result = this.#known.get(name);
    if (result === "asked") throw new CelError(`variable ${JSON.stringify(name)} needs itself`);
    if (result === undefined) {
      this.#known.set(name, "asked");
      this.#known.set(name, (result = this.#evaluate(compiled)));
    }
    if (!result.ok) throw new CelError(`composited variable ${JSON.stringify(name)} fails to evaluate: ${result.message}`);
    return result.value;
  }
}
