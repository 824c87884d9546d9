/** What the cluster's zone answers (the Kubernetes DNS specification 1.1.0), as a function of the question and of what exists. */
import type { EndpointSlice } from "../kinds/discovery/endpointslice.ts";
import type { Service } from "../kinds/core/service.ts";
import { groupsOf, rcodes, types, type DnsRecord, type Question, type Reply } from "./message.ts";

/** What exists, as of now. */
export interface ClusterView {
  service(namespace: string, name: string): Service | undefined;
  slices(namespace: string, service: string): readonly EndpointSlice[];
  /** Whether the namespace has a service: of others no name below `svc` exists. */
  hasServices(namespace: string): boolean;
  /** Services whose cluster IPs, or headless endpoints, include this address. */
  servicesByAddress(address: string): readonly Service[];
  /** Whether a pod of this namespace has this address. */
  podExists(namespace: string, address: string): boolean | Promise<boolean>;
  /** Called before a name is denied; throws while not everything is known. */
  denying?(): void;
}
export type ZoneSettings = { readonly domain: string; readonly ttl: number; readonly serial: () => number };

/** `cname`: an ExternalName; the caller resolves the target and adds its records. `undefined`: not ours, forward it. */
export type ZoneAnswer = Reply & { readonly cname?: string };

export async function answerFromZone(question: Question, view: ClusterView, settings: ZoneSettings): Promise<ZoneAnswer | undefined> {
  const { name } = question;
  const { domain } = settings;
  if (name.endsWith(".in-addr.arpa") || name.endsWith(".ip6.arpa")) return reverse(question, view, settings);
  if (name !== domain && !name.endsWith(`.${domain}`)) return undefined;
  if (name === domain && [types.SOA, types.ANY].includes(question.type as 6)) return { rcode: rcodes.NOERROR, authoritative: true, answers: [soaOf(settings)] };
  const labels = name === domain ? [] : name.slice(0, -domain.length - 1).split(".");
  const found = await lookUp(question, labels.reverse(), view, settings);
  if (found === "missing") return nothing(rcodes.NXDOMAIN, settings);
  if (found.length === 0) return nothing(rcodes.NOERROR, settings);
  const alias = found.find(record => record.type === "CNAME");
  return { rcode: rcodes.NOERROR, authoritative: true, answers: found, ...(alias?.type === "CNAME" ? { cname: alias.target } : {}) };
}

/** `labels` from the zone down: svc, namespace, service, … "missing": the name does not exist; []: it does, but has no such record. */
async function lookUp(question: Question, labels: readonly string[], view: ClusterView, settings: ZoneSettings): Promise<readonly DnsRecord[] | "missing"> {
  const [kind, namespace, service, ...below] = labels;
  if (kind === undefined) return [];
  if (kind === "dns-version" && namespace === undefined) return question.type === types.TXT ? [{ name: question.name, type: "TXT", ttl: settings.ttl, text: "1.1.0" }] : [];
  if (kind !== "svc" && kind !== "pod") return "missing";
  if (namespace === undefined) return [];
  // To a resolver that goes through search domains, a name without records is an end where one that is missing is not.
  if (kind === "svc" && !view.hasServices(namespace)) return "missing";
  if (service === undefined) return [];
  if (kind === "pod") return below.length === 0 ? pod(question, namespace, service, view, settings) : "missing";
  const object = view.service(namespace, service);
  if (object === undefined) return "missing";
  if (object.spec.type === "ExternalName") return below.length === 0 ? external(question, object, settings) : "missing";
  return object.spec.clusterIP === "None" ? headless(question, object, below, view, settings) : clusterIP(question, object, below, settings);
}

async function pod(question: Question, namespace: string, dashed: string, view: ClusterView, { ttl }: ZoneSettings): Promise<readonly DnsRecord[] | "missing"> {
  const address = /^\d+-\d+-\d+-\d+$/.test(dashed) ? dashed.replaceAll("-", ".") : /^[0-9a-f-]+$/.test(dashed) ? dashed.replaceAll("-", ":") : undefined;
  if (address === undefined || !(await view.podExists(namespace, address))) return "missing";
  return addresses(question, [address], question.name, ttl);
}

function external(question: Question, service: Service, { ttl }: ZoneSettings): readonly DnsRecord[] {
  const target = (service.spec.externalName ?? "").toLowerCase().replace(/\.$/, "");
  return [types.A, types.AAAA, types.CNAME, types.ANY].includes(question.type as 1) && target !== "" ? [{ name: question.name, type: "CNAME", ttl, target }] : [];
}

function clusterIP(question: Question, service: Service, below: readonly string[], settings: ZoneSettings): readonly DnsRecord[] | "missing" {
  if (below.length === 0) return addresses(question, service.spec.clusterIPs ?? [], question.name, settings.ttl);
  const [protocol, port] = below;
  const ports = (service.spec.ports ?? []).filter(item => `_${(item.protocol ?? "TCP").toLowerCase()}` === protocol && (port === undefined || `_${item.name ?? ""}` === port));
  if (below.length > 2 || ports.length === 0) return "missing";
  if (port === undefined || (question.type !== types.SRV && question.type !== types.ANY)) return [];
  const target = nameOf(service, settings);
  return ports.map(item => ({ name: question.name, type: "SRV" as const, ttl: settings.ttl, priority: 0, weight: 100, port: item.port, target }));
}

type Reached = { readonly host: string; readonly address: string; readonly ports: NonNullable<EndpointSlice["ports"]> };

function headless(question: Question, service: Service, below: readonly string[], view: ClusterView, settings: ZoneSettings): readonly DnsRecord[] | "missing" {
  const reached = view.slices(service.metadata.namespace ?? "", service.metadata.name ?? "").flatMap(slice =>
    (slice.endpoints ?? []).filter(endpoint => endpoint.conditions?.ready ?? true).flatMap(endpoint =>
      endpoint.addresses.map((address): Reached => ({ host: endpoint.hostname ?? address.replaceAll(/[.:]/g, "-"), address, ports: slice.ports ?? [] }))));
  const [first, second, ...more] = below;
  if (first === undefined) return addresses(question, reached.map(({ address }) => address), question.name, settings.ttl);
  if (first.startsWith("_")) {
    const wanted = reached.flatMap(({ host, ports }) => ports.filter(port => `_${(port.protocol ?? "TCP").toLowerCase()}` === first && (second === undefined || `_${port.name ?? ""}` === second)).map(port => ({ host, port: port.port ?? 0 })))
      // A pod of two families is one target.
      .filter(({ host, port }, i, all) => all.findIndex(each => each.host === host && each.port === port) === i);
    if (more.length > 0 || wanted.length === 0) return "missing";
    if (second === undefined || (question.type !== types.SRV && question.type !== types.ANY)) return [];
    return wanted.map(({ host, port }) => ({ name: question.name, type: "SRV" as const, ttl: settings.ttl, priority: 0, weight: Math.max(1, Math.floor(100 / wanted.length)), port, target: `${host}.${nameOf(service, settings)}` }));
  }
  const hosts = reached.filter(({ host }) => host === first);
  return second !== undefined || hosts.length === 0 ? "missing" : addresses(question, hosts.map(({ address }) => address), question.name, settings.ttl);
}

function reverse(question: Question, view: ClusterView, settings: ZoneSettings): ZoneAnswer | undefined {
  const address = addressOfReverse(question.name);
  const services = address === undefined ? [] : view.servicesByAddress(address);
  if (address === undefined || services.length === 0) return undefined;
  if (question.type !== types.PTR && question.type !== types.ANY) return nothing(rcodes.NOERROR, settings);
  const answers = services.flatMap((service): DnsRecord[] => {
    const record = (target: string): DnsRecord => ({ name: question.name, type: "PTR", ttl: settings.ttl, target });
    if (service.spec.clusterIP !== "None") return [record(nameOf(service, settings))];
    return view.slices(service.metadata.namespace ?? "", service.metadata.name ?? "").flatMap(slice => (slice.endpoints ?? []).filter(endpoint => endpoint.addresses.includes(address) && endpoint.hostname).map(endpoint => record(`${endpoint.hostname}.${nameOf(service, settings)}`)));
  });
  return answers.length === 0 ? undefined : { rcode: rcodes.NOERROR, authoritative: true, answers };
}

/** `5.0.96.10.in-addr.arpa` and its IPv6 like, as an address; `undefined` for a part of one. */
export function addressOfReverse(name: string): string | undefined {
  const four = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.in-addr\.arpa$/.exec(name);
  if (four) return four.slice(1).reverse().join(".");
  const six = /^((?:[0-9a-f]\.){32})ip6\.arpa$/.exec(name);
  if (!six) return undefined;
  const digits = six[1]!.replaceAll(".", "").split("").reverse().join("");
  return canonicalIPv6(digits.match(/.{4}/g)!.join(":"));
}

/** The shortest form (RFC 5952), to compare addresses as text. */
export function canonicalIPv6(address: string): string {
  const groups = groupsOf(address).map(group => group.toString(16));
  let best = { from: -1, length: 1 };
  for (let i = 0; i < 8; i++) {
    let length = 0;
    while (groups[i + length] === "0") length++;
    if (length > best.length) best = { from: i, length };
  }
  if (best.from < 0) return groups.join(":");
  return `${groups.slice(0, best.from).join(":")}::${groups.slice(best.from + best.length).join(":")}`;
}

function addresses(question: Question, list: readonly string[], name: string, ttl: number): readonly DnsRecord[] {
  return list.flatMap((address): DnsRecord[] => {
    const type = address.includes(":") ? "AAAA" : "A";
    return question.type === types[type] || question.type === types.ANY ? [{ name, type, ttl, address }] : [];
  });
}

function soaOf(settings: ZoneSettings): DnsRecord {
  return { name: settings.domain, type: "SOA", ttl: settings.ttl, server: `ns.dns.${settings.domain}`, mailbox: `hostmaster.${settings.domain}`, serial: settings.serial(), minimum: settings.ttl };
}
function nothing(rcode: number, settings: ZoneSettings): ZoneAnswer {
  return { rcode, authoritative: true, answers: [], authority: [soaOf(settings)] };
}

const nameOf = (service: Service, { domain }: ZoneSettings): string => `${service.metadata.name}.${service.metadata.namespace}.svc.${domain}`;
