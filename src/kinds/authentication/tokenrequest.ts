import { invalidValue } from "../../schema/problem.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const BoundObjectReference = t.object("io.k8s.api.authentication.v1.BoundObjectReference", {
  apiVersion: t.string().pb(2).doc("API version of the object."),
  kind: t.string().pb(1).doc("Pod, Secret or Node."),
  name: t.string().pb(3).doc("Its name."),
  uid: t.string().pb(4).doc("Its identity."),
});
export interface BoundObjectReference extends t.Stored<typeof BoundObjectReference> {}

export const TokenRequestSpec = t.object("io.k8s.api.authentication.v1.TokenRequestSpec", {
  audiences: t.list(t.string()).pb(1).always("null").doc("Who the token is for."),
  boundObjectRef: BoundObjectReference.pb(3).always("null").doc("The object with which the token ends."),
  expirationSeconds: t.int64().pb(4).pointer().always("null").default(3600).doc("How long it should be valid."),
});
export interface TokenRequestSpec extends t.Stored<typeof TokenRequestSpec> {}

export const TokenRequestStatus = t.object("io.k8s.api.authentication.v1.TokenRequestStatus", {
  expirationTimestamp: t.time().pb(2).always("null").doc("Until when the token is valid."),
  token: t.string().pb(1).always("zero").doc("The token."),
});
export interface TokenRequestStatus extends t.Stored<typeof TokenRequestStatus> {}

export const TokenRequest = defineKind({
  group: "authentication.k8s.io", version: "v1", kind: "TokenRequest", plural: "tokenrequests", namespaced: true,
  verbs: ["create"], virtual: true, subresourceOnly: true,
  definition: "io.k8s.api.authentication.v1.TokenRequest",
  doc: "Asks for a token of a service account.",
  fields: {
    spec: TokenRequestSpec.pb(2).always("{}").doc("What token is wanted."),
    status: TokenRequestStatus.pb(3).always("{}").doc("The token given."),
  },

  *rules({ spec }) {
    if (spec.expirationSeconds < 600) yield invalidValue("spec.expirationSeconds", spec.expirationSeconds, "may not specify a duration less than 10 minutes");
    if (spec.expirationSeconds > 2 ** 32) yield invalidValue("spec.expirationSeconds", spec.expirationSeconds, "may not specify a duration larger than 2^32 seconds");
  },
});
export interface TokenRequest extends Resource<typeof TokenRequest> {}
