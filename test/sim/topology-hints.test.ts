import assert from "node:assert/strict";
import { loop } from "../../src/controllers/controller.ts";
import { endpointSliceController } from "../../src/controllers/endpointslice.ts";
import { Event } from "../../src/kinds/core/event.ts";
import { Node } from "../../src/kinds/core/node.ts";
import { Pod } from "../../src/kinds/core/pod.ts";
import { Service } from "../../src/kinds/core/service.ts";
import { EndpointSlice } from "../../src/kinds/discovery/endpointslice.ts";
import { Cluster } from "./cluster.ts";
import { calm } from "./faulty-client.ts";
import { property } from "./property.ts";

const zoneLabel = "topology.kubernetes.io/zone";
const ready = (status: string): object => ({ conditions: [{ type: "Ready", status, lastTransitionTime: "2026-01-01T00:00:00Z" }] });

property("no zone hears over a fifth more than its share by hints, and nothing is written at rest", 10, async (seed, mutant) => {
  const cluster = new Cluster(seed, { faults: calm });
  await cluster.start();
  const { random, admin } = cluster;
  cluster.runControllers(["endpointslice"], service => (mutant === "deaf-to-nodes" ? loop({ ...endpointSliceController(), watches: endpointSliceController().watches.filter(({ kind }) => kind !== Node), reads: [Node] }) : service));
  await cluster.run(admin.create(Service, { metadata: { name: "web", namespace: "default", annotations: { "service.kubernetes.io/topology-mode": "Auto" } }, spec: { selector: { app: "web" }, ports: [{ port: 80 }] } } as never));
  let writes = 0;
  cluster.onChange((_type, { kind }) => { if (kind === "EndpointSlice") writes++; });

  let made = 0;
  const addNode = async (): Promise<void> => {
    const resources = { cpu: String(random.pick([2, 4, 8])), memory: "8Gi", pods: "110" };
    await cluster.run(admin.create(Node, { metadata: { name: `n${made++}`, labels: { [zoneLabel]: random.pick(["a", "b", "c"]) } }, status: { capacity: resources, allocatable: resources, ...ready("True") } } as never));
  };
  const addPod = async (): Promise<void> => {
    const name = `p${made++}`;
    const pod = await cluster.run(admin.create(Pod, { metadata: { name, namespace: "default", labels: { app: "web" } }, spec: { nodeName: random.pick(cluster.all(Node)).metadata.name, containers: [{ name: "c", image: "web" }] } } as never));
    await cluster.run(admin.updateStatus(Pod, { ...pod, status: { phase: "Running", podIP: `10.0.${made >> 8}.${made & 255}`, podIPs: [{ ip: `10.0.${made >> 8}.${made & 255}` }], ...ready("True") } } as never));
  };
  const someNode = (): Node => random.pick(cluster.all(Node));
  const somePod = (): Pod => random.pick(cluster.all(Pod));
  const flipped = (conditions: readonly { readonly type: string; readonly status: string }[] | undefined): object => ready(conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true ? "False" : "True");
  const actions: readonly (() => Promise<unknown>)[] = [
    addNode, addPod, addPod, addPod, addPod,
    async () => cluster.all(Node).length > 2 && cluster.run(admin.delete(Node, "", someNode().metadata.name)),
    async () => { const node = someNode(); await cluster.run(admin.updateStatus(Node, { ...node, status: { ...node.status, ...flipped(node.status.conditions) } } as never)); },
    async () => { const node = someNode(); await cluster.run(admin.updateStatus(Node, { ...node, status: { ...node.status, allocatable: { ...node.status.allocatable, cpu: String(random.pick([1, 3, 16])) } } } as never)); },
    async () => { const node = someNode(); await cluster.run(admin.update(Node, { ...node, metadata: { ...node.metadata, labels: random.pick([{ [zoneLabel]: "a" }, { [zoneLabel]: "c" }, {}, { [zoneLabel]: "a", "node-role.kubernetes.io/control-plane": "" }]) } } as never)); },
    async () => cluster.all(Pod).length > 3 && cluster.run(admin.delete(Pod, "default", somePod().metadata.name, { gracePeriodSeconds: 0 })),
    async () => { const pod = somePod(); await cluster.run(admin.updateStatus(Pod, { ...pod, status: { ...pod.status, ...flipped(pod.status.conditions) } } as never)); },
  ];
  for (let i = 0; i < 4; i++) await addNode();
  for (let i = 0; i < 9; i++) await addPod();
  for (let i = 0; i < 60; i++) {
    await random.pick(actions)();
    await cluster.clock.pass(1_000);
    check(cluster.all(Node), cluster.all(EndpointSlice).flatMap(({ endpoints }) => endpoints));
  }
  const before = writes;
  await cluster.clock.pass(60_000);
  assert.equal(writes, before, "at rest nothing is written");
  const told = cluster.all(Event).filter(({ reason }) => reason?.startsWith("TopologyAwareHints") === true);
  assert.ok(told.length > 0);
  assert.ok(told.reduce((sum, { count }) => sum + (count ?? 1), 0) <= writes + told.length, "no refusal is said again unless something was written");
  await cluster.stop();
}, ["deaf-to-nodes"]);

function check(nodes: readonly Node[], endpoints: EndpointSlice["endpoints"]): void {
  const counted = nodes.filter(({ metadata, status }) => status.conditions?.[0]?.status === "True" && metadata.labels?.["node-role.kubernetes.io/control-plane"] === undefined);
  const cpus = Map.groupBy(counted, ({ metadata }) => metadata.labels?.[zoneLabel] ?? "");
  const cpuOf = (some: readonly Node[]): number => some.reduce((sum, { status }) => sum + Number(status.allocatable?.["cpu"]), 0);
  const usable = endpoints.filter(({ conditions }) => conditions.ready);
  const needs = [...cpus].map(([zone, members]) => ({ zone, share: cpuOf(members) / cpuOf(counted) * usable.length })).map(each => ({ ...each, least: Math.ceil(each.share * (1 / 1.2)) }));
  const can = cpus.size >= 2 && !cpus.has("") && usable.length >= cpus.size && usable.every(({ zone }) => zone !== undefined) && needs.reduce((sum, { least }) => sum + least, 0) <= usable.length;
  for (const { conditions, hints } of endpoints) assert.equal(hints?.forZones?.length ?? 0, can && conditions.ready ? 1 : 0, "each ready endpoint has one hint, if any has");
  // Endpoints of a zone without a share stay there, as upstream has it, and are missing elsewhere.
  if (!can || !usable.every(({ zone }) => cpus.has(zone!))) return;
  const counts = needs.map(each => ({ ...each, count: usable.filter(({ hints }) => hints!.forZones![0]!.name === each.zone).length }));
  for (const { zone, share, least, count } of counts)
    assert.ok(count >= least || counts.every(other => other.count - Math.max(other.share, other.least) < 0.5), `zone ${zone} has ${count} of ${usable.length} endpoints and a share of ${share.toFixed(2)}, while another has half a one too many`);
}
