/** Names and policies on real containers: Debian's dig, glibc's and musl's resolvers as clients; and what `timonier why-not` says is what happens. With several nodes, all of them ask. */
import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pushNetImage } from "../../tools/images/net.ts";
import { image, Scratch, type Node } from "./harness.ts";

const scratch = new Scratch();
const domain = "default.svc.cluster.local";
let nodes: readonly Node[] = [];
const nodeIP = (): string => nodes[0]!.ip;
/** A pod, and the node that it is on: `box` shares one with a web pod. */
const places = { friend: 0, box: 1, "web-0": 1, "web-1": 2 } as const;
/** One pod of each node, whose questions its own node answers. */
const askers = (): readonly (keyof typeof places)[] => (["box", "friend", "web-1"] as const).slice(0, nodes.length);
let dns = "";
let net = "";
before(async () => {
  Scratch.packages("gcc", "libc6-dev", "musl-tools", "bind9-dnsutils");
  await scratch.registry();
  net = await pushNetImage("127.0.0.1:5000", join(tmpdir(), "timonier-registry", "debs"));
  nodes = await scratch.up();
  dns = ip("service -n kube-system kube-dns");
  for (const name of ["web-0", "web-1"] as const) run(name, "web", { hostname: name, subdomain: "bare", ...on(places[name]) });
  for (const name of ["box", "friend"] as const) run(name, name, on(places[name]));
  service("web", {});
  service("bare", { clusterIP: "None" });
  scratch.k("wait pod --all --for=condition=Ready --timeout=120s");
  await scratch.until("names are known", () => dig("web").length === 1 && dig("bare").length === 2);
  for (const from of askers()) await scratch.until(`names are known to ${from}`, () => resolve(from, "web")[0] === ip("service web") && resolve(from, "bare").length === 2);
});
after(async () => {
  const result = scratch.timonier("delete");
  assert.equal(result.code, 0, result.err);
  await scratch.close();
});

const on = (place: number): { readonly nodeName: string } => ({ nodeName: nodes[place % nodes.length]!.name });
function apply(object: object): void {
  scratch.k("apply -f -", JSON.stringify(object));
}
function run(name: string, app: string, more: object = {}): void {
  apply({ apiVersion: "v1", kind: "Pod", metadata: { name, labels: { app } }, spec: { terminationGracePeriodSeconds: 1, containers: [{ name: "c", image: image("net:1"), args: ["serve", "tcp:80", "udp:80", "tcp:81"], ports: [{ name: "http", containerPort: 80 }] }], ...more } });
}
function service(name: string, spec: object): void {
  apply({ apiVersion: "v1", kind: "Service", metadata: { name }, spec: { selector: { app: "web" }, ports: [{ name: "http", port: 80 }, { name: "ask", port: 80, protocol: "UDP" }], ...spec } });
}
const ip = (what: string): string => scratch.k(`get ${what} -o jsonpath={.spec.clusterIP}{.status.podIP}`);
const podIP = (name: string): string => scratch.k(`get pod ${name} -o jsonpath={.status.podIP}`);
/** The answer section's data, sorted; `name` is completed unless it has a dot at the end. */
function dig(name: string, type = "A", ...options: string[]): readonly string[] {
  const { out } = scratch.run("dig", [`@${dns}`, "+short", "+tries=5", "+time=2", ...options, name.endsWith(".") ? name : `${name}.${domain}.`, type]);
  return out.trim().split("\n").filter(Boolean).sort();
}
/** What a resolver in a pod gives, sorted and each once. */
function resolve(pod: string, name: string, libc: "net" | "net-musl" = "net", family = "4"): readonly string[] {
  const { out, err } = scratch.kubectl("exec", pod, "--", libc, "resolve", name, family);
  return [...new Set((out || err).trim().split("\n"))].sort();
}
const bothLibraries = ["net", "net-musl"] as const;

test("services have A, SRV and PTR records, over UDP and TCP", () => {
  const web = ip("service web");
  for (const transport of ["+notcp", "+tcp"]) {
    assert.deepEqual(dig("web", "A", transport), [web]);
    assert.deepEqual(dig("_http._tcp.web", "SRV", transport), [`0 100 80 web.${domain}.`]);
    assert.deepEqual(dig("_ask._udp.web", "SRV", transport), [`0 100 80 web.${domain}.`]);
    assert.deepEqual(dig(`${web.split(".").reverse().join(".")}.in-addr.arpa.`, "PTR", transport), [`web.${domain}.`]);
    assert.deepEqual(dig("bare", "A", transport), ["web-0", "web-1"].map(podIP).sort());
    assert.deepEqual(dig("_http._tcp.bare", "SRV", transport), ["web-0", "web-1"].map(name => `0 50 80 ${name}.bare.${domain}.`));
    assert.deepEqual(dig("kubernetes", "A", transport), [ip("service kubernetes")]);
  }
  assert.deepEqual(dig("web", "AAAA"), []);
});

test("the cluster's names resolve at every level of the search list, with glibc and with musl", () => {
  const [kubernetes, web] = [ip("service kubernetes"), ip("service web")];
  for (const from of askers()) for (const libc of bothLibraries) {
    for (const name of ["kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local", "kubernetes.default.svc.cluster.local."]) assert.deepEqual(resolve(from, name, libc), [kubernetes], `${libc} ${name} from ${from}`);
    for (const name of ["web", "web.default", "web.default.svc", `web.${domain}`]) assert.deepEqual(resolve(from, name, libc), [web], `${libc} ${name} from ${from}`);
    assert.deepEqual(resolve(from, "bare", libc), ["web-0", "web-1"].map(podIP).sort(), `${libc} from ${from}`);
    assert.match(resolve(from, "nobody", libc)[0]!, /^unknown: /);
    assert.match(resolve(from, "web", libc, "6")[0]!, /^unknown: /, "a name without IPv6");
  }
});

test("pods have the names of their hostname and subdomain, their addresses, and an /etc/hosts of their own", () => {
  for (const from of askers()) for (const libc of bothLibraries) for (const name of ["web-0.bare", `web-1.bare.${domain}`]) assert.deepEqual(resolve(from, name, libc), [podIP(name.slice(0, 5))]);
  assert.deepEqual(dig(`${podIP("box").replaceAll(".", "-")}.default.pod.cluster.local.`), [podIP("box")]);
  assert.deepEqual(dig(`${podIP("web-0").split(".").reverse().join(".")}.in-addr.arpa.`, "PTR"), [`web-0.bare.${domain}.`]);
  const hosts = scratch.k("exec web-0 -- cat /etc/hosts");
  assert.match(hosts, new RegExp(`^${podIP("web-0")}\\tweb-0\\.bare\\.${domain}\\tweb-0$`, "m"));
  assert.deepEqual(resolve("web-0", "web-0"), [podIP("web-0")], "its own name, without asking");
});

test("an ExternalName is an alias, follows edits and can become an address", async () => {
  apply({ apiVersion: "v1", kind: "Service", metadata: { name: "alias" }, spec: { type: "ExternalName", externalName: `web.${domain}` } });
  await scratch.until("the alias", () => dig("alias", "CNAME")[0] === `web.${domain}.`);
  for (const from of askers()) for (const libc of bothLibraries) await scratch.until(`the alias for ${from}`, () => resolve(from, "alias", libc)[0] === ip("service web"));
  scratch.k(`patch service alias -p '{"spec":{"externalName":"kubernetes.${domain}"}}'`);
  await scratch.until("another alias", () => dig("alias", "CNAME")[0] === `kubernetes.${domain}.`);
  scratch.k(`patch service alias -p '{"spec":{"type":"ClusterIP","externalName":null,"ports":[{"port":80}]}}'`);
  await scratch.until("an address", () => dig("alias")[0] === ip("service alias") && dig("alias", "CNAME").length === 0);
  for (const from of askers()) await scratch.until(`it is new for ${from} too`, () => resolve(from, "alias")[0] === ip("service alias"));
  scratch.k("delete service alias");
  await scratch.until("gone", () => dig("alias").length === 0);
});

test("a word is looked for in every search domain", () => {
  run("far", "far", { dnsConfig: { searches: ["kube-system.svc.cluster.local"] } });
  scratch.k("wait pod far --for=condition=Ready --timeout=30s");
  for (const libc of bothLibraries) assert.deepEqual(resolve("far", "kube-dns", libc), [dns], `${libc} goes on to the last one`);
  scratch.k("delete pod far");
});

test("a pod may have name servers of its own", () => {
  run("own-dns", "own-dns", { dnsPolicy: "None", dnsConfig: { nameservers: ["192.0.2.53"], searches: ["example.org"], options: [{ name: "ndots", value: "2" }] } });
  scratch.k("wait pod own-dns --for=condition=Ready --timeout=90s");
  assert.equal(scratch.k("exec own-dns -- cat /etc/resolv.conf"), "search example.org\nnameserver 192.0.2.53\noptions ndots:2\n");
  scratch.k("delete pod own-dns");
});

test("what does not exist is denied with the zone's SOA, and what does not fit is cut and asked again over TCP", async () => {
  const whole = (...args: string[]): string => scratch.run("dig", [`@${dns}`, "+tries=5", "+time=2", ...args]).out;
  const denied = whole(`nobody.${domain}.`);
  assert.match(denied, /status: NXDOMAIN.*flags: qr aa/s);
  assert.match(denied, /^cluster\.local\.\s+\d+\s+IN\s+SOA\s+ns\.dns\.cluster\.local\. hostmaster\.cluster\.local\. /m);
  assert.match(whole(`web.${domain}.`, "AAAA"), /status: NOERROR.*ANSWER: 0, AUTHORITY: 1/s);
  assert.match(whole("+edns=0", "+bufsize=1232", `web.${domain}.`), /EDNS: version: 0, flags:; udp: \d+/);
  assert.match(whole("+edns=1", "+noednsnegotiation", `web.${domain}.`), /status: BADVERS/);
  apply({ apiVersion: "v1", kind: "Service", metadata: { name: "crowd" }, spec: { clusterIP: "None", ports: [{ name: "http", port: 80 }] } });
  apply({ apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice", metadata: { name: "crowd", labels: { "kubernetes.io/service-name": "crowd" } }, addressType: "IPv4", ports: [{ name: "http", port: 80 }], endpoints: Array.from({ length: 90 }, (_, i) => ({ addresses: [`10.77.0.${i + 1}`], conditions: { ready: true } })) });
  await scratch.until("a crowd", () => dig("crowd", "A", "+tcp").length === 90);
  assert.match(whole("+noedns", "+ignore", `crowd.${domain}.`), /flags: qr aa tc/);
  assert.equal(dig("crowd", "A", "+noedns").length, 90, "dig asks again over TCP");
  assert.equal(resolve("box", "crowd", "net").length, 90, "so does glibc");
  // musl before 1.2.4 takes what fits into 512 bytes.
  assert.ok(resolve("box", "crowd", "net-musl").length >= 20);
  scratch.k("delete service crowd");
});

const policy = (name: string, spec: object): void => apply({ apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name }, spec });
/** What a pod gets from every web pod: they are on several nodes, each with rules of its own. */
const toWeb = (from: string): string => ["web-0", "web-1"].map(name => scratch.kubectl("exec", from, "--", "net", "ask", "tcp", podIP(name), "80").out.split(/[ \n]/)[0]).join(" ");
const everyWeb = "web-0 web-1", noWeb = "timeout timeout";

test("a connection that a policy forbids later is cut, over TCP and UDP", async () => {
  const servers = ["web-0", "web-1"].map(podIP);
  const stays = servers.map(server => scratch.startKubectl(`exec box -- net stay ${server} 81`));
  await scratch.until("connections", () => stays.every(({ out }) => out.includes("still")));
  policy("friends", { podSelector: { matchLabels: { app: "web" } }, ingress: [{ from: [{ podSelector: { matchLabels: { app: "friend" } } }] }] });
  await scratch.until("cut", () => stays.every(({ out }) => out.includes("cut")));
  for (const server of servers) assert.equal(scratch.kubectl("exec", "box", "--", "net", "ask", "udp", server, "80").out.trim(), "timeout");
  await scratch.says("a friend is let in", everyWeb, () => toWeb("friend"));
  scratch.k("delete networkpolicy friends");
  await scratch.says("allowed again", everyWeb, () => toWeb("box"));
});

test("what why-not says is what happens", async () => {
  service("typo", { selector: { app: "wbe" } });
  service("closed", { ports: [{ name: "http", port: 80, targetPort: 9_999 }] });
  service("lb", { type: "LoadBalancer", ports: [{ name: "http", port: 8_099, targetPort: 80 }], loadBalancerSourceRanges: ["203.0.113.0/24"] });
  await scratch.until("an address", () => scratch.k("get service lb -o jsonpath={.status.loadBalancer.ingress[0].ip}") === nodeIP());
  const other = scratch.run("timeout", ["2", net, "serve", "tcp:8099"]);
  assert.match(other.err, /Address already in use/, "the port is the service's: no program can take it and hear nothing");
  policy("web", { podSelector: { matchLabels: { app: "web" } }, ingress: [{ from: [{ podSelector: { matchLabels: { app: "friend" } } }], ports: [{ port: "http" }] }] });
  await scratch.says("the policy holds", noWeb, () => toWeb("box"));
  await scratch.says("and lets friends in", everyWeb, () => toWeb("friend"));
  const nodePort = scratch.k("get service lb -o jsonpath={.spec.ports[0].nodePort}");
  // Client, server and port; whether something listens is not asked.
  const cases = [["friend", "web:80"], ["box", "web:80"], ["host", `${ip("service web")}:80`], ["friend", `${podIP("web-0")}:81`], ["friend", "web:81"], ["box", "typo:80"], ["box", "nobody:80"], ["friend", "bare:80"], ["box", "bare:80"],
    ["box", `${nodeIP()}:8099`], ["host", `${nodeIP()}:8099`], ["box", `${podIP("friend")}:80`], ["web-0", "friend:80"], ["web-0", `${podIP("web-0")}:81`], ["box", `${scratch.cluster.serviceCIDR.replace(".0.0/16", ".255.254")}:80`],
    ...["friend", "box", "host"].map(client => [client, `${nodes.at(-1)!.ip}:${nodePort}`] as const)] as const;
  const seen: string[] = [];
  for (const [client, target] of cases) {
    const [host = "", port = ""] = target.split(":");
    const args = ["ask", "tcp", host, port];
    const real = (client === "host" ? scratch.run(net, args) : scratch.kubectl("exec", client, "--", "net", ...args)).code === 0 ? "Yes" : "No";
    const told = scratch.timonier("why-not", client, target, "-o", "json");
    const answer = JSON.parse(told.out);
    assert.equal(answer.reachable, real, `${client} → ${target}: ${told.out}`);
    assert.equal(told.code, real === "Yes" ? 0 : 3);
    seen.push(`${real} ${answer.steps.find((step: any) => step.result === "blocked")?.step ?? ""}`);
  }
  for (const each of ["Yes ", "No Policy", "No Service", "No Endpoints", "No DNS"]) assert.ok(seen.includes(each), `a case of "${each}": ${seen.join(", ")}`);
  // What it proposes opens the way.
  const blocked = JSON.parse(scratch.timonier("why-not", "box", "web:80", "-o", "json").out).steps.find((step: any) => step.result === "blocked");
  const proposed = /<<< '(.*)'$/.exec(blocked.change)![1]!;
  scratch.k("apply -f -", proposed);
  await scratch.says("open", everyWeb, () => toWeb("box"));
  const text = scratch.timonier("why-not", "box", "web:80");
  assert.match(text.out, /^Client: +Pod default\/box\nServer: +web:80\/TCP\nReachable: +Yes\n/);
  assert.match(scratch.timonier("why-not", "nobody", "web:80").err, /pods "nobody" not found in namespace "default"/);
  // Nobody listens there: the last step says that this cannot be known from outside.
  assert.match(scratch.timonier("why-not", "host", "svc/closed:80").out, /must listen on port 9999\/TCP; its containers name only 80\/TCP/);
});
