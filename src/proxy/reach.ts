/**
 * Why a client cannot reach a server: follows one connection through names, services, endpoints and policies, by the very functions that
 * the name server, the service proxy and the policy enforcer decide with, and says where it ends and what would change that.
 */
import type { Node } from "../kinds/core/node.ts";
import type { Pod } from "../kinds/core/pod.ts";
import type { Service } from "../kinds/core/service.ts";
import type { EndpointSlice } from "../kinds/discovery/endpointslice.ts";
import type { NetworkPolicy } from "../kinds/networking/networkpolicy.ts";
import { parseCidr, parseIp, within } from "../base/ip.ts";
import { judge, nameServer, policyPod, type Direction, type End, type Namespaces } from "./policy-match.ts";
import { emptyService, blockedBy, stateOf } from "./reach-words.ts";
import { addressTowards, internalIPs } from "./routes.ts";
import { exemptedBy, servicePorts, type Family, type ServicePort, type Target } from "./services.ts";

export type Lookup = { readonly addresses: readonly string[]; readonly alias?: string } | "missing" | "elsewhere";
export type ReachWorld = {
  readonly services: readonly Service[];
  readonly slices: readonly EndpointSlice[];
  readonly pods: readonly Pod[];
  readonly nodes: readonly Node[];
  readonly namespaces: Namespaces;
  readonly policies: readonly NetworkPolicy[];
  /** The cluster's service networks, as CIDRs. */
  readonly serviceRanges: readonly string[];
  /** The cluster's name server, and what it answers to a full name; "elsewhere": it would ask others. */
  readonly dns: string;
  readonly lookUp: (name: string) => Promise<Lookup>;
  /** A client's resolv.conf; of the machine itself if `pod` is absent. */
  readonly resolverOf: (pod: Pod | undefined) => { readonly servers: readonly string[]; readonly searches: readonly string[]; readonly ndots: number };
};
/** `client`: `host`, or `[namespace/]name` of a pod. `server`: an address, a DNS name as the client would write it, `svc/[namespace/]name` or `pod/[namespace/]name`. */
export type Question = { readonly client: string; readonly server: string; readonly port: string; readonly protocol: "TCP" | "UDP" | "SCTP"; readonly namespace: string };
export type Step = {
  readonly step: "Client" | "DNS" | "Service" | "Endpoints" | "Policy" | "Server";
  readonly result: "ok" | "blocked" | "unknown";
  readonly detail: string;
  /** What would change it: a command, or words. */
  readonly change?: string;
};
export type Explanation = { readonly client: string; readonly server: string; readonly reachable: "Yes" | "No" | "Sometimes"; readonly steps: readonly Step[] };

/** Who asks for something that is not there. */
export class UnknownObject extends Error {
  override name = "UnknownObject";
}

/** An endpoint; `seen`: the address under which the connection arrives at its node, if it is not the client's; `first`: where it goes from the client's node, if not here. */
type Hop = Target & { readonly seen?: string | undefined; readonly first?: Target | undefined };
type Client = { readonly shown: string; readonly ip: string; readonly pod: Pod | undefined; /** As policies see it; absent on a node's own network. */ readonly end: End; readonly nodeName: string };

export async function reach(question: Question, world: ReachWorld): Promise<Explanation> {
  return new Path(question, world).follow();
}

class Path {
  readonly #question: Question;
  readonly #world: ReachWorld;
  readonly #steps: Step[] = [];
  constructor(question: Question, world: ReachWorld) {
    this.#question = question;
    this.#world = world;
  }

  async follow(): Promise<Explanation> {
    const { server, port, protocol } = this.#question;
    const client = this.#client();
    const shown = `${server.includes(":") ? `[${server}]` : server}:${port}/${protocol}`;
    const done = (reachable: Explanation["reachable"]): Explanation => ({ client: client.shown, server: shown, reachable, steps: this.#steps });
    if (client.ip === "") {
      this.#say({ step: "Client", result: "blocked", detail: `${client.shown} has no address yet: ${client.pod === undefined ? "the node reports none" : stateOf(client.pod)}`, ...(client.pod === undefined ? {} : { change: `kubectl describe pod ${client.pod.metadata.name} -n ${client.pod.metadata.namespace}` }) });
      return done("No");
    }
    const address = await this.#address(client);
    if (address === undefined) return done("No");
    const targets = this.#translate(client, address);
    if (targets === undefined) return done("No");
    const verdicts = targets.map(target => this.#judge(client, target));
    const good = verdicts.filter(Boolean).length;
    return done(good === verdicts.length ? "Yes" : good === 0 ? "No" : "Sometimes");
  }

  #say(step: Step): void {
    this.#steps.push(step);
  }

  #client(): Client {
    const { client, namespace } = this.#question;
    const node = this.#world.nodes[0];
    const [own = ""] = internalIPs(node);
    if (client === "host") return { shown: "host", ip: own, pod: undefined, end: { ip: own }, nodeName: node?.metadata.name ?? "" };
    const pod = this.#pod(client, namespace);
    const ip = hasEnded(pod) ? "" : pod.status.podIPs?.[0]?.ip ?? "";
    const isHost = pod.spec.hostNetwork === true;
    return { shown: `Pod ${pod.metadata.namespace}/${pod.metadata.name}`, ip, pod, end: isHost ? { ip } : { ip, pod: policyPod(pod, ip, true) }, nodeName: pod.spec.nodeName ?? "" };
  }
  #pod(text: string, namespace: string): Pod {
    const [ns, name] = splitName(text, namespace);
    const pod = this.#world.pods.find(({ metadata }) => metadata.namespace === ns && metadata.name === name);
    if (pod === undefined) throw new UnknownObject(`pods "${name}" not found in namespace "${ns}"`);
    return pod;
  }

  /** The address that the client would connect to; `undefined` after a step said why there is none. */
  async #address(client: Client): Promise<string | undefined> {
    const { server, namespace } = this.#question;
    if (parseIp(server) !== undefined) return server;
    const [, kind, rest = ""] = /^(svc|service|services|po|pod|pods)\/(.+)$/.exec(server) ?? [];
    if (kind === undefined) return this.#resolve(server, client);
    if (kind.startsWith("p")) {
      const pod = this.#pod(rest, namespace);
      const ip = hasEnded(pod) ? undefined : pod.status.podIPs?.[0]?.ip;
      if (ip === undefined) this.#say({ step: "Server", result: "blocked", detail: `Pod ${pod.metadata.namespace}/${pod.metadata.name} has no address: ${stateOf(pod)}`, change: `kubectl describe pod ${pod.metadata.name} -n ${pod.metadata.namespace}` });
      return ip;
    }
    const [ns, name] = splitName(rest, namespace);
    const service = this.#world.services.find(({ metadata }) => metadata.namespace === ns && metadata.name === name);
    if (service === undefined) throw new UnknownObject(`services "${name}" not found in namespace "${ns}"`);
    const ip = service.spec.clusterIPs?.find(each => each !== "None");
    return ip ?? this.#resolve(`${name}.${ns}.svc.cluster.local`, client);
  }

  /** As the client's resolver does: its search list, then the name itself; with a dot at the end only the name. */
  async #resolve(name: string, client: Client): Promise<string | undefined> {
    const { servers, searches, ndots } = this.#world.resolverOf(client.pod);
    if (!servers.includes(this.#world.dns)) {
      const isCluster = name.includes(".svc") || !name.includes(".");
      this.#say({ step: "DNS", result: isCluster ? "blocked" : "unknown", detail: `${client.shown} asks ${servers.join(", ") || "nobody"} for names, not the cluster's name server ${this.#world.dns}${isCluster ? `, so the cluster's names do not exist for it` : ""}`,
        change: client.pod === undefined ? `use an address (kubectl get service), or ask the name server itself: dig @${this.#world.dns} ${name}` : `dnsPolicy: ${client.pod.spec.hostNetwork === true ? "ClusterFirstWithHostNet" : "ClusterFirst"} in the pod` });
      return undefined;
    }
    const dnsAllowed = judge("egress", this.#world.policies, { client: client.end, server: { ip: this.#world.dns, pod: nameServer(this.#world.dns) }, protocol: "UDP", port: 53 }, this.#world.namespaces);
    if (!dnsAllowed.allowed) {
      this.#say(blockedBy("egress", dnsAllowed, client.end, { ip: this.#world.dns, pod: nameServer(this.#world.dns) }, "UDP", 53, `${client.shown} may not ask the name server`, "DNS"));
      return undefined;
    }
    const plain = name.replace(/\.$/, "").toLowerCase();
    const dots = plain.split(".").length - 1;
    const searched = searches.map(search => `${plain}.${search}`);
    const tries = name.endsWith(".") ? [plain] : dots >= ndots ? [plain, ...searched] : [...searched, plain];
    for (const full of tries) {
      const found = await this.#world.lookUp(full);
      if (found === "missing") continue;
      if (found === "elsewhere") {
        // One word is nobody's name outside, and a service of that name is more likely what was meant.
        if (full !== plain || dots === 0 || this.#world.services.some(({ metadata }) => metadata.name === plain.split(".")[0])) continue;
        this.#say({ step: "DNS", result: "unknown", detail: `${plain} is no name of this cluster: the name server asks the machine's own` });
        return undefined;
      }
      if (found.alias !== undefined && found.addresses.length === 0) {
        this.#say({ step: "DNS", result: "unknown", detail: `${full} is an alias of ${found.alias} (type ExternalName), which lies outside the cluster`, change: `kubectl exec or dig: does ${found.alias} have an address?` });
        return undefined;
      }
      const address = found.addresses[0];
      if (address === undefined) {
        this.#say({ step: "DNS", result: "blocked", detail: `${full} exists and has no address: a headless service without a ready endpoint`, ...this.#emptyHeadless(full) });
        return undefined;
      }
      this.#say({ step: "DNS", result: "ok", detail: `${full}${found.alias === undefined ? "" : ` is ${found.alias} and`} is ${found.addresses.join(", ")}` });
      return address;
    }
    this.#say({ step: "DNS", result: "blocked", detail: `no such name: ${tries.filter(full => full !== plain || dots > 0).join(", ") || plain}`, ...this.#nearNames(plain.split(".")[0] ?? "") });
    return undefined;
  }
  #emptyHeadless(full: string): Partial<Step> {
    const [name, ns] = full.split(".");
    const service = this.#world.services.find(({ metadata }) => metadata.namespace === ns && metadata.name === name);
    if (service === undefined) return {};
    const { detail, change } = emptyService(service, undefined, this.#world);
    return { detail: `${full} exists and has no address: ${detail}`, ...(change === undefined ? {} : { change }) };
  }
  #nearNames(name: string): Partial<Step> {
    const services = this.#world.services.filter(({ metadata }) => metadata.name === name).map(({ metadata }) => `${name}.${metadata.namespace}`);
    if (services.length > 0) return { change: `there is a service of this name in another namespace: use ${services.join(" or ")}` };
    const pod = this.#world.pods.find(({ metadata }) => metadata.name === name);
    if (pod !== undefined) return { change: `a pod's name is no DNS name: kubectl expose pod ${name} -n ${pod.metadata.namespace} --port=${this.#question.port}` };
    return { change: "kubectl get services -A" };
  }

  /** Where a packet to this address and port goes; `undefined` after a step said that it goes nowhere. */
  #translate(client: Client, ip: string): readonly Hop[] | undefined {
    const { services, slices, nodes, dns } = this.#world;
    const { protocol } = this.#question;
    const viewOf = (name: string): { readonly name: string; readonly zone: string } => ({ name, zone: this.#node(name)?.metadata.labels?.["topology.kubernetes.io/zone"] ?? "" });
    const family: Family = ip.includes(":") ? "IPv6" : "IPv4";
    const slicesOf = ({ metadata }: Service): readonly EndpointSlice[] => slices.filter(slice => slice.metadata.namespace === metadata.namespace && slice.metadata.labels?.["kubernetes.io/service-name"] === metadata.name);
    const wanted = this.#portNumber(ip);
    if (wanted === undefined) return undefined;
    if (ip === dns && wanted === 53) {
      this.#say({ step: "Service", result: "ok", detail: "the cluster's name server answers on every node itself" });
      return [{ ip, port: 53 }];
    }
    const owns = nodes.find(each => internalIPs(each).includes(ip));
    const isNode = owns !== undefined;
    for (const service of services)
      for (const [i, port] of servicePorts([service], slicesOf, viewOf(client.nodeName), family).entries()) {
        if (port.protocol !== protocol.toLowerCase()) continue;
        const as = port.clusterIP === ip && port.port === wanted ? "cluster" : [...port.externalIPs, ...port.loadBalancerIPs].includes(ip) && port.port === wanted ? "external" : isNode && port.nodePort === wanted ? "node port" : undefined;
        // A node port is the business of the node that has the address, anything else of the client's own.
        const via = as === "node port" ? owns?.metadata.name ?? "" : client.nodeName;
        if (as !== undefined) return this.#throughService(service, servicePorts([service], slicesOf, viewOf(via), family)[i]!, as, { ip, port: wanted }, client, via);
      }
    const owner = services.find(({ spec, status }) => spec.clusterIPs?.includes(ip) || status.loadBalancer?.ingress?.some(each => each.ip === ip && !isNode));
    const exempted = owner === undefined ? undefined : exemptedBy(owner);
    if (owner !== undefined && exempted !== undefined) {
      this.#say({ step: "Service", result: "blocked", detail: `Service ${owner.metadata.namespace}/${owner.metadata.name} is left to others by its label ${exempted}`, change: `kubectl label service ${owner.metadata.name} -n ${owner.metadata.namespace} ${exempted}-` });
      return undefined;
    }
    if (owner !== undefined) {
      const list = (owner.spec.ports ?? []).map(({ name, port, protocol: has }) => `${port}/${has}${name ? ` (${name})` : ""}`).join(", ");
      this.#say({ step: "Service", result: "blocked", detail: `Service ${owner.metadata.namespace}/${owner.metadata.name} has no port ${wanted}/${protocol}: it has ${list || "none"}`, change: `use one of its ports, or kubectl edit service ${owner.metadata.name} -n ${owner.metadata.namespace}` });
      return undefined;
    }
    const parsed = parseIp(ip);
    if (parsed !== undefined && this.#world.serviceRanges.some(range => { const cidr = parseCidr(range); return cidr !== undefined && within(parsed, cidr); })) {
      this.#say({ step: "Service", result: "blocked", detail: `${ip} is an address for services, and no service has it: connections are refused`, change: "kubectl get services -A" });
      return undefined;
    }
    const at = this.#podAt(ip)?.spec.nodeName;
    return [{ ip, port: wanted, ...(client.end.pod === undefined && at !== undefined && !this.#isMachine(client.nodeName) && at !== client.nodeName && { seen: this.#towards(client.nodeName, at) }) }];
  }
  #node(name: string | undefined): Node | undefined {
    return this.#world.nodes.find(({ metadata }) => metadata.name === name);
  }
  /** The first node is the machine: what it sends itself reaches the pods of all nodes as a node's own pods are reached. */
  #isMachine(name: string): boolean {
    return this.#world.nodes[0]?.metadata.name === name;
  }
  #towards(from: string, to: string): string | undefined {
    const [one, other] = [this.#node(from), this.#node(to)];
    return one && other && addressTowards(one, other);
  }
  /** A port by name is the service's. */
  #portNumber(ip: string): number | undefined {
    const { port, protocol } = this.#question;
    if (/^\d+$/.test(port)) return Number(port);
    const service = this.#world.services.find(({ spec }) => spec.clusterIPs?.includes(ip));
    const found = service?.spec.ports?.find(each => each.name === port && (each.protocol ?? "TCP") === protocol)?.port;
    if (found === undefined) this.#say({ step: "Service", result: "blocked", detail: `"${port}" is no number and no name of a ${protocol} port of ${service === undefined ? ip : `Service ${service.metadata.namespace}/${service.metadata.name}`}`, change: "give the port's number" });
    return found;
  }

  #throughService(service: Service, port: ServicePort, as: "cluster" | "external" | "node port", { ip, port: wanted }: Target, client: Client, via: string): readonly Hop[] | undefined {
    const shown = `Service ${service.metadata.namespace}/${service.metadata.name}`;
    if (as === "external" && port.loadBalancerIPs.includes(ip) && port.sourceRanges.length > 0) {
      const from = parseIp(client.ip);
      if (!port.sourceRanges.some(range => { const cidr = parseCidr(range); return from !== undefined && cidr !== undefined && within(from, cidr); })) {
        this.#say({ step: "Service", result: "blocked", detail: `${shown} lets only ${port.sourceRanges.join(", ")} in through ${ip} (spec.loadBalancerSourceRanges), and ${client.shown} is ${client.ip}`, change: `kubectl edit service ${service.metadata.name} -n ${service.metadata.namespace}, or use its cluster address ${port.clusterIP}` });
        return undefined;
      }
    }
    const elsewhere = via !== client.nodeName;
    const targets = (as === "cluster" && port.internalLocal) || (elsewhere && port.externalLocal) ? port.localTargets : port.targets;
    if (targets.length === 0) {
      this.#say({ step: "Service", result: "ok", detail: `${ip} is the ${as === "cluster" ? "cluster address" : as === "external" ? "external address" : "node port"} of ${shown}` });
      const local = port.targets.length > 0;
      this.#say(local
        ? { step: "Endpoints", result: "blocked", detail: `none of its ${port.targets.length} endpoints is on node ${via}, and spec.${elsewhere ? "external" : "internal"}TrafficPolicy is Local: packets are dropped`, change: `kubectl patch service ${service.metadata.name} -n ${service.metadata.namespace} -p '{"spec":{"${elsewhere ? "external" : "internal"}TrafficPolicy":"Cluster"}}'` }
        : { step: "Endpoints", result: "blocked", ...emptyService(service, port, this.#world) });
      return undefined;
    }
    this.#say({ step: "Service", result: "ok", detail: `${shown} sends ${as === "node port" ? `node port ${port.nodePort}` : `${ip}:${port.port}`} to ${targets.length} ${targets.length === 1 ? "endpoint" : "endpoints"}: ${targets.slice(0, 5).map(target => `${target.ip}:${target.port}${this.#podSuffix(target.ip)}`).join(", ")}${targets.length > 5 ? ", …" : ""}` });
    const left = elsewhere ? this.#towards(client.nodeName, via) : undefined;
    return targets.map(target => {
      const at = this.#podAt(target.ip)?.spec.nodeName ?? via;
      const masqueraded = as !== "cluster" && at !== via && (client.end.pod !== undefined ? !port.externalLocal : client.ip !== ip);
      return { ...target, seen: masqueraded ? this.#towards(via, at) : left, ...(elsewhere && { first: { ip, port: wanted } }) };
    });
  }
  #podAt(ip: string): Pod | undefined {
    return this.#world.pods.find(pod => !hasEnded(pod) && pod.spec.hostNetwork !== true && pod.status.podIPs?.some(each => each.ip === ip) === true);
  }
  #podSuffix(ip: string): string {
    const pod = this.#podAt(ip);
    return pod === undefined ? "" : ` (Pod ${pod.metadata.name})`;
  }

  /** Whether policies let the client through to this endpoint, and what is known of who listens there. */
  #judge(client: Client, { ip, port, seen, first }: Hop): boolean {
    const { policies, namespaces, dns } = this.#world;
    const { protocol } = this.#question;
    const pod = this.#podAt(ip);
    const server: End = ip === dns ? { ip, pod: nameServer(ip) } : pod === undefined ? { ip } : { ip, pod: policyPod(pod, ip, true) };
    const own = internalIPs(this.#node(client.nodeName)).includes(ip);
    const free = client.end.pod === undefined && seen === undefined && (this.#isMachine(client.nodeName) || pod?.spec.nodeName === client.nodeName);
    // What a pod sends to its own node is never judged, but for questions to the name server.
    const directions: readonly Direction[] = client.end.pod === undefined ? (free ? [] : ["ingress"]) : own ? ["ingress"] : ["egress", "ingress"];
    const shown = pod === undefined ? ip : `Pod ${pod.metadata.namespace}/${pod.metadata.name}`;
    const arrives: End = seen === undefined ? client.end : { ip: seen };
    const who = seen === undefined ? client.shown : `${client.shown} (as ${seen}, a node's address)`;
    let allowed = true;
    for (const direction of directions) {
      const from = direction === "egress" ? client.end : arrives;
      const [to, at, named]: [End, number, string] = direction === "egress" && first !== undefined ? [{ ip: first.ip }, first.port, first.ip] : [server, port, shown];
      const judgement = judge(direction, policies, { client: from, server: to, protocol, port: at }, namespaces);
      if (judgement.allowed) {
        if (judgement.policies.length > 0) this.#say({ step: "Policy", result: "ok", detail: `NetworkPolicy ${judgement.policies.filter(({ rules }) => rules.some(rule => rule.peers && rule.ports)).map(({ policy }) => `${policy.metadata.namespace}/${policy.metadata.name}`).join(", ")} lets ${direction === "ingress" ? `${who} in to ${shown}` : `${client.shown} out to ${named}`} on port ${at}/${protocol}` });
        continue;
      }
      allowed = false;
      this.#say(blockedBy(direction, judgement, from, to, protocol, at, direction === "ingress" ? `${who} may not enter ${shown} on port ${port}/${protocol}` : `${client.shown} may not go out to ${named} on port ${at}/${protocol}`));
    }
    if (!allowed) return false;
    if (free && pod !== undefined) this.#say({ step: "Policy", result: "ok", detail: `what ${pod.spec.nodeName === client.nodeName ? "a node itself sends to its pods" : "the machine itself sends"} is never blocked` });
    if (pod !== undefined) {
      const declared = pod.spec.containers.flatMap(({ ports = [] }) => ports.map(({ containerPort, protocol: has = "TCP" }) => `${containerPort}/${has}`));
      this.#say({ step: "Server", result: "unknown", detail: `${shown} (${stateOf(pod)}) must listen on port ${port}/${protocol}${declared.length > 0 && !declared.includes(`${port}/${protocol}`) ? `; its containers name only ${declared.join(", ")}` : ""}`, change: `kubectl logs ${pod.metadata.name} -n ${pod.metadata.namespace}` });
    } else if (ip !== dns) this.#say({ step: "Server", result: "unknown", detail: `${ip}:${port} ${own ? "is the node itself" : "is no pod of this cluster"}: whether something listens there is not known here` });
    return true;
  }
}

const hasEnded = ({ status }: Pod): boolean => status.phase === "Succeeded" || status.phase === "Failed";
function splitName(text: string, namespace: string): readonly [string, string] {
  const slash = text.indexOf("/");
  return slash < 0 ? [namespace, text] : [text.slice(0, slash), text.slice(slash + 1)];
}
