import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const SelfSubjectRulesReviewSpec = t.object("io.k8s.api.authorization.v1.SelfSubjectRulesReviewSpec", {
  namespace: t.string().pb(1).doc("Namespace that the question is about."),
});
export interface SelfSubjectRulesReviewSpec extends t.Stored<typeof SelfSubjectRulesReviewSpec> {}

export const NonResourceRule = t.object("io.k8s.api.authorization.v1.NonResourceRule", {
  nonResourceURLs: t.list(t.string()).pb(2).doc("Paths, in which * at the end stands for anything."),
  verbs: t.list(t.string()).pb(1).required().always("[]").doc("What may be done; * is everything."),
});
export interface NonResourceRule extends t.Stored<typeof NonResourceRule> {}

export const ResourceRule = t.object("io.k8s.api.authorization.v1.ResourceRule", {
  apiGroups: t.list(t.string()).pb(2).doc("API groups; * is all."),
  resourceNames: t.list(t.string()).pb(4).doc("Names of objects; all if empty."),
  resources: t.list(t.string()).pb(3).doc("Resources; * is all."),
  verbs: t.list(t.string()).pb(1).required().always("[]").doc("What may be done; * is everything."),
});
export interface ResourceRule extends t.Stored<typeof ResourceRule> {}

export const SubjectRulesReviewStatus = t.object("io.k8s.api.authorization.v1.SubjectRulesReviewStatus", {
  evaluationError: t.string().pb(4).doc("What went wrong meanwhile."),
  incomplete: t.bool().pb(3).required().always("zero").doc("Whether more may be allowed than is listed."),
  nonResourceRules: t.list(NonResourceRule).pb(2).required().always("zero").doc("What may be done with paths that are no resources."),
  resourceRules: t.list(ResourceRule).pb(1).required().always("zero").doc("What may be done with resources."),
});
export interface SubjectRulesReviewStatus extends t.Stored<typeof SubjectRulesReviewStatus> {}

export const SelfSubjectRulesReview = defineKind({
  group: "authorization.k8s.io", version: "v1", kind: "SelfSubjectRulesReview", plural: "selfsubjectrulesreviews", namespaced: false,
  verbs: ["create"], virtual: true,
  definition: "io.k8s.api.authorization.v1.SelfSubjectRulesReview",
  doc: "Asks what I may do in a namespace.",
  fields: {
    spec: SelfSubjectRulesReviewSpec.pb(2).required().always("{}").doc("Where."),
    status: SubjectRulesReviewStatus.pb(3).always("{}").doc("What the caller may do there."),
  },

});
export interface SelfSubjectRulesReview extends Resource<typeof SelfSubjectRulesReview> {}
