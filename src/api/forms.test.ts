import assert from "node:assert/strict";
import { test } from "node:test";
import { bodyOf, startHarness } from "../../test/transcripts/harness.ts";

const json = { "content-type": "application/json" };
const table = "application/json;as=Table;v=v1;g=meta.k8s.io";
const containers = [{ name: "c", image: "i" }];
async function start() {
  const harness = await startHarness();
  const send = async (method: string, path: string, accept = "", body?: unknown) => {
    const answer = await harness.send(method, path, { headers: { ...json, ...(accept === "" ? {} : { accept }) }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    const text = String(await bodyOf(answer));
    return { ...answer, text, object: text.startsWith("{") ? JSON.parse(text) : undefined };
  };
  await send("POST", "/api/v1/namespaces", "", { metadata: { name: "default" } });
  return { harness, send };
}

test("tables: rows that are done say so, flow schemas come in their order, addresses have an age that is not announced", async () => {
  const { harness, send } = await start();
  await send("POST", "/api/v1/namespaces/default/pods", "", { metadata: { name: "p" }, spec: { containers } });
  await harness.send("PATCH", "/api/v1/namespaces/default/pods/p/status", { headers: { "content-type": "application/merge-patch+json" }, body: JSON.stringify({ status: { phase: "Failed" } }) });
  const [row] = (await send("GET", "/api/v1/namespaces/default/pods", table)).object.rows;
  assert.deepEqual([Object.keys(row), row.conditions[0].reason], [["cells", "conditions", "object"], "Failed"]);
  const flow = "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas";
  for (const [name, matchingPrecedence] of [["a", 900], ["z", 7]] as const) await send("POST", flow, "", { metadata: { name }, spec: { matchingPrecedence, priorityLevelConfiguration: { name: "x" } } });
  assert.deepEqual((await send("GET", flow, table)).object.rows.map(({ cells }: any) => cells[0]).filter((name: string) => name.length === 1), ["z", "a"]);
  await send("POST", "/apis/networking.k8s.io/v1/ipaddresses", "", { metadata: { name: "10.1.1.1" }, spec: { parentRef: { resource: "services", name: "s", namespace: "default" } } });
  const addresses = (await send("GET", "/apis/networking.k8s.io/v1/ipaddresses/10.1.1.1", table)).object;
  assert.deepEqual([addresses.columnDefinitions.length, addresses.rows[0].cells.length], [2, 3]);
  await harness.close();
});

test("subresources: a scale has columns of its own, what is only written cannot be read, a view without columns is no table, HEAD is not served", async () => {
  const { harness, send } = await start();
  await send("POST", "/apis/apps/v1/namespaces/default/deployments", "", { metadata: { name: "d" }, spec: { replicas: 3, selector: { matchLabels: { a: "b" } }, template: { metadata: { labels: { a: "b" } }, spec: { containers } } } });
  await send("POST", "/api/v1/namespaces/default/pods", "", { metadata: { name: "p" }, spec: { containers } });
  const scale = "/apis/apps/v1/namespaces/default/deployments/d/scale";
  assert.deepEqual((await send("GET", scale, table)).object.rows[0].cells.slice(0, 3), ["d", 3, 0]);
  assert.equal((await send("GET", scale, "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io")).object.spec, undefined);
  assert.equal((await send("GET", scale, "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io")).object.message, "you requested PartialObjectMetadataList, but the requested object is not a list (*autoscaling.Scale)");
  const statuses = await Promise.all([["GET", "/api/v1/namespaces/default/pods/p/resize", table], ["GET", "/api/v1/namespaces/default/pods/p/resize"], ["GET", "/api/v1/namespaces/default/finalize"], ["HEAD", "/api/v1/namespaces/default"], ["HEAD", "/api/v1/pods"]].map(async ([method = "", path = "", accept = ""]) => (await send(method, path, accept)).status));
  assert.deepEqual(statuses, [406, 200, 405, 405, 405]);
  await harness.close();
});

test("YAML is YAML, indented JSON ends without a new line, discovery comes in protobuf, too", async () => {
  const { harness, send } = await start();
  assert.equal((await send("GET", "/apis/apps", "application/yaml")).text, "apiVersion: v1\nkind: APIGroup\nname: apps\npreferredVersion:\n  groupVersion: apps/v1\n  version: v1\nversions:\n- groupVersion: apps/v1\n  version: v1\n");
  assert.match((await send("GET", "/api/v1/namespaces?limit=1", "application/yaml")).text, /^apiVersion: v1\nitems:\n- metadata:\n/);
  assert.match((await send("GET", "/api/v1/namespaces/none", "application/yaml")).text, /^apiVersion: v1\ncode: 404\n/);
  for (const path of ["/version", "/", "/api?pretty=1", "/api/v1/namespaces/default?pretty=true"]) assert.match((await send("GET", path)).text, /^\{\n {2}".*\}$/s);
  // Path and Accept → status, type
  const protobuf = "application/vnd.kubernetes.protobuf", aggregated = ";g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
  const wanted = [
    ["/apis", protobuf, 200, protobuf], ["/apis/apps", protobuf, 200, protobuf], ["/apis/apps/v1", protobuf, 200, protobuf], ["/api", protobuf, 200, protobuf], ["/apis", protobuf + aggregated, 200, protobuf + aggregated],
    ["/apis", `application/yaml${aggregated}`, 200, `application/yaml${aggregated}`], ["/version", protobuf, 406, protobuf], ["/version", "text/plain", 406, "application/json"], ["/", "text/plain", 200, "application/json"], ["/openapi/v3", "text/plain", 200, "text/plain; charset=utf-8"],
    ["/apis/apps", table, 406, "application/json"], ["/apis/apps/v1", "application/*", 406, "application/json"], ["/apis/apps", "application/*", 200, "application/json"],
  ] as const;
  assert.deepEqual(await Promise.all(wanted.map(async ([path, accept]) => { const { status, headers } = await send("GET", path, accept); return [path, accept, status, headers["content-type"]]; })), wanted);
  await harness.close();
});
