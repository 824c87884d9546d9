/** One request seen by one policy's expressions (apiserver pkg/admission/plugin/cel). Part of what is loaded with CEL. */
import { anyDecl, valueOf } from "../../../schema/cel/data.ts";
import { type Compiled, type Options, type Outcome, callCostMax, compileExpression, totalCostMax } from "../../../schema/cel/environment.ts";
import { CelError } from "../../../schema/cel/error.ts";
import type { Host } from "../../../schema/cel/functions.ts";
import { AuthorizerValue, ResourceCheck, authorizerType, resourceCheckType } from "../../../schema/cel/library/authz.ts";
import { type Type, types } from "../../../schema/cel/types.ts";
import { Mapping, type Value } from "../../../schema/cel/values.ts";
import { type Problem, invalidValue } from "../../../schema/problem.ts";
import type { PolicyInput } from "./match.ts";

type Named = { readonly name: string; readonly expression: string };
export type Scopes = { readonly conditions: ReadonlyMap<string, Type>; /** Conditions have no `variables`. */ readonly all: ReadonlyMap<string, Type>; /** What makes texts may not ask the authorizer. */ readonly texts: ReadonlyMap<string, Type> };

/** Names that expressions may use. */
export function scopesOf({ paramKind }: { readonly paramKind?: unknown }): Scopes {
  const plain: (readonly [string, Type])[] = ["object", "oldObject", "request", "namespaceObject", ...(paramKind === undefined ? [] : ["params"])].map(name => [name, types.dyn]);
  const authorizer: readonly (readonly [string, Type])[] = [["authorizer", authorizerType], ["authorizer.requestResource", resourceCheckType]];
  const variables = ["variables", types.dyn] as const;
  return { conditions: new Map([...plain, ...authorizer]), all: new Map([...plain, ...authorizer, variables]), texts: new Map([...plain, variables]) };
}

/** Says what is wrong with an expression that is being written. */
export function checkExpression(problems: Problem[], host: Host, path: string, expression: string | undefined, variables: ReadonlyMap<string, Type>, wants?: readonly Type[], more: Pick<Options, "messages"> = {}): void {
  if (expression === undefined || expression.trim() === "") return;
  const compiled = compileExpression(expression, { variables, host, ...more, ...(wants === undefined ? {} : { wants }) });
  if (!compiled.ok) problems.push(invalidValue(path, expression, compiled.message.startsWith("must evaluate") ? compiled.message : `${compiled.checked === true ? "program instantiation" : "compilation"} failed: ${compiled.message}`));
}

export type Condition = { readonly name: string; readonly compiled: Compiled };
export const conditionsOf = (conditions: readonly Named[], scopes: Scopes, host: Host): readonly Condition[] => conditions.map(({ name, expression }) => ({ name, compiled: compileExpression(expression, { variables: scopes.conditions, wants: [types.bool], host }) }));
export const variablesOf = (variables: readonly Named[], scopes: Scopes, host: Host): ReadonlyMap<string, Compiled> => new Map(variables.map(({ name, expression }) => [name, compileExpression(expression, { variables: scopes.all, host })]));

export type Result = { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly message: string; readonly compile: boolean };

/** Variables are evaluated when they are first asked for, and all share one budget. */
export class Run {
  readonly #values: ReadonlyMap<string, Value>;
  #budget = totalCostMax;
  constructor({ values, asker, resource }: PolicyInput, named: ReadonlyMap<string, Compiled>) {
    this.#values = new Map<string, Value>([
      ...[...values].map(([name, json]): [string, Value] => [name, valueOf(anyDecl, json)]), ["variables", new Variables(named, compiled => this.evaluate(compiled))],
      ["authorizer", new AuthorizerValue(asker)], ["authorizer.requestResource", new ResourceCheck(asker, resource)],
    ]);
  }
  evaluate(compiled: Compiled): Result {
    if (!compiled.ok) return { ok: false, message: compiled.message, compile: true };
    const outcome: Outcome = compiled.program.evaluate(this.#values, callCostMax);
    this.#budget -= outcome.cost;
    if (this.#budget < 0) return { ok: false, message: "validation failed due to running out of cost budget, no further validation rules will be run", compile: false };
    return outcome.ok ? outcome : { ok: false, message: outcome.message, compile: false };
  }
  /** One that does not hold decides; one that fails counts only when none says no. */
  matches(conditions: readonly Condition[]): boolean | { readonly problem: string } {
    const problems: string[] = [];
    for (const { name, compiled } of conditions) {
      const outcome = this.evaluate(compiled);
      if (!outcome.ok) problems.push(`match condition ${JSON.stringify(name)}: ${outcome.message}`);
      else if (outcome.value !== true) return false;
    }
    return problems.length === 0 ? true : { problem: problems.join("; ") };
  }
}

/** What went wrong, as upstream tells it. */
export const failureText = (expression: string, { message, compile }: Result & { readonly ok: false }): string => (compile ? `compilation error: ${message}` : `expression '${expression}' resulted in error: ${message}`);

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
