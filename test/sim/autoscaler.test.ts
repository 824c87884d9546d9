import assert from "node:assert/strict";
import type { Json } from "../../src/base/json.ts";
import { Deployment } from "../../src/kinds/apps/deployment.ts";
import { HorizontalPodAutoscaler } from "../../src/kinds/autoscaling/horizontalpodautoscaler.ts";
import { Event } from "../../src/kinds/core/event.ts";
import { Pod } from "../../src/kinds/core/pod.ts";
import { Cluster } from "./cluster.ts";
import { rough } from "./faulty-client.ts";
import { runNode } from "./node.ts";
import { property } from "./property.ts";
import { runScheduler } from "./scheduler.ts";

const [least, most, windowMs] = [2, 7, 60_000];

/** Pods share a load between them; each keeps the processor time that it has spent. */
class Load {
  milli = 0;
  readonly #spent = new Map<string, number>();
  #atMs = 0;
  #cluster: Cluster | undefined;
  of(cluster: Cluster): void {
    this.#cluster = cluster;
  }
  set(milli: number): void {
    this.#advance();
    this.milli = milli;
  }
  summary(node: string): Json {
    this.#advance();
    const pods = this.#running().filter(({ spec }) => spec.nodeName === node).map(({ metadata, status }) => ({
      podRef: { name: metadata.name, namespace: metadata.namespace ?? "", uid: metadata.uid }, containers: [{ name: "c", startTime: status.startTime ?? "", cpu: { usageCoreNanoSeconds: Math.round(this.#spent.get(metadata.uid) ?? 0) }, memory: { workingSetBytes: 1 } }],
    }));
    return { node: {}, pods };
  }
  #running(): readonly Pod[] {
    return this.#cluster!.all(Pod).filter(({ metadata, status }) => status.phase === "Running" && metadata.deletionTimestamp === undefined);
  }
  #advance(): void {
    const now = this.#cluster!.clock.monotonic();
    const running = this.#running();
    for (const { metadata } of running) this.#spent.set(metadata.uid, (this.#spent.get(metadata.uid) ?? 0) + (this.milli / running.length) * (now - this.#atMs) * 1000);
    this.#atMs = now;
  }
}

property("an autoscaler follows the load of its pods within its bounds, down only after a while, whatever dies meanwhile", 3, async (seed, mutant) => {
  const load = new Load();
  const cluster = new Cluster(seed, { faults: rough, crashEveryMs: 90_000, serverCrashEveryMs: 120_000, rbac: true, stats: async node => load.summary(node) });
  load.of(cluster);
  await cluster.start();
  cluster.runControllers();
  runScheduler(cluster);
  for (const node of ["n1", "n2"]) runNode(cluster, node);
  let eased = Infinity;
  cluster.onChange((type, object, previous) => {
    if (object.kind !== "Deployment" || type === "delete" || previous === undefined) return;
    const [before, after] = [previous.spec.replicas, object.spec.replicas];
    if (before === after) return;
    if (after < least || after > most) cluster.violate(`${after} pods, where ${least} to ${most} are allowed`);
    if (after < before && cluster.clock.monotonic() < eased + windowMs) cluster.violate(`from ${before} to ${after} pods before the load had been low for a while`);
  });
  await cluster.run(cluster.admin.create(Deployment, {
    metadata: { name: "web", namespace: "default" },
    spec: { replicas: 3, selector: { matchLabels: { app: "web" } }, template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c", image: "web:1", resources: { requests: { cpu: "100m" } } }] } } },
  } as never));
  load.set(3 * 50);
  await cluster.run(cluster.admin.create(HorizontalPodAutoscaler, {
    metadata: { name: "web", namespace: "default" },
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" }, minReplicas: least, maxReplicas: mutant === "no-bound" ? 50 : most,
      metrics: [{ type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } } }], behavior: { scaleDown: { stabilizationWindowSeconds: mutant === "no-patience" ? 0 : windowMs / 1000 } },
    },
  } as never));
  const replicas = (): number => cluster.all(Deployment)[0]?.spec.replicas ?? 0;
  const shown = () => cluster.all(HorizontalPodAutoscaler)[0]!.status;
  await cluster.until(() => shown().conditions?.some(({ type, status }) => type === "ScalingActive" && status === "True") === true, 400_000, "a first measurement");
  assert.equal(replicas(), 3, "what fits is left alone");
  load.set(5 * 50);
  // Six stay six: rounded up they are what 42 % asks for.
  await cluster.until(() => [5, 6].includes(replicas()), 600_000, "five pods, or six");
  load.set(30 * 50);
  await cluster.until(() => replicas() === most || (mutant !== undefined && replicas() > most), 600_000, "the most");
  await cluster.until(() => shown().conditions?.some(({ type, status, reason }) => type === "ScalingLimited" && status === "True" && reason === "TooManyReplicas") === true || mutant !== undefined, 300_000, "that it is limited");
  load.set(1);
  eased = cluster.clock.monotonic();
  await cluster.until(() => replicas() === least, 900_000, "the least");
  await cluster.until(() => shown().currentReplicas === least && shown().desiredReplicas === least, 300_000, "the status");
  assert.ok(cluster.all(Event).some(({ reason, message }) => reason === "SuccessfulRescale" && /^New size: \d; reason: (cpu resource utilization \(percentage of request\) above target|All metrics below target)$/.test(message ?? "")));
  await cluster.stop();
}, ["no-bound", "no-patience"]);
