import assert from "node:assert/strict";
import { Deployment } from "../../src/kinds/apps/deployment.ts";
import { Node } from "../../src/kinds/core/node.ts";
import { Pod } from "../../src/kinds/core/pod.ts";
import { Cluster } from "./cluster.ts";
import { rough } from "./faulty-client.ts";
import { runNode } from "./node.ts";
import { property } from "./property.ts";
import { runScheduler } from "./scheduler.ts";

property("a silent node is noticed after its grace, emptied after its pods' toleration, and welcome when it is back; others are left alone", 4, async (seed, mutant) => {
  const cluster = new Cluster(seed, { faults: rough, crashEveryMs: 150_000, serverCrashEveryMs: 100_000, ...(mutant === undefined ? {} : { settings: { nodeGraceMs: 12_000 } }) });
  const { clock } = cluster;
  let silentSince = Infinity;
  let firstSilent = Infinity;
  await cluster.start();
  cluster.runControllers();
  runScheduler(cluster);
  runNode(cluster, "n1");
  runNode(cluster, "n2");
  runNode(cluster, "n3", { silent: () => clock.monotonic() >= silentSince });
  const ready = (name: string): string | undefined => cluster.all(Node).find(node => node.metadata.name === name)?.status.conditions?.find(({ type }) => type === "Ready")?.status;
  const taints = (): string => (cluster.all(Node).find(node => node.metadata.name === "n3")?.spec.taints ?? []).map(({ key, effect }) => `${key}:${effect}`).sort().join(" ");
  cluster.onChange(() => {
    for (const name of ["n1", "n2"]) if (ready(name) === "Unknown") cluster.violate(`${name} renews its lease and is called Unknown`);
    if (ready("n3") === "Unknown" && clock.monotonic() < firstSilent + 35_000) cluster.violate("n3 is called Unknown before its grace is over");
  });
  await cluster.until(() => cluster.all(Node).length === 3 && cluster.all(Node).every(node => (node.spec.taints ?? []).length === 0), 120_000, "three nodes");
  await cluster.run(cluster.admin.create(Deployment, {
    metadata: { name: "web", namespace: "default" },
    spec: { replicas: 6, selector: { matchLabels: { a: "b" } }, template: { metadata: { labels: { a: "b" } }, spec: { terminationGracePeriodSeconds: 1, containers: [{ name: "c", image: "web" }] } } },
  } as never));
  const on = (node: string): readonly Pod[] => cluster.all(Pod).filter(pod => pod.spec.nodeName === node);
  const running = (): number => cluster.all(Pod).filter(pod => pod.metadata.deletionTimestamp === undefined && pod.status.phase === "Running").length;
  await cluster.until(() => running() === 6 && on("n3").length > 0, 300_000, "six running pods");
  await clock.pass(100_000);

  silentSince = firstSilent = clock.monotonic();
  // The grace starts anew when controllers or server do, hence the room.
  await cluster.until(() => ready("n3") === "Unknown", 400_000, "n3 is noticed");
  await cluster.until(() => taints() === "node.kubernetes.io/unreachable:NoExecute node.kubernetes.io/unreachable:NoSchedule", 60_000, "n3 is tainted");
  const taintedAt = clock.monotonic();
  await cluster.until(() => on("n3").every(pod => pod.status.conditions?.some(({ type, status }) => type === "Ready" && status === "False") === true), 30_000, "its pods are not ready");
  await cluster.until(() => on("n3").every(pod => pod.metadata.deletionTimestamp !== undefined), 400_000, "its pods are evicted");
  assert.ok(clock.monotonic() - taintedAt >= 290_000, `pods tolerate five minutes, not ${Math.round((clock.monotonic() - taintedAt) / 1000)} s`);
  await cluster.until(() => cluster.all(Pod).filter(pod => pod.spec.nodeName !== "n3" && pod.status.phase === "Running").length === 6, 120_000, "they run elsewhere");

  silentSince = Infinity;
  await cluster.until(() => ready("n3") === "True" && taints() === "" && on("n3").every(pod => pod.metadata.deletionTimestamp === undefined), 120_000, "n3 is back");
  await cluster.stop();
}, ["short-grace"]);

property("a node that falls silent is noticed by its grace, however long ago it was last looked at", 4, async (seed, mutant) => {
  const cluster = new Cluster(seed, mutant === undefined ? {} : { settings: { nodeGraceMs: 90_000 } });
  let silent = false;
  await cluster.start();
  cluster.runControllers();
  runNode(cluster, "n1", { silent: () => silent });
  const ready = (): string | undefined => cluster.all(Node)[0]?.status.conditions?.find(({ type }) => type === "Ready")?.status;
  await cluster.until(() => ready() === "True", 60_000, "a node");
  await cluster.clock.pass(cluster.random.next() * 200_000);
  silent = true;
  const since = cluster.clock.monotonic();
  await cluster.until(() => ready() === "Unknown", 120_000, "noticed");
  assert.ok(cluster.clock.monotonic() - since <= 51_000, `noticed after ${cluster.clock.monotonic() - since} ms`);
  await cluster.stop();
}, ["long-grace"]);
