/** Addresses for services from every ServiceCIDR that is ready (pkg/registry/core/service/ipallocator). Ranges may overlap; an address is given once. */
import { parseCidr, parseIp, renderIp, within, type Cidr } from "../../base/ip.ts";
import type { Random } from "../../base/random.ts";
import type { Reader } from "../context.ts";
import { Allocator, reservedOf } from "./allocator.ts";
import { familyOf, type Family } from "./service-families.ts";

/** The ServiceCIDR with the ranges that the cluster was made with. */
export const defaultServiceCIDR = "kubernetes";
/** On IPAddress objects that the API server keeps for services itself. */
export const managedBy = { "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io" } as const;

type Range = { readonly cidr: Cidr; readonly offsets: Allocator };
/** Addresses of larger ranges are given out up to here; every one of them may be asked for. */
const offsetBitsMax = { 4: 32, 6: 20 } as const;
/** As upstream (NewIPAllocator): larger IPv6 ranges are not used. */
const ipv6BitsMin = 64;

export class ServiceAddresses {
  /** Of the cluster, the default one first. */
  readonly families: readonly Family[];
  readonly #read: Reader;
  readonly #random: Random;
  readonly #configured: readonly string[];
  readonly #taken: { readonly [family in Family]: Set<bigint> } = { IPv4: new Set(), IPv6: new Set() };
  readonly #ranges = new Map<string, Range>();

  constructor(read: Reader, random: Random, configured: readonly string[]) {
    this.#read = read;
    this.#random = random;
    this.#configured = configured;
    this.families = configured.map(familyOf);
  }

  /** Takes one that is asked for; or why not, in upstream's words. */
  take(address: string): string | undefined {
    const ip = parseIp(address);
    if (ip === undefined || !this.#ready(familyOf(address)).some(({ cidr }) => isUsable(ip.value, cidr, ip))) return "the provided network does not match the current range";
    const taken = this.#taken[familyOf(address)];
    if (taken.has(ip.value) || this.#isForeign(address)) return "provided IP is already allocated";
    taken.add(ip.value);
    return undefined;
  }
  /** Any free one of the ranges that are ready, those of the cluster first; `undefined` when there is none. */
  next(family: Family): string | undefined {
    for (const { cidr, offsets } of this.#ready(family)) {
      const offset = offsets.next();
      if (offset !== undefined) return renderIp({ family: cidr.family, value: cidr.value + BigInt(offset) });
    }
    return undefined;
  }
  /** Notes what a service has already, wherever it lies. */
  hold(address: string): void {
    const ip = parseIp(address);
    if (ip !== undefined) this.#taken[familyOf(address)].add(ip.value);
  }
  release(address: string): void {
    const ip = parseIp(address);
    if (ip !== undefined) this.#taken[familyOf(address)].delete(ip.value);
  }

  #ready(family: Family): readonly Range[] {
    const objects = this.#read.list("networking.k8s.io", "servicecidrs", "");
    // Before its object is there, and says that it is ready, the cluster has its ranges all the same: the first services are made by then.
    const own = objects.find(({ metadata }) => metadata.name === defaultServiceCIDR);
    const texts = [...own === undefined ? this.#configured : isReady(own) || (own.metadata.deletionTimestamp === undefined && readyOf(own) === undefined) ? own.spec.cidrs ?? [] : [], ...objects.flatMap(object => (object !== own && isReady(object) ? object.spec.cidrs ?? [] : []))] as readonly string[];
    return [...new Set(texts)].filter(text => familyOf(text) === family).flatMap(text => this.#rangeOf(text) ?? []);
  }
  #rangeOf(text: string): Range | undefined {
    const known = this.#ranges.get(text);
    if (known !== undefined) return known;
    const given = parseCidr(text.trim());
    if (given === undefined || (given.family === 6 && given.bits < ipv6BitsMin)) return undefined;
    const hostBits = BigInt((given.family === 4 ? 32 : 128) - given.bits);
    const cidr = { ...given, value: (given.value >> hostBits) << hostBits };
    const size = 2 ** Math.min(Number(hostBits), offsetBitsMax[cidr.family]);
    const taken = this.#taken[familyOf(text)];
    const at = (offset: number): bigint => cidr.value + BigInt(offset);
    const range = {
      cidr, offsets: new Allocator({ first: 1, last: size - (cidr.family === 4 ? 2 : 1), reserved: reservedOf(size, 16, 16, 256) }, this.#random, {
        has: offset => taken.has(at(offset)) || this.#isForeign(renderIp({ family: cidr.family, value: at(offset) })), add: offset => taken.add(at(offset)), delete: offset => taken.delete(at(offset)),
      }),
    };
    this.#ranges.set(text, range);
    return range;
  }
  /** Somebody keeps it for something else than a service. */
  #isForeign(address: string): boolean {
    const object = this.#read.get("networking.k8s.io", "ipaddresses", "", address);
    return object !== undefined && object.metadata.labels?.["ipaddress.kubernetes.io/managed-by"] !== managedBy["ipaddress.kubernetes.io/managed-by"];
  }
}

function isReady({ metadata, status }: any): boolean {
  return metadata.deletionTimestamp === undefined && readyOf({ status }) === "True";
}
const readyOf = ({ status }: any): string | undefined => status?.conditions?.find(({ type }: any) => type === "Ready")?.status;
/** Not the network's own address nor, in IPv4, the broadcast address. */
function isUsable(value: bigint, cidr: Cidr, ip: Parameters<typeof within>[0]): boolean {
  const hosts = 1n << BigInt((cidr.family === 4 ? 32 : 128) - cidr.bits);
  return within(ip, cidr) && value !== cidr.value && !(cidr.family === 4 && value === cidr.value + hosts - 1n);
}
