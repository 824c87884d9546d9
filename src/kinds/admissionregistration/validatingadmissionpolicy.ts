import { MatchCondition, MatchResources, ParamKind, Variable } from "./types.ts";
import { Condition } from "../meta/condition.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { duplicate, invalidValue, notSupported, required } from "../../schema/problem.ts";
import { defaultMatch, isTooLong, policyOrder, policyProblems, valueExpressionMax, staticNameWarnings } from "./rules.ts";
import { defineKind, type Resource } from "../kind.ts";
import { qualifiedName } from "../../schema/grammar.ts";
import * as t from "../../schema/t.ts";

export const AuditAnnotation = t.object("io.k8s.api.admissionregistration.v1.AuditAnnotation", {
  key: t.string().pb(1).required().always("zero").doc("Key of the annotation."),
  valueExpression: t.string().pb(2).required().always("zero").doc("A CEL expression for its value."),
});
export interface AuditAnnotation extends t.Stored<typeof AuditAnnotation> {}

export const Validation = t.object("io.k8s.api.admissionregistration.v1.Validation", {
  expression: t.string().pb(1).required().always("zero").doc("A CEL expression that has to be true."),
  message: t.string().pb(2).doc("What to say when it is not."),
  messageExpression: t.string().pb(4).doc("A CEL expression for what to say."),
  reason: t.string().pb(3).pointer().doc("Reason in the answer, such as Forbidden or Invalid."),
});
export interface Validation extends t.Stored<typeof Validation> {}

export const ValidatingAdmissionPolicySpec = t.object("io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicySpec", {
  auditAnnotations: t.list(AuditAnnotation).pb(5).doc("What is written to the audit log."),
  failurePolicy: t.oneOf("Fail", "Ignore").pb(4).pointer().doc("Whether a request passes or fails when the check itself goes wrong."),
  matchConditions: t.listBy(MatchCondition, "name").pb(6).mergeBy("name").doc("Expressions that all must be true for a request to be sent or checked at all."),
  matchConstraints: MatchResources.pb(2).doc("Requests that the policy is about."),
  paramKind: ParamKind.pb(1).doc("Kind of the objects that parameterize the policy."),
  validations: t.list(Validation).pb(3).doc("What has to be true."),
  variables: t.listBy(Variable, "name").pb(7).mergeBy("name").doc("Expressions with names that others may use."),
});
export interface ValidatingAdmissionPolicySpec extends t.Stored<typeof ValidatingAdmissionPolicySpec> {}

export const ExpressionWarning = t.object("io.k8s.api.admissionregistration.v1.ExpressionWarning", {
  fieldRef: t.string().pb(2).required().always("zero").doc("Where the expression is."),
  warning: t.string().pb(3).required().always("zero").doc("What is wrong with it."),
});
export interface ExpressionWarning extends t.Stored<typeof ExpressionWarning> {}

export const TypeChecking = t.object("io.k8s.api.admissionregistration.v1.TypeChecking", {
  expressionWarnings: t.list(ExpressionWarning).pb(1).doc("What is wrong with expressions."),
});
export interface TypeChecking extends t.Stored<typeof TypeChecking> {}

export const ValidatingAdmissionPolicyStatus = t.object("io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyStatus", {
  conditions: t.listBy(Condition, "type").pb(3).doc("What is known about the object, one entry per aspect."),
  observedGeneration: t.int64().pb(1).doc("The metadata.generation that this status speaks of."),
  typeChecking: TypeChecking.pb(2).doc("What was found when the expressions were checked."),
});
export interface ValidatingAdmissionPolicyStatus extends t.Stored<typeof ValidatingAdmissionPolicyStatus> {}

export const ValidatingAdmissionPolicy = defineKind({
  group: "admissionregistration.k8s.io", version: "v1", kind: "ValidatingAdmissionPolicy", plural: "validatingadmissionpolicies", namespaced: false,
  conditionalUpdate: true,
  statusAlone: true,
  categories: ["api-extensions"], subresources: ["status"],
  generation: true,
  definition: "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicy",
  doc: "Rules in CEL that may refuse what is written.",
  fields: {
    spec: ValidatingAdmissionPolicySpec.pb(2).always("{}").doc("Which requests are checked, and how."),
    status: ValidatingAdmissionPolicyStatus.pb(3).always("{}").doc("Whether something is wrong with it."),
  },
  defaults({ spec }) {
    spec.failurePolicy ??= "Fail";
    defaultMatch(spec.matchConstraints);
  },
  checkOrder: policyOrder,
  *rules(next, _previous, { subresource }) {
    if (subresource === "status") return;
    const { validations = [], auditAnnotations = [] } = next.spec;
    yield* policyProblems(next.spec);
    if (validations.length === 0 && auditAnnotations.length === 0) {
      yield required("spec.validations", "validations or auditAnnotations must contain at least one item");
      yield required("spec.auditAnnotations", "validations or auditAnnotations must contain at least one item");
    }
    for (const [i, { expression, message = "", messageExpression = "", reason }] of validations.entries()) {
      const here = `spec.validations[${i}]`;
      if (expression.trim() === "") yield required(`${here}.expression`, "expression is not specified");
      if (messageExpression !== "" && messageExpression.trim() === "") yield invalidValue(`${here}.messageExpression`, messageExpression, "must be non-empty if specified");
      if (message !== "" && message.trim() === "") yield invalidValue(`${here}.message`, message, "must be non-empty if specified");
      else if (/[\n\r]/.test(message.trim())) yield invalidValue(`${here}.message`, message, "must not contain line breaks");
      if (reason !== undefined && !reasons.includes(reason)) yield notSupported(`${here}.reason`, reason, reasons);
    }
    const keys = new Set<string>();
    if (auditAnnotations.length > annotationsMax) yield invalidValue("spec.auditAnnotations", auditAnnotations.map(({ key, valueExpression }) => ({ Key: key, ValueExpression: valueExpression })), `must not have more than ${annotationsMax} auditAnnotations`);
    for (const [i, { key, valueExpression }] of auditAnnotations.entries()) {
      const here = `spec.auditAnnotations[${i}]`;
      for (const detail of qualifiedName(`${next.metadata.name}/${key}`)) yield invalidValue(`${here}.key`, `${next.metadata.name}/${key}`, detail);
      if (valueExpression.trim() === "") yield required(`${here}.valueExpression`, "valueExpression is not specified");
      else if (isTooLong(valueExpression.trim())) yield required(`${here}.valueExpression`, `must not exceed ${valueExpressionMax} bytes in length`);
      if (keys.has(key)) yield duplicate(`${here}.key`, key);
      keys.add(key);
    }
  },
  warnings: staticNameWarnings,
  columns: [
    nameColumn,
    { name: "Validations", type: "integer", doc: "Number of rules.", cell: ({ spec }) => spec.validations?.length ?? 0 },
    { name: "ParamKind", type: "string", doc: "Kind of its parameters.", cell: ({ spec: { paramKind } }) => (paramKind === undefined ? "<unset>" : `${paramKind.apiVersion ?? ""}/${paramKind.kind ?? ""}`) },
    ageColumn,
  ],
});
export interface ValidatingAdmissionPolicy extends Resource<typeof ValidatingAdmissionPolicy> {}

const annotationsMax = 20;
const reasons = ["Forbidden", "Invalid", "RequestEntityTooLarge"];
