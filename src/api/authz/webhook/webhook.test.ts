import assert from "node:assert/strict";
import { test } from "node:test";
import { bodyOf, countingRandom, type Harness, startHarness, TestClock } from "../../../../test/transcripts/harness.ts";
import { silent } from "../../../base/log.ts";
import type { Json } from "../../../base/json.ts";
import { celHost } from "../../../host/regex.ts";
import { celWith } from "../../cel-library.ts";
import type { Authorizer, Decision, RequestAttributes, User } from "../../context.ts";
import { authorizerChain, privileged } from "../authorizer.ts";
import { loadAuthorization } from "./load.ts";

const eve: User = { name: "eve", uid: "", groups: ["dev", "system:authenticated"], extra: {} };
const blank = { verb: "", group: "", version: "", resource: "", subresource: "", namespace: "", name: "", path: "", resourceRequest: true };
const getPod = { ...blank, verb: "get", version: "v1", resource: "pods", namespace: "x", name: "web" };
const webhook = { timeout: "3s", subjectAccessReviewVersion: "v1", failurePolicy: "NoOpinion", connectionInfo: { type: "KubeConfigFile", kubeConfigFile: "authz.kubeconfig" } };
const configured = (...authorizers: readonly object[]): Json => ({ apiVersion: "apiserver.config.k8s.io/v1", kind: "AuthorizationConfiguration", authorizers: authorizers as readonly Json[] });
const hook = (more: object = {}): object => ({ type: "Webhook", name: "hook", webhook: { ...webhook, ...more } });

type Answer = { readonly status?: object; readonly code?: number; readonly body?: string; readonly headers?: { readonly [name: string]: string } } | Error;
/** A webhook that answers by `answer` and keeps what it was asked. */
function served(answer: (spec: any, count: number) => Answer) {
  const asked: any[] = [];
  const clock = new TestClock();
  const connect = async () => async (text: string) => {
    const review = JSON.parse(text);
    asked.push(review);
    const said = answer(review.spec, asked.length);
    if (said instanceof Error) throw said;
    return { status: said.code ?? 201, body: said.body ?? JSON.stringify({ apiVersion: review.apiVersion, kind: "SubjectAccessReview", status: said.status }), headers: said.headers ?? {} };
  };
  const load = async (...authorizers: readonly object[]): Promise<Authorizer> => {
    const { order } = await loadAuthorization(configured(...authorizers), [], { clock, random: countingRandom(), log: silent, celHost, connect });
    return authorizerChain(privileged, ...order.map(each => (typeof each === "string" ? nobody : each)));
  };
  return { asked, clock, load };
}
const nobody: Authorizer = { authorize: () => ({ allowed: false, reason: "no rule" }), rules: () => ({ resourceRules: [], nonResourceRules: [], incomplete: false }) };

test("the webhook is asked with upstream's review, and its word decides", async () => {
  const { asked, load } = served(({ resourceAttributes, nonResourceAttributes }) => ({ status: nonResourceAttributes === undefined ? { allowed: resourceAttributes.verb !== "delete", ...(resourceAttributes.verb === "delete" ? { denied: true } : {}), reason: "said so" } : { allowed: false } }));
  const chain = await load(hook(), { type: "RBAC", name: "rbac" });
  const list: RequestAttributes = { ...blank, verb: "list", version: "v1", resource: "pods", fieldSelector: "spec.nodeName=a,metadata.name!=b", labelSelector: "app in (a,b),!x,n>3" };
  assert.deepEqual(await chain.authorize({ ...eve, uid: "7", extra: { b: ["2"], a: ["1", "3"] } }, list), { allowed: true, reason: "said so" });
  assert.deepEqual(await chain.authorize(eve, { ...getPod, verb: "delete" }), { allowed: false, denied: true, reason: "said so" });
  assert.deepEqual(await chain.authorize(eve, { ...blank, resourceRequest: false, verb: "get", path: "/metrics" }), { allowed: false, reason: "no rule" });
  assert.deepEqual(await chain.authorize({ ...eve, groups: ["system:masters"] }, getPod), { allowed: true });
  assert.deepEqual(asked.map(each => JSON.stringify(each)), [
    '{"kind":"SubjectAccessReview","apiVersion":"authorization.k8s.io/v1","metadata":{},"spec":{"resourceAttributes":{"verb":"list","version":"v1","resource":"pods","fieldSelector":{"requirements":[{"key":"metadata.name","operator":"NotIn","values":["b"]},{"key":"spec.nodeName","operator":"In","values":["a"]}]},"labelSelector":{"requirements":[{"key":"app","operator":"In","values":["a","b"]},{"key":"x","operator":"DoesNotExist"}]}},"user":"eve","groups":["dev","system:authenticated"],"extra":{"a":["1","3"],"b":["2"]},"uid":"7"},"status":{"allowed":false}}',
    '{"kind":"SubjectAccessReview","apiVersion":"authorization.k8s.io/v1","metadata":{},"spec":{"resourceAttributes":{"namespace":"x","verb":"delete","version":"v1","resource":"pods","name":"web"},"user":"eve","groups":["dev","system:authenticated"]},"status":{"allowed":false}}',
    '{"kind":"SubjectAccessReview","apiVersion":"authorization.k8s.io/v1","metadata":{},"spec":{"nonResourceAttributes":{"path":"/metrics","verb":"get"},"user":"eve","groups":["dev","system:authenticated"]},"status":{"allowed":false}}',
  ]);
  assert.deepEqual(chain.rules(eve, "x"), { resourceRules: [], nonResourceRules: [], incomplete: true, evaluationError: "webhook authorizer does not support user rule resolution" });
});

test("the older version calls groups otherwise", async () => {
  const { asked, load } = served(() => ({ status: { allowed: true } }));
  assert.deepEqual(await (await load(hook({ subjectAccessReviewVersion: "v1beta1" }))).authorize(eve, getPod), { allowed: true });
  assert.deepEqual([asked[0].apiVersion, asked[0].spec.group, asked[0].spec.groups], ["authorization.k8s.io/v1beta1", eve.groups, undefined]);
});

test("a yes holds five minutes, anything else 30 seconds, long questions not at all, and the same question is asked once at a time", async () => {
  const { asked, clock, load } = served(({ user }) => ({ status: { allowed: user === "eve" } }));
  const chain = await load(hook());
  const ask = async (name: string, attributes: RequestAttributes = getPod): Promise<number> => { await chain.authorize({ ...eve, name }, attributes); return asked.length; };
  assert.deepEqual(await Promise.all([ask("eve"), ask("eve")]), [1, 1]);
  assert.equal(await ask("bob"), 2);
  await clock.advance(29_999);
  assert.deepEqual([await ask("eve"), await ask("bob")], [2, 2]);
  await clock.advance(1);
  assert.deepEqual([await ask("eve"), await ask("bob")], [2, 3]);
  await clock.advance(270_000);
  assert.equal(await ask("eve"), 4);
  const long = { ...getPod, name: "x".repeat(10_000) };
  assert.deepEqual([await ask("eve", long), await ask("eve", long)], [5, 6]);
  const none = await load(hook({ cacheAuthorizedRequests: false, unauthorizedTTL: "1s" }));
  for (const name of ["eve", "eve", "bob", "bob"]) await none.authorize({ ...eve, name }, getPod);
  assert.equal(asked.length, 9);
});

const failures: readonly (readonly [string, (count: number) => Answer, number, Decision])[] = [
  ["is out of reach", () => new Error('POST https://a: connect ECONNREFUSED'), 1, { allowed: false, error: "POST https://a: connect ECONNREFUSED" }],
  ["cuts the connection, once", count => (count === 1 ? new Error("reset", { cause: Object.assign(new Error("read"), { code: "ECONNRESET" }) }) : { status: { allowed: true } }), 2, { allowed: true }],
  ["fails for ever", () => ({ code: 500, body: "boom\n" }), 5, { allowed: false, error: 'an error on the server ("boom") has prevented the request from succeeding' }],
  ["is busy for a while", count => (count < 4 ? { code: 429 } : { status: { allowed: true } }), 4, { allowed: true }],
  ["asks to be asked again", count => (count === 1 ? { code: 503, headers: { "retry-after": "1" } } : { status: { allowed: true } }), 2, { allowed: true }],
  ["does not know us", () => ({ code: 401 }), 1, { allowed: false, error: "the server has asked for the client to provide credentials" }],
  ["answers nonsense", () => ({ body: '{"kind":"Status"}' }), 1, { allowed: false, error: "the webhook answered something else than a SubjectAccessReview of authorization.k8s.io/v1" }],
  ["says yes and no", () => ({ status: { allowed: true, denied: true } }), 1, { allowed: false, denied: true, error: "webhook subject access review returned both allow and deny response" }],
];
for (const [name, answer, tries, expected] of failures) test(`a webhook that ${name}`, async () => {
  const { asked, clock, load } = served((_, count) => answer(count));
  const decision = (await load(hook())).authorize(eve, getPod);
  for (let i = 0; i < 5; i++) await clock.advance(3_000);
  assert.deepEqual(await decision, expected);
  assert.equal(asked.length, tries);
});

test("what fails denies where the policy says so, and nobody after it is asked", async () => {
  const { load } = served(() => new Error("gone"));
  assert.deepEqual(await (await load(hook({ failurePolicy: "Deny" }), { type: "RBAC", name: "rbac" })).authorize(eve, getPod), { allowed: false, denied: true, error: "gone" });
  assert.deepEqual(await (await load(hook(), { type: "RBAC", name: "rbac" })).authorize(eve, getPod), { allowed: false, reason: "no rule", error: "gone" });
});

const conditions: readonly (readonly [string, readonly string[], RequestAttributes, string])[] = [
  ["that holds", ["has(request.resourceAttributes) && request.resourceAttributes.namespace == 'x'", "'dev' in request.groups && request.uid == ''"], getPod, "asked"],
  ["that does not", ["request.user != 'eve'", "request.nonResourceAttributes.path == '/'"], getPod, "skipped"],
  ["that cannot be judged", ["request.nonResourceAttributes.path == '/'"], getPod, "cel evaluation error: expression 'request.nonResourceAttributes.path == '/'' resulted in error: no such key: nonResourceAttributes"],
  ["about paths", ["request.?nonResourceAttributes.path.orValue('') == '/metrics'"], { ...blank, resourceRequest: false, verb: "get", path: "/metrics" }, "asked"],
  ["about selectors", ["request.resourceAttributes.labelSelector.requirements.exists(r, r.key == 'app' && r.operator == 'In' && 'a' in r.values)"], { ...getPod, verb: "list", name: "", labelSelector: "app=a" }, "asked"],
];
for (const [name, expressions, attributes, expected] of conditions) test(`a condition ${name}`, async () => {
  const { asked, load } = served(() => ({ status: { allowed: true } }));
  const chain = await load(hook({ matchConditionSubjectAccessReviewVersion: "v1", matchConditions: expressions.map(expression => ({ expression })), failurePolicy: "Deny" }));
  const { denied, error } = await chain.authorize(eve, attributes);
  assert.equal(error ?? (asked.length > 0 ? "asked" : "skipped"), expected);
  assert.equal(denied, error === undefined ? undefined : true);
});

const wrong: readonly (readonly [string, readonly object[], string])[] = [
  ["nobody", [], "authorizers: Required value: at least one authorization mode must be defined"],
  ["unknown", [{ type: "ABAC", name: "abac" }], 'authorizers[0].type: Unsupported value: "ABAC": supported values: "Node", "RBAC", "Webhook"'],
  ["twice", [{ type: "RBAC", name: "rbac" }, { type: "RBAC", name: "rbac2" }], 'authorizers[1].type: Duplicate value: "RBAC"'],
  ["misnamed", [{ type: "RBAC", name: "roles" }], 'authorizers[0].name: Invalid value: "roles": expected name rbac for authorizer RBAC instead of roles'],
  ["a webhook without one", [{ type: "Webhook", name: "a" }], "authorizers[0].webhook: Required value: required when type=Webhook"],
  ["RBAC with one", [{ type: "RBAC", name: "rbac", webhook }], 'authorizers[0].webhook: Invalid value: "non-null": may only be specified when type=Webhook'],
  ["the same name", [hook(), hook()], 'authorizers[1].name: Duplicate value: "hook"'],
  ["too slow", [hook({ timeout: "31s" })], 'authorizers[0].timeout: Invalid value: "31s": must be > 0s and <= 30s'],
  ["nothing said", [{ type: "Webhook", name: "a", webhook: {} }], "authorizers[0].timeout: Required value; authorizers[0].subjectAccessReviewVersion: Required value; authorizers[0].failurePolicy: Required value; authorizers[0].connectionInfo.type: Required value"],
  ["no time", [hook({ authorizedTTL: "-1s" })], 'authorizers[0].authorizedTTL: Invalid value: "-1s": must be > 0s'],
  ["a policy of webhooks of admission", [hook({ failurePolicy: "Ignore" })], 'authorizers[0].failurePolicy: Unsupported value: "Ignore": supported values: "NoOpinion", "Deny"'],
  ["nowhere", [hook({ connectionInfo: { type: "KubeConfigFile" } })], "authorizers[0].connectionInfo.kubeConfigFile: Required value"],
  ["a condition of no version", [hook({ matchConditions: [{ expression: "true" }] })], "authorizers[0].matchConditionSubjectAccessReviewVersion: Required value: required if match conditions are specified"],
  ["conditions that are none", [hook({ matchConditionSubjectAccessReviewVersion: "v1", matchConditions: ["true", "true", " ", "request.user", "request.time == ''"].map(expression => ({ expression })) })],
    'authorizers[0].matchConditions[1].expression: Duplicate value: "true"; authorizers[0].matchConditions[2].expression: Required value; authorizers[0].matchConditions[3].expression: Invalid value: "request.user": must evaluate to bool but got string; authorizers[0].matchConditions[4].expression: Invalid value: "request.time == \'\'": compilation failed: ERROR: <input>:1:8: undefined field \'time\'\n | request.time == \'\'\n | .......^'],
];
for (const [name, authorizers, message] of wrong) test(`a configuration is refused: ${name}`, async () => {
  await assert.rejects(served(() => ({})).load(...authorizers), { message });
});

test("a field that nobody knows is refused", async () => {
  await assert.rejects(served(() => ({})).load(hook({ ttl: "1s" })), /strict decoding error: unknown field "authorizers\[0\]\.webhook\.ttl"/);
});

/** The whole server behind an authorizer that takes its time: bob may do what `may` says. */
async function slowServer(may: (user: User, attributes: RequestAttributes) => Decision): Promise<Harness> {
  const slow: Authorizer = { authorize: async (user, attributes) => may(user, attributes), rules: () => ({ resourceRules: [], nonResourceRules: [], incomplete: true, evaluationError: "webhook authorizer does not support user rule resolution" }) };
  const harness = await startHarness({ loadCel: async () => celWith(celHost), authorizer: () => authorizerChain(privileged, slow), defer: work => void setImmediate(work), postJson: async () => { throw new Error("nobody is called"); } });
  await send(harness, "POST", "/api/v1/namespaces", { metadata: { name: "default" } });
  return harness;
}
async function send(harness: Harness, method: string, target: string, body?: object, headers: { readonly [name: string]: string } = {}): Promise<{ readonly status: number; readonly body: any }> {
  const answer = await harness.send(method, target, { headers: { "content-type": "application/json", ...headers }, body: body === undefined ? "" : JSON.stringify(body) });
  const text = String(await bodyOf(answer));
  return { status: answer.status, body: text.startsWith("{") ? JSON.parse(text) : text };
}

test("an authorizer that takes its time is waited for wherever the server asks", async () => {
  const asked: string[] = [];
  const harness = await slowServer(({ name }, { verb, resource, fieldSelector }) => {
    asked.push(`${name} ${verb} ${resource}${fieldSelector === undefined ? "" : ` ${fieldSelector}`}`);
    return name === "broken" ? { allowed: false, error: "<gone>" } : verb === "create" || verb === "impersonate" ? { allowed: true, reason: "it says so" } : { allowed: false, reason: "no" };
  });
  const bob = { "x-test-user": "bob" }, access = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
  assert.deepEqual((await send(harness, "POST", access, { spec: { resourceAttributes: { verb: "create", resource: "pods" } } }, bob)).body.status, { allowed: true, reason: "it says so" });
  assert.deepEqual((await send(harness, "POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", { spec: { user: "broken", resourceAttributes: { verb: "list", resource: "pods", fieldSelector: { requirements: [{ key: "a", operator: "In", values: ["b"] }, { key: "c", operator: "Exists" }] }, labelSelector: { rawSelector: "((" } } } }, bob)).body.status,
    { allowed: false, evaluationError: "<gone>; spec.resourceAttributes.fieldSelector partially ignored due to parse error; spec.resourceAttributes.labelSelector ignored due to parse error" });
  assert.match((await send(harness, "POST", access, { spec: { resourceAttributes: { fieldSelector: {}, labelSelector: { rawSelector: "a", requirements: [{ key: "-", operator: "In" }] } } } }, bob)).body.message, /^\.authorization\.k8s\.io "" is invalid: \[spec\.resourceAttributes\.fieldSelector\.requirements: Required value: when spec\.resourceAttributes\.fieldSelector is specified, requirements or rawSelector is required, spec\.resourceAttributes\.labelSelector\.rawSelector: Invalid value: "a": may not specified at the same time as requirements, spec\.resourceAttributes\.labelSelector\.requirements\[0\]\.values: Required value: must be specified when `operator` is 'In' or 'NotIn', spec\.resourceAttributes\.labelSelector\.requirements\[0\]\.key: Invalid value: "-"/);
  assert.deepEqual((await send(harness, "POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", { spec: { namespace: "x" } }, bob)).body.status, { resourceRules: [], nonResourceRules: [], incomplete: true, evaluationError: "webhook authorizer does not support user rule resolution" });
  assert.equal((await send(harness, "GET", "/api/v1/pods", undefined, { ...bob, "impersonate-user": "jane" })).body.message, 'pods is forbidden: User "jane" cannot list resource "pods" in API group "" at the cluster scope: no');
  assert.deepEqual(await send(harness, "GET", "/api/v1/pods?a=<b>", undefined, { "x-test-user": "broken" }), { status: 500, body: 'Internal Server Error: "/api/v1/pods?a=&lt;b&gt;": &lt;gone&gt;\n' });
  assert.equal((await send(harness, "PUT", "/api/v1/namespaces/default/configmaps/a", { metadata: { name: "a" } }, bob)).status, 403);
  assert.ok(asked.includes("broken list  a=b") || asked.includes("broken list pods a=b"), asked.join("; "));
  await harness.close();
});

test("expressions wait for the authorizer too, and ask it once", async () => {
  const asked: string[] = [];
  const harness = await slowServer((_, { verb, resource }) => { asked.push(`${verb} ${resource}`); return verb === "use" ? { allowed: true } : verb === "break" ? { allowed: false, error: "gone" } : { allowed: verb === "create" && resource === "configmaps" }; });
  const admission = "/apis/admissionregistration.k8s.io/v1", about = { resourceRules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["configmaps"] }] };
  await send(harness, "POST", `${admission}/validatingadmissionpolicybindings`, { metadata: { name: "b" }, spec: { policyName: "p", validationActions: ["Deny"] } });
  const policy = { metadata: { name: "p" }, spec: { matchConstraints: about, variables: [{ name: "may", expression: "authorizer.group('').resource('x').check('use').allowed()" }], validations: [
    { expression: "variables.may || authorizer.path('/never').check('get').allowed()" }, { expression: "variables.may && authorizer.path('/x').check('break').error() == 'gone'" }, { expression: "object.metadata.name != 'bad'" },
  ] } };
  assert.equal((await send(harness, "POST", `${admission}/validatingadmissionpolicies`, policy)).status, 201);
  const create = (name: string) => send(harness, "POST", "/api/v1/namespaces/default/configmaps", { metadata: { name } }, { "x-test-user": "bob" });
  assert.equal((await create("good")).status, 201);
  assert.deepEqual(asked, ["create configmaps", "use x", "break "]);
  assert.match((await create("bad")).body.message, /failed expression: object\.metadata\.name != 'bad'/);
  const webhooks = { metadata: { name: "h" }, webhooks: [{ name: "h.example.com", sideEffects: "None", admissionReviewVersions: ["v1"], clientConfig: { url: "https://h.example.com/" }, rules: about.resourceRules, matchConditions: [{ name: "c", expression: "object.metadata.name == 'held' && !authorizer.group('').resource('x').check('use').allowed()" }, { name: "d", expression: "object.nope == 2" }] }] };
  assert.equal((await send(harness, "POST", `${admission}/validatingwebhookconfigurations`, webhooks)).status, 201);
  assert.equal((await create("held")).status, 201, "a condition that does not hold leaves the webhook out, whatever the others do");
  await send(harness, "DELETE", `${admission}/validatingwebhookconfigurations/h`);
  await send(harness, "POST", `${admission}/validatingwebhookconfigurations`, { ...webhooks, webhooks: [{ ...webhooks.webhooks[0], matchConditions: [{ name: "d", expression: "object.nope == 1" }] }] });
  const refused = await create("late");
  assert.deepEqual([refused.status, refused.body.message], [403, `configmaps "late" is forbidden: expression 'object.nope == 1' resulted in error: no such key: nope`]);
  await harness.close();
});
