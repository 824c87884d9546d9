/** How endpoints are spread over EndpointSlices with few writes: pure (upstream k8s.io/endpointslice reconciler.go). */
import { sameJson } from "../base/json.ts";
import type { Endpoint, EndpointPort, EndpointSlice } from "../kinds/discovery/endpointslice.ts";

export const serviceNameLabel = "kubernetes.io/service-name";
export const managedByLabel = "endpointslice.kubernetes.io/managed-by";

export type AddressType = EndpointSlice["addressType"];
/** Endpoints that share their ports; each group has slices of its own. */
export type Group = { readonly ports: readonly EndpointPort[]; readonly endpoints: readonly Endpoint[] };
export type NewSlice = { readonly addressType: AddressType; readonly ports: readonly EndpointPort[]; readonly endpoints: readonly Endpoint[] };
export type SlicePlan = { readonly create: readonly NewSlice[]; readonly update: readonly EndpointSlice[]; readonly remove: readonly EndpointSlice[] };

/** Changes `existing` slices of one address type into `groups`. `labels` are those that every slice should have. */
export function planSlices(existing: readonly EndpointSlice[], groups: readonly Group[], options: { readonly addressType: AddressType; readonly labels: { readonly [name: string]: string }; readonly endpointsMax: number; readonly placeholder: boolean }): SlicePlan {
  const create: NewSlice[] = [];
  const update: EndpointSlice[] = [];
  const remove: EndpointSlice[] = [];
  const left = new Set(existing);
  for (const group of groups) {
    const mine = [...left].filter(slice => samePorts(slice.ports, group.ports));
    for (const slice of mine) left.delete(slice);
    const plan = planGroup(mine, group, options.endpointsMax);
    for (const endpoints of plan.create) create.push({ addressType: options.addressType, ports: group.ports, endpoints });
    for (const [slice, endpoints] of plan.keep)
      if (endpoints.length === 0) remove.push(slice);
      else if (endpoints !== slice.endpoints || !sameJson(slice.metadata.labels ?? {}, options.labels)) update.push(relabelled({ ...slice, endpoints }, options.labels));
  }
  for (const slice of left) remove.push(slice);
  // A service without endpoints keeps one empty slice, so that its absence is not mistaken for not knowing.
  if (options.placeholder && create.length === 0 && remove.length === existing.length) {
    const kept = remove.length === 1 && remove[0]!.endpoints.length === 0 && remove[0]!.ports.length === 0 ? remove.pop()! : undefined;
    if (kept === undefined) create.push({ addressType: options.addressType, ports: [], endpoints: [] });
    else if (!sameJson(kept.metadata.labels ?? {}, options.labels)) update.push(relabelled(kept, options.labels));
  }
  // A slice that would go takes the place of one that would come.
  while (create.length > 0 && remove.length > 0) {
    const { ports, endpoints } = create.shift()!;
    update.push(relabelled({ ...remove.shift()!, ports, endpoints }, options.labels));
  }
  return { create, update, remove };
}

function relabelled(slice: EndpointSlice, labels: { readonly [name: string]: string }): EndpointSlice {
  return { ...slice, metadata: { ...slice.metadata, labels } };
}
export function samePorts(a: readonly EndpointPort[], b: readonly EndpointPort[]): boolean {
  return sameJson([...a].map(normalPort).sort(), [...b].map(normalPort).sort());
}
const normalPort = ({ name = "", port = 0, protocol = "TCP", appProtocol = "" }: EndpointPort): string => JSON.stringify([name, port, protocol, appProtocol]);

/** Keeps what is there, fills up slices that change anyway, then the fullest one that has room for all of the rest, then makes new ones. */
function planGroup(slices: readonly EndpointSlice[], { endpoints }: Group, max: number): { readonly keep: ReadonlyMap<EndpointSlice, readonly Endpoint[]>; readonly create: readonly (readonly Endpoint[])[] } {
  const wanted = new Map(endpoints.map(endpoint => [identityOf(endpoint), endpoint]));
  const keep = new Map<EndpointSlice, readonly Endpoint[]>();
  const changed: { slice: EndpointSlice; endpoints: Endpoint[] }[] = [];
  for (const slice of slices) {
    const kept: Endpoint[] = [];
    let differs = false;
    for (const endpoint of slice.endpoints) {
      const identity = identityOf(endpoint);
      const next = wanted.get(identity);
      if (next === undefined) continue;
      wanted.delete(identity);
      kept.push(next);
      differs ||= !sameJson(next, endpoint);
    }
    const unchanged = !differs && kept.length === slice.endpoints.length;
    keep.set(slice, unchanged ? slice.endpoints : kept);
    if (!unchanged && kept.length > 0) changed.push({ slice, endpoints: kept });
  }
  const rest = [...wanted.values()];
  for (const entry of changed.sort((a, b) => b.endpoints.length - a.endpoints.length)) entry.endpoints.push(...rest.splice(0, Math.max(0, max - entry.endpoints.length)));
  if (rest.length > 0) {
    const open = [...keep].filter(([slice, kept]) => kept === slice.endpoints && kept.length > 0 && kept.length + rest.length <= max).sort(([, a], [, b]) => b.length - a.length)[0];
    if (open !== undefined) keep.set(open[0], [...open[1], ...rest.splice(0)]);
  }
  const create: Endpoint[][] = [];
  while (rest.length > 0) create.push(rest.splice(0, max));
  return { keep, create };
}
/** What makes an endpoint the same one although its conditions change. */
function identityOf({ addresses, hostname = "", targetRef }: Endpoint): string {
  return JSON.stringify([addresses, hostname, targetRef?.kind ?? "", targetRef?.namespace ?? "", targetRef?.name ?? "", targetRef?.uid ?? ""]);
}
