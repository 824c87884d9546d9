/**
 * NetworkPolicies as nftables rules for the pods of one node: verdict maps by pod address, one chain for each set of policies that pods
 * share, one set for each selector. Judged in the forward hook, after service addresses have become pod addresses: what the node itself
 * sends (probes) passes elsewhere and is never blocked, nor is what the machine itself sends to pods of other nodes: the API server, the
 * ingress proxy and its users sit there. Replies pass because the flow's first direction passed; that direction is judged
 * packet by packet, so a flow that is no longer allowed stops.
 *
 *     saddr → egress map  → jump eg_…: rules of all its policies, each `return` (allowed); at the end `drop`
 *     daddr → ingress map → jump in_…: the same
 */
import type { NetworkPolicy } from "../kinds/networking/networkpolicy.ts";
import { inBlock, peerSelects, policiesFor, portsNamed, type Direction, type Namespaces, type Peer, type PolicyPod, type Port, type Rule } from "./policy-match.ts";
import { RulesetBuilder, type Ruleset } from "./ruleset.ts";
import { digest } from "./service-rules.ts";
import type { Family } from "./services.ts";

export type PolicyInput = { readonly policies: readonly NetworkPolicy[]; readonly namespaces: Namespaces; readonly pods: readonly PolicyPod[]; /** On another node: the addresses of the machine's own packets, which reach all pods as its own. */ readonly machine?: readonly string[] };

/** nft's words for one address family. */
const words = { IPv4: { ip: "ip", address: "ipv4_addr" }, IPv6: { ip: "ip6", address: "ipv6_addr" } } as const;

/** The fixed part; replaces whatever was there, in one transaction. `dns`: the name server's address on the node, if it has one of this family. */
export function policyBase(table: string, dns: string | undefined, family: Family = "IPv4"): readonly string[] {
  const { ip, address } = words[family];
  return [
    `add table ${table}`, `delete table ${table}`, `add table ${table}`,
    `add map ${table} ingress { type ${address} : verdict ; }`, `add map ${table} egress { type ${address} : verdict ; }`, `add set ${table} self { type ${address} . ${address} ; }`, `add set ${table} machine { type ${address} ; }`,
    `add chain ${table} forward { type filter hook forward priority filter ; policy accept ; }`,
    `add rule ${table} forward ct direction reply ct state established,related accept`,
    `add rule ${table} forward ct state related accept`,
    // A pod may always reach itself, also by way of a service.
    `add rule ${table} forward ${ip} saddr . ${ip} daddr @self accept`,
    `add rule ${table} forward ${ip} saddr vmap @egress`,
    `add rule ${table} forward ${ip} saddr @machine accept`,
    `add rule ${table} forward ${ip} daddr vmap @ingress`,
    // The name server lives on the node, where policies do not reach; elsewhere it is a pod, and policies are written with that in mind.
    ...(dns === undefined ? [] : [`add chain ${table} input { type filter hook input priority filter ; policy accept ; }`, `add rule ${table} input ${ip} daddr ${dns} ${ip} saddr vmap @egress`]),
  ];
}

/** Everything that depends on policies, namespaces and pods; pods whose address is of the other family have no part in it. */
export function policyRules({ policies, namespaces, pods, machine = [] }: PolicyInput, family: Family = "IPv4"): Ruleset {
  const builder = new RulesetBuilder();
  const peers = new Peers(builder, namespaces, pods, family);
  if (policies.length > 0) for (const address of machine) if (familyOf(address) === family) builder.element("machine", address);
  for (const pod of pods) {
    if (!pod.local || familyOf(pod.ip) !== family) continue;
    let restricted = false;
    for (const direction of ["ingress", "egress"] as const) {
      const about = policiesFor(policies, pod, direction);
      if (about.length === 0) continue;
      restricted = true;
      const lines = about.flatMap(policy => (policy.spec[direction] ?? []).flatMap(rule => peers.lines(direction, policy.metadata.namespace ?? "", rule, pod)));
      const chain = builder.chain(`${direction === "ingress" ? "in" : "eg"}_${digest(lines.join("\n"))}`, () => [...new Set(lines), "drop"]);
      builder.element(direction, pod.ip, `jump ${chain}`);
    }
    if (restricted) builder.element("self", `${pod.ip} . ${pod.ip}`);
  }
  return builder.done();
}

/** Peers and ports of one rule as nft matches. */
class Peers {
  readonly #builder: RulesetBuilder;
  readonly #namespaces: Namespaces;
  readonly #pods: readonly PolicyPod[];
  readonly #family: Family;
  constructor(builder: RulesetBuilder, namespaces: Namespaces, pods: readonly PolicyPod[], family: Family) {
    this.#family = family;
    this.#builder = builder;
    this.#namespaces = namespaces;
    this.#pods = pods.filter(({ ip }) => familyOf(ip) === family);
  }

  lines(direction: Direction, namespace: string, rule: Rule, pod: PolicyPod): readonly string[] {
    const peers = direction === "ingress" ? rule.from : rule.to;
    const address = direction === "ingress" ? "saddr" : "daddr";
    const ports = rule.ports ?? [];
    const named = ports.filter(({ port }) => typeof port === "string");
    const plain = portMatches(direction === "ingress" ? [...ports.filter(({ port }) => typeof port !== "string"), ...named.flatMap(port => portsNamed(port, pod))] : ports.filter(({ port }) => typeof port !== "string"));
    const matches = (peers ?? []).length === 0 ? [""] : peers!.flatMap(peer => this.#match(address, namespace, peer));
    // No ports at all means all of them; ports that this pod does not have mean none.
    const lines = ports.length === 0 ? matches.map(match => `${match}return`) : matches.flatMap(match => plain.map(port => `${match}${port} return`));
    if (direction === "ingress") return lines;
    return [...lines, ...named.flatMap(port => this.#namedEgress(namespace, peers ?? [], port))];
  }

  #match(address: "saddr" | "daddr", namespace: string, peer: Peer): readonly string[] {
    const { ip } = words[this.#family];
    if (!peer.ipBlock) return [`${ip} ${address} @${this.#set(namespace, peer)} `];
    if (familyOf(peer.ipBlock.cidr) !== this.#family) return [];
    const { cidr, except = [] } = peer.ipBlock;
    return [`${ip} ${address} ${cidr} ${except.length === 0 ? "" : `${ip} ${address} != { ${except.join(", ")} } `}`];
  }
  #selected(namespace: string, peer: Peer): readonly PolicyPod[] {
    return this.#pods.filter(peerSelects(namespace, peer, this.#namespaces));
  }
  #set(namespace: string, peer: Peer): string {
    const name = `peer_${digest(JSON.stringify([peer.namespaceSelector === undefined ? namespace : "", peer.podSelector ?? null, peer.namespaceSelector ?? null]))}`;
    this.#builder.set(name, `{ type ${words[this.#family].address} ; }`);
    for (const { ip } of this.#selected(namespace, peer)) this.#builder.element(name, ip);
    return name;
  }
  /** A port by name is another number on each pod that is reached. */
  #namedEgress(namespace: string, peers: readonly Peer[], port: Port): readonly string[] {
    const targets = peers.length === 0 ? this.#pods : this.#pods.filter(pod => peers.some(peer => (peer.ipBlock === undefined ? peerSelects(namespace, peer, this.#namespaces)(pod) : inBlock(pod.ip, peer.ipBlock))));
    const protocol = protocolOf(port);
    const name = `named_${digest(JSON.stringify([namespace, peers, port]))}`;
    this.#builder.set(name, `{ type ${words[this.#family].address} . inet_service ; }`);
    for (const target of targets) for (const { port: number } of portsNamed(port, target)) this.#builder.element(name, `${target.ip} . ${number}`);
    return [`${words[this.#family].ip} daddr . ${protocol} dport @${name} return`];
  }
}

const familyOf = (address: string): Family => (address.includes(":") ? "IPv6" : "IPv4");
function protocolOf({ protocol }: Port): string {
  return (protocol ?? "TCP").toLowerCase();
}
/** One match for each protocol; a port without a number means all of its protocol. */
function portMatches(ports: readonly Port[]): readonly string[] {
  return [...new Set(ports.map(protocolOf))].flatMap(protocol => {
    const own = ports.filter(port => protocolOf(port) === protocol);
    if (own.some(({ port }) => port === undefined)) return [`meta l4proto ${protocol}`];
    return [`${protocol} dport { ${merged(own.map(({ port, endPort }) => [Number(port), endPort ?? Number(port)] as const)).map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(", ")} }`];
  });
}
/** Ranges that overlap become one: nft refuses overlapping ones. */
function merged(ranges: readonly (readonly [number, number])[]): readonly (readonly [number, number])[] {
  const result: [number, number][] = [];
  for (const [from, to] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const last = result.at(-1);
    if (last && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else result.push([from, to]);
  }
  return result;
}
