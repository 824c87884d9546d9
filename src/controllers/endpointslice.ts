import { byNamespace, byNode, keyOf, type Change } from "../client/informer.ts";
import { Node } from "../kinds/core/node.ts";
import { Pod } from "../kinds/core/pod.ts";
import { Service } from "../kinds/core/service.ts";
import { EndpointSlice, type Endpoint } from "../kinds/discovery/endpointslice.ts";
import type { Context, Controller } from "./controller.ts";
import { isPodReady } from "./pods.ts";
import { addressesOf, familiesOf, hasAddress, headlessLabel, hostnameOf, isHeadless, podsOf, portsOf, selectsPods, servicesOfPod, targetRef, triggerAnnotation, triggerTime } from "./service-pods.ts";
import { managedByLabel, planSlices, serviceNameLabel, type Group } from "./slice-plan.ts";
import { bySliceService, serviceOfSlice, writeSlices } from "./slice-writes.ts";
import { byTopologyHints, planTopologyHints, shareOfNode, wantsTopologyHints, withoutHints, zoneLabel, zoneShares } from "./topology-hints.ts";

const manager = "endpointslice-controller.k8s.io";
/** Endpoints in one slice (--max-endpoints-per-slice). */
const endpointsMax = 100;

/** Keeps the EndpointSlices of services with a selector. */
export function endpointSliceController(): Controller {
  // Services with hints by annotation: that they have them now is told once, and again after a restart.
  const hinted = new Set<string>();
  // What was said of them last, by service and family: a run that only our own write has caused says nothing twice.
  const said = new Map<string, string>();
  return {
    name: "endpointslice",
    account: "endpointslice-controller",
    component: "endpoint-slice-controller",
    reconciles: Service,
    watches: [
      { kind: Pod, keysOf: servicesOfPod },
      { kind: EndpointSlice, keysOf: serviceOfSlice(manager) },
      { kind: Node, keysOf: servicesOfNode },
    ],

    async reconcile(key, context) {
      const service = context.read(Service).get(key);
      if (service === undefined || !selectsPods(service)) {
        hinted.delete(key);
        for (const family of ["IPv4", "IPv6"]) said.delete(`${key} ${family}`);
        return undefined;
      }
      const existing = context.read(EndpointSlice).by(bySliceService, `${manager}/${key}`).filter(slice => slice.metadata.deletionTimestamp === undefined);
      const pods = podsOf(service, context.read(Pod).by(byNamespace, service.metadata.namespace ?? ""));
      const nodes = context.read(Node);
      const families = familiesOf(service);
      const labels = labelsFor(service);
      const lastTrigger = existing.map(slice => slice.metadata.annotations?.[triggerAnnotation] ?? "").sort().at(-1);
      const owner = { kind: Service, object: service, labels, triggerTime: triggerTime(service, pods, lastTrigger === "" ? undefined : lastTrigger) };
      const byAnnotation = wantsTopologyHints(service);
      const shares = byAnnotation ? zoneShares(nodes.list()) : undefined;
      for (const family of families) {
        const groups = groupEndpoints(service, pods, name => nodes.get(name), family);
        const there = existing.filter(slice => slice.addressType === family);
        const plan = planSlices(byAnnotation ? there.map(withoutHints) : there, groups, { addressType: family, labels, endpointsMax, placeholder: true });
        const hints = byAnnotation ? planTopologyHints(there, plan, shares) : undefined;
        const whole = hints?.plan ?? plan;
        await writeSlices(whole, owner, context);
        const told = hintsEvent(hints, hinted.has(key));
        if (hints !== undefined && hints.refused === undefined) hinted.add(key);
        else hinted.delete(key);
        if (told === undefined || (said.get(`${key} ${family}`) === told.text && whole.create.length + whole.update.length + whole.remove.length === 0)) continue;
        said.set(`${key} ${family}`, told.text);
        context.events.event(service, told.type, told.reason, `${told.text}, addressType: ${family}`);
      }
      await writeSlices({ create: [], update: [], remove: existing.filter(slice => !(families as readonly string[]).includes(slice.addressType)) }, owner, context);
      return undefined;
    },
  };
}

/** Pods whose node was not known yet, or whose zone has changed, and services whose hints follow from the nodes' CPU. */
function servicesOfNode(node: Node, context: Context, { type, previous }: Change<Node>): readonly string[] {
  const share = (node: Node): string => JSON.stringify(shareOfNode(node) ?? "");
  const sameZone = type === "updated" && previous?.metadata.labels?.[zoneLabel] === node.metadata.labels?.[zoneLabel];
  return [
    ...(sameZone ? [] : context.read(Pod).by(byNode, node.metadata.name).flatMap(pod => [...servicesOfPod(pod, context, { type: "added", object: pod })])),
    ...(type === "updated" && share(previous) === share(node) ? [] : context.read(Service).by(byTopologyHints, "yes").map(keyOf)),
  ];
}

/** What is said of hints by annotation: each time that they cannot be, once that they are, once that they are no longer asked for. */
function hintsEvent(hints: { readonly refused: string | undefined } | undefined, were: boolean): { readonly type: "Normal" | "Warning"; readonly reason: string; readonly text: string } | undefined {
  if (hints !== undefined && hints.refused === undefined) return were ? undefined : { type: "Normal", reason: "TopologyAwareHintsEnabled", text: "Topology Aware Hints has been enabled" };
  const text = hints?.refused ?? (were ? "Topology Aware Hints has been disabled" : undefined);
  return text === undefined ? undefined : { type: "Warning", reason: "TopologyAwareHintsDisabled", text };
}

function labelsFor({ metadata, spec }: Service): { readonly [name: string]: string } {
  const reserved = new Set([serviceNameLabel, managedByLabel, headlessLabel]);
  const own = Object.fromEntries(Object.entries(metadata.labels ?? {}).filter(([name]) => !reserved.has(name)));
  return { ...own, ...(isHeadless(spec) ? { [headlessLabel]: "" } : {}), [serviceNameLabel]: metadata.name, [managedByLabel]: manager };
}

/** The endpoints of one family, by the ports they have: pods may give different numbers to one port name. */
export function groupEndpoints(service: Service, pods: readonly Pod[], nodeNamed: (name: string) => Node | undefined, family: "IPv4" | "IPv6"): readonly Group[] {
  const groups = new Map<string, { ports: Group["ports"]; endpoints: Endpoint[] }>();
  for (const pod of [...pods].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))) {
    if (!hasAddress(pod, true)) continue;
    const ports = portsOf(service, pod);
    const group = groups.get(JSON.stringify(ports)) ?? { ports, endpoints: [] };
    groups.set(JSON.stringify(ports), group);
    const node = nodeNamed(pod.spec.nodeName ?? "");
    const addresses = addressesOf(pod, family);
    if (addresses.length > 0 && (node !== undefined || service.spec.publishNotReadyAddresses === true)) group.endpoints.push(endpointOf(service, pod, node, addresses));
  }
  return [...groups.values()];
}

function endpointOf(service: Service, pod: Pod, node: Node | undefined, addresses: readonly string[]): Endpoint {
  const serving = isPodReady(pod);
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const ready = service.spec.publishNotReadyAddresses === true || (serving && !terminating);
  const zone = node?.metadata.labels?.[zoneLabel] ?? "";
  const hostname = hostnameOf(pod, service);
  const nodeName = pod.spec.nodeName ?? "";
  const hints = ready && !wantsTopologyHints(service) ? hintsFor(service, zone, nodeName) : undefined;
  return {
    addresses, conditions: { ready, serving, terminating }, targetRef: targetRef(pod),
    ...(nodeName === "" ? {} : { nodeName }), ...(zone === "" ? {} : { zone }), ...(hostname === undefined ? {} : { hostname }), ...(hints === undefined ? {} : { hints }),
  };
}
/** spec.trafficDistribution: each endpoint is for its own zone, or its own node, first. */
function hintsFor({ spec: { trafficDistribution } }: Service, zone: string, node: string): NonNullable<Endpoint["hints"]> | undefined {
  const forZones = zone === "" ? {} : { forZones: [{ name: zone }] };
  if (trafficDistribution === "PreferSameNode") return node === "" ? undefined : { ...forZones, forNodes: [{ name: node }] };
  return (trafficDistribution === "PreferClose" || trafficDistribution === "PreferSameZone") && zone !== "" ? forZones : undefined;
}

