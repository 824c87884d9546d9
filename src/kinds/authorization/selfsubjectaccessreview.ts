import { NonResourceAttributes, ResourceAttributes, SubjectAccessReviewStatus } from "./types.ts";
import { reviewRules } from "./rules.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const SelfSubjectAccessReviewSpec = t.object("io.k8s.api.authorization.v1.SelfSubjectAccessReviewSpec", {
  nonResourceAttributes: NonResourceAttributes.pb(2).doc("A request to a path that is no resource."),
  resourceAttributes: ResourceAttributes.pb(1).doc("A request to a resource."),
});
export interface SelfSubjectAccessReviewSpec extends t.Stored<typeof SelfSubjectAccessReviewSpec> {}

export const SelfSubjectAccessReview = defineKind({
  group: "authorization.k8s.io", version: "v1", kind: "SelfSubjectAccessReview", plural: "selfsubjectaccessreviews", namespaced: false,
  verbs: ["create"], virtual: true,
  definition: "io.k8s.api.authorization.v1.SelfSubjectAccessReview",
  doc: "Asks whether I may do something.",
  fields: {
    spec: SelfSubjectAccessReviewSpec.pb(2).required().always("{}").doc("What the caller wants to do."),
    status: SubjectAccessReviewStatus.pb(3).always("{}").doc("The answer."),
  },

  rules: ({ spec }) => reviewRules(spec, false),
});
export interface SelfSubjectAccessReview extends Resource<typeof SelfSubjectAccessReview> {}
