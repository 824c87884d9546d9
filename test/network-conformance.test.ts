/** For each of upstream's 47 network conformance tests (1.36), the test of ours that asserts what its description demands. `e2e:` files need root and run with `npm run e2e`. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";

const services = "test/e2e/network-services.test.ts";
const names = "test/e2e/network-names.test.ts";
const api = "test/network-api.test.ts";
const everywhere = "pods, pods on the node's network and the machine reach every pod over TCP and UDP";
const master = "the API server's own service is there, in every form, and leads to it";
const follow = "a service's endpoints, old and new form, follow its pods, and traffic follows them";
const affinity = "session affinity keeps a client with its pod, on cluster addresses and node ports, until it is turned off or its time is up";
const types = "a service changes its type, and names and addresses follow";
const hand = "slices and Endpoints made by hand are served, with several addresses and with several ports";
const records = "services have A, SRV and PTR records, over UDP and TCP";
const searched = "the cluster's names resolve at every level of the search list, with glibc and with musl";
const podNames = "pods have the names of their hostname and subdomain, their addresses, and an /etc/hosts of their own";
const proxied = "the API server passes requests of every method on to pods and services, by number and by name";
const every = "supports every operation of the API";

/** Upstream's name, our file, our test. */
const table: readonly (readonly [string, string, string])[] = [
  ["API Server should have Endpoints and EndpointSlices pointing to API Server", services, master],
  ["API Server should provide secure master service", services, master],
  ["DNS should provide /etc/hosts entries for the cluster", names, podNames],
  ["DNS should provide DNS for ExternalName services", names, "an ExternalName is an alias, follows edits and can become an address"],
  ["DNS should provide DNS for pods for Hostname", names, podNames],
  ["DNS should provide DNS for pods for Subdomain", names, podNames],
  ["DNS should provide DNS for services", names, records],
  ["DNS should provide DNS for the cluster", names, searched],
  ["DNS should resolve DNS of partial qualified names for services [LinuxOnly]", names, searched],
  ["DNS should support configurable pod DNS nameservers", names, "a pod may have name servers of its own"],
  ["EndpointSlice should create Endpoints and EndpointSlices for Pods matching a Service", services, follow],
  ["EndpointSlice should create and delete EndpointSlices for a Service with a selector that matches no pods", services, follow],
  ["EndpointSlice should support a Service with multiple endpoint IPs specified in multiple EndpointSlices", services, hand],
  ["EndpointSlice should support a Service with multiple ports specified in multiple EndpointSlices", services, hand],
  ["EndpointSlice should support creating EndpointSlice API operations", api, every],
  ["EndpointSliceMirroring should mirror a custom Endpoints resource through create update and delete", services, hand],
  ["Endpoints should test the lifecycle of an Endpoint", api, every],
  ["EndpointsController should create Endpoints for Pods matching a Service", services, follow],
  ["EndpointsController should create and delete Endpoints for a Service with a selector that matches no pods", services, follow],
  ["HostPort validates that there is no conflict between pods with same hostPort but different hostIP and protocol [LinuxOnly]", services, "pods share a host port if their host addresses or protocols differ"],
  ["Ingress API should support creating Ingress API operations", api, every],
  ["IngressClass API should support creating IngressClass API operations", api, every],
  ["Networking Granular Checks: Pods should function for intra-pod communication: http", services, everywhere],
  ["Networking Granular Checks: Pods should function for intra-pod communication: udp", services, everywhere],
  ["Networking Granular Checks: Pods should function for node-pod communication: http [LinuxOnly]", services, everywhere],
  ["Networking Granular Checks: Pods should function for node-pod communication: udp [LinuxOnly]", services, everywhere],
  ["Proxy version v1 A set of valid responses are returned for both pod and service Proxy", services, proxied],
  ["Proxy version v1 A set of valid responses are returned for both pod and service ProxyWithPath", services, proxied],
  ["Proxy version v1 should proxy through a service and a pod", services, proxied],
  ["Service endpoints latency should not be very high", services, "the endpoints of 50 new services are there at once"],
  ["ServiceCIDR and IPAddress API should support IPAddress API operations", api, every],
  ["ServiceCIDR and IPAddress API should support ServiceCIDR API operations", api, every],
  ["Services should be able to change the type from ClusterIP to ExternalName", services, types],
  ["Services should be able to change the type from ExternalName to ClusterIP", services, types],
  ["Services should be able to change the type from ExternalName to NodePort", services, types],
  ["Services should be able to change the type from NodePort to ExternalName", services, types],
  ["Services should be able to create a functioning NodePort service", services, "a node port answers by name, cluster address and node address"],
  ["Services should be able to switch session affinity for NodePort service [LinuxOnly]", services, affinity],
  ["Services should be able to switch session affinity for service with type clusterIP [LinuxOnly]", services, affinity],
  ["Services should complete a service status lifecycle", api, every],
  ["Services should delete a collection of services", api, every],
  ["Services should find a service from listing all namespaces", services, master],
  ["Services should have session affinity work for NodePort service [LinuxOnly]", services, affinity],
  ["Services should have session affinity work for service with type clusterIP [LinuxOnly]", services, affinity],
  ["Services should serve a basic endpoint from pods", services, follow],
  ["Services should serve endpoints on same port and different protocols", services, "one port number serves TCP and UDP, and either can be taken away alone"],
  ["Services should serve multiport endpoints from pods", services, "a service of several ports has for each the pods that have it"],
];

test("every network conformance test of upstream has one of ours, which is there", () => {
  const texts = new Map([services, names, api].map(file => [file, readFileSync(new URL(`../${file}`, import.meta.url), "utf8")]));
  assert.equal(table.length, 47);
  for (const [upstream, file, title] of table) assert.ok(texts.get(file)!.includes(title), `${file} has no test "${title}" for "${upstream}"`);
  const reference = new URL("../../shared/reference/conformance-1.36.yaml", import.meta.url);
  if (!existsSync(reference)) return;
  // A long name is folded over lines, in quotes.
  const theirs = [...readFileSync(reference, "utf8").matchAll(/^ *codename: ([\s\S]*?)\n *description:/gm)].map(([, text = ""]) => text.replace(/\s+/g, " ").replace(/^'|'$/g, "").replaceAll("''", "'")).filter(name => name.startsWith("[sig-network] "));
  assert.deepEqual(table.map(([name]) => name).sort(), theirs.map(name => name.replace("[sig-network] ", "").replace(/ \[Conformance\].*$/, "")).sort());
});
