/** Gateways and routes of our class: what is to be served for them, and what is said of each. A function of the objects. */
import { selectorOf } from "../../base/selector.ts";
import type { Services } from "../services.ts";
import type { Certificate, Listening, Route } from "../table.ts";
import type { Gateway, Listener } from "./gateway.ts";
import type { GatewayClass } from "./gatewayclass.ts";
import type { GRPCRoute } from "./grpcroute.ts";
import { commonHost, tableHost } from "./hosts.ts";
import type { HTTPRoute } from "./httproute.ts";
import type { ReferenceGrant } from "./referencegrant.ts";
import type { BackendRef, ParentRef } from "./route-schema.ts";
import { gatewayGroup, type Stored } from "./schema.ts";
import { grpcRule, httpRule, type Resolved, type Translated } from "./translate.ts";

export const gatewayController = "timonier.dev/gateway";

export type GatewayObjects = {
  readonly classes: readonly Stored<GatewayClass>[];
  readonly gateways: readonly Stored<Gateway>[];
  readonly httpRoutes: readonly Stored<HTTPRoute>[];
  readonly grpcRoutes: readonly Stored<GRPCRoute>[];
  readonly grants: readonly Stored<ReferenceGrant>[];
  readonly namespaceLabels: (name: string) => { readonly [label: string]: string } | undefined;
};
/** A condition before it has a time and generation. */
export type Said = { readonly type: string; readonly status: "True" | "False"; readonly reason: string; readonly message: string };
export type ListenerPlan = { readonly name: string; readonly attachedRoutes: number; readonly supportedKinds: readonly { readonly group: string; readonly kind: string }[]; readonly conditions: readonly Said[] };
export type GatewayPlan = { readonly gateway: Stored<Gateway>; readonly conditions: readonly Said[]; readonly listeners: readonly ListenerPlan[]; readonly isAddressed: boolean; /** What it asks for and does not get. */ readonly warnings: readonly string[] };
export type RoutePlan = { readonly kind: "HTTPRoute" | "GRPCRoute"; readonly route: Stored<HTTPRoute> | Stored<GRPCRoute>; readonly parents: readonly { readonly parentRef: ParentRef; readonly conditions: readonly Said[] }[] };
export type Served = { readonly port: number; readonly secure: boolean; readonly listener: string; readonly host: string; readonly routes: readonly Route[]; readonly certificates: readonly Certificate[] };
export type GatewayTable = { readonly served: readonly Served[]; readonly gateways: readonly GatewayPlan[]; readonly routes: readonly RoutePlan[] };

type Open = { readonly gateway: Stored<Gateway>; readonly listener: Listener; readonly kinds: readonly string[]; problems: Said[]; readonly certificates: readonly Certificate[]; attached: number; readonly hosts: Map<string, Route[]> };
const ok = (type: string, reason: string, message = ""): Said => ({ type, status: "True", reason, message });
const bad = (type: string, reason: string, message: string): Said => ({ type, status: "False", reason, message });
const routeKinds = ["HTTPRoute", "GRPCRoute"];

const byAge = (a: Stored<unknown>, b: Stored<unknown>): number =>
  a.metadata.creationTimestamp.localeCompare(b.metadata.creationTimestamp) || `${a.metadata.namespace}/${a.metadata.name}`.localeCompare(`${b.metadata.namespace}/${b.metadata.name}`);

export function planGateways(objects: GatewayObjects, services: Services, listening: Listening | undefined, address: string): GatewayTable {
  const classes = new Set(objects.classes.filter(({ spec }) => spec.controllerName === gatewayController).map(({ metadata }) => metadata.name));
  const ours = objects.gateways.filter(({ spec, metadata }) => classes.has(spec.gatewayClassName) && metadata.deletionTimestamp === undefined).toSorted(byAge);
  const permits = permitsOf(objects.grants);
  // A port speaks one protocol, and 80 and 443 are what an Ingress expects of them.
  const protocols = new Map<number, string>([[80, "HTTP"], [443, "HTTPS"]]);
  const open = ours.filter(gateway => parametersOf(gateway) === undefined).flatMap(gateway => gateway.spec.listeners.map(listener => openListener(gateway, listener, services, permits, protocols)));

  const routes = [
    ...objects.httpRoutes.map(route => ({ kind: "HTTPRoute" as const, route, rules: (route.spec.rules ?? []).map(rule => (owner: string) => httpRule(rule, owner, resolverOf("HTTPRoute", route, services, permits))) })),
    ...objects.grpcRoutes.map(route => ({ kind: "GRPCRoute" as const, route, rules: (route.spec.rules ?? []).map(rule => (owner: string) => grpcRule(rule, owner, resolverOf("GRPCRoute", route, services, permits))) })),
  ].filter(({ route }) => route.metadata.deletionTimestamp === undefined).toSorted((a, b) => byAge(a.route, b.route)).map(({ kind, route, rules }): RoutePlan => {
    const translated = rules.map(rule => rule(`${kind} ${route.metadata.namespace}/${route.metadata.name}`));
    const parents = (route.spec.parentRefs ?? []).flatMap(parentRef => {
      const gateway = ours.find(({ metadata }) => (parentRef.group ?? gatewayGroup) === gatewayGroup && (parentRef.kind ?? "Gateway") === "Gateway" && metadata.name === parentRef.name && metadata.namespace === (parentRef.namespace ?? route.metadata.namespace));
      return gateway ? [{ parentRef, conditions: attach(kind, route, parentRef, open.filter(one => one.gateway === gateway), translated, objects) }] : [];
    });
    return { kind, route, parents };
  });
  return {
    served: open.filter(isServed).flatMap(({ listener, hosts, certificates }) => {
      const at = { port: listener.port, secure: listener.protocol === "HTTPS", certificates, listener: tableHost(listener.hostname ?? "") };
      // A listener without routes is listened on all the same.
      return hosts.size === 0 ? [{ ...at, host: tableHost(listener.hostname ?? ""), routes: [] }] : [...hosts].map(([host, found]) => ({ ...at, host: tableHost(host), routes: found.map(one => ({ ...one, listener: at.listener })) }));
    }),
    gateways: ours.map(gateway => planOf(gateway, open.filter(one => one.gateway === gateway), listening, address)),
    routes,
  };
}

const isServed = ({ problems }: Open): boolean => !problems.some(({ type }) => type === "Accepted" || type === "Conflicted") && !problems.some(({ reason }) => reason === "InvalidCertificateRef" || reason === "RefNotPermitted");

function openListener(gateway: Stored<Gateway>, listener: Listener, services: Services, permits: Permits, protocols: Map<number, string>): Open {
  const problems: Said[] = [];
  const certificates: Certificate[] = [];
  const { protocol, port, tls, allowedRoutes } = listener;
  if (protocol !== "HTTP" && protocol !== "HTTPS") problems.push(bad("Accepted", "UnsupportedProtocol", `protocol ${protocol} is not supported: expected HTTP or HTTPS`));
  else if ((protocols.get(port) ?? protocol) !== protocol) problems.push(bad("Conflicted", "ProtocolConflict", `port ${port} is used for ${protocols.get(port)}`));
  else protocols.set(port, protocol);
  if (protocol === "HTTPS") {
    if ((tls?.certificateRefs ?? []).length === 0) problems.push(bad("ResolvedRefs", "InvalidCertificateRef", "tls.certificateRefs is empty: expected a Secret with tls.crt and tls.key"));
    for (const ref of tls?.certificateRefs ?? []) {
      const namespace = ref.namespace ?? gateway.metadata.namespace ?? "";
      const pair = (ref.group ?? "") === "" && (ref.kind ?? "Secret") === "Secret" ? services.certificate(namespace, ref.name) : undefined;
      if (!permits({ group: gatewayGroup, kind: "Gateway", namespace: gateway.metadata.namespace ?? "" }, { group: "", kind: "Secret", namespace, name: ref.name })) problems.push(bad("ResolvedRefs", "RefNotPermitted", `no ReferenceGrant in namespace ${namespace} lets this gateway refer to secret ${ref.name}`));
      else if (!pair || !/-----BEGIN CERTIFICATE-----[^-]+-----END/.test(pair.cert) || !/-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]+-----END/.test(pair.key)) problems.push(bad("ResolvedRefs", "InvalidCertificateRef", `${ref.kind ?? "Secret"} ${namespace}/${ref.name} is not there or has no certificate and key`));
      else certificates.push({ hosts: [tableHost(listener.hostname ?? "")], ...pair });
    }
  }
  const asked = allowedRoutes?.kinds ?? [];
  const kinds = asked.length === 0 ? routeKinds : asked.filter(kind => (kind.group ?? gatewayGroup) === gatewayGroup && routeKinds.includes(kind.kind)).map(({ kind }) => kind);
  if (kinds.length < asked.length) problems.push(bad("ResolvedRefs", "InvalidRouteKinds", `allowedRoutes.kinds names a kind that is not served: expected ${routeKinds.join(" or ")}`));
  return { gateway, listener, kinds, problems, certificates, attached: 0, hosts: new Map() };
}

/** Adds the route's rules to the listeners that take it, and says how it went. */
function attach(kind: string, route: Stored<HTTPRoute> | Stored<GRPCRoute>, parentRef: ParentRef, listeners: readonly Open[], rules: readonly Translated[], objects: GatewayObjects): readonly Said[] {
  const meant = listeners.filter(({ listener }) => (parentRef.sectionName === undefined || listener.name === parentRef.sectionName) && (parentRef.port === undefined || listener.port === parentRef.port));
  const allowed = meant.filter(one => one.kinds.includes(kind) && mayAttach(one, route.metadata.namespace ?? "", objects));
  const hostnames = (route.spec.hostnames ?? []).length > 0 ? route.spec.hostnames ?? [] : [""];
  const fitting = allowed.map(open => ({ open, hosts: hostnames.flatMap(hostname => commonHost(open.listener.hostname ?? "", hostname) ?? []) })).filter(({ hosts }) => hosts.length > 0);
  const unsupported = rules.find(rule => rule.unsupported)?.unsupported;
  const unresolved = rules.find(rule => rule.unresolved)?.unresolved;
  const accepted = meant.length === 0 ? bad("Accepted", "NoMatchingParent", "the gateway has no such listener")
    : allowed.length === 0 ? bad("Accepted", "NotAllowedByListeners", "no listener of the gateway allows routes of this kind from this namespace")
      : fitting.length === 0 ? bad("Accepted", "NoMatchingListenerHostname", "no hostname of the route is one of the gateway's listeners")
        : unsupported !== undefined ? bad("Accepted", "UnsupportedValue", unsupported) : ok("Accepted", "Accepted", "the route is accepted");
  if (accepted.reason === "Accepted" || accepted.reason === "UnsupportedValue")
    for (const { open, hosts } of fitting) {
      open.attached++;
      for (const host of new Set(hosts)) {
        let found = open.hosts.get(host);
        if (!found) open.hosts.set(host, found = []);
        found.push(...rules.flatMap(({ routes }) => routes));
      }
    }
  return [accepted, unresolved ? bad("ResolvedRefs", unresolved.reason, unresolved.message) : ok("ResolvedRefs", "ResolvedRefs", "all references are resolved")];
}

function mayAttach({ gateway, listener: { allowedRoutes } }: Open, namespace: string, { namespaceLabels }: GatewayObjects): boolean {
  const { from = "Same", selector } = allowedRoutes?.namespaces ?? {};
  if (from === "All") return true;
  if (from === "Same") return namespace === gateway.metadata.namespace;
  const labels = namespaceLabels(namespace);
  return labels !== undefined && selector !== undefined && selectorOf(selector).matches(labels);
}

function planOf(gateway: Stored<Gateway>, listeners: readonly Open[], listening: Listening | undefined, address: string): GatewayPlan {
  const plans = listeners.map(({ listener, kinds, problems, attached }): ListenerPlan & { readonly works: boolean; readonly waits: boolean } => {
    const at = listening?.[listener.port];
    const taken = typeof at === "string" ? bad("Accepted", "PortUnavailable", at) : undefined;
    const all = taken ? [...problems, taken] : problems;
    const found = (type: string): Said | undefined => all.find(problem => problem.type === type);
    const waits = all.length === 0 && at === undefined;
    const works = !all.some(({ reason }) => reason !== "InvalidRouteKinds") && !waits;
    const elsewhere = typeof at === "number" && at !== listener.port ? `; port ${listener.port} is taken by another program, so it is port ${at}` : "";
    const conflict = found("Conflicted");
    return {
      name: listener.name, attachedRoutes: attached, supportedKinds: kinds.map(kind => ({ group: gatewayGroup, kind })), works, waits,
      conditions: [
        found("Accepted") ?? (conflict ? bad("Accepted", conflict.reason, conflict.message) : ok("Accepted", "Accepted", "the listener is accepted")),
        works ? ok("Programmed", "Programmed", `the listener is served${elsewhere}`) : bad("Programmed", waits ? "Pending" : "Invalid", waits ? "the proxy is starting" : all[0]?.message ?? ""),
        found("ResolvedRefs") ?? ok("ResolvedRefs", "ResolvedRefs", "all references are resolved"),
        conflict ? { ...conflict, status: "True" } : bad("Conflicted", "NoConflicts", "no other listener is in the way"),
      ],
    };
  });
  const asked = gateway.spec.addresses ?? [];
  const parameters = parametersOf(gateway);
  const otherType = asked.find(({ type = "IPAddress" }) => type !== "IPAddress");
  const otherAddress = asked.find(({ value }) => value !== undefined && value !== "" && value !== address);
  const valid = plans.filter(({ conditions }) => conditions[0]?.status === "True" && conditions[2]?.status === "True").length;
  const isAnyServed = plans.some(({ works }) => works);
  return {
    gateway, isAddressed: isAnyServed && !otherType && !parameters, warnings: warningsOf(gateway),
    conditions: [
      parameters ? bad("Accepted", "InvalidParameters", parameters) : otherType ? bad("Accepted", "UnsupportedAddress", `addresses of type ${otherType.type} are not supported: expected IPAddress`)
        : valid === plans.length ? ok("Accepted", "Accepted", "the gateway is accepted")
          : { ...(plans.some(({ conditions }) => conditions[0]?.status === "True") ? ok("Accepted", "ListenersNotValid") : bad("Accepted", "ListenersNotValid", "")), message: `${plans.length - valid} of ${plans.length} listeners are not valid: see their conditions` },
      parameters ? bad("Programmed", "Invalid", "its parameters cannot be used")
        : otherType ? bad("Programmed", "Invalid", "its addresses cannot be used")
        : otherAddress ? bad("Programmed", "AddressNotUsable", `address ${otherAddress.value} is not this machine's: expected ${address} or none`)
          : isAnyServed ? ok("Programmed", "Programmed", "the gateway is served") : bad("Programmed", plans.some(({ waits }) => waits) ? "Pending" : "Invalid", plans.some(({ waits }) => waits) ? "the proxy is starting" : "no listener can be served"),
    ],
    listeners: plans.map(({ works: _w, waits: _p, ...plan }) => plan),
  };
}

/** Upstream: a gateway whose parameters cannot be had is not accepted. */
function parametersOf({ spec: { infrastructure } }: Stored<Gateway>): string | undefined {
  const ref = infrastructure?.parametersRef;
  return ref && `infrastructure.parametersRef ${ref.kind} ${ref.name} is not supported: gateways of ${gatewayController} have no parameters`;
}
/** Fields that Gateway API leaves to implementations, and that do nothing here. */
function warningsOf({ spec: { infrastructure, listeners } }: Stored<Gateway>): readonly string[] {
  const keys = (object: { readonly [key: string]: string } | undefined): string => Object.keys(object ?? {}).toSorted().join(", ");
  return [
    ...(["labels", "annotations"] as const).flatMap(field => (keys(infrastructure?.[field]) === "" ? [] : [`spec.infrastructure.${field} (${keys(infrastructure?.[field])}) have no effect: nothing is made on behalf of a gateway here`])),
    ...listeners.flatMap(({ name, tls }) => (keys(tls?.options) === "" ? [] : [`listener ${name}: tls.options (${keys(tls?.options)}) have no effect: expected none`])),
  ];
}

type Permits = (from: { readonly group: string; readonly kind: string; readonly namespace: string }, to: { readonly group: string; readonly kind: string; readonly namespace: string; readonly name: string }) => boolean;
function permitsOf(grants: readonly Stored<ReferenceGrant>[]): Permits {
  return (from, to) => from.namespace === to.namespace || grants.some(({ metadata, spec }) => metadata.namespace === to.namespace && metadata.deletionTimestamp === undefined
    && spec.from.some(one => one.group === from.group && one.kind === from.kind && one.namespace === from.namespace)
    && spec.to.some(one => one.group === to.group && one.kind === to.kind && (one.name === undefined || one.name === "" || one.name === to.name)));
}

function resolverOf(kind: string, { metadata }: Stored<unknown>, services: Services, permits: Permits): (ref: Omit<BackendRef, "weight" | "filters">) => Resolved {
  const own = metadata.namespace ?? "";
  return ({ group = "", kind: wanted = "Service", name, namespace = own, port }) => {
    if (group !== "" || wanted !== "Service") return { reason: "InvalidKind", message: `backends of kind ${group === "" ? "" : `${group}/`}${wanted} are not supported: expected Service` };
    if (!permits({ group: gatewayGroup, kind, namespace: own }, { group: "", kind: "Service", namespace, name })) return { reason: "RefNotPermitted", message: `no ReferenceGrant in namespace ${namespace} lets this route refer to service ${name}` };
    const found = services.backend(namespace, name, port ?? 0);
    if (found.missing !== undefined) return { reason: "BackendNotFound", message: `service ${namespace}/${name} ${found.missing === "service" ? "is not there" : `has no port ${port}`}` };
    return { key: found.key, ...(found.appProtocol === undefined ? {} : { appProtocol: found.appProtocol }) };
  };
}
