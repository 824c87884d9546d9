import assert from "node:assert/strict";
import { test } from "node:test";
import { InvariantViolation } from "../base/assert.ts";
import { ConfigMap } from "../kinds/core/configmap.ts";
import { Event } from "../kinds/core/event.ts";
import { Pod } from "../kinds/core/pod.ts";
import { LocalClient } from "../main/local-client.ts";
import { bodyOf, settle, startHarness, type Harness } from "../../test/transcripts/harness.ts";
import { isApiError } from "../base/api-error.ts";
import { serverSeats } from "./flow-control/shares.ts";
import type { HttpResponse } from "./http.ts";

const json = { "content-type": "application/json" };
const post = (harness: Harness, target: string, body: unknown): Promise<HttpResponse> => harness.send("POST", target, { headers: json, body: JSON.stringify(body) });
const configmaps = "/api/v1/namespaces/default/configmaps";
async function start(more: Parameters<typeof startHarness>[0] = {}): Promise<Harness> {
  const harness = await startHarness(more);
  await post(harness, "/api/v1/namespaces", { metadata: { name: "default" } });
  return harness;
}
const admin = { user: { name: "admin", uid: "", groups: ["system:masters"], extra: {} }, userAgent: "test" };

test("when the server is full a client is told to come again", async () => {
  let release: () => void = () => undefined;
  const held = new Promise<void>(resolve => (release = resolve));
  const harness = await start({ admission: [{ name: "Wait", mutate: ({ name }) => (name.startsWith("slow") ? held : undefined) }], authorizer: () => ({ authorize: () => ({ allowed: true }), rules: () => ({ resourceRules: [], nonResourceRules: [], incomplete: false }) }) });
  const slow = Array.from({ length: serverSeats }, (_, i) => harness.send("POST", configmaps, { user: "alice", headers: json, body: JSON.stringify({ metadata: { name: `slow-${i}` } }) }));
  await settle();
  const refused = await harness.send("POST", configmaps, { user: "alice", headers: json, body: JSON.stringify({ metadata: { name: "late" } }) });
  assert.deepEqual([refused.status, refused.headers["retry-after"]], [429, "1"]);
  assert.equal((await harness.send("GET", configmaps)).status, 200, "an administrator must get in to mend what fills the server");
  release();
  assert.deepEqual([...new Set((await Promise.all(slow)).map(({ status }) => status))], [201]);
  await harness.close();
});

test("a broken invariant answers 500 and ends the process; any other fault only the request", async () => {
  const fatal: Error[] = [];
  const logged: string[] = [];
  const log = { debug() {}, info() {}, warn() {}, error: (message: string) => void logged.push(message), child: () => log };
  const harness = await start({ fatal: error => void fatal.push(error), log, admission: [{ name: "Broken", mutate({ name }) { if (name === "a") throw new InvariantViolation("nope"); if (name === "b") throw new Error("oops"); } }] });
  assert.deepEqual([(await post(harness, configmaps, { metadata: { name: "b" } })).status, fatal.length], [500, 0]);
  assert.deepEqual([(await post(harness, configmaps, { metadata: { name: "a" } })).status, fatal.length], [500, 1]);
  assert.equal(logged.length, 2);
  await harness.close();
});

test("events go an hour after they were last written", async () => {
  const harness = await start();
  const stop = new AbortController();
  const running = harness.api.run(stop.signal);
  const client = new LocalClient(harness.api, admin);
  const event = (name: string) => ({ metadata: { name, namespace: "default" }, involvedObject: { namespace: "default" } });
  await client.create(Event, event("old"));
  await harness.clock.advance(40 * 60_000);
  await client.create(Event, event("new"));
  await harness.clock.advance(22 * 60_000);
  assert.deepEqual((await client.list(Event)).items.map(({ metadata }) => metadata.name), ["new"]);
  await harness.clock.advance(60 * 60_000);
  assert.deepEqual((await client.list(Event)).items, []);
  stop.abort();
  await running;
  await harness.close();
});

test("a client in process sees what a client over HTTP sees", async () => {
  const harness = await start();
  const client = new LocalClient(harness.api, admin);
  const stop = new AbortController();
  const seen: string[] = [];
  const { revision } = await client.list(ConfigMap);
  const watching = (async () => {
    for await (const event of client.watch(ConfigMap, { revision, labelSelector: "app=web" }, stop.signal)) seen.push(event.type === "BOOKMARK" ? `BOOKMARK ${event.revision}` : `${event.type} ${event.object.metadata.name}`);
  })();
  const made = await client.create(ConfigMap, { metadata: { name: "a", namespace: "default", labels: { app: "web" } }, data: { x: "1" } });
  assert.equal(Object.isFrozen(made.data), true);
  const changed = await client.update(ConfigMap, { ...made, data: { x: "2" } });
  await assert.rejects(client.update(ConfigMap, { ...made, data: { x: "3" } }), error => isApiError(error, "Conflict"));
  await client.patch(ConfigMap, "default", "a", { type: "merge", body: { metadata: { labels: { app: "db" } } } });
  await client.create(ConfigMap, { metadata: { name: "b", namespace: "default" } });
  await client.delete(ConfigMap, "default", "a", { preconditions: { uid: changed.metadata.uid } });
  assert.equal(JSON.parse(String(await bodyOf(await harness.send("GET", `${configmaps}/b`)))).metadata.name, "b");
  await settle();
  stop.abort();
  await watching;
  assert.deepEqual(seen, ["ADDED a", "MODIFIED a", "DELETED a", "BOOKMARK 6", "BOOKMARK 7"]);
  await assert.rejects(client.get(ConfigMap, "default", "a"), error => isApiError(error, "NotFound"));
  await assert.rejects(new LocalClient(harness.api, { user: { ...admin.user, groups: [] }, userAgent: "x" }).list(Pod), error => isApiError(error, "Forbidden"));
  await harness.close();
});

test("two writers with the same version never both win", async () => {
  const harness = await start();
  const client = new LocalClient(harness.api, admin);
  const made = await client.create(ConfigMap, { metadata: { name: "a", namespace: "default" } });
  const writes = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => client.update(ConfigMap, { ...made, data: { writer: String(i) } })));
  assert.equal(writes.filter(({ status }) => status === "fulfilled").length, 1);
  const patches = await Promise.allSettled(Array.from({ length: 10 }, (_, i) => client.patch(ConfigMap, "default", "a", { type: "merge", body: { data: { [`key-${i}`]: "x" } } })));
  assert.equal(patches.filter(({ status }) => status === "fulfilled").length, 10);
  assert.equal(Object.keys((await client.get(ConfigMap, "default", "a")).data ?? {}).length, 11);
  await harness.close();
});

test("componentstatuses are answered from what is known, with the warning that goes with them", async () => {
  const harness = await start();
  const list = await harness.send("GET", "/api/v1/componentstatuses");
  assert.deepEqual(JSON.parse(String(await bodyOf(list))).items.map(({ metadata, conditions }: any) => [metadata.name, conditions[0].status, conditions[0].message]), [["controller-manager", "True", "ok"], ["etcd-0", "True", "ok"], ["scheduler", "True", "ok"]]);
  assert.deepEqual(list.headers.warning, ['299 - "v1 ComponentStatus is deprecated in v1.19+"']);
  assert.equal((await harness.send("GET", "/api/v1/componentstatuses/etcd-0")).status, 200);
  assert.deepEqual(await Promise.all([harness.send("GET", "/api/v1/componentstatuses/none"), harness.send("DELETE", "/api/v1/componentstatuses/etcd-0"), harness.send("GET", "/api/v1/componentstatuses?watch=1")].map(async each => (await each).status)), [404, 405, 405]);
  const table = await harness.send("GET", "/api/v1/componentstatuses?fieldSelector=metadata.name%3Dscheduler", { headers: { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" } });
  assert.deepEqual(JSON.parse(String(await bodyOf(table))).rows.map(({ cells }: any) => cells), [["scheduler", "Healthy", "ok", ""]]);
  await harness.close();
});

test("what upstream's strategies say of updates: a version must be named, a status leaves metadata alone, labels of a slice count", async () => {
  const harness = await start();
  const send = async (method: string, path: string, body: object, type = "application/json"): Promise<any> => JSON.parse(String(await bodyOf(await harness.send(method, path, { headers: { "content-type": type }, body: JSON.stringify(body) }))));
  const merge = "application/merge-patch+json";
  const driver = { metadata: { name: "d.example" }, spec: {} };
  await send("POST", "/apis/storage.k8s.io/v1/csidrivers", driver);
  const refused = await send("PUT", "/apis/storage.k8s.io/v1/csidrivers/d.example", driver);
  assert.deepEqual([refused.code, refused.message], [422, 'csidrivers.storage.k8s.io "d.example" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update']);
  await send("POST", "/apis/storage.k8s.io/v1/volumeattachments", { metadata: { name: "a" }, spec: { attacher: "d.example", nodeName: "n", source: { persistentVolumeName: "v" } } });
  const attached = await send("PATCH", "/apis/storage.k8s.io/v1/volumeattachments/a/status", { metadata: { annotations: { note: "n" } }, status: { attached: true } }, merge);
  assert.deepEqual([attached.status.attached, attached.metadata.annotations], [true, undefined]);
  await send("POST", "/api/v1/namespaces", { metadata: { name: "ns" } });
  const slices = "/apis/discovery.k8s.io/v1/namespaces/ns/endpointslices";
  await send("POST", slices, { metadata: { name: "s" }, addressType: "IPv4", endpoints: [] });
  const generations = [await send("PATCH", `${slices}/s`, { metadata: { labels: { a: "b" } } }, merge), await send("PATCH", `${slices}/s`, { metadata: { annotations: { a: "b" } } }, merge)].map(({ metadata }) => metadata.generation);
  assert.deepEqual(generations, [2, 2]);
  const job = await send("POST", "/apis/batch/v1/namespaces/ns/jobs", { metadata: { name: "j" }, spec: { template: { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "i" }] } } } });
  assert.deepEqual(job.metadata.labels, job.spec.template.metadata.labels, "a job without labels has its template's");
  await harness.close();
});

test("what is no object is found by its exact path and answers any method, but where upstream's router answers", async () => {
  const harness = await start();
  const status = async (asked: string): Promise<string> => { const [method = "", path = ""] = asked.split(" "); return `${asked} ${(await harness.send(method, path)).status}`; };
  const wanted = [
    "GET /apis/ 200", "GET /api/v1/ 200", "GET /version/ 200", "GET /openapi/v2/ 404", "GET /openapi/v3/ 404", "GET /healthz/ 404", "GET /metrics/ 404", "GET /healthz/ping 200",
    "POST /apis 200", "PUT /apis/apps 200", "POST /openapi/v3 200", "DELETE /healthz 200", "POST /api 405", "HEAD /version 405", "PUT /apis/apps/v1 405", "HEAD /openapi/v3 200",
  ];
  assert.deepEqual(await Promise.all(wanted.map(each => status(each.slice(0, -4)))), wanted);
  await harness.close();
});

test("versions that are no numbers are refused, and as the client's fault", async () => {
  const harness = await start();
  const said = async (target: string): Promise<readonly unknown[]> => { const answer = await harness.send("GET", target); return [answer.status, JSON.parse(String(await bodyOf(answer))).message]; };
  const why = 'invalid resource version: resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax';
  for (const target of [`${configmaps}/a?`, `${configmaps}?watch=1&`, `${configmaps}?`, "/api/v1/namespaces/default/events/a?"]) assert.deepEqual(await said(`${target}resourceVersion=x`), [400, why]);
  assert.match(String((await said(`${configmaps}?resourceVersion=99999999999999999999`))[1]), /value out of range$/);
  await harness.close();
});

test("a limit range may come without a name, and who makes an object owns what upstream's typed objects say", async () => {
  const harness = await start();
  const made = async (target: string, body: unknown): Promise<any> => JSON.parse(String(await bodyOf(await post(harness, target, body))));
  assert.match((await made("/api/v1/namespaces/default/limitranges", { spec: { limits: [] } })).metadata.name, /^[0-9a-f-]{36}$/);
  const fields = async (target: string, body: unknown): Promise<any> => (await made(target, body)).metadata.managedFields?.[0].fieldsV1;
  assert.deepEqual((await fields("/apis/apps/v1/namespaces/default/controllerrevisions", { metadata: { name: "r" }, data: { a: { b: 1 } }, revision: 1 }))["f:data"], {});
  const template = { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "i" }] } };
  assert.deepEqual((await fields("/apis/apps/v1/namespaces/default/daemonsets", { metadata: { name: "d" }, spec: { selector: { matchLabels: { a: "b" } }, template } }))["f:metadata"], { "f:annotations": { ".": {}, "f:deprecated.daemonset.template.generation": {} } });
  await harness.close();
});
