/** What the API server does for nodes beside the first: certificates, an address that they reach it at; also for those that come while it runs. */
import { messageOf, type Log } from "../base/log.ts";
import type { Cluster } from "../cli/machine.ts";
import { followFile } from "../host/follow-file.ts";
import type { HttpsServer } from "../host/https-server.ts";
import type { Pki } from "../host/pki.ts";
import { linkGateway, nodePlaces, serviceAddress } from "./node-settings.ts";
import { clusterAsKept } from "./present-cluster.ts";

/** Members come by the first link, wherever they are. */
export function apiAddresses(cluster: Cluster): readonly string[] {
  return [...new Set([...cluster.listen, ...((cluster.members ?? []).length > 0 ? [linkGateway(cluster, 0)] : [])])];
}
export function apiServerNames(cluster: Cluster): readonly string[] {
  return [cluster.nodeName, ...apiAddresses(cluster), ...(cluster.advertise ? [cluster.advertise] : []), serviceAddress(cluster.serviceCIDR, 1)];
}

export function followMembers(cluster: Cluster, { pki, https, log }: { readonly pki: Pki; readonly https: Pick<HttpsServer, "listenOn">; readonly log: Log }, signal: AbortSignal): void {
  const listening = new Set(apiAddresses(cluster));
  const known = new Set(nodePlaces(cluster).map(({ name }) => name));
  const look = async (): Promise<void> => {
    const now = { ...await clusterAsKept(cluster.dataFolder), listen: cluster.listen };
    for (const address of apiAddresses(now)) {
      if (listening.has(address)) continue;
      await pki.setServingNames(apiServerNames(now));
      await https.listenOn(address);
      listening.add(address);
      log.info("the API server listens on one address more", { address });
    }
    for (const { name, addresses } of nodePlaces(now)) {
      if (known.has(name)) continue;
      await pki.ensureNode(name, addresses);
      known.add(name);
    }
  };
  let last: Promise<void> = Promise.resolve();
  followFile(`${cluster.dataFolder}/cluster.json`, () => {
    last = last.then(look).catch((error: unknown) => log.error("new nodes could not be prepared: run \"timonier up\" again", { error: messageOf(error) }));
  }, signal);
}
