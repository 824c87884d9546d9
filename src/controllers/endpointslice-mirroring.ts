import { keyOf } from "../client/informer.ts";
import { Endpoints } from "../kinds/core/endpoints.ts";
import { Service } from "../kinds/core/service.ts";
import { EndpointSlice, type Endpoint } from "../kinds/discovery/endpointslice.ts";
import type { Controller } from "./controller.ts";
import { selectsPods, triggerAnnotation } from "./service-pods.ts";
import { managedByLabel, planSlices, serviceNameLabel, type Group } from "./slice-plan.ts";
import { bySliceService, serviceOfSlice, writeSlices } from "./slice-writes.ts";

const manager = "endpointslicemirroring-controller.k8s.io";
/** Addresses taken from one subset (--mirroring-max-endpoints-per-subset); a mirrored slice is as large. */
const addressesMax = 1000;
const skipLabel = "endpointslice.kubernetes.io/skip-mirror";
const notCopied: ReadonlySet<string> = new Set(["kubectl.kubernetes.io/last-applied-configuration", triggerAnnotation]);

/** Gives slices to services without a selector whose Endpoints a user keeps by hand. */
export const endpointSliceMirroringController: Controller = {
  name: "endpointslice-mirroring",
  account: "endpointslicemirroring-controller",
  reconciles: Endpoints,
  watches: [
    { kind: Service, keysOf: (service: Service, context) => (context.read(Endpoints).get(keyOf(service)) === undefined ? [] : [keyOf(service)]) },
    { kind: EndpointSlice, keysOf: serviceOfSlice(manager) },
  ],

  async reconcile(key, context) {
    const endpoints = context.read(Endpoints).get(key);
    const service = context.read(Service).get(key);
    const existing = context.read(EndpointSlice).by(bySliceService, `${manager}/${key}`).filter(slice => slice.metadata.deletionTimestamp === undefined);
    if (endpoints === undefined || service === undefined || selectsPods(service) || service.spec.type === "ExternalName" || !isMirrored(endpoints)) {
      for (const slice of existing) await context.delete(EndpointSlice, slice);
      return undefined;
    }
    const { labels: own = {}, annotations: given = {}, name } = endpoints.metadata;
    const labels = { ...own, [serviceNameLabel]: name, [managedByLabel]: manager };
    const annotations = Object.fromEntries(Object.entries(given).filter(([annotation]) => !notCopied.has(annotation)));
    const owner = { kind: Endpoints, object: endpoints, labels, annotations, triggerTime: given[triggerAnnotation] };
    for (const family of ["IPv4", "IPv6"] as const)
      await writeSlices(planSlices(existing.filter(slice => slice.addressType === family), mirrorGroups(endpoints, family), { addressType: family, labels, endpointsMax: addressesMax, placeholder: false }), owner, context);
    return undefined;
  },
};

function isMirrored({ metadata: { labels = {}, annotations = {} } }: Endpoints): boolean {
  return labels[skipLabel] !== "true" && annotations["control-plane.alpha.kubernetes.io/leader"] === undefined;
}

/** Each subset's addresses of one family, with its ports. */
export function mirrorGroups({ subsets = [] }: Endpoints, family: "IPv4" | "IPv6"): readonly Group[] {
  const groups = new Map<string, { ports: Group["ports"]; endpoints: Endpoint[] }>();
  for (const { addresses = [], notReadyAddresses = [], ports: given = [] } of subsets) {
    const ports = given.map(({ name = "", port, protocol, appProtocol }) => ({ name, port, protocol, ...(appProtocol === undefined ? {} : { appProtocol }) }));
    const group = groups.get(JSON.stringify(ports)) ?? { ports, endpoints: [] };
    let taken = 0;
    for (const [list, ready] of [[addresses, true], [notReadyAddresses, false]] as const)
      for (const { ip, hostname, nodeName, targetRef } of list) {
        if (ip.includes(":") !== (family === "IPv6") || taken++ >= addressesMax) continue;
        group.endpoints.push({
          addresses: [ip], conditions: { ready }, ...(hostname === undefined ? {} : { hostname }), ...(nodeName === undefined ? {} : { nodeName }), ...(targetRef === undefined ? {} : { targetRef }),
        });
      }
    if (group.endpoints.length > 0) groups.set(JSON.stringify(ports), group);
  }
  return [...groups.values()];
}
