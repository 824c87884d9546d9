import assert from "node:assert/strict";
import { createHmac, generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import { test } from "node:test";
import { isApiError } from "../../base/api-error.ts";
import type { Random } from "../../base/random.ts";
import { signingKey } from "../../host/jwt.ts";
import type { HttpRequest } from "../http.ts";
import type { Reader } from "../context.ts";
import { createAuthenticator } from "./authenticator.ts";
import { peekIssuer, tokenCharsMax } from "./jwt.ts";
import { issuer, ServiceAccountTokens } from "./service-account-token.ts";
import { createTokenIssuer } from "./token-issuer.ts";

const start = 1_800_000_000_000;
const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" });
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const key = signingKey(pair.privateKey);
const random: Random = { next: () => 0.5, uuid: () => "11111111-1111-4111-8111-111111111111", bytes: length => new Uint8Array(length) };

/** A small world of objects, a clock and the server's own token code. */
function world() {
  const objects = new Map<string, any>([
    ["serviceaccounts/shop/web", { metadata: { uid: "sa-1" } }],
    ["pods/shop/web-1", { metadata: { uid: "pod-1" }, spec: { serviceAccountName: "web", nodeName: "node-a" } }],
    ["pods/shop/other", { metadata: { uid: "pod-2" }, spec: { serviceAccountName: "other" } }],
    ["secrets/shop/s", { metadata: { uid: "secret-1" } }],
    ["nodes//node-a", { metadata: { uid: "node-1" } }],
  ]);
  const time = { now: start };
  const read: Reader = { get: (_, resource, namespace, name) => objects.get(`${resource}/${namespace}/${name}`), list: () => [] };
  const keys = [key, signingKey(rsa.privateKey)] as const;
  const tokens = new ServiceAccountTokens({ keys: () => keys, read, now: () => time.now, audiences: [issuer] });
  const tokenIssuer = createTokenIssuer({ address: "192.0.2.7:6443", keys: () => keys, now: () => time.now, random, audiences: [issuer] });
  const account = { namespace: "shop", name: "web", uid: "sa-1" };
  return {
    objects, time, tokens, tokenIssuer, account, read,
    async token(spec: object = {}): Promise<string> {
      const answer: any = await tokenIssuer.issue(account, { spec: { expirationSeconds: 3600, audiences: [], ...spec } }, read);
      return answer.request.status.token;
    },
  };
}

const part = (value: unknown): string => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
const header = { alg: "ES256", kid: key.kid };
const seconds = start / 1000;
const claims = {
  aud: [issuer], exp: seconds + 3600, iat: seconds, iss: issuer, jti: "id", nbf: seconds, sub: "system:serviceaccount:shop:web",
  "kubernetes.io": { namespace: "shop", serviceaccount: { name: "web", uid: "sa-1" } },
};
function signed(head: unknown, body: unknown, privateKey: KeyObject = pair.privateKey): string {
  const input = `${part(head)}.${part(body)}`;
  return `${input}.${sign("sha256", Buffer.from(input), { key: privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
}
const spkiPem = pair.publicKey.export({ type: "spki", format: "pem" }) as string;
function hmac(alg: string, secret: string | Buffer, head: object = header): string {
  const input = `${part({ ...head, alg })}.${part(claims)}`;
  return `${input}.${createHmac(alg.replace("HS", "sha"), secret).update(input).digest("base64url")}`;
}
const good = signed(header, claims);
const [goodHead, goodBody, goodTail] = good.split(".") as [string, string, string];
const derTail = sign("sha256", Buffer.from(`${goodHead}.${goodBody}`), pair.privateKey).toString("base64url");
const kubernetes = (more: object): object => ({ ...claims, "kubernetes.io": { ...claims["kubernetes.io"], ...more } });
/** The last character's unused bits changed: decodes to the same bytes. */
const strayBits = (text: string): string => text.slice(0, -1) + "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"["ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".indexOf(text.at(-1)!) ^ 1]!;

const forged: { readonly [what: string]: string } = {
  "empty": "", "one part": goodHead, "two parts": `${goodHead}.${goodBody}`, "four parts": `${good}.x`, "five parts, as an encrypted token has": `${good}.x.y`,
  "only dots": "..", "no signature": `${goodHead}.${goodBody}.`, "no header": `.${goodBody}.${goodTail}`, "no payload": `${goodHead}..${goodTail}`,
  "JSON serialization": JSON.stringify({ payload: goodBody, protected: goodHead, signature: goodTail }),
  "too long": `${good}${"A".repeat(tokenCharsMax)}`, "blank inside": good.replace(".", " ."), "newline at the end": `${good}\n`,
  "padded header": `${goodHead}=.${goodBody}.${goodTail}`, "padded signature": `${good}==`, "standard alphabet": good.replaceAll("-", "+").replaceAll("_", "/") + "+", "stray bits in the signature": strayBits(good),
  "alg none": `${part({ ...header, alg: "none" })}.${goodBody}.`, "alg none with a signature": `${part({ ...header, alg: "none" })}.${goodBody}.${goodTail}`,
  "alg None": signed({ ...header, alg: "None" }, claims), "alg missing": signed({ kid: key.kid }, claims), "alg null": signed({ ...header, alg: null }, claims), "alg a list": signed({ ...header, alg: ["ES256"] }, claims),
  "HS256 with the public key's PEM": hmac("HS256", spkiPem), "HS256 with the public key's DER": hmac("HS256", pair.publicKey.export({ type: "spki", format: "der" })), "HS384": hmac("HS384", spkiPem), "HS512": hmac("HS512", spkiPem), "HS256 with an empty secret": hmac("HS256", ""),
  "RS256 said, ES256 key": signed({ ...header, alg: "RS256" }, claims), "ES384 said": signed({ ...header, alg: "ES384" }, claims), "PS256 said": signed({ ...header, alg: "PS256" }, claims), "EdDSA said": signed({ ...header, alg: "EdDSA" }, claims), "es256 in small letters": signed({ ...header, alg: "es256" }, claims),
  "another key's signature": signed(header, claims, stranger.privateKey), "another key's kid": signed({ ...header, kid: signingKey(rsa.privateKey).kid }, claims), "the other key's algorithm and kid, this key's signature": signed({ alg: "RS256", kid: signingKey(rsa.privateKey).kid }, claims),
  "unknown kid": signed({ ...header, kid: "nobody" }, claims), "no kid": signed({ alg: "ES256" }, claims), "kid __proto__": signed({ ...header, kid: "__proto__" }, claims), "kid a path": signed({ ...header, kid: "../../dev/null" }, claims), "kid a number": signed({ ...header, kid: 1 }, claims), "kid null": signed({ ...header, kid: null }, claims),
  "embedded jwk": signed({ ...header, jwk: stranger.publicKey.export({ format: "jwk" }) }, claims, stranger.privateKey), "embedded jwk, right signature": signed({ ...header, jwk: {} }, claims), "jku": signed({ ...header, jku: "https://evil.example/jwks" }, claims), "x5u": signed({ ...header, x5u: "https://evil.example/cert" }, claims), "x5c": signed({ ...header, x5c: ["MII"] }, claims), "x5t": signed({ ...header, x5t: "AA" }, claims),
  "unknown crit": signed({ ...header, crit: ["exp"], exp: 1 }, claims), "empty crit": signed({ ...header, crit: [] }, claims), "b64 false": signed({ ...header, b64: false, crit: ["b64"] }, claims), "zip": signed({ ...header, zip: "DEF" }, claims), "enc": signed({ ...header, enc: "A128GCM" }, claims), "nested, cty JWT": signed({ ...header, cty: "JWT" }, claims), "typ of another use": signed({ ...header, typ: "at+jwt" }, claims),
  "header a list": signed([header], claims), "header a string": signed('"x"', claims), "header not JSON": signed("{", claims), "header not UTF-8": `${Buffer.from([0xff, 0xfe]).toString("base64url")}.${goodBody}.${goodTail}`, "duplicate alg": signed(`{"alg":"none","alg":"ES256","kid":${JSON.stringify(key.kid)}}`, claims), "byte order mark": signed(`\ufeff${JSON.stringify(header)}`, claims), "deep header": signed(`{"alg":${"[".repeat(3000)}${"]".repeat(3000)}}`, claims),
  "changed payload": `${goodHead}.${part({ ...claims, sub: "system:serviceaccount:kube-system:admin" })}.${goodTail}`, "changed header, same meaning": `${part({ kid: key.kid, alg: "ES256" })}.${goodBody}.${goodTail}`, "DER signature": `${goodHead}.${goodBody}.${derTail}`, "zero signature": `${goodHead}.${goodBody}.${Buffer.alloc(64).toString("base64url")}`, "short signature": `${goodHead}.${goodBody}.${goodTail.slice(0, 40)}`, "long signature": `${goodHead}.${goodBody}.${goodTail}AAAA`, "signature of another token": `${goodHead}.${goodBody}.${signed(header, { ...claims, jti: "x" }).split(".")[2]}`,
  "payload a list": signed(header, [claims]), "payload null": signed(header, "null"), "payload not JSON": signed(header, "{]"), "duplicate claim": signed(header, JSON.stringify(claims).replace("{", '{"sub":"x",')),
  "no issuer": signed(header, { ...claims, iss: undefined }), "another issuer": signed(header, { ...claims, iss: "https://evil.example" }), "issuer with a slash": signed(header, { ...claims, iss: `${issuer}/` }), "legacy issuer": signed(header, { ...claims, iss: "kubernetes/serviceaccount" }), "issued in the future": signed(header, { ...claims, iat: seconds + 61 }), "issuer a list": signed(header, { ...claims, iss: [issuer] }),
  "no audience": signed(header, { ...claims, aud: undefined }), "empty audience": signed(header, { ...claims, aud: [] }), "another audience": signed(header, { ...claims, aud: ["vault"] }), "audience with numbers": signed(header, { ...claims, aud: [1, issuer] }), "audience an object": signed(header, { ...claims, aud: { [issuer]: true } }),
  "expired": signed(header, { ...claims, exp: seconds - 61 }), "no expiry": signed(header, { ...claims, exp: undefined }), "expiry a string": signed(header, { ...claims, exp: String(seconds + 99) }), "expiry null": signed(header, { ...claims, exp: null }), "expiry huge": signed(header, JSON.stringify(claims).replace(/"exp":\d+/, '"exp":1e999')), "not yet valid": signed(header, { ...claims, nbf: seconds + 61 }), "nbf a string": signed(header, { ...claims, nbf: "0" }),
  "no private claims": signed(header, { ...claims, "kubernetes.io": undefined }), "no namespace": signed(header, kubernetes({ namespace: undefined })), "no account": signed(header, kubernetes({ serviceaccount: undefined })), "no uid": signed(header, kubernetes({ serviceaccount: { name: "web" } })), "empty uid": signed(header, kubernetes({ serviceaccount: { name: "web", uid: "" } })), "wrong uid": signed(header, kubernetes({ serviceaccount: { name: "web", uid: "sa-0" } })), "unknown account": signed(header, { ...kubernetes({ serviceaccount: { name: "ghost", uid: "sa-1" } }), sub: "system:serviceaccount:shop:ghost" }),
  "subject of another account": signed(header, { ...claims, sub: "system:serviceaccount:kube-system:admin" }), "no subject": signed(header, { ...claims, sub: undefined }),
  "wrong pod uid": signed(header, kubernetes({ pod: { name: "web-1", uid: "pod-0" } })), "unknown pod": signed(header, kubernetes({ pod: { name: "ghost", uid: "pod-1" } })), "malformed pod": signed(header, kubernetes({ pod: "web-1" })), "pod null": signed(header, kubernetes({ pod: null })), "wrong secret uid": signed(header, kubernetes({ secret: { name: "s", uid: "x" } })), "unknown node": signed(header, kubernetes({ node: { name: "ghost", uid: "node-1" } })), "wrong node uid": signed(header, kubernetes({ node: { name: "node-a", uid: "x" } })),
};

const request = (headers: HttpRequest["headers"], more: Partial<HttpRequest> = {}): HttpRequest =>
  ({ method: "GET", target: "/api", headers, body: async () => new Uint8Array(), peer: { address: "192.0.2.7" }, upgrade: false, signal: new AbortController().signal, ...more });

test(`P24: ${Object.keys(forged).length} forged and malformed tokens are refused at every entry`, async () => {
  assert.ok(Object.keys(forged).length >= 60);
  const { tokens } = world();
  assert.equal(tokens.review(good).authenticated, true, "the vectors differ from a good token in one thing");
  const authenticator = createAuthenticator({ review: (token, audiences) => tokens.review(token, audiences), frontProxyNames: [] });
  for (const [what, token] of Object.entries(forged)) {
    assert.equal(tokens.review(token).authenticated, false, what);
    assert.equal((await authenticator.reviewToken(token, [])).authenticated, false, `TokenReview: ${what}`);
    // HTTP itself takes white space off the end of a header.
    if (token === token.trimEnd()) assert.equal((await authenticator.authenticate(request({ authorization: `Bearer ${token}` })))?.name, token === "" ? "system:anonymous" : undefined, `header: ${what}`);
    const protocol = `base64url.bearer.authorization.k8s.io.${Buffer.from(token).toString("base64url")}`;
    assert.equal(await authenticator.authenticate(request({ "sec-websocket-protocol": `v5.channel.k8s.io, ${protocol}` }, { upgrade: true })), undefined, `WebSocket: ${what}`);
  }
});

test("every single bit flipped in a token makes it invalid", () => {
  const { tokens } = world();
  for (let i = 0; i < good.length; i++) {
    const flipped = good.slice(0, i) + String.fromCharCode(good.charCodeAt(i) ^ 1) + good.slice(i + 1);
    assert.equal(tokens.review(flipped).authenticated, false, `character ${i}`);
  }
});

test("an issued token authenticates as its service account, with pod and node in extra", async () => {
  const { tokens, token } = world();
  assert.deepEqual(tokens.review(await token({ boundObjectRef: { apiVersion: "v1", kind: "Pod", name: "web-1" } })), {
    authenticated: true, audiences: [issuer],
    user: {
      name: "system:serviceaccount:shop:web", uid: "sa-1", groups: ["system:serviceaccounts", "system:serviceaccounts:shop", "system:authenticated"],
      extra: {
        "authentication.kubernetes.io/credential-id": ["JTI=11111111-1111-4111-8111-111111111111"], "authentication.kubernetes.io/node-name": ["node-a"], "authentication.kubernetes.io/node-uid": ["node-1"],
        "authentication.kubernetes.io/pod-name": ["web-1"], "authentication.kubernetes.io/pod-uid": ["pod-1"],
      },
    },
  });
});

test("a token dies at once with its account, its pod, its secret or its node, or when another takes the name", async () => {
  const bound: [string, object, string][] = [
    ["serviceaccounts/shop/web", {}, "serviceaccounts \"web\" not found"],
    ["pods/shop/web-1", { boundObjectRef: { apiVersion: "v1", kind: "Pod", name: "web-1" } }, "service account token has been invalidated"],
    ["secrets/shop/s", { boundObjectRef: { apiVersion: "v1", kind: "Secret", name: "s" } }, "service account token has been invalidated"],
    ["nodes//node-a", { boundObjectRef: { apiVersion: "v1", kind: "Node", name: "node-a" } }, "service account token has been invalidated"],
  ];
  for (const [path, spec, error] of bound) {
    const { objects, token, tokens, time } = world();
    const one = await token(spec);
    assert.equal(tokens.review(one).authenticated, true);
    const before = objects.get(path);
    objects.set(path, { ...before, metadata: { ...before.metadata, uid: "another" } });
    assert.equal(tokens.review(one).authenticated, false, path);
    objects.set(path, { ...before, metadata: { ...before.metadata, deletionTimestamp: new Date(start).toISOString() } });
    assert.equal(tokens.review(one).authenticated, true, "being deleted still counts for a minute");
    time.now = start + 61_000;
    assert.equal(tokens.review(one).authenticated, false, path);
    objects.delete(path);
    assert.deepEqual(tokens.review(one), { authenticated: false, error: `[invalid bearer token, ${error}]` });
  }
});

test("a token ends when its time is over", async () => {
  const { token, tokens, time } = world();
  const one = await token({ expirationSeconds: 600 });
  time.now = start + 660_000;
  assert.equal(tokens.review(one).authenticated, true, "clocks may differ by a minute");
  time.now = start + 661_000;
  assert.deepEqual(tokens.review(one), { authenticated: false, error: "[invalid bearer token, service account token has expired]" });
});

test("a token for another audience is good there and nowhere else", async () => {
  const { token, tokens } = world();
  const one = await token({ audiences: ["vault", "ci"] });
  assert.equal(tokens.review(one).authenticated, false);
  const verdict = tokens.review(one, ["ci", "other"]);
  assert.deepEqual(verdict.authenticated && verdict.audiences, ["ci"]);
});

test("an RSA key signs RS256 and its tokens verify beside the other key's", async () => {
  const { tokens, account, read } = world();
  const rsaIssuer = createTokenIssuer({ address: "192.0.2.7:6443", keys: () => [signingKey(rsa.privateKey)], now: () => start, random, audiences: [issuer] });
  const { request: answer }: any = await rsaIssuer.issue(account, { spec: { expirationSeconds: 600 } }, read);
  assert.equal(JSON.parse(Buffer.from(answer.status.token.split(".")[0], "base64url").toString()).alg, "RS256");
  assert.equal(tokens.review(answer.status.token).authenticated, true);
});

test("TokenRequest answers with the token, its end and the defaults it took", async () => {
  const { tokenIssuer, account, read } = world();
  const { request: answer, id }: any = await tokenIssuer.issue(account, { kind: "TokenRequest", metadata: { name: "web" }, spec: { expirationSeconds: 3600 } }, read);
  assert.equal(id, random.uuid());
  assert.deepEqual({ ...answer, status: { ...answer.status, token: "" } }, {
    kind: "TokenRequest", metadata: { name: "web", creationTimestamp: "2027-01-15T08:00:00Z" }, spec: { expirationSeconds: 3600, audiences: [issuer] },
    status: { expirationTimestamp: "2027-01-15T09:00:00Z", token: "" },
  });
  assert.equal(peekIssuer(answer.status.token), issuer);
});

test("TokenRequest refuses what upstream refuses, in its words", async () => {
  const { tokenIssuer, account, read } = world();
  const refused: [object, string, string][] = [
    [{ expirationSeconds: 599 }, "Invalid", 'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes'],
    [{ expirationSeconds: 2 ** 32 + 1 }, "Invalid", 'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 4294967297: may not specify a duration larger than 2^32 seconds'],
    [{ boundObjectRef: { apiVersion: "v1", kind: "ConfigMap", name: "x" } }, "BadRequest", "cannot bind token to object of type /v1, Kind=ConfigMap"],
    [{ boundObjectRef: { kind: "Pod" } }, "BadRequest", "Name parameter required."],
    [{ boundObjectRef: { apiVersion: "apps/v1", kind: "Pod", name: "x" } }, "BadRequest", "cannot bind token to object of type apps/v1, Kind=Pod"],
    [{ boundObjectRef: { apiVersion: "v1", kind: "Pod", name: "ghost" } }, "NotFound", 'pods "ghost" not found'],
    [{ boundObjectRef: { apiVersion: "v1", kind: "Pod", name: "other" } }, "BadRequest", 'cannot bind token for serviceaccount "web" to pod running with different serviceaccount name.'],
    [{ boundObjectRef: { apiVersion: "v1", kind: "Pod", name: "web-1", uid: "pod-0" } }, "Conflict", 'Operation cannot be fulfilled on Pod "web-1": the UID in the bound object reference (pod-0) does not match the UID in record. The object might have been deleted and then recreated'],
  ];
  for (const [spec, reason, message] of refused)
    await assert.rejects(tokenIssuer.issue(account, { spec: { expirationSeconds: 3600, ...spec } }, read), error => isApiError(error, reason as "Invalid") && error.message === message, message);
});

test("the discovery documents name the issuer, the algorithms and every public key, and no private one", () => {
  const { tokenIssuer } = world();
  assert.deepEqual(JSON.parse(tokenIssuer.configuration()), {
    issuer, jwks_uri: "https://192.0.2.7:6443/openid/v1/jwks", response_types_supported: ["id_token"], subject_types_supported: ["public"], id_token_signing_alg_values_supported: ["ES256", "RS256"],
  });
  const { keys } = JSON.parse(tokenIssuer.keys());
  assert.deepEqual(keys.map((jwk: any) => [jwk.kid, jwk.alg, jwk.use, jwk.d, jwk.p]), [[key.kid, "ES256", "sig", undefined, undefined], [signingKey(rsa.privateKey).kid, "RS256", "sig", undefined, undefined]]);
});

test("weak and foreign keys cannot sign tokens", () => {
  assert.throws(() => signingKey(generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey));
  assert.throws(() => signingKey(generateKeyPairSync("ec", { namedCurve: "secp256k1" }).privateKey));
  assert.throws(() => signingKey(generateKeyPairSync("ed25519").privateKey));
});

const [lastUsed, invalidSince] = ["kubernetes.io/legacy-token-last-used", "kubernetes.io/legacy-token-invalid-since"];
test("a token in a Secret is good as long as the Secret holds it and the account is there", () => {
  const { objects, tokens, tokenIssuer, account } = world();
  const one = tokenIssuer.legacy(account, "s");
  const secret = (token: string, labels: object = {}, more: object = {}): object => ({ metadata: { namespace: "shop", name: "s", uid: "secret-1", labels, ...more }, data: { token: Buffer.from(token).toString("base64") } });
  const told: string[] = [];
  const verdict = (audiences: readonly string[] = []): string => {
    told.length = 0;
    const answer = tokens.review(one, audiences, { warn: text => void told.push(text), annotate: (key, value) => void told.push(`${key.replace("authentication.k8s.io/", "")}=${value}`) });
    return answer.authenticated ? `${answer.user.name} ${answer.user.uid} ${JSON.stringify(answer.user.extra)}` : answer.error ?? "";
  };
  const refused = (why: string): string => `[invalid bearer token, ${why}]`;
  objects.set("secrets/shop/s", secret(one));
  assert.deepEqual([verdict(), told], ["system:serviceaccount:shop:web sa-1 {}", ["legacy-token=system:serviceaccount:shop:web", "legacy-token-manual-secret=s"]]);
  assert.equal(verdict(["vault"]), refused(`token audiences ["${issuer}"] is invalid for the target audiences ["vault"]`));
  objects.set("serviceaccounts/shop/web", { metadata: { uid: "sa-1" }, secrets: [{ name: "s" }] });
  assert.deepEqual([verdict(), told], ["system:serviceaccount:shop:web sa-1 {}", ["legacy-token=system:serviceaccount:shop:web", "Use tokens from the TokenRequest API or manually created secret-based tokens instead of auto-generated secret-based tokens.", "legacy-token-autogenerated-secret=s"]]);
  objects.set("secrets/shop/s", secret(one, { [lastUsed]: "2026-01-01", [invalidSince]: "2026-01-02" }));
  assert.match(verdict(), /^\[invalid bearer token, the token in secret shop\/s for service account shop\/web has been marked invalid\. /);
  assert.ok(told.includes("legacy-token-invalidated=s/shop"));
  objects.set("secrets/shop/s", secret(`${one}x`));
  assert.equal(verdict(), refused("Token does not match server's copy"));
  objects.set("secrets/shop/s", secret(one, {}, { deletionTimestamp: new Date(start).toISOString() }));
  assert.equal(verdict(), refused("Token has been invalidated"));
  objects.delete("secrets/shop/s");
  assert.equal(verdict(), refused("Token has been invalidated"));
  objects.set("secrets/shop/s", secret(one));
  objects.set("serviceaccounts/shop/web", { metadata: { uid: "sa-2" } });
  assert.equal(verdict(), refused("ServiceAccount UID (sa-2) does not match claim (sa-1)"));
  objects.delete("serviceaccounts/shop/web");
  assert.equal(verdict(), refused('serviceaccounts "web" not found'));
});

test("a pod's token for the API server lives a year if it was asked for as kubelet asks, and says when it is stale", async () => {
  const pod = { boundObjectRef: { apiVersion: "v1", kind: "Pod", name: "web-1" } };
  for (const [spec, isExtended] of [[{ expirationSeconds: 3607, ...pod }, true], [{ expirationSeconds: 3607, audiences: [issuer], ...pod }, true], [{ expirationSeconds: 3607, audiences: ["vault"], ...pod }, false], [{ expirationSeconds: 3600, ...pod }, false], [{ expirationSeconds: 3607 }, false]] as const) {
    const { token, tokens, time, account, read, tokenIssuer } = world();
    const one = await token(spec);
    const answer: any = await tokenIssuer.issue(account, { spec: { audiences: [], ...spec } }, read);
    assert.equal(answer.request.status.expirationTimestamp, new Date(start + spec.expirationSeconds * 1000).toISOString().replace(".000", ""), "the answer says what was asked for");
    time.now = start + 3_700_000;
    const told: string[] = [];
    assert.equal(tokens.review(one, "audiences" in spec ? spec.audiences : [], { warn() {}, annotate: (key, value) => void told.push(`${key}: ${value}`) }).authenticated, isExtended, JSON.stringify(spec));
    assert.deepEqual(told, isExtended ? ["authentication.k8s.io/stale-token: subject: system:serviceaccount:shop:web, seconds after warning threshold: 93"] : []);
  }
});
