import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Metrics } from "../base/metrics.ts";
import type { Random } from "../base/random.ts";
import { supervise, type Service } from "../base/supervise.ts";
import type { Client } from "../client/client.ts";
import { Informers } from "../client/informers.ts";
import { defaultSettings, loop, type Controller, type KindSource, type Settings, type World } from "./controller.ts";
import { bootstrapSigner, tokenCleaner } from "./bootstrap-tokens.ts";
import { certificateApproving, certificateCleaning, certificateSigning } from "./certificate-signing.ts";
import { clusterRoleAggregationController } from "./clusterrole-aggregation.ts";
import { cronJobController } from "./cronjob.ts";
import { daemonSetController } from "./daemonset.ts";
import { deploymentController } from "./deployment.ts";
import { disruptionController } from "./disruption.ts";
import { endpointsController } from "./endpoints.ts";
import { endpointSliceMirroringController } from "./endpointslice-mirroring.ts";
import { endpointSliceController } from "./endpointslice.ts";
import { ephemeralVolumeController } from "./ephemeral-volume.ts";
import { garbageCollector } from "./garbage-collector.ts";
import { horizontalPodAutoscaler } from "./horizontal-pod-autoscaler.ts";
import { jobController } from "./job.ts";
import { loadBalancerController } from "./load-balancer.ts";
import { namespaceController } from "./namespace.ts";
import { QueueFigures } from "./queue-figures.ts";
import { replicaSetController } from "./replicaset.ts";
import { replicationControllerController } from "./replicationcontroller.ts";
import { nodeLifecycleController } from "./node-lifecycle.ts";
import { nodeTtlController } from "./node-ttl.ts";
import { podGC } from "./pod-gc.ts";
import { policyStatusController } from "./policy-status.ts";
import { resourceClaimController } from "./resource-claim.ts";
import { resourceQuotaController } from "./resource-quota.ts";
import { rootCAPublisher } from "./root-ca.ts";
import { serviceAccountController } from "./serviceaccount.ts";
import { serviceAccountTokenController } from "./serviceaccount-token.ts";
import { serviceCIDRController } from "./service-cidr.ts";
import { statefulSetController } from "./statefulset.ts";
import { volumeBinder } from "./volume-binder.ts";
import { attributesProtection, claimProtection, volumeProtection } from "./volume-protection.ts";
import { taintEvictionController } from "./taint-eviction.ts";
import { ttlAfterFinishedController } from "./ttl-after-finished.ts";

/** Every controller, in the order in which they start; those with observations of their own are made anew for each run. */
const list: readonly (Controller | (() => Controller))[] = [
  serviceAccountController, serviceAccountTokenController, rootCAPublisher, namespaceController, deploymentController, replicaSetController, replicationControllerController, statefulSetController, daemonSetController, horizontalPodAutoscaler,
  jobController, cronJobController, ttlAfterFinishedController, endpointSliceController, endpointsController, endpointSliceMirroringController, loadBalancerController, serviceCIDRController, garbageCollector, taintEvictionController,
  nodeLifecycleController, nodeTtlController, podGC, claimProtection, volumeProtection, attributesProtection, volumeBinder, ephemeralVolumeController, resourceClaimController, disruptionController, resourceQuotaController, clusterRoleAggregationController, policyStatusController, certificateApproving, certificateSigning, certificateCleaning, tokenCleaner, bootstrapSigner,
];
export const controllers: readonly { readonly name: string; readonly account: string; readonly service: (world: World) => Service }[] = list.map(entry => {
  const make = typeof entry === "function" ? entry : () => entry;
  const { name, account } = make();
  return { name, account, service: world => loop(make())(world) };
});

export type ControllerOptions = {
  readonly client: Client;
  /** A client of its own for each controller, acting as this service account; `client` for all if absent. */
  readonly clientFor?: (account: string) => Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly kinds: KindSource;
  readonly settings?: Partial<Settings>;
  /** Shared with other components of the process (the scheduler); made here if absent. */
  readonly informers?: Informers;
  /** Where the queues' figures go; absent: nobody counts. */
  readonly metrics?: Metrics;
  /** Names of controllers that are not to run. */
  readonly disabled?: readonly string[];
};

const restartWaitMaxMs = 5_000;

/** Runs all controllers, each supervised, until `signal` aborts. */
export async function runControllers(options: ControllerOptions, signal: AbortSignal): Promise<void> {
  const { client, clientFor = () => client, clock, random, log, kinds, settings, disabled = [], metrics } = options;
  const informers = options.informers ?? new Informers(client, { clock, log }, signal);
  const world: Omit<World, "client"> = { clock, random, log, kinds, informers, settings: { ...defaultSettings, ...settings }, ...(metrics && { queues: new QueueFigures(metrics) }) };
  await Promise.all(controllers.filter(({ name }) => !disabled.includes(name)).map(({ account, service }) =>
    supervise(service({ ...world, client: account === "" ? client : clientFor(account) }), { clock, maxWaitMs: restartWaitMaxMs, log }, signal)));
}
