import { UserInfo } from "./userinfo.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const TokenReviewSpec = t.object("io.k8s.api.authentication.v1.TokenReviewSpec", {
  audiences: t.list(t.string()).pb(2).doc("Who the token should be for."),
  token: t.string().pb(1).required().doc("The token to check."),
});
export interface TokenReviewSpec extends t.Stored<typeof TokenReviewSpec> {}

export const TokenReviewStatus = t.object("io.k8s.api.authentication.v1.TokenReviewStatus", {
  audiences: t.list(t.string()).pb(4).doc("Which of those it is for."),
  authenticated: t.bool().pb(1).doc("Whether it is valid."),
  error: t.string().pb(3).doc("Why it could not be checked."),
  user: UserInfo.pb(2).always("{}").doc("Whose it is."),
});
export interface TokenReviewStatus extends t.Stored<typeof TokenReviewStatus> {}

export const TokenReview = defineKind({
  group: "authentication.k8s.io", version: "v1", kind: "TokenReview", plural: "tokenreviews", namespaced: false,
  verbs: ["create"], virtual: true,
  definition: "io.k8s.api.authentication.v1.TokenReview",
  doc: "Asks whose token this is.",
  fields: {
    spec: TokenReviewSpec.pb(2).required().always("{}").doc("What to check."),
    status: TokenReviewStatus.pb(3).always("{}").doc("The answer."),
  },

});
export interface TokenReview extends Resource<typeof TokenReview> {}
