/** Reads an authentication configuration and makes what judges tokens by it. Imported only where there is such a file. */
import type { Clock } from "../../../base/clock.ts";
import type { Json } from "../../../base/json.ts";
import { problemBody } from "../../../schema/problem.ts";
import type { Host } from "../../../schema/cel/functions.ts";
import { readValue } from "../../body.ts";
import { ofThisVersion } from "../../config-version.ts";
import { AuthenticationConfiguration, configurationProblems } from "./config.ts";
import { Expressions } from "./expressions.ts";
import { Issuer, type FetchText, type ReadJwk } from "./issuer.ts";
import { IssuedTokens } from "./tokens.ts";

export type AuthenticationFacts = { readonly clock: Clock; readonly fetch: FetchText; readonly readJwk: ReadJwk; readonly celHost: Host; /** Whether a PEM text holds certificates. */ readonly isAuthority: (pem: string) => boolean; /** Our own issuers. */ readonly disallowed: readonly string[] };
export type Authentication = { readonly tokens: IssuedTokens; readonly anonymous?: AuthenticationConfiguration["anonymous"] };

/** `value`: the file's content. Throws an `Error` that names the field. */
export function loadAuthentication(value: Json, duplicates: readonly string[], facts: AuthenticationFacts): Authentication {
  const expected = { group: "apiserver.config.k8s.io", version: "v1", kind: "AuthenticationConfiguration", node: AuthenticationConfiguration.node, isKnown: () => true };
  const config: AuthenticationConfiguration = readValue(ofThisVersion(value), duplicates, expected, { parseYaml: () => ({ value, duplicates }), fieldValidation: "Strict", warn() {} });
  const expressions = new Expressions(facts.celHost);
  const problems = [...configurationProblems(config, facts.disallowed, expressions, facts.isAuthority)];
  if (problems.length > 0) throw new Error(problems.map(problem => `${problem.field}: ${problemBody(problem)}`).join("; "));
  const authenticators = (config.jwt ?? []).map(each => ({ config: each, issuer: new Issuer(each.issuer, facts) }));
  return { tokens: new IssuedTokens(authenticators, expressions, () => facts.clock.now()), ...(config.anonymous === undefined ? {} : { anonymous: config.anonymous }) };
}
