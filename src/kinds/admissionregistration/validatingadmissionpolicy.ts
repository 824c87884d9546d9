import { MatchCondition, MatchResources, ParamKind, Variable } from "./types.ts";
import { Condition } from "../meta/condition.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { required } from "../../schema/problem.ts";
import { defaultMatch, policyProblems } from "./rules.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const AuditAnnotation = t.object("io.k8s.api.admissionregistration.v1.AuditAnnotation", {
  key: t.string().pb(1).required().always("zero"),
  valueExpression: t.string().pb(2).required().always("zero"),
});
export interface AuditAnnotation extends t.Stored<typeof AuditAnnotation> {}

export const Validation = t.object("io.k8s.api.admissionregistration.v1.Validation", {
  expression: t.string().pb(1).required().always("zero"),
  message: t.string().pb(2),
  messageExpression: t.string().pb(4),
  reason: t.string().pb(3).pointer(),
});
export interface Validation extends t.Stored<typeof Validation> {}

export const ValidatingAdmissionPolicySpec = t.object("io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicySpec", {
  auditAnnotations: t.list(AuditAnnotation).pb(5),
  failurePolicy: t.oneOf("Fail", "Ignore").pb(4).pointer(),
  matchConditions: t.listBy(MatchCondition, "name").pb(6).mergeBy("name"),
  matchConstraints: MatchResources.pb(2),
  paramKind: ParamKind.pb(1),
  validations: t.list(Validation).pb(3),
  variables: t.listBy(Variable, "name").pb(7).mergeBy("name"),
});
export interface ValidatingAdmissionPolicySpec extends t.Stored<typeof ValidatingAdmissionPolicySpec> {}

export const ExpressionWarning = t.object("io.k8s.api.admissionregistration.v1.ExpressionWarning", {
  fieldRef: t.string().pb(2).required().always("zero"),
  warning: t.string().pb(3).required().always("zero"),
});
export interface ExpressionWarning extends t.Stored<typeof ExpressionWarning> {}

export const TypeChecking = t.object("io.k8s.api.admissionregistration.v1.TypeChecking", {
  expressionWarnings: t.list(ExpressionWarning).pb(1),
});
export interface TypeChecking extends t.Stored<typeof TypeChecking> {}

export const ValidatingAdmissionPolicyStatus = t.object("io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyStatus", {
  conditions: t.listBy(Condition, "type").pb(3),
  observedGeneration: t.int64().pb(1),
  typeChecking: TypeChecking.pb(2),
});
export interface ValidatingAdmissionPolicyStatus extends t.Stored<typeof ValidatingAdmissionPolicyStatus> {}

export const ValidatingAdmissionPolicy = defineKind({
  group: "admissionregistration.k8s.io", version: "v1", kind: "ValidatingAdmissionPolicy", plural: "validatingadmissionpolicies", namespaced: false,
  categories: ["api-extensions"], subresources: ["status"],
  generation: true,
  definition: "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicy",
  doc: "Rules in CEL that may refuse what is written.",
  fields: {
    spec: ValidatingAdmissionPolicySpec.pb(2).always("{}"),
    status: ValidatingAdmissionPolicyStatus.pb(3).always("{}"),
  },
  defaults({ spec }) {
    spec.failurePolicy ??= "Fail";
    defaultMatch(spec.matchConstraints);
  },
  *rules(next, _previous, { subresource }) {
    if (subresource === "status") return;
    yield* policyProblems(next.spec);
    if ((next.spec.validations ?? []).length === 0 && (next.spec.auditAnnotations ?? []).length === 0) yield required("spec.validations", "validations or auditAnnotations must contain at least one item");
    for (const [i, { expression }] of (next.spec.validations ?? []).entries()) if (expression.trim() === "") yield required(`spec.validations[${i}].expression`, "expression is not specified");
  },
  columns: [
    nameColumn,
    { name: "Validations", type: "integer", doc: "Number of rules.", cell: ({ spec }) => spec.validations?.length ?? 0 },
    { name: "ParamKind", type: "string", doc: "Kind of its parameters.", cell: ({ spec: { paramKind } }) => (paramKind === undefined ? "<unset>" : `${paramKind.apiVersion ?? ""}/${paramKind.kind ?? ""}`) },
    ageColumn,
  ],
});
export interface ValidatingAdmissionPolicy extends Resource<typeof ValidatingAdmissionPolicy> {}
