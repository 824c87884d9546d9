import { Namespace } from "../../src/kinds/core/namespace.ts";
import { APIService } from "../../src/kinds/apiregistration/apiservice.ts";
import { ConfigMap } from "../../src/kinds/core/configmap.ts";
import { Service } from "../../src/kinds/core/service.ts";
import { EndpointSlice } from "../../src/kinds/discovery/endpointslice.ts";
import type { AnyKind, Resource } from "../../src/kinds/kind.ts";
import { Cluster } from "./cluster.ts";
import { rough } from "./faulty-client.ts";
import { Flunder, OtherServer } from "./other-server.ts";
import { property } from "./property.ts";

/** What the test knows of an object: its owners by name. */
type Known = { readonly name: string; readonly kind: AnyKind; readonly uid: string; owners: Set<string>; alive: boolean };

property("what another server stores is collected with its owners, owns what is here, and goes with its namespace, as the server comes and goes", 8, async (seed, mutant) => {
  const cluster: Cluster = new Cluster(seed, { faults: rough, customResources: {}, otherServer: () => other, ...(mutant === "blind" ? { blindToOthers: true } : {}) });
  const { random } = cluster;
  const other = await OtherServer.start(cluster.clock, random.fork(), ["default", "shop"]);
  await cluster.start();
  cluster.runControllers(["garbagecollector", "namespace", "endpointslicemirroring"]);
  for (const name of ["wardle", "shop"]) await cluster.run(cluster.admin.create(Namespace, { metadata: { name } }));
  await cluster.run(cluster.admin.create(Service, { metadata: { name: "api", namespace: "wardle" }, spec: { ports: [{ port: 443 }] } } as never));
  await cluster.run(cluster.admin.create(EndpointSlice, { metadata: { name: "api-1", namespace: "wardle", labels: { "kubernetes.io/service-name": "api" } }, addressType: "IPv4", ports: [{ name: "", port: 443 }], endpoints: [{ addresses: ["10.1.2.3"] }] } as never));
  await cluster.run(cluster.admin.create(APIService, { metadata: { name: "v1alpha1.wardle.example.com" }, spec: { group: "wardle.example.com", version: "v1alpha1", groupPriorityMinimum: 1000, versionPriority: 15, insecureSkipTLSVerify: true, service: { name: "api", namespace: "wardle" } } } as never));
  const isAvailable = (): string | undefined => cluster.all(APIService).find(({ metadata }) => metadata.name === "v1alpha1.wardle.example.com")?.status?.conditions?.[0]?.status;
  await cluster.until(() => isAvailable() === "True", 60_000, "the other server is available");

  const known = new Map<string, Known>();
  let steady = false;
  void (async () => {
    while (!cluster.signal.aborted) {
      await cluster.clock.sleep(random.next() * (other.isUp ? 60_000 : 40_000), cluster.signal);
      if (steady || cluster.signal.aborted) continue;
      other.isUp = !other.isUp;
      cluster.trace(`other server  ${other.isUp ? "came" : "went"}`);
    }
  })();
  const gone = (name: string, uid: string): void => {
    if (known.get(name)?.alive === true && known.get(name)!.uid === uid) cluster.violate(`${name} was deleted although it is owned, or nobody's`);
  };
  cluster.onChange((type, object) => { if (type === "delete") gone(object.metadata.name, object.metadata.uid); });
  other.store.watch("/registry/wardle.example.com/", other.store.revision, ({ changes }) => {
    for (const { type, previous } of changes) if (type === "delete" && previous !== undefined) gone((other.api.core.objects.object(previous) as Flunder).metadata.name, (other.api.core.objects.object(previous) as Flunder).metadata.uid);
  });

  const clientOf = (kind: AnyKind): Pick<typeof other.client, "create" | "delete"> => (kind === Flunder as AnyKind ? other.client : cluster.admin);
  const make = async (name: string, owners: readonly Known[], namespace = "default"): Promise<void> => {
    const kind = random.pick([ConfigMap, Flunder] as readonly AnyKind[]);
    const ownerReferences = owners.map(owner => ({ apiVersion: owner.kind === Flunder as AnyKind ? "wardle.example.com/v1alpha1" : "v1", kind: owner.kind.kind, name: owner.name, uid: owner.uid, blockOwnerDeletion: random.chance(0.5) }));
    const made = await cluster.run(clientOf(kind).create(kind, { metadata: { name, namespace, ownerReferences } } as never)) as Resource<AnyKind>;
    known.set(name, { name, kind, uid: made.metadata.uid, owners: new Set(owners.map(owner => owner.name)), alive: true });
  };
  /** What must become of the others when one object goes. */
  const collect = (): void => {
    for (let changed = true; changed;) {
      changed = false;
      for (const object of known.values())
        if (object.alive && object.owners.size > 0 && [...object.owners].every(owner => !known.get(owner)!.alive)) {
          object.alive = false;
          changed = true;
        }
    }
    for (const { alive, owners } of known.values()) if (alive) for (const owner of owners) if (!known.get(owner)!.alive) owners.delete(owner);
  };
  const stored = (): string => [...cluster.all(ConfigMap), ...other.flunders()].map(({ metadata }) => metadata.name).sort().join(" ");
  const expected = (): string => [...known.values()].filter(({ alive }) => alive).map(({ name }) => name).sort().join(" ");

  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 6; i++) {
      const living = [...known.values()].filter(object => object.alive);
      await make(`o${round}-${i}`, living.length === 0 || random.chance(0.25) ? [] : [...new Set([random.pick(living), ...(random.chance(0.3) ? [random.pick(living)] : [])])]);
    }
    const victim = random.pick([...known.values()].filter(object => object.alive));
    const policy = random.pick(["Background", "Foreground", "Orphan"] as const);
    // As upstream: of what cannot be asked nobody knows whose it was, so dependents that are to stay must be seen.
    steady = policy === "Orphan";
    if (steady) {
      other.isUp = true;
      await cluster.clock.pass(40_000);
    }
    cluster.trace(`user  deletes ${victim.name} ${policy}`);
    victim.alive = false;
    if (policy === "Orphan") for (const object of known.values()) object.owners.delete(victim.name);
    collect();
    await cluster.run(clientOf(victim.kind).delete(victim.kind, "default", victim.name, { propagationPolicy: policy }));
    await cluster.until(() => stored() === expected(), 2_000_000, `${policy} deletion of ${victim.name}: [${stored()}] becoming [${expected()}]`);
    steady = false;
  }

  steady = true;
  other.isUp = true;
  await cluster.clock.pass(40_000);
  for (let i = 0; i < 4; i++) await make(`shop-${i}`, [], "shop");
  other.isUp = false;
  await cluster.until(() => isAvailable() === "False", 60_000, "the other server is missed");
  for (const object of known.values()) if (object.name.startsWith("shop")) object.alive = false;
  await cluster.run(cluster.admin.delete(Namespace, "", "shop"));
  const shop = (): Namespace | undefined => cluster.all(Namespace).find(({ metadata }) => metadata.name === "shop");
  const said = (...lines: readonly string[]): boolean => lines.every(line => shop()?.status.conditions?.some(({ type, status, reason, message }) => line === `${type} ${status} ${reason}: ${message}`));
  await cluster.until(() => said("NamespaceDeletionContentFailure False ContentDeleted: All content successfully deleted, may be waiting on finalization", "NamespaceDeletionDiscoveryFailure True DiscoveryFailed: Discovery failed for some groups, 1 failing: unable to retrieve the complete list of server APIs: wardle.example.com/v1alpha1: stale GroupVersion discovery: wardle.example.com/v1alpha1"), 300_000, "the condition that names the group");
  await cluster.until(() => cluster.all(ConfigMap).every(({ metadata }) => metadata.namespace !== "shop"), 300_000, "what is here goes");
  if (shop() === undefined) cluster.violate("the namespace went before what the other server has in it");
  other.isUp = true;
  await cluster.until(() => shop() === undefined, 300_000, "the namespace goes");
  if (other.flunders().some(({ metadata }) => metadata.namespace === "shop")) cluster.violate("something of the other server outlived its namespace");
  await cluster.until(() => stored() === expected(), 1_000, "nothing else");
  await cluster.stop();
}, ["blind"]);
