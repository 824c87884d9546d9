/** One request seen by one policy's expressions (apiserver pkg/admission/plugin/cel). Part of what is loaded with CEL. */
import { anyDecl, valueOf } from "../../../schema/cel/data.ts";
import { type Compiled, type Options, callCostMax, compileExpression, totalCostMax } from "../../../schema/cel/environment.ts";
import { CelError, Pending } from "../../../schema/cel/error.ts";
import type { Host } from "../../../schema/cel/functions.ts";
import { AuthorizerValue, ResourceCheck } from "../../../schema/cel/library/authz.ts";
import { type Type, types } from "../../../schema/cel/types.ts";
import { Mapping, type Value } from "../../../schema/cel/values.ts";
import { type Problem, invalidValue } from "../../../schema/problem.ts";
import { aggregate } from "../../authz/rbac.ts";
import type { Pace } from "../../pace.ts";
import { authorizers, type InputTypes } from "./input-types.ts";
import type { PolicyInput } from "./match.ts";

type Named = { readonly name: string; readonly expression: string };
export type Scopes = { readonly conditions: ReadonlyMap<string, Type>; /** Conditions have no `variables`. */ readonly all: ReadonlyMap<string, Type>; /** What makes texts may not ask the authorizer. */ readonly texts: ReadonlyMap<string, Type> };

/** Names that expressions may use when they run: of any type, since they were checked when they were written (`InputTypes`). */
export function scopesOf({ paramKind }: { readonly paramKind?: unknown }): Scopes {
  const plain: (readonly [string, Type])[] = ["object", "oldObject", "request", "namespaceObject", ...(paramKind === undefined ? [] : ["params"])].map(name => [name, types.dyn]);
  const variables = ["variables", types.dyn] as const;
  return { conditions: new Map([...plain, ...authorizers]), all: new Map([...plain, ...authorizers, variables]), texts: new Map([...plain, variables]) };
}

/** Says what is wrong with an expression that is being written; answers its type if nothing is. `Required` is the kind's business. */
export function checkExpression(problems: Problem[], path: string, expression: string | undefined, options: Options): Type | undefined {
  if (expression === undefined || expression.trim() === "") return undefined;
  const compiled = compileExpression(expression, options);
  if (compiled.ok) return compiled.program.type;
  problems.push(invalidValue(path, expression, compiled.message.startsWith("must evaluate") ? compiled.message : `${compiled.checked === true ? "program instantiation" : "compilation"} failed: ${compiled.message}`));
  return undefined;
}
/** The same for conditions and variables, which all policies have. Variables are added to `inputs`. */
export function checkShared(problems: Problem[], { matchConditions = [], variables = [] }: { readonly matchConditions?: readonly Named[] | undefined; readonly variables?: readonly Named[] | undefined }, inputs: InputTypes, host: Host): void {
  for (const [i, { expression }] of matchConditions.entries()) checkExpression(problems, `spec.matchConditions[${i}].expression`, expression.trim(), { variables: inputs.conditions, wants: [types.bool], host });
  for (const [i, { name, expression }] of variables.entries()) inputs.add(name, checkExpression(problems, `spec.variables[${i}].expression`, expression, { variables: inputs.all, host }));
}

export type Condition = { readonly expression: string; readonly compiled: Compiled };
export const conditionsOf = (conditions: readonly Named[], scopes: Scopes, host: Host): readonly Condition[] => conditions.map(({ expression }) => ({ expression, compiled: compileExpression(expression, { variables: scopes.conditions, host }) }));
export const variablesOf = (variables: readonly Named[], scopes: Scopes, host: Host): ReadonlyMap<string, Compiled> => new Map(variables.map(({ name, expression }) => [name, compileExpression(expression, { variables: scopes.all, host })]));

/** `spent`: nothing more may run. */
export type Result = { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly message: string; readonly compile: boolean; readonly spent: boolean };
/** What the conditions of one policy or webhook may cost together (apiserver apis/cel/config.go, RuntimeCELCostBudgetMatchConditions). */
export const conditionsCostMax = 2_500_000;

/** Variables are evaluated when they are first asked for, and all share one budget. Others have their turn in between (`Pace`). */
export class Run {
  readonly #values: ReadonlyMap<string, Value>;
  readonly #pace: Pace;
  #budget: number;
  constructor({ values, asker, resource, pace }: PolicyInput, named: ReadonlyMap<string, Compiled>, budget = totalCostMax) {
    this.#pace = pace;
    this.#budget = budget;
    this.#values = new Map<string, Value>([
      ...[...values].map(([name, json]): [string, Value] => [name, valueOf(anyDecl, json)]), ["variables", new Variables(named, this)],
      ["authorizer", new AuthorizerValue(asker)], ["authorizer.requestResource", new ResourceCheck(asker, resource)],
    ]);
  }
  /** Whoever is in the middle of an expression should wait with what comes next. */
  get isTired(): boolean {
    return this.#pace.isTired;
  }
  async evaluate(compiled: Compiled): Promise<Result> {
    for (;;) {
      if (this.#pace.isTired) await this.#pace.rest();
      try {
        return this.evaluateNow(compiled);
      } catch (error) {
        if (!(error instanceof Pending)) throw error;
        await error.ready();
      }
    }
  }
  /** Throws `Pending`. */
  evaluateNow(compiled: Compiled): Result {
    if (!compiled.ok) return { ok: false, message: compiled.message, compile: true, spent: false };
    const outcome = compiled.program.evaluate(this.#values, callCostMax);
    this.#pace.spend(outcome.cost);
    this.#budget -= outcome.cost;
    if (this.#budget < 0) return { ok: false, message: "validation failed due to running out of cost budget, no further validation rules will be run", compile: false, spent: true };
    return outcome.ok ? outcome : { ok: false, message: outcome.message, compile: false, spent: false };
  }
}

/** One that does not hold decides; one that fails counts only when none says no (apiserver plugin/webhook/matchconditions/matcher.go). */
export async function matches(input: PolicyInput, conditions: readonly Condition[]): Promise<boolean | { readonly problem: string }> {
  const run = new Run(input, new Map(), conditionsCostMax), problems: string[] = [];
  for (const { expression, compiled } of conditions) {
    const outcome = await run.evaluate(compiled);
    if (!outcome.ok && outcome.spent) return { problem: outcome.message };
    if (!outcome.ok) problems.push(failureText(expression, outcome));
    else if (outcome.value !== true) return false;
  }
  return problems.length === 0 ? true : { problem: aggregate([...new Set(problems)]) };
}

/** What went wrong, as upstream tells it. */
export const failureText = (expression: string, { message, compile }: Result & { readonly ok: false }): string => (compile ? `compilation error: ${message}` : `expression '${expression}' resulted in error: ${message}`);

class Variables extends Mapping {
  readonly #named: ReadonlyMap<string, Compiled>;
  readonly #run: Run;
  readonly #known = new Map<string, Result | "asked">();
  constructor(named: ReadonlyMap<string, Compiled>, run: Run) {
    super();
    this.#named = named;
    this.#run = run;
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
    const result = this.#known.get(name) ?? this.#find(name, compiled);
    if (result === "asked") throw new CelError(`variable ${JSON.stringify(name)} needs itself`);
    if (!result.ok) throw new CelError(`composited variable ${JSON.stringify(name)} fails to evaluate: ${result.message}`);
    return result.value;
  }

  #find(name: string, compiled: Compiled): Result {
    this.#known.set(name, "asked");
    let result: Result | undefined;
    try {
      // What has worked long already does not go on with a variable, which may take as long again: it stands by itself then.
      if (this.#run.isTired) throw new Pending(async () => {
        this.#known.set(name, "asked");
        this.#known.set(name, await this.#run.evaluate(compiled));
      });
      result = this.#run.evaluateNow(compiled);
    } finally {
      if (result === undefined) this.#known.delete(name);
      else this.#known.set(name, result);
    }
    // Nor does whoever asked for it, if this was what took long: it begins anew, and finds it done.
    if (this.#run.isTired) throw new Pending(async () => undefined);
    return result;
  }
}
