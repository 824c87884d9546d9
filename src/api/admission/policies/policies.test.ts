/** ValidatingAdmissionPolicies: which requests they see, and what they say. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { bodyOf, startHarness, type Harness } from "../../../../test/transcripts/harness.ts";
import { celHost } from "../../../host/regex.ts";
import { celWith } from "../../cel-library.ts";

type Sent = { readonly status: number; readonly body: any; readonly warnings: readonly unknown[] };
const admission = "/apis/admissionregistration.k8s.io/v1", configmaps = "/api/v1/namespaces/default/configmaps";

async function send(harness: Harness, method: string, target: string, body?: unknown): Promise<Sent> {
  const response = await harness.send(method, target, { headers: { "content-type": "application/json" }, body: body === undefined ? "" : JSON.stringify(body) });
  const text = String(await bodyOf(response));
  return { status: response.status, body: text.startsWith("{") ? JSON.parse(text) : text, warnings: [response.headers["warning"] ?? []].flat() };
}

const about = (resources: readonly string[], more: object = {}) => ({ resourceRules: [{ operations: ["CREATE", "UPDATE", "DELETE"], apiGroups: ["*"], apiVersions: ["*"], resources, ...more }] });
/** A server with one policy and its binding. */
async function start(policy: object, binding: object = {}): Promise<Harness> {
  const harness = await startHarness({ loadCel: async () => celWith(celHost) });
  await send(harness, "POST", "/api/v1/namespaces", { metadata: { name: "default", labels: { team: "red" } } });
  assert.equal((await send(harness, "POST", configmaps, { metadata: { name: "limits" }, data: { max: "3" } })).status, 201);
  assert.equal((await send(harness, "POST", `${admission}/validatingadmissionpolicybindings`, { metadata: { name: "b" }, spec: { policyName: "p", validationActions: ["Deny"], ...binding } })).status, 201);
  assert.equal((await send(harness, "POST", `${admission}/validatingadmissionpolicies`, { metadata: { name: "p" }, spec: { matchConstraints: about(["configmaps"]), ...policy } })).status, 201);
  return harness;
}
const named = (name: string, data: object = {}): object => ({ metadata: { name }, data });
const validations = (...expressions: readonly (string | object)[]): object => ({ validations: expressions.map(each => (typeof each === "string" ? { expression: each } : each)) });
const by = "ValidatingAdmissionPolicy 'p' with binding 'b' denied request";

/** What creating a config map `bad-map` with these data is told; "" if it is created. */
const table: readonly (readonly [string, object, object, string])[] = [
  ["holds", validations("object.metadata.name.startsWith('bad')"), {}, ""],
  ["does not hold", validations(" object.metadata.name.startsWith('good') "), {}, "failed expression: object.metadata.name.startsWith('good')"],
  ["a message", validations({ expression: "false", message: " no " }), {}, "no"],
  ["a message that is made", validations({ expression: "false", message: "no", messageExpression: "'not ' + object.metadata.name" }), {}, "not bad-map"],
  ["a message that cannot be made", validations({ expression: "false", message: "no", messageExpression: "string(object.nope)" }), {}, "no"],
  ["variables, one by another", { ...validations("variables.b == 4"), variables: [{ name: "a", expression: "size(object.data)" }, { name: "b", expression: "variables.a + 2" }] }, {}, "failed expression: variables.b == 4"],
  ["a variable that is not asked for may fail", { ...validations("true || variables.a"), variables: [{ name: "a", expression: "object.nope" }] }, {}, ""],
  ["a variable that fails", { ...validations("variables.a == 1"), variables: [{ name: "a", expression: "object.nope" }] }, {}, "expression 'variables.a == 1' resulted in error: composited variable \"a\" fails to evaluate: no such key: nope"],
  ["an error", validations("object.nope == 1"), {}, "expression 'object.nope == 1' resulted in error: no such key: nope"],
  ["an error that is ignored", { ...validations("object.nope == 1"), failurePolicy: "Ignore" }, {}, ""],
  ["the request", validations("request.operation == 'CREATE' && request.resource.resource == 'configmaps' && request.userInfo.username != '' && oldObject == null && namespaceObject.metadata.labels.team == 'red'"), {}, ""],
  ["a condition that does not hold", { ...validations("false"), matchConditions: [{ name: "c", expression: "object.metadata.name == 'x'" }] }, {}, ""],
  ["a condition that holds", { ...validations("false"), matchConditions: [{ name: "c", expression: "object.metadata.name != 'x'" }] }, {}, "failed expression: false"],
  ["another resource", { ...validations("false"), matchConstraints: about(["secrets"]) }, {}, ""],
  ["another operation", { ...validations("false"), matchConstraints: about(["configmaps"], { operations: ["DELETE"] }) }, {}, ""],
  ["another name", { ...validations("false"), matchConstraints: about(["configmaps"], { resourceNames: ["x"] }) }, {}, ""],
  ["excluded", { ...validations("false"), matchConstraints: { ...about(["*"]), excludeResourceRules: about(["configmaps"]).resourceRules } }, {}, ""],
  ["another namespace", { ...validations("false") }, { matchResources: { namespaceSelector: { matchLabels: { team: "blue" } } } }, ""],
  ["the namespace", { ...validations("false") }, { matchResources: { namespaceSelector: { matchLabels: { team: "red" } } } }, "failed expression: false"],
  ["another label", { ...validations("false"), matchConstraints: { ...about(["configmaps"]), objectSelector: { matchLabels: { x: "y" } } } }, {}, ""],
  ["a parameter", { ...validations("size(object.data) > int(params.data.max)"), paramKind: { apiVersion: "v1", kind: "ConfigMap" } }, { paramRef: { name: "limits", parameterNotFoundAction: "Deny" } }, "failed expression: size(object.data) > int(params.data.max)"],
  ["no parameter", { ...validations("params != null"), paramKind: { apiVersion: "v1", kind: "ConfigMap" } }, { paramRef: { name: "nope", parameterNotFoundAction: "Deny" } }, "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction"],
  ["no parameter, no matter", { ...validations("false"), paramKind: { apiVersion: "v1", kind: "ConfigMap" } }, { paramRef: { name: "nope", parameterNotFoundAction: "Allow" } }, ""],
];
for (const [name, policy, binding, expected] of table) test(`a policy: ${name}`, async () => {
  const harness = await start(policy, binding);
  const { status, body } = await send(harness, "POST", configmaps, named("bad-map", { a: "1" }));
  assert.equal(status === 201 ? "" : body.message, expected === "" ? "" : `configmaps "bad-map" is forbidden: ${by}: ${expected}`);
  if (expected !== "") assert.deepEqual([status, body.reason, body.details.causes], [422, "Invalid", [{ message: `${by}: ${expected}` }]]);
  await harness.close();
});

test("reasons have their codes; updates and deletions are seen", async () => {
  const harness = await start(validations({ expression: "request.operation == 'CREATE'", reason: "Forbidden", message: "once" }, "request.operation != 'DELETE' || oldObject.metadata.name == 'x'"));
  assert.equal((await send(harness, "POST", configmaps, named("x"))).status, 201);
  const changed = await send(harness, "PUT", `${configmaps}/x`, named("x", { a: "1" }));
  assert.deepEqual([changed.status, changed.body.reason, changed.body.message], [403, "Forbidden", `configmaps "x" is forbidden: ${by}: once`]);
  assert.equal((await send(harness, "DELETE", `${configmaps}/x`)).status, 403);
  // What is in force can be taken away.
  assert.equal((await send(harness, "DELETE", `${admission}/validatingadmissionpolicybindings/b`)).status, 200);
  assert.equal((await send(harness, "DELETE", `${configmaps}/x`)).status, 200);
  await harness.close();
});

test("who deletes many names none; reviews of who may what are seen by no policy", async () => {
  const harness = await start({ ...validations("false"), matchConstraints: about(["*"], { resourceNames: ["x"] }) }), { status } = await send(harness, "POST", configmaps, named("y"));
  assert.equal(status, 201);
  assert.equal((await send(harness, "DELETE", configmaps)).status, 200);
  await harness.close();
  const strict = await start({ ...validations("request.operation == 'CREATE' && object.kind != 'SelfSubjectAccessReview'"), matchConstraints: about(["*"]) });
  assert.equal((await send(strict, "POST", configmaps, named("x"))).status, 201);
  const many = await send(strict, "DELETE", configmaps);
  assert.deepEqual([many.status, many.body.message], [422, `configmaps "Unknown" is forbidden: ${by}: failed expression: request.operation == 'CREATE' && object.kind != 'SelfSubjectAccessReview'`]);
  assert.equal((await send(strict, "POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", { spec: { resourceAttributes: { verb: "get", resource: "pods" } } })).status, 201);
  await strict.close();
});

test("warnings let the request pass", async () => {
  const harness = await start(validations({ expression: "false", message: "hm" }), { validationActions: ["Warn"] });
  const { status, warnings } = await send(harness, "POST", configmaps, named("x"));
  assert.equal(status, 201);
  assert.match(String(warnings[0]), /Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': hm/);
  await harness.close();
});

test("a changed policy is compiled again", async () => {
  const harness = await start(validations("false"));
  assert.equal((await send(harness, "POST", configmaps, named("x"))).status, 422);
  const { body } = await send(harness, "GET", `${admission}/validatingadmissionpolicies/p`);
  assert.equal((await send(harness, "PUT", `${admission}/validatingadmissionpolicies/p`, { ...body, spec: { ...body.spec, validations: [{ expression: "true" }] } })).status, 200);
  assert.equal((await send(harness, "POST", configmaps, named("x"))).status, 201);
  await harness.close();
});

test("expressions that do not compile are refused when they are written", async () => {
  const harness = await startHarness({ loadCel: async () => celWith(celHost) });
  const { status, body } = await send(harness, "POST", `${admission}/validatingadmissionpolicies`, { metadata: { name: "p" }, spec: {
    matchConstraints: about(["configmaps"]), variables: [{ name: "a", expression: "nope" }], validations: [{ expression: "1 + 1" }, { expression: "params.x" }, { expression: "true", messageExpression: "1" }], matchConditions: [{ name: "c", expression: "variables.a" }],
  } });
  assert.equal(status, 422);
  assert.deepEqual(body.details.causes.map(({ field, message }: any) => `${field}: ${message.split("\n")[0]}`), [
    'spec.matchConditions[0].expression: Invalid value: "variables.a": compilation failed: ERROR: <input>:1:1: undeclared reference to \'variables\' (in container \'\')',
    'spec.variables[0].expression: Invalid value: "nope": compilation failed: ERROR: <input>:1:1: undeclared reference to \'nope\' (in container \'\')',
    'spec.validations[0].expression: Invalid value: "1 + 1": must evaluate to bool but got int',
    'spec.validations[1].expression: Invalid value: "params.x": compilation failed: ERROR: <input>:1:1: undeclared reference to \'params\' (in container \'\')',
    'spec.validations[2].messageExpression: Invalid value: "1": must evaluate to string but got int',
  ]);
  await harness.close();
});

test("expressions may ask the authorizer, for the caller and for service accounts", async () => {
  const asked: string[] = [];
  const rules = () => ({ resourceRules: [], nonResourceRules: [], incomplete: false });
  const authorizer = { authorize: ({ name }: { readonly name: string }, { verb, group, resource, subresource, namespace, name: object, path, resourceRequest }: any) => {
    if (name === "admin") return { allowed: true };
    asked.push(`${name} ${verb} ${resourceRequest === true ? `${group}/${resource}/${subresource} ${namespace}/${object}` : path}`);
    return resourceRequest === true && verb === "use" ? { allowed: true, reason: "because" } : { allowed: false, reason: "why not" };
  }, rules };
  const harness = await startHarness({ loadCel: async () => celWith(celHost), authorizer: () => authorizer, defer: work => void setImmediate(work) });
  await send(harness, "POST", "/api/v1/namespaces", { metadata: { name: "default" } });
  const ask = "authorizer.serviceAccount('default', 'robot')";
  const expressions = [
    `${ask}.group('apps').resource('deployments').subresource('scale').namespace('x').name('y').check('use').allowed()`, `${ask}.group('').resource('pods').check('use').reason() == 'because'`,
    `!${ask}.path('/healthz').check('get').allowed()`, `!${ask}.path('/a').check('get').errored() && ${ask}.path('/b').check('get').error() == ''`, "authorizer.requestResource.check('use').allowed()",
  ];
  await send(harness, "POST", `${admission}/validatingadmissionpolicybindings`, { metadata: { name: "b" }, spec: { policyName: "p", validationActions: ["Deny"] } });
  assert.equal((await send(harness, "POST", `${admission}/validatingadmissionpolicies`, { metadata: { name: "p" }, spec: { matchConstraints: about(["configmaps"]), matchConditions: [{ name: "c", expression: "authorizer.group('').resource('x').check('get').allowed()" }], ...validations(...expressions) } })).status, 201);
  assert.equal((await send(harness, "POST", configmaps, named("a"))).status, 201);
  const robot = "system:serviceaccount:default:robot";
  assert.deepEqual(asked, [`${robot} use apps/deployments/scale x/y`, `${robot} use /pods/ /`, `${robot} get /healthz`, `${robot} get /a`, `${robot} get /b`]);
  const refused = await send(harness, "POST", `${admission}/validatingadmissionpolicies`, { metadata: { name: "q" }, spec: { matchConstraints: about(["configmaps"]), validations: [{ expression: "true", messageExpression: "string(authorizer.path('/x').check('get').allowed())" }] } });
  assert.match(refused.body.message, /messageExpression: .*undeclared reference to 'authorizer'/);
  await harness.close();
});

test("what a policy has to say goes to the audit log", async () => {
  const lines: any[] = [];
  const harness = await startHarness({ loadCel: async () => celWith(celHost), audit: line => void lines.push(JSON.parse(line)) });
  await send(harness, "POST", "/api/v1/namespaces", { metadata: { name: "default" } });
  for (const name of ["b", "c"]) await send(harness, "POST", `${admission}/validatingadmissionpolicybindings`, { metadata: { name }, spec: { policyName: "p", validationActions: name === "b" ? ["Audit"] : ["Warn", "Audit"] } });
  const auditAnnotations = [{ key: "size", valueExpression: "'keys: ' + string(size(object.data))" }, { key: "none", valueExpression: "null" }, { key: "blank", valueExpression: "' '" }];
  assert.equal((await send(harness, "POST", `${admission}/validatingadmissionpolicies`, { metadata: { name: "p" }, spec: { matchConstraints: about(["configmaps"]), auditAnnotations, ...validations("true", "size(object.data) > 3") } })).status, 201);
  const { status, warnings } = await send(harness, "POST", configmaps, named("a", { k: "v" }));
  assert.deepEqual([status, warnings.length], [201, 1]);
  const { annotations } = lines.at(-1);
  assert.deepEqual(Object.keys(annotations).sort(), ["authorization.k8s.io/decision", "authorization.k8s.io/reason", "p/size", "validation.policy.admission.k8s.io/validation_failure"]);
  assert.equal(annotations["p/size"], "keys: 1");
  assert.deepEqual(JSON.parse(annotations["validation.policy.admission.k8s.io/validation_failure"]), [{ message: "failed expression: size(object.data) > 3", policy: "p", binding: "b", expressionIndex: 1, validationActions: ["Audit"] }]);
  await send(harness, "POST", `${admission}/validatingadmissionpolicies`, { metadata: { name: "q" }, spec: { matchConstraints: about(["secrets"]), auditAnnotations: [{ key: "x", valueExpression: "string(object.nope)" }] } });
  await send(harness, "POST", `${admission}/validatingadmissionpolicybindings`, { metadata: { name: "q" }, spec: { policyName: "q", validationActions: ["Warn"] } });
  const refused = await send(harness, "POST", "/api/v1/namespaces/default/secrets", { metadata: { name: "s" } });
  assert.match(refused.body.message, /'q' denied request: expression 'string\(object.nope\)' resulted in error: no such key: nope$/);
  await harness.close();
});
