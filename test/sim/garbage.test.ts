import assert from "node:assert/strict";
import type { Client } from "../../src/client/client.ts";
import { ApiError } from "../../src/base/api-error.ts";
import { loop } from "../../src/controllers/controller.ts";
import { garbageCollector } from "../../src/controllers/garbage-collector.ts";
import { joinKey } from "../../src/client/informer.ts";
import { ConfigMap } from "../../src/kinds/core/configmap.ts";
import { Secret } from "../../src/kinds/core/secret.ts";
import type { AnyKind } from "../../src/kinds/kind.ts";
import { Cluster } from "./cluster.ts";
import { rough } from "./faulty-client.ts";
import { property } from "./property.ts";

/** What the test knows of an object: its owners by name, in the order in which everything was made. */
type Known = { readonly name: string; readonly kind: AnyKind; readonly uid: string; owners: Set<string>; alive: boolean };

property("garbage collection removes exactly what nobody owns, in the way that was asked for", 10, async (seed, mutant) => {
  const cluster = new Cluster(seed, { faults: rough, crashEveryMs: 3_000, serverCrashEveryMs: 8_000 });
  const { random } = cluster;
  await cluster.start();
  cluster.runControllers(["garbagecollector"], service => (mutant === undefined ? service : world => loop(garbageCollector)({ ...world, client: trustingCopies(world.client, world.informers) })));
  const known = new Map<string, Known>();
  const kinds = [ConfigMap, Secret];

  const make = async (name: string, owners: readonly Known[]): Promise<void> => {
    const kind = random.pick(kinds);
    const ownerReferences = owners.map(owner => ({ apiVersion: "v1", kind: owner.kind.kind, name: owner.name, uid: owner.uid, blockOwnerDeletion: random.chance(0.5) }));
    const made = await cluster.run(cluster.admin.create(kind, { metadata: { name, namespace: "default", ownerReferences } } as never));
    known.set(name, { name, kind, uid: made.metadata.uid, owners: new Set(owners.map(owner => owner.name)), alive: true });
  };
  /** What must become of the others when one object goes. */
  const collect = (): void => {
    for (let changed = true; changed;) {
      changed = false;
      for (const object of known.values()) {
        const living = [...object.owners].filter(owner => known.get(owner)!.alive);
        if (object.alive && object.owners.size > 0 && living.length === 0) {
          object.alive = false;
          changed = true;
        }
      }
    }
  };
  const stored = (): readonly string[] => kinds.flatMap(kind => cluster.all(kind)).map(object => object.metadata.name).sort();
  const expected = (): readonly string[] => [...known.values()].filter(object => object.alive).map(object => object.name).sort();
  cluster.onChange((type, object) => {
    if (type === "delete" && known.get(object.metadata.name)?.alive === true && known.get(object.metadata.name)!.uid === object.metadata.uid) cluster.violate(`${object.metadata.name} was deleted although it is owned, or nobody's`);
  });

  for (let round = 0; round < 4; round++) {
    for (let i = 0; i < 8; i++) {
      const living = [...known.values()].filter(object => object.alive);
      const owners = living.length === 0 || random.chance(0.25) ? [] : [random.pick(living), ...(random.chance(0.3) ? [random.pick(living)] : [])];
      await make(`o${round}-${i}`, [...new Set(owners)]);
    }
    // The collector may be looking while the next things are made and deleted.
    if (random.chance(0.5)) await cluster.clock.pass(random.next() * 500);
    const victim = random.pick([...known.values()].filter(object => object.alive));
    const policy = random.pick(["Background", "Foreground", "Orphan"] as const);
    cluster.trace(`user  deletes ${victim.name} ${policy}`);
    victim.alive = false;
    if (policy === "Orphan") for (const object of known.values()) object.owners.delete(victim.name);
    collect();
    await cluster.run(cluster.admin.delete(victim.kind, "default", victim.name, { propagationPolicy: policy }));
    if (policy === "Background") await make(`late-${round}`, [victim]).then(() => collect());
    await cluster.until(() => JSON.stringify(stored()) === JSON.stringify(expected()), 240_000, `${policy} deletion of ${victim.name}: [${stored().join(" ")}] becoming [${expected().join(" ")}]`);
  }
  await cluster.clock.pass(5_000);
  await cluster.until(() => true, 1_000, "the end");
  assert.deepEqual(stored(), expected());
  await cluster.stop();
}, ["gc-trusts-copies"]);

/** The mutant: an owner that the local copy does not show counts as gone. */
function trustingCopies(client: Client, informers: { of<K extends AnyKind>(kind: K): { get(key: string): unknown } }): Client {
  return {
    ...client,
    get: async (kind, namespace, name) => {
      const shown = informers.of(kind).get(joinKey(kind.namespaced ? namespace : "", name));
      if (shown === undefined) throw new ApiError("NotFound", `${kind.plural} ${name} not found`);
      return shown as never;
    },
  };
}
