import { isApiError } from "../base/api-error.ts";
import { sameJson } from "../base/json.ts";
import { messageOf } from "../base/log.ts";
import { timeOf } from "../base/time.ts";
import { Event } from "../kinds/core/event.ts";
import { Namespace } from "../kinds/core/namespace.ts";
import { Pod } from "../kinds/core/pod.ts";
import type { AnyKind, Resource } from "../kinds/kind.ts";
import type { Context, Controller } from "./controller.ts";

const finalizer = "kubernetes";
/** Deletions asked for side by side. */
const deletionsAtOnce = 64;
const eventWaitMs = 5_000;

/** Empties a namespace that is being deleted, pods first, and lets it go when nothing is left. */
export const namespaceController: Controller = {
  name: "namespace",
  account: "namespace-controller",
  reconciles: Namespace,
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

    const found = await empty(name, context);
    const conditions = planConditions(namespace, found, context.clock.now());
    if (!sameJson(conditions, namespace.status.conditions)) namespace = await context.updateStatus(Namespace, { ...namespace, status: { ...namespace.status, conditions } });
    if (found.errors.length > 0) throw found.errors[0];
    // Nobody tells us when an Event goes; everything else wakes this namespace by going.
    if (found.remaining.length > 0) return found.remaining.some(({ kind }) => kind === Event) ? { after: eventWaitMs } : undefined;
    const finalizers = (namespace.spec.finalizers ?? []).filter(other => other !== finalizer);
    try {
      await context.update(Namespace, { ...namespace, spec: { ...namespace.spec, finalizers } }, { subresource: "finalize" });
    } catch (error) {
      if (!isApiError(error, "NotFound")) throw error;
    }
    return undefined;
  },
};

/** What is still in the namespace, and what went wrong while deleting it. */
export type Found = { readonly remaining: readonly { readonly kind: AnyKind; readonly objects: readonly Resource<AnyKind>[] }[]; readonly errors: readonly unknown[] };

/** Deletes pods; everything else only once they are gone, so that nothing they need (policies, secrets) is taken from under them. */
async function empty(namespace: string, context: Context): Promise<Found> {
  const kinds = context.kinds().filter(kind => kind.namespaced && (kind.verbs === undefined || kind.verbs.includes("delete")));
  const pods = await emptyKinds(namespace, kinds.filter(kind => kind === Pod), context);
  return pods.remaining.length > 0 || pods.errors.length > 0 ? pods : emptyKinds(namespace, kinds.filter(kind => kind !== Pod), context);
}

/** Asks the server itself: local copies may lag behind what was made just before the deletion. */
async function emptyKinds(namespace: string, kinds: readonly AnyKind[], context: Context): Promise<Found> {
  const found = await Promise.allSettled(kinds.map(async kind => {
    const { items } = await context.liveList(kind, namespace);
    if (items.length === 0) return { kind, objects: items, errors: [] };
    const errors = await deleteAll(kind, items, context);
    return { kind, objects: (await context.liveList(kind, namespace)).items, errors };
  }));
  // One kind that can not be listed (an extension that is down, say) holds up the namespace, not the emptying of the other kinds.
  const failed = found.flatMap(result => (result.status === "rejected" ? [result.reason as unknown] : []));
  const done = found.flatMap(result => (result.status === "fulfilled" ? [result.value] : []));
  return { remaining: done.filter(({ objects }) => objects.length > 0), errors: [...failed, ...done.flatMap(({ errors }) => errors)] };
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
  ["NamespaceFinalizersRemaining", "ContentRemoved", "All content successfully removed"],
];

/** The five conditions that say how far the deletion is. */
export function planConditions(namespace: Namespace, { remaining, errors }: Found, now: number): readonly Condition[] {
  const bad = new Map<string, readonly [reason: string, message: string]>();
  if (errors.length > 0)
    bad.set("NamespaceDeletionContentFailure", ["ContentDeletionFailed", `Failed to delete all resource types, ${errors.length} remaining: ${errors.map(messageOf).sort().join(", ")}`]);
  if (remaining.length > 0) {
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
