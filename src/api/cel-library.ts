/** The `Cel` of this server. Imported when the first expression is met, never at start. */
import { type Compiled, compileExpression } from "../schema/cel/environment.ts";
import type { Host } from "../schema/cel/functions.ts";
import { type Type, types } from "../schema/cel/types.ts";
import { authorizers, requestType } from "./admission/policies/input-types.ts";
import { compileMutations, mutatingProblems } from "./admission/policies/mutation.ts";
import { typeWarnings } from "./admission/policies/type-check.ts";
import { type Condition, matches } from "./admission/policies/policy-run.ts";
import { compilePolicy, policyProblems } from "./admission/policies/policy.ts";
import type { Cel } from "./cel.ts";
import { Rules } from "./crd/rules.ts";
import { ruleProblems } from "./crd/rules-check.ts";
import { selectorProblem } from "./special/device-cel.ts";

/** Conditions kept compiled. */
const conditionsMax = 1_000;

export function celWith(host: Host): Cel {
  const compiled = new Map<string, Condition>();
  return {
    rules: schema => new Rules(schema, host),
    problems: (schema, path) => ruleProblems(schema, path, host),
    policy: spec => compilePolicy(spec, host),
    policyProblems: spec => policyProblems(spec, host),
    typeWarnings: (spec, registry) => typeWarnings(spec, registry, host),
    mutatingPolicy: spec => compileMutations(spec, host),
    selectorProblem: (text, path) => selectorProblem(text, path, host),
    mutatingProblems: spec => mutatingProblems(spec, host),
    conditionProblem: (text, variables) => {
      const made = compileCondition(text, variables, host, true);
      return made.ok ? undefined : made.message.startsWith("must evaluate") ? made.message : `${made.checked === true ? "program instantiation" : "compilation"} failed: ${made.message}`;
    },
    conditions(texts, input) {
      const variables = [...input.values.keys()];
      return matches(input, texts.map(text => {
        const key = `${variables.join(",")} ${text}`;
        let condition = compiled.get(key);
        if (condition === undefined) {
          if (compiled.size >= conditionsMax) compiled.clear();
          compiled.set(key, (condition = { expression: text, compiled: compileCondition(text, variables, host) }));
        }
        return condition;
      }));
    },
  };
}

/** `written`: it is being written, and has to be of the right type; one that runs may be of any. */
function compileCondition(text: string, variables: readonly string[], host: Host, written = false): Compiled {
  return compileExpression(text, { variables: new Map<string, Type>([...variables.map((name): [string, Type] => [name, written && name === "request" ? requestType : types.dyn]), ...authorizers]), host, ...(written ? { wants: [types.bool] } : {}) });
}
