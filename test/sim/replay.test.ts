import assert from "node:assert/strict";
import { test } from "node:test";
import { Deployment } from "../../src/kinds/apps/deployment.ts";
import { Cluster } from "./cluster.ts";
import { rough } from "./faulty-client.ts";
import { runNode } from "./node.ts";
import { runScheduler } from "./scheduler.ts";

async function hashOf(seed: number): Promise<string> {
  const cluster = new Cluster(seed, { faults: rough, crashEveryMs: 2_000, serverCrashEveryMs: 5_000 });
  await cluster.start();
  cluster.runControllers();
  runScheduler(cluster);
  runNode(cluster, "n1");
  runNode(cluster, "n2");
  await cluster.run(cluster.admin.create(Deployment, {
    metadata: { name: "web", namespace: "default" },
    spec: { replicas: 4, selector: { matchLabels: { app: "web" } }, template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c", image: "web" }] } } },
  } as never));
  await cluster.clock.pass(20_000);
  const { hash } = cluster;
  await cluster.stop();
  return hash;
}

test("a seed replays bit for bit, and another one does not", async () => {
  for (const seed of [1, 2, 3]) assert.equal(await hashOf(seed), await hashOf(seed));
  assert.notEqual(await hashOf(1), await hashOf(2));
});
