import assert from "node:assert/strict";
import { test } from "node:test";
import { bodyOf, startHarness, type Harness } from "../../../../test/transcripts/harness.ts";
import { celHost } from "../../../host/regex.ts";
import { celWith } from "../../cel-library.ts";
import type { WebhookCall } from "../../webhook.ts";

type Review = { readonly uid: string; readonly operation: string; readonly resource: { readonly resource: string }; readonly subResource?: string; readonly kind: { readonly kind: string }; readonly object: any; readonly oldObject: any; readonly dryRun: boolean };
type Answer = { readonly allowed?: boolean; readonly status?: object; readonly patch?: readonly object[]; readonly warnings?: readonly string[]; readonly status200?: false };

/** A server whose webhooks answer by the path of their URL. */
async function start(answers: { readonly [path: string]: (review: Review) => Answer | string }): Promise<Harness & { readonly asked: string[] }> {
  const asked: string[] = [];
  const harness = await startHarness({
    postJson: async ({ url, body }: WebhookCall) => {
      const review = JSON.parse(body).request as Review;
      const path = new URL(url).pathname.slice(1);
      asked.push(`${path}: ${review.operation} ${review.resource.resource}${review.subResource === undefined ? "" : `/${review.subResource}`} ${review.kind.kind}`);
      const answer = answers[path]?.(review) ?? {};
      if (typeof answer === "string") throw new Error(answer);
      const { patch, ...rest } = answer;
      return { status: 200, body: JSON.stringify({ kind: "AdmissionReview", apiVersion: "admission.k8s.io/v1", response: { uid: review.uid, allowed: true, ...rest, ...(patch === undefined ? {} : { patchType: "JSONPatch", patch: Buffer.from(JSON.stringify(patch)).toString("base64") }) } }) };
    },
  });
  await send(harness, "POST", "/api/v1/namespaces", { metadata: { name: "default" } });
  return { ...harness, asked };
}

async function send(harness: Harness, method: string, target: string, body?: unknown): Promise<{ readonly status: number; readonly body: any; readonly warnings: unknown }> {
  const response = await harness.send(method, target, { headers: { "content-type": "application/json" }, body: body === undefined ? "" : JSON.stringify(body) });
  const text = String(await bodyOf(response));
  return { status: response.status, body: text.startsWith("{") ? JSON.parse(text) : text, warnings: response.headers["warning"] };
}

const webhook = (path: string, resources: readonly string[], more: object = {}) => ({
  name: `${path}.example.com`, clientConfig: { url: `https://hooks/${path}` }, rules: [{ operations: ["*"], apiGroups: ["*"], apiVersions: ["*"], resources }], sideEffects: "None", admissionReviewVersions: ["v1"], ...more,
});
const install = (harness: Harness, type: "mutating" | "validating", ...webhooks: object[]) => send(harness, "POST", `/apis/admissionregistration.k8s.io/v1/${type}webhookconfigurations`, { metadata: { name: "hooks" }, webhooks });
const configmaps = "/api/v1/namespaces/default/configmaps";
const pods = "/api/v1/namespaces/default/pods";

test("conditions that are no conditions are refused with their configuration", async () => {
  const harness = await startHarness({ loadCel: async () => celWith(celHost) });
  const refused = async (expression: string): Promise<string> => (await install(harness, "validating", webhook("a", ["pods"], { matchConditions: [{ name: "c", expression }] }))).body.message ?? "";
  assert.match(await refused("... bad"), /webhooks\[0\].matchConditions\[0\].expression: Invalid value: "... bad": compilation failed: ERROR: <input>:1:2: Syntax error/);
  assert.match(await refused("1"), /must evaluate to bool but got int$/);
  assert.equal(await refused("authorizer.group('').resource('pods').check('get').allowed() && object.metadata.name != ''"), "");
  await harness.close();
});

test("a mutating webhook changes what is stored, and its warnings reach the client", async () => {
  const harness = await start({ add: () => ({ patch: [{ op: "add", path: "/data", value: { added: "yes" } }], warnings: ["careful"] }) });
  await install(harness, "mutating", webhook("add", ["configmaps"]));
  const { status, body, warnings } = await send(harness, "POST", configmaps, { metadata: { name: "a" } });
  assert.deepEqual([status, body.data, warnings], [201, { added: "yes" }, ['299 - "careful"']]);
  await harness.close();
});

test("an earlier webhook is asked again when a later one changed the object and it wants to know", async () => {
  const harness = await start({ first: ({ object }) => ({ patch: [{ op: "add", path: "/data/first", value: String(Object.keys(object.data)) }] }), second: () => ({ patch: [{ op: "add", path: "/data/second", value: "x" }] }) });
  await install(harness, "mutating", webhook("first", ["configmaps"], { reinvocationPolicy: "IfNeeded" }), webhook("second", ["configmaps"]));
  const { body } = await send(harness, "POST", configmaps, { metadata: { name: "a" }, data: { own: "1" } });
  assert.deepEqual(body.data, { own: "1", first: "own,first,second", second: "x" });
  assert.equal(harness.asked.length, 3);
  await harness.close();
});

test("a validating webhook refuses in upstream's words, on every verb", async () => {
  const harness = await start({ deny: ({ operation }) => (operation === "CREATE" ? {} : { allowed: false, status: { message: "no way", code: 403, reason: "Forbidden" } }) });
  await install(harness, "validating", webhook("deny", ["configmaps", "pods/*"]));
  await send(harness, "POST", configmaps, { metadata: { name: "a" } });
  const gone = await send(harness, "DELETE", `${configmaps}/a`);
  assert.deepEqual([gone.status, gone.body.reason, gone.body.message], [403, "Forbidden", 'admission webhook "deny.example.com" denied the request: no way']);
  assert.equal((await send(harness, "PUT", `${configmaps}/a`, { metadata: { name: "a" }, data: { x: "y" } })).status, 403);
  await send(harness, "POST", pods, { metadata: { name: "p" }, spec: { containers: [{ name: "c", image: "i" }] } });
  assert.equal((await send(harness, "POST", `${pods}/p/exec?command=sh&container=c`)).status, 403);
  assert.deepEqual(harness.asked, ["deny: CREATE configmaps ConfigMap", "deny: DELETE configmaps ConfigMap", "deny: UPDATE configmaps ConfigMap", "deny: CREATE pods Pod", "deny: CONNECT pods/exec PodExecOptions"]);
  assert.equal((await send(harness, "POST", `${pods}/none/exec?command=sh&container=x`)).status, 403, "it is asked before the pod is looked for");
  assert.deepEqual(await Promise.all(["x", "80,", "65536"].map(async ports => (await send(harness, "POST", `${pods}/p/portforward?ports=${ports}`)).body.message)), [
    'cannot convert to []int32: strconv.ParseUint: parsing "x": invalid syntax', 'cannot convert to []int32: strconv.ParseUint: parsing "": invalid syntax', 'cannot convert to []int32: strconv.ParseUint: parsing "65536": value out of range',
  ]);
  await harness.close();
});

test("a webhook that cannot be asked fails the request, unless it is to be ignored", async () => {
  const harness = await start({ down: () => "connection refused", open: () => "connection refused" });
  await install(harness, "validating", webhook("down", ["configmaps"]), webhook("open", ["pods"], { failurePolicy: "Ignore" }));
  const refused = await send(harness, "POST", configmaps, { metadata: { name: "a" } });
  assert.deepEqual([refused.status, refused.body.message], [500, 'Internal error occurred: failed calling webhook "down.example.com": failed to call webhook: connection refused']);
  assert.equal((await send(harness, "POST", pods, { metadata: { name: "p" }, spec: { containers: [{ name: "c", image: "i" }] } })).status, 201);
  await harness.close();
});

test("selectors say whom it is about; configurations of webhooks are never shown to webhooks", async () => {
  const harness = await start({ deny: () => ({ allowed: false }) });
  await install(harness, "validating", webhook("deny", ["*"], { objectSelector: { matchLabels: { guarded: "yes" } }, namespaceSelector: { matchExpressions: [{ key: "kubernetes.io/metadata.name", operator: "NotIn", values: ["free"] }] } }));
  await send(harness, "POST", "/api/v1/namespaces", { metadata: { name: "free" } });
  const guarded = { metadata: { name: "a", labels: { guarded: "yes" } } };
  assert.equal((await send(harness, "POST", configmaps, { metadata: { name: "b" } })).status, 201);
  assert.equal((await send(harness, "POST", "/api/v1/namespaces/free/configmaps", guarded)).status, 201);
  const refused = await send(harness, "POST", configmaps, guarded);
  assert.deepEqual([refused.status, refused.body.message], [400, 'admission webhook "deny.example.com" denied the request without explanation']);
  assert.equal((await send(harness, "PATCH", "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/hooks")).status, 415);
  assert.equal((await send(harness, "DELETE", "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/hooks")).status, 200);
  await harness.close();
});

test("a container that a webhook puts in passes the built-in steps as well", async () => {
  const harness = await start({ side: ({ object }) => (object.spec.containers.length > 1 ? {} : { patch: [{ op: "add", path: "/spec/containers/-", value: { name: "side", image: "s" } }] }) });
  await send(harness, "POST", "/api/v1/namespaces/default/limitranges", { metadata: { name: "l" }, spec: { limits: [{ type: "Container", default: { cpu: "1" } }] } });
  await install(harness, "mutating", webhook("side", ["pods"]));
  const { body } = await send(harness, "POST", pods, { metadata: { name: "p" }, spec: { containers: [{ name: "c", image: "i" }] } });
  assert.deepEqual(body.spec.containers.map((each: any) => [each.name, each.resources.limits, each.imagePullPolicy]), [["c", { cpu: "1" }, "Always"], ["side", { cpu: "1" }, "Always"]]);
  await harness.close();
});

test("reviews tell what was asked for; a size is a Scale, and who deletes many names none", async () => {
  const seen: any[] = [];
  const harness = await start({ see: review => { seen.push(review); return review.subResource === "scale" ? { patch: [{ op: "add", path: "/spec/replicas", value: 3 }] } : {}; } });
  await send(harness, "POST", "/apis/apps/v1/namespaces/default/replicasets", { metadata: { name: "r" }, spec: { replicas: 0, selector: { matchLabels: { a: "b" } }, template: { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "i" }] } } } });
  await install(harness, "mutating", webhook("see", ["*/*"]));
  await send(harness, "POST", `${configmaps}?fieldManager=me&fieldValidation=Strict`, { metadata: { name: "a" } });
  await send(harness, "DELETE", `${configmaps}/a?gracePeriodSeconds=3&dryRun=All`);
  await send(harness, "DELETE", configmaps);
  const scaled = await send(harness, "PUT", "/apis/apps/v1/namespaces/default/replicasets/r/scale", { metadata: { name: "r" }, spec: { replicas: 1 } });
  const options = (kind: string, more: object): object => ({ kind: `${kind}Options`, apiVersion: "meta.k8s.io/v1", ...more });
  assert.deepEqual(seen.slice(0, 3).map(each => [each.name, each.options]), [["a", options("Create", { fieldManager: "me", fieldValidation: "Strict" })], ["a", options("Delete", { gracePeriodSeconds: 3, dryRun: ["All"] })], [undefined, options("Delete", {})]]);
  assert.deepEqual([seen[3].kind, seen[3].resource.resource, seen[3].oldObject.spec, seen[3].object.spec, scaled.body.spec], [{ group: "autoscaling", version: "v1", kind: "Scale" }, "replicasets", {}, { replicas: 1 }, { replicas: 3 }]);
  await harness.close();
});

// What a webhook answers, and what the client is told after `failed calling webhook "h.example.com": `.
const review = { kind: "AdmissionReview", apiVersion: "admission.k8s.io/v1" };
const encoded = (patch: unknown): string => Buffer.from(typeof patch === "string" ? patch : JSON.stringify(patch)).toString("base64");
const answers: readonly (readonly ["mutating" | "validating", object | string, string, number?])[] = [
  ["validating", { response: { allowed: true } }, 'received invalid webhook response: expected response.uid="U", got ""'],
  ["validating", review, "received invalid webhook response: webhook response was absent"],
  ["validating", { response: { uid: "U", allowed: true } }, "received invalid webhook response: expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got /, Kind="],
  ["validating", { ...review, apiVersion: "admission.k8s.io/v1beta1" }, "failed to call webhook: converting (v1beta1.AdmissionReview) to (v1.AdmissionReview): unknown conversion"],
  ["validating", { apiVersion: "v1", kind: "Pod" }, 'failed to call webhook: no kind "Pod" is registered for version "v1" in scheme "pkg/runtime/scheme.go:111"'],
  ["validating", { ...review, response: { uid: "U", allowed: "yes" } }, "failed to call webhook: json: cannot unmarshal string into Go struct field AdmissionResponse.response.allowed of type bool"],
  ["validating", { ...review, response: { uid: "U", allowed: true, patch: "W10=" } }, "received invalid webhook response: validating webhook may not return response.patch"],
  ["validating", "{", "failed to call webhook: couldn't get version/kind; json parse error: unexpected end of JSON input"],
  ["validating", "", "failed to call webhook: 0-length response with status code: 200 and content type: text/plain"],
  ["validating", "boom", 'failed to call webhook: an error on the server ("boom") has prevented the request from succeeding', 500],
  ["validating", "no", "failed to call webhook: no", 403],
  ["validating", "", "failed to call webhook: the server could not find the requested resource", 404],
  ["validating", { kind: "Status", apiVersion: "v1", status: "Failure", message: "oh" }, "failed to call webhook: oh", 500],
  ["mutating", { ...review, response: { uid: "U", allowed: true, patch: "W10=" } }, "received invalid webhook response: webhook returned response.patch but not response.patchType"],
  ["mutating", { ...review, response: { uid: "U", allowed: true, patchType: "JSONPatch" } }, "received invalid webhook response: webhook returned response.patchType but not response.patch"],
  ["mutating", { ...review, response: { uid: "U", allowed: true, patchType: "Merge", patch: encoded([{ op: "add", path: "/data", value: {} }]) } }, 'unsupported patch type "Merge"'],
  ["mutating", { ...review, response: { uid: "U", allowed: true, patchType: "JSONPatch", patch: "!!!" } }, "failed to call webhook: illegal base64 data at input byte 0"],
  ["mutating", { ...review, response: { uid: "U", allowed: true, patchType: "JSONPatch", patch: encoded("{") } }, "received undecodable patch in webhook response: unexpected end of JSON input"],
];
test("what is no answer is told in upstream's words", async () => {
  let answer: (typeof answers)[number] = answers[0]!, uid = "";
  const harness = await startHarness({
    postJson: async ({ body }: WebhookCall) => {
      uid = (JSON.parse(body).request as Review).uid;
      return { status: answer[3] ?? 200, contentType: "text/plain", body: (typeof answer[1] === "string" ? answer[1] : JSON.stringify(answer[1])).replaceAll('"U"', `"${uid}"`) };
    },
  });
  await send(harness, "POST", "/api/v1/namespaces", { metadata: { name: "default" } });
  for (answer of answers) {
    await install(harness, answer[0], webhook("h", ["configmaps"]));
    const { body } = await send(harness, "POST", `${configmaps}?dryRun=All`, { metadata: { name: "a" }, data: { x: "1" } });
    assert.equal(body.message?.replace(uid, "U"), `Internal error occurred: failed calling webhook "h.example.com": ${answer[2]}`);
    await send(harness, "DELETE", `/apis/admissionregistration.k8s.io/v1/${answer[0]}webhookconfigurations/hooks`);
  }
  await harness.close();
});

test("a patch of null is no patch", async () => {
  const harness = await startHarness({ postJson: async ({ body }: WebhookCall) => {
    const answer = { ...review, response: { uid: (JSON.parse(body).request as Review).uid, allowed: true, patchType: "JSONPatch", patch: encoded("null") } };
    return { status: 200, contentType: "application/json", body: JSON.stringify(answer) };
  } });
  await send(harness, "POST", "/api/v1/namespaces", { metadata: { name: "default" } });
  await install(harness, "mutating", webhook("h", ["configmaps"]));
  assert.equal((await send(harness, "POST", configmaps, { metadata: { name: "a" } })).status, 201);
  await harness.close();
});

test("a patch that does not apply fails the request whatever the policy; it moves no object to another namespace", async () => {
  const patches: { readonly [path: string]: object } = { gone: { op: "remove", path: "/data/nope" }, type: { op: "add", path: "/data/x", value: 1 }, deep: { op: "add", path: "/a/b", value: 1 }, move: { op: "replace", path: "/metadata/namespace", value: "other" } };
  const harness = await start(Object.fromEntries(Object.entries(patches).map(([name, patch]) => [name, () => ({ patch: [patch] })])));
  const told: string[] = [];
  for (const name of Object.keys(patches)) {
    await install(harness, "mutating", webhook(name, ["configmaps"], { failurePolicy: "Ignore" }));
    told.push((await send(harness, "POST", configmaps, { metadata: { name: "a" }, data: { x: "1" } })).body.message);
    await send(harness, "DELETE", "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/hooks");
  }
  assert.deepEqual(told, [
    "Internal error occurred: error in remove for path: '/data/nope': Unable to remove nonexistent key: nope: missing value", "Internal error occurred: json: cannot unmarshal number into Go struct field ConfigMap.data of type string",
    'Internal error occurred: add operation does not apply: doc is missing path: "/a/b": missing value', "the namespace of the provided object does not match the namespace sent on the request",
  ]);
  await harness.close();
});
