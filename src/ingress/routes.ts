/** From Ingresses, Services and EndpointSlices to a routing table: plain data that a proxy without any credentials can work with. */
import type { Ingress, IngressBackend } from "../kinds/networking/ingress.ts";
import type { IngressClass } from "../kinds/networking/ingressclass.ts";
import type { Secret } from "../kinds/core/secret.ts";
import type { Service } from "../kinds/core/service.ts";
import type { EndpointSlice } from "../kinds/discovery/endpointslice.ts";
import { routeOptions, type RouteOptions } from "./annotations.ts";

export const ingressController = "timonier.dev/ingress";

export type PathType = "Exact" | "Prefix" | "ImplementationSpecific" | "Regex";
export type Backend = { readonly service: string; /** `address:port`, those that should get requests. */ readonly endpoints: readonly string[] };
export type Route = {
  readonly type: PathType;
  readonly path: string;
  readonly backend: Backend;
  /** Part of the requests goes there instead. */
  readonly canary?: { readonly backend: Backend; readonly rules: NonNullable<RouteOptions["canary"]> };
  readonly options: RouteOptions;
  /** `namespace/name` of the Ingress, for the access log. */
  readonly ingress: string;
};
export type Host = { /** "" for any, `*.example.org` for one label in front. */ readonly host: string; readonly tls: boolean; /** Best match first. */ readonly routes: readonly Route[] };
export type Certificate = { readonly hosts: readonly string[]; readonly cert: string; readonly key: string };
export type Table = { readonly hosts: readonly Host[]; readonly certificates: readonly Certificate[] };

/** What the table is made of; each asks a local copy. */
export type Sources = {
  readonly ingresses: readonly Ingress[];
  readonly classes: readonly IngressClass[];
  readonly service: (namespace: string, name: string) => Service | undefined;
  readonly slices: (namespace: string, service: string) => readonly EndpointSlice[];
  readonly secret: (namespace: string, name: string) => Secret | undefined;
  readonly decodeBase64: (text: string) => string;
};
export type Warning = { readonly ingress: Ingress; readonly text: string };

/** Whether it is ours: by its class, by the older annotation, or because ours is the default. */
export function isOurs(ingress: Ingress, classes: readonly IngressClass[]): boolean {
  const named = ingress.spec.ingressClassName ?? ingress.metadata.annotations?.["kubernetes.io/ingress.class"];
  const chosen = named === undefined
    ? classes.find(({ metadata }) => metadata.annotations?.["ingressclass.kubernetes.io/is-default-class"] === "true")
    : classes.find(({ metadata }) => metadata.name === named);
  return chosen?.spec?.controller === ingressController;
}

export function buildTable(sources: Sources): { readonly table: Table; readonly warnings: readonly Warning[] } {
  const warnings: Warning[] = [];
  const hosts = new Map<string, { tls: boolean; routes: Route[] }>();
  const certificates: Certificate[] = [];
  // The older one wins where two claim the same place (upstream's rule for conflicting ingresses).
  const ours = sources.ingresses.filter(ingress => isOurs(ingress, sources.classes) && ingress.metadata.deletionTimestamp === undefined).toSorted((a, b) =>
    (a.metadata.creationTimestamp ?? "").localeCompare(b.metadata.creationTimestamp ?? "") || (a.metadata.uid ?? "").localeCompare(b.metadata.uid ?? ""));
  const canaries: { host: string; route: Route }[] = [];
  for (const ingress of ours) {
    const warn = (text: string): void => void warnings.push({ ingress, text });
    const options = routeOptions(ingress.metadata.annotations ?? {}, warn);
    const namespace = ingress.metadata.namespace ?? "";
    const secured = new Set<string>();
    for (const { hosts: names = [], secretName } of ingress.spec.tls ?? []) {
      const covered = names.length > 0 ? names : (ingress.spec.rules ?? []).map(({ host }) => host ?? "");
      for (const name of covered) secured.add(name);
      if (secretName === undefined || secretName === "") continue;
      const data = sources.secret(namespace, secretName)?.data;
      const [cert, key] = [data?.["tls.crt"], data?.["tls.key"]];
      if (cert === undefined || key === undefined) warn(`secret ${JSON.stringify(secretName)} with tls.crt and tls.key is not there: its hosts are served with a certificate of our own`);
      else certificates.push({ hosts: covered, cert: sources.decodeBase64(String(cert)), key: sources.decodeBase64(String(key)) });
    }
    const add = (host: string, type: PathType, path: string, backend: IngressBackend | undefined): void => {
      const target = backendOf(namespace, backend, sources, warn);
      if (!target) return;
      const route: Route = { type: options.useRegex && type !== "Exact" ? "Regex" : type, path, backend: target, options, ingress: `${namespace}/${ingress.metadata.name}` };
      if (options.canary) return void canaries.push({ host, route });
      let entry = hosts.get(host);
      if (!entry) hosts.set(host, entry = { tls: false, routes: [] });
      if (secured.has(host)) entry.tls = true;
      if (entry.routes.some(other => other.type === route.type && other.path === path)) return;
      entry.routes.push(route);
    };
    for (const { host = "", http } of ingress.spec.rules ?? []) {
      for (const { path = "", pathType, backend } of http?.paths ?? []) add(host.toLowerCase(), (pathType as PathType | undefined) ?? "ImplementationSpecific", path === "" ? "/" : path, backend);
      if (http === undefined && ingress.spec.defaultBackend) add(host.toLowerCase(), "Prefix", "/", ingress.spec.defaultBackend);
    }
    if (ingress.spec.defaultBackend) add("", "Prefix", "/", ingress.spec.defaultBackend);
  }
  for (const { host, route } of canaries) {
    const main = hosts.get(host)?.routes;
    const at = main?.findIndex(({ type, path }) => type === route.type && path === route.path) ?? -1;
    const rules = route.options.canary;
    if (main && at >= 0 && rules) main[at] = { ...main[at] as Route, canary: { backend: route.backend, rules } };
  }
  return { table: { hosts: [...hosts].map(([host, { tls, routes }]) => ({ host, tls, routes: routes.toSorted(bestFirst) })), certificates }, warnings };
}

// Longest path first; of the same length an exact one before a prefix (networking.k8s.io/v1, multiple matches).
const order: readonly PathType[] = ["Exact", "Regex", "Prefix", "ImplementationSpecific"];
function bestFirst(a: Route, b: Route): number {
  return b.path.length - a.path.length || order.indexOf(a.type) - order.indexOf(b.type);
}

function backendOf(namespace: string, backend: IngressBackend | undefined, sources: Sources, warn: (text: string) => void): Backend | undefined {
  const wanted = backend?.service;
  if (!wanted) {
    if (backend?.resource) warn("backends that are not services are not supported");
    return undefined;
  }
  const label = `${namespace}/${wanted.name}:${wanted.port?.name || wanted.port?.number}`;
  const service = sources.service(namespace, wanted.name);
  const port = service?.spec.ports?.find(({ name, port: number }) => (wanted.port?.name ? name === wanted.port.name : number === wanted.port?.number));
  // Known but without an answer: 503 there is right, another ingress's route would not be.
  if (!service || !port) {
    warn(service ? `service ${JSON.stringify(wanted.name)} has no such port` : `service ${JSON.stringify(wanted.name)} is not there`);
    return { service: label, endpoints: [] };
  }
  const found = sources.slices(namespace, wanted.name).flatMap(slice => (slice.ports ?? [])
    .filter(({ name, port: number }) => (name ?? "") === (port.name ?? "") && number !== undefined)
    .flatMap(({ port: number }) => (slice.endpoints ?? []).map(({ addresses, conditions }) => ({ at: `${bracketed(addresses[0] ?? "")}:${number}`, conditions }))));
  const ready = found.filter(({ conditions }) => conditions?.ready !== false);
  // When all are going, those that still serve are better than nothing (as kube-proxy does).
  const usable = ready.length > 0 ? ready : found.filter(({ conditions }) => conditions?.serving === true && conditions.terminating === true);
  return { service: label, endpoints: [...new Set(usable.map(({ at }) => at))].toSorted() };
}

function bracketed(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}
