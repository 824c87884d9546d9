import { parseCidr, parseIp, within, type Cidr } from "../base/ip.ts";
import { msOf, timeOf } from "../base/time.ts";
import { IPAddress } from "../kinds/networking/ipaddress.ts";
import { ServiceCIDR } from "../kinds/networking/servicecidr.ts";
import type { Controller } from "./controller.ts";

const finalizer = "networking.k8s.io/service-cidr-finalizer";
/** Between a deletion and the end nothing is allocated any more; what was at that moment has its object by then (deletionGracePeriod). */
const graceMs = 10_000;
const ready = { type: "Ready", status: "True", reason: "", message: "Kubernetes Service CIDR is ready" } as const;
const terminating = { type: "Ready", status: "False", reason: "Terminating", message: "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR" } as const;

const isGoing = ({ metadata }: ServiceCIDR): boolean => metadata.deletionTimestamp !== undefined;
const isForService = ({ metadata }: IPAddress): boolean => metadata.labels?.["ipaddress.kubernetes.io/managed-by"] === "ipallocator.k8s.io";

/** Says of ranges of service addresses that they are ready, and keeps one until no address depends on it (pkg/controller/servicecidrs). */
export const serviceCIDRController: Controller = {
  name: "service-cidr",
  account: "service-cidrs-controller",
  reconciles: ServiceCIDR,
  watches: [
    // Another range may take over the addresses of one that is to go.
    { kind: ServiceCIDR, keysOf: (_range, context) => context.read(ServiceCIDR).list().filter(isGoing).map(({ metadata }) => metadata.name) },
    { kind: IPAddress, keysOf: (address: IPAddress, context) => (isForService(address) ? context.read(ServiceCIDR).list().filter(range => isGoing(range) && contains(range, address.metadata.name)).map(({ metadata }) => metadata.name) : []) },
  ],

  async reconcile(key, context) {
    const range = context.read(ServiceCIDR).get(key);
    if (range === undefined) return undefined;
    const { metadata, status } = range;
    const say = async (condition: typeof ready | typeof terminating): Promise<void> => {
      const now = status.conditions?.find(({ type }) => type === condition.type);
      if (now?.status === condition.status && (now.reason ?? "") === condition.reason && now.message === condition.message) return;
      const others = (status.conditions ?? []).filter(({ type }) => type !== condition.type);
      // The write before this one has made another version of the object.
      const stored = await context.live(ServiceCIDR, "", metadata.name);
      if (stored?.metadata.uid === metadata.uid) await context.ifThere(context.updateStatus(ServiceCIDR, { ...stored, status: { conditions: [...others, { ...condition, lastTransitionTime: timeOf(context.clock.now()) }] } } as ServiceCIDR));
    };
    if (!isGoing(range)) {
      if (!metadata.finalizers?.includes(finalizer)) await context.ifThere(context.update(ServiceCIDR, { ...range, metadata: { ...metadata, finalizers: [...metadata.finalizers ?? [], finalizer] } } as ServiceCIDR));
      await say(ready);
      return undefined;
    }
    if (!metadata.finalizers?.includes(finalizer)) return undefined;
    if (!mayGo(range, context.read(ServiceCIDR).list(), context.read(IPAddress).list())) {
      await say(terminating);
      return undefined;
    }
    const left = (msOf(metadata.deletionTimestamp) ?? 0) + graceMs - context.clock.now();
    if (left > 0) return { after: left };
    await context.ifThere(context.update(ServiceCIDR, { ...range, metadata: { ...metadata, finalizers: metadata.finalizers.filter(name => name !== finalizer) } } as ServiceCIDR));
    return undefined;
  },
};

/** Whether every address of a service in this range lies in another one too (canDeleteCIDR). */
export function mayGo(range: ServiceCIDR, ranges: readonly ServiceCIDR[], addresses: readonly IPAddress[]): boolean {
  const others = ranges.filter(({ metadata }) => metadata.name !== range.metadata.name);
  if (cidrsOf(range).every(cidr => others.some(other => cidrsOf(other).some(each => each.bits <= cidr.bits && within(cidr, each))))) return true;
  return !addresses.some(address => isForService(address) && contains(range, address.metadata.name) && !others.some(other => contains(other, address.metadata.name)));
}

const cidrsOf = ({ spec }: ServiceCIDR): readonly Cidr[] => (spec.cidrs ?? []).flatMap(text => parseCidr(text) ?? []);
/** The network's own address and, in IPv4, the broadcast address are never given out. */
function contains(range: ServiceCIDR, text: string): boolean {
  const ip = parseIp(text);
  return ip !== undefined && cidrsOf(range).some(cidr => within(ip, cidr) && ip.value !== cidr.value && !(cidr.family === 4 && ip.value === cidr.value + (1n << BigInt(32 - cidr.bits)) - 1n));
}
