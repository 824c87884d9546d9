/** Services on real containers: every kind of them, from pods of the same and of other nodes and from the machine, with the image `net:1`. */
import assert from "node:assert/strict";
import { request } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pushNetImage } from "../../tools/images/net.ts";
import { testAuthority } from "../certificates.ts";
import { image, Scratch, type Node } from "./harness.ts";

const scratch = new Scratch();
const pool = "10.231.77.0/29";
/** The machine first; then one with the client `box` and `web-1`; `web-2` is on the last. With one node all three are the same. */
let nodes: readonly Node[] = [];
let onHosts: readonly string[] = [];
const first = (): Node => nodes[0]!, last = (): Node => nodes.at(-1)!;
const webs = [["web-1", 1], ["web-2", 2]] as const;
let net = "";
before(async () => {
  Scratch.packages("gcc", "libc6-dev", "musl-tools");
  await scratch.registry();
  net = await pushNetImage("127.0.0.1:5000", join(tmpdir(), "timonier-registry", "debs"));
  // Ports of its own: while the server is killed, another cluster on this machine could take the usual ones.
  nodes = await scratch.up("--port", "17444", "--node-port", "17251", "--lb-pool", pool);
  for (const [name, place] of webs) run(name, { app: "web" }, ["serve", "tcp:80", "udp:80", "tcp:81"], on(place));
  run("box", { app: "box" }, ["serve", "tcp:80", "udp:80"], on(1));
  onHosts = nodes.map((_, i) => `onhost-${i}`);
  for (const [i, name] of onHosts.entries()) run(name, { app: "onhost" }, ["serve", "tcp:31999"], { hostNetwork: true, dnsPolicy: "ClusterFirstWithHostNet", ...on(i) });
  scratch.k("wait pod --all --for=condition=Ready --timeout=120s");
});
after(async () => {
  const result = scratch.timonier("delete");
  assert.equal(result.code, 0, result.err);
  await scratch.close();
});

/** The nth node, as a pod's place. */
const on = (place: number): { readonly nodeName: string } => ({ nodeName: nodes[place % nodes.length]!.name });
/** The web pods of a node, as `who` writes them. */
const websOf = (place: number): string => webs.filter(([, its]) => on(its).nodeName === on(place).nodeName).map(([name]) => name).join(" ");
function apply(object: object): void {
  scratch.k("apply -f -", JSON.stringify(object));
}
function run(name: string, labels: object, args: readonly string[], more: object = {}): void {
  apply({ apiVersion: "v1", kind: "Pod", metadata: { name, labels }, spec: { terminationGracePeriodSeconds: 1, containers: [{ name: "c", image: image("net:1"), args }], ...more } });
}
function service(name: string, spec: object): void {
  apply({ apiVersion: "v1", kind: "Service", metadata: { name }, spec: { selector: { app: "web" }, ports: [{ name: "http", port: 80 }], ...spec } });
}
/** Objects of a kind, by selector or all. */
const get = (kind: string, selector: string): any[] => JSON.parse(scratch.k(`get ${kind} ${selector} -o json`)).items;
const one = (kind: string, name: string): any => JSON.parse(scratch.k(`get ${kind} ${name} -o json`));
/** What `net ask` prints, from a pod or from the machine (`host`): one line an answer. */
function ask(from: string, kind: "tcp" | "udp", host: string, port: number, times = 1): readonly string[] {
  const args = ["ask", kind, host, String(port), String(times)];
  const { out, err } = from === "host" ? scratch.run(net, args) : scratch.kubectl("exec", from, "--", "net", ...args);
  return (out || err).trim().split("\n");
}
const who = (lines: readonly string[]): string => [...new Set(lines.map(line => line.split(" ")[0]))].sort().join(" ");
const answers = (what: string, want: string, asks: () => readonly string[]): Promise<void> => scratch.says(what, want, () => who(asks()));
const both = "web-1 web-2";

test("the API server's own service is there, in every form, and leads to it", async () => {
  assert.ok(get("services", "-A").some(({ metadata }) => metadata.namespace === "default" && metadata.name === "kubernetes"));
  assert.deepEqual(one("service", "kubernetes").spec.ports.map(({ name, port, protocol }: any) => [name, port, protocol]), [["https", 443, "TCP"]]);
  const slices = await scratch.until("its slice", () => { const found = get("endpointslices", "-l kubernetes.io/service-name=kubernetes"); return found.length > 0 && found; });
  const { subsets } = one("endpoints", "kubernetes");
  const places = subsets.flatMap((each: any) => each.addresses.map(({ ip }: any) => `${ip}:${each.ports[0].port}`));
  assert.deepEqual(slices.flatMap(({ endpoints, ports }) => endpoints.map((each: any) => `${each.addresses[0]}:${ports[0].port}`)), places);
  assert.equal(places.length, 1);
  for (const place of [one("service", "kubernetes").spec.clusterIP, places[0]]) await scratch.until(`${place} leads to it`, () => /"major": "1"/.test(scratch.curl("-k", "-m", "20", `https://${place}/version`)));
});

test("pods, pods on the node's network and the machine reach every pod over TCP and UDP", async () => {
  for (const name of ["web-1", "web-2", "box"]) {
    const ip = one("pod", name).status.podIP as string;
    for (const from of ["box", "web-1", ...onHosts, "host"]) for (const kind of ["tcp", "udp"] as const) await answers(`${from} to ${name} over ${kind}`, name, () => ask(from, kind, ip, 80));
    await scratch.says("a pod is seen with its own address", `${name} ${one("pod", "box").status.podIP}`, () => ask("box", "tcp", ip, 80)[0]!);
  }
});

test("a pod sends under its own addresses only", async () => {
  const heard = (): readonly string[] => scratch.k("logs web-2").split("\n").filter(line => line.startsWith("heard ")).map(line => line.slice(6));
  const box = one("pod", "box").status.podIPs.map(({ ip }: any) => ip) as string[];
  const webOne = one("pod", "web-1").status.podIPs.map(({ ip }: any) => ip) as string[];
  for (const [i, { ip: target }] of one("pod", "web-2").status.podIPs.entries()) {
    // Another pod's, the machine's, one of the world's, and last its own: what is heard of it has been sent after all the others.
    const others = [webOne[i]!, ...(target.includes(":") ? ["2001:db8::7"] : [first().ip, "203.0.113.7"])];
    for (const address of [...others, box[i]!]) scratch.k(`exec box -- net as ${address} ${target} 80`);
    await scratch.until("its own is heard", () => heard().includes(box[i]!), 10);
  }
  assert.deepEqual(heard().filter(address => !box.includes(address)), []);
});

test("a service's endpoints, old and new form, follow its pods, and traffic follows them", async () => {
  service("empty", { selector: { app: "nobody" } });
  service("basic", { selector: { set: "basic" } });
  await scratch.until("an empty slice and empty endpoints", () => get("endpointslices", "-l kubernetes.io/service-name=empty").length === 1 && one("endpoints", "empty").subsets === undefined);
  assert.deepEqual(ask("box", "tcp", one("service", "empty").spec.clusterIP, 80), ["refused"], "nobody serves: refused at once");
  run("one", { set: "basic" }, ["serve", "tcp:80"]);
  await answers("one pod", "one", () => ask("box", "tcp", "basic", 80));
  run("two", { set: "basic" }, ["serve", "tcp:80"]);
  await answers("two pods", "one two", () => ask("box", "tcp", "basic", 80, 12));
  // Traffic follows the slices; each form has a controller of its own.
  await scratch.says("Endpoints", "one two", () => (one("endpoints", "basic").subsets ?? []).flatMap((each: any) => (each.addresses ?? []).map((address: any) => address.targetRef.name)).sort().join(" "));
  assert.deepEqual(get("endpointslices", "-l kubernetes.io/service-name=basic").flatMap(({ endpoints }) => endpoints.map((each: any) => each.targetRef.name)).sort(), ["one", "two"]);
  scratch.k("delete pod one");
  await answers("the other pod", "two", () => ask("box", "tcp", "basic", 80, 6));
  scratch.k("label pod two set-");
  await scratch.until("nobody", () => ask("box", "tcp", one("service", "basic").spec.clusterIP, 80)[0] === "refused");
  scratch.k("delete service basic empty");
  await scratch.until("no endpoints without a service", () => get("endpointslices", "-l kubernetes.io/service-name=basic").length === 0 && scratch.kubectl("get", "endpoints", "basic").code !== 0);
  scratch.k("delete pod two");
});

test("a service of several ports has for each the pods that have it", async () => {
  service("multi", { selector: { multi: "yes" }, ports: [{ name: "a", port: 80, targetPort: "porta" }, { name: "b", port: 81, targetPort: "portb" }] });
  const withPort = (name: string, port: string, number: number): void => apply({ apiVersion: "v1", kind: "Pod", metadata: { name, labels: { multi: "yes" } }, spec: { terminationGracePeriodSeconds: 1, containers: [{ name: "c", image: image("net:1"), args: ["serve", `tcp:${number}`], ports: [{ name: port, containerPort: number }] }] } });
  withPort("only-a", "porta", 100);
  withPort("only-b", "portb", 101);
  await answers("port a", "only-a", () => ask("box", "tcp", "multi", 80, 4));
  await answers("port b", "only-b", () => ask("box", "tcp", "multi", 81, 4));
  scratch.k("delete pod only-a");
  await scratch.until("port a is nobody's", () => ask("box", "tcp", one("service", "multi").spec.clusterIP, 80)[0] === "refused");
  await answers("port b still", "only-b", () => ask("box", "tcp", "multi", 81));
  scratch.k("delete pod only-b");
  scratch.k("delete service multi");
});

test("one port number serves TCP and UDP, and either can be taken away alone", async () => {
  const ports = (...protocols: string[]): object => ({ ports: protocols.map(protocol => ({ name: protocol.toLowerCase(), port: 80, protocol })) });
  service("mixed", ports("TCP", "UDP"));
  await answers("TCP", both, () => ask("box", "tcp", "mixed", 80, 12));
  await answers("UDP", both, () => ask("box", "udp", "mixed", 80, 12));
  const replace = (spec: object): void => void scratch.k("patch service mixed --type=merge -p '" + JSON.stringify({ spec }) + "'");
  replace(ports("UDP"));
  await scratch.until("TCP is gone", () => ask("box", "tcp", one("service", "mixed").spec.clusterIP, 80)[0] === "refused");
  await answers("UDP alone", both, () => ask("box", "udp", "mixed", 80, 12));
  replace(ports("TCP"));
  await scratch.until("UDP is gone", () => ask("box", "udp", one("service", "mixed").spec.clusterIP, 80)[0] !== "web-1" && who(ask("box", "udp", one("service", "mixed").spec.clusterIP, 80, 4)) === "refused");
  await answers("TCP again", both, () => ask("box", "tcp", "mixed", 80, 12));
  scratch.k("delete service mixed");
});

test("a UDP flow moves to another pod when its own serves no more, and stays with it as long as it does", async () => {
  service("flow", { ports: [{ name: "http", port: 80, protocol: "UDP" }] });
  const { clusterIP } = one("service", "flow").spec;
  await answers("UDP", both, () => ask("box", "udp", clusterIP, 80, 12));
  const flow = scratch.startKubectl(`exec box -- net flow ${clusterIP} 80 4000`);
  // Whole lines only.
  const answered = (): readonly string[] => flow.out.split("\n").slice(0, -1).map(line => line.split(" ")[0]!);
  await scratch.until("a flow", () => answered().length > 5);
  const first = answered()[0]!;
  run("web-3", { app: "web" }, ["serve", "udp:80"]);
  scratch.k("wait pod web-3 --for=condition=Ready --timeout=90s");
  await scratch.until("one more endpoint", () => who(ask("box", "udp", clusterIP, 80, 30)).split(" ").length === 3);
  assert.deepEqual([...new Set(answered())], [first], "others come and go without it");
  scratch.k(`label pod ${first} app=away --overwrite`);
  await scratch.until("another pod answers", () => { const last = answered().at(-1)!; return last.startsWith("web-") && last !== first; });
  scratch.k(`label pod ${first} app=web --overwrite`);
  scratch.k("patch service flow --type=merge -p '" + JSON.stringify({ spec: { ports: [{ name: "http", port: 80, targetPort: 9, protocol: "UDP" }] } }) + "'");
  await scratch.until("the flow follows its service's target port, where nobody listens", () => !answered().at(-1)!.startsWith("web-"));
  await flow.end();
  scratch.k("delete pod web-3");
  scratch.k("delete service flow");
});

test("slices and Endpoints made by hand are served, with several addresses and with several ports", async () => {
  const [one_, two] = ["web-1", "web-2"].map(name => one("pod", name).status.podIP as string);
  const slice = (service_: string, name: string, ip: string, port: number, portName = "http"): void => apply({ apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice", metadata: { name, labels: { "kubernetes.io/service-name": service_ } }, addressType: "IPv4", ports: [{ name: portName, port, protocol: "TCP" }], endpoints: [{ addresses: [ip], conditions: { ready: true } }] });
  service("hand", { selector: undefined });
  slice("hand", "hand-1", one_!, 80);
  slice("hand", "hand-2", two!, 81);
  await answers("two addresses with two ports", both, () => ask("box", "tcp", "hand", 80, 12));
  service("ports", { selector: undefined, ports: [{ name: "a", port: 80 }, { name: "b", port: 81 }] });
  slice("ports", "ports-1", one_!, 80, "a");
  slice("ports", "ports-2", one_!, 81, "b");
  await answers("its first port", "web-1", () => ask("box", "tcp", "ports", 80));
  await answers("its second port", "web-1", () => ask("box", "tcp", "ports", 81));
  service("mirror", { selector: undefined });
  const endpoints = (ip: string): void => apply({ apiVersion: "v1", kind: "Endpoints", metadata: { name: "mirror" }, subsets: [{ addresses: [{ ip }], ports: [{ name: "http", port: 80 }] }] });
  endpoints(one_!);
  await answers("Endpoints are mirrored", "web-1", () => ask("box", "tcp", "mirror", 80, 3));
  endpoints(two!);
  await answers("also when they change", "web-2", () => ask("box", "tcp", "mirror", 80, 3));
  scratch.k("delete endpoints mirror");
  await scratch.until("and when they go", () => ask("box", "tcp", one("service", "mirror").spec.clusterIP, 80)[0] === "refused" && get("endpointslices", "-l kubernetes.io/service-name=mirror").length === 0);
  scratch.k("delete service hand ports mirror");
});

test("session affinity keeps a client with its pod, on cluster addresses and node ports, until it is turned off or its time is up", async () => {
  service("sticky", { type: "NodePort", sessionAffinity: "ClientIP", sessionAffinityConfig: { clientIP: { timeoutSeconds: 1 } } });
  const { clusterIP, ports: [{ nodePort }] } = one("service", "sticky").spec;
  await scratch.until("served", () => who(ask("box", "tcp", clusterIP, 80)) !== "refused");
  const places = [["box", clusterIP, 80], ...nodes.flatMap(({ ip }) => [["box", ip, nodePort], ["host", ip, nodePort]] as const)] as const;
  // On a busy machine the time may be up between two questions.
  for (const [from, ip, port] of places) await scratch.until(`${from} stays with one pod through ${ip}:${port}`, () => webs.some(([name]) => who(ask(from, "tcp", ip, port, 16)) === name));
  const seen = new Set<string>();
  for (let i = 0; i < 12 && seen.size < 2; i++) {
    seen.add(who(ask("web-1", "tcp", clusterIP, 80)));
    await new Promise(done => setTimeout(done, 1_300));
  }
  assert.ok(seen.has("web-1") && seen.has("web-2"), "after its time a client is free again");
  const affinity = (sessionAffinity: string): void => void scratch.k("patch service sticky --type=merge -p '" + JSON.stringify({ spec: { sessionAffinity, sessionAffinityConfig: null } }) + "'");
  affinity("None");
  for (const [from, ip, port] of places) await answers("without affinity", both, () => ask(from, "tcp", ip, port, 16));
  affinity("ClientIP");
  for (const [from, ip, port] of places) await scratch.until("with affinity", () => webs.some(([name]) => who(ask(from, "tcp", ip, port, 16)) === name));
  scratch.k("delete service sticky");
});

test("a service changes its type, and names and addresses follow", async () => {
  const change = (spec: object): void => void scratch.k("patch service turn --type=merge -p '" + JSON.stringify({ spec }) + "'");
  const resolves = (): readonly string[] => scratch.kubectl("exec", "box", "--", "net", "resolve", "turn").out.trim().split("\n");
  service("turn", {});
  service("target", {});
  await answers("as ClusterIP", both, () => ask("box", "tcp", "turn", 80, 12));
  const target = one("service", "target").spec.clusterIP as string;
  for (const type of ["ClusterIP", "NodePort"]) {
    change({ type: "ExternalName", externalName: "target.default.svc.cluster.local", clusterIP: null, clusterIPs: null, ports: null });
    await scratch.until("an alias", () => resolves()[0] === target);
    assert.equal(one("service", "turn").spec.clusterIP, undefined);
    change({ type, externalName: null, ports: [{ name: "http", port: 80 }] });
    await scratch.until("an address of its own", () => { const { clusterIP } = one("service", "turn").spec; return clusterIP !== undefined && resolves()[0] === clusterIP; });
    await answers(`as ${type}`, both, () => ask("box", "tcp", "turn", 80, 12));
    if (type === "NodePort") for (const { name, ip } of nodes) await answers(`its node port of ${name}`, both, () => ask("host", "tcp", ip, one("service", "turn").spec.ports[0].nodePort, 12));
  }
  const { nodePort } = one("service", "turn").spec.ports[0];
  change({ type: "ExternalName", externalName: "target.default.svc.cluster.local", clusterIP: null, clusterIPs: null, ports: null });
  for (const { name, ip } of nodes) await scratch.until(`the node port of ${name} is closed`, () => ask("host", "tcp", ip, nodePort)[0] === "refused");
  scratch.k("delete service turn target");
});

test("a node port answers by name, cluster address and node address", async () => {
  service("np", { type: "NodePort" });
  const { clusterIP, ports: [{ nodePort }] } = one("service", "np").spec;
  for (const [host, port] of [["np", 80], [clusterIP, 80], ...nodes.map(({ ip }) => [ip, nodePort] as const)] as const) {
    await answers(`${host}:${port}`, both, () => ask("box", "tcp", host, port, 12));
    await answers(`${host}:${port} from one of its own pods, itself included`, both, () => ask("web-1", "tcp", host, port, 12));
  }
  for (const name of onHosts) await answers("from a node's network, by name", both, () => ask(name, "tcp", "np", 80, 12));
  for (const { name, ip } of nodes) await answers(`${name} from the machine`, both, () => ask("host", "tcp", ip, nodePort, 12));
  const boxIP = one("pod", "box").status.podIP as string;
  await scratch.says("through a cluster address pods are seen with their own", webs.map(([name]) => `${name} ${boxIP}`).join(), () => [...new Set(ask("box", "tcp", clusterIP, 80, 12))].sort().join());
  scratch.k("delete service np");
});

test("traffic policies keep to a node's own pods, who see the client's address", async () => {
  service("near", { type: "NodePort", internalTrafficPolicy: "Local", externalTrafficPolicy: "Local" });
  service("same", { trafficDistribution: "PreferSameNode" });
  const { clusterIP, ports: [{ nodePort }] } = one("service", "near").spec;
  const same = one("service", "same").spec.clusterIP as string;
  for (const [i, name] of onHosts.entries()) {
    await answers(`internalTrafficPolicy on ${nodes[i]!.name}`, websOf(i) || "timeout", () => ask(name, "tcp", clusterIP, 80, websOf(i) ? 6 : 1));
    await answers(`PreferSameNode on ${nodes[i]!.name}`, websOf(i) || both, () => ask(name, "tcp", same, 80, 12));
  }
  await answers("internalTrafficPolicy from a pod", websOf(1), () => ask("box", "tcp", clusterIP, 80, 6));
  await answers("PreferSameNode from a pod", websOf(1), () => ask("box", "tcp", same, 80, 6));
  // The machine is another one to all nodes but the first.
  for (const [i, { name, ip }] of nodes.entries()) if (i > 0) {
    await answers(`externalTrafficPolicy on ${name}`, websOf(i) || "timeout", () => ask("host", "tcp", ip, nodePort, 6));
    const seen = scratch.run("ip", ["-j", "route", "get", ip]).out;
    await scratch.says("the client's address came along", `${websOf(i)} ${JSON.parse(seen)[0].prefsrc}`, () => ask("host", "tcp", ip, nodePort)[0]!);
  }
  for (const [i, name] of onHosts.entries()) {
    const { ip } = nodes[i]!;
    await answers(`a node's own node port leads to all pods: ${name}`, both, () => ask(name, "tcp", ip, nodePort, 12));
    await scratch.says("under the node's address", ip, () => [...new Set(ask(name, "tcp", ip, nodePort, 12).map(line => line.split(" ")[1]))].join());
  }
  scratch.k("delete service near same");
});

test("a load balancer has an address of the pool, shared by port, that pods and the machine reach", async () => {
  service("lb", { type: "LoadBalancer" });
  await scratch.until("an address", () => one("service", "lb").status.loadBalancer.ingress !== undefined);
  service("lb-udp", { type: "LoadBalancer", ports: [{ name: "http", port: 80, protocol: "UDP" }] });
  service("lb-second", { type: "LoadBalancer", allocateLoadBalancerNodePorts: false });
  service("lb-other", { type: "LoadBalancer", loadBalancerClass: "example.org/other" });
  await scratch.until("addresses", () => ["lb-udp", "lb-second"].every(name => one("service", name).status.loadBalancer.ingress !== undefined));
  assert.deepEqual(one("service", "lb").status.loadBalancer, { ingress: [{ ip: "10.231.77.0", ipMode: "VIP", ports: [{ port: 80, protocol: "TCP" }] }] });
  assert.deepEqual([one("service", "lb-udp").status.loadBalancer.ingress[0].ip, one("service", "lb-second").status.loadBalancer.ingress[0].ip], ["10.231.77.0", "10.231.77.1"]);
  assert.equal(one("service", "lb-second").spec.ports[0].nodePort, undefined);
  assert.match(scratch.k("get service lb"), /LoadBalancer +\S+ +10\.231\.77\.0 /);
  for (const from of ["box", "host", ...onHosts]) {
    await answers(`TCP from ${from}`, both, () => ask(from, "tcp", "10.231.77.0", 80, 12));
    await answers(`UDP from ${from}`, both, () => ask(from, "udp", "10.231.77.0", 80, 12));
    await answers(`the second from ${from}`, both, () => ask(from, "tcp", "10.231.77.1", 80, 12));
    await answers(`a port that no service has, from ${from}`, "refused", () => ask(from, "tcp", "10.231.77.1", 22));
  }
  assert.deepEqual(one("service", "lb-other").status.loadBalancer, {}, "somebody else's class");
  // Only some may enter.
  const patch = (spec: object): void => void scratch.k("patch service lb --type=merge -p '" + JSON.stringify({ spec }) + "'");
  patch({ loadBalancerSourceRanges: ["10.0.0.0/8"] });
  await scratch.until("the machine is kept out", () => ask("host", "tcp", "10.231.77.0", 80)[0] === "timeout");
  await answers("a pod is let in", both, () => ask("box", "tcp", "10.231.77.0", 80, 12));
  patch({ loadBalancerSourceRanges: [`${first().ip}/32`] });
  await scratch.until("the machine is let in", () => who(ask("host", "tcp", "10.231.77.0", 80)).startsWith("web-"));
  await answers("the pod is kept out", "timeout", () => ask("box", "tcp", "10.231.77.0", 80));
  patch({ loadBalancerSourceRanges: null, externalTrafficPolicy: "Local" });
  const port = one("service", "lb").spec.healthCheckNodePort as number;
  const health = async ({ ip }: Node): Promise<any> => fetch(`http://${ip}:${port}/`).then(async answer => ({ status: answer.status, ...((await answer.json()) as object) }));
  for (const [i, node] of nodes.entries()) {
    const localEndpoints = websOf(i).split(" ").filter(Boolean).length, status = localEndpoints > 0 ? 200 : 503;
    await scratch.says(`the health check of ${node.name} answers`, JSON.stringify({ status, service: { namespace: "default", name: "lb" }, localEndpoints, serviceProxyHealthy: true }), () => health(node).then(JSON.stringify, String));
  }
  patch({ selector: { app: "nobody" } });
  for (const node of nodes) await scratch.until(`no endpoint on ${node.name}`, () => health(node).then(({ status, localEndpoints }) => status === 503 && localEndpoints === 0, () => false));
  scratch.k("delete service lb lb-udp lb-second lb-other");
  await scratch.until("its address refuses", () => ask("host", "tcp", "10.231.77.0", 80)[0] === "refused");
  await scratch.says("the events", "DeletedLoadBalancer DeletingLoadBalancer EnsuredLoadBalancer EnsuringLoadBalancer", () => [...new Set(scratch.k("get events --field-selector involvedObject.name=lb -o jsonpath={.items[*].reason}").split(" "))].sort().join(" "));
});

test("a ServiceCIDR that a user adds gives addresses, which are served, and stays while one is in use", async () => {
  apply({ apiVersion: "networking.k8s.io/v1", kind: "ServiceCIDR", metadata: { name: "more" }, spec: { cidrs: ["10.230.7.0/28"] } });
  scratch.k("wait servicecidr/more --for=condition=Ready --timeout=60s");
  service("more", { clusterIP: "10.230.7.5" });
  for (const from of ["box", ...onHosts, "host"]) await answers(`from ${from}`, both, () => ask(from, "tcp", "10.230.7.5", 80, 12));
  await answers("by name", both, () => ask("box", "tcp", "more", 80, 12));
  await scratch.until("an address that no service has is refused", () => ask("host", "tcp", "10.230.7.6", 80)[0] === "refused");
  scratch.k("delete servicecidr more --wait=false");
  await scratch.until("it says why it stays", () => one("servicecidr", "more").status.conditions[0].reason === "Terminating");
  scratch.k("delete service more");
});

test("pods share a host port if their host addresses or protocols differ", async () => {
  const pod = (name: string, hostIP: string, protocol: string): void => apply({ apiVersion: "v1", kind: "Pod", metadata: { name }, spec: { nodeName: last().name, terminationGracePeriodSeconds: 1, containers: [{ name: "c", image: image("net:1"), args: ["serve", "tcp:80", "udp:80"], ports: [{ containerPort: 80, hostPort: 31_323, hostIP, protocol }] }] } });
  pod("port-1", "127.0.0.1", "TCP");
  pod("port-2", last().ip, "TCP");
  pod("port-3", last().ip, "UDP");
  scratch.k("wait pod port-1 port-2 port-3 --for=condition=Ready --timeout=90s");
  await answers("the loopback", "port-1", () => ask(onHosts.at(-1)!, "tcp", "127.0.0.1", 31_323));
  for (const from of ["host", "box", "web-2", ...onHosts]) {
    await answers(`the node's address from ${from}`, "port-2", () => ask(from, "tcp", last().ip, 31_323));
    await answers(`the same over UDP from ${from}`, "port-3", () => ask(from, "udp", last().ip, 31_323));
  }
  scratch.k("delete pod port-1 port-2 port-3");
});

test("the endpoints of 50 new services are there at once", async () => {
  const names = Array.from({ length: 50 }, (_, i) => `many-${i}`);
  scratch.k("apply -f -", JSON.stringify({ apiVersion: "v1", kind: "List", items: names.map(name => ({ apiVersion: "v1", kind: "Service", metadata: { name, labels: { many: "yes" } }, spec: { selector: { app: "web" }, ports: [{ port: 80 }] } })) }));
  await scratch.until("all have endpoints", () => get("endpointslices", "-l many=yes").filter(({ endpoints }) => endpoints?.length === 2).length === 50);
  scratch.k("delete service -l many=yes");
});

test("the API server passes requests of every method on to pods and services, by number and by name", async () => {
  apply({ apiVersion: "v1", kind: "Pod", metadata: { name: "echo", labels: { app: "echo" } }, spec: { ...on(2), terminationGracePeriodSeconds: 1, containers: [{ name: "c", image: image("net:1"), args: ["serve", "tcp:8080"], ports: [{ name: "web", containerPort: 8080 }] }] } });
  service("echo", { selector: { app: "echo" }, ports: [{ name: "http", port: 80, targetPort: "web" }] });
  scratch.k("wait pod echo --for=condition=Ready --timeout=90s");
  const proxy = scratch.startKubectl("proxy --port=0");
  try {
    const port = Number(await scratch.until("kubectl proxy", () => /:(\d+)\n/.exec(proxy.out)?.[1]));
    const via = (path: string, method = "GET"): Promise<string> => new Promise((done, fail) => {
      request({ host: "127.0.0.1", port, path: `/api/v1/namespaces/default/${path}`, method }, response => {
        let text = "";
        response.setEncoding("utf8").on("data", (piece: string) => { text += piece; }).on("end", () => done(`${response.statusCode} ${text.split(" ")[0]}`));
      }).on("error", fail).end();
    });
    await scratch.until("the service is served", async () => (await via("services/echo:80/proxy/")) === "200 echo");
    for (const path of ["pods/echo:8080/proxy/", "pods/http:echo:8080/proxy/some/path", "services/echo:80/proxy/", "services/echo:http/proxy/x?y=z", "services/http:echo:http/proxy/"])
      for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) assert.equal(await via(path, method), "200 echo", `${method} ${path}`);
    assert.equal(await via("pods/echo:8080/proxy", "HEAD").then(text => text.trim()), "301");
    assert.match(await via("services/echo:81/proxy/"), /^503/);
    // A program of the machine with TLS stands for a pod on its network, and for one behind a service.
    const authority = testAuthority("proxied");
    const { cert, key } = authority.leaf("proxied", "server", [], ["proxied.test"]);
    const secure = createServer({ cert, key }, (asked, answer) => { answer.end(`secure ${asked.method} ${asked.url}`); });
    await new Promise<void>(done => secure.listen(0, first().ip, done));
    const { port: securePort } = secure.address() as AddressInfo;
    service("secure", { selector: undefined, ports: [{ name: "web", port: 443, targetPort: securePort }] });
    apply({ apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice", metadata: { name: "secure-1", labels: { "kubernetes.io/service-name": "secure" } }, addressType: "IPv4", ports: [{ name: "web", port: securePort, protocol: "TCP" }], endpoints: [{ addresses: [first().ip], conditions: { ready: true } }] });
    await scratch.until("over TLS", async () => (await via("services/https:secure:web/proxy/x")) === "200 secure");
    for (const path of ["services/https:secure:443/proxy/", `pods/https:${onHosts[0]}:${securePort}/proxy/some?x=y`]) assert.equal(await via(path), "200 secure", path);
    assert.doesNotMatch(await via(`pods/${onHosts[0]}:${securePort}/proxy/`), /^200/, "plain HTTP is not spoken to it");
    secure.closeAllConnections();
    await new Promise(done => secure.close(done));
    const forward = scratch.startKubectl("port-forward service/echo 18775:http 18776:80");
    await scratch.until("ports are forwarded to a pod of the service", () => forward.out.includes("18775 -> 8080") && forward.out.includes("18776 -> 8080"));
    for (const local of [18_775, 18_776]) assert.match(await (await fetch(`http://127.0.0.1:${local}/`)).text(), /^echo /);
    await forward.end();
  } finally {
    await proxy.end();
  }
  scratch.k("delete pod echo");
  scratch.k("delete service echo secure");
});

test("the ServiceCIDR without addresses is gone, ten seconds after it was deleted", async () => {
  await scratch.until("gone", () => scratch.kubectl("get", "servicecidr", "more").err.includes("NotFound"));
});

/** How a long run of requests through a service's cluster address ended: `ok=3000 failed=0 …`. */
async function during(requests: number, what: () => Promise<void>): Promise<string> {
  service("steady", {});
  const ip = one("service", "steady").spec.clusterIP as string;
  await answers("served", both, () => ask("host", "tcp", ip, 80, 12));
  const load = scratch.start(net, ["load", ip, "80", String(requests), "300"]);
  await what();
  await scratch.until("the load's end", () => load.closed);
  scratch.k("delete service steady");
  return load.out.split(" ms=")[0]! || load.err;
}

test("no request is lost while endpoints come and go", async () => {
  const lost = await during(2_000, async () => {
    for (let i = 0; i < 10; i++) {
      scratch.k(`label pod web-${1 + (i % 2)} app=away --overwrite`);
      scratch.k(`label pod web-${1 + (i % 2)} app=web --overwrite`);
    }
  });
  assert.equal(lost, "ok=2000 failed=0");
});

test("no request is lost while server and agents are killed, and names are answered again", async () => {
  const lost = await during(2_000, async () => {
    for (const victim of ["server", 0, "server", nodes.length - 1] as const) {
      const before = scratch.starts(victim);
      process.kill(await scratch.until(`the pid of ${victim}`, () => scratch.pidOf(victim) || undefined), "SIGKILL");
      await scratch.until(`${victim} again`, () => scratch.starts(victim) > before);
    }
  });
  assert.equal(lost, "ok=2000 failed=0");
  for (const name of ["box", ...onHosts]) await scratch.until(`names for ${name}`, () => scratch.kubectl("exec", name, "--", "net", "resolve", "kubernetes.default").code === 0);
});
