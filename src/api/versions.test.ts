import assert from "node:assert/strict";
import { test } from "node:test";
import { bodyOf, startHarness } from "../../test/transcripts/harness.ts";

test("who wrote an event in one group is forgotten when it is written in the other", async () => {
  const harness = await startHarness();
  const json = { "content-type": "application/json" };
  await harness.send("POST", "/api/v1/namespaces", { headers: json, body: '{"metadata":{"name":"default"}}' });
  await harness.send("POST", "/api/v1/namespaces/default/events", { headers: json, body: '{"metadata":{"name":"e"},"involvedObject":{"namespace":"default"},"reason":"R"}' });
  const answer = await harness.send("PATCH", "/apis/events.k8s.io/v1/namespaces/default/events/e", { headers: { "content-type": "application/merge-patch+json" }, body: '{"metadata":{"labels":{"a":"b"}}}' });
  assert.deepEqual(JSON.parse(String(await bodyOf(answer))).metadata.managedFields.map(({ apiVersion, fieldsV1 }: any) => [apiVersion, fieldsV1]), [["events.k8s.io/v1", { "f:metadata": { "f:labels": { ".": {}, "f:a": {} } } }]]);
  await harness.close();
});

test("an APIService of this server is available from the first moment, and nobody owns that", async () => {
  const harness = await startHarness();
  const answer = await harness.send("POST", "/apis/apiregistration.k8s.io/v1/apiservices", { headers: { "content-type": "application/json" }, body: '{"metadata":{"name":"v1.q.example.com"},"spec":{"group":"q.example.com","version":"v1","groupPriorityMinimum":100,"versionPriority":10}}' });
  const { metadata, status } = JSON.parse(String(await bodyOf(answer)));
  assert.deepEqual([status.conditions.map(({ type, status: is, reason }: any) => `${type} ${is} ${reason}`), metadata.managedFields.map(({ fieldsV1 }: any) => Object.keys(fieldsV1))], [["Available True Local"], [["f:spec"]]]);
  await harness.close();
});
