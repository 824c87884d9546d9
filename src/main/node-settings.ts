/** Where a cluster's nodes keep what, and what belongs to which: one place, for the agents and for what removes everything again. */
import { must } from "../base/assert.ts";
import { parseCidr, renderIp } from "../base/ip.ts";
import { parseIPv4Range, renderIPv4 } from "../base/ipv4.ts";
import type { Cluster, Member } from "../cli/machine.ts";
import type { LoadBalancerAddresses } from "../controllers/load-balancer-plan.ts";
import type { ContainerdSettings } from "../host/containerd-config.ts";
import type { ServiceNetwork } from "../host/pod-network.ts";
import type { ServiceCIDR } from "../kinds/networking/servicecidr.ts";
import { tunnelOverheadBytes } from "../host/node-routes.ts";

/** One node of a cluster on this machine. The first is the machine itself; every other one is a box: namespaces of its own (`host/box.ts`). */
export type NodePlace = {
  readonly name: string;
  readonly index: number;
  readonly boxed: boolean;
  readonly dataFolder: string;
  readonly runFolder: string;
  readonly cgroupRoot: string;
  readonly podCIDRs: readonly string[];
  /** InternalIPs. */
  readonly addresses: readonly string[];
  /** Where its HTTPS server listens. */
  readonly listen: readonly string[];
  /** Where it reaches the API server. */
  readonly api: string;
};

type Layout = Pick<Cluster, "id" | "dataFolder" | "runFolder" | "nodeName" | "podCIDR" | "advertise" | "listen" | "members" | "nodeCIDR" | "links" | "ipv6">;

/** The node of that name; without one, the first. */
export function nodePlace(cluster: Layout, name: string = cluster.nodeName): NodePlace {
  if (name === cluster.nodeName) {
    const addresses = cluster.advertise === undefined ? ["127.0.0.1"] : [cluster.advertise];
    return {
      name, index: 0, boxed: false, dataFolder: cluster.dataFolder, runFolder: cluster.runFolder, cgroupRoot: `/timonier-${cluster.id}`, podCIDRs: podCIDRsOf(cluster, 0),
      addresses: [...addresses, ...(cluster.ipv6 ? [machineIPv6(cluster.ipv6)] : [])], listen: [...new Set([...addresses, ...cluster.listen])], api: cluster.listen[0] ?? "127.0.0.1",
    };
  }
  const member = cluster.members?.find(each => each.name === name);
  if (!member) throw new Error(`cluster ${cluster.id} has no node "${name}": expected one of ${[cluster.nodeName, ...(cluster.members ?? []).map(each => each.name)].join(", ")}`);
  const address = memberAddress(cluster, member);
  return {
    name, index: member.index, boxed: true, dataFolder: `${cluster.dataFolder}/nodes/${member.index}`, runFolder: `${cluster.runFolder}/n${member.index}`, cgroupRoot: `/timonier-${cluster.id}/nodes/${member.index}`,
    podCIDRs: podCIDRsOf(cluster, member.index), addresses: [address, ...(cluster.ipv6 ? [ipv6On(cluster.ipv6, member.link, firstHost + member.index)] : [])], listen: [address, "127.0.0.1"], api: linkGateway(cluster, 0),
  };
}
export function nodePlaces(cluster: Layout): readonly NodePlace[] {
  return [cluster.nodeName, ...(cluster.members ?? []).map(({ name }) => name)].map(name => nodePlace(cluster, name));
}

const firstHost = 10;
/** The number of no link. */
const machineLink = 255;
const addressOn = ({ nodeCIDR }: Pick<Cluster, "nodeCIDR">, link: number, host: number): string => renderIPv4(must(parseIPv4Range(nodeCIDR ?? ""), "a cluster of several nodes has a node network").first + link * 256 + host);
export function memberAddress(cluster: Pick<Cluster, "nodeCIDR">, { link, index }: Member): string {
  return addressOn(cluster, link, firstHost + index);
}
/** The machine's own address on a link. */
export function linkGateway(cluster: Pick<Cluster, "nodeCIDR">, link: number): string {
  return addressOn(cluster, link, 1);
}
/**
 * What the machine itself sends to pods of other nodes comes from this address, on none of the links' networks. What it only passes on under an address of
 * its own (node ports, load balancers) has the link's: so members can tell the two apart.
 */
export function machineOwn(cluster: Pick<Cluster, "nodeCIDR">): string {
  return addressOn(cluster, machineLink, 1);
}
type IPv6 = NonNullable<Cluster["ipv6"]>;
const ipv6At = (cidr: string, offset: bigint): string => { const { family, value } = must(parseCidr(cidr), `${cidr} is a network`); return renderIp({ family, value: value + offset }); };
/** Each link is a /64 of the node network. */
function ipv6On({ nodeCIDR }: IPv6, link: number, host: number): string {
  return ipv6At(nodeCIDR, (BigInt(link) << 64n) + BigInt(host));
}
/** The first node's own address, on its loopback: it does not change when the machine moves. */
export function machineIPv6({ nodeCIDR }: IPv6): string {
  return ipv6On({ nodeCIDR } as IPv6, machineLink, 1);
}
function podCIDRsOf(cluster: Pick<Cluster, "podCIDR" | "ipv6">, index: number): readonly string[] {
  return [nodePodCIDR(cluster, index), ...(cluster.ipv6 ? [`${ipv6At(cluster.ipv6.podCIDR, BigInt(index) << 64n)}/64`] : [])];
}
/** Networks of the cluster, IPv4 first. */
export function podNetworks({ podCIDR, ipv6 }: Pick<Cluster, "podCIDR" | "ipv6">): readonly string[] {
  return [podCIDR, ...(ipv6 ? [ipv6.podCIDR] : [])];
}
export function serviceNetworks({ serviceCIDR, ipv6 }: Pick<Cluster, "serviceCIDR" | "ipv6">): readonly string[] {
  return [serviceCIDR, ...(ipv6 ? [ipv6.serviceCIDR] : [])];
}
/** Whose packets the machine passes on: pods', and further nodes'. */
export function forwardedNetworks(cluster: Pick<Cluster, "podCIDR" | "nodeCIDR" | "ipv6">): readonly string[] {
  return [...podNetworks(cluster), ...(cluster.nodeCIDR === undefined ? [] : [cluster.nodeCIDR]), ...(cluster.ipv6 === undefined ? [] : [cluster.ipv6.nodeCIDR])];
}
/** Those and what users have added: what is rejected where no service has it. The name server's own address is served on the node. */
export function serviceRanges(cluster: Pick<Cluster, "serviceCIDR" | "ipv6">, added: readonly ServiceCIDR[]): readonly ServiceNetwork[] {
  const families = serviceNetworks(cluster).map(cidr => cidr.includes(":"));
  const cidrs = new Set([...serviceNetworks(cluster), ...added.flatMap(({ spec }) => spec.cidrs ?? []).filter(cidr => families.includes(cidr.includes(":"))).toSorted()]);
  return [...cidrs].map(cidr => ({ cidr, ...(cidr.includes(":") ? {} : { dns: clusterDNS(cluster) }) }));
}
/** A member's IPv6 address and way out, of a cluster that has them. */
export function memberIPv6({ ipv6 }: Pick<Cluster, "ipv6">, { link, index }: Member): { readonly address: string; readonly gateway: string } | undefined {
  return ipv6 && { address: ipv6On(ipv6, link, firstHost + index), gateway: ipv6On(ipv6, link, 1) };
}
export function gateways6(cluster: Pick<Cluster, "nodeCIDR" | "links" | "members" | "ipv6">): readonly string[] {
  return cluster.ipv6 ? gateways(cluster).map((_, link) => ipv6On(cluster.ipv6!, link, 1)) : [];
}
/** The machine's addresses on all links; none without further nodes. */
export function gateways(cluster: Pick<Cluster, "nodeCIDR" | "links" | "members">): readonly string[] {
  return (cluster.members ?? []).length === 0 ? [] : Array.from({ length: cluster.links ?? 1 }, (_, link) => linkGateway(cluster, link));
}

export function agentPaths(cluster: Pick<Cluster, "dataFolder">, node: NodePlace) {
  const identity = `${cluster.dataFolder}/pki/nodes/${node.name}`;
  return {
    podsDir: `${node.dataFolder}/pods`, logsDir: `${node.dataFolder}/logs/pods`, memoryDir: `${node.runFolder}/volumes`, seccompDir: `${node.dataFolder}/seccomp`, registries: `${node.dataFolder}/registries.json`,
    cgroupRoot: node.cgroupRoot, clientIdentity: `${identity}/client.pem`, servingIdentity: `${identity}/serving.pem`, proxyIdentity: `${identity}/proxy.pem`,
  };
}

export function containerdSettings(cluster: Pick<Cluster, "id" | "links">, node: NodePlace): ContainerdSettings {
  return { name: cluster.id, dir: `${node.dataFolder}/containerd`, runDir: node.runFolder, podCIDRs: node.podCIDRs, overheadBytes: (cluster.links ?? 1) > 1 ? tunnelOverheadBytes : 0, path: process.env["PATH"] ?? "" };
}

/** The `index`-th /24 of the cluster's pod network. */
export function nodePodCIDR({ podCIDR }: Pick<Cluster, "podCIDR">, index = 0): string {
  const size = Number(podCIDR.split("/")[1] ?? "24");
  if (size >= 24) return podCIDR;
  return `${renderIPv4(must(parseIPv4Range(podCIDR), `${podCIDR} is a network`).first + index * 256)}/24`;
}

/** How the machine's switches for forwarding were before any cluster; a box has switches of its own. */
export function forwardingNote({ runFolder }: Pick<Cluster, "runFolder">, place: NodePlace): string {
  return place.boxed ? `${place.runFolder}/forwarding.json` : `${runFolder.slice(0, runFolder.lastIndexOf("/"))}/forwarding.json`;
}
/** Where boxes read how to reach registries on the machine's loopback. */
export function registryNote({ runFolder }: Pick<Cluster, "runFolder">): string {
  return `${runFolder}/registry-gateway.json`;
}

/**
 * Where LoadBalancer services are reached: the pools that were given, else the machine's own address of each family, else a few addresses that only
 * this machine and its pods know.
 */
export function loadBalancerAddresses({ loadBalancerPools, advertise, podCIDR, ipv6 }: Pick<Cluster, "loadBalancerPools" | "advertise" | "podCIDR" | "ipv6">): LoadBalancerAddresses {
  if (loadBalancerPools !== undefined) return { pools: loadBalancerPools, hosts: [] };
  const six = ipv6 === undefined ? [] : [machineIPv6(ipv6)];
  if (advertise !== undefined) return { pools: [], hosts: [advertise, ...six] };
  // The end of the pod network: nodes get their shares from its beginning.
  const size = Number(podCIDR.split("/")[1]);
  return { pools: [`${serviceAddress(podCIDR, 2 ** (32 - size) - 16)}/28`], hosts: six };
}

export const clusterDomain = "cluster.local";
/** The tenth address of the service network, as everywhere. */
export function clusterDNS({ serviceCIDR }: Pick<Cluster, "serviceCIDR">): string {
  return serviceAddress(serviceCIDR, 10);
}
/** The `n`-th address of an IPv4 network. */
export function serviceAddress(cidr: string, n: number): string {
  return renderIPv4(must(parseIPv4Range(cidr), `${cidr} is a network`).first + n);
}
/** `family`: nft's word, `ip` or `ip6`. */
export function policyTable(cluster: string, family: "ip" | "ip6" = "ip"): string {
  return `${family} timonier_policies_${cluster.replace(/[^a-z0-9]/g, "_")}`;
}
export function proxyTable(cluster: string, family: "ip" | "ip6" = "ip"): string {
  return `${family} timonier_services_${cluster.replace(/[^a-z0-9]/g, "_")}`;
}
export const isLoopback = (address: string): boolean => address.startsWith("127.") || address === "::1";
