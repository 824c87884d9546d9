/** A MutatingAdmissionPolicy, compiled (apiserver pkg/admission/plugin/policy/mutating). Part of what is loaded with CEL. */
import { isObject, type Json, type JsonObject } from "../../../base/json.ts";
import { messageOf } from "../../../base/log.ts";
import { compileExpression } from "../../../schema/cel/environment.ts";
import { CelError } from "../../../schema/cel/error.ts";
import type { Host } from "../../../schema/cel/functions.ts";
import { appliedOf, applyType, jsonOf, misplaced, ObjectValue, patchMessages, patchType } from "../../../schema/cel/messages.ts";
import { patchLibrary } from "../../../schema/cel/library/kubernetes.ts";
import { listOf } from "../../../schema/cel/types.ts";
import { List, type Value, typeNameOf } from "../../../schema/cel/values.ts";
import type { Problem } from "../../../schema/problem.ts";
import type { PolicyInput } from "./match.ts";
import type { Mutation, MutatingPolicy, MutatingSpec } from "./mutating.ts";
import { InputTypes } from "./input-types.ts";
import { checkExpression, checkShared, conditionsOf, failureText, matches, Run, scopesOf, variablesOf } from "./policy-run.ts";

const patchTypes = listOf(patchType);

/** What is wrong with the expressions of a policy that is being written. */
export function mutatingProblems(spec: MutatingSpec, host: Host): readonly Problem[] {
  const problems: Problem[] = [], inputs = new InputTypes(spec.paramKind !== undefined, true);
  checkShared(problems, spec, inputs, host);
  const options = { variables: inputs.all, host, messages: patchMessages, library: patchLibrary };
  for (const [i, { patchType, applyConfiguration, jsonPatch }] of (spec.mutations ?? []).entries()) {
    if (patchType === "ApplyConfiguration") checkExpression(problems, `spec.mutations[${i}].applyConfiguration.expression`, applyConfiguration?.expression?.trim(), { ...options, wants: [applyType] });
    if (patchType === "JSONPatch") checkExpression(problems, `spec.mutations[${i}].jsonPatch.expression`, jsonPatch?.expression?.trim(), { ...options, wants: [patchTypes] });
  }
  return problems;
}

export function compileMutations(spec: MutatingSpec, host: Host): MutatingPolicy {
  const scopes = scopesOf(spec);
  const conditions = conditionsOf(spec.matchConditions ?? [], scopes, host), named = variablesOf(spec.variables ?? [], scopes, host);
  return {
    matches: input => matches(input, conditions),
    mutations: (spec.mutations ?? []).map(({ applyConfiguration, jsonPatch }) => {
      const applies = applyConfiguration !== undefined;
      const expression = (applies ? applyConfiguration.expression : jsonPatch?.expression) ?? "";
      const compiled = compileExpression(expression, { variables: scopes.all, host, messages: patchMessages, library: patchLibrary });
      return async (input: PolicyInput): Promise<Mutation> => {
        const outcome = await new Run(input, named).evaluate(compiled);
        if (!outcome.ok) return { problem: failureText(expression, outcome) };
        try {
          return applies ? { apply: appliedFrom(outcome.value) } : { patch: patchFrom(outcome.value) };
        } catch (error) {
          if (error instanceof CelError) return { problem: messageOf(error) };
          throw error;
        }
      };
    }),
  };
}

function appliedFrom(value: Value): JsonObject {
  if (!(value instanceof ObjectValue)) throw new CelError(`unsupported return type from ApplyConfiguration expression: ${typeNameOf(value)}`);
  placed(value, "Object");
  return appliedOf(value) as JsonObject;
}

function placed(value: Value, path: string): void {
  const wrong = misplaced(value, path);
  if (wrong.length > 0) throw new CelError(`type mismatch: ${wrong.join("\n")}`);
}

function patchFrom(value: Value): Json {
  if (!(value instanceof List)) throw new CelError("type mismatch: JSONPatchType.expression should evaluate to array");
  return Array.from(value, (operation): Json => {
    if (!(operation instanceof ObjectValue) || operation.typeName !== "JSONPatch") throw new CelError(`type mismatch: JSONPatchType.expression should evaluate to array of JSONPatch, got element of ${typeNameOf(operation)}`);
    const made = operation.fields.get("value");
    if (made instanceof ObjectValue) placed(made, made.typeName);
    const json = jsonOf(operation);
    if (!isObject(json)) return json;
    const { from, op = "", path = "", ...rest } = json;
    return { op, path, ...(from === undefined || from === "" ? {} : { from }), ...rest };
  });
}
