import assert from "node:assert/strict";
import { StatefulSet } from "../../src/kinds/apps/statefulset.ts";
import { PersistentVolume } from "../../src/kinds/core/persistentvolume.ts";
import { PersistentVolumeClaim } from "../../src/kinds/core/persistentvolumeclaim.ts";
import { Pod } from "../../src/kinds/core/pod.ts";
import { StorageClass } from "../../src/kinds/storage/storageclass.ts";
import { Cluster } from "./cluster.ts";
import { rough } from "./faulty-client.ts";
import { runNode } from "./node.ts";
import { property } from "./property.ts";
import { runScheduler } from "./scheduler.ts";

property("stateful pods come in order, each with its own volume, which it keeps over updates and scaling", 4, async (seed, mutant) => {
  const cluster = new Cluster(seed, { faults: rough, crashEveryMs: 5_000, serverCrashEveryMs: 12_000 });
  await cluster.start();
  cluster.runControllers();
  runScheduler(cluster);
  for (const node of ["n1", "n2"]) runNode(cluster, node);
  const isReady = (pod: Pod | undefined): boolean => pod?.status.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true;
  const pod = (ordinal: number): Pod | undefined => cluster.all(Pod).find(({ metadata }) => metadata.name === `db-${ordinal}`);
  cluster.onChange((type, object, previous) => {
    if (object.kind !== "Pod" || type === "delete" || previous !== undefined) return;
    const ordinal = Number(object.metadata.name.slice(3));
    for (let before = 0; before < ordinal; before++) if (!isReady(pod(before)) || pod(before)?.metadata.deletionTimestamp !== undefined) cluster.violate(`db-${ordinal} came while db-${before} was not ready`);
  });
  await cluster.run(cluster.admin.create(StorageClass, { metadata: { name: "local", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } }, provisioner: "timonier.io/local-path", volumeBindingMode: "WaitForFirstConsumer", parameters: { path: "/volumes" } } as never));
  const template = (image: string): object => ({ metadata: { labels: { app: "db" } }, spec: { terminationGracePeriodSeconds: 1, containers: [{ name: "c", image }] } });
  await cluster.run(cluster.admin.create(StatefulSet, {
    metadata: { name: "db", namespace: "default" },
    spec: { replicas: 3, serviceName: "db", selector: { matchLabels: { app: "db" } }, template: template("v1"), volumeClaimTemplates: [{ metadata: { name: "data" }, spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } } }], ...(mutant === undefined ? {} : { podManagementPolicy: "Parallel" /* the mutant: no promise of order */ }) },
  } as never));
  const bound = (): number => cluster.all(PersistentVolumeClaim).filter(({ status }) => status.phase === "Bound").length;
  const all = (image: string, count: number): boolean => cluster.all(Pod).length === count && cluster.all(Pod).every(each => isReady(each) && each.spec.containers[0]?.image === image && each.metadata.deletionTimestamp === undefined);
  await cluster.until(() => all("v1", 3) && bound() === 3, 300_000, "three pods with their volumes");
  const volumes = (): string => cluster.all(PersistentVolumeClaim).map(({ metadata, spec }) => `${metadata.name}=${spec.volumeName ?? ""}`).sort().join(" ");
  const before = volumes();
  await cluster.run(cluster.admin.patch(StatefulSet, "default", "db", { type: "merge", body: { spec: { template: template("v2") } } as never }));
  await cluster.until(() => all("v2", 3), 300_000, "an update");
  await cluster.run(cluster.admin.patch(StatefulSet, "default", "db", { type: "merge", body: { spec: { replicas: 1 } } }));
  await cluster.until(() => all("v2", 1), 300_000, "one pod");
  await cluster.run(cluster.admin.patch(StatefulSet, "default", "db", { type: "merge", body: { spec: { replicas: 3 } } }));
  await cluster.until(() => all("v2", 3), 300_000, "three pods again");
  assert.equal(volumes(), before, "the volumes are the same");
  await cluster.run(cluster.admin.delete(StatefulSet, "default", "db", { propagationPolicy: "Background" }));
  await cluster.until(() => cluster.all(Pod).length === 0, 120_000, "no pods");
  assert.equal(bound(), 3, "claims outlive the set");
  for (const claim of cluster.all(PersistentVolumeClaim)) await cluster.run(cluster.admin.delete(PersistentVolumeClaim, "default", claim.metadata.name));
  await cluster.until(() => cluster.all(PersistentVolume).length === 0 && cluster.all(PersistentVolumeClaim).length === 0, 120_000, "volumes that were made go with their claims");
  await cluster.stop();
}, ["unordered"]);
