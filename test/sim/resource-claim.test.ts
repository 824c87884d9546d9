import { Pod } from "../../src/kinds/core/pod.ts";
import { ResourceClaim } from "../../src/kinds/resource/resourceclaim.ts";
import { ResourceClaimTemplate } from "../../src/kinds/resource/resourceclaimtemplate.ts";
import { Cluster } from "./cluster.ts";
import { calm, rough } from "./faulty-client.ts";
import { property } from "./property.ts";

property("every pod comes to have one claim of its template, and a pod that has ended none", 5, async (seed, mutant) => {
  const cluster = new Cluster(seed, { faults: rough, crashEveryMs: 3_000, serverCrashEveryMs: 9_000, rbac: true });
  const { random } = cluster;
  await cluster.start();
  const devices = { requests: [{ name: "gpu", exactly: { deviceClassName: "gold" } }] };
  await cluster.run(cluster.admin.create(ResourceClaimTemplate, { metadata: { name: "t", namespace: "default" }, spec: { metadata: { labels: { from: "t" } }, spec: { devices } } } as never));
  // The mutant leaves claims to the collector of garbage, which makes none.
  cluster.runControllers(mutant === "no-controller" ? ["garbage-collector"] : ["resourceclaim", "garbage-collector"]);
  for (let i = 0; i < 20; i++) {
    const name = `p${random.between(0, 4)}`;
    const there = cluster.all(Pod).find(({ metadata }) => metadata.name === name);
    const change = async (): Promise<unknown> => {
      if (there === undefined) return cluster.admin.create(Pod, { metadata: { name, namespace: "default" }, spec: { containers: [{ name: "c", image: "i" }], resourceClaims: [{ name: "gpu", resourceClaimTemplateName: "t" }] } } as never);
      if (random.chance(0.3)) return cluster.admin.delete(Pod, "default", name, { gracePeriodSeconds: 0 });
      return cluster.admin.patch(Pod, "default", name, { type: "merge", body: { status: { phase: random.chance(0.5) ? "Succeeded" : "Failed" } } }, { subresource: "status" });
    };
    // The server may be down: then nothing is changed this time.
    await cluster.run(change().then(() => undefined, () => undefined));
    await cluster.clock.pass(random.between(0, 400));
  }
  cluster.faults = calm;
  const settled = (): boolean => {
    const claims = cluster.all(ResourceClaim);
    const owners = claims.map(claim => claim.metadata.ownerReferences?.[0]?.uid);
    const running = cluster.all(Pod).filter(pod => pod.status.phase === "Pending");
    // A claim of which nobody heard that it was made may have a second beside it, while its pod runs.
    return owners.every(uid => running.some(pod => pod.metadata.uid === uid)) && running.every(pod => owners.includes(pod.metadata.uid) && claims.some(({ metadata }) => metadata.name === pod.status.resourceClaimStatuses?.[0]?.resourceClaimName && metadata.labels?.from === "t"));
  };
  await cluster.until(settled, 120_000, "one noted claim for each pod that runs, none for the others");
  await cluster.stop();
}, ["no-controller"]);
