/** The claims whose form the standard fixes, as Go reads them (go-oidc, idToken): any of another form spoils the token, also where nobody asks for it. */
import { getOwn, isObject, type Json, type JsonObject } from "../../../base/json.ts";
import { typeName } from "../../../schema/json-patch.ts";
import { InvalidToken } from "../jwt.ts";

export type Standard = { readonly audiences: readonly string[]; /** Before everything, where none is given. */ readonly expiresMs: number; readonly notBeforeMs: number | undefined };

/** Go's zero time. */
const beforeAllMs = Date.UTC(2001, 0, 1) - 2_000 * 365.2425 * 86_400_000;

/** Throws `InvalidToken`, in upstream's words. */
export function standardOf(claims: JsonObject): Standard {
  for (const claim of ["iss", "sub", "nonce", "at_hash"]) textOf(getOwn(claims, claim), claim);
  timeOf(getOwn(claims, "iat"), "iat");
  const [expires, notBefore] = [getOwn(claims, "exp"), getOwn(claims, "nbf")];
  const standard = { audiences: audiencesOf(getOwn(claims, "aud")), expiresMs: timeOf(expires, "exp") ?? beforeAllMs, notBeforeMs: notBefore === null ? undefined : timeOf(notBefore, "nbf") };
  refuseLostClaims(claims);
  return standard;
}

const unfit = (given: Json, claim: string, wanted: string): InvalidToken => new InvalidToken(`oidc: failed to unmarshal claims: json: cannot unmarshal ${typeName(given)} into Go struct field idToken.${claim} of type ${wanted}`);

function textOf(given: Json | undefined, claim: string): string {
  if (given === undefined || given === null) return "";
  if (typeof given !== "string") throw unfit(given, claim, "string");
  return given;
}

function audiencesOf(given: Json | undefined): readonly string[] {
  if (given === undefined) return [];
  if (Array.isArray(given)) return given.map(each => textOf(each, "aud"));
  if (given !== null && typeof given !== "string") throw unfit(given, "aud", "[]string");
  return [given ?? ""];
}

/** Seconds, as a number or its text; parts of one do not count. Beyond what a Date holds there is no time. */
function timeOf(given: Json | undefined, claim: string): number | undefined {
  if (given === undefined) return undefined;
  const failed = (why: string): InvalidToken => new InvalidToken(`oidc: failed to unmarshal claims: ${why}`);
  if (given === null) throw failed('strconv.ParseFloat: parsing "": invalid syntax');
  if (typeof given === "boolean" || typeof given === "object") throw unfit(given, claim, "json.Number");
  if (typeof given === "string" && !/^-?\d+(\.\d+)?([eE][-+]?\d+)?$/.test(given)) throw failed(`json: invalid number literal, trying to unmarshal ${JSON.stringify(JSON.stringify(given))} into Number`);
  const ms = Math.trunc(Number(given)) * 1000;
  if (!(Math.abs(ms) <= 8.64e15)) throw failed(`claim ${claim} is not a time`);
  return ms;
}

/** Claims that are said to lie elsewhere must say where; nobody goes there for them. */
function refuseLostClaims(claims: JsonObject): void {
  const [names, sources] = ["_claim_names", "_claim_sources"].map(claim => {
    const given = getOwn(claims, claim) ?? {};
    if (!isObject(given)) throw unfit(given, claim, claim === "_claim_names" ? "map[string]string" : "map[string]oidc.claimSource");
    return given;
  }) as [JsonObject, JsonObject];
  for (const given of Object.values(names)) {
    const source = textOf(given, "_claim_names");
    if (source === "") throw new InvalidToken("oidc: failed to obtain source from claim name");
    if (getOwn(sources, source) === undefined) throw new InvalidToken("oidc: source does not exist");
  }
}
