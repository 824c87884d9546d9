import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import { supervise, type Service } from "../base/supervise.ts";
import type { Client } from "../client/client.ts";
import { Informers } from "../client/informers.ts";
import { defaultSettings, loop, type KindSource, type Settings, type World } from "./controller.ts";
import { clusterRoleAggregationController } from "./clusterrole-aggregation.ts";
import { deploymentController } from "./deployment.ts";
import { endpointsController } from "./endpoints.ts";
import { endpointSliceMirroringController } from "./endpointslice-mirroring.ts";
import { endpointSliceController } from "./endpointslice.ts";
import { garbageCollector } from "./garbage-collector.ts";
import { namespaceController } from "./namespace.ts";
import { replicaSetController } from "./replicaset.ts";
import { nodeLifecycleController } from "./node-lifecycle.ts";
import { podGC } from "./pod-gc.ts";
import { rootCAPublisher } from "./root-ca.ts";
import { serviceAccountController } from "./serviceaccount.ts";
import { taintEvictionController } from "./taint-eviction.ts";

/** Every controller, in the order in which they start; each is made anew for each run. */
export const controllers: readonly { readonly name: string; readonly service: (world: World) => Service }[] = [
  serviceAccountController, rootCAPublisher, namespaceController, deploymentController, replicaSetController, endpointSliceController, endpointsController,
  endpointSliceMirroringController, garbageCollector,
  taintEvictionController, nodeLifecycleController, podGC, clusterRoleAggregationController,
].map(controller => (typeof controller === "function" ? { name: controller().name, service: world => loop(controller())(world) } : { name: controller.name, service: loop(controller) }));

export type ControllerOptions = {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly kinds: KindSource;
  readonly settings?: Partial<Settings>;
  /** Shared with other components of the process (the scheduler); made here if absent. */
  readonly informers?: Informers;
  /** Names of controllers that are not to run. */
  readonly disabled?: readonly string[];
};

const restartWaitMaxMs = 5_000;

/** Runs all controllers, each supervised, until `signal` aborts. */
export async function runControllers(options: ControllerOptions, signal: AbortSignal): Promise<void> {
  const { client, clock, random, log, kinds, settings, disabled = [] } = options;
  const informers = options.informers ?? new Informers(client, { clock, log }, signal);
  const world: World = { client, clock, random, log, kinds, informers, settings: { ...defaultSettings, ...settings } };
  await Promise.all(controllers.filter(({ name }) => !disabled.includes(name)).map(({ service }) => supervise(service(world), { clock, maxWaitMs: restartWaitMaxMs, log }, signal)));
}
