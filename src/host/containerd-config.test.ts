import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseRuntime, pathsOf, renderCni, renderConfig } from "./containerd-config.ts";
import { renderPodTables } from "./pod-network.ts";
import { cgroupLayout } from "./cgroups.ts";
import { pauseProgram } from "./pause-image.ts";

const settings = { name: "c1", dir: "/data/containerd", runDir: "/run/timonier/c1", podCIDRs: ["10.244.0.0/24"], path: "/usr/bin" };
const both = { runc: "/usr/sbin/runc", crun: "/usr/bin/crun", cniDir: "/usr/lib/cni", missing: [] };

test("every path in containerd's configuration is ours", () => {
  const config = renderConfig(settings, both, { runtime: "runc", mayRaiseOomScore: false });
  for (const path of config.match(/"\/[^"]*"/g) ?? []) assert.match(path, /^"(\/data\/containerd|\/run\/timonier\/c1|\/usr\/)/);
  assert.match(config, /restrict_oom_score_adj = true/);
  assert.match(config, /Root = "\/run\/timonier\/c1\/runc"/);
  assert.ok(pathsOf(settings).socket.length < 108);
});

const v1 = "1 2 0:1 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory";
const v2 = "3 4 0:2 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw";
const runtimes = [["both, version 1 only", v1, "", "crun"], ["both, version 2 only", v2, "cpu memory", "crun"], ["both, mixed with controllers in version 2", `${v1}\n${v2}`, "hugetlb\n", "runc"], ["both, mixed without", `${v1}\n${v2}`, "", "crun"]] as const;
for (const [what, mounts, controllers, want] of runtimes)
  test(`with ${what}, ${want} is chosen`, () => assert.equal(chooseRuntime(both, mounts, controllers), want));
test("runc is chosen when there is nothing else", () => assert.equal(chooseRuntime({ runc: "/r", missing: [] }, v1, ""), "runc"));

test("the pod network is routed, with its addresses kept in the run folder", () => {
  const { name, plugins: [ptp] } = JSON.parse(renderCni(settings, 1400)) as { name: string; plugins: { type: string; mtu: number; ipam: { dataDir: string; ranges: unknown } }[] };
  assert.deepEqual([name, ptp?.type, ptp?.mtu, ptp?.ipam.dataDir, ptp?.ipam.ranges], ["timonier-c1", "ptp", 1400, "/run/timonier/c1/cni-ipam", [[{ subnet: "10.244.0.0/24" }]]]);
});

test("the node's packet rules are one table for each family, replaced in one transaction", () => {
  const rules = renderPodTables("t", ["10.244.0.0/16"], [{ cidr: "10.96.0.0/12", dns: "10.96.0.10" }], [{ ips: ["10.244.0.5"], ports: [{ protocol: 1, hostPort: 53, containerPort: 5353, hostIP: "" }, { protocol: 0, hostPort: 80, containerPort: 8080, hostIP: "192.0.2.1" }] }]).split("\n");
  assert.deepEqual(rules.slice(0, 3), ["add table ip t", "delete table ip t", "add table ip t"]);
  for (const rule of [
    "add rule ip t postrouting ip saddr 10.244.0.0/16 ip daddr != 10.244.0.0/16 masquerade", "add rule ip t unserved_output ip daddr 10.96.0.0/12 ip daddr != 10.96.0.10 reject",
    'add rule ip t sources iifname "veth*" fib saddr . iif oif missing drop',
    "add rule ip t ports udp dport 53 dnat to 10.244.0.5:5353", "add rule ip t ports ip daddr 192.0.2.1 tcp dport 80 dnat to 10.244.0.5:8080",
  ]) assert.ok(rules.includes(rule), rule);
  assert.deepEqual(rules.filter(rule => rule.includes("ip6")), ["add table ip6 t", "delete table ip6 t"]);
});

test("cgroups are told apart by version, a hybrid counts as version 1 with one more place", () => {
  assert.deepEqual(cgroupLayout(`${v1}\n${v2}\n`), { version: 1, hierarchies: [{ path: "/sys/fs/cgroup/memory", controllers: ["rw", "memory"] }, { path: "/sys/fs/cgroup/unified", controllers: ["unified"] }] });
  assert.equal(cgroupLayout(v2).version, 2);
});

test("the pause program is an ELF file of a few bytes for both architectures", () => {
  for (const [arch, machine, length] of [["x64", 62, 151], ["arm64", 183, 188]] as const) {
    const program = pauseProgram(arch);
    assert.deepEqual([program.subarray(0, 4).toString("latin1"), program.readUInt16LE(18), program.length, Number(program.readBigUInt64LE(24)) - 0x400000], ["\x7fELF", machine, length, 120]);
  }
});
