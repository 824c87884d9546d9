/** For `bench/dns.ts`: the name server's sockets and resolver over made-up services, on 127.0.0.1 port `argv[2]`. Says its processor time (ms) when a line is written to it. */
import { silent } from "../../src/base/log.ts";
import { clusterView } from "../../src/dns/cluster-view.ts";
import { Resolver } from "../../src/dns/resolver.ts";
import { systemClock } from "../../src/host/clock.ts";
import { startDnsServer } from "../../src/host/dns-server.ts";
import type { Copy, Index } from "../../src/client/informer.ts";
import type { Service } from "../../src/kinds/core/service.ts";
import type { EndpointSlice } from "../../src/kinds/discovery/endpointslice.ts";

const services = new Map(Array.from({ length: 1_000 }, (_, i) => {
  const ip = `10.96.${i >> 8}.${i & 255}`;
  return [`default/s${i}` as string, { metadata: { namespace: "default", name: `s${i}` }, spec: { type: "ClusterIP", clusterIP: ip, clusterIPs: [ip], ports: [{ name: "http", port: 80, protocol: "TCP" }] } } as unknown as Service] as const;
}));
const copy: Copy<Service> = { get: key => services.get(key), list: () => [...services.values()], by: (index: Index<Service>, value) => [...services.values()].filter(each => index.valuesOf(each).includes(value)) };
const empty: Copy<EndpointSlice> = { get: () => undefined, list: () => [], by: () => [] };
const resolver = new Resolver({ view: clusterView(copy, empty, () => undefined), clock: systemClock(), log: silent, settings: { domain: "cluster.local", ttl: 5, serial: () => 1 } });
await startDnsServer(resolver, ["127.0.0.1"], Number(process.argv[2]), silent);
const cpu = (): string => { const { user, system } = process.cpuUsage(); return `${(user + system) / 1_000}\n`; };
process.stdout.write(cpu());
process.stdin.on("data", () => process.stdout.write(cpu())).on("end", () => process.exit(0));
