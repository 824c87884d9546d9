/** What the machine's own agent does for the nodes that are boxes: their way to registries, and to name servers, on the machine's loopback. */
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf, type Log } from "../base/log.ts";
import type { Cluster } from "../cli/machine.ts";
import { startDnsServer, systemNameservers, upstreamForward, type DnsServer } from "../host/dns-server.ts";
import { followFile } from "../host/follow-file.ts";
import { startRegistryGateway } from "../host/registry-gateway.ts";
import { isLoopback, linkGateway, registryNote } from "./node-settings.ts";
import { clusterAsKept } from "./present-cluster.ts";

const dnsPort = 53;
const retryMs = 1_000;

/** Begins with the first member, also of a cluster that grows while it runs; ends with `signal`. */
export async function serveMembers(cluster: Cluster, log: Log, signal: AbortSignal): Promise<void> {
  let wake: () => void = () => undefined;
  followFile(`${cluster.dataFolder}/cluster.json`, () => wake(), signal);
  signal.addEventListener("abort", () => wake(), { once: true });
  let now = cluster;
  while (!signal.aborted && (now.members ?? []).length === 0) {
    await new Promise<void>(resolve => { wake = resolve; });
    if (!signal.aborted) now = await clusterAsKept(cluster.dataFolder);
  }
  while (!signal.aborted)
    try {
      return await serve(now, log, signal);
    } catch (error) {
      log.warn("what members need of the machine could not be served, trying again", { error: messageOf(error) });
      await sleep(retryMs, undefined, { signal }).catch(() => undefined); // aborted: the loop ends
    }
}

async function serve(cluster: Cluster, log: Log, signal: AbortSignal): Promise<void> {
  const address = linkGateway(cluster, 0);
  const registries = await startRegistryGateway(address, registryNote(cluster), log);
  let names: DnsServer | undefined;
  try {
    const servers = await systemNameservers([]);
    if (servers.length > 0 && servers.every(isLoopback)) {
      const forward = upstreamForward(servers);
      names = await startDnsServer({ answer: query => forward(query).catch((error: unknown) => { log.debug("a name could not be asked for", { error: messageOf(error) }); return undefined; }) }, [address], dnsPort, log);
    }
    if (!signal.aborted) await new Promise<void>(resolve => signal.addEventListener("abort", () => resolve(), { once: true }));
  } finally {
    registries.close();
    await names?.close();
  }
}
