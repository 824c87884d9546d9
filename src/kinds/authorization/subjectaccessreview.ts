import { SubjectAccessReviewSpec, SubjectAccessReviewStatus } from "./types.ts";
import { reviewRules } from "./rules.ts";
import { defineKind, type Resource } from "../kind.ts";

export const SubjectAccessReview = defineKind({
  group: "authorization.k8s.io", version: "v1", kind: "SubjectAccessReview", plural: "subjectaccessreviews", namespaced: false,
  verbs: ["create"], virtual: true,
  definition: "io.k8s.api.authorization.v1.SubjectAccessReview",
  doc: "Asks whether someone may do something.",
  fields: {
    spec: SubjectAccessReviewSpec.pb(2).required().always("{}").doc("Who wants to do what."),
    status: SubjectAccessReviewStatus.pb(3).always("{}").doc("The answer."),
  },

  rules: ({ spec }) => reviewRules(spec, true),
});
export interface SubjectAccessReview extends Resource<typeof SubjectAccessReview> {}
