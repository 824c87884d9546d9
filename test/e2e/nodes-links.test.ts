/** Nodes that share no link: pods reach each other through VXLAN, in both address families. And pods by the hundred, made and deleted while agents are killed: nothing stays. `PODS=1000` makes more. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, test } from "node:test";
import { image, Scratch, type Cluster } from "./harness.ts";

const scratch = new Scratch();
const podsInAll = Number(process.env["PODS"] ?? 100);
const shell = (script: string): string => {
  const { status, stdout, stderr } = spawnSync("sh", ["-c", script], { encoding: "utf8", maxBuffer: 1 << 26 });
  assert.equal(status, 0, `${script}: ${stderr}`);
  return stdout.trim();
};
const cluster = (): Cluster => scratch.cluster;
const initOf = (index: number): string => shell(`pgrep -f '^${scratch.dataDir}/timonier/nodes/${index}/init'`);
/** A command in the namespaces of a node; index 0 is the machine itself. */
const on = (index: number, command: string): string => shell(index === 0 ? command : `nsenter -t ${initOf(index)} -m -n -p -- sh -c '${command}'`);
const pods = (): readonly { name: string; node: string; ip: string; ip6: string | undefined; ready: boolean }[] => JSON.parse(scratch.k("get pods -o json")).items.map((pod: any) => ({
  name: pod.metadata.name, node: pod.spec.nodeName, ip: pod.status.podIP, ip6: pod.status.podIPs?.[1]?.ip as string | undefined, ready: pod.status.conditions?.some((c: any) => c.type === "Ready" && c.status === "True") ?? false,
})).sort((a: { node: string }, b: { node: string }) => (a.node < b.node ? -1 : 1));
const curl = (url: string): string => scratch.curl("-g", "-m", "5", url);
/** What a pod gets; where it gets nothing, why it does not. */
const fetched = (pod: string, url: string): string => { const { out, err } = scratch.kubectl("exec", pod, "--", "timeout", "5", "wget", "-qO-", url); return out || err; };
/** Rules, routes and names of a node follow a change, and a busy machine may keep one request waiting: what must be reachable will be. */
const hello = (what: string, ask: () => string): Promise<void> => scratch.says(what, "hello v1\n", ask);
const closed = (pod: string, ...urls: readonly string[]): boolean => urls.every(url => !fetched(pod, url).includes("hello"));

before(() => scratch.registry());
after(async () => {
  const result = scratch.timonier("delete");
  assert.equal(result.code, 0, result.err);
  await scratch.close();
});

test("nodes of two links use a tunnel, and the machine is on both", async () => {
  await scratch.up("--links", "2", "--dual-stack", "--port", "17743", "--node-port", "17750");
  scratch.k("apply -f -", JSON.stringify({ apiVersion: "apps/v1", kind: "DaemonSet", metadata: { name: "every" }, spec: {
    selector: { matchLabels: { app: "every" } }, template: { metadata: { labels: { app: "every" } }, spec: { containers: [{ name: "hello", image: image("hello:v1") }], terminationGracePeriodSeconds: 1 } },
  } }));
  await scratch.until("one ready pod on each node", () => pods().length === 3 && pods().every(({ ready }) => ready), 120);
  const all = pods();
  for (const from of all) for (const to of all) await hello(`${from.node} → ${to.node}`, () => fetched(from.name, `http://${to.ip}:5000`));
  const device = `tm${cluster().id.slice(-6)}x`;
  assert.match(on(1, "ip route"), new RegExp(`^10\\.\\d+\\.2\\.0/24 via 10\\.\\d+\\.2\\.0 dev ${device} .*onlink`, "m"));
  assert.match(on(1, "ip route"), /^10\.\d+\.0\.0\/24 via 10\.\d+\.0\.1 dev eth0 /m);
  assert.doesNotMatch(on(0, "ip -o link"), new RegExp(device), "the machine shares a link with each");
  const sent = (): number => Number(/TX:[^\n]*\n\s*(\d+)/.exec(on(1, `ip -s link show dev ${device}`))![1]);
  const before = sent();
  // More than one packet's worth: the tunnel's frames must fit the link.
  scratch.k(`exec ${all[2]!.name} -- sh -c 'head -c 3000000 /dev/zero > /www/big'`);
  assert.equal(scratch.k(`exec ${all[1]!.name} -- sh -c 'timeout 100 wget -qO- http://${all[2]!.ip}:5000/big | wc -c'`).trim(), "3000000");
  assert.ok(sent() > before + 1000, "it went through the tunnel");
});

test("a service's packets go through the tunnel as well, and a policy sees who sent them", async () => {
  const [, b, c] = pods();
  scratch.k("create service clusterip every --tcp=80:5000");
  await hello("the service answers", () => fetched(b!.name, "http://every"));
  const policy = (label: string): void => void scratch.k("apply -f -", JSON.stringify({ apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name: "every" }, spec: { podSelector: {}, ingress: [{ from: [{ podSelector: { matchLabels: { app: label } } }] }] } }));
  policy("nobody");
  await scratch.until("closed", () => closed(b!.name, `http://${c!.ip}:5000`));
  policy("every");
  await hello("open to the pods that are named", () => fetched(b!.name, `http://${c!.ip}:5000`));
  await hello("in IPv6 too", () => fetched(b!.name, `http://[${c!.ip6}]:5000`));
  policy("nobody");
  await scratch.until("closed in both", () => closed(b!.name, `http://${c!.ip}:5000`, `http://[${c!.ip6}]:5000`));
  scratch.k("delete networkpolicy every");
});

test("a load balancer has an address of each family, answers whichever node has the pods, and with policy Local the pods see who asks", async () => {
  const far = pods()[2]!;
  scratch.k(`label pod ${far.name} far=yes`);
  scratch.k("apply -f -", JSON.stringify({ apiVersion: "v1", kind: "Service", metadata: { name: "lb" }, spec: { type: "LoadBalancer", ipFamilyPolicy: "RequireDualStack", externalTrafficPolicy: "Local", selector: { far: "yes" }, ports: [{ port: 8097, targetPort: 5000 }] } }));
  const ips = await scratch.until("two addresses", () => { const ingress = JSON.parse(scratch.k("get service lb -o json")).status.loadBalancer.ingress?.map(({ ip }: any) => ip); return ingress?.length === 2 && ingress as string[]; });
  assert.deepEqual(ips.map(ip => ip.includes(":")), [false, true]);
  // Somebody from another network, for whom the machine is a router.
  const name = `tme2e${process.pid % 100_000}`;
  const clients = ["203.0.113.2", "2001:db8:77::2"];
  shell(`ip netns add ${name} && ip link add ${name} type veth peer name eth0 netns ${name} && ip link set ${name} up && ip address add 203.0.113.1/30 dev ${name} && ip address add 2001:db8:77::1/64 dev ${name} nodad \
    && ip -n ${name} link set eth0 up && ip -n ${name} address add 203.0.113.2/30 dev eth0 && ip -n ${name} address add 2001:db8:77::2/64 dev eth0 nodad && ip -n ${name} route add default via 203.0.113.1 && ip -n ${name} route add default via 2001:db8:77::1`);
  const outside = (url: string): string => { const { out, err } = scratch.run("ip", ["netns", "exec", name, "curl", "-sS", "-g", "-m", "5", url]); return out || err; };
  try {
    for (const [i, ip] of ips.entries()) {
      const url = `http://${ip.includes(":") ? `[${ip}]` : ip}:8097`;
      await hello(`${url} from outside`, () => outside(url));
      await scratch.until("the client's address came along", () => scratch.k(`logs ${far.name}`).includes(clients[i]!));
      await hello(`the machine itself → ${url}`, () => curl(url));
      for (const from of pods()) await hello(`${from.node} → ${url}`, () => fetched(from.name, url));
    }
    const { nodePort } = JSON.parse(scratch.k("get service lb -o json")).spec.ports[0];
    assert.doesNotMatch(outside(`http://${ips[0]}:${nodePort}`), /hello/, "a node port is for the pods of its node");
    await hello("but for the node itself", () => curl(`http://${ips[0]}:${nodePort}`));
    // From a pod through the machine to its own node: in by a port of the bridge, and out by the same.
    scratch.k("patch service lb --type=merge -p '" + JSON.stringify({ spec: { externalTrafficPolicy: "Cluster" } }) + "'");
    for (const ip of ips) await hello(`${far.node} → the machine's node port at ${ip} → ${far.node}`, () => fetched(far.name, `http://${ip.includes(":") ? `[${ip}]` : ip}:${nodePort}`));
    scratch.k("patch service lb --type=merge -p '" + JSON.stringify({ spec: { selector: { far: null, app: "every" } } }) + "'");
    await hello("policy Cluster: a node port anywhere", () => outside(`http://${ips[0]}:${nodePort}`));
    for (let i = 0; i < 6; i++) assert.equal(outside(`http://${ips[0]}:8097`), "hello v1\n");
  } finally {
    shell(`ip netns delete ${name}; ip link delete ${name} 2>/dev/null; true`);
  }
  scratch.k("delete service lb");
});

test("IPv6: pods of all nodes, services of one family and of two, names, node ports, the machine", async () => {
  const service = (name: string, spec: object): void => void scratch.k("apply -f -", JSON.stringify({ apiVersion: "v1", kind: "Service", metadata: { name }, spec: { selector: { app: "every" }, ports: [{ port: 80, targetPort: 5000 }], ...spec } }));
  service("six", { ipFamilies: ["IPv6"] });
  service("dual", { ipFamilyPolicy: "RequireDualStack", type: "NodePort" });
  const { spec } = JSON.parse(scratch.k("get service dual -o json"));
  assert.deepEqual([spec.ipFamilies, spec.clusterIPs.map((ip: string) => ip.includes(":"))], [["IPv4", "IPv6"], [false, true]]);
  for (const from of pods()) {
    for (const to of pods()) await hello(`${from.node} → ${to.node} in IPv6`, () => fetched(from.name, `http://[${to.ip6}]:5000`));
    await hello(`the IPv6 service from ${from.node}`, () => fetched(from.name, "http://six.default.svc.cluster.local"));
    for (const ip of [`[${spec.clusterIPs[1]}]`, spec.clusterIPs[0]]) await hello(`${from.node} → ${ip}`, () => fetched(from.name, `http://${ip}`));
    await scratch.until("its IPv6 address has a name", () => scratch.kubectl("exec", from.name, "--", "nslookup", "dual.default.svc.cluster.local").out.includes(spec.clusterIPs[1]));
    await hello(`the machine → ${from.node}`, () => curl(`http://[${from.ip6}]:5000`));
  }
  for (const { status } of JSON.parse(scratch.k("get nodes -o json")).items) await hello(`node port at ${status.addresses[1].address}`, () => curl(`http://[${status.addresses[1].address}]:${spec.ports[0].nodePort}`));
  scratch.k("delete service six dual");
  scratch.k("delete daemonset every");
  await scratch.until("no pods", () => pods().length === 0);
});

/** What each node holds of pods, as numbers that must come back to what they were. */
function holdings(): Readonly<Record<string, string>> {
  const { id, runFolder, podCIDR } = cluster();
  const network = podCIDR.split(".").slice(0, 2).join("[.]") + "[.]";
  return Object.fromEntries([0, ...cluster().members.map(({ index }) => index)].flatMap(index => {
    const run = index === 0 ? runFolder : `${runFolder}/n${index}`;
    const data = index === 0 ? `${scratch.dataDir}/timonier` : `${scratch.dataDir}/timonier/nodes/${index}`;
    const groups = index === 0 ? `/sys/fs/cgroup/*/timonier-${id} -path "*/nodes" -prune -o` : `/sys/fs/cgroup/*/timonier-${id}/nodes/${index}`;
    const counts: { readonly [what: string]: string } = {
      ...(index === 0 ? {} : { links: on(index, "ip -o link | grep -c veth; true"), rules: on(index, "nft list ruleset | wc -l") }),
      addresses: on(index, `ls ${run}/cni-ipam/*/ 2>/dev/null | grep -c "^10"; true`), routes: on(index, `ip route | grep -c "^${network}${index}[.].*veth"; true`),
      mounts: on(index, `grep -c -E "${run}/containerd/|${data}/pods" /proc/self/mountinfo; true`), netns: on(index, `ls ${run}/containerd/io.containerd.grpc.v1.cri/netns ${run}/netns 2>/dev/null | grep -c cni; true`),
      cgroups: on(index, `find ${groups} -type d -name "pod*" -print 2>/dev/null | wc -l`), folders: on(index, `ls ${data}/pods ${data}/logs/pods ${run}/volumes 2>/dev/null | grep -c -E "^[^/]*[-_]"; true`),
      shims: on(index, `pgrep -f "[c]ontainerd-shim.*-address ${run}/containerd.sock" | wc -l`),
    };
    return Object.entries(counts).map(([what, count]) => [`${what} on node ${index}`, count]);
  }));
}

const held = (): readonly (readonly [string, string])[] => Object.entries(holdings()).filter(([what, count]) => !what.startsWith("rules") && count !== "0");
async function nothingLeft(what: string): Promise<void> {
  let left = held();
  for (const end = performance.now() + 180_000; left.length > 0 && performance.now() < end; left = held()) await new Promise(done => setTimeout(done, 500));
  assert.deepEqual(left, [], `nothing is left ${what}`);
}

test(`${podsInAll} pods made and deleted, agents killed meanwhile: no address, namespace, interface, rule, mount, cgroup or folder is left`, async () => {
  await nothingLeft("of the pods before");
  const rulesNow = (): string => JSON.stringify(Object.entries(holdings()).filter(([what]) => what.startsWith("rules")));
  const rules = rulesNow();
  const batch = 50;
  let killed = 0;
  const killAgent = (index: number): void => {
    const pid = scratch.pidOf(index);
    if (pid > 0 && spawnSync("kill", ["-9", String(pid)]).status === 0) killed++;
  };
  for (let done = 0; done < podsInAll; done += batch) {
    const count = Math.min(batch, podsInAll - done);
    scratch.k("apply -f -", JSON.stringify({ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: `many-${done}` }, spec: {
      replicas: count, selector: { matchLabels: { app: `many-${done}` } },
      template: { metadata: { labels: { app: `many-${done}` } }, spec: {
        topologySpreadConstraints: [{ maxSkew: 1, topologyKey: "kubernetes.io/hostname", whenUnsatisfiable: "ScheduleAnyway", labelSelector: { matchLabels: { app: `many-${done}` } } }],
        terminationGracePeriodSeconds: 0, containers: [{ name: "a", image: image("busybox:1"), command: ["sleep", "3600"], ports: [{ containerPort: 80 }] }],
      } },
    } }));
    // At moments that no code chose: while pods come up, and while they go down.
    await scratch.until("some run", () => pods().filter(({ ready }) => ready).length > count / 4, 120);
    killAgent((done / batch) % 3);
    await scratch.until("most run", () => pods().filter(({ ready }) => ready).length > (count * 3) / 4, 120);
    scratch.k(`delete deployment many-${done} --wait=false`);
    killAgent((done / batch + 1) % 3);
    await scratch.until("all are gone", () => pods().length === 0, 120);
  }
  assert.ok(killed >= 2, `agents were killed ${killed} times`);
  await nothingLeft("of so many pods");
  await scratch.says("the rules are as before", rules, rulesNow);
});
