import assert from "node:assert/strict";
import { test } from "node:test";
import { changes, emptyRuleset, parseRemembered, restored } from "./ruleset.ts";
import { serviceRules, type ProxySettings } from "./service-rules.ts";
import type { ServicePort } from "./services.ts";

const settings: ProxySettings = { family: "IPv4", table: "ip t", clusterCIDR: "10.244.0.0/16", podCIDR: "10.244.0.0/24", pools: [], nodeIPs: ["192.0.2.7"], isBalancer: false };

// A port is written address:port[/protocol] endpoint,endpoint [node=N] [affinity=S] [local]; an endpoint with * is on this node.
function port(text: string): ServicePort {
  const [head = "", list = "", ...options] = text.split(" ");
  const [, clusterIP = "", number = "", protocol = "tcp"] = /^([\d.]+):(\d+)(?:\/(\w+))?$/.exec(head) ?? [];
  const option = (name: string): number => Number(options.find(word => word.startsWith(`${name}=`))?.slice(name.length + 1) ?? 0);
  const targets = list === "-" ? [] : list.split(",").map(word => ({ ip: word.replace("*", ""), port: 8080, local: word.endsWith("*") }));
  return {
    name: `d/${head}`, protocol: protocol as "tcp", port: Number(number), clusterIP, externalIPs: [], loadBalancerIPs: [], sourceRanges: [],
    nodePort: option("node"), affinitySeconds: option("affinity"), internalLocal: false, externalLocal: options.includes("local"), healthCheckNodePort: 0,
    targets: targets.map(({ ip, port: number_ }) => ({ ip, port: number_ })), localTargets: targets.filter(({ local }) => local).map(({ ip, port: number_ }) => ({ ip, port: number_ })), serving: [],
  };
}
const rules = (...texts: string[]) => serviceRules(texts.map(port), [], settings);
const commands = (from: string[], to: string[]) => changes("ip t", rules(...from), rules(...to));

test("a service with endpoints goes to the chain for that many", () => {
  const { elements } = rules("10.96.0.1:80 10.244.0.5,10.244.1.5");
  assert.equal(elements.get("svc")?.get("10.96.0.1 . tcp . 80"), "goto pick2_tcp");
  assert.deepEqual([...elements.get("eps_tcp")!], [["10.96.0.1 . 80 . 0", "10.244.0.5 . 8080"], ["10.96.0.1 . 80 . 1", "10.244.1.5 . 8080"]]);
});

test("SCTP is translated like the others, where the kernel has it", () => {
  const { elements, chains } = rules("10.96.0.1:80/sctp 10.244.0.5");
  assert.equal(elements.get("svc")?.get("10.96.0.1 . sctp . 80"), "goto pick1_sctp");
  assert.deepEqual(chains.get("pick1_sctp")?.at(-1), "meta l4proto sctp dnat ip to ip daddr . sctp dport . numgen random mod 1 map @eps_sctp");
});

test("a service without endpoints is refused at once", () => {
  assert.deepEqual([...rules("10.96.0.1:80 -").elements.get("noep")!], [["10.96.0.1 . tcp . 80", "goto rejected"]]);
});

test("a second service of the same size needs no new chain", () => {
  const done = commands(["10.96.0.1:80 10.244.0.5"], ["10.96.0.1:80 10.244.0.5", "10.96.0.2:80 10.244.0.6"]);
  assert.deepEqual(done, ["add element ip t svc { 10.96.0.2 . tcp . 80 : goto pick1_tcp }", "add element ip t eps_tcp { 10.96.0.2 . 80 . 0 : 10.244.0.6 . 8080 }"].sort((a, b) => (a.includes("svc") ? 1 : b.includes("svc") ? -1 : 0)));
});

test("an endpoint that moves changes one element", () => {
  assert.deepEqual(commands(["10.96.0.1:80 10.244.0.5"], ["10.96.0.1:80 10.244.0.9"]), [
    "delete element ip t eps_tcp { 10.96.0.1 . 80 . 0 }",
    "add element ip t eps_tcp { 10.96.0.1 . 80 . 0 : 10.244.0.9 . 8080 }",
  ]);
});

test("nothing changed is no command", () => {
  assert.deepEqual(commands(["10.96.0.1:80 10.244.0.5 node=30001 affinity=60"], ["10.96.0.1:80 10.244.0.5 node=30001 affinity=60"]), []);
});

test("policy Local without an endpoint here drops what comes from outside, and still serves pods and the node", () => {
  const { elements, chains } = rules("10.96.0.1:80 10.244.1.5 node=30001 local");
  assert.equal(elements.get("noep_np")?.get("tcp . 30001"), "goto dropped");
  const chain = elements.get("nodeport")?.get("tcp . 30001")?.replace("goto ", "") ?? "";
  assert.deepEqual(chains.get(chain), ["ip saddr 10.244.0.0/16 goto np1_tcp", "fib saddr type local jump marked", "fib saddr type local goto np1_tcp"]);
});

test("policy Local on the node that load balancers' addresses lead to: clients from outside go to all endpoints, as they came; elsewhere to those here", () => {
  const balanced = (isBalancer: boolean, list: string): readonly string[] => {
    const { chains, elements } = serviceRules([{ ...port(`10.96.0.1:80 ${list} node=30001 local`), loadBalancerIPs: ["10.9.0.1"] }], [], { ...settings, isBalancer });
    const chain = elements.get("svc")?.get("10.9.0.1 . tcp . 80")?.replace("goto ", "") ?? "";
    return [...chains.get(chain)?.slice(3) ?? [], ...elements.get("epl_tcp")?.values() ?? [], ...elements.get("noep")?.values() ?? [], ...elements.get("noep_np")?.values() ?? []];
  };
  assert.deepEqual(balanced(true, "10.244.1.5,10.244.2.5"), ["goto pickl2_tcp", "10.244.1.5 . 8080", "10.244.2.5 . 8080", "goto dropped"], "node ports stay with the node's own");
  assert.deepEqual(balanced(true, "10.244.0.5*,10.244.2.5"), ["goto pickl2_tcp", "10.244.0.5 . 8080", "10.244.2.5 . 8080"]);
  assert.deepEqual(balanced(false, "10.244.1.5,10.244.2.5"), ["goto dropped", "goto dropped"]);
  assert.deepEqual(balanced(false, "10.244.0.5*,10.244.2.5"), ["goto pickl1_tcp", "10.244.0.5 . 8080"]);
});

test("affinity remembers clients for as long as asked", () => {
  const { sets, chains } = rules("10.96.0.1:80 10.244.0.5 affinity=60");
  const [name = "", declaration] = [...sets][0] ?? [];
  assert.match(declaration ?? "", /timeout 60s/);
  assert.ok([...chains.values()].flat().includes(`update @${name} { ip saddr }`));
});

test("who is remembered by session affinity still is when the table is replaced", () => {
  const wanted = rules("10.96.0.1:80 10.244.0.5 affinity=60");
  const [name = ""] = wanted.sets.keys();
  const listed = JSON.stringify({ nftables: [{ metainfo: {} }, { set: { family: "ip", table: "t", name, timeout: 90, elem: [{ elem: { val: "10.244.0.4", expires: 32 } }, { elem: { val: "10.244.0.6", expires: 80 } }] } }, { set: { family: "ip", table: "t", name: "hairpin", elem: [{ concat: ["a", "a"] }] } }, { set: { family: "ip", table: "other", name, timeout: 9, elem: [] } }] });
  assert.deepEqual(restored("ip t", wanted, parseRemembered(listed, "ip t")), [`add element ip t ${name} { 10.244.0.4 expires 32s, 10.244.0.6 expires 60s }`]);
  assert.deepEqual(restored("ip t", rules("10.96.0.1:80 10.244.0.5"), parseRemembered(listed, "ip t")), [], "a service without affinity forgets");
});

test("a load balancer lets in whom it names, and the node if it names the node", () => {
  const guarded = (...sourceRanges: string[]): readonly string[] => {
    const { chains, elements } = serviceRules([{ ...port("10.96.0.1:80 10.244.0.5"), loadBalancerIPs: ["10.9.0.1"], sourceRanges }], [], settings);
    return chains.get(elements.get("firewall")?.get("10.9.0.1 . tcp . 80")?.replace("goto ", "") ?? "") ?? [];
  };
  assert.deepEqual(guarded("10.0.0.0/8"), ["ip saddr { 10.9.0.1 } drop", "ip saddr 10.0.0.0/8 return", "drop"]);
  assert.deepEqual(guarded("10.0.0.0/8", "192.0.2.0/24"), ["fib saddr type local return", "ip saddr 10.0.0.0/8 return", "ip saddr 192.0.2.0/24 return", "drop"]);
  assert.equal(guarded().length, 0);
});

test("chains are removed only after the elements that lead to them", () => {
  const done = changes("ip t", rules("10.96.0.1:80 10.244.0.5"), emptyRuleset);
  assert.ok(done.findIndex(line => line.startsWith("delete element ip t svc")) < done.findIndex(line => line.startsWith("delete chain")));
});
