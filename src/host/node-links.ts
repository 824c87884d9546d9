/**
 * The links between the nodes of one machine: a bridge for each, with the machine's own address on it, and a veth pair from there into
 * each node's namespace. They lie in the machine's own network namespace, so that nothing but the machine can lose them.
 *
 *     machine ── tm<id>b0 (10.95.0.1/24) ─┬─ tm<id>n1 ═ eth0 of the second node
 *                                         └─ tm<id>n2 ═ eth0 of the third
 */
import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { command, findProgram, mustCommand } from "./command.ts";

/** Interfaces of one cluster start with this; 15 characters are the kernel's limit. */
export function linkPrefix(cluster: string): string {
  return `tm${cluster.slice(-6)}`;
}
export function linkTables(cluster: string): readonly [string, string] {
  const name = `timonier_links_${cluster.replace(/[^a-z0-9]/g, "_")}`;
  return [`ip ${name}`, `ip6 ${name}`];
}
export const bridgeName = (cluster: string, link: number): string => `${linkPrefix(cluster)}b${link}`;
export const portName = (cluster: string, index: number): string => `${linkPrefix(cluster)}n${index}`;

/** This node's addresses with their networks, on the links that it may share with other nodes: its main ones, and those that we made. */
export function ownLinks(cluster: string, main: readonly string[]): readonly string[] {
  const all = Object.entries(networkInterfaces()).flatMap(([name, addresses]) => (addresses ?? []).flatMap(({ address, cidr }) => (cidr ? [{ name, address, cidr }] : [])));
  const bridges = new RegExp(`^${linkPrefix(cluster)}b\\d+$`);
  return [...main.flatMap(address => all.find(each => each.address === address)?.cidr ?? []), ...all.filter(({ name, address }) => bridges.test(name) && !address.startsWith("fe80:")).map(({ cidr }) => cidr)];
}

/** The packet size of the interface of the default route: what leaves the machine may not be larger. */
export function outsideMtu(): number {
  const device = readFileSync("/proc/net/route", "utf8").split("\n").slice(1).map(line => line.split("\t")).find(fields => fields[1] === "00000000")?.[0];
  return device === undefined ? 1500 : Number(readFileSync(`/sys/class/net/${device}/mtu`, "utf8"));
}

export type NodeLinks = {
  readonly cluster: string;
  readonly nodeCIDR: string;
  readonly podCIDR: string;
  /** The machine's address on each. */
  readonly gateways: readonly string[];
  /** What the machine itself sends comes from here. */
  readonly own: string;
  /** The same in IPv6, of a cluster that has it. */
  readonly ipv6?: { readonly nodeCIDR: string; readonly podCIDR: string; readonly gateways: readonly string[] } | undefined;
};

/** Makes the bridges that are missing. What comes from the nodes and goes to neither nodes nor pods leaves under the machine's address. */
export async function layLinks({ cluster, nodeCIDR, podCIDR, gateways, own, ipv6 }: NodeLinks, path: string): Promise<void> {
  const mtu = outsideMtu();
  const known = await missingLinks(cluster, gateways, path);
  const lines = known.flatMap(({ address, name }) => {
    return [`link add ${name} address 02:${octets(address)}:fe mtu ${mtu} type bridge stp_state 0`, `address replace ${address}/24 dev ${name}`, `link set ${name} up`];
  });
  // Nobody else can have them: no probing for duplicates, they are there at once.
  for (const [link, address] of (ipv6?.gateways ?? []).entries()) lines.push(`address replace ${address}/64 dev ${bridgeName(cluster, link)} nodad`);
  if (!(networkInterfaces()[bridgeName(cluster, 0)] ?? []).some(({ address }) => address === own)) lines.push(`address replace ${own}/32 dev ${bridgeName(cluster, 0)}`);
  const [table, table6] = linkTables(cluster);
  const rules = [
    `add table ${table}`, `delete table ${table}`, `add table ${table}`, `add chain ${table} postrouting { type nat hook postrouting priority srcnat ; }`,
    `add rule ${table} postrouting ip saddr ${nodeCIDR} ip daddr != { ${nodeCIDR}, ${podCIDR} } masquerade`,
    ...(ipv6 ? [
      `add table ${table6}`, `delete table ${table6}`, `add table ${table6}`, `add chain ${table6} postrouting { type nat hook postrouting priority srcnat ; }`,
      `add rule ${table6} postrouting ip6 saddr ${ipv6.nodeCIDR} ip6 daddr != { ${ipv6.nodeCIDR}, ${ipv6.podCIDR} } masquerade`,
    ] : []),
  ];
  await Promise.all([
    // "force": a bridge that is there without its address only lacks that.
    lines.length === 0 ? undefined : batch(lines, path, ["-force"]).then(async () => {
      const [missing] = await missingLinks(cluster, gateways, path);
      if (missing) throw new Error(`the link ${missing.address}/24 between the nodes could not be made: see "ip address show dev ${missing.name}"`);
    }),
    mustCommand(findProgram("nft", path) ?? "nft", ["-f", "-"], { input: `${rules.join("\n")}\n` }),
  ]);
}
/** By `ip`: Node lists no bridge before a node is connected to it. */
async function missingLinks(cluster: string, gateways: readonly string[], path: string): Promise<readonly { readonly name: string; readonly address: string }[]> {
  const { stdout } = await command(ipProgram(path), ["-o", "address"]);
  return gateways.map((address, link) => ({ name: bridgeName(cluster, link), address })).filter(({ name, address }) => !stdout.split("\n").some(line => line.includes(` ${name} `) && line.includes(` inet ${address}/24 `)));
}

/** Connects a network namespace, given by a process in it: an interface eth0 with this address, and everything else by way of the machine. */
export async function plugIn(at: { readonly cluster: string; readonly index: number; readonly link: number; readonly address: string; readonly gateway: string; readonly ipv6?: { readonly address: string; readonly gateway: string } | undefined; readonly pid: number }, path: string): Promise<void> {
  const port = portName(at.cluster, at.index);
  const bridge = bridgeName(at.cluster, at.link);
  const mtu = outsideMtu();
  // The other end of a node that has just died may still be there.
  await command(ipProgram(path), ["link", "delete", port]);
  await batch([
    `link add ${port} mtu ${mtu} type veth peer name eth0 address 02:${octets(at.address)}:01 mtu ${mtu} netns ${at.pid}`,
    `link set ${port} master ${bridge} up`,
    // With br_netfilter a packet for the machine's node port that is translated to a pod of the node that it came from goes back by this very port.
    `link set ${port} type bridge_slave hairpin on`,
  ], path);
  await mustCommand(findProgram("nsenter", path) ?? "nsenter", ["--target", String(at.pid), "--net", ipProgram(path), "-batch", "-"], {
    input: `link set lo up\naddress add ${at.address}/24 dev eth0\nlink set eth0 up\nroute add default via ${at.gateway}\n${at.ipv6 ? `address add ${at.ipv6.address}/64 dev eth0 nodad\nroute add ::/0 via ${at.ipv6.gateway}\n` : ""}`,
  });
}
/** Whether the machine's end is there and on its bridge. */
export async function isPluggedIn(cluster: string, index: number, link: number, path: string): Promise<boolean> {
  const { code, stdout } = await command(ipProgram(path), ["-o", "link", "show", "dev", portName(cluster, index)]);
  return code === 0 && stdout.includes(`master ${bridgeName(cluster, link)} `);
}

export async function unplug(cluster: string, index: number, path: string): Promise<void> {
  await command(ipProgram(path), ["link", "delete", portName(cluster, index)]);
}

/** Removes every interface of this cluster from the machine, with the routes over them; none is fine. */
export async function removeLinks(cluster: string, path: string): Promise<void> {
  const prefix = linkPrefix(cluster);
  const names = (await mustCommand(ipProgram(path), ["-o", "link"])).split("\n").map(line => /^\d+: ([^:@]+)/.exec(line)?.[1] ?? "").filter(name => name.startsWith(prefix) && /^[bnx]/.test(name.slice(prefix.length)));
  for (const name of names) await command(ipProgram(path), ["link", "delete", name]);
}

const ipProgram = (path: string): string => findProgram("ip", path) ?? "ip";
async function batch(lines: readonly string[], path: string, flags: readonly string[] = []): Promise<void> {
  const { code, stderr } = await command(ipProgram(path), [...flags, "-batch", "-"], { input: `${lines.join("\n")}\n` });
  if (code !== 0 && !flags.includes("-force")) throw new Error(`ip ${lines.join("; ")} ended with code ${code}: ${stderr.trim()}`);
}
/** Four octets of an address as part of a link address. */
const octets = (address: string): string => address.split(".").map(part => Number(part).toString(16).padStart(2, "0")).join(":");
