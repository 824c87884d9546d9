import assert from "node:assert/strict";
import { test } from "node:test";
import { bodyOf, startHarness } from "../../test/transcripts/harness.ts";

const pods = "/api/v1/namespaces/default/pods";

test("what a strategic patch makes of a pod is refused in the words of upstream's converter, with the patch as Go prints it", async () => {
  const harness = await startHarness();
  const send = (method: string, target: string, body: unknown, type = "application/json") => harness.send(method, target, { headers: { "content-type": type }, body: JSON.stringify(body) });
  await send("POST", "/api/v1/namespaces", { metadata: { name: "default" } });
  assert.equal((await send("POST", pods, { metadata: { name: "p" }, spec: { containers: [{ name: "c", image: "x" }] } })).status, 201);
  const refused = async (body: unknown): Promise<string> => {
    const answer = await send("PATCH", `${pods}/p`, body, "application/strategic-merge-patch+json");
    assert.equal(answer.status, 422);
    return JSON.parse(String(await bodyOf(answer))).message;
  };
  for (const [patch, text] of [
    [{ metadata: { labels: "invalid" } }, '"map[metadata:map[labels:invalid]]": cannot restore map from string'],
    [{ metadata: { labels: { a: 1 } } }, '"map[metadata:map[labels:map[a:1]]]": cannot convert int64 to string'],
    [{ spec: "x" }, '"map[spec:x]": cannot restore struct from: string'],
    [{ spec: { containers: "x" } }, '"map[spec:map[containers:x]]": cannot restore slice from string'],
    [{ spec: { activeDeadlineSeconds: "x" } }, '"map[spec:map[activeDeadlineSeconds:x]]": unrecognized type: int64'],
    [{ spec: { priority: 1.5 } }, '"map[spec:map[priority:1.5]]": cannot convert float64 to int32'],
    [{ spec: { hostNetwork: [] } }, '"map[spec:map[hostNetwork:[]]]": unrecognized type: bool'],
  ] as const) assert.equal(await refused(patch), ` "" is invalid: patch: Invalid value: ${text}`);
  await harness.close();
});

test("a patch need not name its object, and may not name another", async () => {
  const harness = await startHarness();
  await harness.send("POST", "/api/v1/namespaces", { headers: { "content-type": "application/json" }, body: '{"metadata":{"name":"default"}}' });
  const send = async (name: string, type: string, metadata: unknown): Promise<any> => {
    const body = { apiVersion: "v1", kind: "ConfigMap", ...(metadata === undefined ? {} : { metadata }) };
    return JSON.parse(String(await bodyOf(await harness.send("PATCH", `/api/v1/namespaces/default/configmaps/${name}?fieldManager=m`, { headers: { "content-type": `application/${type}` }, body: JSON.stringify(body) }))));
  };
  const [apply, merge, strategic] = ["apply-patch+yaml", "merge-patch+json", "strategic-merge-patch+json"] as const;
  assert.equal((await send("a", apply, undefined)).message, "the name of the object (a based on URL) was undeterminable: name must be provided");
  assert.equal((await send("a", apply, { uid: "u" })).message, 'Operation cannot be fulfilled on configmaps "a": uid mismatch: the provided object specified uid u, and no existing object was found');
  assert.equal((await send("a", apply, { name: "a", labels: { x: "y" } })).metadata.managedFields.length, 1);
  // Quirk, as upstream: what this manager applied of metadata goes, and with it the name, if metadata is not mentioned any more.
  assert.equal((await send("a", apply, undefined)).reason, "BadRequest");
  assert.equal((await send("a", apply, { name: "a", creationTimestamp: 5 })).message, "failed to convert new object (/a; /v1, Kind=ConfigMap) to proper version: unable to convert unstructured object to /v1, Kind=ConfigMap: json: cannot unmarshal number into Go value of type string");
  for (const metadata of [null, {}, undefined]) {
    const answer = await send("a", apply, metadata);
    assert.equal(answer.kind, "ConfigMap");
    assert.equal(answer.metadata.managedFields, undefined, "nobody owns metadata itself");
  }
  for (const type of [apply, merge, strategic]) {
    assert.equal((await send("a", type, { name: "b" })).message, "the name of the object (b) does not match the name on the URL (a)");
    assert.equal((await send("a", type, { name: null })).message, "the name of the object (a based on URL) was undeterminable: name must be provided");
    assert.equal((await send("a", type, { name: "b", namespace: "other" })).message, "the namespace of the provided object does not match the namespace sent on the request");
    assert.equal((await send("a", type, { uid: "u" })).message, 'ConfigMap "a" is invalid: metadata.uid: Invalid value: "u": field is immutable');
  }
  await harness.close();
});
