/** Endpoints subsets from pods: pure (upstream pkg/controller/endpoint, pkg/api/v1/endpoints RepackSubsets). */
import type { EndpointAddress, EndpointPort, EndpointSubset } from "../kinds/core/endpoints.ts";
import type { Pod } from "../kinds/core/pod.ts";
import type { Service } from "../kinds/core/service.ts";
import { isPodReady } from "./pods.ts";
import { addressesOf, familiesOf, hasAddress, hostnameOf, isHeadless, podsOf, portsOf, targetRef } from "./service-pods.ts";

/** Addresses in one Endpoints object; the rest is left out and the object says so. */
const addressesMax = 1000;

type Offer = { readonly address: EndpointAddress; readonly ready: boolean; readonly ports: readonly EndpointPort[] };

/** The subsets of a service, in a stable order, and whether some addresses did not fit. */
export function planSubsets(service: Service, pods: readonly Pod[]): { readonly subsets: readonly EndpointSubset[]; readonly truncated: boolean } {
  const { publishNotReadyAddresses = false } = service.spec;
  const offers: Offer[] = [];
  for (const pod of podsOf(service, pods)) {
    if (!hasAddress(pod, publishNotReadyAddresses)) continue;
    const [family = "IPv4"] = familiesOf(service);
    const ip = addressesOf(pod, family)[0];
    const ports = portsOf(service, pod);
    if (ip === undefined || (ports.length === 0 && !((service.spec.ports ?? []).length === 0 && isHeadless(service.spec)))) continue;
    const hostname = hostnameOf(pod, service);
    const address: EndpointAddress = { ip, ...(hostname === undefined ? {} : { hostname }), ...(pod.spec.nodeName === undefined ? {} : { nodeName: pod.spec.nodeName }), targetRef: targetRef(pod) };
    offers.push({ address, ready: publishNotReadyAddresses || isPodReady(pod), ports: ports.map(({ name, ...port }) => ({ ...(name === "" ? {} : { name }), ...port })) });
  }
  return truncate(pack(offers));
}

/** One subset for each set of ports that the same addresses offer. */
function pack(offers: readonly Offer[]): readonly EndpointSubset[] {
  const sorted = [...offers].sort((a, b) => compareIPs(a.address.ip, b.address.ip) || ((a.address.targetRef?.uid ?? "") < (b.address.targetRef?.uid ?? "") ? -1 : 1));
  const byPort = new Map<string, { port: EndpointPort | undefined; offers: Offer[] }>();
  for (const offer of sorted)
    for (const port of offer.ports.length === 0 ? [undefined] : offer.ports) {
      const entry = byPort.get(JSON.stringify(port)) ?? { port, offers: [] };
      byPort.set(JSON.stringify(port), entry);
      entry.offers.push(offer);
    }
  const bySet = new Map<string, { ports: EndpointPort[]; offers: readonly Offer[] }>();
  for (const { port, offers } of byPort.values()) {
    const key = JSON.stringify([port === undefined, offers.map(({ address, ready }) => [address, ready])]);
    const entry = bySet.get(key) ?? { ports: [], offers };
    bySet.set(key, entry);
    if (port !== undefined) entry.ports.push(port);
  }
  return [...bySet.values()].map(({ ports, offers }) => subset(ports, offers.filter(({ ready }) => ready), offers.filter(({ ready }) => !ready)))
    .sort((a, b) => (JSON.stringify(a.ports ?? []) < JSON.stringify(b.ports ?? []) ? -1 : 1));
}
function subset(ports: readonly EndpointPort[], ready: readonly Offer[], notReady: readonly Offer[]): EndpointSubset {
  return {
    ...(ready.length === 0 ? {} : { addresses: ready.map(({ address }) => address) }),
    ...(notReady.length === 0 ? {} : { notReadyAddresses: notReady.map(({ address }) => address) }),
    ...(ports.length === 0 ? {} : { ports: [...ports].sort((a, b) => ((a.name ?? "") < (b.name ?? "") ? -1 : (a.name ?? "") > (b.name ?? "") ? 1 : a.port - b.port)) }),
  };
}
function compareIPs(a: string, b: string): number {
  const parts = (ip: string): string => (ip.includes(":") ? ip : ip.split(".").map(part => part.padStart(3, "0")).join("."));
  return parts(a) < parts(b) ? -1 : parts(a) > parts(b) ? 1 : 0;
}

/** Ready addresses are kept before others; each subset gives in proportion to its size. */
function truncate(subsets: readonly EndpointSubset[]): { readonly subsets: readonly EndpointSubset[]; readonly truncated: boolean } {
  const count = (of: "addresses" | "notReadyAddresses"): number => subsets.reduce((total, subset) => total + (subset[of]?.length ?? 0), 0);
  const [ready, notReady] = [count("addresses"), count("notReadyAddresses")];
  if (ready + notReady <= addressesMax) return { subsets, truncated: false };
  const field = ready > addressesMax ? "addresses" : "notReadyAddresses";
  const [max, total] = ready > addressesMax ? [addressesMax, ready] : [addressesMax - ready, notReady];
  let room = max;
  return {
    truncated: true,
    subsets: subsets.map(subset => {
      const { addresses, notReadyAddresses, ...rest } = subset;
      const kept = (subset[field] ?? []).slice(0, Math.min(room, Math.ceil(((subset[field]?.length ?? 0) / total) * max)));
      room -= kept.length;
      const parts = field === "addresses" ? { addresses: kept } : { addresses, notReadyAddresses: kept };
      return { ...rest, ...(parts.addresses?.length ? { addresses: parts.addresses } : {}), ...("notReadyAddresses" in parts && parts.notReadyAddresses.length > 0 ? { notReadyAddresses: parts.notReadyAddresses } : {}) };
    }),
  };
}
