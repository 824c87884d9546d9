/** One table of everything that is to be served: plain data. */
import type { Ingress } from "../kinds/networking/ingress.ts";
import type { IngressClass } from "../kinds/networking/ingressclass.ts";
import { planGateways, type GatewayObjects, type GatewayTable } from "./gateway/plan.ts";
import { ingressTable, type Warning } from "./ingresses.ts";
import { bestFirst } from "./order.ts";
import { Services, type Sources } from "./services.ts";
import type { Certificate, Host, Listener, Listening, Route, Table } from "./table.ts";

export type Given = {
  readonly ingresses: readonly Ingress[];
  readonly classes: readonly IngressClass[];
  readonly sources: Sources;
  /** Absent while their kinds are not served. */
  readonly gateways: GatewayObjects | undefined;
  readonly listening: Listening | undefined;
  /** Where the proxy can be reached. */
  readonly address: string;
};
export type Built = { readonly table: Table; readonly warnings: readonly Warning[]; readonly gateways: GatewayTable | undefined };

export function buildTable({ ingresses, classes, sources, gateways, listening, address }: Given): Built {
  const services = new Services(sources);
  const { hosts, certificates, warnings } = ingressTable(ingresses, classes, services);
  const planned = gateways && planGateways(gateways, services, listening, address);
  const ports = new Map<number, { secure: boolean; hosts: Map<string, Host>; certificates: Certificate[]; names: Set<string> }>();
  const on = (port: number, secure: boolean) => {
    let found = ports.get(port);
    if (!found) ports.set(port, found = { secure, hosts: new Map(), certificates: [], names: new Set() });
    return found;
  };
  if (hosts.length > 0 || certificates.length > 0) for (const [port, secure] of [[80, false], [443, true]] as const) {
    const at = on(port, secure);
    for (const host of hosts) at.hosts.set(host.host, host);
    if (secure) at.certificates.push(...certificates);
  }
  for (const { port, secure, listener, host, routes, certificates: own } of planned?.served ?? []) {
    const at = on(port, secure);
    at.certificates.push(...own);
    at.names.add(listener);
    if (routes.length > 0) at.hosts.set(host, joined(at.hosts.get(host), host, routes));
  }
  const listeners = [...ports].toSorted(([a], [b]) => a - b).map(([port, at]): Listener => ({ port, secure: at.secure, hosts: [...at.hosts.values()], certificates: at.certificates, names: [...at.names].toSorted() }));
  return { table: { listeners, backends: services.backends, leaving: services.leaving }, warnings, gateways: planned };
}

/** All gateways and Ingresses share the machine's addresses: who has the better match answers, the older object between equals. */
function joined(before: Host | undefined, host: string, routes: readonly Route[]): Host {
  return { host, tls: before?.tls ?? false, routes: [...before?.routes ?? [], ...routes].toSorted(bestFirst) };
}
