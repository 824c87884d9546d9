/** A ValidatingAdmissionPolicy, compiled (apiserver pkg/admission/plugin/policy/validating/validator.go). Part of what is loaded with CEL. */
import { compileExpression } from "../../../schema/cel/environment.ts";
import type { Host } from "../../../schema/cel/functions.ts";
import { types } from "../../../schema/cel/types.ts";
import { typeNameOf } from "../../../schema/cel/values.ts";
import type { Problem } from "../../../schema/problem.ts";
import { isTooLong } from "../../../kinds/admissionregistration/rules.ts";
import type { Policy, PolicySpec, Said, Verdict } from "./policies.ts";
import { InputTypes } from "./input-types.ts";
import { checkExpression, checkShared, conditionsOf, failureText, matches, type Result, Run, scopesOf, variablesOf } from "./policy-run.ts";

/** Bytes of the longest message that an expression may make. */
const messageMax = 5 * 1024;

/** What is wrong with the expressions of a policy that is being written. */
export function policyProblems(spec: PolicySpec, host: Host): readonly Problem[] {
  const problems: Problem[] = [], inputs = new InputTypes(spec.paramKind !== undefined, (spec.variables ?? []).length > 0);
  checkShared(problems, spec, inputs, host);
  const { all, messages } = inputs;
  for (const [i, { expression, messageExpression }] of (spec.validations ?? []).entries()) {
    checkExpression(problems, `spec.validations[${i}].expression`, expression, { variables: all, wants: [types.bool], host });
    checkExpression(problems, `spec.validations[${i}].messageExpression`, messageExpression, { variables: messages, wants: [types.string], host });
  }
  for (const [i, { valueExpression }] of (spec.auditAnnotations ?? []).entries()) {
    const found: Problem[] = [], trimmed = valueExpression.trim();
    if (!isTooLong(trimmed)) checkExpression(found, `spec.auditAnnotations[${i}].valueExpression`, trimmed, { variables: all, wants: [types.string, types.null], host });
    problems.push(...found.map(each => ({ ...each, value: valueExpression })));
  }
  return problems;
}

export function compilePolicy(spec: PolicySpec, host: Host): Policy {
  const scopes = scopesOf(spec);
  const conditions = conditionsOf(spec.matchConditions ?? [], scopes, host), named = variablesOf(spec.variables ?? [], scopes, host);
  const textOf = (expression: string) => compileExpression(expression, { variables: scopes.texts, host });
  const validations = (spec.validations ?? []).map(validation => ({ ...validation, compiled: compileExpression(validation.expression, { variables: scopes.all, host }), made: (validation.messageExpression ?? "") === "" ? undefined : textOf(validation.messageExpression!) }));
  const annotations = (spec.auditAnnotations ?? []).map(({ key, valueExpression }) => ({ key, valueExpression, compiled: compileExpression(valueExpression, { variables: scopes.all, host }) }));
  const fails = spec.failurePolicy !== "Ignore";

  return async input => {
    const matched = await matches(input, conditions);
    if (matched === false) return nothing;
    const failed = (message: string): Said => (fails ? { ...nothing, verdicts: [{ message, reason: "Invalid", index: 0 }] } : nothing);
    if (matched !== true) return failed(matched.problem);
    const run = new Run(input, named);
    const verdicts: Verdict[] = [];
    for (const [index, { expression, message, reason, compiled, made }] of validations.entries()) {
      const outcome = await run.evaluate(compiled);
      if (outcome.ok && outcome.value === true) continue;
      if (!outcome.ok && outcome.spent) return failed(outcome.message);
      if (!outcome.ok) {
        if (fails) verdicts.push({ message: failureText(expression, outcome), reason: "Invalid", index });
        continue;
      }
      const text = made === undefined ? undefined : messageFrom(await run.evaluate(made));
      verdicts.push({ message: text ?? (message === undefined || message.trim() === "" ? `failed expression: ${expression.trim()}` : message.trim()), reason: reason ?? "Invalid", index });
    }
    if (annotations.length === 0) return { ...nothing, verdicts };
    const said: { key: string; value: string }[] = [], failures: string[] = [];
    // A budget of its own: what is logged does not depend on what the rules have cost.
    const logging = new Run(input, named);
    for (const { key, valueExpression, compiled } of annotations) {
      const outcome = await logging.evaluate(compiled);
      if (!outcome.ok) {
        if (fails) failures.push(failureText(valueExpression, outcome));
      } else if (typeof outcome.value === "string") {
        if (outcome.value.trim() !== "") said.push({ key, value: outcome.value.trim() });
      } else if (outcome.value !== null) failures.push(`valueExpression '${valueExpression}' resulted in unsupported return type: ${typeNameOf(outcome.value)}. Return type must be either string or null.`);
    }
    return { verdicts, annotations: said, failures };
  };
}

const nothing: Said = { verdicts: [], annotations: [], failures: [] };

/** A message that is made must be one line of some length. */
function messageFrom(outcome: Result): string | undefined {
  const text = outcome.ok && typeof outcome.value === "string" ? outcome.value.trim() : "";
  return text === "" || text.includes("\n") || new TextEncoder().encode(text).length > messageMax ? undefined : text;
}
