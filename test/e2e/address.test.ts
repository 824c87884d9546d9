/** P28: a machine without a network, on one, and on another; in a network namespace of its own, since the machine's real address is not ours to change. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { kubectlPath, Scratch, type Result } from "./harness.ts";
import { nodeCount } from "./node-counts.ts";

const scratch = new Scratch();
const space = `timonier-p28-${process.pid}`;
const ip = (line: string): Result => scratch.run("ip", line.split(" "));
const inside = (program: string, ...args: string[]): Result => scratch.run("ip", ["netns", "exec", space, program, ...args]);
const timonier = (...args: string[]): Result => inside(join(import.meta.dirname, "../../timonier"), ...args);
const get = (line: string): any => JSON.parse(inside(kubectlPath(), "get", ...line.split(" "), "-o", "json").out || "{}");

/** What the cluster says of where it is. */
function told(): { nodes: string[]; endpoints: string[]; certificate: boolean; address: string } {
  const nodes = (get("nodes").items ?? []) as any[];
  const address = nodes[0]?.status.addresses?.find((each: any) => each.type === "InternalIP")?.address ?? "";
  const names = inside("sh", "-c", `timeout 5 openssl s_client -connect ${address}:6443 </dev/null 2>/dev/null | openssl x509 -noout -ext subjectAltName`).out;
  return { nodes: nodes.map(({ metadata }) => `${metadata.name} ${metadata.uid}`), address, endpoints: (get("endpoints kubernetes").subsets ?? []).flatMap((subset: any) => subset.addresses.map((each: any) => each.ip)), certificate: names.includes(`IP Address:${address}`) };
}
const goTo = (address: string | undefined): void => {
  ip(`-n ${space} addr flush dev eth0`);
  if (address !== undefined) assert.equal(ip(`-n ${space} addr add ${address}/24 dev eth0`).code, 0);
};

before(() => {
  Scratch.packages("containerd", "runc", "containernetworking-plugins", "nftables", "iproute2", "openssl");
  for (const line of [`netns add ${space}`, `-n ${space} link set lo up`, `-n ${space} link add eth0 type veth peer name eth0p`, `-n ${space} link set eth0p up`, `-n ${space} link set eth0 up`]) assert.equal(ip(line).code, 0, line);
});
after(async () => {
  timonier("delete");
  ip(`netns del ${space}`);
  await scratch.close();
});

let first: ReturnType<typeof told>;

test("a machine without a network has a cluster", async () => {
  const up = timonier("up", "--nodes", String(nodeCount));
  assert.equal(up.code, 0, up.out + up.err);
  // Nodes that have a link make an endpoint.
  first = await scratch.until("every node is there", () => { const now = told(); return now.nodes.length === nodeCount && now.endpoints.length === Math.min(1, nodeCount - 1) && now; });
  // Several nodes have a link, on which the machine has an address.
  if (nodeCount > 1) assert.match(first.address, /^10\.\d+\.0\.1$/);
  else assert.equal(first.address, "127.0.0.1");
  assert.deepEqual(first.endpoints, nodeCount > 1 ? [first.address] : []);
});

test("when it comes to a network, node, endpoints and certificate follow while it runs", async () => {
  goTo("198.51.100.1");
  await scratch.until("the new address is known", () => {
    const now = told();
    return now.address === "198.51.100.1" && now.endpoints.join() === "198.51.100.1" && now.certificate;
  });
  assert.deepEqual(told().nodes, first.nodes);
});

test("and when it has moved while it was down", async () => {
  const down = timonier("down");
  assert.equal(down.code, 0, down.out + down.err);
  goTo("203.0.113.9");
  const up = timonier("up");
  assert.equal(up.code, 0, up.out + up.err);
  await scratch.until("the new address is known", () => {
    const now = told();
    return now.address === "203.0.113.9" && now.endpoints.join() === "203.0.113.9" && now.certificate;
  });
  assert.deepEqual(told().nodes, first.nodes);
});
