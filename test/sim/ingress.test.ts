import assert from "node:assert/strict";
import { property } from "./property.ts";
import { Cluster } from "./cluster.ts";
import { calm, rough } from "./faulty-client.ts";
import { Informers } from "../../src/client/informers.ts";
import { supervise } from "../../src/base/supervise.ts";
import { IngressController } from "../../src/ingress/controller.ts";
import type { Table } from "../../src/ingress/table.ts";
import { celWith } from "../../src/api/cel-library.ts";
import { celHost, compilePattern } from "../../src/host/regex.ts";
import { gateways, type Gateway } from "../../src/ingress/gateway/gateway.ts";
import { httpRoutes, type HTTPRoute } from "../../src/ingress/gateway/httproute.ts";
import type { Condition } from "../../src/ingress/gateway/schema.ts";
import type { AnyKind } from "../../src/kinds/kind.ts";
import { Service } from "../../src/kinds/core/service.ts";
import { EndpointSlice } from "../../src/kinds/discovery/endpointslice.ts";
import { Ingress } from "../../src/kinds/networking/ingress.ts";
import { IngressClass } from "../../src/kinds/networking/ingressclass.ts";

type Proxies = { started: number; stopped: number; runs: boolean; table: Table | undefined; events: string[]; ports: Set<number> };

/** The controller as a process of the simulated cluster, with a proxy that only remembers its table. */
function runIngress(cluster: Cluster, gateways = false): Proxies {
  const seen: Proxies = { started: 0, stopped: 0, runs: false, table: undefined, events: [], ports: new Set() };
  cluster.process("ingress", async life => {
    const client = cluster.client("ingress", life);
    const informers = new Informers(client, { clock: cluster.clock, log: cluster.log }, life);
    const controller = new IngressController({
      client, informers, clock: cluster.clock, log: cluster.log, address: "192.0.2.1", decodeBase64: text => text,
      ...(gateways ? { gateways: { isServed: kind => cluster.registry?.of(kind) !== undefined, onServed: listener => cluster.registry?.onChange(listener) ?? (() => undefined) } } : {}),
      recorder: { event: (_object, _type, _reason, message) => void seen.events.push(message) },
      proxy: onListening => ({
        setTable: table => {
          if (!seen.runs) seen.started++;
          seen.runs = true;
          if (table.listeners.some(({ port }) => !seen.ports.has(port))) { for (const { port } of table.listeners) seen.ports.add(port); onListening(Object.fromEntries([...seen.ports].map(port => [port, port]))); }
          seen.table = table;
        },
        stop: () => { if (seen.runs) seen.stopped++; seen.runs = false; },
        close: () => undefined,
      }),
    });
    await supervise(controller, { clock: cluster.clock, maxWaitMs: 5_000, log: cluster.log }, life);
  });
  return seen;
}
const endpoints = (table: Table | undefined): string => (table?.listeners[0]?.hosts ?? []).map(({ host, routes }) => `${host} ${routes.map(({ path, backends }) => `${path}=${table?.backends[backends[0]?.backend ?? ""]?.join("+")}`).join(",")}`).join("; ");
const ingress = (name: string, host: string, more: object = {}): never => ({ metadata: { name, namespace: "default", ...more }, spec: { ingressClassName: "nginx", rules: [{ host, http: { paths: [{ path: "/", pathType: "Prefix", backend: { service: { name: "web", port: { number: 80 } } } }] } }] } }) as never;
const slice = (...addresses: readonly string[]): never => ({ metadata: { name: "web-1", namespace: "default", labels: { "kubernetes.io/service-name": "web" } }, addressType: "IPv4", ports: [{ name: "", port: 8080, protocol: "TCP" }], endpoints: addresses.map(address => ({ addresses: [address], conditions: { ready: true } })) }) as never;

property("the proxy starts with the first ingress of ours, follows endpoints at once, and its address is told", 3, async seed => {
  const cluster = new Cluster(seed, { faults: calm });
  await cluster.start();
  const proxy = runIngress(cluster);
  await cluster.until(() => cluster.all(IngressClass).length === 2, 10_000, "the classes are there");
  await cluster.run(cluster.admin.create(Service, { metadata: { name: "web", namespace: "default" }, spec: { ports: [{ port: 80 }] } } as never));
  await cluster.run(cluster.admin.create(EndpointSlice, slice("10.0.0.1")));
  await cluster.run(cluster.admin.create(Ingress, { ...(ingress("other", "o") as object), spec: { ingressClassName: "elsewhere", defaultBackend: { service: { name: "web", port: { number: 80 } } } } } as never));
  await cluster.clock.pass(2_000);
  assert.equal(proxy.started, 0, "an ingress of another class needs no proxy of ours");

  await cluster.run(cluster.admin.create(Ingress, ingress("web", "h", { annotations: { "nginx.ingress.kubernetes.io/server-snippet": "x" } })));
  await cluster.until(() => endpoints(proxy.table) === "h /=10.0.0.1:8080", 5_000, "the table has the endpoint");
  await cluster.until(() => cluster.all(Ingress).find(({ metadata }) => metadata.name === "web")?.status.loadBalancer.ingress?.[0]?.ip === "192.0.2.1", 5_000, "the status has the address");
  assert.equal(cluster.all(Ingress).find(({ metadata }) => metadata.name === "other")?.status.loadBalancer.ingress, undefined);

  const before = cluster.all(EndpointSlice).find(({ metadata }) => metadata.name === "web-1") as EndpointSlice;
  await cluster.run(cluster.admin.update(EndpointSlice, { ...before, endpoints: [{ addresses: ["10.0.0.2"], conditions: { ready: true } }, { addresses: ["10.0.0.1"], conditions: { ready: false } }] } as never));
  const changedAt = cluster.clock.monotonic();
  await cluster.until(() => endpoints(proxy.table) === "h /=10.0.0.2:8080", 5_000, "the table follows");
  assert.ok(cluster.clock.monotonic() - changedAt <= 100, "within 100 ms");
  await cluster.clock.pass(5_000);
  assert.deepEqual(proxy.events, ["annotation nginx.ingress.kubernetes.io/server-snippet is not supported and has no effect"], "said once");

  await cluster.run(cluster.admin.delete(Ingress, "default", "web"));
  await cluster.until(() => endpoints(proxy.table) === "", 5_000, "the route goes with its ingress");
  await cluster.until(() => proxy.stopped === 1, 30_000, "without an ingress there is no proxy");
  await cluster.stop();
});

property("the table comes to say what the objects say, whatever the network does", 3, async seed => {
  const cluster = new Cluster(seed, { faults: rough, crashEveryMs: 3_000, serverCrashEveryMs: 8_000 });
  await cluster.start();
  const proxy = runIngress(cluster);
  await cluster.until(() => cluster.all(IngressClass).length === 2, 120_000, "the classes are there");
  await cluster.run(cluster.admin.create(Service, { metadata: { name: "web", namespace: "default" }, spec: { ports: [{ port: 80 }] } } as never));
  await cluster.run(cluster.admin.create(EndpointSlice, slice("10.0.0.1")));
  for (const name of ["a", "b", "c"]) {
    await cluster.run(cluster.admin.create(Ingress, ingress(name, name)));
    await cluster.clock.pass(700);
  }
  await cluster.run(cluster.admin.delete(Ingress, "default", "b"));
  await cluster.until(() => (proxy.table?.listeners[0]?.hosts ?? []).map(({ host }) => host).toSorted().join(" ") === "a c" && cluster.all(Ingress).every(({ status }) => status.loadBalancer.ingress?.length === 1), 300_000, "routes for a and c, and their addresses");
  assert.deepEqual([proxy.started, proxy.stopped], [1, 0], "the proxy goes on while the controller does not run");
  await cluster.stop();
});

property("gateways and routes come to say what is served of them, though writes fail and the controller dies", 3, async seed => {
  const cluster = new Cluster(seed, { faults: rough, crashEveryMs: 3_000, customResources: { compilePattern, loadCel: async () => celWith(celHost) } });
  await cluster.start();
  const proxy = runIngress(cluster, true);
  const [gatewayKind, routeKind] = [gateways.kind as AnyKind, httpRoutes.kind as AnyKind];
  await cluster.until(() => cluster.registry?.of(gatewayKind) !== undefined && cluster.registry.of(routeKind) !== undefined, 120_000, "the kinds are served");
  await cluster.run(cluster.admin.create(Service, { metadata: { name: "web", namespace: "default" }, spec: { ports: [{ port: 80 }] } } as never));
  await cluster.run(cluster.admin.create(EndpointSlice, slice("10.0.0.1")));
  await cluster.run(cluster.admin.create(gatewayKind, { apiVersion: "gateway.networking.k8s.io/v1", kind: "Gateway", metadata: { name: "g", namespace: "default" }, spec: { gatewayClassName: "timonier", listeners: [{ name: "http", port: 80, protocol: "HTTP" }] } } as never));
  const route = (name: string, backend: string): Promise<unknown> => cluster.run(cluster.admin.create(routeKind, { apiVersion: "gateway.networking.k8s.io/v1", kind: "HTTPRoute", metadata: { name, namespace: "default" }, spec: { parentRefs: [{ name: "g" }], hostnames: [name], rules: [{ backendRefs: [{ name: backend, port: 80 }] }] } } as never));
  await route("good", "web");
  await route("bad", "none");
  const said = (conditions: readonly Condition[] | undefined): string => (conditions ?? []).map(({ type, status, reason }) => `${type}=${status === "True" ? "" : "!"}${reason}`).join(" ");
  const gateway = (): Gateway => cluster.all(gatewayKind)[0] as unknown as Gateway;
  const routes = (): string => (cluster.all(routeKind) as unknown as (HTTPRoute & { metadata: { name: string } })[]).map(({ metadata, status }) => `${metadata.name} ${said(status?.parents[0]?.conditions)}`).toSorted().join("; ");
  await cluster.until(() => said(gateway().status?.conditions) === "Accepted=Accepted Programmed=Programmed" && gateway().status?.listeners?.[0]?.attachedRoutes === 2
    && routes() === "bad Accepted=Accepted ResolvedRefs=!BackendNotFound; good Accepted=Accepted ResolvedRefs=ResolvedRefs" && endpoints(proxy.table).includes("good /=10.0.0.1:8080"), 300_000, "statuses and the table");
  await cluster.run(cluster.admin.delete(routeKind, "default", "bad"));
  await cluster.until(() => gateway().status?.listeners?.[0]?.attachedRoutes === 1 && !endpoints(proxy.table).includes("bad"), 300_000, "the route is gone everywhere");
  await cluster.stop();
});
