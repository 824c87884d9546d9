/** What the node does for services: packet rules, and names. Both follow the API with an identity of their own, not the node's. */
import { type Log } from "../base/log.ts";
import type { Clock } from "../base/clock.ts";
import { supervise } from "../base/supervise.ts";
import type { Cluster } from "../cli/machine.ts";
import type { Informer } from "../client/informer.ts";
import { HealthCheckServer } from "../host/health-check-server.ts";
import { nftables } from "../host/nft.ts";
import { addLocalRange } from "../host/pod-network.ts";
import type { Node } from "../kinds/core/node.ts";
import type { Service } from "../kinds/core/service.ts";
import type { EndpointSlice } from "../kinds/discovery/endpointslice.ts";
import { serviceProxy } from "../proxy/proxy.ts";
import { startNames, type NameServer } from "./names.ts";
import { clusterDNS, isLoopback, loadBalancerAddresses, podNetworks, proxyTable, type NodePlace } from "./node-settings.ts";

type Options = {
  readonly services: Informer<typeof Service>;
  readonly slices: Informer<typeof EndpointSlice>;
  readonly nodes: Informer<typeof Node>;
  readonly clock: Clock;
  readonly log: Log;
  readonly path: string;
  /** Bound already, before the agent was loaded. */
  readonly names: NameServer | undefined;
};
const restartMaxMs = 5_000;

/** Runs both until `signal` aborts; the rules stay, so that services go on without us. */
export async function runNodeNetwork(cluster: Cluster, place: NodePlace, options: Options, signal: AbortSignal): Promise<void> {
  const { clock, log } = options;
  let { names } = options;
  const dns = clusterDNS(cluster);
  const { pools } = loadBalancerAddresses(cluster);
  // The name server's address is served on this very node: there is nothing to translate, and nobody to reject for.
  const others = {
    list: () => options.services.list().filter(({ spec }) => spec.clusterIP !== dns), listed: (stop: AbortSignal) => options.services.listed(stop),
    onChange: (listener: Parameters<Informer<typeof Service>["onChange"]>[0]) => options.services.onChange(listener),
  };
  const health = new HealthCheckServer(log.child("health checks"));
  signal.addEventListener("abort", () => health.close(), { once: true });
  const proxy = serviceProxy({
    node: () => ({ name: place.name, zone: zoneOf(options.nodes.get(place.name)) }),
    // Heartbeats change nodes all the time; this one's zone decides which endpoints are near.
    onNodeChange: listener => options.nodes.onChange(({ object, previous }) => { if (object.metadata.name === place.name && (previous === undefined || zoneOf(object) !== zoneOf(previous))) listener(); }),
    health: checks => health.set(checks), services: others, slices: options.slices, filter: nftables(), clock, log: log.child("proxy"),
    settings: (["IPv4", ...(cluster.ipv6 ? ["IPv6"] as const : [])] as const).map((family, i) => ({
      family, table: proxyTable(cluster.id, family === "IPv6" ? "ip6" : "ip"), clusterCIDR: podNetworks(cluster)[i]!, podCIDR: place.podCIDRs[i]!, pools, isBalancer: !place.boxed, nodeIPs: place.addresses.filter(address => !isLoopback(address) && address.includes(":") === (family === "IPv6")),
    })),
  });
  await Promise.all([
    supervise({
      name: proxy.name,
      run: async stop => {
        // They lead to the machine; the other nodes pass on what nobody there serves.
        if (!place.boxed) for (const pool of pools) await addLocalRange(pool, options.path);
        await proxy.run(stop);
      },
    }, { clock, log, maxWaitMs: restartMaxMs }, signal),
    supervise({
      name: "DNS",
      run: async stop => {
        const server = names ?? await startNames(cluster, place, options);
        names = undefined;
        await server.follow(options, stop);
      },
    }, { clock, log, maxWaitMs: restartMaxMs }, signal),
  ]);
}

const zoneOf = (node: Node | undefined): string => node?.metadata.labels?.["topology.kubernetes.io/zone"] ?? "";
