import assert from "node:assert/strict";
import { msOf } from "../../src/base/time.ts";
import { Deployment } from "../../src/kinds/apps/deployment.ts";
import { Endpoints } from "../../src/kinds/core/endpoints.ts";
import { Pod } from "../../src/kinds/core/pod.ts";
import { Service } from "../../src/kinds/core/service.ts";
import { EndpointSlice } from "../../src/kinds/discovery/endpointslice.ts";
import { Cluster } from "./cluster.ts";
import { calm, rough } from "./faulty-client.ts";
import { runNode } from "./node.ts";
import { property } from "./property.ts";
import { runScheduler } from "./scheduler.ts";

property("endpoints are the ready pods, within 100 ms of a change, and are written only when they change", 5, async (seed, mutant) => {
  const cluster = new Cluster(seed, { faults: mutant === "slow-watch" ? { ...calm, watchLagMs: 400 } : calm });
  const { random, clock } = cluster;
  await cluster.start();
  cluster.runControllers();
  runScheduler(cluster);
  for (const node of ["n1", "n2"]) runNode(cluster, node, { pods: "50" });
  const app = { app: "web" };
  await cluster.run(cluster.admin.create(Service, { metadata: { name: "web", namespace: "default", labels: app }, spec: { selector: app, ports: [{ name: "http", port: 80, targetPort: 8080 }] } } as never));
  await cluster.run(cluster.admin.create(Deployment, { metadata: { name: "web", namespace: "default" }, spec: { replicas: 5, selector: { matchLabels: app }, template: { metadata: { labels: app }, spec: { terminationGracePeriodSeconds: 2, containers: [{ name: "c", image: "web" }] } } } } as never));

  const ready = (): string => cluster.all(Pod).filter(pod => pod.metadata.deletionTimestamp === undefined && pod.status.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true).map(pod => pod.status.podIP ?? "").sort().join(" ");
  const inSlices = (): string => cluster.all(EndpointSlice).flatMap(slice => slice.endpoints).filter(endpoint => endpoint.conditions.ready === true).flatMap(endpoint => endpoint.addresses).sort().join(" ");
  const inEndpoints = (): string => cluster.all(Endpoints).flatMap(({ subsets = [] }) => subsets.flatMap(({ addresses = [] }) => addresses.map(({ ip }) => ip))).sort().join(" ");
  let changedAt = 0;
  let [changes, sliceWrites] = [0, 0];
  let last = ready();
  cluster.onChange((_type, { kind }) => {
    if (kind === "EndpointSlice") sliceWrites++;
    if (kind !== "Pod") return;
    changes++;
    if (ready() === last) return;
    last = ready();
    changedAt = clock.monotonic();
  });
  const isCurrent = (): boolean => inSlices() === ready() && inEndpoints() === ready();
  for (let i = 0; i < 12; i++) {
    await cluster.until(() => ready().split(" ").filter(Boolean).length === 5, 60_000, "five ready pods");
    await cluster.until(isCurrent, 10_000, "endpoints equal the ready pods");
    if (changedAt > 0) assert.ok(clock.monotonic() - changedAt <= 100, `endpoints followed ${Math.round(clock.monotonic() - changedAt)} ms after the pods`);
    const victim = random.pick(cluster.all(Pod).filter(pod => pod.metadata.deletionTimestamp === undefined));
    await cluster.run(cluster.admin.delete(Pod, "default", victim.metadata.name));
    // The deleted pod is out at once although it still ends.
    const deletedAt = clock.monotonic();
    await cluster.until(() => !inSlices().split(" ").includes(victim.status.podIP ?? ""), 10_000, "the deleted pod is out");
    assert.ok(clock.monotonic() - deletedAt <= 100, "a deleted pod is out within 100 ms");
  }
  await clock.pass(2_000);
  assert.ok(sliceWrites <= changes, `${sliceWrites} slice writes for ${changes} pod changes`);
  const before = sliceWrites;
  await clock.pass(60_000);
  assert.equal(sliceWrites, before, "at rest nothing is written");
  assert.equal(cluster.all(EndpointSlice).length, 1, "one slice is enough");
  const trigger = cluster.all(EndpointSlice)[0]!.metadata.annotations?.["endpoints.kubernetes.io/last-change-trigger-time"];
  assert.ok(trigger === undefined || msOf(trigger) <= clock.now());
  await cluster.stop();
}, ["slow-watch"]);

property("endpoints come to equal the ready pods, whatever the network does", 5, async seed => {
  const cluster = new Cluster(seed, { faults: rough, crashEveryMs: 3_000, serverCrashEveryMs: 8_000 });
  const { random } = cluster;
  await cluster.start();
  cluster.runControllers(["endpoints", "endpointslice", "replicaset", "deployment", "node-lifecycle"]);
  runScheduler(cluster);
  for (const node of ["n1", "n2"]) runNode(cluster, node, { pods: "50" });
  const app = { app: "web" };
  await cluster.run(cluster.admin.create(Service, { metadata: { name: "web", namespace: "default" }, spec: { selector: app, ports: [{ port: 80 }] } } as never));
  await cluster.run(cluster.admin.create(Deployment, { metadata: { name: "web", namespace: "default" }, spec: { replicas: 6, selector: { matchLabels: app }, template: { metadata: { labels: app }, spec: { terminationGracePeriodSeconds: 1, containers: [{ name: "c", image: "web" }] } } } } as never));
  const running = (): string => cluster.all(Pod).filter(pod => pod.metadata.deletionTimestamp === undefined && pod.status.phase === "Running").map(pod => pod.status.podIP ?? "").sort().join(" ");
  const served = (): string => cluster.all(EndpointSlice).flatMap(slice => slice.endpoints).filter(endpoint => endpoint.conditions.ready === true).flatMap(endpoint => endpoint.addresses).sort().join(" ");
  for (let i = 0; i < 4; i++) {
    await cluster.until(() => running().split(" ").filter(Boolean).length === 6 && served() === running(), 300_000, "endpoints equal six running pods");
    await cluster.run(cluster.admin.delete(Pod, "default", random.pick(cluster.all(Pod)).metadata.name).catch(() => undefined));
    await cluster.clock.pass(500);
  }
  await cluster.stop();
});
