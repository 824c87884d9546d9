import { sameJson } from "../base/json.ts";
import { byNamespace, keyOf } from "../client/informer.ts";
import { Event } from "../kinds/core/event.ts";
import { amountsOf, countsFor, isInScope, sumOf, sumUp, usageOf } from "../kinds/core/quotausage.ts";
import { ResourceQuota } from "../kinds/core/resourcequota.ts";
import type { Around } from "../kinds/resource/devicequota.ts";
import type { AnyKind } from "../kinds/kind.ts";
import { isStored, type Context, type Controller } from "./controller.ts";

/** Pods that should have ended stop counting without a change of theirs; upstream looks again every five minutes (--resource-quota-sync-period). */
const lookAgainMs = 300_000;

/** Keeps in each quota's status what is used of it (pkg/controller/resourcequota). */
export const resourceQuotaController: Controller = {
  name: "resourcequota", component: "resourcequota-controller", account: "resourcequota-controller",
  reconciles: ResourceQuota,
  watches: [],
  everyKind: { keysOf: (object, context) => (object.metadata.namespace === undefined ? [] : context.read(ResourceQuota).by(byNamespace, object.metadata.namespace).map(keyOf)), unless: [Event] },

  async reconcile(key, context) {
    const quota = context.read(ResourceQuota).get(key);
    if (quota === undefined) return undefined;
    const hard = quota.spec.hard ?? {};
    const counted = amountsOf(sumUp(context.kinds().filter(isCountable).map(kind => usedOf(quota, kind, context))));
    // What nobody counts keeps the figure that it had, if any.
    const used = Object.fromEntries(Object.entries({ ...quota.status.used, ...counted }).filter(([name]) => Object.hasOwn(hard, name)));
    const status = { ...quota.status, hard, used };
    if (!sameJson(status, quota.status)) await context.ifThere(context.updateStatus(ResourceQuota, { ...quota, status }));
    return { after: lookAgainMs };
  },
};

function isCountable(kind: AnyKind): boolean {
  return kind.namespaced && isStored(kind) && kind !== Event;
}

function usedOf(quota: ResourceQuota, kind: AnyKind, context: Context): ReturnType<typeof sumOf> {
  const resource = { group: kind.group, plural: kind.plural };
  const namespace = quota.metadata.namespace ?? "";
  const around: Around = (group, plural) => {
    const found = context.kinds().find(each => each.group === group && each.plural === plural);
    return found === undefined ? [] : found.namespaced ? context.read(found).by(byNamespace, namespace) : context.read(found).list();
  };
  const names = countsFor(quota, resource, around);
  if (names.length === 0) return new Map();
  const now = context.clock.now();
  const objects = context.read(kind).by(byNamespace, namespace).filter(object => isInScope(quota, resource, object));
  return sumOf(names, objects.map(object => usageOf(resource, object, now, around)));
}
