import assert from "node:assert/strict";
import type { Client } from "../../src/client/client.ts";
import { Job } from "../../src/kinds/batch/job.ts";
import { Pod } from "../../src/kinds/core/pod.ts";
import { Cluster } from "./cluster.ts";
import { rough } from "./faulty-client.ts";
import { runNode } from "./node.ts";
import { property } from "./property.ts";
import { runScheduler } from "./scheduler.ts";

const tracked = (pod: Pod): boolean => pod.metadata.finalizers?.includes("batch.kubernetes.io/job-tracking") === true;

property("a job counts each of its pods exactly once, and leaves none of them held", 5, async (seed, mutant) => {
  const cluster = new Cluster(seed, { faults: rough, crashEveryMs: 5_000, serverCrashEveryMs: 12_000 });
  const { random } = cluster;
  await cluster.start();
  cluster.runControllers(undefined, (service, name) => (mutant !== undefined && name === "job" ? world => service({ ...world, client: forgetful(world.client) }) : service));
  runScheduler(cluster);
  const outcomes = new Map<string, "Succeeded" | "Failed">();
  const ends = (pod: Pod): "Succeeded" | "Failed" => {
    const known = outcomes.get(pod.metadata.uid) ?? (random.chance(0.3) ? "Failed" : "Succeeded");
    outcomes.set(pod.metadata.uid, known);
    return known;
  };
  for (const node of ["n1", "n2"]) runNode(cluster, node, { ends });
  const finished = new Map<string, string>();
  cluster.onChange((type, object) => {
    if (object.kind === "Pod" && type === "put" && (object.status.phase === "Succeeded" || object.status.phase === "Failed")) finished.set(object.metadata.uid, object.status.phase);
    if ([...finished.values()].filter(each => each === "Succeeded").length > 6) cluster.violate("more pods succeeded than were asked for");
  });
  const indexed = random.chance(0.5);
  await cluster.run(cluster.admin.create(Job, {
    metadata: { name: "sums", namespace: "default" },
    spec: { completions: 6, parallelism: 3, backoffLimit: 100, completionMode: indexed ? "Indexed" : "NonIndexed", template: { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "i" }] } } },
  } as never));
  const job = (): Job => cluster.all(Job)[0]!;
  await cluster.until(() => job().status.conditions?.some(({ type, status }) => type === "Complete" && status === "True") === true, mutant === undefined ? 1_800_000 : 200_000, "the job is complete");
  const count = (phase: string): number => [...finished.values()].filter(each => each === phase).length;
  assert.deepEqual([job().status.succeeded, job().status.failed ?? 0, job().status.uncountedTerminatedPods], [indexed ? 6 : count("Succeeded"), count("Failed"), {}], "every end is counted once");
  assert.ok((job().status.succeeded ?? 0) === 6, `six successes were asked for, ${job().status.succeeded} were had`);
  await cluster.until(() => !cluster.all(Pod).some(tracked), 120_000, "no pod is held");
  await cluster.run(cluster.admin.delete(Job, "default", "sums", { propagationPolicy: "Background" }));
  await cluster.until(() => cluster.all(Pod).length === 0, 120_000, "all pods are gone");
  await cluster.stop();
}, ["forgets-the-uncounted"]);

property("a pod that leaves its job is not held by it", 3, async seed => {
  const cluster = new Cluster(seed, { faults: rough, crashEveryMs: 5_000 });
  await cluster.start();
  cluster.runControllers();
  runScheduler(cluster);
  runNode(cluster, "n1");
  await cluster.run(cluster.admin.create(Job, { metadata: { name: "long", namespace: "default" }, spec: { template: { spec: { restartPolicy: "Never", terminationGracePeriodSeconds: 1, containers: [{ name: "c", image: "i" }] } } } } as never));
  await cluster.until(() => cluster.all(Pod).some(({ status }) => status.phase === "Running"), 120_000, "a running pod");
  const stray = cluster.all(Pod)[0]!;
  await cluster.run(cluster.admin.patch(Pod, "default", stray.metadata.name, { type: "merge", body: { metadata: { labels: null } } }));
  await cluster.until(() => cluster.all(Pod).some(pod => pod.metadata.uid === stray.metadata.uid && !tracked(pod) && (pod.metadata.ownerReferences ?? []).length === 0), 120_000, "it is released");
  await cluster.until(() => cluster.all(Pod).some(pod => pod.metadata.uid !== stray.metadata.uid && pod.status.phase === "Running"), 120_000, "and replaced");
  await cluster.run(cluster.admin.delete(Pod, "default", stray.metadata.name));
  await cluster.until(() => !cluster.all(Pod).some(pod => pod.metadata.uid === stray.metadata.uid), 120_000, "and can be deleted");
  await cluster.stop();
});

/** The mutant: which pods are not counted yet is never written down. */
function forgetful(client: Client): Client {
  return { ...client, updateStatus: (kind, object, options) => client.updateStatus(kind, { ...object, status: { ...object.status, uncountedTerminatedPods: {} } }, options) };
}
