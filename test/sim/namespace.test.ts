import assert from "node:assert/strict";
import type { Client } from "../../src/client/client.ts";
import { Deployment } from "../../src/kinds/apps/deployment.ts";
import { ConfigMap } from "../../src/kinds/core/configmap.ts";
import { Namespace } from "../../src/kinds/core/namespace.ts";
import { Pod } from "../../src/kinds/core/pod.ts";
import { ServiceAccount } from "../../src/kinds/core/serviceaccount.ts";
import { kinds } from "../../src/kinds/index.ts";
import type { AnyKind } from "../../src/kinds/kind.ts";
import { Cluster } from "./cluster.ts";
import { rough } from "./faulty-client.ts";
import { runNode } from "./node.ts";
import { property } from "./property.ts";
import { runScheduler } from "./scheduler.ts";

property("a namespace starts with its account and CA, goes pods first, and leaves nothing behind", 6, async (seed, mutant) => {
  const cluster = new Cluster(seed, { faults: rough, crashEveryMs: 3_000, serverCrashEveryMs: 9_000 });
  await cluster.start();
  cluster.runControllers(undefined, (service, name) => (mutant === undefined || name !== "namespace" ? service : world => service({ ...world, client: blindToPods(world.client) })));
  runScheduler(cluster);
  runNode(cluster, "n1", { stopMs: 800 });
  await cluster.run(cluster.admin.create(Namespace, { metadata: { name: "shop" } }));
  const has = (kind: typeof ConfigMap | typeof ServiceAccount, name: string): boolean => cluster.all(kind).some(object => object.metadata.namespace === "shop" && object.metadata.name === name);
  await cluster.until(() => has(ServiceAccount, "default") && has(ConfigMap, "kube-root-ca.crt"), 120_000, "default account and root CA");
  await cluster.run(cluster.admin.create(ConfigMap, { metadata: { name: "settings", namespace: "shop", finalizers: ["example.com/hold"] } }));
  await cluster.run(cluster.admin.create(Deployment, { metadata: { name: "web", namespace: "shop" }, spec: { replicas: 3, selector: { matchLabels: { a: "b" } }, template: { metadata: { labels: { a: "b" } }, spec: { terminationGracePeriodSeconds: 5, containers: [{ name: "c", image: "web" }] } } } } as never));
  await cluster.until(() => cluster.all(Pod).filter(pod => pod.status.phase === "Running").length === 3, 240_000, "three running pods");

  cluster.onChange((type, object) => {
    if (type === "delete" && object.kind === "ConfigMap" && object.metadata.namespace === "shop" && cluster.all(Pod).some(pod => pod.metadata.namespace === "shop")) cluster.violate("a ConfigMap went before the pods");
  });
  await cluster.run(cluster.admin.delete(Namespace, "", "shop"));
  const shop = (): Namespace | undefined => cluster.all(Namespace).find(namespace => namespace.metadata.name === "shop");
  const condition = (type: string): string => shop()?.status.conditions?.find(condition => condition.type === type)?.message ?? "";
  await cluster.until(() => condition("NamespaceFinalizersRemaining") === "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances", 300_000, "the condition that names the finalizer");
  await cluster.until(() => condition("NamespaceContentRemaining") === "Some resources are remaining: configmaps. has 1 resource instances", 300_000, "the condition that names the content");
  await cluster.run(cluster.admin.patch(ConfigMap, "shop", "settings", { type: "merge", body: { metadata: { finalizers: null } } }));
  await cluster.until(() => shop() === undefined, 300_000, "the namespace is gone");
  for (const kind of kinds.filter(kind => kind.namespaced && kind.virtual !== true)) assert.deepEqual(cluster.all(kind).filter(object => object.metadata.namespace === "shop").map(object => object.metadata.name), [], `${kind.plural} are left`);
  await cluster.stop();
}, ["blind-to-pods"]);

/** The mutant: deletes everything else while pods still run. */
function blindToPods(client: Client): Client {
  return { ...client, list: async (kind, options) => (kind as AnyKind === Pod ? { items: [], revision: 0 } : client.list(kind, options)) };
}
