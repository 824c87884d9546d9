/** From Ingresses to hosts and routes. */
import type { Ingress, IngressBackend } from "../kinds/networking/ingress.ts";
import type { IngressClass } from "../kinds/networking/ingressclass.ts";
import type { Services } from "./services.ts";
import { routeOptions } from "./annotations.ts";
import { bestFirst } from "./order.ts";
import type { Certificate, Host, PathType, Route } from "./table.ts";

export const ingressController = "timonier.dev/ingress";

export type Warning = { readonly ingress: Ingress; readonly text: string };
/** What all Ingresses of ours ask for together. */
export type IngressTable = { readonly hosts: readonly Host[]; readonly certificates: readonly Certificate[]; readonly warnings: readonly Warning[] };

/** Whether it is ours: by its class, by the older annotation, or because ours is the default. */
export function isOurs(ingress: Ingress, classes: readonly IngressClass[]): boolean {
  const named = ingress.spec.ingressClassName ?? ingress.metadata.annotations?.["kubernetes.io/ingress.class"];
  const chosen = named === undefined
    ? classes.find(({ metadata }) => metadata.annotations?.["ingressclass.kubernetes.io/is-default-class"] === "true")
    : classes.find(({ metadata }) => metadata.name === named);
  return chosen?.spec?.controller === ingressController;
}

export function ingressTable(ingresses: readonly Ingress[], classes: readonly IngressClass[], services: Services): IngressTable {
  const warnings: Warning[] = [];
  const hosts = new Map<string, { tls: boolean; routes: Route[] }>();
  const certificates: Certificate[] = [];
  // The older one wins where two claim the same place (upstream's rule for conflicting ingresses).
  const ours = ingresses.filter(ingress => isOurs(ingress, classes) && ingress.metadata.deletionTimestamp === undefined).toSorted((a, b) =>
    (a.metadata.creationTimestamp ?? "").localeCompare(b.metadata.creationTimestamp ?? "") || (a.metadata.uid ?? "").localeCompare(b.metadata.uid ?? ""));
  const canaries: { host: string; route: Route; backend: string; warn: (text: string) => void }[] = [];
  for (const ingress of ours) {
    const warn = (text: string): void => void warnings.push({ ingress, text });
    const options = routeOptions(ingress.metadata.annotations ?? {}, warn);
    const namespace = ingress.metadata.namespace ?? "";
    const secured = new Set<string>();
    for (const { hosts: names = [], secretName } of ingress.spec.tls ?? []) {
      const covered = names.length > 0 ? names : (ingress.spec.rules ?? []).map(({ host }) => host ?? "");
      for (const name of covered) secured.add(name);
      if (secretName === undefined || secretName === "") continue;
      const pair = services.certificate(namespace, secretName);
      if (pair === undefined) warn(`secret ${JSON.stringify(secretName)} with tls.crt and tls.key is not there: its hosts are served with a certificate of our own`);
      else certificates.push({ hosts: covered, ...pair });
    }
    const add = (host: string, type: PathType, path: string, given: IngressBackend | undefined): void => {
      const backend = backendOf(namespace, given, services, warn);
      if (backend === undefined) return;
      const route: Route = { type: options.useRegex && type !== "Exact" ? "Regex" : type, path, backends: [{ backend, weight: 1 }], options, owner: `${namespace}/${ingress.metadata.name}` };
      if (options.canary) return void canaries.push({ host, route, backend, warn });
      let entry = hosts.get(host);
      if (!entry) hosts.set(host, entry = { tls: false, routes: [] });
      if (secured.has(host)) entry.tls = true;
      const first = entry.routes.find(other => other.type === route.type && other.path === path);
      if (first) return void (first.owner === route.owner || warn(`path ${path} of ${host === "" ? "all hosts" : `host ${host}`} is served as the older Ingress ${first.owner} says`));
      entry.routes.push(route);
    };
    for (const { host = "", http } of ingress.spec.rules ?? []) {
      for (const { path = "", pathType, backend } of http?.paths ?? []) add(host.toLowerCase(), (pathType as PathType | undefined) ?? "ImplementationSpecific", path === "" ? "/" : path, backend);
      if (http === undefined && ingress.spec.defaultBackend) add(host.toLowerCase(), "Prefix", "/", ingress.spec.defaultBackend);
    }
    if (ingress.spec.defaultBackend) add("", "Prefix", "/", ingress.spec.defaultBackend);
  }
  for (const { host, route, backend, warn } of canaries) {
    const main = hosts.get(host)?.routes;
    const at = main?.findIndex(({ type, path }) => type === route.type && path === route.path) ?? -1;
    const rules = route.options.canary;
    if (main && at >= 0 && rules) main[at] = { ...main[at] as Route, canary: { backend, rules } };
    else warn(`path ${route.path} of ${host === "" ? "all hosts" : `host ${host}`} is not served: a canary needs an Ingress without canary for the same path`);
  }
  return { hosts: [...hosts].map(([host, { tls, routes }]) => ({ host, tls, routes: routes.toSorted(bestFirst) })), certificates, warnings };
}

function backendOf(namespace: string, backend: IngressBackend | undefined, services: Services, warn: (text: string) => void): string | undefined {
  const wanted = backend?.service;
  if (!wanted) {
    if (backend?.resource) warn("backends that are not services are not supported");
    return undefined;
  }
  const found = services.backend(namespace, wanted.name, wanted.port?.name || wanted.port?.number || 0);
  // Known but without an answer: 503 there is right, another ingress's route would not be.
  if (found.missing === "service") warn(`service ${JSON.stringify(wanted.name)} is not there`);
  if (found.missing === "port") warn(`service ${JSON.stringify(wanted.name)} has no such port`);
  return found.key;
}
