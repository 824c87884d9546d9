import assert from "node:assert/strict";
import { test } from "node:test";
import type { Reader } from "../context.ts";
import { ServiceAddresses } from "./service-addresses.ts";

// Ranges are written name=cidr[,cidr][mark]; ! is not ready, ? has not said yet, - is to go. Objects of addresses: address[*]; with * the API server keeps it for a service.
function addresses(configured: string, ranges = "", objects = ""): ServiceAddresses {
  const list = (text: string): readonly string[] => text.split(" ").filter(Boolean);
  const cidrs = list(ranges).map(text => {
    const [, name, cidrs = "", mark] = /^(\w+)=([^!?-]*)([!?-]?)$/.exec(text)!;
    return { metadata: { name, ...(mark === "-" ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}) }, spec: { cidrs: cidrs.split(",") }, status: { conditions: mark === "?" ? [] : [{ type: "Ready", status: mark === "!" ? "False" : "True" }] } };
  });
  const kept = new Map(list(objects).map(text => [text.replace("*", ""), { metadata: { labels: text.endsWith("*") ? { "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io" } : {} } }]));
  const read = { list: () => cidrs, get: (_group: string, _resource: string, _namespace: string, name: string) => kept.get(name) } as unknown as Reader;
  return new ServiceAddresses(read, { next: () => 0 } as never, configured.split(","));
}
const all = (pool: ServiceAddresses, family: "IPv4" | "IPv6" = "IPv4"): string => {
  const found: string[] = [];
  for (let address = pool.next(family); address !== undefined && found.length < 20; address = pool.next(family)) found.push(address);
  return found.join(" ");
};

for (const [what, configured, ranges, objects, want] of [
  ["the cluster's own, before its object is there", "10.1.0.0/30", "", "", "10.1.0.1 10.1.0.2"],
  ["what the object says, once it is there", "10.1.0.0/30", "kubernetes=10.1.0.0/30", "", "10.1.0.1 10.1.0.2"],
  ["what the object says, also before it says that it is ready", "10.1.0.0/30", "another=10.2.0.0/30? kubernetes=10.1.0.0/30?", "", "10.1.0.1 10.1.0.2"],
  ["a range that was added", "10.1.0.0/30", "another=10.0.9.0/30 kubernetes=10.1.0.0/30", "", "10.1.0.1 10.1.0.2 10.0.9.1 10.0.9.2"],
  ["not while it is not ready, nor when it is to go", "10.1.0.0/30", "a=10.0.8.0/30! b=10.0.9.0/30- kubernetes=10.1.0.0/30", "", "10.1.0.1 10.1.0.2"],
  ["not even the cluster's own", "10.1.0.0/30", "b=10.0.9.0/30 kubernetes=10.1.0.0/30-", "", "10.0.9.1 10.0.9.2"],
  ["ranges that overlap give an address once", "10.1.0.0/30", "kubernetes=10.1.0.0/30 larger=10.1.0.0/29", "", "10.1.0.1 10.1.0.2 10.1.0.3 10.1.0.4 10.1.0.5 10.1.0.6"],
  ["what somebody keeps for something else is left out", "10.1.0.0/29", "", "10.1.0.3 10.1.0.4*", "10.1.0.1 10.1.0.2 10.1.0.4 10.1.0.5 10.1.0.6"],
  ["another family is not this one's", "10.1.0.0/30", "six=fd00::/126 kubernetes=10.1.0.0/30", "", "10.1.0.1 10.1.0.2"],
] as const)
  test(`addresses for services: ${what}`, () => assert.deepEqual(all(addresses(configured, ranges, objects)).split(" ").sort(), want.split(" ").sort()));

test("the cluster's own range comes first", () => assert.equal(all(addresses("10.1.0.0/30", "another=10.0.9.0/30 kubernetes=10.1.0.0/30")), "10.1.0.1 10.1.0.2 10.0.9.1 10.0.9.2"));

test("IPv6 ranges need 64 bits, as upstream", () => assert.equal(all(addresses("10.1.0.0/30,fd00:1::/127", "kubernetes=10.1.0.0/30,fd00:1::/127 big=fd00:2::/32"), "IPv6"), "fd00:1::1"));

for (const [what, address, want] of [
  ["free", "10.1.0.9", undefined], ["taken", "10.1.0.1", "provided IP is already allocated"], ["taken in another range that has it", "10.1.0.2", "provided IP is already allocated"],
  ["kept by somebody", "10.1.0.7", "provided IP is already allocated"], ["in a range that was added", "10.2.0.200", undefined], ["outside", "10.3.0.1", "the provided network does not match the current range"],
  ["the network's own", "10.1.0.0", "the provided network does not match the current range"], ["the broadcast address", "10.1.0.15", "the provided network does not match the current range"], ["far up a large IPv6 range", "fd00:1::ffff:ffff:1", undefined],
] as const)
  test(`an address that is asked for: ${what}`, () => {
    const pool = addresses("10.1.0.0/28,fd00:1::/64", "added=10.2.0.0/24 kubernetes=10.1.0.0/28,fd00:1::/64 part=10.1.0.0/30", "10.1.0.7");
    pool.hold("10.1.0.1");
    pool.hold("10.1.0.2");
    assert.equal(pool.take(address), want);
    if (want === undefined) assert.equal(pool.take(address), "provided IP is already allocated");
    pool.release(address);
  });
