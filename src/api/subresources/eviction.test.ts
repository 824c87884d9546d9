import assert from "node:assert/strict";
import { test } from "node:test";
import { bodyOf, startHarness } from "../../../test/transcripts/harness.ts";

test("an eviction takes one from its pod's budget, whoever else has changed that meanwhile, and is refused when none is left", async () => {
  const harness = await startHarness();
  const send = async (method: string, path: string, body: object, type = "application/json"): Promise<any> => JSON.parse(String(await bodyOf(await harness.send(method, path, method === "GET" ? {} : { headers: { "content-type": type }, body: JSON.stringify(body) }))));
  await send("POST", "/api/v1/namespaces", { metadata: { name: "default" } });
  const pods = "/api/v1/namespaces/default/pods", budgets = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";
  for (const name of ["a", "b"]) {
    await send("POST", pods, { metadata: { name, labels: { app: "web" } }, spec: { containers: [{ name: "c", image: "i" }] } });
    await send("PATCH", `${pods}/${name}/status`, { status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] } }, "application/merge-patch+json");
  }
  const budget = await send("POST", budgets, { metadata: { name: "web" }, spec: { minAvailable: 1, selector: { matchLabels: { app: "web" } } } });
  await send("PATCH", `${budgets}/web/status`, { status: { observedGeneration: budget.metadata.generation, disruptionsAllowed: 1, currentHealthy: 2, desiredHealthy: 1, expectedPods: 2 } }, "application/merge-patch+json");
  const evict = (name: string) => send("POST", `${pods}/${name}/eviction`, { apiVersion: "policy/v1", kind: "Eviction", metadata: { name } });
  const first = await evict("a");
  assert.equal(first.status, "Success", first.message);
  const { status } = await send("GET", `${budgets}/web`, {});
  assert.deepEqual([status.disruptionsAllowed, Object.keys(status.disruptedPods)], [0, ["a"]]);
  const second = await evict("b");
  assert.deepEqual([second.code, second.details?.causes], [429, [{ reason: "DisruptionBudget", message: "The disruption budget web needs 1 healthy pods and has 2 currently" }]]);
  await harness.close();
});
