import assert from "node:assert/strict";
import { test } from "node:test";
import type { Service } from "../kinds/core/service.ts";
import { cleanupFinalizer, loadBalancerClass, planLoadBalancers } from "./load-balancer-plan.ts";

// `name port[,port/UDP] [@address it has] [wants=address] [class=name] [6] [gone] [type=T]`; the earlier one is older.
function service(text: string, age: number): Service {
  const [name = "", ports = "", ...options] = text.split(" ");
  const option = (key: string): string | undefined => options.find(word => word.startsWith(key))?.slice(key.length);
  const had = option("@");
  return {
    metadata: { namespace: "d", name, creationTimestamp: `2026-01-01T00:00:${10 + age}Z`, ...(had === undefined ? {} : { finalizers: [cleanupFinalizer] }), ...(options.includes("gone") ? { deletionTimestamp: "2026-01-02T00:00:00Z" } : {}) },
    spec: {
      type: option("type=") ?? "LoadBalancer", loadBalancerIP: option("wants="), loadBalancerClass: option("class="), ipFamilies: options.includes("46") ? ["IPv4", "IPv6"] : options.includes("6") ? ["IPv6"] : ["IPv4"],
      ports: ports.split(",").map(word => ({ port: Number(word.split("/")[0]), protocol: word.split("/")[1] ?? "TCP" })),
    },
    status: { loadBalancer: had === undefined ? {} : { ingress: had.split("+").map(ip => ({ ip })) } },
  } as unknown as Service;
}
function planned(where: string, texts: readonly string[]): string {
  const words = where.split(" ");
  const addresses = { pools: words.filter(word => word.includes("/") && !word.startsWith("!")), hosts: words.filter(word => !word.includes("/") && !word.startsWith("!")) };
  const taken = new Set(words.filter(word => word.startsWith("!")).map(word => word.slice(1)));
  return planLoadBalancers(texts.map(service), addresses, (_ip, protocol, port) => (taken.has(`${port}/${protocol}`) ? "a program" : undefined))
    .map(decision => `${decision.service.metadata.name}${decision.action === "ensure" ? `=${decision.ingress.map(({ ip, ports }) => `${ip}:${ports?.map(({ port }) => port).join(",")}`).join("+")}${decision.missing === undefined ? "" : ` but ${decision.missing.message}`}` : decision.action === "release" ? " released" : `: ${decision.message}`}`).sort().join("; ");
}

const cases: readonly (readonly [string, string, readonly string[], string])[] = [
  ["one address is shared by port", "10.0.0.1", ["a 80", "b 443", "c 80/UDP"], "a=10.0.0.1:80; b=10.0.0.1:443; c=10.0.0.1:80"],
  ["the older service gets a port that two want", "10.0.0.1", ["a 80", "b 80"], "a=10.0.0.1:80; b: port 80/TCP of 10.0.0.1 is taken by Service d/a"],
  ["who has an address keeps it against an older one", "10.0.0.1", ["a 80", "b 80 @10.0.0.1"], "a: port 80/TCP of 10.0.0.1 is taken by Service d/b; b=10.0.0.1:80"],
  ["all ports or none", "10.0.0.1", ["a 80", "b 443,80"], "a=10.0.0.1:80; b: port 80/TCP of 10.0.0.1 is taken by Service d/a"],
  ["a program's port is not taken away", "10.0.0.1 !22/TCP", ["a 22", "b 22/UDP"], "a: port 22/TCP of 10.0.0.1 is taken by a program; b=10.0.0.1:22"],
  ["a service that has its address is not asked about programs again", "10.0.0.1 !22/TCP", ["a 22 @10.0.0.1"], "a=10.0.0.1:22"],
  ["a pool's ports are all ours, and its first free address is taken", "10.0.0.4/31 !80/TCP", ["a 80", "b 80", "c 443"], "a=10.0.0.4:80; b=10.0.0.5:80; c=10.0.0.4:443"],
  ["a full pool says so", "10.0.0.4/31", ["a 80", "b 80", "c 80"], "a=10.0.0.4:80; b=10.0.0.5:80; c: none of the 2 addresses of 10.0.0.4/31 has 80/TCP free: port 80/TCP of 10.0.0.4 is taken by Service d/a"],
  ["an address may be asked for", "10.0.0.4/30", ["a 80 wants=10.0.0.6", "b 80 wants=10.0.0.6"], "a=10.0.0.6:80; b: port 80/TCP of 10.0.0.6 is taken by Service d/a"],
  ["but only one that is there", "10.0.0.4/30", ["a 80 wants=10.0.0.9"], "a: spec.loadBalancerIP 10.0.0.9 is not an address for load balancers here: expected one of 10.0.0.4/30"],
  ["asking for another address moves the service", "10.0.0.4/30", ["a 80 @10.0.0.4 wants=10.0.0.5"], "a=10.0.0.5:80"],
  ["an address that is not ours any more is replaced", "10.0.0.4/31", ["a 80 @192.168.0.1"], "a=10.0.0.4:80"],
  ["our class is ours, others' are not", "10.0.0.1", [`a 80 class=${loadBalancerClass}`, "b 81 class=metallb"], "a=10.0.0.1:80"],
  ["a service that ends, or is none any more, gives its address back", "10.0.0.1", ["a 80 @10.0.0.1 gone", "b 81 @10.0.0.1 type=ClusterIP", "c 80"], "a released; b released; c=10.0.0.1:80"],
  ["families have pools of their own", "10.0.0.4/31 fd00::8/126", ["a 80 6", "b 80 46"], "a=fd00::8:80; b=10.0.0.4:80+fd00::9:80"],
  ["a port that is taken in one of two families is told", "10.0.0.1 fd00::8/127", ["a 80", "b 80 46"], "a=10.0.0.1:80; b=fd00::8:80 but port 80/TCP of 10.0.0.1 is taken by Service d/a"],
  ["a service of two families is served in the one there is", "10.0.0.1", ["a 80 46", "b 80 6"], 'a=10.0.0.1:80; b: there is no IPv6 address for load balancers here: give some with "timonier up --lb-pool"'],
];
for (const [what, where, services, want] of cases) test(`load balancers: ${what}`, () => assert.equal(planned(where, services), want));
