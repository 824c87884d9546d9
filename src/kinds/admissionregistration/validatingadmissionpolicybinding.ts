import { MatchResources, ParamRef } from "./types.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { defaultMatch, policyBindingProblems, staticNameWarnings } from "./rules.ts";
import { defineKind, type Resource } from "../kind.ts";
import { duplicate, invalidValue, notSupported, required } from "../../schema/problem.ts";
import * as t from "../../schema/t.ts";

export const ValidatingAdmissionPolicyBindingSpec = t.object("io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec", {
  matchResources: MatchResources.pb(3).doc("Requests that the binding is about, among those of the policy."),
  paramRef: ParamRef.pb(2).doc("Parameters of the policy."),
  policyName: t.string().pb(1).required().doc("The policy."),
  validationActions: t.set(t.oneOf("Audit", "Deny", "Warn")).pb(4).required().unchecked().doc("What happens when a check fails: Deny, Warn or Audit."),
});
export interface ValidatingAdmissionPolicyBindingSpec extends t.Stored<typeof ValidatingAdmissionPolicyBindingSpec> {}

export const ValidatingAdmissionPolicyBinding = defineKind({
  group: "admissionregistration.k8s.io", version: "v1", kind: "ValidatingAdmissionPolicyBinding", plural: "validatingadmissionpolicybindings", namespaced: false,
  conditionalUpdate: true,
  categories: ["api-extensions"],
  generation: true,
  definition: "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBinding",
  doc: "Puts a validating policy into force.",
  fields: {
    spec: ValidatingAdmissionPolicyBindingSpec.pb(2).required().always("{}").doc("Where the policy is in force, and with which parameters."),
  },
  defaults({ spec }) { defaultMatch(spec.matchResources); },
  *rules({ spec }) {
    yield* policyBindingProblems(spec);
    const actions: readonly string[] = spec.validationActions ?? [];
    if (actions.length === 0) yield required("spec.validationActions", "at least one validation action is required");
    for (const [i, action] of actions.entries()) {
      const here = `spec.validationActions[${i}]`;
      if (!["Audit", "Deny", "Warn"].includes(action)) yield notSupported(here, action, ["Audit", "Deny", "Warn"]);
      if (actions.indexOf(action) < i) yield duplicate(here, action);
    }
    if (actions.includes("Deny") && actions.includes("Warn")) yield invalidValue("spec.validationActions", actions, "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)");
  },
  warnings: staticNameWarnings,
  columns: [
    nameColumn,
    { name: "PolicyName", type: "string", doc: "The policy.", cell: ({ spec }) => spec.policyName ?? "" },
    { name: "ParamRef", type: "string", doc: "Its parameters.", cell: ({ spec: { paramRef } }) => (paramRef === undefined ? "<unset>" : `${paramRef.namespace ? `${paramRef.namespace}/` : ""}${paramRef.name ?? "*"}`) },
    ageColumn,
  ],
});
export interface ValidatingAdmissionPolicyBinding extends Resource<typeof ValidatingAdmissionPolicyBinding> {}
