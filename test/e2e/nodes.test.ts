/** Three nodes on one machine: traffic between them, names, services, policies, logs; a node that dies, is drained, comes back; a power cut; nothing left behind. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { removeShimSockets } from "../../src/host/shim-sockets.ts";
import { assertAsBefore, image, mainPids, Scratch, stillPicture, type Cluster } from "./harness.ts";

const scratch = new Scratch();
const shell = (script: string): string => spawnSync("sh", ["-c", script], { encoding: "utf8" }).stdout.trim();
const cluster = (): Cluster => scratch.cluster;
const get = (what: string): any => JSON.parse(scratch.k(`get ${what} -o json`));
type Pod = { readonly name: string; readonly node: string; readonly ip: string; readonly ready: boolean; readonly restarts: number };
const pods = (selector: string): readonly Pod[] => get(`pods -l ${selector}`).items.filter((pod: any) => pod.metadata.deletionTimestamp === undefined).map((pod: any) => ({
  name: pod.metadata.name, node: pod.spec.nodeName, ip: pod.status.podIP, ready: pod.status.conditions?.some((c: any) => c.type === "Ready" && c.status === "True") ?? false, restarts: pod.status.containerStatuses?.[0]?.restartCount ?? 0,
})).sort((a: Pod, b: Pod) => (a.node < b.node ? -1 : 1));
const nodes = (): readonly { name: string; ready: string; ip: string; podCIDR: string; boot: string }[] => get("nodes").items.map((node: any) => ({
  name: node.metadata.name, ready: node.status.conditions.find((c: any) => c.type === "Ready").status, ip: node.status.addresses[0].address, podCIDR: node.spec.podCIDR, boot: node.status.nodeInfo.bootID,
}));
/** What a pod gets; where it gets nothing, why it does not. */
const fetched = (pod: string, url: string): string => { const { out, err } = scratch.kubectl("exec", pod, "--", "timeout", "5", "wget", "-qO-", url); return out || err; };
const curl = (url: string): string => scratch.curl("-m", "5", url);
/** Rules, routes and names of a node follow a change, and a busy machine may keep one request waiting: what must be reachable will be. */
const hello = (what: string, ask: () => string): Promise<void> => scratch.says(what, "hello v1\n", ask);
/** Host pids of the processes in a member's namespaces whose command matches. */
const pidsIn = (index: number, pattern: string): readonly string[] => {
  const init = shell(`pgrep -f '^${scratch.dataDir}/timonier/nodes/${index}/init'`);
  const namespace = shell(`readlink /proc/${init}/ns/mnt`);
  return mainPids(pattern).filter(pid => shell(`readlink /proc/${pid}/ns/mnt`) === namespace);
};
let pictureBefore: Awaited<ReturnType<typeof stillPicture>>;

before(async () => {
  await scratch.registry();
  Scratch.packages("containerd", "runc", "containernetworking-plugins", "nftables", "iptables", "iproute2", "curl");
});
after(async () => {
  scratch.timonier("delete");
  await scratch.close();
});

test("up --nodes 3 makes three nodes, each with a pod network of its own", async () => {
  pictureBefore = await stillPicture(scratch);
  writeFileSync(join(scratch.folder, "registries.yaml"), `mirrors: {registry.example.com: {endpoint: ["http://127.0.0.1:5000"]}}\n`);
  await scratch.up("--registries", join(scratch.folder, "registries.yaml"), "--port", "17643", "--node-port", "17650");
  for (const fact of ["ip", "podCIDR", "boot"] as const) assert.equal(new Set(nodes().map(node => node[fact])).size, 3, `${fact} differs`);
  assert.match(scratch.timonier("status").out, /3 of 3 nodes ready[^]*Node: +\S+-2 Ready, agent pid \d+[^]*Node: +\S+-3 Ready, agent pid \d+/);
});

test("every node asks the mirror that is on the machine's loopback, and an edit of the file counts at once; a bad one stops no pull and is told", async () => {
  const each = (name: string, of: string): void => void scratch.k("create -f -", JSON.stringify({ apiVersion: "apps/v1", kind: "DaemonSet", metadata: { name }, spec: { selector: { matchLabels: { app: name } }, template: {
    metadata: { labels: { app: name } }, spec: { terminationGracePeriodSeconds: 0, containers: [{ name: "c", image: of }] },
  } } }));
  each("mirrored", "registry.example.com/hello:v1");
  await scratch.until("the mirror's image runs on three nodes", () => pods("app=mirrored").filter(({ ready }) => ready).length === 3);
  writeFileSync(join(scratch.folder, "registries.yaml"), "mirrors: {registry.example.com: {}}\n");
  each("misled", "registry.example.com/hello:v2");
  await scratch.until("the mirror is still asked", () => pods("app=misled").filter(({ ready }) => ready).length === 3);
  const wrong = /\(--registries\): mirrors\[registry\.example\.com\]\.endpoint: Required value/g;
  await scratch.until("every node says what is wrong", () => scratch.kubectl("get", "events", "--field-selector", "reason=InvalidRegistries").out.match(wrong)?.length === 3);
  assert.match(scratch.timonier("status").out, wrong);
  writeFileSync(join(scratch.folder, "registries.yaml"), "mirrors: {}\n");
  each("unknown", "registry.example.com/hello:v3");
  await scratch.until("nobody is asked in its place any more", () => pods("app=unknown").length === 3 && (scratch.kubectl("describe", "pods", "-l", "app=unknown", "--show-events=true").out.match(/Failed to pull image/g) ?? []).length >= 3);
  scratch.k("delete daemonset mirrored misled unknown --wait=true");
});

test("pods of all nodes reach each other, services by name, and the API server; the machine reaches them", async () => {
  scratch.k("apply -f -", JSON.stringify({ apiVersion: "apps/v1", kind: "DaemonSet", metadata: { name: "every" }, spec: {
    selector: { matchLabels: { app: "every" } },
    template: { metadata: { labels: { app: "every" } }, spec: { containers: [{ name: "hello", image: image("hello:v1"), ports: [{ containerPort: 5000, hostPort: 18765 }] }], terminationGracePeriodSeconds: 1 } },
  } }));
  scratch.k("create service nodeport every --tcp=80:5000");
  await scratch.until("one ready pod on each node", () => pods("app=every").length === 3 && pods("app=every").every(({ ready }) => ready), 90);
  const all = pods("app=every");
  assert.deepEqual(all.map(({ node }) => node), nodes().map(({ name }) => name).sort());
  for (const from of all) {
    for (const to of all) await hello(`${from.node} → ${to.node}`, () => fetched(from.name, `http://${to.ip}:5000`));
    await hello(`the service by its name from ${from.node}`, () => fetched(from.name, "http://every.default.svc.cluster.local"));
    assert.match(scratch.k(`exec ${from.name} -- sh -c 'wget -qO- https://kubernetes.default 2>&1; true'`), /alert|certificate|handshake|40[13]/i, "the API server answers in its own way");
    assert.match(scratch.k(`logs ${from.name}`), new RegExp(`hello v1 on ${from.name}`));
    assert.equal(scratch.k(`exec ${from.name} -- hostname`).trim(), from.name);
    await hello(`the machine → ${from.node}`, () => curl(`http://${from.ip}:5000`));
  }
  const { nodePort } = get("service every").spec.ports[0];
  for (const { name, ip } of nodes()) {
    await hello(`node port of ${name}`, () => curl(`http://${ip}:${nodePort}`));
    await hello(`host port of ${name}`, () => curl(`http://${ip}:18765`));
  }
});

test("port-forward and a pod on the node's own network, on another node", async () => {
  const far = pods("app=every").at(-1)!;
  const forward = scratch.startKubectl(`port-forward ${far.name} 18766:5000`);
  await scratch.until("it listens", () => forward.out.includes("Forwarding from 127.0.0.1:18766"));
  assert.equal(curl("http://127.0.0.1:18766/"), "hello v1\n");
  await forward.end();
  scratch.k("create -f -", JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata: { name: "host" }, spec: { nodeName: far.node, hostNetwork: true, terminationGracePeriodSeconds: 1, containers: [{ name: "a", image: image("busybox:1"), command: ["sh", "-c", "hostname; ip -o -4 address show dev eth0; sleep 3600"] }] } }));
  await scratch.until("it runs", () => get("pod host").status.phase === "Running");
  const node = nodes().find(({ name }) => name === far.node)!;
  await scratch.until("it sees the node's name and address", () => { const said = scratch.k("logs host"); return said.includes(`${far.node}\n`) && said.includes(node.ip); });
  assert.equal(get("pod host").status.podIP, node.ip);
  scratch.k("delete pod host --now");
});

test("a node stops as if its power were cut", async () => {
  const name = cluster().members[1]!.name;
  scratch.k("apply -f -", JSON.stringify({ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "movable" }, spec: {
    replicas: 3, selector: { matchLabels: { app: "movable" } },
    template: { metadata: { labels: { app: "movable" } }, spec: {
      affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm: { topologyKey: "kubernetes.io/hostname", labelSelector: { matchLabels: { app: "movable" } } } }] } },
      tolerations: ["not-ready", "unreachable"].map(each => ({ key: `node.kubernetes.io/${each}`, operator: "Exists", effect: "NoExecute", tolerationSeconds: 1 })),
      containers: [{ name: "a", image: image("hello:v1") }], terminationGracePeriodSeconds: 1,
    } },
  } }));
  await scratch.until("one on each node", () => new Set(pods("app=movable").filter(({ ready }) => ready).map(({ node }) => node)).size === 3);
  const stopped = scratch.timonier("node", "stop", name);
  assert.equal(stopped.code, 0, stopped.err);
});

test("network policies hold between nodes", async () => {
  const [near, far] = pods("app=every");
  const policy = (from: object): void => void scratch.k("apply -f -", JSON.stringify({ apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name: "every" }, spec: { podSelector: { matchLabels: { app: "every" } }, ingress: [{ from: [from] }] } }));
  policy({ podSelector: { matchLabels: { app: "friend" } } });
  await scratch.until("nobody gets in", () => !fetched(near!.name, `http://${far!.ip}:5000`).includes("hello"));
  policy({ podSelector: { matchLabels: { app: "every" } } });
  await hello("friends do, under their own address", () => fetched(near!.name, `http://${far!.ip}:5000`));
  scratch.k("delete networkpolicy every");
});

test("kill -9 of another node's agent and containerd: what ran goes on, what is new comes", async () => {
  const steady = pidsIn(1, "^httpd -f -v -p 5000");
  const [member] = cluster().members;
  shell(`kill -9 ${[...pidsIn(1, `agent --data-dir ${scratch.dataDir}`).filter(pid => !shell(`cat /proc/${pid}/comm`).includes("sh")), ...pidsIn(1, "^/usr/bin/containerd --config")].join(" ")}`);
  scratch.k("create -f -", JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata: { name: "later" }, spec: { nodeName: member!.name, terminationGracePeriodSeconds: 1, containers: [{ name: "a", image: image("busybox:1"), command: ["sleep", "3600"] }] } }));
  await scratch.until("a pod made meanwhile runs", () => get("pod later").status.phase === "Running");
  assert.deepEqual(pidsIn(1, "^httpd -f -v -p 5000").filter(pid => steady.includes(pid)), steady);
  assert.deepEqual(pods("app=every").map(({ restarts }) => restarts).slice(0, 2), [0, 0]);
  scratch.k("delete pod later --now");
});

test("meanwhile the lost node is NotReady and its pods are elsewhere; started again, it comes back with its daemons", async () => {
  const name = cluster().members[1]!.name;
  await scratch.until("NotReady, and all three elsewhere", () => nodes().find(node => node.name === name)!.ready === "Unknown" && pods("app=movable").filter(({ ready, node }) => ready && node !== name).length === 3, 180);
  await scratch.until("its daemon counts as not ready", () => pods("app=every").filter(({ ready }) => ready).length === 2);
  const started = scratch.timonier("node", "start", name);
  assert.equal(started.code, 0, started.err);
  await scratch.until("Ready, its daemon too", () => nodes().every(({ ready }) => ready === "True") && pods("app=every").filter(({ ready }) => ready).length === 3);
  await scratch.until("what was evicted is gone", () => get("pods -l app=movable").items.length === 3);
  const [from, , to] = pods("app=every");
  await hello(`${from!.node} → ${to!.node}`, () => fetched(from!.name, `http://${to!.ip}:5000`));
});

test("a drained node is empty but for its daemons, and takes pods again after uncordon", async () => {
  const name = cluster().members[0]!.name;
  scratch.k(`create deployment web --image=${image("hello:v1")} --replicas=4`);
  await scratch.until("four ready pods", () => pods("app=web").filter(({ ready }) => ready).length === 4);
  const drained = scratch.kubectl("drain", name, "--ignore-daemonsets", "--force", "--timeout=120s");
  assert.equal(drained.code, 0, drained.err);
  await scratch.until("four elsewhere", () => pods("app=web").length === 4 && pods("app=web").every(({ ready, node }) => ready && node !== name));
  assert.equal(pods("app=every").length, 3);
  scratch.k(`uncordon ${name}`);
  scratch.k("delete deployment web");
});

test("down leaves the pods of all nodes running, up finds them without a restart", async () => {
  const before = pods("app=every");
  const down = scratch.timonier("down");
  assert.equal(down.code, 0, down.err);
  for (const { ip } of before) assert.equal(curl(`http://${ip}:5000`), "hello v1\n");
  const result = scratch.timonier("up");
  assert.equal(result.code, 0, result.err);
  await scratch.until("all ready", () => nodes().every(({ ready }) => ready === "True") && pods("app=every").every(({ ready }) => ready));
  assert.deepEqual(pods("app=every").map(({ name, restarts }) => [name, restarts]), before.map(({ name, restarts }) => [name, restarts]));
});

test("after a power cut every node and pod is back", async () => {
  const { id, runFolder, members } = cluster();
  const pidsOf = (pattern: RegExp): string => [runFolder, ...members.map(({ index }) => `${runFolder}/n${index}`)].flatMap(folder => readdirSync(folder).filter(name => pattern.test(name)).map(name => readFileSync(join(folder, name), "utf8").split(" ")[0]!.trim())).join(" ");
  const containerd = JSON.parse(readFileSync(join(scratch.dataDir, "timonier/containerd/process.json"), "utf8")) as { readonly pid: number };
  // Keepers first: one that outlived its child by a moment would start another.
  shell(`kill -9 ${pidsOf(/\.pid\.keeper$/)}; kill -9 ${pidsOf(/\.pid$/)} ${containerd.pid}; pkill -9 -f '^${scratch.dataDir}/timonier/nodes/[0-9]+/init'`);
  shell(`for p in $(grep -la -- '-address.${runFolder}/containerd.sock' /proc/[0-9]*/cmdline | cut -d/ -f3); do kill -9 $p; done`);
  shell(`cat $(find /sys/fs/cgroup/*/timonier-${id} -name cgroup.procs 2>/dev/null) | sort -u | xargs -r kill -9; for i in $(seq 100); do [ -z "$(find /sys/fs/cgroup/*/timonier-${id} -name cgroup.procs -exec cat {} + 2>/dev/null)" ] && break; sleep 0.1; done`);
  shell(`for i in 1 2 3; do awk '{print $5}' /proc/self/mountinfo | grep -E '^(${runFolder}|${scratch.folder})' | tac | xargs -r -n1 umount -l; done`);
  shell(`nft list tables | grep '${id.replaceAll("-", "_")}' | sed 's/^/delete /' | nft -f -; ip -o link | grep -o 'tm${id.slice(-6)}[a-z0-9]*' | sort -u | xargs -r -n1 ip link delete; find /sys/fs/cgroup -depth -type d -path '*timonier-${id}*' -exec rmdir {} +`);
  // A real power cut empties /run as a whole, and with it the sockets of the shims that it killed.
  for (const state of [runFolder, ...members.map(({ index }) => `${runFolder}/n${index}`)]) removeShimSockets(`${state}/containerd`);
  rmSync(runFolder, { recursive: true, force: true });
  const result = scratch.timonier("up");
  assert.equal(result.code, 0, result.err + result.out);
  await scratch.until("all are ready again", () => nodes().every(({ ready }) => ready === "True") && pods("app=every").length === 3 && pods("app=every").every(({ ready, restarts }) => ready && restarts >= 1), 120);
  const all = pods("app=every");
  for (const from of all) for (const to of all) await hello(`${from.node} → ${to.node}`, () => fetched(from.name, `http://${to.ip}:5000`));
});
test("a node is added and taken away while the others run", async () => {
  const up = scratch.timonier("up", "--nodes", "4");
  assert.equal(up.code, 0, up.err);
  await scratch.until("four nodes, a pod on each", () => nodes().filter(({ ready }) => ready === "True").length === 4 && pods("app=every").filter(({ ready }) => ready).length === 4, 120);
  const added = cluster().members[2]!.name;
  assert.match(scratch.timonier("up", "--nodes", "3").err, new RegExp(`timonier node remove ${added}`));
  const removed = scratch.timonier("node", "remove", added);
  assert.equal(removed.code, 0, removed.err);
  await scratch.until("three", () => nodes().length === 3);
  assert.doesNotMatch(scratch.timonier("node", "list").out, new RegExp(`^${added} `, "m"));
});

test("delete leaves nothing of any node", async () => {
  const { id, runFolder } = cluster();
  const result = scratch.timonier("delete");
  assert.equal(result.code, 0, result.err);
  assert.equal(shell(`ip -o link | grep tm${id.slice(-6)}; nft list tables | grep ${id.replaceAll("-", "_")}; find /sys/fs/cgroup -name '*timonier-${id}*'; grep -F -e ${runFolder} -e ${scratch.dataDir} /proc/self/mountinfo; ls -d ${runFolder} 2>/dev/null`), "");
  // A pattern that does not match the shell that asks.
  assert.equal(shell(`ps -eo pid,ppid,stat,lstart,args | grep '[/]${scratch.dataDir.slice(1)}'`), "", "no process is left");
  await assertAsBefore(scratch, pictureBefore);
});
