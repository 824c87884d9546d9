import { supervise } from "../../src/base/supervise.ts";
import { Scheduler } from "../../src/scheduler/scheduler.ts";
import type { Cluster } from "./cluster.ts";

/** The real scheduler as a process. */
export function runScheduler(cluster: Cluster, name = "scheduler"): void {
  cluster.process(name, async life => {
    const { client, informers, clock, random, log } = cluster.world(name, life);
    await supervise(new Scheduler({ client, informers, clock, random, log }), { clock, maxWaitMs: 1_000, log }, life);
  });
}
