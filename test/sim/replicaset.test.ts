import assert from "node:assert/strict";
import { loop } from "../../src/controllers/controller.ts";
import { replicaSetController } from "../../src/controllers/replicaset.ts";
import { ReplicaSet } from "../../src/kinds/apps/replicaset.ts";
import { Pod } from "../../src/kinds/core/pod.ts";
import { Cluster } from "./cluster.ts";
import { rough } from "./faulty-client.ts";
import { runNode } from "./node.ts";
import { property } from "./property.ts";
import { runScheduler } from "./scheduler.ts";

property("a ReplicaSet converges and never has a pod too many, whatever the network does", 10, async (seed, mutant) => {
  const cluster = new Cluster(seed, { faults: rough, crashEveryMs: 3_000, serverCrashEveryMs: 7_000 });
  await cluster.start();
  cluster.runControllers(undefined, (service, name) => (name === "replicaset" && mutant === "stale-reads" ? loop(replicaSetController, mutant) : service));
  runScheduler(cluster);
  runNode(cluster, "n1");
  runNode(cluster, "n2");
  const live = (): readonly Pod[] => cluster.all(Pod).filter(pod => pod.metadata.deletionTimestamp === undefined);
  cluster.onChange(() => { if (live().length > 7) cluster.violate(`${live().length} pods for 7 replicas`); });
  await cluster.run(cluster.admin.create(ReplicaSet, {
    metadata: { name: "web", namespace: "default" },
    spec: { replicas: 7, selector: { matchLabels: { app: "web" } }, template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c", image: "nginx" }] } } },
  } as never));
  await cluster.until(() => live().filter(pod => pod.status.phase === "Running").length === 7, 240_000, "7 running pods");
  const victim = cluster.random.pick(live());
  await cluster.run(cluster.admin.delete(Pod, "default", victim.metadata.name));
  await cluster.until(() => live().length === 7 && live().every(pod => pod.status.phase === "Running" && pod.metadata.uid !== victim.metadata.uid), 240_000, "a replacement");
  assert.equal(cluster.violation, undefined);
  await cluster.stop();
}, ["stale-reads"]);
