/** AuthenticationConfiguration (apiserver.config.k8s.io/v1): whose tokens are taken and who their bearers are, with upstream's rules (apiserver pkg/apis/apiserver/validation). */
import { forbidden, invalidValue, required, duplicate, type Problem } from "../../../schema/problem.ts";
import { domainPath } from "../../../kinds/meta/rules.ts";
import * as t from "../../../schema/t.ts";
import { expressionProblems, type Expressions } from "./expressions.ts";

const PrefixedClaim = t.object({
  claim: t.string().doc("Claim whose value it is."),
  prefix: t.string().pointer().doc("Put before every value; must be said, even if it is empty."),
  expression: t.string().doc("CEL over `claims`, in its place."),
});
const Claim = t.object({ claim: t.string().doc("Claim whose value it is."), expression: t.string().doc("CEL over `claims`, in its place.") });
const Jwt = t.object({
  issuer: t.object({
    url: t.string().required().always("zero").doc("What `iss` must be; discovery is below it."),
    discoveryURL: t.string().doc("Where discovery is instead."),
    certificateAuthority: t.string().doc("PEM; absent: the system's authorities."),
    audiences: t.list(t.string()).required().always("[]").doc("One of them must be in `aud`."),
    audienceMatchPolicy: t.string().doc("MatchAny, when there are several."),
    egressSelectorType: t.string().doc("Not supported here: there are no egress proxies."),
  }).required().always("{}").doc("Who issues the tokens."),
  claimValidationRules: t.list(t.object({
    claim: t.string().doc("Claim that must be there."), requiredValue: t.string().doc("Its value."),
    expression: t.string().doc("CEL over `claims` that must be true."), message: t.string().doc("Said when it is not."),
  })).doc("What must hold for a token to count."),
  claimMappings: t.object({
    username: PrefixedClaim.required().always("{}").doc("The user's name."), groups: PrefixedClaim.always("{}").doc("The user's groups."), uid: Claim.always("{}").doc("The user's uid."),
    extra: t.list(t.object({ key: t.string().required().always("zero").doc("Key, a domain and a path."), valueExpression: t.string().required().always("zero").doc("CEL over `claims`.") })).doc("More about the user."),
  }).required().always("{}").doc("Who the bearer is."),
  userValidationRules: t.list(t.object({ expression: t.string().required().always("zero").doc("CEL over `user` that must be true."), message: t.string().doc("Said when it is not.") })).doc("What must hold for the user that came out."),
});
export const AuthenticationConfiguration = t.object("AuthenticationConfiguration", {
  apiVersion: t.string().doc("apiserver.config.k8s.io/v1."),
  kind: t.string().doc("AuthenticationConfiguration."),
  jwt: t.list(Jwt).doc("Issuers of tokens."),
  anonymous: t.object({ enabled: t.bool().required().always("zero").doc("Whether anybody may ask without credentials."), conditions: t.list(t.object({ path: t.string().required().always("zero").doc("A path that they may ask for.") })).doc("Only these paths; absent: all.") }).doc("Requests without credentials."),
});
export interface AuthenticationConfiguration extends t.Stored<typeof AuthenticationConfiguration> {}
export interface JwtAuthenticator extends t.Stored<typeof Jwt> {}

/** Issuers that one configuration may have (apiserver pkg/apis/apiserver/validation: 64). */
const issuersMax = 64;

/** Everything wrong with it. `disallowed`: issuers that are our own; `isAuthority`: whether a text holds certificates. */
export function* configurationProblems({ jwt = [], anonymous }: AuthenticationConfiguration, disallowed: readonly string[], expressions: Expressions, isAuthority: (pem: string) => boolean): Iterable<Problem> {
  if (jwt.length > issuersMax) yield { field: "jwt", reason: "TooMany", value: jwt.length, detail: `must have at most ${issuersMax} items` };
  const [urls, places] = [new Set<string>(), new Set<string>()];
  for (const [i, each] of jwt.entries()) {
    yield* jwtProblems(each, `jwt[${i}]`, disallowed, expressions);
    // Its content is not shown.
    if (each.issuer.certificateAuthority !== undefined && !isAuthority(each.issuer.certificateAuthority)) yield invalidValue(`jwt[${i}].issuer.certificateAuthority`, "<omitted>", "data does not contain any valid RSA or ECDSA certificates");
    if (urls.has(each.issuer.url)) yield duplicate(`jwt[${i}].issuer.url`, each.issuer.url);
    if (each.issuer.discoveryURL !== undefined && places.has(each.issuer.discoveryURL)) yield duplicate(`jwt[${i}].issuer.discoveryURL`, each.issuer.discoveryURL);
    urls.add(each.issuer.url);
    if (each.issuer.discoveryURL !== undefined) places.add(each.issuer.discoveryURL);
  }
  if (anonymous?.enabled === false && (anonymous.conditions ?? []).length > 0) yield invalidValue("anonymous.conditions", (anonymous.conditions ?? []).map(({ path }) => ({ Path: path })), "enabled should be set to true when conditions are defined");
}

function* jwtProblems({ issuer, claimValidationRules = [], claimMappings, userValidationRules = [] }: JwtAuthenticator, path: string, disallowed: readonly string[], expressions: Expressions): Iterable<Problem> {
  yield* urlProblems(issuer.url, `${path}.issuer.url`, disallowed);
  if (issuer.discoveryURL !== undefined) {
    if (issuer.discoveryURL.replace(/\/+$/, "") === issuer.url.replace(/\/+$/, "")) yield invalidValue(`${path}.issuer.discoveryURL`, issuer.discoveryURL, "discoveryURL must be different from URL");
    yield* urlProblems(issuer.discoveryURL, `${path}.issuer.discoveryURL`, []);
  }
  const { audiences, audienceMatchPolicy: policy = "" } = issuer;
  if (audiences.length === 0) yield required(`${path}.issuer.audiences`, `at least one ${path}.issuer.audiences is required`);
  for (const [i, audience] of audiences.entries()) {
    if (audience === "") yield required(`${path}.issuer.audiences[${i}]`);
    if (audiences.indexOf(audience) < i) yield duplicate(`${path}.issuer.audiences[${i}]`, audience);
  }
  if (audiences.length > 1 && policy !== "MatchAny") yield invalidValue(`${path}.issuer.audienceMatchPolicy`, policy, "audienceMatchPolicy must be MatchAny for multiple audiences");
  if (audiences.length === 1 && policy !== "" && policy !== "MatchAny") yield invalidValue(`${path}.issuer.audienceMatchPolicy`, policy, "audienceMatchPolicy must be empty or MatchAny for single audience");
  if (issuer.egressSelectorType !== undefined) yield forbidden(`${path}.issuer.egressSelectorType`, "there are no egress proxies here: leave it out");
  for (const [i, rule] of claimValidationRules.entries()) {
    yield* ruleProblems(rule, `${path}.claimValidationRules[${i}]`, expressions);
    for (const field of ["claim", "expression"] as const) yield* repeated(claimValidationRules, i, field, `${path}.claimValidationRules[${i}].${field}`);
  }
  yield* mappingProblems(claimMappings, `${path}.claimMappings`, expressions);
  yield* emailProblems(claimMappings, claimValidationRules, `${path}.claimMappings.username.expression`);
  for (const [i, { expression }] of userValidationRules.entries()) {
    if (expression === "") yield required(`${path}.userValidationRules[${i}].expression`);
    else yield* expressionProblems(expressions.check(expression, "user", true), expression, `${path}.userValidationRules[${i}].expression`);
    yield* repeated(userValidationRules, i, "expression", `${path}.userValidationRules[${i}].expression`);
  }
}

/** What an earlier one of the list says already. */
function* repeated<K extends string>(all: readonly { readonly [name in K]?: string | undefined }[], at: number, field: K, path: string): Iterable<Problem> {
  const said = all[at]?.[field] ?? "";
  if (said !== "" && all.findIndex(each => each[field] === said) < at) yield duplicate(path, said);
}

function* urlProblems(text: string, path: string, disallowed: readonly string[]): Iterable<Problem> {
  if (text === "") return void (yield required(path));
  if (disallowed.includes(text)) yield invalidValue(path, text, `URL must not overlap with disallowed issuers: [${disallowed.join(" ")}]`);
  const [, scheme, authority] = /^([A-Za-z][-+.A-Za-z0-9]*):\/\/([^/?#]+)/.exec(text) ?? [];
  if (scheme === undefined || authority === undefined || /[\s\u0000-\u001f]/.test(text)) return void (yield invalidValue(path, text, "expected a URL such as https://issuer.example.com"));
  if (scheme !== "https") yield invalidValue(path, text, "URL scheme must be https");
  if (authority.includes("@")) yield invalidValue(path, text, "URL must not contain a username or password");
  if (text.includes("?")) yield invalidValue(path, text, "URL must not contain a query");
  if (text.includes("#")) yield invalidValue(path, text, "URL must not contain a fragment");
}

function* ruleProblems({ claim = "", requiredValue = "", expression = "", message = "" }: NonNullable<JwtAuthenticator["claimValidationRules"]>[number], path: string, expressions: Expressions): Iterable<Problem> {
  if (claim !== "" && expression !== "") yield invalidValue(path, claim, "claim and expression can't both be set");
  else if (claim === "" && expression === "") yield required(path, "claim or expression is required");
  else if (claim !== "" && message !== "") yield invalidValue(`${path}.message`, message, "may not be specified when claim is set");
  else if (expression !== "" && requiredValue !== "") yield invalidValue(`${path}.requiredValue`, requiredValue, "may not be specified when expression is set");
  else if (expression !== "") yield* expressionProblems(expressions.check(expression, "claims", true), expression, `${path}.expression`);
}

function* mappingProblems({ username, groups, uid, extra = [] }: JwtAuthenticator["claimMappings"], path: string, expressions: Expressions): Iterable<Problem> {
  yield* prefixedProblems(username, `${path}.username`, true, expressions);
  yield* prefixedProblems(groups ?? {}, `${path}.groups`, false, expressions);
  if (uid?.claim !== undefined && uid.expression !== undefined) yield invalidValue(`${path}.uid`, "", "claim and expression can't both be set");
  else if (uid?.expression !== undefined) yield* expressionProblems(expressions.check(uid.expression, "claims", false), uid.expression, `${path}.uid.expression`);
  for (const [i, { key, valueExpression }] of extra.entries()) {
    yield* domainPath(key, `${path}.extra[${i}].key`);
    if (key !== key.toLowerCase()) yield invalidValue(`${path}.extra[${i}].key`, key, "must be lowercase");
    if (/^([^/]*\.)?(k8s|kubernetes)\.io\//.test(key)) yield invalidValue(`${path}.extra[${i}].key`, key, "k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use");
    yield* repeated(extra, i, "key", `${path}.extra[${i}].key`);
    if (valueExpression === "") yield required(`${path}.extra[${i}].valueExpression`);
    else yield* expressionProblems(expressions.check(valueExpression, "claims", false), valueExpression, `${path}.extra[${i}].valueExpression`);
  }
}

function* prefixedProblems({ claim = "", prefix, expression = "" }: JwtAuthenticator["claimMappings"]["username"], path: string, needed: boolean, expressions: Expressions): Iterable<Problem> {
  if (claim !== "" && expression !== "") yield invalidValue(path, "", "claim and expression can't both be set");
  else if (needed && claim === "" && expression === "") yield required(path, "claim or expression is required");
  else if (expression !== "") {
    if (prefix !== undefined) yield invalidValue(`${path}.prefix`, prefix, "may not be specified when expression is set");
    yield* expressionProblems(expressions.check(expression, "claims", false), expression, `${path}.expression`);
  } else if (claim !== "" && prefix === undefined) yield required(`${path}.prefix`, "prefix is required when claim is set. It can be set to an empty string to disable prefixing");
}

/** An address that nobody verified is anybody's. Quirk: only a field is seen, `claims["email"]` is not. */
function* emailProblems({ username, extra = [] }: JwtAuthenticator["claimMappings"], rules: NonNullable<JwtAuthenticator["claimValidationRules"]>, path: string): Iterable<Problem> {
  const uses = (text: string | undefined, claim: string): boolean => text !== undefined && new RegExp(`\\bclaims\\s*\\.\\s*[?]?\\s*${claim}\\b`).test(text);
  if (!uses(username.expression, "email")) return;
  if ([username.expression, ...extra.map(each => each.valueExpression), ...rules.map(each => each.expression)].some(text => uses(text, "email_verified"))) return;
  yield invalidValue(path, username.expression, "claims.email_verified must be used in claimMappings.username.expression or claimMappings.extra[*].valueExpression or claimValidationRules[*].expression when claims.email is used in claimMappings.username.expression");
}
