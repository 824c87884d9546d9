import { quantityMilli } from "../../src/base/quantity.ts";
import { Node } from "../../src/kinds/core/node.ts";
import { Pod } from "../../src/kinds/core/pod.ts";
import { Cluster } from "./cluster.ts";
import { rough } from "./faulty-client.ts";
import { runNode } from "./node.ts";
import { property } from "./property.ts";
import { runScheduler } from "./scheduler.ts";

property("the scheduler never gives a node more than it has, and gives every pod that fits a node", 8, async (seed, mutant) => {
  const cluster = new Cluster(seed, { faults: rough, crashEveryMs: 4_000, serverCrashEveryMs: 9_000 });
  const { random } = cluster;
  await cluster.start();
  cluster.runControllers(["node-lifecycle"]);
  runScheduler(cluster);
  // The mutant: four schedulers that do not know of each other's decisions.
  if (mutant !== undefined) for (const name of ["scheduler2", "scheduler3", "scheduler4"]) runScheduler(cluster, name);
  for (const node of ["n1", "n2", "n3"]) runNode(cluster, node, { cpu: "4", pods: "20", startMs: 50, stopMs: 50 });
  const milli = (pod: Pod): number => quantityMilli(pod.spec.containers[0]?.resources?.requests?.["cpu"] ?? "0");
  const isRunning = (pod: Pod): boolean => pod.status.phase !== "Succeeded" && pod.status.phase !== "Failed";
  cluster.onChange((_type, { kind }) => {
    if (kind !== "Pod") return;
    const used = new Map<string, number>();
    for (const pod of cluster.all(Pod)) if (pod.spec.nodeName && isRunning(pod)) used.set(pod.spec.nodeName, (used.get(pod.spec.nodeName) ?? 0) + milli(pod));
    for (const [node, cpu] of used) if (cpu > 4_000) cluster.violate(`${node} has 4000m and was given ${cpu}m`);
  });
  const make = (name: string): Promise<unknown> => cluster.run(cluster.admin.create(Pod, {
    metadata: { name, namespace: "default" },
    spec: { terminationGracePeriodSeconds: 1, containers: [{ name: "c", image: "app", resources: { requests: { cpu: `${random.between(2, 12) * 100}m` } } }] },
  } as never));

  await cluster.until(() => cluster.all(Node).length === 3, 60_000, "three nodes");
  // Up to three quarters of what there is, so that everything must find a place.
  const total = (): number => cluster.all(Pod).reduce((sum, pod) => sum + milli(pod), 0);
  for (let i = 0; i < 60; i++) {
    if (total() < (mutant === undefined ? 8_000 : 9_500)) await make(`p${i}`);
    else {
      const victim = random.pick(cluster.all(Pod));
      await cluster.run(cluster.admin.delete(Pod, "default", victim.metadata.name).catch(() => undefined));
    }
    if (random.chance(0.3)) await cluster.clock.pass(random.next() * 300);
  }
  await cluster.until(() => cluster.all(Pod).filter(pod => pod.metadata.deletionTimestamp === undefined).every(pod => pod.status.phase === "Running"), 600_000, "every pod runs");
  await cluster.stop();
}, ["many-schedulers"]);
