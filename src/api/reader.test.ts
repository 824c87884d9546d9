import assert from "node:assert/strict";
import { test } from "node:test";
import { startHarness } from "../../test/transcripts/harness.ts";

const names = (objects: readonly any[]): readonly string[] => objects.map(({ metadata }) => `${metadata.namespace ?? ""}/${metadata.name}`);

test("a list that was read before tells what was created, changed and deleted since, in its namespace and in all", async () => {
  const harness = await startHarness();
  const { reader } = harness.api;
  const send = async (method: string, target: string, body?: object) => {
    const { status } = await harness.send(method, target, { headers: { "content-type": "application/json" }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    assert.ok(status < 300, `${method} ${target}: ${status}`);
  };
  const both = () => [names(reader.list("", "configmaps", "a")), names(reader.list("", "configmaps", ""))];
  for (const name of ["a", "ab"]) await send("POST", "/api/v1/namespaces", { metadata: { name } });
  assert.deepEqual(both(), [[], []]);
  await send("POST", "/api/v1/namespaces/a/configmaps", { metadata: { name: "one" } });
  assert.deepEqual(both(), [["a/one"], ["a/one"]]);
  await send("POST", "/api/v1/namespaces/ab/configmaps", { metadata: { name: "two" } });
  assert.deepEqual(both(), [["a/one"], ["a/one", "ab/two"]]);
  await send("PUT", "/api/v1/namespaces/a/configmaps/one", { metadata: { name: "one" }, data: { k: "v" } });
  assert.deepEqual(reader.list("", "configmaps", "a").map(({ data }) => data), [{ k: "v" }]);
  assert.equal(reader.list("", "configmaps", "a"), reader.list("", "configmaps", "a"));
  await send("DELETE", "/api/v1/namespaces/a/configmaps/one");
  assert.deepEqual(both(), [[], ["ab/two"]]);
  assert.deepEqual(names(reader.list("", "namespaces", "")), ["/a", "/ab"]);
  await send("POST", "/api/v1/namespaces", { metadata: { name: "b" } });
  assert.deepEqual(names(reader.list("", "namespaces", "")), ["/a", "/ab", "/b"]);
  await harness.close();
});

test("long lists are read anew", async () => {
  const harness = await startHarness();
  const { reader } = harness.api;
  for (let i = 0; i < 40; i++) await harness.send("POST", "/api/v1/namespaces", { headers: { "content-type": "application/json" }, body: JSON.stringify({ metadata: { name: `n${i}` } }) });
  assert.equal(reader.list("", "namespaces", "").length, 40);
  assert.notEqual(reader.list("", "namespaces", ""), reader.list("", "namespaces", ""));
  await harness.close();
});
