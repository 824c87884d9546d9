import { isApiError } from "../base/api-error.ts";
import { sameJson } from "../base/json.ts";
import { messageOf } from "../base/log.ts";
import { timeOf } from "../base/time.ts";
import { Event } from "../kinds/core/event.ts";
import { Namespace } from "../kinds/core/namespace.ts";
import { Pod } from "../kinds/core/pod.ts";
import type { AnyKind, Resource } from "../kinds/kind.ts";
import { isStored, type Context, type Controller } from "./controller.ts";

const finalizer = "kubernetes";
/** Deletions asked for side by side. */
const deletionsAtOnce = 64;
const unwatchedWaitMs = 5_000;

/** Empties a namespace that is being deleted, pods first, and lets it go when nothing is left. */
export const namespaceController: Controller = {
  name: "namespace",
  account: "namespace-controller",
  reconciles: Namespace,
  retryMaxMs: 60_000,
  watches: [],
  everyKind: {
    unless: [Event],
    keysOf: (object: Resource<AnyKind>, context, { type }) => {
      const { namespace = "" } = object.metadata;
      const ending = type === "deleted" && context.read(Namespace).get(namespace)?.metadata.deletionTimestamp !== undefined;
      return ending ? [namespace] : [];
    },
  },

  async reconcile(name, context) {
    let namespace = context.read(Namespace).get(name);
    if (namespace?.metadata.deletionTimestamp === undefined || !(namespace.spec.finalizers ?? []).includes(finalizer)) return undefined;
    if (namespace.status.phase !== "Terminating") namespace = await context.updateStatus(Namespace, { ...namespace, status: { ...namespace.status, phase: "Terminating" } });

    const found = await empty(namespace, context);
    const conditions = planConditions(namespace, found, context.clock.now());
    if (!sameJson(conditions, namespace.status.conditions)) namespace = await context.updateStatus(Namespace, { ...namespace, status: { ...namespace.status, conditions } });
    if (found.errors.length > 0) throw found.errors[0];
    if (found.undiscovered.length > 0) throw new Error(undiscoveredText(found.undiscovered));
    // Nobody tells us when an Event goes; what is watched wakes this namespace by going.
    if (found.remaining.length > 0) return found.remaining.some(({ kind }) => kind === Event || !isStored(kind)) ? { after: unwatchedWaitMs } : undefined;
    const finalizers = (namespace.spec.finalizers ?? []).filter(other => other !== finalizer);
    try {
      await context.update(Namespace, { ...namespace, spec: { ...namespace.spec, finalizers } }, { subresource: "finalize" });
    } catch (error) {
      if (!isApiError(error, "NotFound")) throw error;
    }
    return undefined;
  },
};

/** What is still in the namespace, what went wrong while deleting it, and of which groups nobody knows what they have. */
export type Found = { readonly remaining: readonly Remaining[]; readonly errors: readonly unknown[]; readonly undiscovered: readonly string[]; /** Only pods were looked at. */ readonly podsOnly?: boolean };
type Remaining = { readonly kind: AnyKind; readonly objects: readonly Resource<AnyKind>[] };

/** Deletes pods; everything else only once they are gone, so that nothing they need (policies, secrets) is taken from under them. */
async function empty(namespace: Namespace, context: Context): Promise<Found> {
  const { kinds, undiscovered } = context.deletable();
  const pods = await emptyKinds(namespace, kinds.filter(kind => kind === Pod), context);
  if (pods.remaining.length > 0) return { ...pods, undiscovered, podsOnly: true };
  const others = await emptyKinds(namespace, kinds.filter(kind => kind !== Pod), context);
  return { remaining: others.remaining, errors: [...pods.errors, ...others.errors], undiscovered };
}

/** Asks the server itself: local copies may lag behind what was made just before the deletion. */
async function emptyKinds(namespace: Namespace, kinds: readonly AnyKind[], context: Context): Promise<Pick<Found, "remaining" | "errors">> {
  const { name } = namespace.metadata;
  const found = await Promise.allSettled(kinds.map(async kind => {
    const { items } = await context.liveList(kind, name);
    if (items.length === 0) return { kind, objects: items, errors: [] };
    const errors = await deleteAll(kind, items, context);
    const objects = (await context.liveList(kind, name)).items;
    const expected = objects.length === 0 || objects.some(({ metadata }) => (metadata.finalizers ?? []).length > 0) || (kind === Pod && mayStillEnd(namespace, items as readonly Pod[], context.clock.now()));
    return { kind, objects, errors: errors.length > 0 || expected ? errors : [new Error(`unexpected items still remain in namespace: ${name} for gvr: ${kind.group}/${kind.version}, Resource=${kind.plural}`)] };
  }));
  // One kind that can not be listed (an extension that is down, say) holds up the namespace, not the emptying of the other kinds.
  const failed = found.flatMap(result => (result.status === "rejected" ? [result.reason as unknown] : []));
  const done = found.flatMap(result => (result.status === "fulfilled" ? [result.value] : []));
  return { remaining: done.filter(({ objects }) => objects.length > 0), errors: [...failed, ...done.flatMap(({ errors }) => errors)] };
}

/** The longest grace period has not passed yet since the namespace's deletion. */
function mayStillEnd({ metadata }: Namespace, pods: readonly Pod[], now: number): boolean {
  const graces = pods.filter(({ status }) => status.phase !== "Succeeded" && status.phase !== "Failed").map(({ spec }) => spec.terminationGracePeriodSeconds ?? 0);
  return now - Date.parse(metadata.deletionTimestamp ?? "") < Math.max(0, ...graces) * 1000;
}

async function deleteAll(kind: AnyKind, objects: readonly Resource<AnyKind>[], context: Context): Promise<readonly unknown[]> {
  const failures: unknown[] = [];
  const live = objects.filter(object => object.metadata.deletionTimestamp === undefined);
  for (let i = 0; i < live.length; i += deletionsAtOnce)
    for (const result of await Promise.allSettled(live.slice(i, i + deletionsAtOnce).map(object => context.delete(kind, object, { propagationPolicy: "Background" }))))
      if (result.status === "rejected") failures.push(result.reason);
  return failures;
}

type Condition = NonNullable<Namespace["status"]["conditions"]>[number];

// Types, reasons and messages from pkg/controller/namespace/deletion/status_condition_utils.go.
const ok: readonly (readonly [type: string, reason: string, message: string])[] = [
  ["NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered"],
  ["NamespaceDeletionGroupVersionParsingFailure", "ParsedGroupVersions", "All legacy kube types successfully parsed"],
  ["NamespaceDeletionContentFailure", "ContentDeleted", "All content successfully deleted, may be waiting on finalization"],
  ["NamespaceContentRemaining", "ContentRemoved", "All content successfully removed"],
  ["NamespaceFinalizersRemaining", "ContentHasNoFinalizers", "All content-preserving finalizers finished"],
];

const undiscoveredText = (groupVersions: readonly string[]): string => `unable to retrieve the complete list of server APIs: ${groupVersions.map(each => `${each}: stale GroupVersion discovery: ${each}`).join(", ")}`;

/** The five conditions that say how far the deletion is. */
export function planConditions(namespace: Namespace, { remaining, errors, undiscovered, podsOnly }: Found, now: number): readonly Condition[] {
  const bad = new Map<string, readonly [reason: string, message: string]>();
  if (undiscovered.length > 0)
    bad.set("NamespaceDeletionDiscoveryFailure", ["DiscoveryFailed", `Discovery failed for some groups, ${undiscovered.length} failing: ${undiscoveredText(undiscovered)}`]);
  if (errors.length > 0)
    bad.set("NamespaceDeletionContentFailure", ["ContentDeletionFailed", `Failed to delete all resource types, ${errors.length} remaining: ${errors.map(messageOf).sort().join(", ")}`]);
  // Quirk: pods that remain are not told of (namespaced_resources_deleter.go, deleteAllContent).
  if (remaining.length > 0 && podsOnly !== true) {
    const kinds = remaining.map(({ kind, objects }) => `${kind.plural}.${kind.group} has ${objects.length} resource instances`).sort();
    bad.set("NamespaceContentRemaining", ["SomeResourcesRemain", `Some resources are remaining: ${kinds.join(", ")}`]);
    const finalizers = new Map<string, number>();
    for (const { objects } of remaining) for (const object of objects) for (const name of object.metadata.finalizers ?? []) finalizers.set(name, (finalizers.get(name) ?? 0) + 1);
    if (finalizers.size > 0)
      bad.set("NamespaceFinalizersRemaining", ["SomeFinalizersRemain", `Some content in the namespace has finalizers remaining: ${[...finalizers].map(([name, count]) => `${name} in ${count} resource instances`).sort().join(", ")}`]);
  }
  const before = namespace.status.conditions ?? [];
  const wanted = ok.map(([type, okReason, okMessage]): Condition => {
    const [status, [reason, message]] = bad.has(type) ? ["True", bad.get(type)!] as const : ["False", [okReason, okMessage]] as const;
    const had = before.find(condition => condition.type === type);
    return { type, status, lastTransitionTime: had?.status === status ? had.lastTransitionTime : timeOf(now), reason, message } as Condition;
  });
  return [...before.map(condition => wanted.find(other => other.type === condition.type) ?? condition), ...wanted.filter(condition => !before.some(other => other.type === condition.type))];
}
