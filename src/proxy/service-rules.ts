/**
 * The service table in nftables, by maps: a service is map elements, and there is one chain for each number of endpoints
 * ("pick3_tcp"), so that changing an endpoint changes elements only. Services with session affinity or node-local traffic get
 * chains of their own. The layout and its traps are measured in `docs/decisions/0005-services-by-maps.md`.
 */
import { parseCidr, parseIp, renderIp, within } from "../base/ip.ts";
import { RulesetBuilder, type Ruleset } from "./ruleset.ts";
import type { Family, Protocol, ServicePort, Target } from "./services.ts";

export type ProxySettings = {
  readonly family: Family;
  /** `ip name` or `ip6 name`. */
  readonly table: string;
  /** All pods of the cluster: traffic from elsewhere is masqueraded. */
  readonly clusterCIDR: string;
  /** The pods of this node. */
  readonly podCIDR: string;
  /** Addresses set aside for load balancers: what no service has of them is refused. */
  readonly pools: readonly string[];
  /** The node's own addresses of this family, the loopback apart: its packets keep them, and as what it counts where a load balancer lets only some in. */
  readonly nodeIPs: readonly string[];
  /** Addresses of load balancers lead to this node: it is the load balancer, and sends what comes from outside to whichever node has endpoints. */
  readonly isBalancer: boolean;
};

const masqueradeMark = "0x4000";
const protocols: readonly Protocol[] = ["tcp", "udp", "sctp"];

/** The fixed part: tables, maps and hooks. Replaces whatever an earlier run left, in one transaction. */
export function baseRules({ family, table, clusterCIDR, podCIDR, pools, nodeIPs }: ProxySettings): readonly string[] {
  const ip = family === "IPv4" ? "ip" : "ip6";
  const address = family === "IPv4" ? "ipv4_addr" : "ipv6_addr";
  const unreachable = family === "IPv4" ? "reject with icmp type port-unreachable" : "reject with icmpv6 type port-unreachable";
  return [
    `add table ${table}`,
    `delete table ${table}`,
    `add table ${table}`,
    `add set ${table} hairpin { type ${address} . ${address} ; }`,
    `add map ${table} svc { type ${address} . inet_proto . inet_service : verdict ; }`,
    `add map ${table} nodeport { type inet_proto . inet_service : verdict ; }`,
    `add map ${table} firewall { type ${address} . inet_proto . inet_service : verdict ; }`,
    `add map ${table} noep { type ${address} . inet_proto . inet_service : verdict ; }`,
    `add map ${table} noep_np { type inet_proto . inet_service : verdict ; }`,
    // One map for each protocol: nft 1.0.6 reads "th dport" data back wrongly, and "tcp dport" makes a rule TCP only.
    ...protocols.flatMap(protocol => [
      ...["eps", "epl"].map(map => `add map ${table} ${map}_${protocol} { typeof ${ip} daddr . ${protocol} dport . numgen random mod 2 : ${ip} daddr . ${protocol} dport ; }`),
      ...["np", "npl"].map(map => `add map ${table} ${map}_${protocol} { typeof ${protocol} dport . numgen random mod 2 : ${ip} daddr . ${protocol} dport ; }`),
    ]),
    ...["rejected", "dropped", "marked", "services", "noendpoints", "prerouting", "output", "postrouting", "firewalls", "guard", "guard_out", "filter_in", "filter_forward", "filter_out"].map(chain => `add chain ${table} ${chain}${hooks[chain] ?? ""}`),
    `add rule ${table} rejected meta l4proto tcp reject with tcp reset`,
    `add rule ${table} rejected ${unreachable}`,
    `add rule ${table} dropped drop`,
    // Answers find the way back to the node's own address, and endpoints see who asks.
    ...nodeIPs.map(own => `add rule ${table} marked ${ip} saddr ${own} return`),
    `add rule ${table} marked meta mark set meta mark or ${masqueradeMark}`,
    `add rule ${table} services ${ip} daddr . meta l4proto . th dport vmap @svc`,
    `add rule ${table} services fib daddr type local meta l4proto . th dport vmap @nodeport`,
    `add rule ${table} noendpoints ${ip} daddr . meta l4proto . th dport vmap @noep`,
    `add rule ${table} noendpoints fib daddr type local meta l4proto . th dport vmap @noep_np`,
    `add rule ${table} prerouting jump services`,
    `add rule ${table} output jump services`,
    `add rule ${table} firewalls ${ip} daddr . meta l4proto . th dport vmap @firewall`,
    `add rule ${table} guard jump firewalls`,
    `add rule ${table} guard_out jump firewalls`,
    ...["filter_in", "filter_forward", "filter_out"].map(chain => `add rule ${table} ${chain} ct state new jump noendpoints`),
    // What no service has of the pools; after those that say themselves what happens without an endpoint.
    ...pools.filter(pool => pool.includes(":") === (family === "IPv6")).map(pool => `add rule ${table} filter_in ${ip} daddr ${pool} ct state new goto rejected`),
    // Addresses of the loopback have no business coming in from or going out to pods (CVE-2020-8558).
    ...(family === "IPv4" ? [`add rule ${table} filter_in iif != lo ip daddr 127.0.0.0/8 ct state new drop`] : []),
    `add rule ${table} postrouting meta mark and ${masqueradeMark} == ${masqueradeMark} meta mark set meta mark xor ${masqueradeMark} masquerade fully-random`,
    `add rule ${table} postrouting ct status dnat ${ip} saddr . ${ip} daddr @hairpin masquerade fully-random`,
    `add rule ${table} postrouting ${ip} saddr ${podCIDR} ${ip} daddr != ${clusterCIDR} fib daddr type != local masquerade fully-random`,
  ];
}

const hooks: { readonly [chain: string]: string } = {
  prerouting: " { type nat hook prerouting priority dstnat ; policy accept ; }",
  output: " { type nat hook output priority -100 ; policy accept ; }",
  postrouting: " { type nat hook postrouting priority srcnat ; policy accept ; }",
  guard: " { type filter hook prerouting priority -110 ; policy accept ; }",
  guard_out: " { type filter hook output priority -110 ; policy accept ; }",
  filter_in: " { type filter hook input priority -110 ; policy accept ; }",
  filter_forward: " { type filter hook forward priority -110 ; policy accept ; }",
  // After translation: what the node itself sends goes to endpoints elsewhere where others' packets are dropped.
  filter_out: " { type filter hook output priority 0 ; policy accept ; }",
};

/** Everything that depends on the services and on the pods of this node (`localPods`: their addresses, for hairpin traffic). */
export function serviceRules(ports: readonly ServicePort[], localPods: readonly string[], settings: ProxySettings): Ruleset {
  const rules = new RulesetBuilder();
  // The addresses of a small pod network are all there from the start: pods that come and go change nothing.
  for (const pod of hairpins(settings.podCIDR) ?? localPods) rules.element("hairpin", `${pod} . ${pod}`);
  for (const port of ports) addPort(rules, port, settings);
  return rules.done();
}

/** Every address of a range of at most a few hundred; a bigger one is left to those that are there. */
const hairpinsMax = 256n;
const hairpinsOf = new Map<string, readonly string[] | undefined>();
function hairpins(cidr: string): readonly string[] | undefined {
  if (!hairpinsOf.has(cidr)) {
    const range = parseCidr(cidr);
    const size = range === undefined ? 0n : 1n << BigInt((range.family === 4 ? 32 : 128) - range.bits);
    hairpinsOf.set(cidr, range === undefined || size > hairpinsMax ? undefined : Array.from({ length: Number(size) }, (_, i) => renderIp({ family: range.family, value: range.value + BigInt(i) })));
  }
  return hairpinsOf.get(cidr);
}

function addPort(rules: RulesetBuilder, port: ServicePort, settings: ProxySettings): void {
  const { protocol, targets, localTargets } = port;
  const internal = port.internalLocal ? localTargets : targets;
  const key = (ip: string): string => `${ip} . ${protocol} . ${port.port}`;

  if (internal.length > 0) rules.element("svc", key(port.clusterIP), `goto ${clusterChain(rules, port, port.clusterIP, internal, settings)}`);
  else rules.element("noep", key(port.clusterIP), port.internalLocal && targets.length > 0 ? "goto dropped" : "goto rejected");

  for (const ip of [...port.externalIPs, ...port.loadBalancerIPs]) {
    // Policy Local: from outside only endpoints of this node, but a load balancer finds the nodes that have some.
    const here = settings.isBalancer && port.loadBalancerIPs.includes(ip) ? targets : localTargets;
    if (targets.length === 0) rules.element("noep", key(ip), "goto rejected");
    else rules.element("svc", key(ip), `goto ${externalChain(rules, port, ip, here, settings)}`);
    if (port.externalLocal && here.length === 0 && targets.length > 0) rules.element("noep", key(ip), "goto dropped");
  }
  if (port.sourceRanges.length > 0) {
    const allowed = rules.chain(`from_${digest(port.name)}`, () => [
      // The node itself comes from whichever of its addresses, a pool's own included; it is let in if the one it is known by is.
      settings.nodeIPs.some(ip => port.sourceRanges.some(range => isWithin(ip, range))) ? "fib saddr type local return" : `${word(settings)} saddr { ${port.loadBalancerIPs.join(", ")} } drop`,
      ...port.sourceRanges.map(range => `${word(settings)} saddr ${range} return`),
      "drop",
    ]);
    for (const ip of port.loadBalancerIPs) rules.element("firewall", key(ip), `goto ${allowed}`);
  }
  if (port.nodePort > 0) {
    const nodeKey = `${protocol} . ${port.nodePort}`;
    if (targets.length === 0) rules.element("noep_np", nodeKey, "goto rejected");
    else rules.element("nodeport", nodeKey, `goto ${nodePortChain(rules, port, settings)}`);
    if (port.externalLocal && localTargets.length === 0 && targets.length > 0) rules.element("noep_np", nodeKey, "goto dropped");
  }
}

/** Where a packet to the cluster address goes. Clients outside the pod network that route here get our address, or answers would pass us by. */
function clusterChain(rules: RulesetBuilder, port: ServicePort, ip: string, targets: readonly Target[], settings: ProxySettings): string {
  const foreign = `${word(settings)} saddr != ${settings.clusterCIDR} fib saddr type != local jump marked`;
  if (port.affinitySeconds > 0) return affinityChain(rules, port, "a", targets, [foreign], settings);
  return pick(rules, port.protocol, ip, port.port, targets, "eps", [foreign], settings);
}

/** The same for an external address: masqueraded, unless the policy is Local and the client is outside the node: it goes `here` as it came. */
function externalChain(rules: RulesetBuilder, port: ServicePort, ip: string, here: readonly Target[], settings: ProxySettings): string {
  if (!port.externalLocal) {
    if (port.affinitySeconds > 0) return affinityChain(rules, port, "x", port.targets, ["jump marked"], settings);
    return pick(rules, port.protocol, ip, port.port, port.targets, "eps", ["jump marked"], settings, "m");
  }
  return rules.chain(`l_${digest(`${port.name} ${ip}`)}`, () => localFirst(
    port, settings,
    clusterChain(rules, port, ip, port.targets, settings),
    here.length === 0 ? undefined : port.affinitySeconds > 0
      ? affinityChain(rules, port, here === port.localTargets ? "l" : "b", here, [], settings)
      : pick(rules, port.protocol, ip, port.port, here, "epl", [], settings),
  ));
}

function nodePortChain(rules: RulesetBuilder, port: ServicePort, settings: ProxySettings): string {
  const { protocol, nodePort } = port;
  const all = (marked: boolean): string => port.affinitySeconds > 0
    ? affinityChain(rules, port, marked ? "x" : "a", port.targets, [marked ? "jump marked" : `${word(settings)} saddr != ${settings.clusterCIDR} fib saddr type != local jump marked`], settings)
    : pickNode(rules, protocol, nodePort, port.targets, "np", marked, settings);
  if (!port.externalLocal) return all(true);
  return rules.chain(`ln_${digest(port.name)}`, () => localFirst(
    port, settings, all(false),
    port.localTargets.length === 0 ? undefined : port.affinitySeconds > 0 ? affinityChain(rules, port, "l", port.localTargets, [], settings) : pickNode(rules, protocol, nodePort, port.localTargets, "npl", false, settings),
  ));
}

/** Policy Local: pods and the node itself use every endpoint; others only those of this node, with their own address kept. */
function localFirst(_port: ServicePort, settings: ProxySettings, everywhere: string, here: string | undefined): readonly string[] {
  return [
    `${word(settings)} saddr ${settings.clusterCIDR} goto ${everywhere}`,
    "fib saddr type local jump marked",
    `fib saddr type local goto ${everywhere}`,
    ...(here === undefined ? [] : [`goto ${here}`]),
  ];
}

function pick(rules: RulesetBuilder, protocol: Protocol, ip: string, port: number, targets: readonly Target[], map: "eps" | "epl", first: readonly string[], settings: ProxySettings, variant = ""): string {
  const family = word(settings);
  for (const [i, target] of targets.entries()) rules.element(`${map}_${protocol}`, `${ip} . ${port} . ${i}`, `${target.ip} . ${target.port}`);
  return rules.chain(`${map === "eps" ? "pick" : "pickl"}${targets.length}${variant}_${protocol}`, () => [...first, `meta l4proto ${protocol} dnat ${family} to ${family} daddr . ${protocol} dport . numgen random mod ${targets.length} map @${map}_${protocol}`]);
}

function pickNode(rules: RulesetBuilder, protocol: Protocol, nodePort: number, targets: readonly Target[], map: "np" | "npl", marked: boolean, settings: ProxySettings): string {
  const family = word(settings);
  for (const [i, target] of targets.entries()) rules.element(`${map}_${protocol}`, `${nodePort} . ${i}`, `${target.ip} . ${target.port}`);
  return rules.chain(`${map}${targets.length}${marked ? "m" : ""}_${protocol}`, () => [...(marked ? ["jump marked"] : []), `meta l4proto ${protocol} dnat ${family} to ${protocol} dport . numgen random mod ${targets.length} map @${map}_${protocol}`]);
}

/** A chain for each endpoint that remembers its clients, and one that sends known clients back. */
function affinityChain(rules: RulesetBuilder, port: ServicePort, variant: string, targets: readonly Target[], first: readonly string[], settings: ProxySettings): string {
  const family = word(settings);
  const address = settings.family === "IPv4" ? "ipv4_addr" : "ipv6_addr";
  const name = digest(port.name);
  const ends = targets.map(target => {
    const id = digest(`${port.name} ${target.ip} ${target.port}`);
    const clients = rules.set(`c_${id}`, `{ type ${address} ; flags dynamic,timeout ; timeout ${port.affinitySeconds}s ; }`);
    const to = settings.family === "IPv4" ? `${target.ip}:${target.port}` : `[${target.ip}]:${target.port}`;
    return { clients, chain: rules.chain(`e_${id}`, () => [`update @${clients} { ${family} saddr }`, `meta l4proto ${port.protocol} dnat to ${to}`]) };
  });
  return rules.chain(`${variant}_${name}`, () => [
    ...first,
    ...ends.map(({ clients, chain }) => `${family} saddr @${clients} goto ${chain}`),
    `numgen random mod ${ends.length} vmap { ${ends.map(({ chain }, i) => `${i} : goto ${chain}`).join(", ")} }`,
  ]);
}

function isWithin(ip: string, range: string): boolean {
  const [address, cidr] = [parseIp(ip), parseCidr(range)];
  return address !== undefined && cidr !== undefined && within(address, cidr);
}

const word = ({ family }: ProxySettings): string => (family === "IPv4" ? "ip" : "ip6");

/** A short name for nft, whose identifiers are limited: two FNV-1a hashes of the text, 16 hex digits. */
export function digest(text: string): string {
  let a = 0x811c9dc5;
  let b = 0xc9dc5118;
  for (let i = 0; i < text.length; i++) {
    a = Math.imul(a ^ text.charCodeAt(i), 0x01000193);
    b = Math.imul(b ^ text.charCodeAt(i) ^ i, 0x01000193);
  }
  return (a >>> 0).toString(16).padStart(8, "0") + (b >>> 0).toString(16).padStart(8, "0");
}
