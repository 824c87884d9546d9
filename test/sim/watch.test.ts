import assert from "node:assert/strict";
import { isApiError } from "../../src/base/api-error.ts";
import type { WatchEvent } from "../../src/client/client.ts";
import { Informer } from "../../src/client/informer.ts";
import { supervise } from "../../src/base/supervise.ts";
import { ConfigMap } from "../../src/kinds/core/configmap.ts";
import type { AnyKind, Resource } from "../../src/kinds/kind.ts";
import { Cluster } from "./cluster.ts";
import { rough } from "./faulty-client.ts";
import { property } from "./property.ts";
import type { SeededRandom } from "./random.ts";

type Event = WatchEvent<Resource<AnyKind>>;
type Seen = { readonly type: string; readonly name: string; readonly revision: number };

property("a watch is ordered, unique, reliable, resumable and bookmarkable, over drops and restarts of the server", 10, async (seed, mutant) => {
  const cluster = new Cluster(seed, { faults: { ...rough, watchDrops: 0.03 }, serverCrashEveryMs: 6_000 });
  const { random } = cluster;
  await cluster.start();
  const truth: Seen[] = [];
  cluster.onChange((type, object, previous) => {
    if (object.kind === "ConfigMap") truth.push({ type: type === "delete" ? "DELETED" : previous === undefined ? "ADDED" : "MODIFIED", name: object.metadata.name, revision: Number(object.metadata.resourceVersion) });
  });
  const from = cluster.store.revision;
  const watchers = Array.from({ length: 5 }, (_, i) => new Follower(cluster, `watcher${i}`, from, tamperer(mutant, random.fork())));
  const copies = Array.from({ length: 3 }, (_, i) => {
    const informer = new Informer(ConfigMap, cluster.client(`copy${i}`, cluster.signal));
    void supervise(informer, { clock: cluster.clock, log: cluster.log, maxWaitMs: 500 }, cluster.signal);
    return informer;
  });

  for (let i = 0; i < 150; i++) {
    const name = `m${random.between(0, 9)}`;
    const existing = cluster.all(ConfigMap).find(map => map.metadata.name === name);
    const write = existing === undefined ? cluster.admin.create(ConfigMap, { metadata: { name, namespace: "default" }, data: { i: String(i) } } as never)
      : random.chance(0.3) ? cluster.admin.delete(ConfigMap, "default", name) : cluster.admin.update(ConfigMap, { ...existing, data: { i: String(i) } });
    // The server may die in the middle: then nobody knows, which is what the watchers must make good.
    await Promise.race([cluster.run(write as Promise<unknown>).catch(() => undefined), cluster.clock.pass(200)]);
    if (random.chance(0.2)) await cluster.clock.pass(random.next() * 400);
  }
  await cluster.clock.pass(1_000);
  const end = truth.at(-1)?.revision ?? from;
  await cluster.until(() => watchers.every(watcher => watcher.revision >= end) && copies.every(copy => copy.revision >= end), 120_000, "everybody has seen the last change");
  for (const { seen, name } of watchers) assert.deepEqual(seen, truth, `${name} saw exactly what happened, once and in order`);
  const now = JSON.stringify(cluster.all(ConfigMap).map(map => [map.metadata.name, map.metadata.resourceVersion]).sort());
  for (const copy of copies) assert.equal(JSON.stringify(copy.list().map(map => [map.metadata.name, map.metadata.resourceVersion]).sort()), now, "a copy equals the store");
  await cluster.stop();
}, ["watch-loses", "watch-doubles", "watch-swaps", "bookmark-early"]);

/** Follows a watch for ever, resuming where it was. */
class Follower {
  readonly seen: Seen[] = [];
  readonly name: string;
  revision: number;
  constructor(cluster: Cluster, name: string, from: number, tamper: (event: Event) => readonly Event[]) {
    this.name = name;
    this.revision = from;
    void this.#follow(cluster, tamper);
  }
  async #follow(cluster: Cluster, tamper: (event: Event) => readonly Event[]): Promise<void> {
    const client = cluster.client(this.name, cluster.signal, tamper);
    while (!cluster.signal.aborted) {
      try {
        for await (const event of client.watch(ConfigMap, { revision: this.revision }, cluster.signal)) {
          if (event.revision < this.revision || (event.revision === this.revision && event.type !== "BOOKMARK")) cluster.violate(`${this.name}: revision ${event.revision} comes after ${this.revision} was promised or seen`);
          if (event.type !== "BOOKMARK") this.seen.push({ type: event.type, name: event.object.metadata.name, revision: event.revision });
          this.revision = event.revision;
        }
      } catch (error) {
        if (isApiError(error, "Expired")) cluster.violate(`${this.name}: history that was promised is gone`);
      }
      await cluster.clock.sleep(20, cluster.signal);
    }
  }
}

/** Mutants: networks that lose, double or swap events, or promise with a bookmark what has not come yet. */
function tamperer(mutant: string | undefined, random: SeededRandom): (event: Event) => readonly Event[] {
  let held: Event | undefined;
  return event => {
    const hit = mutant !== undefined && random.chance(0.02);
    if (mutant === "watch-swaps" && held !== undefined) {
      const both = [event, held];
      held = undefined;
      return both;
    }
    if (!hit || event.type === "BOOKMARK") return [event];
    switch (mutant) {
      case "watch-loses": return [];
      case "watch-doubles": return [event, event];
      case "watch-swaps": held = event; return [];
      default: return [{ type: "BOOKMARK", revision: event.revision + 3 }, event];
    }
  };
}
