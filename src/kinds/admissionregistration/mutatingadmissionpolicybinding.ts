import { MatchResources, ParamRef } from "./types.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { defaultMatch, policyBindingProblems, staticNameWarnings } from "./rules.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const MutatingAdmissionPolicyBindingSpec = t.object("io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicyBindingSpec", {
  matchResources: MatchResources.pb(3).doc("Requests that the binding is about, among those of the policy."),
  paramRef: ParamRef.pb(2).doc("Parameters of the policy."),
  policyName: t.string().pb(1).doc("The policy."),
});
export interface MutatingAdmissionPolicyBindingSpec extends t.Stored<typeof MutatingAdmissionPolicyBindingSpec> {}

export const MutatingAdmissionPolicyBinding = defineKind({
  hashedAs: "v1beta1",
  group: "admissionregistration.k8s.io", version: "v1", kind: "MutatingAdmissionPolicyBinding", plural: "mutatingadmissionpolicybindings", namespaced: false,
  conditionalUpdate: true,
  categories: ["api-extensions"],
  generation: true,
  definition: "io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicyBinding",
  doc: "Puts a mutating policy into force.",
  fields: {
    spec: MutatingAdmissionPolicyBindingSpec.pb(2).always("{}").doc("Where the policy is in force, and with which parameters."),
  },
  defaults({ spec }) { defaultMatch(spec.matchResources); },
  rules: ({ spec }) => policyBindingProblems(spec),
  warnings: staticNameWarnings,
  columns: [
    nameColumn,
    { name: "PolicyName", type: "string", doc: "The policy.", cell: ({ spec }) => spec.policyName ?? "" },
    { name: "ParamRef", type: "string", doc: "Its parameters.", cell: ({ spec: { paramRef } }) => (paramRef === undefined ? "<unset>" : `${paramRef.namespace ? `${paramRef.namespace}/` : ""}${paramRef.name ?? "*"}`) },
    ageColumn,
  ],
});
export interface MutatingAdmissionPolicyBinding extends Resource<typeof MutatingAdmissionPolicyBinding> {}
