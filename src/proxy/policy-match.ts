/** Who a NetworkPolicy is about and whom it lets through: the decisions, without any packet filter. `policy-rules.ts` writes them down for the kernel, `reach.ts` explains them. */
import { parseCidr, parseIp, within } from "../base/ip.ts";
import { selectorOf, type LabelSelector } from "../base/selector.ts";
import type { Pod } from "../kinds/core/pod.ts";
import type { NetworkPolicy } from "../kinds/networking/networkpolicy.ts";

export type Labels = { readonly [key: string]: string };
export type PolicyPod = {
  readonly namespace: string;
  readonly name: string;
  /** Pods on their node's own network are nobody's peers and are not restricted, as with every implementation. */
  readonly ip: string;
  readonly labels: Labels;
  readonly ports: readonly { readonly name: string; readonly port: number; readonly protocol: string }[];
  /** On this node: only these are restricted here. */
  readonly local: boolean;
};
export type Direction = "ingress" | "egress";
export type Rule = { readonly from?: readonly Peer[] | undefined; readonly to?: readonly Peer[] | undefined; readonly ports?: readonly Port[] | undefined };
export type Peer = { readonly podSelector?: LabelSelector | undefined; readonly namespaceSelector?: LabelSelector | undefined; readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] | undefined } | undefined };
export type Port = { readonly port?: number | string | undefined; readonly endPort?: number | undefined; readonly protocol?: string | undefined };
export type Namespaces = ReadonlyMap<string, Labels>;

export function policyPod(pod: Pod, ip: string, local: boolean): PolicyPod {
  return {
    namespace: pod.metadata.namespace ?? "", name: pod.metadata.name ?? "", ip, local, labels: pod.metadata.labels ?? {},
    ports: pod.spec.containers.flatMap(({ ports = [] }) => ports.flatMap(({ name, containerPort, protocol = "TCP" }) => (name === undefined ? [] : [{ name, port: containerPort, protocol }]))),
  };
}

/** The cluster's name server, as policies that let names be asked for describe it. */
export function nameServer(ip: string): PolicyPod {
  return { namespace: "kube-system", name: "kube-dns", ip, labels: { "k8s-app": "kube-dns" }, local: false, ports: [{ name: "dns", port: 53, protocol: "UDP" }, { name: "dns-tcp", port: 53, protocol: "TCP" }] };
}

/** The policies that isolate this pod in this direction; none: everything passes. */
export function policiesFor(policies: readonly NetworkPolicy[], pod: Pick<PolicyPod, "namespace" | "labels">, direction: Direction): readonly NetworkPolicy[] {
  const type = direction === "ingress" ? "Ingress" : "Egress";
  return policies.filter(({ metadata, spec }) => metadata.namespace === pod.namespace && spec.policyTypes?.includes(type) === true && selectorOf(spec.podSelector).matches(pod.labels));
}

/** Which pods a peer means, as a test; a peer with an address block means none. */
export function peerSelects(policyNamespace: string, { podSelector, namespaceSelector, ipBlock }: Peer, namespaces: Namespaces): (pod: Pick<PolicyPod, "namespace" | "labels">) => boolean {
  if (ipBlock !== undefined) return () => false;
  const of = namespaceSelector === undefined ? undefined : selectorOf(namespaceSelector);
  const wanted = podSelector === undefined ? undefined : selectorOf(podSelector);
  return pod => (of === undefined ? pod.namespace === policyNamespace : of.matches(namespaces.get(pod.namespace) ?? {})) && (wanted === undefined || wanted.matches(pod.labels));
}

/** The numbers that a port by name has on this pod. */
export function portsNamed({ port, protocol }: Port, pod: Pick<PolicyPod, "ports">): readonly Port[] {
  return pod.ports.filter(each => each.name === port && each.protocol === (protocol ?? "TCP")).map(each => ({ port: each.port, protocol: each.protocol }));
}

/** One end of a connection: an address, and the pod that has it, if one has. */
export type End = { readonly ip: string; readonly pod?: PolicyPod };
/** A connection as it arrives: service addresses are translated already. */
export type Connection = { readonly client: End; readonly server: End; readonly protocol: "TCP" | "UDP" | "SCTP"; readonly port: number };
export type RuleMatch = { readonly peers: boolean; readonly ports: boolean };

/** Whether one rule of a policy lets this connection through, in two halves. */
export function ruleMatch(direction: Direction, policyNamespace: string, rule: Rule, { client, server, protocol, port }: Connection, namespaces: Namespaces): RuleMatch {
  const peers = (direction === "ingress" ? rule.from : rule.to) ?? [];
  const other = direction === "ingress" ? client : server;
  const isPeer = (peer: Peer): boolean => (peer.ipBlock === undefined ? other.pod !== undefined && peerSelects(policyNamespace, peer, namespaces)(other.pod) : inBlock(other.ip, peer.ipBlock));
  const isPort = (each: Port): boolean => {
    if (typeof each.port === "string") return server.pod !== undefined && portsNamed(each, server.pod).some(named => named.port === port && named.protocol === protocol);
    if ((each.protocol ?? "TCP") !== protocol) return false;
    return each.port === undefined || (port >= each.port && port <= (each.endPort ?? each.port));
  };
  return { peers: peers.length === 0 || peers.some(isPeer), ports: (rule.ports ?? []).length === 0 || rule.ports!.some(isPort) };
}

export type Judgement = {
  readonly allowed: boolean;
  /** Every policy that isolates the pod in this direction, with what each of its rules says. */
  readonly policies: readonly { readonly policy: NetworkPolicy; readonly rules: readonly RuleMatch[] }[];
};

/** What the policies of one direction say: egress judges the client's pod, ingress the server's. */
export function judge(direction: Direction, policies: readonly NetworkPolicy[], connection: Connection, namespaces: Namespaces): Judgement {
  const judged = direction === "ingress" ? connection.server.pod : connection.client.pod;
  // A pod may always reach itself.
  if (judged === undefined || connection.client.ip === connection.server.ip) return { allowed: true, policies: [] };
  const about = policiesFor(policies, judged, direction).map(policy => ({ policy, rules: (policy.spec[direction] ?? []).map(rule => ruleMatch(direction, policy.metadata.namespace ?? "", rule, connection, namespaces)) }));
  return { allowed: about.length === 0 || about.some(({ rules }) => rules.some(({ peers, ports }) => peers && ports)), policies: about };
}

/** Whether an address lies in a block and in none of its holes. */
export function inBlock(ip: string, { cidr, except = [] }: NonNullable<Peer["ipBlock"]>): boolean {
  const address = parseIp(ip);
  const inside = (range: string): boolean => {
    const parsed = parseCidr(range);
    return address !== undefined && parsed !== undefined && within(address, parsed);
  };
  return inside(cidr) && !except.some(inside);
}
