import assert from "node:assert/strict";
import { IPAddress } from "../../src/kinds/networking/ipaddress.ts";
import { ServiceCIDR } from "../../src/kinds/networking/servicecidr.ts";
import { Service } from "../../src/kinds/core/service.ts";
import { Cluster } from "./cluster.ts";
import { calm, rough } from "./faulty-client.ts";
import { property } from "./property.ts";

property("a range of service addresses gives addresses once it is ready, and stays until none of them is in use", 5, async seed => {
  const cluster = new Cluster(seed, { faults: rough, crashEveryMs: 5_000, rbac: true });
  const { clock } = cluster;
  await cluster.start();
  const get = (): ServiceCIDR | undefined => cluster.all(ServiceCIDR).find(({ metadata }) => metadata.name === "added");
  const state = (): string => { const range = get(); return range === undefined ? "gone" : (range.status.conditions ?? []).map(({ type, status, reason }) => `${type}=${status}${reason === "" ? "" : ` ${reason}`}`).join(); };
  const used = new Set<string>();
  cluster.onChange((type, object) => {
    if (object.kind === "ServiceCIDR" && object.metadata.name === "added" && type !== "put" && used.size > 0) cluster.violate(`the range went although ${[...used].join(" ")} is in use`);
  });
  cluster.runControllers(["service-cidr"]);
  const tries = async (what: () => Promise<unknown>): Promise<void> => {
    for (let done = false; !done; await clock.pass(50)) await cluster.run(what().then(() => { done = true; }, () => undefined));
  };
  await tries(() => cluster.admin.create(ServiceCIDR, { metadata: { name: "added" }, spec: { cidrs: ["10.77.0.0/29"] } } as never).catch(error => { if (get() === undefined) throw error; }));
  await cluster.until(() => state() === "Ready=True" && get()?.metadata.finalizers?.includes("networking.k8s.io/service-cidr-finalizer") === true, 60_000, "ready, with its finalizer");
  cluster.faults = calm;
  const service = (name: string, clusterIP: string): Promise<Service> => cluster.run(cluster.admin.create(Service, { metadata: { name, namespace: "default" }, spec: { clusterIP, ports: [{ port: 80 }] } } as never));
  assert.equal((await service("in", "10.77.0.5")).spec.clusterIP, "10.77.0.5");
  used.add("10.77.0.5");
  // What the API server does for each service's address.
  await cluster.run(cluster.admin.create(IPAddress, { metadata: { name: "10.77.0.5", labels: { "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io" } }, spec: { parentRef: { resource: "services", namespace: "default", name: "in" } } } as never));
  cluster.faults = rough;
  await tries(() => cluster.admin.delete(ServiceCIDR, "", "added").catch(error => { if (get()?.metadata.deletionTimestamp === undefined) throw error; }));
  await cluster.until(() => state() === "Ready=False Terminating", 60_000, "it says why it stays");
  cluster.faults = calm;
  await assert.rejects(service("late", "10.77.0.6"), /the provided network does not match the current range/);
  await clock.pass(30_000);
  assert.equal(state(), "Ready=False Terminating");
  used.clear();
  await cluster.run(cluster.admin.delete(Service, "default", "in"));
  await cluster.run(cluster.admin.delete(IPAddress, "", "10.77.0.5"));
  await cluster.until(() => state() === "gone", 60_000, "it goes with its last address");
  await cluster.stop();
});
