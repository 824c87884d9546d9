/** `timonier why-not`: what it needs from the API, and the name server's own answers. */
import { readFile } from "node:fs/promises";
import { silent } from "../base/log.ts";
import type { Cluster, Reachability, ReachQuestion } from "../cli/machine.ts";
import { HttpClient } from "../client/http.ts";
import { clusterView } from "../dns/cluster-view.ts";
import { copyOf } from "../dns/snapshot.ts";
import { answerFromZone, type ClusterView } from "../dns/cluster-zone.ts";
import { rcodes, types } from "../dns/message.ts";
import { systemClock } from "../host/clock.ts";
import { HttpClient as HttpTransport } from "../host/http-client.ts";
import { systemRandom } from "../host/random.ts";
import { Namespace } from "../kinds/core/namespace.ts";
import { Node } from "../kinds/core/node.ts";
import { Pod } from "../kinds/core/pod.ts";
import { Service } from "../kinds/core/service.ts";
import { EndpointSlice } from "../kinds/discovery/endpointslice.ts";
import { NetworkPolicy } from "../kinds/networking/networkpolicy.ts";
import { ServiceCIDR } from "../kinds/networking/servicecidr.ts";
import type { AnyKind, Resource } from "../kinds/kind.ts";
import { dnsOf, parseResolver } from "../node/sandbox-config.ts";
import { reach, UnknownObject, type Lookup } from "../proxy/reach.ts";
import { adminAccess } from "./kubeconfig.ts";
import { clusterDNS, clusterDomain, serviceRanges } from "./node-settings.ts";
import { version } from "./version.ts";

const aliasesMax = 8;

/** Reads the cluster as it is now and follows the connection. `{ unknown }`: an object in the question is not there. */
export async function whyNot(cluster: Cluster, question: ReachQuestion): Promise<Reachability> {
  const access = await adminAccess({ context: cluster.context, server: "", dataFolder: cluster.dataFolder });
  const transport = new HttpTransport({
    address: cluster.listen[0] ?? "127.0.0.1", port: cluster.port, ca: access.certificateAuthority, identity: { cert: access.certificate, key: access.key }, userAgent: `timonier/${version.timonier} why-not`,
    clock: systemClock(), random: systemRandom(), log: silent,
  });
  try {
    const client = new HttpClient(transport, "timonier-why-not");
    const list = async <K extends AnyKind>(kind: K): Promise<readonly Resource<K>[]> => (await client.list(kind)).items;
    const [services, slices, pods, nodes, namespaces, policies, ranges, machine] = await Promise.all([
      list(Service), list(EndpointSlice), list(Pod), list(Node), list(Namespace), list(NetworkPolicy), list(ServiceCIDR), readFile("/etc/resolv.conf", "utf8").then(parseResolver, () => parseResolver("")),
    ]);
    const dns = clusterDNS(cluster);
    const view = clusterView(copyOf(services), copyOf(slices), () => undefined);
    return await reach(question, {
      services, slices, pods, nodes, policies, dns, serviceRanges: serviceRanges(cluster, ranges).map(({ cidr }) => cidr), namespaces: new Map(namespaces.map(({ metadata }) => [metadata.name ?? "", metadata.labels ?? {}])),
      lookUp: name => lookUp(name, view, aliasesMax),
      resolverOf: pod => {
        const { servers, searches, options } = pod === undefined ? machine : dnsOf(pod, { clusterDNS: [dns], clusterDomain, resolver: machine });
        return { servers, searches, ndots: Number(options.find(option => option.startsWith("ndots:"))?.slice(6) ?? 1) };
      },
    });
  } catch (error) {
    if (error instanceof UnknownObject) return { unknown: error.message };
    throw error;
  } finally {
    transport.close();
  }
}

async function lookUp(name: string, view: ClusterView, aliasesLeft: number): Promise<Lookup> {
  const settings = { domain: clusterDomain, ttl: 0, serial: () => 0 };
  const answers = await Promise.all([types.A, types.AAAA].map(type => answerFromZone({ name, type }, view, settings)));
  if (answers.some(answer => answer === undefined)) return "elsewhere";
  if (answers.some(answer => answer?.rcode === rcodes.NXDOMAIN)) return "missing";
  const alias = answers.find(answer => answer?.cname !== undefined)?.cname;
  if (alias !== undefined) {
    const inside = aliasesLeft > 0 ? await lookUp(alias, view, aliasesLeft - 1) : "elsewhere";
    return { alias, addresses: typeof inside === "string" ? [] : inside.addresses };
  }
  return { addresses: answers.flatMap(answer => answer?.answers.flatMap(record => ("address" in record ? [record.address] : [])) ?? []) };
}
