/** Which address each LoadBalancer service has: a function of the services, of the addresses there are, and of the ports in use on them. */
import { parseCidr, parseIp, renderIp, within, type Cidr } from "../base/ip.ts";
import type { LoadBalancerIngress, Service } from "../kinds/core/service.ts";

/** The class that asks for us by name; services without a class are ours too. */
export const loadBalancerClass = "timonier.dev/load-balancer";
/** Upstream's (staging/src/k8s.io/cloud-provider/service/helpers): the service stays until its address is given back. */
export const cleanupFinalizer = "service.kubernetes.io/load-balancer-cleanup";

/** Addresses that services may have. */
export type LoadBalancerAddresses = {
  /** CIDRs set aside for services: every port of them is ours. */
  readonly pools: readonly string[];
  /** The machine's own addresses, whose free ports we may use. */
  readonly hosts: readonly string[];
};
/** A port of one of the machine's own addresses, and the service that has it, as `namespace/name`. */
export type HeldPort = { readonly ip: string; readonly protocol: string; readonly port: number; readonly service: string };
/** What the machine lends the controller. */
export type LoadBalancers = LoadBalancerAddresses & {
  /** Programs that listen on the machine's own addresses, and services of its other clusters, as of now. */
  readonly listening: () => Promise<TakenBy>;
  /** Keeps these ports of the machine's own addresses from other programs, and no others; resolves with those that another program has. */
  readonly hold?: (ports: readonly HeldPort[]) => Promise<readonly HeldPort[]>;
};
export type Obstacle = { readonly reason: "PortTaken" | "NoAddress"; readonly message: string };
export type Decision =
  /** `missing`: why there is none in the service's other family, where addresses are but their ports are taken. */
  | { readonly service: Service; readonly action: "ensure"; readonly ingress: readonly LoadBalancerIngress[]; readonly missing?: Obstacle }
  | { readonly service: Service; readonly action: "refuse" } & Obstacle
  | { readonly service: Service; readonly action: "release" };

/** Who besides this service has a port of one of the machine's own addresses, in words; `undefined` if nobody. */
export type TakenBy = (ip: string, protocol: string, port: number, service: Service) => string | undefined;

/** The ports of the machine's own addresses that these services have, with what is decided or, without decisions, by what they show. */
export function heldPorts(services: readonly Service[], hosts: readonly string[], decisions?: readonly Decision[]): readonly HeldPort[] {
  const shown = decisions?.flatMap(decision => (decision.action === "ensure" ? [{ service: decision.service, ingress: decision.ingress }] : [])) ?? services.filter(isOurs).map(service => ({ service, ingress: service.status.loadBalancer?.ingress ?? [] }));
  return shown.flatMap(({ service, ingress }) => ingress.flatMap(({ ip, ports = [] }) => (ip !== undefined && hosts.includes(ip) ? ports.map(({ port, protocol }) => ({ ip, port, protocol, service: `${service.metadata.namespace}/${service.metadata.name}` })) : [])));
}

type Family = "IPv4" | "IPv6";
type Port = { readonly port: number; readonly protocol: "TCP" | "UDP" | "SCTP" };

export function isOurs({ metadata, spec }: Service): boolean {
  return metadata.deletionTimestamp === undefined && spec.type === "LoadBalancer" && (spec.loadBalancerClass === undefined || spec.loadBalancerClass === loadBalancerClass);
}

/**
 * One decision for each service that wants an address or still has one of ours. Who has an address keeps it; then the older service comes
 * first. What another service still shows is not given away in the same round: the write that gives it back comes first.
 */
export function planLoadBalancers(services: readonly Service[], addresses: LoadBalancerAddresses, takenBy: TakenBy): readonly Decision[] {
  const pools = addresses.pools.flatMap(text => parseCidr(text) ?? []);
  const claims = new Map<string, string>();
  const shown = new Map<string, string>();
  for (const service of services) for (const ip of shownBy(service)) shown.set(ip, nameOf(service));
  const known = (ip: string): boolean => addresses.hosts.includes(ip) || inPools(ip, pools);
  const wanting = services.filter(isOurs).sort(byAge);
  const decisions: Decision[] = services.filter(service => !isOurs(service) && service.metadata.finalizers?.includes(cleanupFinalizer) === true).map(service => ({ service, action: "release" }));
  const held = new Map<Service, readonly string[]>();
  for (const service of wanting) {
    const kept = currentIPs(service).filter(ip => known(ip) && fits(service, ip) && portsOf(service).every(port => !claims.has(claimOf(ip, port)) && (shown.get(claimOf(ip, port)) ?? nameOf(service)) === nameOf(service)));
    for (const ip of kept) claim(claims, ip, service);
    held.set(service, kept);
  }
  for (const service of wanting) decisions.push(decide(service, held.get(service) ?? [], { addresses, pools, claims, shown, takenBy }));
  return decisions;
}

type World = { readonly addresses: LoadBalancerAddresses; readonly pools: readonly Cidr[]; readonly claims: Map<string, string>; /** What each service shows in its status now. */ readonly shown: ReadonlyMap<string, string>; readonly takenBy: TakenBy };

function decide(service: Service, held: readonly string[], world: World): Decision {
  const ips: string[] = [];
  let problem: Obstacle | undefined;
  for (const family of familiesOf(service)) {
    const kept = held.find(ip => familyOf(ip) === family);
    if (kept !== undefined) {
      ips.push(kept);
      continue;
    }
    const found = find(service, family, world);
    if (typeof found === "string") {
      claim(world.claims, found, service);
      ips.push(found);
    } else problem ??= found;
  }
  // Half an answer is one: a service of two families is served in the one that has an address.
  if (ips.length === 0) return { service, action: "refuse", ...(problem ?? { reason: "NoAddress", message: "the service has no address family" }) };
  return { service, action: "ensure", ingress: ips.map(ip => ({ ip, ipMode: "VIP", ports: portsOf(service).map(({ port, protocol }) => ({ port, protocol })) })), ...(problem?.reason === "PortTaken" ? { missing: problem } : {}) };
}

/** The first address whose ports are all free, or why there is none. */
function find(service: Service, family: Family, { addresses, pools, claims, shown, takenBy }: World): string | Obstacle {
  const ports = portsOf(service);
  const obstacle = (ip: string): string | undefined => {
    for (const port of ports) {
      const other = shown.get(claimOf(ip, port));
      const owner = claims.get(claimOf(ip, port)) ?? (other === nameOf(service) ? undefined : other) ?? (addresses.hosts.includes(ip) ? takenBy(ip, port.protocol, port.port, service) : undefined);
      if (owner !== undefined) return `port ${port.port}/${port.protocol} of ${ip} is taken by ${owner}`;
    }
    return undefined;
  };
  const wanted = wantedIP(service);
  let [tried, first] = [0, ""];
  for (const ip of candidates(family, addresses, pools)) {
    if (wanted !== undefined && ip !== wanted && familyOf(wanted) === family) continue;
    const taken = obstacle(ip);
    if (taken === undefined) return ip;
    if (tried++ === 0) first = taken;
  }
  const where = [...addresses.hosts, ...addresses.pools].filter(text => familyOf(text) === family);
  if (tried === 1) return { reason: "PortTaken", message: first };
  if (tried > 1) return { reason: "PortTaken", message: `none of the ${tried} addresses of ${where.join(", ")} has ${ports.map(({ port, protocol }) => `${port}/${protocol}`).join(", ")} free: ${first}` };
  if (wanted !== undefined && where.length > 0) return { reason: "NoAddress", message: `spec.loadBalancerIP ${wanted} is not an address for load balancers here: expected one of ${where.join(", ")}` };
  return { reason: "NoAddress", message: `there is no ${family} address for load balancers here: give some with "timonier up --lb-pool"` };
}

/** A pool's addresses are tried one by one; a bigger pool is used as far as this. */
export const poolAddressesMax = 4_096;
function* candidates(family: Family, { hosts }: LoadBalancerAddresses, pools: readonly Cidr[]): Iterable<string> {
  yield* hosts.filter(ip => familyOf(ip) === family);
  let left = poolAddressesMax;
  for (const { family: number, value, bits } of pools) {
    if ((number === 4) !== (family === "IPv4")) continue;
    const shift = BigInt((number === 4 ? 32 : 128) - bits);
    const first = (value >> shift) << shift;
    for (let i = 0n; i < 1n << shift && left-- > 0; i++) yield renderIp({ family: number, value: first + i });
  }
}

function inPools(text: string, pools: readonly Cidr[]): boolean {
  const ip = parseIp(text);
  return ip !== undefined && pools.some(pool => within(ip, pool));
}
function fits(service: Service, ip: string): boolean {
  const wanted = wantedIP(service);
  return (familiesOf(service) as readonly string[]).includes(familyOf(ip)) && (wanted === undefined || familyOf(wanted) !== familyOf(ip) || wanted === ip);
}
/** spec.loadBalancerIP as we write addresses. */
function wantedIP({ spec }: Service): string | undefined {
  const ip = parseIp(spec.loadBalancerIP ?? "");
  return ip === undefined ? undefined : renderIp(ip);
}
function claim(claims: Map<string, string>, ip: string, service: Service): void {
  for (const port of portsOf(service)) claims.set(claimOf(ip, port), nameOf(service));
}
const nameOf = ({ metadata }: Service): string => `Service ${metadata.namespace}/${metadata.name}`;
const shownBy = ({ status }: Service): readonly string[] => (status.loadBalancer?.ingress ?? []).flatMap(({ ip, ports = [] }) => (ip === undefined ? [] : ports.map(port => claimOf(ip, port))));
const claimOf = (ip: string, { port, protocol }: Port): string => `${ip} ${protocol} ${port}`;
const portsOf = ({ spec }: Service): readonly Port[] => (spec.ports ?? []).map(({ port, protocol }) => ({ port, protocol: protocol ?? "TCP" }));
const familyOf = (ip: string): Family => (ip.includes(":") ? "IPv6" : "IPv4");
const currentIPs = ({ status }: Service): readonly string[] => (status.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? []);
function familiesOf({ spec }: Service): readonly Family[] {
  const given = (spec.ipFamilies ?? []).filter((family): family is Family => family === "IPv4" || family === "IPv6");
  return given.length > 0 ? given : ["IPv4"];
}
/** Older first, then by name, so that the outcome is the same everywhere. */
function byAge(a: Service, b: Service): number {
  const [one, two] = [a, b].map(({ metadata }) => `${metadata.creationTimestamp ?? ""} ${metadata.namespace}/${metadata.name}`) as [string, string];
  return one < two ? -1 : one > two ? 1 : 0;
}
