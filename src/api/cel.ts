/** CEL as the request path uses it. The language itself is loaded with the first expression: most clusters start without one. */
import { ApiError } from "../base/api-error.ts";
import type { Json } from "../base/json.ts";
import type { Problem } from "../schema/problem.ts";
import type { PolicyInput } from "./admission/policies/match.ts";
import type { MutatingPolicy, MutatingSpec } from "./admission/policies/mutating.ts";
import type { ExpressionWarning } from "./admission/policies/type-check.ts";
import type { Steps } from "../schema/t.ts";
import type { Policy, PolicySpec } from "./admission/policies/policies.ts";
import type { Registry } from "./registry.ts";
import type { Schema } from "./crd/schema.ts";

export type Cel = {
  /** The rules of a custom resource's whole schema. */
  rules(schema: Schema): { begin(next: Json, old: Json | undefined): Steps };
  /** What is wrong with the rules of a definition's schema: form, types, cost. */
  problems(schema: Schema, path: string): readonly Problem[];
  /** Conditions over variables of any type; it answers whether all hold, or why that cannot be said. */
  conditions(texts: readonly string[], input: PolicyInput): Promise<boolean | { readonly problem: string }>;
  /** Why such a condition is none. */
  conditionProblem(text: string, variables: readonly string[]): string | undefined;
  /** A ValidatingAdmissionPolicy. */
  policy(spec: PolicySpec): Policy;
  /** What is wrong with its expressions. */
  policyProblems(spec: PolicySpec): readonly Problem[];
  /** What is wrong with the types in its expressions, as far as schemas tell. */
  typeWarnings(spec: PolicySpec, registry: Registry): readonly ExpressionWarning[];
  /** A MutatingAdmissionPolicy. */
  mutatingPolicy(spec: MutatingSpec): MutatingPolicy;
  mutatingProblems(spec: MutatingSpec): readonly Problem[];
  /** Why an expression cannot select devices. `path`: of the expression. */
  selectorProblem(text: string, path: string): Problem | undefined;
};
export type LoadCel = () => Promise<Cel>;

/** For what cannot be accepted unread. */
export async function loaded(loadCel: LoadCel | undefined): Promise<Cel> {
  if (loadCel === undefined) throw new ApiError("InternalError", "this server has no CEL");
  return loadCel();
}
