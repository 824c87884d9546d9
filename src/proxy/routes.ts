/**
 * How one node reaches the pods of every other: by a plain route where both have an address on one link, through a VXLAN tunnel between
 * their main addresses where they have not. Pure: Node objects in, what the kernel should have out.
 */
import { parseCidr, parseIp, within } from "../base/ip.ts";
import type { Node } from "../kinds/core/node.ts";

/** A node's addresses with their networks, comma-separated, in its annotations: peers look for a link in common. Main address first. */
export const linksAnnotation = "timonier.io/links";

/** `src`: the address that the node's own packets have. */
export type Route = { readonly cidr: string; readonly via: string; readonly src?: string };
/** The peer's end of the tunnel has the first address of each of its pod networks, and a link address made of the first, so that nobody needs to be asked. */
export type Tunnel = { readonly cidr: string; readonly gateway: string; readonly mac: string; readonly endpoint: string };
export type RoutePlan = { readonly routes: readonly Route[]; readonly tunnels: readonly Tunnel[] };

/** `links` are our own addresses as `address/bits`, `sources` those that our own packets shall have, at most one of a family. Nodes without a pod network or an address are left out. In order of name, so that equal nodes give an equal plan. */
export function planRoutes(self: { readonly name: string; readonly links: readonly string[]; readonly sources?: readonly string[] }, nodes: readonly Node[]): RoutePlan {
  const routes: Route[] = [];
  const tunnels: Tunnel[] = [];
  for (const node of [...nodes].sort((a, b) => ((a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1))) {
    if (node.metadata.name === self.name) continue;
    const main = internalIPs(node);
    const theirs = node.metadata.annotations?.[linksAnnotation]?.split(",") ?? [];
    const cidrs = (node.spec.podCIDRs ?? (node.spec.podCIDR ? [node.spec.podCIDR] : [])).filter(cidr => parseCidr(cidr) !== undefined);
    for (const cidr of cidrs) {
      const via = onSameLink(self.links, theirs.length > 0 ? theirs : main.map(address => `${address}/${address.includes(":") ? 128 : 32}`), cidr);
      // A packet of either family can travel in a tunnel of either.
      const endpoint = main[0];
      const src = self.sources?.find(address => address.includes(":") === cidr.includes(":"));
      if (via !== undefined) routes.push({ cidr, via, ...(src === undefined ? {} : { src }) });
      else if (endpoint !== undefined) tunnels.push({ cidr, gateway: cidr.split("/")[0]!, mac: tunnelMac(cidrs[0]!), endpoint });
    }
  }
  return { routes, tunnels };
}

/** Under which address `from`'s own packets, and those that it passes on under its own, arrive at another node's pods. */
export function addressTowards(from: Node, to: Node): string | undefined {
  const links = to.metadata.annotations?.[linksAnnotation]?.split(",") ?? internalIPs(to).map(address => `${address}/${address.includes(":") ? 128 : 32}`);
  const { routes: [route], tunnels: [tunnel] } = planRoutes({ name: to.metadata.name ?? "", links }, [from]);
  return route?.via ?? tunnel?.gateway ?? internalIPs(from)[0];
}

/** A node's own addresses, the main one first; none of a node that is not known. */
export function internalIPs(node: Node | undefined): readonly string[] {
  return node?.status.addresses?.filter(({ type }) => type === "InternalIP").map(({ address }) => address) ?? [];
}

/** Their address on a link where we have one too, of the family of `cidr`. */
function onSameLink(ours: readonly string[], theirs: readonly string[], cidr: string): string | undefined {
  const family = cidr.includes(":");
  const networks = ours.flatMap(link => parseCidr(link) ?? []);
  const own = new Set(ours.map(link => link.split("/")[0]));
  return theirs.map(link => link.split("/")[0] ?? "").find(address => {
    const ip = parseIp(address);
    return ip !== undefined && address.includes(":") === family && !own.has(address) && networks.some(network => within(ip, network));
  });
}

/** Locally administered, made of a node's first pod network (its last four significant bytes): all nodes compute the same. */
export function tunnelMac(cidr: string): string {
  const bytes = parseCidr(cidr)!;
  // A /64 and its kin differ in the bits before the host part.
  const significant = bytes.family === 6 ? bytes.value >> BigInt(128 - bytes.bits) : bytes.value;
  const last = [24n, 16n, 8n, 0n].map(shift => ((significant >> shift) & 0xffn).toString(16).padStart(2, "0"));
  return `02:${bytes.family === 6 ? "76" : "74"}:${last.join(":")}`;
}
