/** From a token's claims to a user (apiserver plugin/pkg/authenticator/token/oidc). Throws an `Error` that says which claim is wrong. */
import { getOwn, type Json, type JsonObject } from "../../../base/json.ts";
import { typeName } from "../../../schema/json-patch.ts";
import type { User } from "../../context.ts";
import type { JwtAuthenticator } from "./config.ts";
import type { Expressions } from "./expressions.ts";

export function userOfClaims({ claimMappings, claimValidationRules = [], userValidationRules = [] }: JwtAuthenticator, claims: JsonObject, expressions: Expressions): User {
  const { username, groups = {}, uid = {}, extra = [] } = claimMappings;
  const user: User = {
    name: nameOf(username, claims, expressions),
    groups: groupsOf(groups, claims, expressions),
    uid: uid.claim !== undefined ? textOf(claims, uid.claim, `parse uid claim ${JSON.stringify(uid.claim)}`) : uid.expression === undefined ? "" : explained("uid", () => expressions.text(uid.expression!, "claims", claims, "uid")),
    extra: Object.fromEntries([
      ...(typeof getOwn(claims, "jti") === "string" && getOwn(claims, "jti") !== "" ? [["authentication.kubernetes.io/credential-id", [`JTI=${String(getOwn(claims, "jti"))}`]] as const] : []),
      ...extra.map(({ key, valueExpression }) => [key, explained("extra", () => expressions.texts(valueExpression, "claims", claims))] as const).filter(([, values]) => values.length > 0),
    ]),
  };
  for (const { claim, requiredValue = "", expression, message } of claimValidationRules) {
    if (claim !== undefined) requireClaim(claims, claim, requiredValue);
    else if (expression !== undefined) requireTrue(expression, message, () => expressions.holds(expression, "claims", claims), "claim validation expression");
  }
  const said: Json = { username: user.name, uid: user.uid, groups: user.groups, extra: user.extra };
  for (const { expression, message } of userValidationRules) requireTrue(expression, message, () => expressions.holds(expression, "user", said), "user info validation rule");
  return user;
}

function nameOf({ claim, prefix = "", expression }: JwtAuthenticator["claimMappings"]["username"], claims: JsonObject, expressions: Expressions): string {
  if (expression !== undefined) {
    const name = explained("username", () => expressions.text(expression, "claims", claims, "username"));
    if (name === "") throw new Error("oidc: empty username via CEL expression is not allowed");
    return name;
  }
  const name = textOf(claims, claim ?? "", `parse username claims ${JSON.stringify(claim)}`);
  if (claim === "email") {
    const verified = getOwn(claims, "email_verified");
    if (verified !== undefined && typeof verified !== "boolean") throw new Error("oidc: parse 'email_verified' claim: not a boolean");
    if (verified === false) throw new Error("oidc: email not verified");
  }
  return prefix + name;
}

function groupsOf({ claim, prefix = "", expression }: NonNullable<JwtAuthenticator["claimMappings"]["groups"]>, claims: JsonObject, expressions: Expressions): readonly string[] {
  if (expression !== undefined) return explained("group", () => expressions.texts(expression, "claims", claims));
  const value = claim === undefined ? undefined : getOwn(claims, claim);
  if (value === undefined || value === null) return [];
  // Null is Go's empty text.
  const groups = typeof value === "string" ? [value] : Array.isArray(value) ? value.map(group => group ?? "") : value;
  if (!Array.isArray(groups) || !groups.every((group): group is string => typeof group === "string")) throw new Error(`oidc: parse groups claim ${JSON.stringify(claim)}: json: cannot unmarshal ${typeName(value)} into Go value of type string`);
  return groups.map(group => prefix + group);
}

function textOf(claims: JsonObject, claim: string, what: string): string {
  const value = getOwn(claims, claim);
  if (value === undefined) throw new Error(`oidc: ${what}: claim not present`);
  if (value !== null && typeof value !== "string") throw new Error(`oidc: ${what}: json: cannot unmarshal ${typeName(value)} into Go value of type string`);
  return value ?? "";
}

function requireClaim(claims: JsonObject, claim: string, wanted: string): void {
  if (getOwn(claims, claim) === undefined) throw new Error(`oidc: required claim ${claim} not present in ID token`);
  const value = textOf(claims, claim, `parse claim ${claim}`);
  if (value !== wanted) throw new Error(`oidc: required claim ${claim} value does not match. Got = ${value}, want = ${wanted}`);
}

function requireTrue(expression: string, message: string | undefined, holds: () => boolean, what: string): void {
  const why = `oidc: error evaluating ${what}`;
  let held: boolean;
  try {
    held = holds();
  } catch (error) {
    throw new Error(`${why}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  if (!held) throw new Error(`${why}: validation expression '${expression}' failed${message === undefined || message === "" ? "" : `: ${message}`}`);
}

function explained<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new Error(`oidc: error evaluating ${what} claim expression: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
