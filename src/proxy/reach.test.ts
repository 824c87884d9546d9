import assert from "node:assert/strict";
import { test } from "node:test";
import type { Node } from "../kinds/core/node.ts";
import type { Pod } from "../kinds/core/pod.ts";
import type { Service } from "../kinds/core/service.ts";
import type { EndpointSlice } from "../kinds/discovery/endpointslice.ts";
import type { NetworkPolicy } from "../kinds/networking/networkpolicy.ts";
import { reach, UnknownObject, type ReachWorld } from "./reach.ts";

/** `name ip app=web [ready|pending|done] [host] [port=name:80] [ns=x]` */
function pod(text: string): Pod {
  const [name = "", ip = "", ...words] = text.split(" ");
  const option = (key: string): string | undefined => words.find(word => word.startsWith(`${key}=`))?.slice(key.length + 1);
  const state = words.find(word => ["pending", "unready", "done"].includes(word)) ?? "ready";
  const [portName, number] = option("port")?.split(":") ?? [];
  return {
    metadata: { name, namespace: option("ns") ?? "d", labels: { app: option("app") ?? name } },
    spec: { nodeName: option("node") ?? "n1", hostNetwork: words.includes("host"), containers: [{ name: "c", ports: portName === undefined ? [] : [{ name: portName, containerPort: Number(number), protocol: "TCP" }] }] },
    status: { phase: state === "pending" ? "Pending" : state === "done" ? "Succeeded" : "Running", podIPs: ip === "-" ? [] : [{ ip }], conditions: [{ type: "Ready", status: state === "ready" ? "True" : "False", reason: "ContainersNotReady" }], ...(state === "pending" ? { containerStatuses: [{ state: { waiting: { reason: "ImagePullBackOff" } } }] } : {}) },
  } as unknown as Pod;
}
const service = (name: string, ip: string, spec: object = {}): Service => ({ metadata: { name, namespace: "d" }, spec: { type: "ClusterIP", clusterIP: ip, clusterIPs: [ip], selector: { app: name }, ports: [{ name: "http", port: 80, targetPort: 8080, protocol: "TCP" }], ...spec }, status: { loadBalancer: {} } }) as unknown as Service;
const slice = (name: string, ...ips: string[]): EndpointSlice => ({ metadata: { name, namespace: "d", labels: { "kubernetes.io/service-name": name } }, addressType: "IPv4", ports: [{ name: "http", port: 8080, protocol: "TCP" }], endpoints: ips.map(text => ({ addresses: [text.split("@")[0]], nodeName: text.split("@")[1] ?? "n1", conditions: { ready: true, serving: true } })) }) as unknown as EndpointSlice;
const policy = (name: string, spec: object, namespace = "d"): NetworkPolicy => ({ metadata: { name, namespace }, spec: { policyTypes: ["Ingress"], podSelector: {}, ...spec } }) as unknown as NetworkPolicy;

const base: ReachWorld = {
  services: [service("web", "10.96.0.5")], slices: [slice("web", "10.0.0.2")], pods: [pod("box 10.0.0.1"), pod("web 10.0.0.2"), pod("far 10.0.1.9 ns=other node=n2")],
  nodes: [{ metadata: { name: "n1" }, status: { addresses: [{ type: "InternalIP", address: "192.0.2.7" }] } } as unknown as Node], namespaces: new Map([["d", { "kubernetes.io/metadata.name": "d" }], ["other", { "kubernetes.io/metadata.name": "other" }]]), policies: [],
  serviceRanges: ["10.96.0.0/16"], dns: "10.96.0.10",
  lookUp: async name => {
    const found = /^(\w+)\.(\w+)\.svc\.c\.local$/.exec(name);
    if (!name.endsWith("c.local")) return "elsewhere";
    if (found?.[1] === "alias") return { alias: "example.org", addresses: [] };
    return found?.[2] === "d" && found[1] === "web" ? { addresses: ["10.96.0.5"] } : found?.[2] === "d" && found[1] === "bare" ? { addresses: [] } : "missing";
  },
  resolverOf: client => (client === undefined ? { servers: ["9.9.9.9"], searches: [], ndots: 1 } : { servers: ["10.96.0.10"], searches: [`${client.metadata.namespace}.svc.c.local`, "svc.c.local", "c.local"], ndots: 5 }),
};
/** The machine `n1` and another node, each with the pods that say so; `far` is of the other one. */
const two: Partial<ReachWorld> = {
  nodes: [["n1", "192.0.2.7", "192.0.2.7/24,10.95.0.1/24"], ["n2", "10.95.0.11", "10.95.0.11/24"]].map(([name, address, links], i) => ({ metadata: { name, annotations: { "timonier.io/links": links } }, spec: { podCIDRs: [`10.0.${i}.0/24`] }, status: { addresses: [{ type: "InternalIP", address }] } }) as unknown as Node),
  services: [service("web", "10.96.0.5", { type: "NodePort", ports: [{ name: "http", port: 80, nodePort: 30_080, protocol: "TCP" }] })], slices: [slice("web", "10.0.1.2@n2")],
  pods: [pod("box 10.0.0.1 app=friend"), pod("web 10.0.1.2 node=n2"), pod("near 10.0.1.3 app=friend node=n2"), pod("onhost 192.0.2.7 host"), pod("onother 10.95.0.11 host node=n2")],
};
const local = { services: [service("web", "10.96.0.5", { type: "NodePort", externalTrafficPolicy: "Local", ports: [{ name: "http", port: 80, nodePort: 30_080, protocol: "TCP" }] })] };
const friends = policy("friends", { podSelector: { matchLabels: { app: "web" } }, ingress: [{ from: [{ podSelector: { matchLabels: { app: "friend" } } }], ports: [{ port: 8080 }] }] });

const cases: readonly (readonly [string, Partial<ReachWorld>, string, "Yes" | "No" | "Sometimes", RegExp])[] = [
  ["a service's name leads to its endpoints", {}, "box web:80", "Yes", /DNS web\.d\.svc\.c\.local is 10\.96\.0\.5.*Service d\/web sends 10\.96\.0\.5:80 to 1 endpoint: 10\.0\.0\.2:8080 \(Pod web\)/],
  ["a name of another namespace does not exist without it", {}, "other/far web:80", "No", /no such name: web\.other\.svc\.c\.local.*use web\.d/],
  ["but does with it", {}, "other/far web.d:80", "Yes", /DNS web\.d\.svc\.c\.local/],
  ["the machine does not ask the cluster's name server", {}, "host web:80", "No", /host asks 9\.9\.9\.9 for names.*dig @10\.96\.0\.10/],
  ["but reaches services by address", {}, "host svc/web:80", "Yes", /never blocked/],
  ["a pod's name is no DNS name", {}, "box box:80", "No", /kubectl expose pod box/],
  ["a port that the service does not have", {}, "box web:81", "No", /has no port 81\/TCP: it has 80\/TCP \(http\)/],
  ["a service that is left to another proxy", { services: [{ ...service("web", "10.96.0.5"), metadata: { namespace: "d", name: "web", labels: { "service.kubernetes.io/service-proxy-name": "other" } } } as unknown as Service] }, "box web:80", "No", /left to others by its label service\.kubernetes\.io\/service-proxy-name/],
  ["a port by name", {}, "box svc/web:http", "Yes", /10\.96\.0\.5:80/],
  ["a port by a name that is none", {}, "box svc/web:grpc", "No", /"grpc" is no number and no name/],
  ["an address that no service has", {}, "box 10.96.9.9:80", "No", /no service has it/],
  ["a selector that selects nobody", { services: [service("web", "10.96.0.5", { selector: { app: "wbe" } })], slices: [slice("web")] }, "box web:80", "No", /no pod in namespace d has the labels of Service d\/web's selector app=wbe; Pod box, for instance, has app=box/],
  ["pods that are not ready", { slices: [slice("web")], pods: [pod("box 10.0.0.1"), pod("web - pending")] }, "box web:80", "No", /none of the 1 pods.*web is Pending \(ImagePullBackOff\)/],
  ["a named target port that no pod has", { services: [service("web", "10.96.0.5", { ports: [{ name: "http", port: 80, targetPort: "htpp", protocol: "TCP" }] })], slices: [slice("web")], pods: [pod("box 10.0.0.1"), pod("web 10.0.0.2 port=http:8080")] }, "box web:80", "No", /port named "htpp", which none of its pods has: they have http/],
  ["a service without a selector", { services: [service("web", "10.96.0.5", { selector: undefined })], slices: [] }, "box web:80", "No", /has no selector, and nobody has listed endpoints/],
  ["endpoints of this node only", { services: [service("web", "10.96.0.5", { internalTrafficPolicy: "Local" })], slices: [slice("web", "10.0.1.2@n2")] }, "box web:80", "No", /none of its 1 endpoints is on node n1/],
  ["a load balancer lets only some in", { services: [{ ...service("web", "10.96.0.5", { type: "LoadBalancer", loadBalancerSourceRanges: ["172.16.0.0/12"] }), status: { loadBalancer: { ingress: [{ ip: "192.0.2.9" }] } } } as unknown as Service] }, "box 192.0.2.9:80", "No", /lets only 172\.16\.0\.0\/12 in through 192\.0\.2\.9/],
  ["a node port", { services: [service("web", "10.96.0.5", { type: "NodePort", ports: [{ name: "http", port: 80, nodePort: 30_080, protocol: "TCP" }] })] }, "host 192.0.2.7:30080", "Yes", /sends node port 30080/],
  ["a policy that lets others in", { policies: [friends] }, "box web:80", "No", /NetworkPolicy d\/friends isolates Pod d\/web for ingress: rule 1 is for other peers.*"podSelector":\{"matchLabels":\{"app":"box"\}\}/],
  ["policies do not hold for the node", { policies: [friends] }, "host svc/web:80", "Yes", /never blocked/],
  ["policies do not hold for the machine on other nodes", { ...two, policies: [friends] }, "host svc/web:80", "Yes", /what the machine itself sends is never blocked/],
  ["nor for pods on its network", { ...two, policies: [friends] }, "onhost pod/web:8080", "Yes", /what the machine itself sends is never blocked/],
  ["nor for the pod's own node", { ...two, policies: [friends] }, "onother pod/web:8080", "Yes", /what a node itself sends/],
  ["but for other nodes", { ...two, policies: [friends], pods: [pod("web 10.0.0.2"), pod("onother 10.95.0.11 host node=n2")], slices: [slice("web", "10.0.0.2")] }, "onother pod/web:8080", "No", /may not enter Pod d\/web.*"cidr":"10\.95\.0\.11\/32"/],
  ["what a node port passes on to another node comes from the node that has it", { ...two, policies: [friends] }, "box 192.0.2.7:30080", "No", /Pod d\/box \(as 10\.95\.0\.1, a node's address\) may not enter/],
  ["but not the node's own, which keeps its address", { ...two, policies: [friends] }, "host 192.0.2.7:30080", "Yes", /the machine itself sends/],
  ["what reaches another node's port comes from the client's node", { ...two, policies: [friends] }, "box 10.95.0.11:30080", "No", /Pod d\/box \(as 10\.95\.0\.1, /],
  ["a pod's own node does not hide it", { ...two, policies: [friends] }, "near 10.95.0.11:30080", "Yes", /lets Pod d\/near in/],
  ["going out by another node's port is judged by that port", { ...two, policies: [policy("out", { policyTypes: ["Egress"], podSelector: { matchLabels: { app: "friend" } }, egress: [{ to: [{ ipBlock: { cidr: "10.95.0.11/32" } }], ports: [{ port: 30_080 }] }] })] }, "box 10.95.0.11:30080", "Yes", /d\/out lets Pod d\/box out/],
  ["a node port for its own node's pods", { ...two, ...local, slices: [slice("web", "10.0.0.2@n1")], pods: [pod("box 10.0.0.1"), pod("web 10.0.0.2")] }, "box 10.95.0.11:30080", "No", /none of its 1 endpoints is on node n2, and spec\.externalTrafficPolicy is Local/],
  ["that pods of the node use for all", { ...two, ...local }, "box 192.0.2.7:30080", "Yes", /to 1 endpoint/],
  ["a policy that lets the client in", { policies: [friends], pods: [pod("box 10.0.0.1 app=friend"), pod("web 10.0.0.2")] }, "box web:80", "Yes", /NetworkPolicy d\/friends lets Pod d\/box in/],
  ["but only on its port", { policies: [friends], pods: [pod("box 10.0.0.1 app=friend"), pod("web 10.0.0.2")] }, "box pod/web:9090", "No", /rule 1 is for other ports/],
  ["a policy that lets nothing out, not even a question", { policies: [policy("mute", { policyTypes: ["Egress"], podSelector: { matchLabels: { app: "box" } } })] }, "box web:80", "No", /DNS Pod d\/box may not ask the name server: NetworkPolicy d\/mute isolates Pod d\/box for egress: it has no egress rules/],
  ["the outside world, by address", { policies: [policy("in", { policyTypes: ["Egress"], egress: [{ to: [{ ipBlock: { cidr: "10.0.0.0/8" } }] }] })] }, "box 8.8.8.8:53", "No", /isolates Pod d\/box for egress: rule 1 is for other peers.*"ipBlock":\{"cidr":"8\.8\.8\.8\/32"\}/],
  ["some endpoints and not others", { slices: [slice("web", "10.0.0.2", "10.0.0.3")], pods: [pod("box 10.0.0.1"), pod("web 10.0.0.2"), pod("web2 10.0.0.3 app=web2")], policies: [friends] }, "box web:80", "Sometimes", /may not enter Pod d\/web/],
  ["a client that has not started", { pods: [pod("box - pending")] }, "box web:80", "No", /Pod d\/box has no address yet: Pending \(ImagePullBackOff\)/],
  ["a server that has ended", { pods: [pod("box 10.0.0.1"), pod("job 10.0.0.4 done")] }, "box pod/job:80", "No", /Pod d\/job has no address: Succeeded/],
  ["an alias of the outside", {}, "box alias:80", "No", /is an alias of example\.org/],
  ["a headless service without endpoints", { services: [service("bare", "None")], slices: [] }, "box bare:80", "No", /exists and has no address: no pod in namespace d/],
  ["a port that no container names", { pods: [pod("box 10.0.0.1"), pod("web 10.0.0.2 port=http:8080")] }, "box pod/web:9090", "Yes", /must listen on port 9090\/TCP; its containers name only 8080\/TCP/],
];
for (const [what, change, question, reachable, words] of cases)
  test(`why not: ${what}`, async () => {
    const [client = "", target = ""] = question.split(" ");
    const [, server = "", port = ""] = /^(.+):(\w+)$/.exec(target) ?? [];
    const answer = await reach({ client, server, port, protocol: "TCP", namespace: "d" }, { ...base, ...change });
    const text = answer.steps.map(step => `${step.step} ${step.detail} ${step.change ?? ""}`).join(" | ");
    assert.equal(answer.reachable, reachable, text);
    assert.match(text, words);
  });

test("why not: a client that is not there is an error, not an answer", async () => {
  await assert.rejects(reach({ client: "nobody", server: "web", port: "80", protocol: "TCP", namespace: "d" }, base), (error: Error) => error instanceof UnknownObject && error.message === 'pods "nobody" not found in namespace "d"');
});
