import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCidr, parseIp, within } from "../base/ip.ts";
import type { NetworkPolicy } from "../kinds/networking/networkpolicy.ts";
import { judge, type Direction, type PolicyPod } from "./policy-match.ts";
import { policyRules } from "./policy-rules.ts";

/** A small reading of the nft lines that `policyRules` writes: what would the kernel do with this packet? */
function kernelPasses(rules: ReturnType<typeof policyRules>, direction: Direction, packet: { readonly from: string; readonly to: string; readonly protocol: string; readonly port: number }): boolean {
  if (rules.elements.get("self")?.has(`${packet.from} . ${packet.to}`)) return true;
  const verdict = rules.elements.get(direction)?.get(direction === "egress" ? packet.from : packet.to);
  return verdict === undefined || passes(rules.chains.get(verdict.replace("jump ", ""))!, rules, packet);
}
function passes(lines: readonly string[], { elements }: ReturnType<typeof policyRules>, { from, to, protocol, port }: Parameters<typeof kernelPasses>[2]): boolean {
  const inRange = (text: string, value: number): boolean => { const [low, high = low] = text.split("-").map(Number); return value >= low! && value <= high!; };
  const inside = (ip: string, range: string): boolean => within(parseIp(ip)!, parseCidr(range)!);
  for (const line of lines) {
    let rest = line;
    let matches = true;
    const take = (pattern: RegExp, check: (parts: readonly string[]) => boolean): boolean => {
      const found = pattern.exec(rest);
      if (!found) return false;
      rest = rest.slice(found[0].length).trimStart();
      matches &&= check(found);
      return true;
    };
    while (rest !== "return" && rest !== "drop")
      if (!(take(/^ip daddr \. (\w+) dport @(\w+)/, ([, kind, set]) => protocol === kind && elements.get(set!)?.has(`${to} . ${port}`) === true)
        || take(/^ip (saddr|daddr) @(\w+)/, ([, side, set]) => elements.get(set!)?.has(side === "saddr" ? from : to) === true)
        || take(/^ip (saddr|daddr) != \{ ([^}]+) \}/, ([, side, list]) => !list!.split(", ").some(range => inside(side === "saddr" ? from : to, range)))
        || take(/^ip (saddr|daddr) ([\d./]+)/, ([, side, range]) => inside(side === "saddr" ? from : to, range!))
        || take(/^meta l4proto (\w+)/, ([, kind]) => protocol === kind)
        || take(/^(\w+) dport \{ ([^}]+) \}/, ([, kind, list]) => protocol === kind && list!.split(", ").some(range => inRange(range, port))))) throw new Error(`unknown rule: ${rest}`);
    if (matches) return rest === "return";
  }
  return true;
}

test("what policies say in words is what the kernel's rules do (20,000 connections under 400 made-up sets of policies)", () => {
  let state = 7;
  const next = (below: number): number => { state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0; return Math.floor((state / 2 ** 32) * below); };
  const pick = <T>(list: readonly T[]): T => list[next(list.length)]!;
  const some = <T>(make: () => T): T[] => Array.from({ length: next(3) }, make);
  const labels = (): { [key: string]: string } => (next(3) === 0 ? {} : { app: pick(["web", "db"]) });
  const selector = (): object => (next(4) === 0 ? {} : next(4) === 0 ? { matchExpressions: [{ key: "app", operator: pick(["Exists", "DoesNotExist"]) }] } : { matchLabels: labels() });
  const port = (): object => pick([{}, { protocol: "UDP" }, { port: 80 }, { port: 80, endPort: 90, protocol: "TCP" }, { port: "http" }, { port: "dns", protocol: "UDP" }, { port: 53, protocol: "UDP" }]);
  const peer = (): object => pick([{ podSelector: selector() }, { namespaceSelector: selector() }, { namespaceSelector: {}, podSelector: selector() }, { ipBlock: { cidr: "10.0.0.0/29", except: ["10.0.0.2/31"] } }, { ipBlock: { cidr: "0.0.0.0/0" } }]);
  let [judged, blocked] = [0, 0];
  for (let round = 0; round < 400; round++) {
    const namespaces = new Map([["a", labels()], ["b", labels()]]);
    const pods: PolicyPod[] = Array.from({ length: 6 }, (_, i) => ({ namespace: pick(["a", "b"]), name: `p${i}`, ip: `10.0.0.${i + 1}`, labels: labels(), local: true, ports: [{ name: "http", port: pick([80, 8080]), protocol: "TCP" }, { name: "dns", port: 53, protocol: "UDP" }] }));
    const policies = Array.from({ length: next(4) }, (_, i) => ({
      metadata: { name: `n${i}`, namespace: pick(["a", "b"]) },
      spec: { podSelector: selector(), policyTypes: pick([["Ingress"], ["Egress"], ["Ingress", "Egress"]]), ingress: some(() => ({ from: some(peer), ports: some(port) })), egress: some(() => ({ to: some(peer), ports: some(port) })) },
    }) as unknown as NetworkPolicy);
    const rules = policyRules({ policies, namespaces, pods });
    for (let i = 0; i < 50; i++) {
      const [client, server] = [pick(pods), pick(pods)];
      const protocol = pick(["TCP", "UDP"] as const);
      const number = pick([80, 85, 8080, 53, 22]);
      for (const direction of ["egress", "ingress"] as const) {
        const said = judge(direction, policies, { client: { ip: client.ip, pod: client }, server: { ip: server.ip, pod: server }, protocol, port: number }, namespaces).allowed;
        const done = kernelPasses(rules, direction, { from: client.ip, to: server.ip, protocol: protocol.toLowerCase(), port: number });
        assert.equal(said, done, `round ${round}: ${direction} ${client.name} → ${server.name}:${number}/${protocol} under ${JSON.stringify(policies)}`);
        judged++;
        if (!said) blocked++;
      }
    }
  }
  assert.ok(judged === 40_000 && blocked > 5_000, `${blocked} of ${judged} blocked`);
});
