import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServicePort } from "./services.ts";
import { parseFlows, staleAtStart, staleFlows, udpTargets } from "./stale-flows.ts";

/** `address:port[/tcp][+nodePort] endpoint[>its port],endpoint` */
function port(text: string): ServicePort {
  const [, clusterIP = "", number = "", protocol = "udp", nodePort = "0", list = ""] = /^([\w.]+):(\d+)(?:\/(\w+))?(?:\+(\d+))? ?(.*)$/.exec(text) ?? [];
  return { protocol, clusterIP, port: Number(number), nodePort: Number(nodePort), externalIPs: [], loadBalancerIPs: [], serving: list.split(",").filter(Boolean).map(target => ({ ip: target.split(">")[0], port: Number(target.split(">")[1] ?? 5353) })) } as unknown as ServicePort;
}
const cases: readonly (readonly [string, readonly string[], readonly string[], readonly string[]])[] = [
  ["nothing changed", ["s:53 a,b"], ["s:53 a,b"], []],
  ["an endpoint went", ["s:53 a,b"], ["s:53 b"], ["s:53 to a"]],
  ["one more does not disturb the others", ["s:53 a"], ["s:53 a,b"], []],
  ["all went with the service", ["s:53 a"], [], ["s:53 to a"]],
  ["the first one came", ["s:53"], ["s:53 a"], ["s:53"]],
  ["a new service: what was there before it went nowhere", [], ["s:53 a"], ["s:53"]],
  ["node ports are other flows", ["s:53+30053 a"], ["s:53+30053 b"], ["s:53 to a", "30053 to a"]],
  ["the port of an endpoint changed", ["s:53+30053 a,b"], ["s:53+30053 a>9090,b"], ["s:53 to a", "30053 to a"]],
  ["TCP takes care of itself", ["s:53/tcp a"], ["s:53/tcp b"], []],
];
for (const [what, before, now, want] of cases)
  test(`stale flows: ${what}`, () => assert.deepEqual(staleFlows(udpTargets(before.map(port)), udpTargets(now.map(port))).map(({ destination, port: number, endpoint }) => `${destination === undefined ? "" : `${destination}:`}${number}${endpoint === undefined ? "" : ` to ${endpoint.ip}`}`), want));

test("stale flows at the start are found among those that the kernel remembers", () => {
  const listed = `udp      17 25 src=10.244.0.4 dst=10.96.0.5 sport=40001 dport=53 src=10.244.0.2 dst=10.244.0.4 sport=5353 dport=40001 [ASSURED] mark=0 use=1
udp      17 25 src=10.244.0.4 dst=10.96.0.5 sport=40002 dport=53 src=10.244.0.9 dst=10.244.0.4 sport=5353 dport=40002 mark=0 use=1
udp      17 25 src=10.244.0.4 dst=10.96.0.5 sport=40004 dport=53 src=10.244.0.2 dst=10.244.0.4 sport=5354 dport=40004 mark=0 use=1
udp      17 5 src=10.244.0.4 dst=10.96.0.6 sport=40003 dport=53 [UNREPLIED] src=10.96.0.6 dst=10.244.0.4 sport=53 dport=40003 mark=0 use=1
udp      17 5 src=192.0.2.1 dst=8.8.8.8 sport=40003 dport=53 src=8.8.8.8 dst=192.0.2.1 sport=53 dport=40003 mark=0 use=1`;
  assert.deepEqual(staleAtStart(parseFlows(listed), udpTargets(["10.96.0.5:53 10.244.0.2", "10.96.0.6:53 10.244.0.3"].map(port))), [
    { destination: "10.96.0.5", port: 53, endpoint: { ip: "10.244.0.9", port: 5353 } }, { destination: "10.96.0.5", port: 53, endpoint: { ip: "10.244.0.2", port: 5354 } }, { destination: "10.96.0.6", port: 53 },
  ]);
});
