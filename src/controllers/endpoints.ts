import { sameJson } from "../base/json.ts";
import { byNamespace, keyOf } from "../client/informer.ts";
import { Endpoints } from "../kinds/core/endpoints.ts";
import { Pod } from "../kinds/core/pod.ts";
import { Service } from "../kinds/core/service.ts";
import type { New } from "../kinds/kind.ts";
import type { Controller } from "./controller.ts";
import { planSubsets } from "./endpoints-plan.ts";
import { headlessLabel, isHeadless, podsOf, selectsPods, servicesOfPod, triggerAnnotation, triggerTime } from "./service-pods.ts";
import { unlessEnding } from "./serviceaccount.ts";

const managedByLabel = "endpoints.kubernetes.io/managed-by";
const manager = "endpoint-controller";
const overCapacity = "endpoints.kubernetes.io/over-capacity";
const leaderAnnotation = "control-plane.alpha.kubernetes.io/leader";

/** Keeps the Endpoints of services with a selector, for clients that do not know slices. */
export const endpointsController: Controller = {
  name: "endpoints",
  account: "endpoint-controller",
  component: "endpoint-controller",
  reconciles: Service,
  watches: [
    { kind: Pod, keysOf: servicesOfPod },
    // Ours may have lost its service while nobody looked; what a user made without one is left alone.
    { kind: Endpoints, keysOf: (endpoints: Endpoints, _context, { type }) => (type === "deleted" || endpoints.metadata.labels?.[managedByLabel] === manager ? [keyOf(endpoints)] : []) },
  ],

  async reconcile(key, context) {
    const service = context.read(Service).get(key);
    const existing = context.read(Endpoints).get(key);
    if (service === undefined) {
      if (existing !== undefined && existing.metadata.annotations?.[leaderAnnotation] === undefined) await context.delete(Endpoints, existing);
      return undefined;
    }
    if (!selectsPods(service)) return undefined;
    const pods = context.read(Pod).by(byNamespace, service.metadata.namespace ?? "");
    const { subsets, truncated } = planSubsets(service, pods);
    const labels = { ...service.metadata.labels, ...(isHeadless(service.spec) ? { [headlessLabel]: "" } : {}), [managedByLabel]: manager };
    const had = existing?.metadata.annotations ?? {};
    if (existing !== undefined && sameJson(existing.subsets ?? [], subsets) && sameJson(existing.metadata.labels ?? {}, labels) && (had[overCapacity] !== undefined) === truncated) return undefined;

    const { [triggerAnnotation]: last, [overCapacity]: _, ...others } = had;
    const trigger = triggerTime(service, podsOf(service, pods), last);
    const annotations = { ...others, ...(trigger === undefined ? {} : { [triggerAnnotation]: trigger }), ...(truncated ? { [overCapacity]: "truncated" } : {}) };
    try {
      if (existing === undefined) {
        const { name, namespace } = service.metadata;
        await unlessEnding(context.create(Endpoints, { metadata: { name, namespace, labels, annotations }, subsets } as New<typeof Endpoints>));
      } else await context.update(Endpoints, { ...existing, metadata: { ...existing.metadata, labels, annotations }, subsets });
    } catch (error) {
      const [reason, text] = existing === undefined ? ["FailedToCreateEndpoint", `Failed to create endpoint for service ${key}`] as const : ["FailedToUpdateEndpoint", `Failed to update endpoint ${key}`] as const;
      context.events.event({ ...service, apiVersion: "v1", kind: "Endpoints" }, "Warning", reason, `${text}: ${(error as Error).message}`);
      throw error;
    }
    return undefined;
  },
};
