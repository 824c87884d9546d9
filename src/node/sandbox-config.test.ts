import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../kinds/core/pod.ts";
import { cgroupParentOf, dnsOf, hostnameOf, hostPortsOf, hostsFile, parseResolver, sandboxConfig, type NodeFacts } from "./sandbox-config.ts";

const node: NodeFacts = {
  nodeName: "n", hostIPs: ["192.0.2.1"], memoryCapacity: 2 ** 30, clusterDomain: "cluster.local", clusterDNS: ["10.96.0.10"], resolver: { servers: ["192.0.2.53"], searches: ["example.com"], options: ["timeout:1"] },
  cgroupRoot: "/t", logsDir: "/logs", podsDir: "/pods", memoryDir: "/m", seccompDir: "/s",
};
const pod = (spec: object): Pod => ({ metadata: { name: "web-0", namespace: "shop", uid: "u1" }, spec: { containers: [{ name: "c" }], dnsPolicy: "ClusterFirst", ...spec }, status: {} }) as unknown as Pod;
const text = ({ servers, searches, options }: { servers: readonly string[]; searches: readonly string[]; options: readonly string[] }): string => [servers, searches, options].map(list => list.join(",")).join(" ");
const cluster = "10.96.0.10 shop.svc.cluster.local,svc.cluster.local,cluster.local,example.com ndots:5";
const own = "192.0.2.53 example.com timeout:1";

const cases = [
  [{}, cluster], [{ hostNetwork: true }, own], [{ dnsPolicy: "ClusterFirstWithHostNet", hostNetwork: true }, cluster], [{ dnsPolicy: "Default" }, own],
  [{ dnsPolicy: "None", dnsConfig: { nameservers: ["1.1.1.1"], searches: ["a.b"], options: [{ name: "ndots", value: "2" }, { name: "edns0" }] } }, "1.1.1.1 a.b ndots:2,edns0"],
  [{ dnsConfig: { nameservers: ["1.1.1.1", "10.96.0.10"], searches: ["svc.cluster.local", "x"], options: [{ name: "ndots", value: "1" }] } }, "10.96.0.10,1.1.1.1 shop.svc.cluster.local,svc.cluster.local,cluster.local,example.com,x ndots:1"],
] as const;
for (const [spec, want] of cases)
  test(`a pod with ${JSON.stringify(spec)} resolves by ${want}`, () => assert.equal(text(dnsOf(pod(spec), node)), want));

test("a node's resolv.conf is read: last search and options win, the root search is nothing", () => {
  assert.deepEqual(parseResolver("# c\nnameserver 1.1.1.1\nnameserver 2.2.2.2 \nsearch a b\nsearch . c\noptions ndots:2 edns0\n"), { servers: ["1.1.1.1", "2.2.2.2"], searches: ["c"], options: ["ndots:2", "edns0"] });
});

test("host names and their domain follow hostname, subdomain and length", () => {
  assert.deepEqual(hostnameOf(pod({}), "cluster.local"), { hostname: "web-0", domain: "" });
  assert.deepEqual(hostnameOf(pod({ hostname: "db", subdomain: "sub" }), "cluster.local"), { hostname: "db", domain: "sub.shop.svc.cluster.local" });
  assert.deepEqual(hostnameOf(pod({ hostname: "db", subdomain: "sub", setHostnameAsFQDN: true }), "cluster.local").hostname, "db.sub.shop.svc.cluster.local");
  const long = { ...pod({}), metadata: { name: `${"a".repeat(62)}-b`, namespace: "shop" } } as Pod;
  assert.equal(hostnameOf(long, "cluster.local").hostname, "a".repeat(62));
});

test("the hosts file names the pod, its domain and its aliases", () => {
  const file = hostsFile(pod({ subdomain: "sub", hostAliases: [{ ip: "1.2.3.4", hostnames: ["x", "y"] }] }), ["10.0.0.2"], node, "");
  assert.ok(file.startsWith("# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n"));
  assert.ok(file.endsWith("10.0.0.2\tweb-0.sub.shop.svc.cluster.local\tweb-0\n\n# Entries added by HostAliases.\n1.2.3.4\tx\ty\n"));
  assert.equal(hostsFile(pod({ hostNetwork: true }), [], node, "127.0.0.1 me\n"), "# Kubernetes-managed hosts file (host network).\n127.0.0.1 me\n");
});

test("a sandbox shares only what the pod asks for, and its cgroup lies by its class", () => {
  const plain = sandboxConfig(pod({}), 2, node);
  assert.deepEqual([plain.metadata.attempt, plain.hostname, plain.logDirectory, plain.linux.cgroupParent], [2, "web-0", "/logs/shop_web-0_u1", "/t/besteffort/podu1"]);
  assert.deepEqual(plain.linux.securityContext.namespaceOptions, { network: 0, ipc: 0, pid: 1 });
  const shared = sandboxConfig(pod({ hostNetwork: true, hostIPC: true, shareProcessNamespace: true }), 0, node);
  assert.deepEqual([shared.hostname, shared.linux.securityContext.namespaceOptions], ["", { network: 2, ipc: 2, pid: 0 }]);
  assert.equal(cgroupParentOf(pod({ containers: [{ name: "c", resources: { limits: { cpu: "1", memory: "1Gi" } } }] }), node), "/t/podu1");
});

test("host ports are those of every container, none on the host's own network", () => {
  const ports = { containers: [{ name: "c", ports: [{ containerPort: 80, hostPort: 8080, protocol: "TCP" }, { containerPort: 81 }] }] };
  assert.deepEqual(hostPortsOf(pod(ports)), [{ protocol: 0, hostPort: 8080, containerPort: 80, hostIP: "" }]);
  assert.deepEqual(hostPortsOf(pod({ ...ports, hostNetwork: true })), []);
});
