/** Judges tokens of other issuers (OpenID Connect): signature, issuer, audience, times, then claims. */
import { getOwn, type JsonObject } from "../../../base/json.ts";
import type { TokenVerdict } from "../../context.ts";
import { InvalidToken, partsOf, peekIssuer } from "../jwt.ts";
import { userOfClaims } from "./claims.ts";
import type { JwtAuthenticator } from "./config.ts";
import type { Expressions } from "./expressions.ts";
import type { Issuer } from "./issuer.ts";

/** A token's "not before" may lie this far ahead, for clocks that differ (go-oidc). */
const leewayMs = 5 * 60_000;

export class IssuedTokens {
  readonly #authenticators: ReadonlyMap<string, { readonly config: JwtAuthenticator; readonly issuer: Issuer }>;
  readonly #expressions: Expressions;
  readonly #now: () => number;

  constructor(authenticators: readonly { readonly config: JwtAuthenticator; readonly issuer: Issuer }[], expressions: Expressions, now: () => number) {
    this.#authenticators = new Map(authenticators.map(each => [each.issuer.url, each]));
    this.#expressions = expressions;
    this.#now = now;
  }

  /** Whether the token says to be of one of these issuers; any other is somebody else's to judge. */
  isOurs(token: string): boolean {
    const issuer = peekIssuer(token);
    return issuer !== undefined && this.#authenticators.has(issuer);
  }

  async review(token: string): Promise<TokenVerdict> {
    const { config, issuer } = this.#authenticators.get(peekIssuer(token) ?? "") ?? {};
    if (config === undefined || issuer === undefined) return { authenticated: false, error: "invalid bearer token" };
    try {
      const claims = await this.#verified(token, config, issuer);
      return { authenticated: true, user: userOfClaims(config, claims, this.#expressions), audiences: [] };
    } catch (error) {
      // Whatever is wrong with a token, or keeps its keys from us, is the bearer's to hear and nobody's fault here.
      return { authenticated: false, error: `[invalid bearer token, ${error instanceof InvalidToken ? `oidc: verify token: ${error.message}` : error instanceof Error ? error.message : String(error)}]` };
    }
  }

  async #verified(token: string, config: JwtAuthenticator, issuer: Issuer): Promise<JsonObject> {
    const { header, claims, input, signature } = partsOf(token);
    // `crit` names what must be understood, and nothing more than the standard is.
    if (getOwn(header, "crit") !== undefined) throw new InvalidToken("token header has critical parameters");
    const [alg, kid] = [getOwn(header, "alg"), getOwn(header, "kid")];
    if (typeof alg !== "string") throw new InvalidToken("token header names no algorithm");
    const audience = getOwn(claims, "aud");
    const audiences = Array.isArray(audience) ? audience : [audience];
    if (!config.issuer.audiences.some(each => audiences.includes(each))) throw new InvalidToken(`oidc: expected audience in ${JSON.stringify(config.issuer.audiences)} got ${JSON.stringify(audiences)}`);
    const [expires, notBefore] = [secondsOf(claims, "exp"), secondsOf(claims, "nbf")];
    if (expires === undefined || expires * 1000 < this.#now()) throw new InvalidToken(`oidc: token is expired (Token Expiry: ${expires === undefined ? "none" : new Date(expires * 1000).toISOString()})`);
    if (notBefore !== undefined && notBefore * 1000 > this.#now() + leewayMs) throw new InvalidToken("oidc: current time before the nbf (not before) time");
    const keys = (await issuer.keys(typeof kid === "string" ? kid : undefined)).filter(key => key.algorithms.has(alg));
    if (!keys.some(key => key.verify(alg, input, signature))) throw new InvalidToken("failed to verify signature: failed to verify id token signature");
    return claims;
  }
}

/** Times beyond what a Date holds are no times. */
function secondsOf(claims: JsonObject, claim: string): number | undefined {
  const value = getOwn(claims, claim);
  if (value === undefined) return undefined;
  if (typeof value !== "number" || !Number.isFinite(value) || Math.abs(value) > 8.64e12) throw new InvalidToken(`claim ${claim} is not a time`);
  return value;
}
