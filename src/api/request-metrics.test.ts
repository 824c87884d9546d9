import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../base/api-error.ts";
import { assertGrown, parseMetrics, valueOf, type Scrape } from "../../test/prometheus.ts";
import { bodyOf, Collector, settle, startHarness, type Harness } from "../../test/transcripts/harness.ts";
import type { AdmissionStep } from "./admission/admission.ts";
import { serverSeats } from "./flow-control/shares.ts";

const json = { "content-type": "application/json" };
const configmaps = "/api/v1/namespaces/default/configmaps";
const allowAll = () => ({ authorize: () => ({ allowed: true }), rules: () => ({ resourceRules: [], nonResourceRules: [], incomplete: false }) });
const make = (name: string): string => JSON.stringify({ metadata: { name } });
async function start(more: Parameters<typeof startHarness>[0] = {}): Promise<Harness> {
  const harness = await startHarness(more);
  await harness.send("POST", "/api/v1/namespaces", { headers: json, body: make("default") });
  return harness;
}
const scrape = async (harness: Harness, path = "/metrics"): Promise<Scrape> => parseMetrics(String(await bodyOf(await harness.send("GET", path))));

test("requests are counted by upstream's verbs and scopes", async () => {
  const harness = await start();
  for (const [method, target, headers, body] of [
    ["POST", configmaps, json, make("a")], ["POST", `${configmaps}?dryRun=All`, json, make("b")], ["POST", `${configmaps}?dryRun=Some`, json, make("b")], ["GET", `${configmaps}/a`, {}, ""], ["HEAD", `${configmaps}/a`, {}, ""], ["GET", configmaps, {}, ""], ["GET", "/api/v1/configmaps", {}, ""],
    ["PUT", `${configmaps}/a`, json, make("a")], ["PATCH", `${configmaps}/a`, { "content-type": "application/merge-patch+json" }, "{}"], ["PATCH", `${configmaps}/a?fieldManager=m`, { "content-type": "application/apply-patch+yaml" }, JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } })],
    ["GET", `${configmaps}?watch=1&timeoutSeconds=1`, {}, ""], ["DELETE", `${configmaps}/a`, {}, ""], ["DELETE", configmaps, {}, ""], ["GET", `${configmaps}/a`, {}, ""], ["GET", "/api/v1/namespaces/default/pods/none/log", {}, ""], ["GET", "/version", {}, ""], ["BREW", "/version", {}, ""],
  ] as const) await harness.send(method, target, { headers, body });
  const found = await scrape(harness);
  const told = [...found.samples.values()].filter(({ name, labels }) => name === "apiserver_request_total" && labels["resource"] !== "namespaces").map(({ labels: { verb, dry_run, group, version, resource, subresource, scope, component, code }, value }) => `${verb} ${[dry_run, group, version, resource, subresource, scope, component, code].join("|")} ${value}`);
  assert.deepEqual(told.sort(), [
    "APPLY ||v1|configmaps||resource|apiserver|200 1", "CONNECT ||v1|pods|log|resource|apiserver|404 1", "DELETE ||v1|configmaps||namespace|apiserver|200 1", "DELETE ||v1|configmaps||resource|apiserver|200 1",
    "GET ||||version||apiserver|200 1", "GET ||||metrics||apiserver|200 1", "GET ||v1|configmaps||resource|apiserver|200 1", "GET ||v1|configmaps||resource|apiserver|405 1", "GET ||v1|configmaps||resource|apiserver|404 1", "LIST ||v1|configmaps||cluster|apiserver|200 1", "LIST ||v1|configmaps||namespace|apiserver|200 1",
    "PATCH ||v1|configmaps||resource|apiserver|200 1", "POST All||v1|configmaps||resource|apiserver|201 1", "POST invalid||v1|configmaps||resource|apiserver|422 1", "POST ||v1|configmaps||resource|apiserver|201 1", "PUT ||v1|configmaps||resource|apiserver|200 1", "WATCH ||v1|configmaps||namespace|apiserver|200 1", "other ||||version||apiserver|405 1",
  ].sort());
  assert.equal(valueOf(found, "apiserver_request_duration_seconds_count", { verb: "POST", dry_run: "All" }), 1);
  assert.equal(valueOf(found, "apiserver_request_sli_duration_seconds_count", { verb: "POST", resource: "configmaps" }), 1, "dry runs are not in it");
  assert.deepEqual([valueOf(found, "apiserver_storage_objects", { resource: "configmaps" }), valueOf(found, "apiserver_resource_objects", { group: "", resource: "namespaces" }), valueOf(found, "apiserver_storage_objects", { resource: "deployments.apps" })], [0, 1, 0]);
  assert.deepEqual([valueOf(found, "apiserver_current_inflight_requests", { request_kind: "readOnly" }), valueOf(found, "apiserver_current_inflight_requests", { request_kind: "mutating" })], [1, 1]);
  assertGrown(found, await scrape(harness));
  await harness.close();
});

test("admission is counted by phase and plugin, whoever refused; what is ours alone is not told", async () => {
  const refuse = (name: string, wanted: string): AdmissionStep => ({ name, mutate: ({ name: object }) => { if (object === wanted) throw new ApiError("Forbidden", wanted); } });
  const later = (): Promise<void> => Promise.resolve();
  const harness = await start({ admission: [{ name: "Waits", mutate: later, validate: later }, refuse("First", "one"), { ...refuse("Ours", "none"), isOurs: true }, { name: "Late", mutate: ({ name }) => (name === "two" ? Promise.reject(new ApiError("Forbidden", "two")) : undefined) }] });
  for (const name of ["one", "two", "three"]) await harness.send("POST", configmaps, { headers: json, body: make(name) });
  await harness.send("DELETE", `${configmaps}/three`);
  const found = await scrape(harness);
  const count = (name: string, type: string, rejected: boolean, operation = "CREATE"): number | undefined => valueOf(found, `apiserver_admission_${name === "" ? "step" : "controller"}_admission_duration_seconds_count`, { ...(name === "" ? {} : { name }), type, operation, rejected: String(rejected) });
  // One more is the namespace they are in.
  assert.deepEqual([count("", "admit", false), count("", "admit", true), count("", "validate", false), count("", "validate", true), count("", "admit", false, "DELETE")], [2, 2, 2, undefined, 1]);
  assert.deepEqual([count("LimitRanger", "admit", false), count("Waits", "admit", false), count("Waits", "validate", false), count("First", "admit", false), count("First", "admit", true), count("First", "validate", false), count("Late", "admit", false), count("Late", "admit", true), count("Ours", "admit", false)], [4, 4, 2, 3, 1, undefined, 2, 1, undefined]);
  await harness.close();
});

test("answers to reads say how long they were once they are out; deprecated APIs that were asked for are told", async () => {
  const harness = await start();
  for (const [method, target] of [["GET", configmaps], ["GET", "/api/v1/componentstatuses"], ["DELETE", configmaps]] as const) (await harness.send(method, target)).sent?.add(1_500);
  const found = await scrape(harness);
  assert.deepEqual(["LIST", "DELETE"].map(verb => valueOf(found, "apiserver_response_sizes_sum", { verb, resource: "configmaps" })), [1_500, undefined]);
  assert.deepEqual(["componentstatuses", "configmaps"].map(resource => valueOf(found, "apiserver_requested_deprecated_apis", { resource, version: "v1", removed_release: "" })), [1, undefined]);
  await harness.close();
});

test("time in webhooks and in the queue is not the server's own", async () => {
  let clock: Harness["clock"] | undefined;
  const harness = await start({ postJson: async ({ body }) => {
    await clock?.advance(3_000);
    return { status: 200, body: JSON.stringify({ kind: "AdmissionReview", apiVersion: "admission.k8s.io/v1", response: { uid: (JSON.parse(body) as { readonly request: { readonly uid: string } }).request.uid, allowed: true } }) };
  } });
  ({ clock } = harness);
  const hook = { name: "slow.example.com", clientConfig: { url: "https://hooks/slow" }, rules: [{ operations: ["*"], apiGroups: ["*"], apiVersions: ["*"], resources: ["configmaps"] }], sideEffects: "None", admissionReviewVersions: ["v1"] };
  await harness.send("POST", "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations", { headers: json, body: JSON.stringify({ metadata: { name: "hooks" }, webhooks: [hook] }) });
  assert.equal((await harness.send("POST", configmaps, { headers: json, body: make("a") })).status, 201);
  const found = await scrape(harness);
  const labels = { verb: "POST", resource: "configmaps" };
  assert.deepEqual([valueOf(found, "apiserver_request_duration_seconds_sum", labels), valueOf(found, "apiserver_request_sli_duration_seconds_sum", labels)], [3, 0]);
  assert.equal(valueOf(found, "apiserver_admission_webhook_admission_duration_seconds_sum", { name: "slow.example.com", type: "validating", operation: "CREATE", rejected: "false" }), 3);
  await harness.close();
});

test("what is refused in self-defence is counted as terminated, and the most requests of the last second are told", async () => {
  let release: () => void = () => undefined;
  const held = new Promise<void>(resolve => (release = resolve));
  const harness = await start({ authorizer: allowAll, admission: [{ name: "Wait", mutate: ({ name }) => (name.startsWith("slow") ? held : undefined) }] });
  const slow = Array.from({ length: serverSeats }, (_, i) => harness.send("POST", configmaps, { user: "alice", headers: json, body: make(`slow-${i}`) }));
  await settle();
  assert.equal((await harness.send("POST", configmaps, { user: "alice", headers: json, body: make("late") })).status, 429);
  release();
  await Promise.all(slow);
  const found = await scrape(harness);
  assert.equal(valueOf(found, "apiserver_request_terminations_total", { verb: "POST", resource: "configmaps", code: "429" }), 1);
  assert.equal(valueOf(found, "apiserver_current_inflight_requests", { request_kind: "mutating" }), serverSeats + 1);
  await harness.close();
});

test("DELETE resets the figures of requests, and those of the health checks alone", async () => {
  const harness = await start();
  const get = (path: string): Promise<unknown> => harness.send("GET", path);
  await get("/readyz");
  assert.deepEqual([await harness.send("DELETE", "/metrics/slis").then(({ status, content }) => [status, content])], [[200, { type: "text", text: "metrics reset\n" }]]);
  assert.equal(String(await bodyOf(await harness.send("GET", "/metrics/slis"))), "");
  const totals = async (): Promise<number | undefined> => valueOf(await scrape(harness), "apiserver_request_total", { verb: "GET", subresource: "/readyz", component: "" });
  assert.equal(await totals(), 1);
  await harness.send("DELETE", "/metrics");
  assert.equal(await totals(), undefined);
  await get("/readyz");
  assert.equal(await totals(), 1);
  await harness.close();
});

test("/metrics/slis says how the health checks have gone", async () => {
  const harness = await start();
  assert.equal(String(await bodyOf(await harness.send("GET", "/metrics/slis"))), "");
  for (const path of ["/readyz", "/readyz", "/livez?exclude=log", "/healthz/ping"]) await harness.send("GET", path);
  const found = await scrape(harness, "/metrics/slis");
  assert.deepEqual([valueOf(found, "kubernetes_healthcheck", { name: "etcd", type: "readyz" }), valueOf(found, "kubernetes_healthchecks_total", { name: "etcd", type: "readyz", status: "success" }), valueOf(found, "kubernetes_healthchecks_total", { name: "log", type: "livez" }), valueOf(found, "kubernetes_healthcheck", { name: "ping", type: "healthz" })], [1, 2, undefined, undefined]);
  await harness.close();
});

test("a watch is counted as long as it lasts", async () => {
  const harness = await startHarness();
  const count = async (): Promise<string | undefined> => String(await bodyOf(await harness.send("GET", "/metrics"))).split("\n").find(line => line.startsWith("apiserver_longrunning_requests{"));
  const { content } = await harness.send("GET", "/api/v1/namespaces/default/pods?watch=1");
  assert.equal(await count(), undefined);
  const stop = new AbortController();
  const running = content.type === "stream" ? content.run(new Collector(), stop.signal) : undefined;
  const labels = '{verb="WATCH",group="",version="v1",resource="pods",subresource="",scope="namespace",component="apiserver"}';
  assert.equal(await count(), `apiserver_longrunning_requests${labels} 1`);
  stop.abort();
  await running;
  assert.equal(await count(), `apiserver_longrunning_requests${labels} 0`);
  await harness.close();
});
