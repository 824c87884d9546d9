/** Judges tokens of other issuers (OpenID Connect): signature, issuer, audience, times, then claims. */
import { getOwn, type JsonObject } from "../../../base/json.ts";
import { goQuote } from "../../../schema/problem.ts";
import type { TokenVerdict } from "../../context.ts";
import { InvalidToken, partsOf, peekIssuer } from "../jwt.ts";
import { userOfClaims } from "./claims.ts";
import type { JwtAuthenticator } from "./config.ts";
import type { Expressions } from "./expressions.ts";
import type { Issuer } from "./issuer.ts";
import { standardOf } from "./standard.ts";

/** A token's "not before" may lie this far ahead, for clocks that differ (go-oidc). */
const leewayMs = 60_000;

const algorithms = ["ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"];
const unverified = "failed to verify signature: failed to verify id token signature";
const shown = (texts: readonly string[]): string => `[${texts.map(goQuote).join(" ")}]`;
const goTime = (ms: number): string => `${new Date(ms).toISOString().replace("T", " ").replace(/\.?0*Z$/, "")} +0000 UTC`;

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
    // `crit` names what must be understood, and nothing more than the standard is; nor are contents that are not encoded.
    if (getOwn(header, "crit") !== undefined || getOwn(header, "b64") === false) throw new InvalidToken(unverified);
    const [alg, kid] = [getOwn(header, "alg"), getOwn(header, "kid")];
    if (typeof alg !== "string" || !algorithms.includes(alg)) throw new InvalidToken(`oidc: id token signed with unsupported algorithm, expected ${shown(algorithms)} got ${goQuote(typeof alg === "string" ? alg : "")}`);
    const keys = (await issuer.keys(typeof kid === "string" ? kid : undefined)).filter(key => key.algorithms.has(alg));
    if (!keys.some(key => key.verify(alg, input, signature))) throw new InvalidToken(unverified);
    const { audiences, expiresMs, notBeforeMs } = standardOf(claims);
    const wanted = config.issuer.audiences, isFor = wanted.some(each => audiences.includes(each));
    if (wanted.length === 1 && !isFor) throw new InvalidToken(`oidc: expected audience ${goQuote(wanted[0]!)} got ${shown(audiences)}`);
    if (expiresMs < this.#now()) throw new InvalidToken(`oidc: token is expired (Token Expiry: ${goTime(expiresMs)})`);
    if (notBeforeMs !== undefined && notBeforeMs > this.#now() + leewayMs) throw new InvalidToken(`oidc: current time ${goTime(this.#now())} before the nbf (not before) time: ${goTime(notBeforeMs)}`);
    if (!isFor) throw new InvalidToken(`oidc: expected audience in ${shown([...wanted].sort())} got ${shown(audiences)}`);
    return claims;
  }
}
