import assert from "node:assert/strict";
import { test } from "node:test";
import type { Service } from "../kinds/core/service.ts";
import type { EndpointSlice } from "../kinds/discovery/endpointslice.ts";
import { servicePorts } from "./services.ts";

/** An endpoint is `address@node[state][>node hint][~zone hint]`; states: `!` not ready, `-` ending but serving, `x` ending and deaf. */
function slice(texts: readonly string[], port = 8080): EndpointSlice {
  const endpoints = texts.map(text => {
    const [, address, node, state, forNode, forZone] = /^(\w+)@(\w+?)([!x-]?)(?:>(\w+))?(?:~(\w+))?$/.exec(text) ?? [];
    const hints = { ...(forNode === undefined ? {} : { forNodes: [{ name: forNode }] }), ...(forZone === undefined ? {} : { forZones: [{ name: forZone }] }) };
    return { addresses: [address], nodeName: node, conditions: { ready: state === "", serving: state === "" || state === "-", terminating: state === "-" || state === "x" }, ...(Object.keys(hints).length > 0 ? { hints } : {}) };
  });
  return { metadata: { namespace: "d", name: "web-1" }, addressType: "IPv4", ports: [{ name: "http", port, protocol: "TCP" }], endpoints } as unknown as EndpointSlice;
}
const service = (spec: object = {}, status: object = {}): Service => ({ metadata: { namespace: "d", name: "web" }, spec: { type: "ClusterIP", clusterIP: "10.96.0.1", clusterIPs: ["10.96.0.1"], ports: [{ name: "http", port: 80, protocol: "TCP" }], ...spec }, status: { loadBalancer: {}, ...status } }) as unknown as Service;
const ofNode = (texts: readonly string[], spec: object = {}) => servicePorts([service(spec)], () => [slice(texts)], { name: "n1", zone: "z1" }, "IPv4")[0]!;
const ips = (targets: readonly { readonly ip: string }[]): string => targets.map(({ ip }) => ip).join(" ");

// what, endpoints, those for everybody, those of this node
const cases: readonly (readonly [string, string, string, string])[] = [
  ["ready ones serve", "a@n1 b@n2 c@n2!", "a b", "a"],
  ["while none is ready, those that end but serve do", "a@n1- b@n2- c@n2x d@n2!", "a b", "a"],
  ["one that is ready is enough", "a@n1- b@n2", "b", "a"],
  ["none at all", "a@n1! b@n2x", "", ""],
  ["those meant for this zone", "a@n1~z1 b@n2~z1 c@n3~z2", "a b", "a"],
  ["a hint that one lacks counts for none", "a@n1~z1 b@n2 c@n3~z2", "a b c", "a"],
  ["nobody is meant for this zone: everybody is", "b@n2~z2 c@n3~z3", "b c", ""],
  ["those meant for this node come first", "a@n1>n1~z1 b@n2>n2~z1", "a", "a"],
  ["without one for this node, those of its zone", "b@n2>n2~z1 c@n3>n3~z2", "b", ""],
  ["hints of those that are not ready do not count", "a@n1~z1 b@n2! c@n3~z2", "a", "a"],
];
for (const [what, endpoints, all, here] of cases)
  test(`endpoints: ${what}`, () => {
    const { targets, localTargets } = ofNode(endpoints.split(" "));
    assert.deepEqual([ips(targets), ips(localTargets)], [all, here]);
  });

test("several slices are one list, each endpoint once, in the order of their addresses", () => {
  const [port] = servicePorts([service()], () => [slice(["b@n1"]), slice(["a@n1", "b@n1"]), slice(["c@n1"], 9090)], { name: "n1", zone: "" }, "IPv4");
  assert.deepEqual(port!.targets, [{ ip: "a", port: 8080 }, { ip: "b", port: 8080 }, { ip: "c", port: 9090 }]);
});

test("those that end but serve are not forgotten while others are ready", () => assert.deepEqual(ofNode(["a@n1-", "b@n1", "c@n1x"]).serving.map(({ ip }) => ip), ["a", "b"]));

test("a service without an address of this family is none here", () => {
  for (const spec of [{ clusterIP: "None", clusterIPs: ["None"] }, { clusterIP: "fd00::1", clusterIPs: ["fd00::1"] }, { type: "ExternalName" }]) assert.deepEqual(servicePorts([service(spec)], () => [], { name: "n1", zone: "" }, "IPv4"), []);
});

test("a service with a proxy of its own, or that is to be headless, is left alone", () => {
  for (const label of ["service.kubernetes.io/service-proxy-name", "service.kubernetes.io/headless"]) assert.deepEqual(servicePorts([{ ...service(), metadata: { namespace: "d", name: "web", labels: { [label]: "" } } } as unknown as Service], () => [slice(["a@n1"])], { name: "n1", zone: "" }, "IPv4"), []);
});

test("a slice with such a label is not looked at", () => {
  const labelled = { ...slice(["b@n1"]), metadata: { name: "theirs", labels: { "service.kubernetes.io/headless": "" } } } as unknown as ReturnType<typeof slice>;
  const [port] = servicePorts([service()], () => [slice(["a@n1"]), labelled], { name: "n1", zone: "" }, "IPv4");
  assert.deepEqual(port!.targets.map(({ ip }) => ip), ["a"]);
});

test("an address of a load balancer is taken for the ports that it says it has, and not at all if it passes packets on in its own name", () => {
  const ports = [{ name: "http", port: 80, protocol: "TCP" }, { name: "other", port: 81, protocol: "TCP" }];
  const taken = (ingress: readonly object[], type = "LoadBalancer"): string => servicePorts([service({ type, ports }, { loadBalancer: { ingress } })], () => [], { name: "n1", zone: "" }, "IPv4").map(({ loadBalancerIPs }) => loadBalancerIPs.join(",")).join(" ");
  assert.equal(taken([{ ip: "192.0.2.1" }]), "192.0.2.1 192.0.2.1");
  assert.equal(taken([{ ip: "192.0.2.1", ipMode: "VIP", ports: [{ port: 80, protocol: "TCP" }] }]), "192.0.2.1 ");
  assert.equal(taken([{ ip: "192.0.2.1", ports: [{ port: 80, protocol: "UDP" }, { port: 81, protocol: "TCP", error: "example.org/Taken" }] }]), " ");
  assert.equal(taken([{ ip: "192.0.2.1", ipMode: "Proxy" }]), " ");
  assert.equal(taken([{ ip: "192.0.2.1" }], "NodePort"), " ", "left over from when it was one");
});
