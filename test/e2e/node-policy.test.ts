/** Network policies between real pods: in, out, by port, by name, through a service, and lifted again. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { image, Scratch } from "./harness.ts";

const scratch = new Scratch();
before(async () => {
  await scratch.registry();
  const result = scratch.timonier("up", "--service-cidr", "10.113.0.0/16");
  assert.equal(result.code, 0, result.err + result.out);
  await scratch.until("the default service account", () => scratch.kubectl("get", "serviceaccount", "default").code === 0);
});
after(async () => {
  const result = scratch.timonier("delete");
  assert.equal(result.code, 0, result.err);
  await scratch.close();
});

const policy = (name: string, spec: object): void => void scratch.k("apply -f -", JSON.stringify({ apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name }, spec }));
const asks = (who: string, url = "http://web"): string => {
  const { out } = scratch.kubectl("exec", who, "--", "timeout", "2", "wget", "-qO-", url);
  return out.includes("hello") ? "answered" : "blocked";
};
/** Rules follow a change within moments: what is wanted must become true, and be true. */
const settles = (what: string, want: readonly string[], ask: () => readonly string[]): Promise<unknown> => scratch.until(what, () => want.every((each, i) => ask()[i] === each), 30);

test("policies let in whom they name, and nobody else", async () => {
  for (const [name, spec] of [["web", { containers: [{ name: "a", image: image("hello:v1"), ports: [{ name: "http", containerPort: 5000 }] }] }], ["friend", undefined], ["foe", undefined]] as const)
    scratch.k("create -f -", JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata: { name, labels: { app: name } }, spec: { terminationGracePeriodSeconds: 1, ...(spec ?? { containers: [{ name: "a", image: image("busybox:1"), command: ["sleep", "3600"] }] }) } }));
  scratch.k("expose pod web --port=80 --target-port=5000");
  scratch.k("wait pod --all --for=condition=Ready --timeout=60s");
  const both = (): readonly string[] => [asks("friend"), asks("foe")];
  await settles("without policies all may", ["answered", "answered"], both);
  policy("deny", { podSelector: {} });
  await settles("a default deny holds", ["blocked", "blocked"], both);
  policy("friends", { podSelector: { matchLabels: { app: "web" } }, ingress: [{ from: [{ podSelector: { matchLabels: { app: "friend" } } }], ports: [{ port: "http" }] }] });
  await settles("one is let in", ["answered", "blocked"], both);
  policy("mute", { podSelector: { matchLabels: { app: "friend" } }, policyTypes: ["Egress"] });
  await settles("nothing goes out", ["blocked", "blocked"], both);
  assert.match(scratch.kubectl("exec", "friend", "--", "timeout", "15", "nslookup", "web.default.svc.cluster.local").out, /no servers could be reached|timed out/, "not even for a name");
  policy("mute", { podSelector: { matchLabels: { app: "friend" } }, policyTypes: ["Egress"], egress: [{ to: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } }, podSelector: { matchLabels: { "k8s-app": "kube-dns" } } }], ports: [{ port: 53, protocol: "UDP" }] }, { to: [{ podSelector: { matchLabels: { app: "web" } } }] }] });
  await settles("names and the web server are let out", ["answered", "blocked"], both);
  const ip = JSON.parse(scratch.k("get pod web -o json")).status.podIP as string;
  assert.equal(await fetch(`http://${ip}:5000/`).then(answer => answer.text()), "hello v1\n", "the node itself always gets through");
  scratch.k("delete networkpolicy --all");
  await settles("lifted again", ["answered", "answered"], both);
});

test("a pod is restricted before its first packet", async () => {
  policy("sealed", { podSelector: { matchLabels: { app: "sealed" } }, policyTypes: ["Egress"] });
  const ip = JSON.parse(scratch.k("get pod web -o json")).status.podIP as string;
  for (let i = 0; i < 5; i++) scratch.k("create -f -", JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata: { name: `sealed-${i}`, labels: { app: "sealed" } }, spec: { restartPolicy: "Never", containers: [{ name: "a", image: image("busybox:1"), command: ["sh", "-c", `timeout 2 wget -qO- http://${ip}:5000; true`] }] } }));
  await scratch.until("all have ended", () => JSON.parse(scratch.k("get pods -l app=sealed -o json")).items.every((pod: { status: { phase: string } }) => ["Succeeded", "Failed"].includes(pod.status.phase)));
  for (let i = 0; i < 5; i++) assert.doesNotMatch(scratch.k(`logs sealed-${i}`), /hello/);
});
