/**
 * UDP flows that the kernel remembers and that lead to an endpoint that serves no more: they would stay there as long as the client sends
 * (pkg/proxy/conntrack/cleanup.go). TCP needs none of this: its connections end.
 */
import type { ServicePort, Target } from "./services.ts";

/** Flows to `destination` (any node's address if absent) and `port`; only those to `endpoint`, or all if absent. */
export type StaleFlow = { readonly destination?: string; readonly port: number; readonly endpoint?: Target };
/** Where UDP traffic comes in, to who serves it, by address and port: a service's target port may change, and its pods stay. */
export type UdpTargets = ReadonlyMap<string, { readonly flow: StaleFlow; readonly endpoints: ReadonlyMap<string, Target> }>;

const keyOf = ({ ip, port }: Target): string => `${ip} ${port}`;

export function udpTargets(ports: readonly ServicePort[]): UdpTargets {
  const found = new Map<string, { readonly flow: StaleFlow; readonly endpoints: ReadonlyMap<string, Target> }>();
  for (const { protocol, port, clusterIP, externalIPs, loadBalancerIPs, nodePort, serving } of ports) {
    if (protocol !== "udp") continue;
    const endpoints = new Map(serving.map(target => [keyOf(target), target]));
    for (const destination of [clusterIP, ...externalIPs, ...loadBalancerIPs]) found.set(`${destination} ${port}`, { flow: { destination, port }, endpoints });
    if (nodePort > 0) found.set(`node ${nodePort}`, { flow: { port: nodePort }, endpoints });
  }
  return found;
}

/** A flow that the kernel remembers: where the client sent it, and who answers it. */
export type KnownFlow = { readonly destination: string; readonly port: number; readonly endpoint: Target };
/** What to forget at the start, when nobody knows what was there before: flows to endpoints that are gone, or to a service's address itself, which answers nobody. */
export function staleAtStart(flows: readonly KnownFlow[], now: UdpTargets): readonly StaleFlow[] {
  return flows.flatMap(({ destination, port, endpoint }) => {
    const target = now.get(`${destination} ${port}`) ?? now.get(`node ${port}`);
    if (target === undefined || target.endpoints.has(keyOf(endpoint))) return [];
    return endpoint.ip !== destination ? [{ destination, port, endpoint }] : target.endpoints.size > 0 ? [{ destination, port }] : [];
  });
}
/** From the text of `conntrack -L -p udp`: the first addresses are the client's packet, the second ones the answer's. */
export function parseFlows(text: string): readonly KnownFlow[] {
  return [...text.matchAll(/src=\S+ dst=(\S+) sport=\d+ dport=(\d+) (?:\[UNREPLIED\] )?src=(\S+) dst=\S+ sport=(\d+) /g)].map(([, destination = "", port, ip = "", from]) => ({ destination, port: Number(port), endpoint: { ip, port: Number(from) } }));
}

/** What to forget on the way from `before` to `now`. Flows to endpoints that end but still serve go on. */
export function staleFlows(before: UdpTargets, now: UdpTargets): readonly StaleFlow[] {
  const stale: StaleFlow[] = [];
  for (const [key, { flow, endpoints }] of before) {
    const left = now.get(key)?.endpoints ?? new Map();
    for (const [id, endpoint] of endpoints) if (!left.has(id)) stale.push({ ...flow, endpoint });
  }
  // What came while nobody served was not translated, and would go on so.
  for (const [key, { flow, endpoints }] of now) if (endpoints.size > 0 && (before.get(key)?.endpoints.size ?? 0) === 0) stale.push(flow);
  return stale;
}
