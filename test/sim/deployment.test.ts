import assert from "node:assert/strict";
import type { Client } from "../../src/client/client.ts";
import { Deployment } from "../../src/kinds/apps/deployment.ts";
import { ReplicaSet } from "../../src/kinds/apps/replicaset.ts";
import { Pod } from "../../src/kinds/core/pod.ts";
import { Cluster } from "./cluster.ts";
import { calm, rough } from "./faulty-client.ts";
import { runNode } from "./node.ts";
import { property } from "./property.ts";
import { runScheduler } from "./scheduler.ts";

const isLive = (pod: Pod): boolean => pod.metadata.deletionTimestamp === undefined && pod.status.phase !== "Failed";
const isReady = (pod: Pod): boolean => isLive(pod) && pod.status.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true;

property("a Deployment rolls, scales, pauses and goes back within its bounds, and always comes to rest", 8, async (seed, mutant) => {
  const cluster = new Cluster(seed, { faults: rough, crashEveryMs: 4_000, serverCrashEveryMs: 9_000 });
  const { random } = cluster;
  await cluster.start();
  cluster.runControllers(["deployment", "replicaset", "garbagecollector", "node-lifecycle"], (service, name) => (name === "replicaset" && mutant !== undefined ? world => service({ ...world, client: optimistic(world.client) }) : service));
  runScheduler(cluster);
  for (const node of ["n1", "n2", "n3"]) runNode(cluster, node, { pods: "50" });

  const surge = random.between(0, 2);
  const unavailable = surge === 0 ? random.between(1, 2) : random.between(0, 2);
  const recreate = random.chance(0.2);
  let replicas = random.between(3, 8);
  // What was asked for since the last rest: in between, both the old and the new bounds are fair.
  let [most, least] = [replicas, replicas];
  let settled = false;
  const pods = (): readonly Pod[] => cluster.all(Pod);
  cluster.onChange((_type, { kind }) => {
    if (kind !== "Pod" && kind !== "ReplicaSet") return;
    // As upstream, by what ReplicaSets are told: their pods follow a little later.
    const told = cluster.all(ReplicaSet).reduce((total, set) => total + set.spec.replicas, 0);
    if (told > most + (recreate ? 0 : surge)) cluster.violate(`${told} pods asked for, at most ${most} and ${surge} are allowed`);
    const ready = pods().filter(isReady).length;
    if (settled && !recreate && ready < least - unavailable) cluster.violate(`${ready} ready pods, at least ${least} less ${unavailable} are promised`);
    const templates = new Set(pods().filter(isLive).map(pod => pod.metadata.labels?.["pod-template-hash"]));
    if (recreate && templates.size > 1 && settled) cluster.violate("Recreate runs two templates side by side");
  });
  const current = (): Deployment => cluster.all(Deployment)[0]!;
  const patch = (body: object): Promise<unknown> => cluster.run(cluster.admin.patch(Deployment, "default", "web", { type: "strategic", body: body as never }));
  const image = (tag: number): object => ({ spec: { template: { spec: { containers: [{ name: "c", image: `web:v${tag}` }] } } } });
  const isDone = (): boolean => {
    const { status, metadata } = current();
    return status.observedGeneration === metadata.generation && status.updatedReplicas === replicas && status.replicas === replicas && status.availableReplicas === replicas
      && pods().filter(isLive).length === replicas && status.conditions?.find(({ type }) => type === "Progressing")?.reason === "NewReplicaSetAvailable";
  };

  await cluster.run(cluster.admin.create(Deployment, {
    metadata: { name: "web", namespace: "default" },
    spec: {
      replicas, revisionHistoryLimit: 2, selector: { matchLabels: { app: "web" } }, progressDeadlineSeconds: 600,
      strategy: recreate ? { type: "Recreate" } : { type: "RollingUpdate", rollingUpdate: { maxSurge: surge, maxUnavailable: unavailable } },
      template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c", image: "web:v0" }], terminationGracePeriodSeconds: 1 } },
    },
  } as never));
  await cluster.until(isDone, 600_000, "the first rollout");
  assert.equal(current().metadata.generation, 1, "only the user makes generations: the controller writes its revision by way of the status");
  settled = true;

  for (let step = 1; step <= 4; step++) {
    const action = random.pick(["image", "image", "scale", "undo", "paused"]);
    cluster.trace(`user  ${action}`);
    if (action === "scale") {
      const wanted = random.between(1, 8);
      [most, least] = [Math.max(replicas, wanted), Math.min(replicas, wanted)];
      replicas = wanted;
      await patch({ spec: { replicas } });
    } else if (action === "paused") {
      await patch({ spec: { paused: true } });
      await patch(image(step));
      await cluster.clock.pass(random.next() * 2_000);
      await patch({ spec: { paused: false } });
    } else await patch(image(action === "undo" ? random.between(0, step) : step));
    // Sometimes change one's mind in the middle.
    if (random.chance(0.5)) {
      await cluster.clock.pass(random.next() * 1_500);
      await patch(image(random.between(0, 9)));
    }
    await cluster.until(isDone, 900_000, `rest after ${action}`);
    [most, least] = [replicas, replicas];
  }

  cluster.faults = calm;
  await cluster.clock.pass(15_000);
  const sets = cluster.all(ReplicaSet);
  assert.ok(sets.length <= 3, `two old ReplicaSets are kept, not ${sets.length - 1}`);
  const revisions = sets.map(set => Number(set.metadata.annotations?.["deployment.kubernetes.io/revision"]));
  assert.equal(new Set(revisions).size, revisions.length, "revisions are unique");
  assert.equal(current().metadata.annotations?.["deployment.kubernetes.io/revision"], String(Math.max(...revisions)));
  await cluster.stop();
}, ["early-available"]);

/** The mutant: ReplicaSets report every pod that they were asked for as available. */
function optimistic(client: Client): Client {
  return { ...client, updateStatus: (kind, object, options) => client.updateStatus(kind, { ...object, status: { ...object.status, readyReplicas: object.spec.replicas, availableReplicas: object.spec.replicas } }, options) };
}
