/** Docker's policy, in network namespaces of our own: a router whose FORWARD drops, and a "pod" on either side of it. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, test } from "node:test";
import { acceptForwarding, removeForwarding, type RunProgram } from "../../src/host/forwarding-rules.ts";
import { Scratch } from "./harness.ts";

const name = `tmfw${process.pid % 10_000}`;
const [router, left, right] = [`${name}r`, `${name}a`, `${name}b`];
const sh = (script: string): string => {
  const { status, stdout, stderr } = spawnSync("sh", ["-ec", script], { encoding: "utf8" });
  assert.equal(status, 0, `${script}: ${stderr}`);
  return stdout;
};
const inRouter: RunProgram = async (program, args) => {
  const { status, stdout, stderr } = spawnSync("ip", ["netns", "exec", router, program, ...args], { encoding: "utf8" });
  return { code: status ?? 1, stdout, stderr };
};
const rules = (): string => sh(`ip netns exec ${router} iptables-save -t filter | grep -v -e '^#' -e '^:' ; ip netns exec ${router} iptables -S FORWARD | head -1`);
/** Whether either family passes; what must pass is given time on a busy machine, what must not need not be waited for. */
const passes = (waitSeconds: number): readonly boolean[] => [["-4", "10.250.2.2"], ["-6", "fd00:250:2::2"]].map(([family = "", to = ""]) => spawnSync("ip", ["netns", "exec", left, "ping", family, "-c", "1", "-W", String(waitSeconds), to]).status === 0);

before(() => {
  Scratch.packages("iptables", "nftables", "iproute2", "iputils-ping");
  sh(`ip netns add ${router}; ip netns exec ${router} sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1`);
  for (const [side, i] of [[left, 1], [right, 2]] as const)
    sh(`ip netns add ${side}; ip link add eth${i} netns ${router} type veth peer name eth0 netns ${side}
      ip -n ${router} link set eth${i} up; ip -n ${router} addr add 10.250.${i}.1/24 dev eth${i}; ip -n ${router} addr add fd00:250:${i}::1/64 dev eth${i} nodad
      ip -n ${side} link set eth0 up; ip -n ${side} addr add 10.250.${i}.2/24 dev eth0; ip -n ${side} addr add fd00:250:${i}::2/64 dev eth0 nodad
      ip -n ${side} route add default via 10.250.${i}.1; ip -n ${side} route add default via fd00:250:${i}::1`);
  // New links take a moment.
  for (let i = 0; i < 50 && passes(0.3).includes(false); i++);
});
after(() => { for (const each of [router, left, right]) spawnSync("ip", ["netns", "delete", each]); });

for (const docker of [false, true])
  test(`a FORWARD chain that drops lets the cluster's networks pass${docker ? ", through Docker's own chain" : ""}, and is as it was afterwards`, async () => {
    sh(`for t in iptables ip6tables; do ip netns exec ${router} $t -F; ip netns exec ${router} $t -P FORWARD DROP; ${docker ? `ip netns exec ${router} $t -N DOCKER-USER; ip netns exec ${router} $t -A DOCKER-USER -j RETURN; ip netns exec ${router} $t -A FORWARD -j DOCKER-USER;` : ""} done`);
    const before = rules();
    assert.deepEqual(passes(0.3), [false, false]);
    assert.equal((await acceptForwarding("c", ["10.250.2.0/24", "fd00:250:2::/64"], inRouter)).added, 4);
    assert.deepEqual(passes(10), [true, true]);
    assert.equal((await acceptForwarding("c", ["10.250.2.0/24", "fd00:250:2::/64"], inRouter)).added, 0);
    await removeForwarding("c", ["10.250.2.0/24", "fd00:250:2::/64"], inRouter);
    assert.deepEqual(passes(0.3), [false, false]);
    assert.equal(rules(), before);
  });

test("a machine without such chains gets none", async () => {
  sh(`ip netns exec ${router} nft flush ruleset`);
  await acceptForwarding("c", ["10.250.2.0/24"], inRouter);
  await removeForwarding("c", ["10.250.2.0/24"], inRouter);
  assert.equal(sh(`ip netns exec ${router} nft list ruleset`), "");
  sh(`ip netns exec ${router} nft 'add table inet wall; add chain inet wall through { type filter hook forward priority 0 ; policy drop ; }'`);
  assert.deepEqual(await acceptForwarding("c", ["10.250.2.0/24"], inRouter), { added: 0, foreign: [{ family: "inet", table: "wall", chain: "through" }] });
});
