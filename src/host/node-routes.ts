/** Puts a node's routes to other nodes' pods into the kernel, and makes its end of the tunnels where one is needed. */
import { networkInterfaces } from "node:os";
import { parseCidr, within } from "../base/ip.ts";
import { tunnelMac, type RoutePlan } from "../proxy/routes.ts";
import { command, findProgram, mustCommand } from "./command.ts";
import { linkPrefix, outsideMtu } from "./node-links.ts";

/** Marks routes as ours (a number that nothing in /etc/iproute2/rt_protos uses). */
const routeProtocol = "217";
const tunnelPort = 8472;
/** What VXLAN adds to a packet over IPv4. */
export const tunnelOverheadBytes = 50;

export type RouteTable = {
  readonly cluster: string;
  /** The cluster's pods: only routes within are ours. */
  readonly podCIDRs: readonly string[];
  /** This node's. */
  readonly ownPodCIDRs: readonly string[];
  /** The node's main address: the tunnels' end. */
  readonly address: string;
  readonly path: string;
};

/** Makes the kernel's routes equal to the plan; what is right already is not touched. */
export async function applyRoutes(plan: RoutePlan, table: RouteTable): Promise<void> {
  const ip = findProgram("ip", table.path) ?? "ip";
  const device = tunnelName(table.cluster);
  const current = (await Promise.all([...new Set(table.podCIDRs.map(cidr => (cidr.includes(":") ? "-6" : "-4")))].map(family => mustCommand(ip, [family, "route", "show", "proto", routeProtocol])))).join("").split("\n").filter(Boolean);
  const known = new Map(current.map(line => [line.split(" ")[0]!, line]));
  const lines = [
    ...(plan.tunnels.length === 0 ? [] : await tunnelLines(plan, table, device)),
    ...plan.routes.filter(({ cidr, via, src = "" }) => !known.get(cidr)?.includes(` via ${via} `) || !known.get(cidr)?.includes(src)).map(({ cidr, via, src }) => `route replace ${cidr} via ${via} ${src === undefined ? "" : `src ${src} `}proto ${routeProtocol}`),
    ...plan.tunnels.filter(({ cidr, gateway }) => !known.get(cidr)?.includes(` via ${gateway} dev ${device} `)).map(({ cidr, gateway }) => `route replace ${cidr} via ${gateway} dev ${device} onlink proto ${routeProtocol}`),
  ];
  const wanted = new Set([...plan.routes, ...plan.tunnels].map(({ cidr }) => cidr));
  const stale = [...known.keys()].filter(cidr => !wanted.has(cidr) && table.podCIDRs.some(network => isPartOf(cidr, network)));
  for (const cidr of stale) lines.push(`route delete ${cidr} proto ${routeProtocol}`);
  if (lines.length > 0) await mustCommand(ip, ["-batch", "-"], { input: `${lines.join("\n")}\n` });
  await forwarding(plan, device, table.path);
}

/** The cluster's own number keeps its frames apart from those of other clusters on the same machine. */
async function tunnelLines({ tunnels }: RoutePlan, table: RouteTable, device: string): Promise<readonly string[]> {
  const own = table.ownPodCIDRs[0] ?? "";
  const there = networkInterfaces()[device] !== undefined || (await command(findProgram("ip", table.path) ?? "ip", ["link", "show", "dev", device])).code === 0;
  return [
    ...(there ? [] : [`link add ${device} address ${tunnelMac(own)} mtu ${outsideMtu() - tunnelOverheadBytes} type vxlan id ${vni(table.cluster)} dstport ${tunnelPort} local ${table.address} nolearning`]),
    ...table.ownPodCIDRs.map(cidr => `address replace ${cidr.split("/")[0]}/${cidr.includes(":") ? 128 : 32} dev ${device}`),
    `link set ${device} up`,
    ...tunnels.map(({ gateway, mac }) => `neigh replace ${gateway} lladdr ${mac} dev ${device} nud permanent`),
  ];
}
/** Which node a frame goes to. */
async function forwarding({ tunnels }: RoutePlan, device: string, path: string): Promise<void> {
  const bridge = findProgram("bridge", path) ?? "bridge";
  if (tunnels.length > 0) await mustCommand(bridge, ["-batch", "-"], { input: `${tunnels.map(({ mac, endpoint }) => `fdb replace ${mac} dev ${device} dst ${endpoint}`).join("\n")}\n` });
}

export const tunnelName = (cluster: string): string => `${linkPrefix(cluster)}x`;
const vni = (cluster: string): number => (parseInt(cluster.slice(-6), 16) || 1) & 0xffffff;

function isPartOf(cidr: string, network: string): boolean {
  const [part, whole] = [parseCidr(cidr), parseCidr(network)];
  return part !== undefined && whole !== undefined && within(part, whole);
}
