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
