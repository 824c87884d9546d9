import { LabelSelector } from "../meta/labelselector.ts";
import { IPBlock } from "./types.ts";
import { ageColumn, nameColumn, selectorOrNone } from "../columns.ts";
import { parseCidr, within } from "../../base/ip.ts";
import * as grammar from "../../schema/grammar.ts";
import { forbidden, invalidValue, notSupported, type Problem, required } from "../../schema/problem.ts";
import { cidrWarnings, validateCidr } from "../core/iprules.ts";
import { validateLabelSelector } from "../meta/rules.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const NetworkPolicyPort = t.object("io.k8s.api.networking.v1.NetworkPolicyPort", {
  endPort: t.int32().pb(3).pointer().doc("Last port of a range that begins at port."),
  port: t.intOrString().pb(2).pointer().doc("Number or name of the port; all if not given."),
  protocol: t.oneOf("SCTP", "TCP", "UDP").pb(1).pointer().default("TCP").doc("TCP, UDP or SCTP."),
});
export interface NetworkPolicyPort extends t.Stored<typeof NetworkPolicyPort> {}

export const NetworkPolicyPeer = t.object("io.k8s.api.networking.v1.NetworkPolicyPeer", {
  ipBlock: IPBlock.pb(3).doc("Addresses."),
  namespaceSelector: LabelSelector.pb(2).doc("Namespaces, by their labels; empty is all."),
  podSelector: LabelSelector.pb(1).doc("Pods, by their labels; empty is all."),
});
export interface NetworkPolicyPeer extends t.Stored<typeof NetworkPolicyPeer> {}

export const NetworkPolicyEgressRule = t.object("io.k8s.api.networking.v1.NetworkPolicyEgressRule", {
  ports: t.list(NetworkPolicyPort).pb(1).doc("Ports that may be reached; all if empty."),
  to: t.list(NetworkPolicyPeer).pb(2).doc("Who may be reached; anyone if empty."),
});
export interface NetworkPolicyEgressRule extends t.Stored<typeof NetworkPolicyEgressRule> {}

export const NetworkPolicyIngressRule = t.object("io.k8s.api.networking.v1.NetworkPolicyIngressRule", {
  from: t.list(NetworkPolicyPeer).pb(2).doc("Who may come in; anyone if empty."),
  ports: t.list(NetworkPolicyPort).pb(1).doc("Ports that may be reached; all if empty."),
});
export interface NetworkPolicyIngressRule extends t.Stored<typeof NetworkPolicyIngressRule> {}

export const NetworkPolicySpec = t.object("io.k8s.api.networking.v1.NetworkPolicySpec", {
  egress: t.list(NetworkPolicyEgressRule).pb(3).doc("What may go out."),
  ingress: t.list(NetworkPolicyIngressRule).pb(2).doc("What may come in."),
  podSelector: LabelSelector.pb(1).always("{}").doc("Pods that the policy is about; empty is all of the namespace."),
  policyTypes: t.list(t.oneOf("Egress", "Ingress").unchecked()).pb(4).doc("Whether it is about Ingress, Egress or both."),
});
export interface NetworkPolicySpec extends t.Stored<typeof NetworkPolicySpec> {}

export const NetworkPolicy = defineKind({
  group: "networking.k8s.io", version: "v1", kind: "NetworkPolicy", plural: "networkpolicies", namespaced: true,
  shortNames: ["netpol"],
  generation: true,
  definition: "io.k8s.api.networking.v1.NetworkPolicy",
  doc: "Says which pods may talk to which.",
  fields: {
    spec: NetworkPolicySpec.pb(2).always("{}").doc("Which traffic is let through."),
  },
  defaults({ spec }) { spec.policyTypes ??= spec.egress === undefined ? ["Ingress"] : ["Ingress", "Egress"]; },
  *warnings({ spec }) {
    for (const { block: { cidr, except = [] }, path } of blocksOf(spec)) {
      yield* cidrWarnings(cidr, `${path}.cidr`);
      for (const [i, each] of except.entries()) yield* cidrWarnings(each, `${path}.except[${i}]`);
    }
  },
  *rules({ spec }, previous) {
    const old = previous === undefined ? [] : blocksOf(previous.spec).flatMap(({ block: { cidr, except = [] } }) => [cidr, ...except]);
    yield* validateLabelSelector(spec.podSelector, "spec.podSelector");
    for (const [list, peers, rules] of [["ingress", "from", spec.ingress], ["egress", "to", spec.egress]] as const) {
      for (const [i, rule] of (rules ?? []).entries()) {
        for (const [j, port] of (rule.ports ?? []).entries()) yield* portProblems(port, `spec.${list}[${i}].ports[${j}]`);
        for (const [j, peer] of ("from" in rule ? (rule.from ?? []) : "to" in rule ? (rule.to ?? []) : []).entries()) yield* peerProblems(peer, `spec.${list}[${i}].${peers}[${j}]`, old);
      }
    }
    if ((spec.policyTypes ?? []).length > 2) return yield invalidValue("spec.policyTypes", spec.policyTypes, "may not specify more than two policyTypes");
    for (const [i, type] of ((spec.policyTypes ?? []) as readonly string[]).entries()) if (type !== "Ingress" && type !== "Egress") yield notSupported(`spec.policyTypes[${i}]`, type, ["Ingress", "Egress"]);
  },
  columns: [nameColumn, { name: "Pod-Selector", type: "string", doc: "Pods it is about.", cell: ({ spec }) => selectorOrNone(spec.podSelector) }, ageColumn],
});
export interface NetworkPolicy extends Resource<typeof NetworkPolicy> {}

/** Blocks of addresses, and where they stand. */
function blocksOf({ ingress = [], egress = [] }: NetworkPolicySpec): readonly { readonly block: NonNullable<NetworkPolicyPeer["ipBlock"]>; readonly path: string }[] {
  const of = (peers: readonly NetworkPolicyPeer[] | undefined, path: string) => (peers ?? []).flatMap(({ ipBlock }, j) => (ipBlock === undefined ? [] : [{ block: ipBlock, path: `${path}[${j}].ipBlock` }]));
  return [...ingress.flatMap(({ from }, i) => of(from, `spec.ingress[${i}].from`)), ...egress.flatMap(({ to }, i) => of(to, `spec.egress[${i}].to`))];
}

function portProblems({ port, endPort }: NetworkPolicyPort, path: string): readonly Problem[] {
  const problems: Problem[] = [];
  if (typeof port === "number") for (const detail of grammar.validPort(port)) problems.push(invalidValue(`${path}.port`, port, detail));
  else if (typeof port === "string") for (const detail of grammar.portName(port)) problems.push(invalidValue(`${path}.port`, port, detail));
  if (endPort === undefined) return problems;
  if (typeof port === "string") problems.push(invalidValue(`${path}.endPort`, endPort, "may not be specified when `port` is non-numeric"));
  else if (port === undefined) problems.push(invalidValue(`${path}.endPort`, endPort, "may not be specified when `port` is not specified"));
  else {
    if (endPort < port) problems.push(invalidValue(`${path}.endPort`, port, "must be greater than or equal to `port`"));
    for (const detail of grammar.validPort(endPort)) problems.push(invalidValue(`${path}.endPort`, endPort, detail));
  }
  return problems;
}
function peerProblems({ podSelector, namespaceSelector, ipBlock }: NetworkPolicyPeer, path: string, old: readonly string[]): readonly Problem[] {
  const problems: Problem[] = [...validateLabelSelector(podSelector, `${path}.podSelector`), ...validateLabelSelector(namespaceSelector, `${path}.namespaceSelector`)];
  if (podSelector === undefined && namespaceSelector === undefined && ipBlock === undefined) problems.push(required(path, "must specify a peer"));
  if (ipBlock === undefined) return problems;
  const both = podSelector === undefined && namespaceSelector === undefined ? [] : [forbidden(path, "may not specify both ipBlock and another peer")];
  if (ipBlock.cidr === "") return [...problems, required(`${path}.ipBlock.cidr`), ...both];
  problems.push(...validateCidr(ipBlock.cidr, `${path}.ipBlock.cidr`, old));
  const range = parseCidr(ipBlock.cidr);
  (ipBlock.except ?? []).forEach((each, i) => {
    const here = `${path}.ipBlock.except[${i}]`;
    problems.push(...validateCidr(each, here, old));
    const hole = parseCidr(each);
    if (range !== undefined && hole !== undefined && (!within(hole, range) || hole.bits <= range.bits)) problems.push(invalidValue(here, each, `must be a strict subset of \`cidr\``));
  });
  return [...problems, ...both];
}
