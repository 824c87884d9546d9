import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeMachine } from "../../test/fake-machine.ts";
import { UsageError, type Arguments } from "./args.ts";
import { atPresentAddress, daemonsOf, grown, layOut, loadCluster, placeOf, saveCluster } from "./cluster.ts";
import type { Cluster, Machine } from "./machine.ts";

const args = (values: Arguments["values"]): Arguments => ({ values: { name: "timonier", ...values }, rest: [] });
const lay = (machine: Machine, values: Arguments["values"] = {}) => layOut(machine, placeOf(machine, args(values)), args(values));

test("a new cluster takes the usual ports and a network that is free", async () => {
  const cluster = await lay(fakeMachine().machine);
  assert.deepEqual([cluster.port, cluster.nodePort, cluster.podCIDR, cluster.serviceCIDR, cluster.nodeName, cluster.listen], [6443, 10250, "10.244.0.0/16", "10.96.0.0/16", "host.example", ["127.0.0.1", "192.0.2.7"]]);
});

test("taken ports and networks are stepped over", async () => {
  const cluster = await lay(fakeMachine({ taken: [6443, 6444, 10250], networks: async () => ["10.244.1.0", "10.243.0.1/24", "10.96.0.0"] }).machine);
  assert.deepEqual([cluster.port, cluster.nodePort, cluster.podCIDR, cluster.serviceCIDR], [6445, 10251, "10.242.0.0/16", "10.97.0.0/16"]);
});

test("addresses for load balancers are kept as they were given", async () => {
  assert.deepEqual((await lay(fakeMachine().machine, { "lb-pool": "192.168.1.240/28, fd00:1::/120" })).loadBalancerPools, ["192.168.1.240/28", "fd00:1::/120"]);
});

test("networks of other clusters are stepped over, also of stopped ones in another data folder", async () => {
  const { machine, files } = fakeMachine();
  const place = (values: Arguments["values"]) => placeOf(machine, args(values));
  machine.list = async folder => [...new Set(Object.keys(files).filter(path => path.startsWith(`${folder}/`)).map(path => path.slice(folder.length + 1).split("/")[0]!))];
  const first = await lay(machine, { "data-dir": "/elsewhere" });
  await saveCluster(machine, first);
  const second = await lay(machine, { name: "second" });
  await saveCluster(machine, second);
  const third = await layOut(machine, place({ name: "third" }), args({ name: "third" }));
  assert.deepEqual([first, second, third].map(({ podCIDR, serviceCIDR }) => [podCIDR, serviceCIDR]), [["10.244.0.0/16", "10.96.0.0/16"], ["10.243.0.0/16", "10.97.0.0/16"], ["10.242.0.0/16", "10.98.0.0/16"]]);
  await assert.rejects(lay(machine, { name: "fourth", "service-cidr": "10.97.128.0/20" }), /--service-cidr: 10\.97\.128\.0\/20 shares addresses with 10\.97\.0\.0\/16 of another cluster on this machine: choose another, or leave --service-cidr out/);
  // A cluster does not step over itself.
  assert.equal((await lay(machine, { name: "second" })).podCIDR, "10.243.0.0/16");
});

test("clusters of one name in two data directories share no run-time folder", () => {
  const { machine } = fakeMachine();
  const [a, b] = ["/a", "/b"].map(folder => placeOf(machine, args({ "data-dir": folder })));
  assert.notEqual(a!.runFolder, b!.runFolder);
});

test("simulated nodes may be none", async () => {
  const { machine } = fakeMachine();
  assert.equal((await lay(machine, { runtime: "simulated", nodes: 0 })).nodes, 0);
});

for (const [values, message] of [
  [{ port: 6443 }, "--port: port 6443 is taken: stop what listens there, or choose another"],
  [{ port: 0 }, "--port: 0 is not a port: expected 1 to 65535"],
  [{ runtime: "docker" }, '--runtime: "docker" is not a runtime: expected "containerd" or "simulated"'],
  [{ nodes: 0 }, "--nodes: 0 is out of range: expected 1 to 5000"],
  [{ nodes: -1, runtime: "simulated" }, "--nodes: -1 is out of range: expected 0 to 5000"],
  [{ "pod-cidr": "10.244.0.1/16" }, '--pod-cidr: "10.244.0.1/16" has bits set behind its /16'],
  [{ "pod-cidr": "10.244.0.0/30" }, '--pod-cidr: "10.244.0.0/30" is not an IPv4 network such as 10.244.0.0/16 (size /8 to /24)'],
  [{ "lb-pool": "192.168.1.0" }, '--lb-pool: "192.168.1.0" is not a range of addresses such as 192.168.1.240/28'],
  [{ "lb-pool": "192.168.1.5/28" }, '--lb-pool: "192.168.1.5/28" has bits set behind its /28'],
  [{ "lb-pool": "10.9.0.0/28,10.96.7.0/24" }, "--lb-pool: 10.96.7.0/24 and 10.96.0.0/16, which is in use already, share addresses: choose a range that nothing else uses"],
  [{ "lb-pool": "192.0.2.0/28" }, "--lb-pool: 192.0.2.0/28 and 192.0.2.7/32, which is in use already, share addresses: choose a range that nothing else uses"],
  [{ name: "Bad_Name" }, '--name: "Bad_Name" is not a lower-case name of letters, digits and "-" (at most 32 characters)'],
] as const)
  test(`flags ${JSON.stringify(values)} are refused by name and value`, async () => {
    const { machine } = fakeMachine({ taken: [6443] });
    await assert.rejects(async () => lay(machine, values), (error: Error) => error instanceof UsageError && error.message === message);
  });

test("further nodes get names, links in turn, and a network that is free", async () => {
  const cluster = await lay(fakeMachine({ networks: async () => ["10.95.0.1/24"] }).machine, { nodes: 4, links: 2 });
  assert.deepEqual([cluster.nodes, cluster.nodeCIDR, cluster.links, cluster.members], [4, "10.94.0.0/16", 2, [{ name: "host.example-2", index: 1, link: 0 }, { name: "host.example-3", index: 2, link: 1 }, { name: "host.example-4", index: 3, link: 0 }]]);
  assert.deepEqual(daemonsOf(cluster).map(({ title, runFolder }) => `${title} ${runFolder.slice(cluster.runFolder.length)}`), ["server ", "agent ", "node host.example-2 /n1", "node host.example-3 /n2", "node host.example-4 /n3"]);
});

test("a cluster grows into the gaps and keeps what it has", async () => {
  const { machine } = fakeMachine();
  const three = await lay(machine, { nodes: 3 });
  const gap = { ...three, nodes: 2, members: three.members!.filter(({ index }) => index === 2) };
  assert.deepEqual((await grown(machine, placeOf(machine, args({})), gap, 3, {})).members, three.members);
  assert.equal(await grown(machine, placeOf(machine, args({})), three, 3, {}), three);
});

test("without a network the machine is reached at its address on the first link", async () => {
  const { machine } = fakeMachine({ primaryAddress: () => undefined });
  assert.equal((await lay(machine, { nodes: 2 })).advertise, "10.95.0.1");
  await assert.rejects(async () => grown(machine, placeOf(machine, args({})), { ...(await lay(machine)), state: "made" }, 2, {}), /was made without a network/);
});

for (const [values, message] of [
  [{ nodes: 51 }, "--nodes: 51 is out of range: expected 1 to 50 with real containers (--runtime simulated: to 5000)"],
  [{ nodes: 3, "pod-cidr": "10.200.0.0/23" }, "--nodes 3: the pod network 10.200.0.0/23 has room for 2 nodes (a /24 each): make the cluster with a larger --pod-cidr"],
  [{ nodes: 3, runtime: "simulated", links: 2 }, "--links: simulated nodes have no network"],
  [{ nodes: 3, links: 0 }, "--links: 0 is out of range: expected 1 to 200"],
] as const)
  test(`flags ${JSON.stringify(values)} are refused by name and value`, async () => {
    await assert.rejects(async () => lay(fakeMachine().machine, values), (error: Error) => error instanceof UsageError && error.message === message);
  });

test("both families: unique local networks of the cluster's own, or the reason why not", async () => {
  const { ipv6 } = await lay(fakeMachine({ programs: ["/proc/sys/net/ipv6"] }).machine, { "dual-stack": true });
  assert.match(`${ipv6!.podCIDR} ${ipv6!.nodeCIDR} ${ipv6!.serviceCIDR}`, /^(fd[0-9a-f:]+)::\/56 \1:e000::\/56 \1:f000::\/112$/);
  await assert.rejects(async () => lay(fakeMachine().machine, { "dual-stack": true }), /--dual-stack: this machine's kernel has no IPv6/);
});

test("fewer nodes are refused with the way to take one away", async () => {
  const { machine } = fakeMachine();
  await assert.rejects(async () => grown(machine, placeOf(machine, args({})), await lay(machine, { nodes: 3 }), 2, {}), /--nodes 2: cluster "timonier" has 3 nodes: take one away with "timonier node remove host\.example-3"/);
});

test("a damaged cluster.json is named, with the way out", async () => {
  const { machine } = fakeMachine({ files: { "/home/u/.timonier/timonier/cluster.json": "{" } });
  await assert.rejects(loadCluster(machine, placeOf(machine, args({}))), /\/home\/u\/\.timonier\/timonier\/cluster\.json cannot be read .* "timonier delete"/);
});

const made: Cluster = { name: "timonier", id: "timonier-1", state: "made", runtime: "containerd", nodes: 1, nodeName: "host", listen: ["127.0.0.1", "192.0.2.7"], advertise: "192.0.2.7", port: 6443, nodePort: 10250, podCIDR: "10.244.0.0/16", serviceCIDR: "10.96.0.0/16", dataFolder: "/d", runFolder: "/r", context: "timonier" };
for (const [what, assigned, primary, listen, advertise] of [
  ["stays at its address while an interface has it, whatever is primary now", ["192.0.2.7", "198.51.100.3"], "198.51.100.3", ["127.0.0.1", "192.0.2.7"], "192.0.2.7"],
  ["goes with the machine to another network", ["127.0.0.1", "198.51.100.3"], "198.51.100.3", ["127.0.0.1", "198.51.100.3"], "198.51.100.3"],
  ["is on loopback alone while there is no network", ["127.0.0.1"], undefined, ["127.0.0.1"], undefined],
] as const)
  test(`a cluster ${what} (P28)`, () => {
    const now = atPresentAddress(made, assigned, primary);
    assert.deepEqual([now.listen, now.advertise], [listen, advertise]);
  });
test("a cluster of several nodes is at its first link while there is no network (P28)", () => {
  const three = { ...made, nodeCIDR: "10.95.0.0/16", members: [{ name: "host-2", index: 1, link: 0 }] };
  const without = atPresentAddress(three, ["127.0.0.1", "10.95.0.1"], undefined);
  assert.deepEqual([without.listen, without.advertise], [["127.0.0.1"], "10.95.0.1"]);
  assert.equal(atPresentAddress(without, ["127.0.0.1"], undefined), without);
  assert.deepEqual(atPresentAddress(without, ["127.0.0.1", "10.95.0.1", "192.0.2.7"], "192.0.2.7"), three);
});
test("a cluster that was without a network goes back to one (P28)", () => {
  assert.deepEqual(atPresentAddress(atPresentAddress(made, [], undefined), ["198.51.100.3"], "198.51.100.3"), { ...made, listen: ["127.0.0.1", "198.51.100.3"], advertise: "198.51.100.3" });
});
