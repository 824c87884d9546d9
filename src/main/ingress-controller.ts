/** Ingress in the server process: the controller here, the proxy in a process of its own. */
import { supervise } from "../base/supervise.ts";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import type { Cluster } from "../cli/machine.ts";
import type { Client } from "../client/client.ts";
import { EventRecorder } from "../client/events.ts";
import type { Informers } from "../client/informers.ts";
import { ingressDaemon } from "../host/ingress-process.ts";
import { version } from "./version.ts";
import { IngressController, type IngressOptions } from "../ingress/controller.ts";

type Options = { readonly client: Client; readonly informers: Informers; readonly clock: Clock; readonly random: Random; readonly log: Log; readonly gateways: IngressOptions["gateways"] };

/** Runs until `signal` aborts. */
export async function runIngressController(cluster: Cluster, options: Options, signal: AbortSignal): Promise<void> {
  const { client, informers, clock, random, log, gateways } = options;
  const recorder = new EventRecorder({ component: "timonier-ingress", client, clock, random, log: log.child("events") });
  const controller = new IngressController({
    client, informers, recorder, clock, log, ...(gateways ? { gateways } : {}), address: cluster.advertise ?? "127.0.0.1",
    proxy: onListening => ingressDaemon({ args: ["ingress", "--data-dir", cluster.dataFolder], runFolder: cluster.runFolder, logFile: `${cluster.dataFolder}/logs/ingress.log`, version: version.timonier, log, onListening }),
    decodeBase64: text => Buffer.from(text, "base64").toString(),
  });
  await supervise(controller, { clock, log, maxWaitMs: 5_000 }, signal);
  recorder.close();
}
