import assert from "node:assert/strict";
import { test } from "node:test";
import type { IPAddress } from "../kinds/networking/ipaddress.ts";
import type { ServiceCIDR } from "../kinds/networking/servicecidr.ts";
import { mayGo } from "./service-cidr.ts";

// A range is written name=cidr[,cidr]; the first one is to go. An address with * is not a service's.
const range = (text: string): ServiceCIDR => ({ metadata: { name: text.split("=")[0] }, spec: { cidrs: text.split("=")[1]!.split(",") } }) as unknown as ServiceCIDR;
const address = (text: string): IPAddress => ({ metadata: { name: text.replace("*", ""), labels: text.endsWith("*") ? {} : { "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io" } } }) as unknown as IPAddress;

for (const [what, ranges, addresses, want] of [
  ["without addresses", "a=10.1.0.0/24", "10.2.0.1", true],
  ["with a service's address", "a=10.1.0.0/24", "10.1.0.5", false],
  ["with somebody's own address", "a=10.1.0.0/24", "10.1.0.5*", true],
  ["its own addresses at the ends are nobody's", "a=10.1.0.0/24", "10.1.0.0 10.1.0.255", true],
  ["another range has the address as well", "a=10.1.0.0/24 b=10.1.0.0/28", "10.1.0.5", true],
  ["another range has only some of the addresses", "a=10.1.0.0/24 b=10.1.0.0/28", "10.1.0.5 10.1.0.77", false],
  ["a larger range takes over", "a=10.1.0.0/24 b=10.1.0.0/16", "10.1.0.5", true],
  ["the same range under another name takes over", "a=10.1.0.0/24 b=10.1.0.0/24", "10.1.0.5", true],
  ["only one family is taken over, the other is in use", "a=10.1.0.0/24,fd00:1::/112 b=10.1.0.0/16", "10.1.0.5 fd00:1::7", false],
  ["only one family is taken over, the other is unused", "a=10.1.0.0/24,fd00:1::/112 b=10.1.0.0/16", "10.1.0.5", true],
] as const)
  test(`a range of service addresses that is to go: ${what}`, () => {
    const all = ranges.split(" ").map(range);
    assert.equal(mayGo(all[0]!, all, addresses.split(" ").map(address)), want);
  });
