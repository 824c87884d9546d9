import { UserInfo } from "./userinfo.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const SelfSubjectReviewStatus = t.object("io.k8s.api.authentication.v1.SelfSubjectReviewStatus", {
  userInfo: UserInfo.pb(1).always("{}").doc("Who the server takes the caller for."),
});
export interface SelfSubjectReviewStatus extends t.Stored<typeof SelfSubjectReviewStatus> {}

export const SelfSubjectReview = defineKind({
  group: "authentication.k8s.io", version: "v1", kind: "SelfSubjectReview", plural: "selfsubjectreviews", namespaced: false,
  verbs: ["create"], virtual: true,
  definition: "io.k8s.api.authentication.v1.SelfSubjectReview",
  doc: "Asks who I am.",
  fields: {
    status: SelfSubjectReviewStatus.pb(2).always("{}").doc("The answer."),
  },

});
export interface SelfSubjectReview extends Resource<typeof SelfSubjectReview> {}
