/** The nodes of `--runtime simulated`: agents inside the server process, one HTTPS server for all of them. */
import type { Json } from "../base/json.ts";
import { addBuildInfo } from "../base/build-info.ts";
import type { Clock } from "../base/clock.ts";
import { messageOf, type Log } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import type { Cluster } from "../cli/machine.ts";
import type { Client } from "../client/client.ts";
import type { Informers } from "../client/informers.ts";
import type { HttpsServer } from "../host/https-server.ts";
import { addProcessFigures, addStartTime } from "../host/process-figures.ts";
import { startNodeServer } from "../host/node-server.ts";
import type { Pki } from "../host/pki.ts";
import { privateKeyPem, readIdentity } from "../host/pki-identity.ts";
import { SimulatedNodes } from "../node/simulated-nodes.ts";
import { build, version } from "./version.ts";

/** One certificate names every node; with more nodes than this it would no longer fit a handshake, and logs of the others cannot be read. */
const namedMax = 500;
const namePrefix = "sim";

type Options = { readonly client: Client; readonly informers: Informers; readonly clock: Clock; readonly random: Random; readonly log: Log; readonly pki: Pki };

/** Runs until `signal` aborts. Resolves once the HTTPS server listens; the nodes register by themselves. */
export async function startSimulatedNodes(cluster: Cluster, { client, informers, clock, random, log, pki }: Options, signal: AbortSignal): Promise<{ close(): Promise<void>; stats(node: string): Promise<Json> }> {
  const address = cluster.listen[0] ?? "127.0.0.1";
  const nodes = new SimulatedNodes({
    client, informers, clock, random, log, count: cluster.nodes, namePrefix, kubeletVersion: version.kubernetes, address, port: cluster.nodePort, podCIDR: cluster.podCIDR,
  });
  const names = Array.from({ length: Math.min(cluster.nodes, namedMax) }, (_, index) => `${namePrefix}-${index}`);
  const { serving } = await pki.ensureNode("simulated", names);
  const identity = await readIdentity(serving);
  if (!identity) throw new Error(`${serving} is not there`);
  const server: HttpsServer = await startNodeServer({
    addresses: [address], port: cluster.nodePort, credentials: { cert: identity.certificate, key: privateKeyPem(identity.key), clientCa: identity.trusted ?? "" }, clock, log: log.child("https"), node: nodes.api, figures: nodes.figures,
  });
  addProcessFigures(nodes.figures.metrics);
  addStartTime(nodes.figures.probes);
  addBuildInfo(nodes.figures.metrics, build);
  nodes.run(signal).catch((error: unknown) => log.error("the simulated nodes have ended", { error: messageOf(error) }));
  return { close: () => server.close(1_000), stats: name => nodes.stats(name, true) };
}
