import assert from "node:assert/strict";
import { test } from "node:test";
import { forOwnAudiences } from "./token-chain.ts";
import type { Reader } from "../context.ts";
import { isBootstrapToken, reviewBootstrapToken } from "./bootstrap-token.ts";

const now = Date.UTC(2026, 10, 20);
const token = "abcdef.0123456789abcdef";
const good = { "token-id": "abcdef", "token-secret": "0123456789abcdef", "usage-bootstrap-authentication": "true", expiration: "2026-11-21T00:00:00Z", "auth-extra-groups": "system:bootstrappers:worker,system:bootstrappers:a:b" };

function review(data: { [field: string]: string }, given = token, more: object = {}) {
  const secret = { metadata: {}, type: "bootstrap.kubernetes.io/token", data: Object.fromEntries(Object.entries(data).map(([name, value]) => [name, Buffer.from(value).toString("base64")])), ...more };
  const read: Reader = { get: (_, resource, namespace, name) => (`${resource}/${namespace}/${name}` === "secrets/kube-system/bootstrap-token-abcdef" ? secret : undefined), list: () => [] };
  return reviewBootstrapToken(given, read, now);
}

test("a bootstrap token is its own user in the bootstrappers' groups", () => {
  assert.deepEqual(review(good), { authenticated: true, audiences: [], user: { name: "system:bootstrap:abcdef", uid: "", groups: ["system:bootstrappers", "system:bootstrappers:a:b", "system:bootstrappers:worker", "system:authenticated"], extra: {} } });
  assert.equal(review({ ...good, expiration: "" }).authenticated, true);
});

test("everything else is refused, without saying why", () => {
  const refused = { authenticated: false, error: "invalid bearer token" };
  for (const given of ["abcdef.0123456789abcdeF", "abcdef.0123456789abcdee", "abcdef.0123456789abcde", "abcdee.0123456789abcdef", "abcdef", "abcdef.", ".", "", "abcdef.0123456789abcdef0", "__prot.o__0123456789abcd"]) assert.deepEqual(review(good, given), refused, given);
  for (const change of [
    { "token-id": "other0" }, { "token-secret": "" }, { "token-secret": "0123456789abcdef0123456789abcdef" }, { "usage-bootstrap-authentication": "false" }, { "usage-bootstrap-authentication": "" }, { expiration: "2026-11-19T00:00:00Z" }, { expiration: "soon" },
    { "auth-extra-groups": "system:masters" }, { "auth-extra-groups": "system:bootstrappers:ok,system:masters" }, { "auth-extra-groups": "system:bootstrappers:-" },
  ]) assert.deepEqual(review({ ...good, ...change }), refused, JSON.stringify(change));
  assert.deepEqual(review(good, token, { type: "Opaque" }), refused);
  assert.deepEqual(review(good, token, { metadata: { deletionTimestamp: "2026-11-20T00:00:00Z" } }), refused);
});

test("only its form makes a token a bootstrap token", () => {
  assert.deepEqual([token, "eyJhbGciOiJFUzI1NiJ9.e30.x", "abcdef.0123456789abcde"].map(isBootstrapToken), [true, false, false]);
});

test("a joining machine's token is for the API server alone", () => {
  const good = { authenticated: true, user: { name: "system:bootstrap:abcdef", uid: "", groups: [], extra: {} }, audiences: [] } as const;
  assert.deepEqual([[], ["us", "x"], ["x"]].map(wanted => { const verdict = forOwnAudiences(good, wanted, ["us"]); return verdict.authenticated ? verdict.audiences : verdict.error; }), [["us"], ["us"], "invalid bearer token"]);
});
