/** The `Cel` of this server. Imported when the first expression is met, never at start. */
import type { Json } from "../base/json.ts";
import { anyDecl, valueOf } from "../schema/cel/data.ts";
import { compileExpression } from "../schema/cel/environment.ts";
import type { Host } from "../schema/cel/functions.ts";
import { types } from "../schema/cel/types.ts";
import { compilePolicy, policyProblems } from "./admission/policies/policy.ts";
import type { Cel } from "./cel.ts";
import { Rules } from "./crd/rules.ts";
import { ruleProblems } from "./crd/rules-check.ts";

/** Conditions kept compiled. */
const conditionsMax = 1_000;

export function celWith(host: Host): Cel {
  const compiled = new Map<string, ReturnType<Cel["condition"]>>();
  return {
    rules: schema => new Rules(schema, host),
    problems: (schema, path) => ruleProblems(schema, path, host),
    policy: spec => compilePolicy(spec, host),
    policyProblems: spec => policyProblems(spec, host),
    condition(text, variables) {
      const key = `${variables.join(",")} ${text}`;
      let condition = compiled.get(key);
      if (condition === undefined) {
        if (compiled.size >= conditionsMax) compiled.clear();
        compiled.set(key, (condition = compile(text, variables, host)));
      }
      return condition;
    },
  };
}

function compile(text: string, variables: readonly string[], host: Host): ReturnType<Cel["condition"]> {
  const made = compileExpression(text, { variables: new Map(variables.map(name => [name, types.dyn])), wants: [types.bool], host });
  if (!made.ok) return () => ({ problem: made.message });
  return (values: ReadonlyMap<string, Json>) => {
    const outcome = made.program.evaluate(new Map([...values].map(([name, json]) => [name, valueOf(anyDecl, json)])));
    return outcome.ok ? { holds: outcome.value === true } : { problem: outcome.message };
  };
}
