import { ConfigMap } from "../../src/kinds/core/configmap.ts";
import { Deployment } from "../../src/kinds/apps/deployment.ts";
import { Endpoints } from "../../src/kinds/core/endpoints.ts";
import { Namespace } from "../../src/kinds/core/namespace.ts";
import { Node } from "../../src/kinds/core/node.ts";
import { Pod } from "../../src/kinds/core/pod.ts";
import { Service } from "../../src/kinds/core/service.ts";
import { EndpointSlice } from "../../src/kinds/discovery/endpointslice.ts";
import { Cluster } from "./cluster.ts";
import { runNode } from "./node.ts";
import { property } from "./property.ts";
import { runScheduler } from "./scheduler.ts";

property("every controller gets by with the rights of its default role", 2, async seed => {
  const cluster = new Cluster(seed, { rbac: true, settings: { terminatedPodsMax: 2 } });
  let silent = false;
  await cluster.start();
  const { clock, admin } = cluster;
  cluster.runControllers();
  runScheduler(cluster);
  runNode(cluster, "n1");
  runNode(cluster, "n2", { silent: () => silent });
  const labels = { app: "web" };
  const template = (image: string): object => ({ metadata: { labels }, spec: { terminationGracePeriodSeconds: 1, containers: [{ name: "c", image }] } });
  const running = (): number => cluster.all(Pod).filter(pod => pod.metadata.deletionTimestamp === undefined && pod.status.phase === "Running").length;
  await cluster.until(() => cluster.all(Node).length === 2 && cluster.all(Node).every(node => (node.spec.taints ?? []).length === 0), 60_000, "two nodes");
  await cluster.run(admin.create(Namespace, { metadata: { name: "shop" } }));
  await cluster.run(admin.create(Deployment, { metadata: { name: "web", namespace: "shop" }, spec: { replicas: 4, revisionHistoryLimit: 0, selector: { matchLabels: labels }, template: template("v1") } } as never));
  await cluster.run(admin.create(Service, { metadata: { name: "web", namespace: "shop" }, spec: { selector: labels, ports: [{ port: 80 }] } } as never));
  await cluster.run(admin.create(Service, { metadata: { name: "byhand", namespace: "shop" }, spec: { ports: [{ port: 80 }] } } as never));
  await cluster.run(admin.create(Endpoints, { metadata: { name: "byhand", namespace: "shop" }, subsets: [{ addresses: [{ ip: "192.0.2.1" }], ports: [{ port: 80 }] }] } as never));
  await cluster.until(() => running() === 4 && cluster.all(EndpointSlice).some(slice => slice.endpoints.length === 4), 60_000, "four pods behind a service");
  await cluster.run(admin.patch(Deployment, "shop", "web", { type: "merge", body: { spec: { template: template("v2") } } as never }));
  await cluster.until(() => cluster.all(Deployment)[0]?.status.updatedReplicas === 4 && running() === 4, 120_000, "a rollout");
  // Strays are adopted and released.
  await cluster.run(admin.patch(Pod, "shop", cluster.all(Pod)[0]!.metadata.name, { type: "merge", body: { metadata: { labels: { app: "other" } } } }));
  await cluster.until(() => cluster.all(Pod).length >= 5, 60_000, "a released pod is replaced");
  for (const policy of ["Foreground", "Orphan"] as const) {
    const owner = await cluster.run(admin.create(ConfigMap, { metadata: { name: "owner", namespace: "shop" } }));
    await cluster.run(admin.create(ConfigMap, { metadata: { name: `owned-${policy.toLowerCase()}`, namespace: "shop", ownerReferences: [{ apiVersion: "v1", kind: "ConfigMap", name: "owner", uid: owner.metadata.uid, blockOwnerDeletion: true }] } }));
    await cluster.run(admin.delete(ConfigMap, "shop", "owner", { propagationPolicy: policy }));
    await cluster.until(() => !cluster.all(ConfigMap).some(({ metadata }) => metadata.name === "owner"), 60_000, `${policy} deletion`);
  }
  silent = true;
  await cluster.until(() => cluster.all(Pod).some(pod => pod.spec.nodeName === "n2" && pod.metadata.deletionTimestamp !== undefined), 500_000, "a lost node is emptied");
  await cluster.run(admin.delete(Node, "", "n2"));
  await cluster.until(() => cluster.all(Pod).every(pod => pod.spec.nodeName !== "n2"), 120_000, "its pods are removed");
  await cluster.run(admin.delete(Namespace, "", "shop"));
  await cluster.until(() => !cluster.all(Namespace).some(({ metadata }) => metadata.name === "shop"), 120_000, "the namespace is gone");
  await clock.pass(1_000);
  await cluster.until(() => true, 1_000, "the end");
  await cluster.stop();
});
