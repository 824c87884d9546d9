import { MatchResources, ParamRef } from "./types.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { defaultMatch, policyBindingProblems } from "./rules.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const ValidatingAdmissionPolicyBindingSpec = t.object("io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec", {
  matchResources: MatchResources.pb(3).doc("Requests that the binding is about, among those of the policy."),
  paramRef: ParamRef.pb(2).doc("Parameters of the policy."),
  policyName: t.string().pb(1).required().doc("The policy."),
  validationActions: t.set(t.oneOf("Audit", "Deny", "Warn")).pb(4).required().doc("What happens when a check fails: Deny, Warn or Audit."),
});
export interface ValidatingAdmissionPolicyBindingSpec extends t.Stored<typeof ValidatingAdmissionPolicyBindingSpec> {}

export const ValidatingAdmissionPolicyBinding = defineKind({
  group: "admissionregistration.k8s.io", version: "v1", kind: "ValidatingAdmissionPolicyBinding", plural: "validatingadmissionpolicybindings", namespaced: false,
  categories: ["api-extensions"],
  generation: true,
  definition: "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBinding",
  doc: "Puts a validating policy into force.",
  fields: {
    spec: ValidatingAdmissionPolicyBindingSpec.pb(2).required().always("{}").doc("Where the policy is in force, and with which parameters."),
  },
  defaults({ spec }) { defaultMatch(spec.matchResources); },
  rules: ({ spec }) => policyBindingProblems(spec),
  columns: [
    nameColumn,
    { name: "PolicyName", type: "string", doc: "The policy.", cell: ({ spec }) => spec.policyName ?? "" },
    { name: "ParamRef", type: "string", doc: "Its parameters.", cell: ({ spec: { paramRef } }) => (paramRef === undefined ? "<unset>" : `${paramRef.namespace ? `${paramRef.namespace}/` : ""}${paramRef.name ?? "*"}`) },
    ageColumn,
  ],
});
export interface ValidatingAdmissionPolicyBinding extends Resource<typeof ValidatingAdmissionPolicyBinding> {}
