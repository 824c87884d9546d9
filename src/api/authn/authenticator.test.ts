import assert from "node:assert/strict";
import { test } from "node:test";
import { isApiError } from "../../base/api-error.ts";
import type { Authorizer, RequestAttributes, User } from "../context.ts";
import type { HttpRequest, Peer } from "../http.ts";
import { anonymous, createAuthenticator, expiryWarning } from "./authenticator.ts";
import { impersonate as impersonateAs, LastWays } from "./impersonation.ts";

const impersonate = async (user: User, headers: HttpRequest["headers"], authorizer: Authorizer, request: RequestAttributes, last = new LastWays()): Promise<User> => (await impersonateAs(user, headers, authorizer, request, last)).user;
const authenticator = createAuthenticator({
  review: token => (token === "good" ? { authenticated: true, audiences: [], user: { name: "token-user", uid: "", groups: [], extra: {} } } : { authenticated: false }),
  frontProxyNames: ["front-proxy-client"],
});
const request = (headers: HttpRequest["headers"], peer: Partial<Peer> = {}, target = "/api/v1/pods", upgrade = false): HttpRequest =>
  ({ method: "GET", target, headers, body: async () => new Uint8Array(), peer: { address: "192.0.2.7", ...peer }, upgrade, signal: new AbortController().signal });
const certificate = (ca: "client" | "front-proxy", commonName: string, ...organizations: string[]): Partial<Peer> =>
  ({ certificate: { ca, commonName, organizations, fingerprint: "abcd", notAfterMs: 0 } });
const named = async (request: HttpRequest): Promise<string | undefined> => (await authenticator.authenticate(request))?.name;

test("a client certificate names the user and its groups", async () => {
  assert.deepEqual(await authenticator.authenticate(request({}, certificate("client", "alice", "dev", "ops"))), {
    name: "alice", uid: "", groups: ["dev", "ops", "system:authenticated"], extra: { "authentication.kubernetes.io/credential-id": ["X509SHA256=abcd"] },
  });
});

test("without credentials one is nobody, everywhere or where the administrator says", async () => {
  const named = createAuthenticator({ review: () => ({ authenticated: false }), frontProxyNames: [], anonymous: { enabled: true, conditions: [{ path: "/livez" }, { path: "/version" }] } });
  const none = createAuthenticator({ review: () => ({ authenticated: false }), frontProxyNames: [], anonymous: { enabled: false } });
  for (const path of ["/livez", "/livez?verbose", "/version"]) assert.deepEqual([await named.authenticate(request({}, {}, path)), await authenticator.authenticate(request({}, {}, path)), await none.authenticate(request({}, {}, path))], [anonymous, anonymous, undefined], path);
  for (const path of ["/", "/api", "/metrics", "/livez/ping", "/livez/../api", "/version/", "/%6civez", "//livez", "/.well-known/openid-configuration", "/api/v1/namespaces/kube-public/configmaps/cluster-info"])
    assert.deepEqual([await named.authenticate(request({}, {}, path)), await authenticator.authenticate(request({}, {}, path))], [undefined, anonymous], path);
});

test("what a certificate says of its user's uid counts", async () => {
  assert.equal((await authenticator.authenticate(request({}, { certificate: { ca: "client", commonName: "alice", organizations: [], uid: "7", fingerprint: "", notAfterMs: 0 } })))?.uid, "7");
});

test("credentials that do not hold are refused even where none are needed", async () => {
  for (const refused of [
    request({ authorization: "Bearer bad" }, {}, "/livez"), request({}, { badCertificate: "CERT_HAS_EXPIRED" }, "/livez"), request({}, certificate("front-proxy", "front-proxy-client"), "/livez"),
    request({}, certificate("client", ""), "/livez"), request({ "sec-websocket-protocol": "base64url.bearer.authorization.k8s.io.!!!" }, {}, "/livez", true),
  ]) assert.equal(await authenticator.authenticate(refused), undefined);
});

test("a good token stands in for a certificate that does not verify", async () => {
  assert.equal(await named(request({ authorization: "Bearer good" }, { badCertificate: "CERT_HAS_EXPIRED" })), "token-user");
});

test("the Bearer scheme is read as upstream reads it", async () => {
  for (const [header, name] of [["Bearer good", "token-user"], ["bearer good", "token-user"], ["BEARER good", "token-user"], ["  Bearer good ", "token-user"], ["Bearer  good", anonymous.name], ["Basic Z29vZA==", anonymous.name], ["good", anonymous.name], ["Bearer", anonymous.name]] as const)
    assert.equal(await named(request({ authorization: header })), name, header);
  const warnings: string[] = [];
  await authenticator.authenticate(request({ authorization: "Bearer  good" }), { warn: text => void warnings.push(text), annotate() {} });
  assert.deepEqual(warnings, ["the provided Authorization header contains extra space before the bearer token, and is ignored"]);
});

test("a token in a WebSocket's protocols counts on upgrades only, and only one", async () => {
  const protocol = "base64url.bearer.authorization.k8s.io.Z29vZA";
  assert.equal(await named(request({ "sec-websocket-protocol": `${protocol}, v5.channel.k8s.io` }, {}, "/x", true)), "token-user");
  assert.equal(await named(request({ "sec-websocket-protocol": protocol }, {}, "/x", false)), anonymous.name);
  assert.equal(await named(request({ "sec-websocket-protocol": `${protocol}, ${protocol}` }, {}, "/x", true)), undefined);
});

const remote = { "x-remote-user": "bob", "x-remote-group": ["dev", "ops"], "x-remote-uid": "7", "x-remote-extra-acme.com%2fteam": ["a", "b"] };

test("X-Remote headers are believed from the front proxy's certificate", async () => {
  assert.deepEqual(await authenticator.authenticate(request(remote, certificate("front-proxy", "front-proxy-client"))), {
    name: "bob", uid: "7", groups: ["dev", "ops", "system:authenticated"], extra: { "acme.com/team": ["a", "b"] },
  });
});

test("X-Remote headers from anybody else say nothing", async () => {
  assert.equal(await named(request(remote)), anonymous.name);
  assert.equal(await named(request(remote, certificate("client", "alice"))), "alice");
  assert.equal(await named(request(remote, certificate("client", "front-proxy-client"))), "front-proxy-client");
  assert.equal(await named(request(remote, certificate("front-proxy", "somebody"))), undefined);
  assert.equal(await named(request({ ...remote, authorization: "Bearer good" })), "token-user");
  assert.equal(await named(request(remote, { badCertificate: "x" })), undefined);
});

const alice: User = { name: "alice", uid: "", groups: ["system:authenticated"], extra: {} };
/** Allows what the list says: `users/bob`, `groups/dev`, `uids/7`, `userextras/team/a`, `serviceaccounts/ns/name`. */
const reading: RequestAttributes = { verb: "get", group: "", version: "v1", resource: "pods", subresource: "", namespace: "default", name: "web", path: "", resourceRequest: true };
function allowing(...list: string[]): Authorizer & { asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    authorize(user: User, { verb, group, resource, subresource, namespace, name }: RequestAttributes) {
      const text = [group, resource, subresource, namespace, name].filter(Boolean).join("/");
      asked.push(text);
      return { allowed: user === alice && verb === "impersonate" && list.includes(text) };
    },
    rules: () => ({ resourceRules: [], nonResourceRules: [], incomplete: false }),
  };
}

test("every value of an impersonation is authorized on its own", async () => {
  const headers = { "impersonate-user": "bob", "impersonate-group": ["dev", "ops"], "impersonate-uid": "7", "impersonate-extra-team": ["a", "b"], "impersonate-extra-scope%2fx": "y" };
  const needed = ["users/bob", "groups/dev", "groups/ops", "authentication.k8s.io/userextras/team/a", "authentication.k8s.io/userextras/team/b", "authentication.k8s.io/userextras/scope/x/y", "authentication.k8s.io/uids/7"];
  assert.deepEqual(await impersonate(alice, headers, allowing(...needed), reading), { name: "bob", uid: "7", groups: ["dev", "ops", "system:authenticated"], extra: { team: ["a", "b"], "scope/x": ["y"] } });
  for (const missing of needed)
    await assert.rejects(impersonate(alice, headers, allowing(...needed.filter(item => item !== missing)), reading), error => isApiError(error, "Forbidden"), missing);
});

test("a refusal to impersonate reads as upstream's", async () => {
  await assert.rejects(impersonate(alice, { "impersonate-user": "bob" }, allowing(), reading), { message: 'pods "web" is forbidden: User "alice" cannot impersonate-on:user-info:get resource "pods" in API group "" in the namespace "default"' });
});

test("a service account is impersonated as one, with its groups", async () => {
  const authorizer = allowing("serviceaccounts/shop/web");
  assert.deepEqual((await impersonate(alice, { "impersonate-user": "system:serviceaccount:shop:web" }, authorizer, reading)).groups, ["system:serviceaccounts", "system:serviceaccounts:shop", "system:authenticated"]);
  await assert.rejects(impersonate(alice, { "impersonate-user": "system:serviceaccount:shop:web:x" }, authorizer, reading), error => isApiError(error, "Forbidden"));
});

test("nobody becomes somebody by impersonating anonymous, and nothing is impersonated without a user", async () => {
  assert.deepEqual((await impersonate(alice, { "impersonate-user": "system:anonymous" }, allowing("users/system:anonymous"), reading)).groups, ["system:unauthenticated"]);
  assert.equal(await impersonate(alice, {}, allowing(), reading), alice);
  await assert.rejects(impersonate(alice, { "impersonate-group": "system:masters" }, allowing("groups/system:masters"), reading), error => isApiError(error, "BadRequest"));
});

test("whoever comes with a certificate in its last 60 days is told", () => {
  const day = 86_400_000;
  const peer = (notAfterMs: number): Peer => ({ address: "192.0.2.7", certificate: { ca: "client", commonName: "kubernetes-admin", organizations: [], fingerprint: "", notAfterMs } });
  assert.equal(expiryWarning({ address: "192.0.2.7" }, 0), undefined);
  assert.equal(expiryWarning(peer(60 * day), 0), undefined);
  assert.equal(expiryWarning(peer(59 * day), 0), 'the client certificate of kubernetes-admin expires on 1970-03-01; "timonier up" renews the one in the kubeconfig');
});

/** Allows `verb what`, for anybody. */
function constrainedTo(...list: string[]): Authorizer {
  return { authorize: (_, { verb, group, resource, subresource, namespace, name }) => ({ allowed: list.includes(`${verb} ${[group, resource, subresource, namespace, name].filter(Boolean).join("/")}`) }), rules: () => ({ resourceRules: [], nonResourceRules: [], incomplete: false }) };
}
const account: User = { name: "system:serviceaccount:shop:web", uid: "", groups: ["system:serviceaccounts"], extra: { "authentication.kubernetes.io/node-name": ["a"] } };
const on = (mode: string): string => `impersonate-on:${mode}:get pods/default/web`;

for (const [name, user, headers, allowed, groups] of [
  ["somebody for one sort of request", alice, { "impersonate-user": "bob", "impersonate-group": "dev" }, [on("user-info"), "impersonate:user-info authentication.k8s.io/users/bob", "impersonate:user-info authentication.k8s.io/groups/dev"], ["dev", "system:authenticated"]],
  ["many groups by one permission", alice, { "impersonate-user": "bob", "impersonate-group": ["a", "b", "c", "d"] }, [on("user-info"), "impersonate:user-info authentication.k8s.io/users/bob", "impersonate:user-info authentication.k8s.io/groups/*"], ["a", "b", "c", "d", "system:authenticated"]],
  ["a service account", alice, { "impersonate-user": account.name }, [on("serviceaccount"), "impersonate:serviceaccount authentication.k8s.io/serviceaccounts/shop/web"], ["system:serviceaccounts", "system:serviceaccounts:shop", "system:authenticated"]],
  ["any node", alice, { "impersonate-user": "system:node:b" }, [on("arbitrary-node"), "impersonate:arbitrary-node authentication.k8s.io/nodes/b"], ["system:nodes", "system:authenticated"]],
  ["the node it runs on", account, { "impersonate-user": "system:node:a" }, [on("associated-node"), "impersonate:associated-node authentication.k8s.io/nodes/*"], ["system:nodes", "system:authenticated"]],
  ["not another node", account, { "impersonate-user": "system:node:b" }, [on("associated-node"), "impersonate:associated-node authentication.k8s.io/nodes/*"], 'cannot impersonate-on:arbitrary-node:get resource "pods"'],
  ["not for another sort of request", alice, { "impersonate-user": "bob" }, ["impersonate-on:user-info:list pods/default/web", "impersonate:user-info authentication.k8s.io/users/bob"], 'cannot impersonate-on:user-info:get resource "pods"'],
  ["not a node as if it were a user", alice, { "impersonate-user": "system:node:b" }, [on("user-info"), "impersonate:user-info authentication.k8s.io/users/system:node:b"], 'cannot impersonate-on:arbitrary-node:get resource "pods"'],
  ["extras by keys with a domain", alice, { "impersonate-user": "bob", "impersonate-extra-acme.com%2fteam": "a" }, [on("user-info"), "impersonate:user-info authentication.k8s.io/users/bob", "impersonate:user-info authentication.k8s.io/userextras/acme.com/team/a"], ["system:authenticated"]],
  ["many extras by one permission", alice, { "impersonate-user": "bob", "impersonate-extra-acme.com%2fteam": ["a", "b", "c", "d"] }, [on("user-info"), "impersonate:user-info authentication.k8s.io/users/bob", "impersonate:user-info authentication.k8s.io/userextras/*/*"], ["system:authenticated"]],
  ["no service account of a name that none has", alice, { "impersonate-user": "system:serviceaccount:NS:sa" }, [on("user-info"), "impersonate:user-info authentication.k8s.io/users/system:serviceaccount:NS:sa"], ["system:authenticated"]],
  ["never system:masters", alice, { "impersonate-user": "bob", "impersonate-group": "system:masters" }, [on("user-info"), "impersonate:user-info authentication.k8s.io/users/bob", "impersonate:user-info authentication.k8s.io/groups/system:masters"], "impersonating the system:masters group is not allowed"],
] as const) test(`constrained impersonation: ${name}`, async () => {
  const attempt = (): Promise<User> => impersonate(user, headers, constrainedTo(...allowed), reading);
  if (typeof groups === "string") await assert.rejects(attempt, error => isApiError(error, "Forbidden") && error.message.includes(groups));
  else assert.deepEqual((await attempt()).groups, groups);
});

test("the way that last went well is tried first, and its refusal is told", async () => {
  const last = new LastWays();
  const constraintOf = async (headers: HttpRequest["headers"], ...allowed: string[]): Promise<string | undefined> => (await impersonateAs(alice, headers, constrainedTo(...allowed), reading, last)).constraint;
  assert.equal(await constraintOf({ "impersonate-user": "bob" }, on("user-info"), "impersonate:user-info authentication.k8s.io/users/bob"), "impersonate:user-info");
  // A key without a domain is for the old way alone.
  assert.equal(await constraintOf({ "impersonate-user": "bob", "impersonate-extra-team": "a" }, on("user-info"), "impersonate:user-info authentication.k8s.io/users/bob", "impersonate users/bob", "impersonate authentication.k8s.io/userextras/team/a"), undefined);
  await assert.rejects(impersonateAs(alice, { "impersonate-user": "carl" }, constrainedTo(), reading, last), { message: 'users "carl" is forbidden: User "alice" cannot impersonate resource "users" in API group "" at the cluster scope' });
});
