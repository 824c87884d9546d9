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
      return { status: 200, body: JSON.stringify({ response: { uid: review.uid, allowed: true, ...rest, ...(patch === undefined ? {} : { patchType: "JSONPatch", patch: Buffer.from(JSON.stringify(patch)).toString("base64") }) } }) };
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
