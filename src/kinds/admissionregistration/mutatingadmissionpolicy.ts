import { ApplyConfiguration, JSONPatch, MatchCondition, MatchResources, ParamKind, Variable } from "./types.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { invalidValue, notSupported, required } from "../../schema/problem.ts";
import { defaultMatch, policyOrder, policyProblems, staticNameWarnings } from "./rules.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const Mutation = t.object("io.k8s.api.admissionregistration.v1.Mutation", {
  applyConfiguration: ApplyConfiguration.pb(3).doc("A change given as what to apply."),
  jsonPatch: JSONPatch.pb(4).doc("A change given as a JSON patch."),
  patchType: t.oneOf("ApplyConfiguration", "JSONPatch").unchecked().pb(2).required().always("zero").doc("ApplyConfiguration or JSONPatch."),
});
export interface Mutation extends t.Stored<typeof Mutation> {}

export const MutatingAdmissionPolicySpec = t.object("io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicySpec", {
  failurePolicy: t.oneOf("Fail", "Ignore").pb(5).pointer().doc("Whether a request passes or fails when the check itself goes wrong."),
  matchConditions: t.listBy(MatchCondition, "name").pb(6).mergeBy("name").doc("Expressions that all must be true for a request to be sent or checked at all."),
  matchConstraints: MatchResources.pb(2).doc("Requests that the policy is about."),
  mutations: t.list(Mutation).pb(4).doc("Changes, made one after another."),
  paramKind: ParamKind.pb(1).doc("Kind of the objects that parameterize the policy."),
  reinvocationPolicy: t.oneOf("IfNeeded", "Never").pb(7).doc("Whether it runs again when others have changed the object since."),
  variables: t.list(Variable).pb(3).doc("Expressions with names that others may use."),
});
export interface MutatingAdmissionPolicySpec extends t.Stored<typeof MutatingAdmissionPolicySpec> {}

export const MutatingAdmissionPolicy = defineKind({
  hashedAs: "v1beta1",
  group: "admissionregistration.k8s.io", version: "v1", kind: "MutatingAdmissionPolicy", plural: "mutatingadmissionpolicies", namespaced: false,
  conditionalUpdate: true,
  categories: ["api-extensions"],
  generation: true,
  definition: "io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicy",
  doc: "Rules in CEL that may change what is written.",
  fields: {
    spec: MutatingAdmissionPolicySpec.pb(2).always("{}").doc("Which requests are changed, and how."),
  },
  defaults({ spec }) {
    spec.failurePolicy ??= "Fail";
    defaultMatch(spec.matchConstraints);
  },
  checkOrder: policyOrder,
  *rules({ spec }) {
    yield* policyProblems(spec);
    if ((spec.mutations ?? []).length === 0) yield required("spec.mutations", "mutations must contain at least one item");
    for (const [i, { patchType: given, applyConfiguration, jsonPatch }] of (spec.mutations ?? []).entries()) {
      const here = `spec.mutations[${i}]`;
      const patchType = given as string;
      if (patchType === "") yield required(`${here}.patchType`);
      else if (patchType === "JSONPatch") {
        if (jsonPatch === undefined) yield required(`${here}.jsonPatch`, "must be specified when patchType is JSONPatch");
        else if (!jsonPatch.expression?.trim()) yield required(`${here}.jsonPatch.expression`);
        if (applyConfiguration !== undefined) yield invalidValue(`${here}.applyConfiguration`, "{applyConfiguration}", "must not be specified when patchType is JSONPatch");
      } else if (patchType === "ApplyConfiguration") {
        if (applyConfiguration === undefined) yield required(`${here}.applyConfiguration`, "must be specified when patchType is ApplyConfiguration");
        else if (!applyConfiguration.expression?.trim()) yield required(`${here}.applyConfiguration.expression`);
        if (jsonPatch !== undefined) yield invalidValue(`${here}.jsonPatch`, "{jsonPatch}", "must not be specified when patchType is ApplyConfiguration");
      } else yield notSupported(`${here}.patchType`, patchType, ["ApplyConfiguration", "JSONPatch"]);
    }
    if (spec.reinvocationPolicy === undefined) yield required("spec.reinvocationPolicy");
  },
  warnings: staticNameWarnings,
  columns: [
    nameColumn,
    { name: "Mutations", type: "integer", doc: "Number of changes.", cell: ({ spec }) => spec.mutations?.length ?? 0 },
    { name: "ParamKind", type: "string", doc: "Kind of its parameters.", cell: ({ spec: { paramKind } }) => (paramKind === undefined ? "<unset>" : `${paramKind.apiVersion ?? ""}/${paramKind.kind ?? ""}`) },
    ageColumn,
  ],
});
export interface MutatingAdmissionPolicy extends Resource<typeof MutatingAdmissionPolicy> {}
