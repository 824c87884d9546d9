/** Cluster addresses and node ports of services (pkg/registry/core/service/storage/alloc.go): the API server gives them out, since nobody else sees every service. */
import { copyJson } from "../../base/json-codec.ts";
import { sameJson } from "../../base/json.ts";
import { parseIp, renderIp } from "../../base/ip.ts";
import type { Random } from "../../base/random.ts";
import { Service } from "../../kinds/core/service.ts";
import { invalidValue } from "../../schema/problem.ts";
import type { Reader } from "../context.ts";
import type { Hooks, Reservation } from "../core.ts";
import { internal, invalid } from "../errors.ts";
import { Allocator, reservedOf } from "./allocator.ts";
import { ServiceAddresses } from "./service-addresses.ts";
import { setFamilies, type Family } from "./service-families.ts";

export const defaultServiceRange = "10.96.0.0/12";
export const nodePortFirst = 30_000;
export const nodePortLast = 32_767;

/** `ranges`: `10.96.0.0/16`, or one of each family with a comma between; the first family is the default one. ServiceCIDRs may add others. */
export function serviceHooks(read: Reader, random: Random, ranges: string): Hooks {
  let pools: Pools | undefined;
  // Built from what is stored when the first service is written, never before the store is open.
  const current = (): Pools => (pools ??= poolsOf(read, random, ranges.split(",")));
  return {
    prepare: prepareService,
    reserve: (next, previous) => reserve(current(), next, previous),
    released: service => release(current(), service),
  };
}

type Pools = { readonly addresses: ServiceAddresses; readonly ports: Allocator };

function poolsOf(read: Reader, random: Random, ranges: readonly string[]): Pools {
  const ports = nodePortLast - nodePortFirst + 1;
  const pools: Pools = {
    addresses: new ServiceAddresses(read, random, ranges.map(text => text.trim())),
    ports: new Allocator({ first: nodePortFirst, last: nodePortLast, reserved: reservedOf(ports, 32, 16, 128) }, random),
  };
  for (const service of read.list("", "services", "")) {
    for (const address of addressesOf(service)) pools.addresses.hold(address);
    for (const port of portsOf(service)) pools.ports.take(port);
  }
  return pools;
}

const needsAddress = (service: any): boolean => service.spec.type !== "ExternalName";
const isHeadless = (service: any): boolean => service.spec.clusterIP === "None";
const needsPorts = ({ spec }: any): boolean => spec.type === "NodePort" || (spec.type === "LoadBalancer" && spec.allocateLoadBalancerNodePorts !== false);
const needsHealthPort = ({ spec }: any): boolean => spec.type === "LoadBalancer" && spec.externalTrafficPolicy === "Local";

const isExposed = ({ spec }: any): boolean => spec.type === "NodePort" || spec.type === "LoadBalancer" || (spec.type === "ClusterIP" && (spec.externalIPs?.length ?? 0) > 0);

function addressesOf(service: any): readonly string[] {
  return needsAddress(service) ? (service.spec.clusterIPs ?? []).flatMap((text: string) => { const ip = parseIp(text); return ip === undefined ? [] : [renderIp(ip)]; }) : [];
}
function portsOf({ spec }: any): readonly number[] {
  return [...new Set<number>([...(spec.ports ?? []).map(({ nodePort }: any) => nodePort ?? 0), spec.healthCheckNodePort ?? 0])].filter(port => port !== 0);
}

/** Before validation: clusterIP and clusterIPs say the same, and what was given out stays unless it is changed on purpose. */
function prepareService(next: any, previous: any | undefined): void {
  const { spec } = next;
  if (previous === undefined) {
    if (spec.clusterIP !== undefined && spec.clusterIPs === undefined) spec.clusterIPs = [spec.clusterIP];
    return;
  }
  const old = previous.spec;
  if (needsAddress(next) && needsAddress(previous)) for (const field of ["clusterIP", "clusterIPs"]) if (!spec[field]?.length) keep(spec, old, [field]);
  followClusterIP(spec, old);
  if (needsAddress(next) && needsAddress(previous)) for (const field of ["ipFamilies", "ipFamilyPolicy"]) if (spec[field] === undefined) keep(spec, old, [field]);
  if (!needsAddress(next) && needsAddress(previous)) dropUnchanged(spec, old, ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"]);
  if (needsPorts(next) && needsPorts(previous))
    for (const port of spec.ports ?? []) if (port.nodePort === undefined) keep(port, (old.ports ?? []).find((each: any) => each.port === port.port && each.protocol === port.protocol) ?? {}, ["nodePort"]);
  if (!needsPorts(next) && needsPorts(previous) && spec.type !== "LoadBalancer") for (const port of spec.ports ?? []) if ((old.ports ?? []).some((each: any) => each.nodePort === port.nodePort)) delete port.nodePort;
  if (!isExposed(next) && isExposed(previous)) dropUnchanged(spec, old, ["externalTrafficPolicy"]);
  if (spec.type !== "LoadBalancer" && old.type === "LoadBalancer") dropUnchanged(spec, old, ["allocateLoadBalancerNodePorts", "loadBalancerClass"]);
  if (needsHealthPort(next) && needsHealthPort(previous) && spec.healthCheckNodePort === undefined) keep(spec, old, ["healthCheckNodePort"]);
  if (!needsHealthPort(next) && needsHealthPort(previous)) dropUnchanged(spec, old, ["healthCheckNodePort"]);
}

/** Old clients write clusterIP alone, or change it and send clusterIPs back as it was (pkg/registry/core/service/storage normalizeClusterIPs). */
function followClusterIP(spec: any, old: any): void {
  if (!spec.clusterIPs?.length && spec.clusterIP === old.clusterIP) keep(spec, old, ["clusterIPs"]);
  if (spec.clusterIP === old.clusterIP || !sameJson(spec.clusterIPs, old.clusterIPs)) return;
  if (spec.clusterIP) spec.clusterIPs = [spec.clusterIP];
  else delete spec.clusterIPs;
}

function keep(to: any, from: any, fields: readonly string[]): void {
  for (const field of fields) if (from[field] !== undefined) to[field] = copyJson(from[field]);
}
function dropUnchanged(spec: any, old: any, fields: readonly string[]): void {
  for (const field of fields) if (JSON.stringify(spec[field]) === JSON.stringify(old[field])) delete spec[field];
}

function reserve(pools: Pools, next: any, previous: any | undefined): Reservation {
  const taken: (() => void)[] = [];
  const rollback = (): void => {
    for (const undo of taken.splice(0)) undo();
  };
  const held = { addresses: new Set(previous === undefined ? [] : addressesOf(previous)), ports: new Set(previous === undefined ? [] : portsOf(previous)) };
  try {
    if (needsAddress(next)) {
      const problems = setFamilies(next, previous, pools.addresses.families);
      if (problems.length > 0) throw invalid(Service, next.metadata.name, problems);
      if (!isHeadless(next)) reserveAddresses(pools, next, held.addresses, taken);
    }
    reservePorts(pools, next, held.ports, taken);
  } catch (error) {
    rollback();
    throw error;
  }
  return {
    rollback,
    commit() {
      const now = { addresses: new Set(addressesOf(next)), ports: new Set(portsOf(next)) };
      for (const address of held.addresses) if (!now.addresses.has(address)) pools.addresses.release(address);
      for (const port of held.ports) if (!now.ports.has(port)) pools.ports.release(port);
    },
  };
}

/** One address of each of the service's families; those it holds stay, whoever asks for one by name gets it if it is free. */
function reserveAddresses({ addresses: pool }: Pools, next: any, held: ReadonlySet<string>, taken: (() => void)[]): void {
  const { metadata, spec } = next;
  const addresses = (spec.ipFamilies as readonly Family[]).map((family, i): string => {
    const wanted: string | undefined = spec.clusterIPs?.[i];
    if (wanted === undefined || wanted === "") {
      const found = pool.next(family);
      if (found === undefined) throw internal(`failed to allocate a serviceIP for Service "${metadata.name}": range is full`);
      taken.push(() => pool.release(found));
      return found;
    }
    const ip = parseIp(wanted);
    const address = ip === undefined ? wanted : renderIp(ip);
    if (held.has(address)) return wanted;
    const problem = pool.take(address);
    if (problem !== undefined) throw invalid(Service, metadata.name, [invalidValue("spec.clusterIPs", spec.clusterIPs, `failed to allocate IP ${wanted}: ${problem}`)]);
    taken.push(() => pool.release(address));
    return address;
  });
  [spec.clusterIP] = addresses;
  spec.clusterIPs = addresses;
}

function reservePorts({ ports: pool }: Pools, next: any, held: ReadonlySet<number>, taken: (() => void)[]): void {
  const { metadata, spec } = next;
  const mine = new Set<number>();
  const claim = (port: number, field: string): void => {
    if (mine.has(port) || held.has(port)) return void mine.add(port);
    const refuse = (why: string) => invalid(Service, metadata.name, [invalidValue(field, port, why)]);
    if (!pool.contains(port)) throw refuse(`provided port is not in the valid range. The range of valid ports is ${nodePortFirst}-${nodePortLast}`);
    if (!pool.take(port)) throw refuse("provided port is already allocated");
    mine.add(port);
    taken.push(() => pool.release(port));
  };
  const any = (): number => {
    const port = pool.next();
    if (port === undefined) throw internal("failed to allocate a nodePort: range is full");
    mine.add(port);
    taken.push(() => pool.release(port));
    return port;
  };
  const list: readonly any[] = spec.ports ?? [];
  list.forEach((port, i) => (port.nodePort ?? 0) !== 0 && claim(port.nodePort, `spec.ports[${i}].nodePort`));
  if (needsPorts(next))
    for (const port of list) {
      if ((port.nodePort ?? 0) !== 0) continue;
      // The same port over TCP and UDP gets the same node port.
      const twin = list.find(other => other !== port && other.port === port.port && other.protocol !== port.protocol && (other.nodePort ?? 0) !== 0);
      port.nodePort = twin === undefined ? any() : twin.nodePort;
    }
  if ((spec.healthCheckNodePort ?? 0) !== 0) claim(spec.healthCheckNodePort, "spec.healthCheckNodePort");
  else if (needsHealthPort(next)) spec.healthCheckNodePort = any();
}

function release(pools: Pools, service: any): void {
  for (const address of addressesOf(service)) pools.addresses.release(address);
  for (const port of portsOf(service)) pools.ports.release(port);
}
