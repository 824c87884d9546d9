import assert from "node:assert/strict";
import { test } from "node:test";
import type { Node } from "../kinds/core/node.ts";
import { addressTowards, linksAnnotation, planRoutes, tunnelMac } from "./routes.ts";

/** `name podCIDR[,podCIDR] address [links]`; "-" for none. */
function node(text: string): Node {
  const [name = "", pods = "-", address = "-", links] = text.split(" ");
  return {
    metadata: { name, ...(links && { annotations: { [linksAnnotation]: links } }) },
    spec: pods === "-" ? {} : { podCIDR: pods.split(",")[0], podCIDRs: pods.split(",") },
    status: { addresses: [...(address === "-" ? [] : [{ type: "InternalIP", address }]), { type: "Hostname", address: name }] },
  } as unknown as Node;
}
const plan = (self: string, nodes: readonly string[]): readonly string[] => {
  const [name = "", links = ""] = self.split(" ");
  const { routes, tunnels } = planRoutes({ name, links: links.split(",") }, nodes.map(node));
  return [...routes.map(({ cidr, via }) => `${cidr} via ${via}`), ...tunnels.map(({ cidr, gateway, endpoint }) => `${cidr} through ${gateway} at ${endpoint}`)];
};

for (const [what, self, nodes, expected] of [
  ["nodes of one link route to each other, not to themselves", "b 10.95.0.11/24", ["b 10.244.1.0/24 10.95.0.11 10.95.0.11/24", "c 10.244.2.0/24 10.95.0.12 10.95.0.12/24"], ["10.244.2.0/24 via 10.95.0.12"]],
  ["the machine is reached at its address on the link, not its main one", "b 10.95.0.11/24", ["a 10.244.0.0/24 192.0.2.2 192.0.2.2/24,10.95.0.1/24"], ["10.244.0.0/24 via 10.95.0.1"]],
  ["the machine is on all links", "a 192.0.2.2/24,10.95.0.1/24,10.95.1.1/24", ["b 10.244.1.0/24 10.95.0.11 10.95.0.11/24", "c 10.244.2.0/24 10.95.1.12 10.95.1.12/24"], ["10.244.1.0/24 via 10.95.0.11", "10.244.2.0/24 via 10.95.1.12"]],
  ["nodes of two links use a tunnel", "b 10.95.0.11/24", ["a 10.244.0.0/24 192.0.2.2 192.0.2.2/24,10.95.0.1/24", "c 10.244.2.0/24 10.95.1.12 10.95.1.12/24"], ["10.244.0.0/24 via 10.95.0.1", "10.244.2.0/24 through 10.244.2.0 at 10.95.1.12"]],
  ["a node that does not say its links is believed to be on that of its address", "b 10.95.0.11/24", ["c 10.244.2.0/24 10.95.0.12"], ["10.244.2.0/24 via 10.95.0.12"]],
  ["a node of the same address as ours is no way to anywhere", "a 192.0.2.2/24", ["x 10.244.7.0/24 192.0.2.2"], ["10.244.7.0/24 through 10.244.7.0 at 192.0.2.2"]],
  ["a node without pods or address is left out", "b 10.95.0.11/24", ["c - 10.95.0.12", "d 10.244.3.0/24 -"], []],
  ["both families have their routes", "b 10.95.0.11/24,fd00:5::b/64", ["c 10.244.2.0/24,fd00:44:0:2::/64 10.95.0.12 10.95.0.12/24,fd00:5::c/64"], ["10.244.2.0/24 via 10.95.0.12", "fd00:44:0:2::/64 via fd00:5::c"]],
  ["where only one family has a link, the other travels in a tunnel", "b 10.95.0.11/24", ["c 10.244.2.0/24,fd00:44:0:2::/64 10.95.0.12 10.95.0.12/24"], ["10.244.2.0/24 via 10.95.0.12", "fd00:44:0:2::/64 through fd00:44:0:2:: at 10.95.0.12"]],
] as const)
  test(what, () => assert.deepEqual(plan(self, nodes), expected));

test("a node's tunnel has one link address for both families", () => {
  const { tunnels } = planRoutes({ name: "b", links: ["10.95.0.11/24"] }, [node("c 10.244.2.0/24,fd00:44:0:2::/64 10.95.1.12 10.95.1.12/24")]);
  assert.deepEqual(tunnels.map(({ mac }) => mac), ["02:74:0a:f4:02:00", "02:74:0a:f4:02:00"]);
});

test("the machine's own packets come from an address of each family that they are told", () => {
  const { routes } = planRoutes({ name: "a", links: ["10.95.0.1/24", "fd00:5::1/64"], sources: ["10.95.255.1", "fd00:5:0:ff::1"] }, [node("b 10.244.1.0/24,fd00:44:0:1::/64 10.95.0.11 10.95.0.11/24,fd00:5::b/64")]);
  assert.deepEqual(routes, [{ cidr: "10.244.1.0/24", via: "10.95.0.11", src: "10.95.255.1" }, { cidr: "fd00:44:0:1::/64", via: "fd00:5::b", src: "fd00:5:0:ff::1" }]);
});

test("a node is seen by another under its address on their link, or the tunnel's", () => {
  const [machine, b, c] = ["a 10.244.0.0/24 192.0.2.2 192.0.2.2/24,10.95.0.1/24,10.95.1.1/24", "b 10.244.1.0/24 10.95.0.11 10.95.0.11/24", "c 10.244.2.0/24 10.95.1.12 10.95.1.12/24"].map(node);
  assert.deepEqual([addressTowards(machine!, b!), addressTowards(machine!, c!), addressTowards(b!, machine!), addressTowards(b!, c!)], ["10.95.0.1", "10.95.1.1", "10.95.0.11", "10.244.1.0"]);
});

test("every pod network has a link address of its own that all compute alike", () => {
  assert.equal(tunnelMac("10.244.2.0/24"), "02:74:0a:f4:02:00");
  assert.equal(tunnelMac("fd00:44:0:2::/64"), "02:76:00:00:00:02");
});
