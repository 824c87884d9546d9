/** Network policies between real pods, of one node and of several: in, out, by port, by name, through a service, and lifted again. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { image, Scratch, type Node } from "./harness.ts";

const scratch = new Scratch();
let nodes: readonly Node[] = [];
before(async () => {
  await scratch.registry();
  nodes = await scratch.up();
});
after(async () => {
  const result = scratch.timonier("delete");
  assert.equal(result.code, 0, result.err);
  await scratch.close();
});

const policy = (name: string, spec: object): void => void scratch.k("apply -f -", JSON.stringify({ apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name }, spec }));
const pod = (name: string, place: number, spec: object = {}): void => void scratch.k("create -f -", JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata: { name, labels: { app: name.split("-")[0] } }, spec: { nodeName: nodes[place % nodes.length]!.name, terminationGracePeriodSeconds: 1, containers: [{ name: "a", image: image("busybox:1"), command: ["sleep", "3600"] }], ...spec } }));
const asks = async (who: string, url: string): Promise<"answered" | "blocked"> => {
  const running = scratch.startKubectl(`exec ${who} -- timeout 2 wget -qO- ${url}`);
  await running.ended();
  return running.out.includes("hello") ? "answered" : "blocked";
};
/** One of each on the server's node, and one on another. */
const friends = ["friend-1", "friend-2"], foes = ["foe-1", "foe-2"];
/** Rules follow a change within moments: what is wanted must become true, and be true, for all at once. */
const settles = (what: string, friend: "answered" | "blocked", foe: "answered" | "blocked", url = "http://web"): Promise<unknown> => {
  const all = [...friends, ...foes], want = [...friends.map(() => friend), ...foes.map(() => foe)].join();
  return scratch.until(what, async () => (await Promise.all(all.map(who => asks(who, url)))).join() === want);
};

test("policies let in whom they name, and nobody else", async () => {
  pod("web", 1, { containers: [{ name: "a", image: image("hello:v1"), ports: [{ name: "http", containerPort: 5000 }] }] });
  for (const names of [friends, foes]) for (const [i, name] of names.entries()) pod(name, 1 + i);
  pod("onnode", 1, { hostNetwork: true });
  scratch.k("expose pod web --port=80 --target-port=5000");
  scratch.k("wait pod --all --for=condition=Ready --timeout=120s");
  await settles("without policies all may", "answered", "answered");
  policy("deny", { podSelector: {} });
  await settles("a default deny holds", "blocked", "blocked");
  policy("friends", { podSelector: { matchLabels: { app: "web" } }, ingress: [{ from: [{ podSelector: { matchLabels: { app: "friend" } } }], ports: [{ port: "http" }] }] });
  await settles("one is let in", "answered", "blocked");
  policy("mute", { podSelector: { matchLabels: { app: "friend" } }, policyTypes: ["Egress"] });
  await settles("nothing goes out", "blocked", "blocked");
  await Promise.all(friends.map(async friend => {
    const looking = scratch.startKubectl(`exec ${friend} -- timeout 12 nslookup web.default.svc.cluster.local`);
    await looking.ended();
    assert.match(looking.out, /no servers could be reached|timed out/, "not even for a name");
  }));
  policy("mute", { podSelector: { matchLabels: { app: "friend" } }, policyTypes: ["Egress"], egress: [{ to: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } }, podSelector: { matchLabels: { "k8s-app": "kube-dns" } } }], ports: [{ port: 53, protocol: "UDP" }] }, { to: [{ podSelector: { matchLabels: { app: "web" } } }] }] });
  await settles("names and the web server are let out", "answered", "blocked");
  const { podIP } = JSON.parse(scratch.k("get pod web -o json")).status;
  const { spec: { clusterIP } } = JSON.parse(scratch.k("get service web -o json"));
  await scratch.says("the pod's node always gets through", "answered", () => asks("onnode", `http://${podIP}:5000`));
  for (const url of [`http://${podIP}:5000/`, `http://${clusterIP}/`]) assert.equal(await fetch(url, { signal: AbortSignal.timeout(30_000) }).then(answer => answer.text()), "hello v1\n", "so does the machine, whose are the API server and the ingress proxy");
  assert.equal(scratch.k("get --raw /api/v1/namespaces/default/services/web:80/proxy/"), "hello v1\n");
  // What the machine only passes on is not its own.
  scratch.k("patch service web -p '{\"spec\":{\"type\":\"NodePort\"}}'");
  const { spec: { ports: [{ nodePort }] } } = JSON.parse(scratch.k("get service web -o json"));
  for (const foe of foes) assert.equal(await asks(foe, `http://${nodes[0]!.ip}:${nodePort}`), "blocked", `${foe} by way of the machine's node port`);
  scratch.k("delete networkpolicy --all");
  await settles("lifted again", "answered", "answered");
  await settles("also by way of the machine's node port", "answered", "answered", `http://${nodes[0]!.ip}:${nodePort}`);
});

test("a pod is restricted before its first packet", async () => {
  policy("sealed", { podSelector: { matchLabels: { app: "sealed" } }, policyTypes: ["Egress"] });
  const ip = JSON.parse(scratch.k("get pod web -o json")).status.podIP as string;
  for (let i = 0; i < 6; i++) pod(`sealed-${i}`, i, { restartPolicy: "Never", containers: [{ name: "a", image: image("busybox:1"), command: ["sh", "-c", `timeout 2 wget -qO- http://${ip}:5000; true`] }] });
  await scratch.until("all have ended", () => JSON.parse(scratch.k("get pods -l app=sealed -o json")).items.every((each: { status: { phase: string } }) => ["Succeeded", "Failed"].includes(each.status.phase)));
  for (let i = 0; i < 6; i++) assert.doesNotMatch(scratch.k(`logs sealed-${i}`), /hello/);
});
