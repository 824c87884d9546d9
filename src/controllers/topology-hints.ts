/**
 * Which zone each endpoint of a service is for, when its annotation asks: no zone's endpoints shall hear over a fifth more than their share of
 * the cluster's traffic, which is as its share of the ready nodes' CPU. Pure (upstream k8s.io/endpointslice topologycache).
 */
import { sameJson } from "../base/json.ts";
import { quantityMilli } from "../base/quantity.ts";
import type { Index } from "../client/informer.ts";
import type { Node } from "../kinds/core/node.ts";
import type { Service } from "../kinds/core/service.ts";
import { topologyHintsAnnotation, topologyModeAnnotation } from "../kinds/core/servicerules.ts";
import type { Endpoint, EndpointSlice } from "../kinds/discovery/endpointslice.ts";
import { readiness } from "./node-plan.ts";
import type { NewSlice, SlicePlan } from "./slice-plan.ts";

export const zoneLabel = "topology.kubernetes.io/zone";
/** How much more than its even share an endpoint may hear. */
const overloadMax = 0.2;
const excludedLabels = ["node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"];

/** Whether hints are asked for by annotation; they then go before spec.trafficDistribution, and the deprecated name before the other. */
export function wantsTopologyHints({ metadata: { annotations = {} } }: Service): boolean {
  return /^[Aa]uto$/.test(annotations[topologyHintsAnnotation] ?? annotations[topologyModeAnnotation] ?? "");
}
export const byTopologyHints: Index<Service> = { name: "topology hints", valuesOf: service => (wantsTopologyHints(service) ? ["yes"] : []) };

/** What of a node the shares follow from: its zone and CPU in thousandths; none while it is not ready or is kept for the control plane. */
export function shareOfNode(node: Node): { readonly zone: string; readonly milli: number } | undefined {
  const { metadata: { labels = {} }, status } = node;
  if (readiness(node) !== "True" || excludedLabels.some(label => labels[label] !== undefined)) return undefined;
  return { zone: labels[zoneLabel] ?? "", milli: quantityMilli(status.allocatable?.["cpu"] ?? "0") };
}
/** Each zone's part of the ready nodes' CPU, in the order of their names; none unless all of them tell and there are two zones. */
export function zoneShares(nodes: readonly Node[]): ReadonlyMap<string, number> | undefined {
  const zones = new Map<string, number>();
  let total = 0;
  for (const node of nodes) {
    const share = shareOfNode(node);
    if (share === undefined) continue;
    if (share.zone === "" || share.milli === 0) return undefined;
    zones.set(share.zone, (zones.get(share.zone) ?? 0) + share.milli);
    total += share.milli;
  }
  return zones.size < 2 ? undefined : new Map([...zones].sort(([a], [b]) => (a < b ? -1 : 1)).map(([zone, milli]) => [zone, milli / total]));
}

type Limits = { readonly least: number; readonly most: number; readonly wanted: number };
/** How many of `count` endpoints each zone should have, or why that cannot be. */
function limitsOf(shares: ReadonlyMap<string, number> | undefined, count: number): ReadonlyMap<string, Limits> | string {
  if (shares === undefined) return "Insufficient Node information: allocatable CPU or zone not specified on one or more nodes";
  const numbers = `(${count} endpoints, ${shares.size} zones)`;
  if (shares.size > count) return `Insufficient number of endpoints ${numbers}`;
  const wanted = [...shares].map(([zone, share]) => ({ zone, wanted: share * count, least: Math.ceil(share * count * (1 / (1 + overloadMax))) }));
  const spare = count - wanted.reduce((sum, { least }) => sum + least, 0);
  if (spare < 0) return `Unable to allocate minimum required endpoints to each zone without exceeding overload threshold ${numbers}`;
  return new Map(wanted.map(({ zone, wanted, least }) => [zone, { least, most: least + spare, wanted: Math.max(wanted, least) }]));
}

const isReady = ({ conditions }: Endpoint): boolean => conditions.ready === true;
const bare = ({ hints: _, ...endpoint }: Endpoint): Endpoint => endpoint;
/** The slice as it would be without hints; itself if it has none. */
export function withoutHints<S extends NewSlice>(slice: S): S {
  return slice.endpoints.some(({ hints }) => hints !== undefined) ? { ...slice, endpoints: slice.endpoints.map(bare) } : slice;
}

/**
 * Adds hints to `plan`, which was made for `existing` slices of one family as if they had none. Slices that the plan leaves alone keep theirs as
 * long as they are within the limits. `refused` says why there are no hints at all.
 */
export function planTopologyHints(existing: readonly EndpointSlice[], plan: SlicePlan, shares: ReadonlyMap<string, number> | undefined): { readonly plan: SlicePlan; readonly refused: string | undefined } {
  const named = new Set([...plan.update, ...plan.remove].map(({ metadata }) => metadata.name));
  const others = existing.filter(({ metadata }) => !named.has(metadata.name));
  const ready = [...plan.create, ...plan.update, ...others].flatMap(({ endpoints }) => endpoints.filter(isReady));
  const limits = limitsOf(shares, ready.length);
  const refused = typeof limits === "string" ? limits : ready.some(({ zone = "" }) => zone === "") ? "One or more endpoints do not have a zone specified" : undefined;
  if (typeof limits === "string" || refused !== undefined) return { plan: { ...plan, update: [...plan.update, ...others.map(withoutHints).filter((slice, i) => slice !== others[i])] }, refused };

  const had = new Map<string, number>();
  let again = others.filter(slice => !keepsHints(slice, had, limits));
  // Upstream leaves such slices; here new nodes are enough for a zone to get its own.
  if (plan.create.length + plan.update.length + again.length === 0 && [...limits].some(([zone, { least }]) => (had.get(zone) ?? 0) < least)) {
    had.clear();
    again = others;
  }
  const slices = [...plan.create, ...plan.update, ...again];
  const zones = hintsOf(slices, had, limits);
  const hinted = <S extends NewSlice>(slice: S, i: number): S => ({ ...slice, endpoints: slice.endpoints.map((endpoint, j) => (zones[i]![j] === undefined ? bare(endpoint) : { ...bare(endpoint), hints: { forZones: [{ name: zones[i]![j]! }] } })) });
  const made = slices.map(hinted);
  const [created, updated] = [plan.create.length, plan.create.length + plan.update.length];
  const redone = (made.slice(updated) as EndpointSlice[]).filter((slice, i) => !sameJson(slice.endpoints, again[i]!.endpoints));
  return { plan: { ...plan, create: made.slice(0, created), update: [...made.slice(created, updated) as EndpointSlice[], ...redone] }, refused: undefined };
}

/** Counts the slice's hints in `had` if each ready endpoint has one for a zone that is there, and no zone then has more than its most. */
function keepsHints({ endpoints }: EndpointSlice, had: Map<string, number>, limits: ReadonlyMap<string, Limits>): boolean {
  const counts = new Map<string, number>();
  for (const { hints } of endpoints.filter(isReady)) {
    if ((hints?.forZones ?? []).length === 0) return false;
    for (const { name } of hints!.forZones!) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  if ([...counts].some(([zone, count]) => count + (had.get(zone) ?? 0) > (limits.get(zone)?.most ?? 0))) return false;
  for (const [zone, count] of counts) had.set(zone, (had.get(zone) ?? 0) + count);
  return true;
}

/** The zone of each ready endpoint: its own first; then zones that have more than they want give to those that have less. */
function hintsOf(slices: readonly NewSlice[], had: ReadonlyMap<string, number>, limits: ReadonlyMap<string, Limits>): (string | undefined)[][] {
  const zones = slices.map(({ endpoints }) => endpoints.map(endpoint => (isReady(endpoint) ? endpoint.zone : undefined)));
  const counts = new Map(had);
  for (const zone of zones.flat()) if (zone !== undefined) counts.set(zone, (counts.get(zone) ?? 0) + 1);
  const [giving, receiving] = givenAndReceived(counts, limits);
  for (const list of zones)
    list.forEach((zone, i) => {
      const [receiver] = receiving.keys();
      if (zone === undefined || receiver === undefined || !take(giving, zone)) return;
      take(receiving, receiver);
      list[i] = receiver;
    });
  return zones;
}
function take(counts: Map<string, number>, zone: string): boolean {
  const count = counts.get(zone);
  if (count === undefined) return false;
  if (count === 1) counts.delete(zone);
  else counts.set(zone, count - 1);
  return true;
}

/** How many endpoints each zone gives and gets: one at a time from the zone that has most too many to the one that lacks most, until less than half an endpoint is left on a side, or less than one on both. */
function givenAndReceived(counts: ReadonlyMap<string, number>, limits: ReadonlyMap<string, Limits>): readonly [giving: Map<string, number>, receiving: Map<string, number>] {
  const over = [...limits].map(([zone, { wanted }]) => ({ zone, left: (counts.get(zone) ?? 0) - wanted }));
  const [givers, receivers] = [over.filter(({ left }) => left > 0), over.filter(({ left }) => left < 0).map(({ zone, left }) => ({ zone, left: -left }))];
  const [giving, receiving] = [new Map<string, number>(), new Map<string, number>()];
  while (givers.length > 0 && receivers.length > 0) {
    const [giver, receiver] = [givers, receivers].map(list => list.reduce((a, b) => (b.left > a.left ? b : a))) as [typeof over[0], typeof over[0]];
    if ((giver.left < 1 && receiver.left < 1) || giver.left < 0.5 || receiver.left < 0.5) break;
    giver.left--;
    receiver.left--;
    giving.set(giver.zone, (giving.get(giver.zone) ?? 0) + 1);
    receiving.set(receiver.zone, (receiving.get(receiver.zone) ?? 0) + 1);
  }
  return [giving, receiving];
}
