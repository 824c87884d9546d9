import assert from "node:assert/strict";
import { test } from "node:test";
import type { NetworkPolicy } from "../kinds/networking/networkpolicy.ts";
import type { PolicyPod } from "./policy-match.ts";
import { policyRules } from "./policy-rules.ts";

/** `shop/web@10.0.0.1 app=web http:80/TCP`; remote with a trailing `~`. */
function pod(text: string): PolicyPod {
  const [where = "", labels = "", port = ""] = text.replace("~", "").split(" ");
  const [path = "", ip = ""] = where.split("@");
  const [name, number, protocol] = port.split(/[:/]/);
  return {
    namespace: path.split("/")[0]!, name: path.split("/")[1]!, ip, local: !text.endsWith("~"), labels: Object.fromEntries(labels.split(",").filter(Boolean).map(pair => pair.split("="))) as { [key: string]: string },
    ports: port === "" ? [] : [{ name: name!, port: Number(number), protocol: protocol! }],
  };
}
const namespaces = new Map([["shop", { team: "a" }], ["other", { team: "b" }]]);
const pods = ["shop/web@10.0.0.1 app=web http:80/TCP", "shop/db@10.0.0.2 app=db sql:5432/TCP", "shop/db2@10.0.1.2 app=db sql:6432/TCP~", "other/x@10.0.0.3 app=web", "other/y@10.0.1.9 app=y~"].map(pod);
const policy = (spec: object, namespace = "shop"): NetworkPolicy => ({ metadata: { namespace, name: "p" }, spec: { policyTypes: ["Ingress"], podSelector: {}, ...spec } }) as unknown as NetworkPolicy;

/** Chains with the sets they name written out, and who goes through them: `10.0.0.2 in: …`. */
function shown(policies: readonly NetworkPolicy[]): readonly string[] {
  const { chains, elements } = policyRules({ policies, namespaces, pods });
  const spelled = (rule: string): string => rule.replace(/@((?:peer|named)_\w+)/g, (_, name: string) => `{${[...(elements.get(name)?.keys() ?? [])].join(",")}}`);
  return (["ingress", "egress"] as const).flatMap(map => [...(elements.get(map) ?? [])].map(([ip, verdict]) => `${ip} ${map === "ingress" ? "in" : "out"}: ${chains.get(verdict.replace("jump ", ""))!.map(spelled).join("; ")}`)).sort();
}
const cases: readonly (readonly [string, readonly NetworkPolicy[], readonly string[]])[] = [
  ["without policies nothing is restricted", [], []],
  ["an empty selector denies all that comes in to the namespace", [policy({})], ["10.0.0.1 in: drop", "10.0.0.2 in: drop"]],
  ["an empty rule lets everyone in", [policy({ ingress: [{}] })], ["10.0.0.1 in: return; drop", "10.0.0.2 in: return; drop"]],
  ["pods of the same namespace, by label", [policy({ podSelector: { matchLabels: { app: "db" } }, ingress: [{ from: [{ podSelector: { matchLabels: { app: "web" } } }] }] })], ["10.0.0.2 in: ip saddr {10.0.0.1} return; drop"]],
  ["pods of other namespaces", [policy({ podSelector: { matchLabels: { app: "db" } }, ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: "b" } }, podSelector: { matchLabels: { app: "web" } } }, { namespaceSelector: { matchLabels: { team: "b" } } }] }] })],
    ["10.0.0.2 in: ip saddr {10.0.0.3} return; ip saddr {10.0.0.3,10.0.1.9} return; drop"]],
  ["numbered, ranged and open ports", [policy({ podSelector: { matchLabels: { app: "web" } }, ingress: [{ ports: [{ port: 80, protocol: "TCP" }, { port: 8000, endPort: 8100 }, { port: 8050, endPort: 8200 }, { protocol: "UDP" }] }] })], ["10.0.0.1 in: tcp dport { 80, 8000-8200 } return; meta l4proto udp return; drop"]],
  ["a named port is the pod's own", [policy({ ingress: [{ ports: [{ port: "sql" }] }] })], ["10.0.0.1 in: drop", "10.0.0.2 in: tcp dport { 5432 } return; drop"]],
  ["a named port outwards is the other pods'", [policy({ policyTypes: ["Egress"], podSelector: { matchLabels: { app: "web" } }, egress: [{ to: [{ podSelector: {} }], ports: [{ port: "sql" }] }] })], ["10.0.0.1 out: ip daddr . tcp dport {10.0.0.2 . 5432,10.0.1.2 . 6432} return; drop"]],
  ["address blocks with holes", [policy({ podSelector: { matchLabels: { app: "web" } }, ingress: [{ from: [{ ipBlock: { cidr: "10.0.0.0/8", except: ["10.1.0.0/16", "10.2.0.0/16"] } }], ports: [{ port: 80 }] }] })],
    ["10.0.0.1 in: ip saddr 10.0.0.0/8 ip saddr != { 10.1.0.0/16, 10.2.0.0/16 } tcp dport { 80 } return; drop"]],
  ["policies add up", [policy({ podSelector: { matchLabels: { app: "db" } }, ingress: [{ ports: [{ port: 1 }] }] }), policy({ podSelector: { matchLabels: { app: "db" } }, ingress: [{ ports: [{ port: 2 }] }] })], ["10.0.0.2 in: tcp dport { 1 } return; tcp dport { 2 } return; drop"]],
  ["both directions are judged apart", [policy({ policyTypes: ["Ingress", "Egress"], podSelector: { matchLabels: { app: "web" } }, egress: [{}] })], ["10.0.0.1 in: drop", "10.0.0.1 out: return; drop"]],
  ["another namespace's policy says nothing here", [policy({}, "other")], ["10.0.0.3 in: drop"]],
];
for (const [what, policies, want] of cases)
  test(`network policy: ${what}`, () => assert.deepEqual(shown(policies), want));

test("network policy: the machine's own packets pass on other nodes too, where there is a policy", () => {
  const machine = ["192.0.2.2", "10.95.255.1", "fd00:5:0:ff::1"];
  const of = (policies: readonly NetworkPolicy[], family: "IPv4" | "IPv6"): readonly string[] => [...(policyRules({ policies, namespaces, pods, machine }, family).elements.get("machine")?.keys() ?? [])];
  assert.deepEqual([of([policy({})], "IPv4"), of([policy({})], "IPv6"), of([], "IPv4")], [["192.0.2.2", "10.95.255.1"], ["fd00:5:0:ff::1"], []]);
});

test("network policy: the other family has rules of its own, by its own addresses and blocks", () => {
  const both = [...pods, pod("shop/web@fd00::1 app=web http:80/TCP"), pod("shop/db@fd00::2 app=db sql:5432/TCP")];
  const policies = [policy({ podSelector: { matchLabels: { app: "db" } }, ingress: [{ from: [{ podSelector: { matchLabels: { app: "web" } } }, { ipBlock: { cidr: "fd00:9::/32", except: ["fd00:9:1::/48"] } }, { ipBlock: { cidr: "10.9.0.0/16" } }], ports: [{ port: "sql" }] }] })];
  const { chains, elements } = policyRules({ policies, namespaces, pods: both }, "IPv6");
  assert.deepEqual([...elements.get("ingress")!.keys()], ["fd00::2"]);
  const rules = [...chains.values()][0]!.map(rule => rule.replace(/@peer_\w+/, "@peer"));
  assert.deepEqual(rules, ["ip6 saddr @peer tcp dport { 5432 } return", "ip6 saddr fd00:9::/32 ip6 saddr != { fd00:9:1::/48 } tcp dport { 5432 } return", "drop"]);
  assert.deepEqual([...[...elements].find(([name]) => name.startsWith("peer_"))![1].keys()], ["fd00::1"]);
});
