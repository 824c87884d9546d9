import assert from "node:assert/strict";
import { Event } from "../../src/kinds/core/event.ts";
import { Service } from "../../src/kinds/core/service.ts";
import { loop } from "../../src/controllers/controller.ts";
import { loadBalancerController } from "../../src/controllers/load-balancer.ts";
import { cleanupFinalizer, type HeldPort } from "../../src/controllers/load-balancer-plan.ts";
import { Cluster } from "./cluster.ts";
import { calm, rough } from "./faulty-client.ts";
import { property } from "./property.ts";

const ports = [80, 443, 8080];
const addressesOf = (service: Service): readonly string[] => (service.status.loadBalancer?.ingress ?? []).flatMap(({ ip, ports: own = [] }) => own.map(({ port, protocol }) => `${ip} ${port}/${protocol}`));

property("no two services have one port of one address, and every service has one as soon as one is free", 5, async (seed, mutant) => {
  const settings = { loadBalancers: { pools: ["10.9.0.0/31"], hosts: [], listening: async () => () => undefined } };
  const cluster = new Cluster(seed, { settings, faults: rough, crashEveryMs: 4_000, serverCrashEveryMs: 9_000 });
  const { random } = cluster;
  await cluster.start();
  cluster.onChange((type, object) => {
    if (object.kind !== "Service") return;
    const mine = type === "put" ? addressesOf(object as Service) : [];
    for (const other of cluster.all(Service))
      if (other.metadata.uid !== object.metadata.uid)
        for (const address of addressesOf(other)) if (mine.includes(address)) cluster.violate(`${address} is ${other.metadata.name}'s and ${object.metadata.name}'s`);
    if (mine.length > 0 && !object.metadata.finalizers?.includes(cleanupFinalizer)) cluster.violate(`${object.metadata.name} has an address and could go with it`);
  });
  cluster.runControllers(["service"], mutant === "stale-reads" ? () => loop(loadBalancerController, "stale-reads") : undefined);
  for (let i = 0; i < 30; i++) {
    const name = `s${random.between(0, 7)}`;
    const port = random.pick(ports);
    const change = async (): Promise<unknown> => {
      if (!cluster.all(Service).some(({ metadata }) => metadata.name === name)) return cluster.admin.create(Service, { metadata: { name, namespace: "default" }, spec: { type: "LoadBalancer", ports: [{ port }] } } as never);
      if (random.chance(0.3)) return cluster.admin.delete(Service, "default", name);
      return cluster.admin.patch(Service, "default", name, { type: "merge", body: { spec: random.chance(0.3) ? { type: "ClusterIP" } : { type: "LoadBalancer", ports: [{ port }] } } as never });
    };
    // The server may be down: then nothing is changed this time.
    await cluster.run(change().then(() => undefined, () => undefined));
    await cluster.clock.pass(random.between(0, 400));
  }
  cluster.faults = calm;
  const settled = (): boolean => {
    const services = cluster.all(Service);
    const wanting = services.filter(({ spec }) => spec.type === "LoadBalancer");
    const used = wanting.flatMap(addressesOf);
    if (services.some(({ metadata, spec, status }) => metadata.deletionTimestamp !== undefined || (spec.type !== "LoadBalancer" && (metadata.finalizers?.includes(cleanupFinalizer) === true || (status.loadBalancer?.ingress ?? []).length > 0)))) return false;
    return wanting.every(service => {
      const wanted = (service.spec.ports ?? []).map(({ port }) => port);
      if (addressesOf(service).length > 0) return addressesOf(service).every(address => wanted.some(port => address.includes(` ${port}/`)));
      // Without an address: both addresses have another service on that port, and the service says so.
      return wanted.some(port => used.filter(address => address.includes(` ${port}/`)).length === 2) && service.status.conditions?.some(({ type, status }) => type === "LoadBalancerPortsError" && status === "True") === true;
    });
  };
  await cluster.until(settled, 60_000, "every service has its address, or the reason why not");
  await cluster.stop();
}, ["stale-reads"]);

property("an address is there within a second, with upstream's events, and goes with the service", 2, async seed => {
  const settings = { loadBalancers: { pools: [], hosts: ["192.0.2.7"], listening: async () => (_ip: string, _protocol: string, port: number) => (port === 22 ? "a program" : undefined) } };
  const cluster = new Cluster(seed, { settings, rbac: true });
  const { clock } = cluster;
  await cluster.start();
  cluster.runControllers(["service"]);
  await clock.pass(1_000);
  const create = (name: string, port: number): Promise<unknown> => cluster.run(cluster.admin.create(Service, { metadata: { name, namespace: "default" }, spec: { type: "LoadBalancer", ports: [{ port }] } } as never));
  const events = (name: string): string => cluster.all(Event).filter(({ involvedObject }) => involvedObject.name === name).map(({ reason, count }) => `${reason}${(count ?? 1) > 1 ? "+" : ""}`).join(" ");
  const get = (name: string): Service | undefined => cluster.all(Service).find(({ metadata }) => metadata.name === name);
  await create("web", 80);
  await create("ssh", 22);
  const since = clock.monotonic();
  await cluster.until(() => (get("web")?.status.loadBalancer?.ingress ?? []).length > 0, 1_000, "an address");
  assert.ok(clock.monotonic() - since <= 1_000);
  assert.deepEqual(get("web")?.status.loadBalancer, { ingress: [{ ip: "192.0.2.7", ipMode: "VIP", ports: [{ port: 80, protocol: "TCP" }] }] });
  assert.deepEqual(get("web")?.metadata.finalizers, [cleanupFinalizer]);
  await cluster.until(() => get("ssh")?.status.conditions?.[0]?.message === "port 22/TCP of 192.0.2.7 is taken by a program", 5_000, "the reason");
  await clock.pass(60_000);
  assert.equal(events("web"), "EnsuringLoadBalancer EnsuredLoadBalancer");
  assert.equal(events("ssh"), "EnsuringLoadBalancer+ SyncLoadBalancerFailed+");
  const tries = cluster.all(Event).find(({ reason }) => reason === "SyncLoadBalancerFailed")?.count ?? 0;
  assert.ok(tries >= 3 && tries <= 6, `tried ${tries} times in a minute`);
  await cluster.run(cluster.admin.delete(Service, "default", "web"));
  await cluster.until(() => get("web") === undefined, 5_000, "gone");
  await clock.pass(1_000);
  assert.equal(events("web"), "EnsuringLoadBalancer EnsuredLoadBalancer DeletingLoadBalancer DeletedLoadBalancer");
  await cluster.stop();
});

property("a port is promised only when it is held; a service that shows one keeps it, and is told who else listens there", 2, async seed => {
  const taken = new Set([8080]);
  let held: readonly number[] = [];
  const hold = async (wanted: readonly HeldPort[]): Promise<readonly HeldPort[]> => {
    held = wanted.filter(({ port }) => !taken.has(port)).map(({ port }) => port);
    return wanted.filter(({ port }) => taken.has(port));
  };
  const settings = { loadBalancers: { pools: [], hosts: ["192.0.2.7"], listening: async () => () => undefined, hold } };
  const cluster = new Cluster(seed, { settings });
  await cluster.start();
  cluster.runControllers(["service"]);
  await cluster.clock.pass(1_000);
  const create = (name: string, port: number): Promise<unknown> => cluster.run(cluster.admin.create(Service, { metadata: { name, namespace: "default" }, spec: { type: "LoadBalancer", ports: [{ port }] } } as never));
  const get = (name: string): Service => cluster.all(Service).find(({ metadata }) => metadata.name === name)!;
  cluster.onChange((type, object) => {
    if (type === "put" && object.kind === "Service" && (object as Service).metadata.name === "late" && addressesOf(object as Service).length > 0 && !held.includes(8080)) cluster.violate("a port that is not held was promised");
  });
  await create("web", 80);
  await create("late", 8080);
  await cluster.until(() => addressesOf(get("web")).length === 1 && get("late").status.conditions?.[0]?.message === "port 8080/TCP of 192.0.2.7 is taken by another program of this machine, which took it at this moment", 5_000, "one has its port, the other the reason why not");
  taken.clear();
  await cluster.until(() => addressesOf(get("late")).length === 1, 60_000, "it has its port when that is free");
  taken.add(80);
  await cluster.run(cluster.admin.delete(Service, "default", "late"));
  await cluster.until(() => cluster.all(Event).some(({ involvedObject, reason, message }) => involvedObject.name === "web" && reason === "LoadBalancerPortShared" && message?.startsWith("port 80/TCP of 192.0.2.7 is this service's, but another program") === true), 5_000, "who has it is told");
  assert.deepEqual(addressesOf(get("web")), ["192.0.2.7 80/TCP"]);
  await cluster.stop();
});
