import assert from "node:assert/strict";
import { property } from "./property.ts";
import { Cluster } from "./cluster.ts";
import { calm, rough } from "./faulty-client.ts";
import { Informers } from "../../src/client/informers.ts";
import { supervise } from "../../src/base/supervise.ts";
import { IngressController, type Ports } from "../../src/ingress/controller.ts";
import type { Table } from "../../src/ingress/routes.ts";
import { Service } from "../../src/kinds/core/service.ts";
import { EndpointSlice } from "../../src/kinds/discovery/endpointslice.ts";
import { Ingress } from "../../src/kinds/networking/ingress.ts";
import { IngressClass } from "../../src/kinds/networking/ingressclass.ts";

type Proxies = { started: number; table: Table | undefined; events: string[]; die: () => void };

/** The controller as a process of the simulated cluster, with a proxy that only remembers its table. */
function runIngress(cluster: Cluster): Proxies {
  const seen: Proxies = { started: 0, table: undefined, events: [], die: () => undefined };
  cluster.process("ingress", async life => {
    const client = cluster.client("ingress", life);
    const informers = new Informers(client, { clock: cluster.clock, log: cluster.log }, life);
    const controller = new IngressController({
      client, informers, clock: cluster.clock, log: cluster.log, address: "192.0.2.1", decodeBase64: text => text,
      recorder: { event: (_object, _type, _reason, message) => void seen.events.push(message) },
      startProxy: () => {
        seen.started++;
        seen.table = undefined;
        let end = (): void => undefined;
        const ended = new Promise<void>(resolve => { end = resolve; });
        seen.die = end;
        return { listening: Promise.resolve<Ports>({ http: 80, https: 443 }), ended, setTable: table => { seen.table = table; }, close: end };
      },
    });
    await supervise(controller, { clock: cluster.clock, maxWaitMs: 5_000, log: cluster.log }, life);
  });
  return seen;
}
const endpoints = (table: Table | undefined): string => (table?.hosts ?? []).map(({ host, routes }) => `${host} ${routes.map(({ path, backend }) => `${path}=${backend.endpoints.join("+")}`).join(",")}`).join("; ");
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

  proxy.die();
  await cluster.until(() => proxy.started === 2 && endpoints(proxy.table) === "h /=10.0.0.2:8080", 5_000, "a proxy that ended is started again with its table");
  await cluster.run(cluster.admin.delete(Ingress, "default", "web"));
  await cluster.until(() => endpoints(proxy.table) === "", 5_000, "the route goes with its ingress");
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
  await cluster.until(() => (proxy.table?.hosts ?? []).map(({ host }) => host).toSorted().join(" ") === "a c" && cluster.all(Ingress).every(({ status }) => status.loadBalancer.ingress?.length === 1), 300_000, "routes for a and c, and their addresses");
  await cluster.stop();
});
