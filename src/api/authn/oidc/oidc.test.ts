import assert from "node:assert/strict";
import { createSign, generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { testAuthority } from "../../../../test/certificates.ts";
import { settle, TestClock } from "../../../../test/transcripts/harness.ts";
import type { Json, JsonObject } from "../../../base/json.ts";
import { celHost } from "../../../host/regex.ts";
import { fetchText, isAuthority, readJwk, webhookOf } from "../../../host/token-issuers.ts";
import { tokenChain } from "../token-chain.ts";
import { TokenWebhook } from "../token-webhook.ts";
import { loadAuthentication, type Authentication } from "./load.ts";

const authority = testAuthority("issuers");
const noChance = { next: () => 0, uuid: () => "", bytes: () => new Uint8Array() };
const keys = new Map<string, { readonly alg: string; readonly key: KeyObject }>();
let [issuerUrl, webhookUrl] = ["", ""];
let asked: string[] = [];
let document: JsonObject = {};
let published: readonly Json[] = [];
let review: (spec: any, authorization: string | undefined) => { readonly status: number; readonly body: Json } = () => ({ status: 500, body: {} });
const server = createServer({ ...authority.leaf("issuer", "server", [], ["localhost", "127.0.0.1"]) }, (request, response) => {
  asked.push(request.url ?? "");
  const answer = (status: number, body: Json): void => void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  if (request.url === "/.well-known/openid-configuration") return answer(200, document);
  if (request.url === "/keys") return answer(200, { keys: published });
  if (request.url !== "/review?timeout=30s") return answer(404, {});
  let text = "";
  request.on("data", chunk => (text += String(chunk))).on("end", () => {
    const { status, body } = review(JSON.parse(text).spec, request.headers.authorization);
    answer(status, body);
  });
});

before(async () => {
  for (const [kid, alg] of [["rsa", "RS256"], ["pss", "PS512"], ["ec", "ES256"], ["new", "RS256"]] as const) {
    const pair = alg.startsWith("ES") ? generateKeyPairSync("ec", { namedCurve: "P-256" }) : generateKeyPairSync("rsa", { modulusLength: 2048 });
    keys.set(kid, { alg, key: pair.privateKey });
  }
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
  issuerUrl = `https://localhost:${(server.address() as AddressInfo).port}`;
  webhookUrl = `${issuerUrl}/review`;
  document = { issuer: issuerUrl, jwks_uri: `${issuerUrl}/keys` };
  published = ["rsa", "pss", "ec"].map(jwkOf);
});
after(() => new Promise(resolve => server.close(resolve)));

function jwkOf(kid: string): Json {
  const { key, alg } = keys.get(kid)!;
  const all = key.export({ format: "jwk" }) as JsonObject;
  return { ...Object.fromEntries(["kty", "n", "e", "crv", "x", "y"].filter(name => all[name] !== undefined).map(name => [name, all[name]!])), kid, use: "sig", alg };
}
const part = (value: Json): string => Buffer.from(JSON.stringify(value)).toString("base64url");
function token(claims: JsonObject, kid = "rsa", header: JsonObject = {}): string {
  const { key, alg } = keys.get(kid)!;
  const input = `${part({ alg, kid, typ: "JWT", x5t: "other issuers' headers have more", ...header })}.${part(claims)}`;
  const signature = alg.startsWith("ES") ? createSign("sha256").update(input).sign({ key, dsaEncoding: "ieee-p1363" }) : alg.startsWith("PS") ? sign("sha512", Buffer.from(input), { key, padding: 6, saltLength: 64 }) : createSign("sha256").update(input).sign(key);
  return `${input}.${signature.toString("base64url")}`;
}

const clock = new TestClock();
const seconds = (): number => Math.floor(clock.now() / 1000);
const good = (more: JsonObject = {}): JsonObject => ({ iss: issuerUrl, aud: "kubernetes", exp: seconds() + 600, sub: "jane", ...more });
const configured = (more: object = {}, issuer: object = {}): Json => ({
  apiVersion: "apiserver.config.k8s.io/v1", kind: "AuthenticationConfiguration",
  jwt: [{ issuer: { url: issuerUrl, audiences: ["kubernetes"], certificateAuthority: authority.ca, ...issuer }, claimMappings: { username: { claim: "sub", prefix: "corp:" } }, ...more } as Json],
});
const load = (config: Json): Authentication => loadAuthentication(config, [], { clock, fetch: fetchText, readJwk, celHost, isAuthority, disallowed: ["https://kubernetes.default.svc.cluster.local"] });

test("a token of a configured issuer is its bearer's; keys are fetched once, by discovery, and again for an unknown key at most every 10 s", async () => {
  asked = [];
  const { tokens } = load(configured({ claimMappings: { username: { claim: "sub", prefix: "corp:" }, groups: { claim: "groups", prefix: "g:" }, uid: { claim: "oid" }, extra: [{ key: "corp.example/team", valueExpression: "claims.team" }] } }));
  assert.deepEqual(await tokens.review(token(good({ groups: ["a", "b"], oid: "7", team: "x", jti: "j1" }))), { authenticated: true, audiences: [], user: { name: "corp:jane", uid: "7", groups: ["g:a", "g:b"], extra: { "authentication.kubernetes.io/credential-id": ["JTI=j1"], "corp.example/team": ["x"] } } });
  for (const kid of ["rsa", "pss", "ec"]) assert.equal((await tokens.review(token(good({ oid: "7", team: "" }), kid))).authenticated, true, kid);
  assert.deepEqual(asked, ["/.well-known/openid-configuration", "/keys"]);
  assert.equal((await tokens.review(token(good({ oid: "7", team: "" }), "new"))).authenticated, false);
  published = [...published, jwkOf("new")];
  assert.equal((await tokens.review(token(good({ oid: "7", team: "" }), "new"))).authenticated, false, "not asked again yet");
  await clock.advance(10_000);
  assert.equal((await tokens.review(token(good({ oid: "7", team: "" }), "new"))).authenticated, true);
  assert.deepEqual(asked, ["/.well-known/openid-configuration", "/keys", "/keys"]);
});

const refused: readonly (readonly [string, () => string, RegExp])[] = [
  ["of another audience", () => token(good({ aud: ["other", "more"] })), /expected audience "kubernetes" got \["other" "more"\]\]$/],
  ["of none of several audiences", () => token(good({ aud: "more" })), /expected audience "kubernetes" got \["more"\]\]$/],
  ["with an audience that is no text", () => token(good({ aud: ["kubernetes", 1] })), /cannot unmarshal number into Go struct field idToken.aud of type string\]$/],
  ["with an audience that is an object", () => token(good({ aud: {} })), /cannot unmarshal object into Go struct field idToken.aud of type \[\]string\]$/],
  ["whose subject is no text, though nobody asks for it", () => token(good({ sub: 1 })), /idToken.sub of type string\]$/],
  ["that was made at no time", () => token(good({ iat: null })), /strconv.ParseFloat: parsing "": invalid syntax\]$/],
  ["whose claims lie elsewhere", () => token(good({ _claim_names: { groups: "s" } })), /source does not exist\]$/],
  ["whose content is not encoded", () => token(good(), "rsa", { b64: false }), /failed to verify signature/],
  ["without an audience", () => token({ ...good(), aud: null }), /expected audience/],
  ["that has expired", () => token(good({ exp: seconds() - 1 })), /token is expired/],
  ["that never expires", () => token({ iss: issuerUrl, aud: "kubernetes", sub: "jane" }), /token is expired/],
  ["that is not valid yet", () => token(good({ nbf: seconds() + 61 })), /before the nbf/],
  ["whose time is no time", () => token(good({ exp: "tomorrow" })), /invalid number literal, trying to unmarshal "\\"tomorrow\\"" into Number\]$/],
  ["signed by somebody else's key", () => { const [head, , tail] = token(good()).split("."); return `${head}.${part(good({ sub: "root" }))}.${tail}`; }, /failed to verify signature/],
  ["without a signature", () => `${part({ alg: "none", kid: "rsa" })}.${part(good())}.`, /base64url/],
  ["of algorithm none", () => `${part({ alg: "none", kid: "rsa" })}.${part(good())}.AAAA`, /signed with unsupported algorithm/],
  ["signed with the public key as a secret", () => token(good(), "rsa", { alg: "HS256" }), /signed with unsupported algorithm, expected \["ES256" .* got "HS256"\]$/],
  ["with another algorithm than its key's", () => token(good(), "rsa", { alg: "PS256" }), /failed to verify signature/],
  ["with critical parameters", () => token(good(), "rsa", { crit: ["b64"], b64: false }), /failed to verify signature/],
  ["without its user", () => { const { sub: _, ...rest } = good(); return token(rest); }, /parse username claims "sub": claim not present/],
];
for (const [name, made, why] of refused) test(`a token ${name} is refused`, async () => {
  const verdict = await load(configured()).tokens.review(made());
  assert.equal(verdict.authenticated, false);
  assert.match(verdict.authenticated ? "" : (verdict.error ?? ""), why);
});

test("earlier versions of the configuration say the same", async () => {
  for (const version of ["v1beta1", "v1alpha1"]) assert.equal((await load({ ...(configured() as JsonObject), apiVersion: `apiserver.config.k8s.io/${version}` }).tokens.review(token(good()))).authenticated, true);
});

test("times may be written as text and have parts, what is null is empty, nobody is asked about audiences of others", async () => {
  const review = (more: JsonObject) => load(configured()).tokens.review(token(good(more)));
  for (const more of [{ exp: String(seconds() + 60) }, { exp: seconds() + 60.5 }, { nbf: null }, { nbf: seconds() + 59 }, { nbf: seconds() - 0.5 }, { jti: "" }, { aud: ["x", "kubernetes"] }] as JsonObject[]) assert.deepEqual(await review(more), { authenticated: true, audiences: [], user: { name: "corp:jane", uid: "", groups: [], extra: {} } }, JSON.stringify(more));
  const verdict = await review({ sub: null });
  assert.equal(verdict.authenticated && verdict.user.name, "corp:");
});

const rows: readonly (readonly [string, object, JsonObject, string | RegExp])[] = [
  ["a name by expression", { claimMappings: { username: { expression: "'x:' + claims.sub" } } }, {}, "x:jane"],
  ["an empty name by expression", { claimMappings: { username: { expression: "claims.nick" } } }, { nick: "" }, /empty username/],
  ["a name that is no text", { claimMappings: { username: { expression: "claims.n" } } }, { n: 1 }, /username claim expression must return a string/],
  ["groups by expression", { claimMappings: { username: { claim: "sub", prefix: "" }, groups: { expression: "claims.roles.split(',')" } } }, { roles: "a,,b" }, "jane a b"],
  ["groups that are no text", { claimMappings: { username: { claim: "sub", prefix: "" }, groups: { claim: "roles", prefix: "" } } }, { roles: [1] }, /parse groups claim "roles"/],
  ["an address that was verified", { claimMappings: { username: { claim: "email", prefix: "" } } }, { email: "a@b", email_verified: true }, "a@b"],
  ["an address that was not verified", { claimMappings: { username: { claim: "email", prefix: "" } } }, { email: "a@b", email_verified: false }, /email not verified/],
  ["a required claim", { claimValidationRules: [{ claim: "hd", requiredValue: "corp" }] }, { hd: "corp" }, "corp:jane"],
  ["a required claim of another value", { claimValidationRules: [{ claim: "hd", requiredValue: "corp" }] }, { hd: "else" }, /required claim hd value does not match. Got = else, want = corp/],
  ["a required claim that is missing", { claimValidationRules: [{ claim: "hd", requiredValue: "corp" }] }, {}, /required claim hd not present/],
  ["a number, which is a double", { claimValidationRules: [{ expression: "claims.n == 5 && claims.n + 0.5 > 5.0" }] }, { n: 5 }, "corp:jane"],
  ["a rule over claims", { claimValidationRules: [{ expression: "claims.exp - claims.iat <= 3600", message: "too long a life" }] }, { iat: 0 }, /validation expression 'claims.exp - claims.iat <= 3600' failed: too long a life/],
  ["a rule over the user", { userValidationRules: [{ expression: "!user.username.startsWith('corp:j')", message: "no J" }] }, {}, /failed: no J/],
  ["a rule over the user that holds", { userValidationRules: [{ expression: "user.groups.all(g, !g.startsWith('system:'))" }] }, {}, "corp:jane"],
];
for (const [name, more, claims, wanted] of rows) test(`claims: ${name}`, async () => {
  const verdict = await load(configured(more)).tokens.review(token(good(claims)));
  if (typeof wanted === "string") assert.equal(verdict.authenticated ? [verdict.user.name, ...verdict.user.groups].join(" ") : verdict.error, wanted);
  else assert.match(verdict.authenticated ? `${verdict.user.name} is let in` : (verdict.error ?? ""), wanted);
});

const faulty: readonly (readonly [string, () => Json, RegExp])[] = [
  ["our own issuer", () => configured({}, { url: "https://kubernetes.default.svc.cluster.local" }), /jwt\[0\].issuer.url: Invalid value: .*must not overlap with disallowed issuers/],
  ["no URL", () => configured({}, { url: "" }), /jwt\[0\].issuer.url: Required value$/],
  ["an authority that is none", () => configured({}, { certificateAuthority: "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----" }), /certificateAuthority: Invalid value: "<omitted>": data does not contain any valid RSA or ECDSA certificates/],
  ["a rule twice", () => configured({ claimValidationRules: [{ expression: "claims.a == 1" }, { expression: "claims.a == 1" }] }), /claimValidationRules\[1\].expression: Duplicate value: "claims.a == 1"/],
  ["a required claim twice", () => configured({ claimValidationRules: [{ claim: "a", requiredValue: "b" }, { claim: "a", requiredValue: "c" }] }), /claimValidationRules\[1\].claim: Duplicate value: "a"/],
  ["a rule over the user twice", () => configured({ userValidationRules: [{ expression: "true" }, { expression: "true" }] }), /userValidationRules\[1\].expression: Duplicate value: "true"/],
  ["a key with a space", () => configured({ claimMappings: { username: { claim: "sub", prefix: "" }, extra: [{ key: "a.b/c d", valueExpression: "'a'" }] } }), /extra\[0\].key: Invalid value: "c d": Invalid path/],
  ["conditions of nobody", () => ({ apiVersion: "apiserver.config.k8s.io/v1", kind: "AuthenticationConfiguration", anonymous: { enabled: false, conditions: [{ path: "/x" }] } }), /anonymous.conditions: Invalid value: \[{"Path":"\/x"}\]: enabled should be set to true/],
  ["plain http", () => configured({}, { url: "http://issuer" }), /URL scheme must be https/],
  ["no audience", () => configured({}, { audiences: [] }), /issuer.audiences: Required value/],
  ["several audiences without a policy", () => configured({}, { audiences: ["a", "b"] }), /audienceMatchPolicy must be MatchAny for multiple audiences/],
  ["a name without a prefix", () => configured({ claimMappings: { username: { claim: "sub" } } }), /username.prefix: Required value: prefix is required when claim is set/],
  ["a claim and an expression", () => configured({ claimMappings: { username: { claim: "sub", expression: "claims.sub" } } }), /claim and expression can't both be set/],
  ["an address that nobody verifies", () => configured({ claimMappings: { username: { expression: "claims.email" } } }), /claims.email_verified must be used/],
  ["an expression that does not compile", () => configured({ claimValidationRules: [{ expression: "claims.sub ==" }] }), /claimValidationRules\[0\].expression: Invalid value: .*compilation failed/s],
  ["a loop over what may be anything", () => configured({ claimValidationRules: [{ expression: "claims.g.all(x, x != '')" }] }), /expression of type 'any' cannot be range of a comprehension/],
  ["a field that no user has", () => configured({ userValidationRules: [{ expression: "user.name != ''" }] }), /undefined field 'name'/],
  ["a rule that is no condition", () => configured({ claimValidationRules: [{ expression: "'yes'" }] }), /Invalid value: "'yes'": must evaluate to bool$/],
  ["a reserved key", () => configured({ claimMappings: { username: { claim: "sub", prefix: "" }, extra: [{ key: "x.kubernetes.io/a", valueExpression: "'a'" }] } }), /reserved for Kubernetes use/],
  ["an egress proxy", () => configured({}, { egressSelectorType: "cluster" }), /egressSelectorType: Forbidden/],
  ["an unknown field", () => configured({ claimMapping: {} }), /unknown field "jwt\[0\].claimMapping"/],
  ["another version", () => ({ apiVersion: "apiserver.config.k8s.io/v2", kind: "AuthenticationConfiguration" }), /apiserver.config.k8s.io/],
];
for (const [name, config, why] of faulty) test(`a configuration with ${name} is refused at start`, () => assert.throws(() => load(config()), why));

test("an issuer that says to be another, or has no keys, judges nobody", async () => {
  document = { issuer: "https://else", jwks_uri: `${issuerUrl}/keys` };
  const { tokens } = load(configured());
  const verdict = await tokens.review(token(good()));
  assert.match(verdict.authenticated ? "" : (verdict.error ?? ""), /authenticator not initialized: oidc: issuer did not match/);
  document = { issuer: issuerUrl, jwks_uri: `${issuerUrl}/keys` };
  await clock.advance(10_000);
  assert.equal((await tokens.review(token(good()))).authenticated, true, "it is asked again");
});

test("the chain: ours first, then others; everybody is authenticated; audiences are the API server's", async () => {
  const { tokens } = load(configured());
  const judge = tokenChain(text => (text === "ours" ? { authenticated: true, user: { name: "sa", uid: "", groups: [], extra: {} }, audiences: [] } : { authenticated: false, error: "invalid bearer token" }), [text => (tokens.isOurs(text) ? tokens.review(text) : { authenticated: false })], ["https://us"], clock);
  assert.equal((await judge("ours", [])).authenticated, true);
  const jane = await judge(token(good()), []);
  assert.deepEqual(jane.authenticated && jane.user.groups, ["system:authenticated"]);
  const bound = await judge(token(good()), ["https://us", "x"]);
  assert.deepEqual(bound.authenticated && bound.audiences, ["https://us"]);
  assert.deepEqual(await judge(token(good()), ["x"]), { authenticated: false, error: "invalid bearer token" });
  assert.deepEqual(await judge("rubbish", []), { authenticated: false, error: "invalid bearer token" });
});

test("a token webhook is asked with TokenReview v1, with its credentials; answers hold two minutes, failures do not", async () => {
  const kubeconfig = { clusters: [{ name: "w", cluster: { server: webhookUrl, "certificate-authority-data": Buffer.from(authority.ca).toString("base64") } }], users: [{ name: "u", user: { token: "secret" } }], contexts: [{ name: "c", context: { cluster: "w", user: "u" } }], "current-context": "c" };
  const virtual = new TestClock();
  const webhook = new TokenWebhook({ post: await webhookOf(kubeconfig, async path => path), clock: virtual, random: noChance }, ["us"]);
  asked = [];
  const seen: Json[] = [];
  review = (spec, authorization) => {
    seen.push([spec, authorization ?? null]);
    return { status: 200, body: { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", status: spec.token === "good" ? { authenticated: true, user: { username: "jane", groups: ["dev"], extra: { k: ["v"] } } } : { authenticated: false, error: "no such token" } } };
  };
  const jane = { authenticated: true, audiences: ["us"], user: { name: "jane", uid: "", groups: ["dev"], extra: { k: ["v"] } } };
  assert.deepEqual(await Promise.all([webhook.review("good", ["us"]), webhook.review("good", ["us"])]), [jane, jane]);
  assert.deepEqual(await webhook.review("bad", ["a", "us"]), { authenticated: false, error: "[invalid bearer token, no such token]" });
  assert.deepEqual(await webhook.review("good", ["a"]), { authenticated: false }, "it speaks for the API server, unless it says for whom");
  assert.deepEqual(seen, [[{ token: "good", audiences: ["us"] }, "Bearer secret"], [{ token: "bad", audiences: ["a", "us"] }, "Bearer secret"], [{ token: "good", audiences: ["a"] }, "Bearer secret"]]);
  assert.match(asked[0]!, /\?timeout=30s$/);
  await webhook.review("good", ["us"]);
  assert.equal(asked.length, 3);
  await virtual.advance(120_000);
  await webhook.review("good", ["us"]);
  assert.equal(asked.length, 4);
  review = () => ({ status: 401, body: {} });
  await assert.rejects(webhook.review("other", ["us"]), /the server has asked for the client to provide credentials/);
  review = () => ({ status: 200, body: { kind: "TokenReview", status: { authenticated: true, user: {} } } });
  await assert.rejects(webhook.review("other", ["us"]), /named no user/);
  await assert.rejects(webhookOf({ clusters: [{ name: "w", cluster: { server: "http://x" } }] }, async path => path), /expected an https URL/);
});

test("a webhook that fails is asked five times with growing waits, then the token is refused", async () => {
  const virtual = new TestClock();
  let tries = 0;
  const webhook = new TokenWebhook({ post: async () => { tries++; return { status: 500, body: "" }; }, clock: virtual, random: noChance }, ["us"]);
  const outcome = assert.rejects(webhook.review("x", ["us"]), /an error on the server \(""\) has prevented the request from succeeding/);
  await settle();
  await virtual.advance(10_000);
  await outcome;
  assert.equal(tries, 5);
});
