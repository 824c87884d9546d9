import { SubjectAccessReviewSpec, SubjectAccessReviewStatus } from "./types.ts";
import { localReviewRules } from "./rules.ts";
import { defineKind, type Resource } from "../kind.ts";

export const LocalSubjectAccessReview = defineKind({
  group: "authorization.k8s.io", version: "v1", kind: "LocalSubjectAccessReview", plural: "localsubjectaccessreviews", namespaced: true,
  verbs: ["create"], virtual: true,
  definition: "io.k8s.api.authorization.v1.LocalSubjectAccessReview",
  doc: "Asks whether someone may do something in one namespace.",
  fields: {
    spec: SubjectAccessReviewSpec.pb(2).required().always("{}").doc("Who wants to do what; its namespace must be this object's."),
    status: SubjectAccessReviewStatus.pb(3).always("{}").doc("The answer."),
  },

  rules: ({ spec, metadata }) => localReviewRules(spec, metadata.namespace),
});
export interface LocalSubjectAccessReview extends Resource<typeof LocalSubjectAccessReview> {}
