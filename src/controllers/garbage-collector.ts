import { byOwner, joinKey, keyOf, type Change } from "../client/informer.ts";
import { messageOf } from "../base/log.ts";
import { Event } from "../kinds/core/event.ts";
import type { AnyKind, Resource } from "../kinds/kind.ts";
import { jsonOf, type Context, type Controller } from "./controller.ts";
import { classify, collectPlan, foregroundFinalizer, isBlockedBy, isOrphaning, isWaiting, orphanFinalizer, type OwnerState } from "./garbage-plan.ts";

type Any = Resource<AnyKind>;
type Ref = NonNullable<Any["metadata"]["ownerReferences"]>[number];
/** Dependents changed side by side when their owner lets them go. */
const patchesAtOnce = 64;

/**
 * Deletes what nobody owns any more, and holds back owners that wait for what they own. Its graph is the local copies of all kinds: nothing
 * is deleted because a copy does not show its owner; the server is asked first.
 */
export const garbageCollector: Controller = {
  name: "garbagecollector",
  account: "generic-garbage-collector",
  component: "garbage-collector-controller",
  watches: [],
  everyKind: { keysOf, unless: [Event] },
  workers: 20,

  async reconcile(key, context) {
    const { kind, name } = parseKey(key, context);
    const object = kind === undefined ? undefined : context.read(kind).get(name);
    if (kind === undefined || object === undefined) return undefined;
    if (isOrphaning(object)) await orphan(kind, object, context);
    else if (isWaiting(object)) await release(kind, object, context);
    else if (object.metadata.deletionTimestamp === undefined && (object.metadata.ownerReferences ?? []).length > 0) await collect(kind, object, context);
    return undefined;
  },
};

const nothing: readonly string[] = [];

/** What a change may have left without an owner, or an owner without dependents. */
function keysOf(object: Any, context: Context, change: Change<Any>): Iterable<string> {
  const { ownerReferences, deletionTimestamp } = object.metadata;
  // Most objects belong to nobody and stay: every change of every object comes by here.
  if (change.type !== "deleted" && deletionTimestamp === undefined && ownerReferences === undefined && change.previous?.metadata.ownerReferences === undefined) return nothing;
  const keys = new Set<string>();
  const kind = kindOf(context, object.apiVersion, object.kind);
  if (kind === undefined) return keys;
  const own = keyFor(kind, object);
  const gone = change.type === "deleted";
  const justEnding = !gone && object.metadata.deletionTimestamp !== undefined && change.previous?.metadata.deletionTimestamp === undefined;
  if (!gone && (isOrphaning(object) || isWaiting(object) || mayBeLost(object, context))) keys.add(own);
  if (gone || (justEnding && isWaiting(object))) for (const dependent of dependentsOf(object, context)) keys.add(keyFor(dependent.kind, dependent.object));
  // An owner that waits for this object: it is gone, no longer blocks, or is no longer owned.
  for (const ref of [...(gone ? object.metadata.ownerReferences ?? [] : []), ...(change.previous?.metadata.ownerReferences ?? [])]) {
    const owner = ownerIn(context, ref, object);
    if (owner?.object !== undefined && isWaiting(owner.object)) keys.add(keyFor(owner.kind, owner.object));
  }
  return keys;
}
/** Some owner is not (or not yet) in the copies, or is waiting for its dependents to go. */
function mayBeLost(object: Any, context: Context): boolean {
  return (object.metadata.ownerReferences ?? []).some(ref => {
    const owner = ownerIn(context, ref, object)?.object;
    return owner === undefined || owner.metadata.uid !== ref.uid || isWaiting(owner);
  });
}

/** Deletes an object without owners, or takes away references to owners that are gone while another still lives. */
async function collect(kind: AnyKind, shown: Any, context: Context): Promise<void> {
  const states = new Map<string, OwnerState>();
  for (const ref of shown.metadata.ownerReferences ?? []) states.set(ref.uid, await ownerState(ref, kind, shown, context));
  if (!classify(shown, states).some(state => state !== "solid")) return;

  const { namespace = "", name, uid } = shown.metadata;
  const object = await context.live(kind, namespace, name);
  if (object === undefined || object.metadata.uid !== uid || object.metadata.deletionTimestamp !== undefined) return;
  for (const ref of object.metadata.ownerReferences ?? []) if (!states.has(ref.uid)) states.set(ref.uid, await ownerState(ref, kind, object, context));
  const dependents = dependentsOf(object, context);
  const plan = collectPlan(object, states, dependents.map(dependent => dependent.object));
  if (plan.unblock) await setReferences(kind, object, (object.metadata.ownerReferences ?? []).map(ref => ({ ...ref, blockOwnerDeletion: false })), context);
  if (plan.keepReferences !== undefined) await setReferences(kind, object, plan.keepReferences, context);
  if (plan.deletion !== undefined) {
    // The very state that was judged: an owner added meanwhile makes this a conflict.
    const preconditions = plan.unblock ? {} : { resourceVersion: object.metadata.resourceVersion };
    await context.delete(kind, object, { propagationPolicy: plan.deletion, preconditions });
  }
}

async function ownerState(ref: Ref, kind: AnyKind, object: Any, context: Context): Promise<OwnerState> {
  const owner = ownerIn(context, ref, object);
  if (owner === undefined) throw new Error(`no matches for kind ${JSON.stringify(ref.kind)} in version ${JSON.stringify(ref.apiVersion)}`);
  if (owner.object?.metadata.uid === ref.uid) return isWaiting(owner.object) ? "waiting" : "solid";
  // A cluster-scoped object can not be owned by something in a namespace: nobody could say which one.
  if (owner.kind.namespaced && !kind.namespaced) return "solid";
  const { namespace = "" } = object.metadata;
  const live = await context.live(owner.kind, owner.kind.namespaced ? namespace : "", ref.name);
  if (live?.metadata.uid === ref.uid) return isWaiting(live) ? "waiting" : "solid";
  if (owner.kind.namespaced && context.read(owner.kind).list().some(other => other.metadata.uid === ref.uid && other.metadata.namespace !== namespace))
    context.events.event(object, "Warning", "OwnerRefInvalidNamespace", `ownerRef [${ref.apiVersion}/${ref.kind}, namespace: ${namespace}, name: ${ref.name}, uid: ${ref.uid}] does not exist in namespace ${JSON.stringify(namespace)}`);
  return "absent";
}

/** Foreground: an owner goes when nothing that blocks it is left. */
async function release(kind: AnyKind, owner: Any, context: Context): Promise<void> {
  const known = dependentsOf(owner, context).filter(({ object }) => isBlockedBy(owner, object));
  if (known.length > 0) return;
  if ((await liveDependents(kind, owner, context)).some(({ object }) => isBlockedBy(owner, object)))
    throw new Error("a dependent that blocks its owner's deletion is not in the local copies yet");
  await removeFinalizer(kind, owner, foregroundFinalizer, context);
}

/** Orphan: every dependent forgets the owner before the owner goes. Asks the server, for what a copy misses would be deleted afterwards. */
async function orphan(kind: AnyKind, owner: Any, context: Context): Promise<void> {
  const dependents = await liveDependents(kind, owner, context);
  for (let i = 0; i < dependents.length; i += patchesAtOnce)
    await Promise.all(dependents.slice(i, i + patchesAtOnce).map(({ kind: dependentKind, object }) =>
      setReferences(dependentKind, object, (object.metadata.ownerReferences ?? []).filter(ref => ref.uid !== owner.metadata.uid), context)));
  await removeFinalizer(kind, owner, orphanFinalizer, context);
}

type Node = { readonly kind: AnyKind; readonly object: Any };

function dependentsOf(owner: Any, context: Context): readonly Node[] {
  return context.kinds().flatMap(kind => (kind === Event ? [] : context.read(kind).by(byOwner, owner.metadata.uid).map(object => ({ kind, object }))));
}
async function liveDependents(ownerKind: AnyKind, owner: Any, context: Context): Promise<readonly Node[]> {
  const kinds = context.kinds().filter(kind => kind !== Event && (kind.namespaced || !ownerKind.namespaced));
  const lists = await Promise.all(kinds.map(async kind => ({ kind, items: await liveOrKnown(kind, ownerKind.namespaced ? owner.metadata.namespace ?? "" : "", context) })));
  return lists.flatMap(({ kind, items }) => items.filter(object => object.metadata.ownerReferences?.some(ref => ref.uid === owner.metadata.uid) === true).map(object => ({ kind, object })));
}

/** Another server that is away holds nothing up: what was last seen of it counts, as in upstream's graph. */
async function liveOrKnown(kind: AnyKind, namespace: string, context: Context): Promise<readonly Any[]> {
  try {
    return (await context.liveList(kind, namespace)).items;
  } catch (error) {
    if (kind.remote !== true) throw error;
    context.log.debug("another server's objects could not be listed: the copies count", { kind: kind.plural, error: messageOf(error) });
    return context.read(kind).list().filter(({ metadata }) => namespace === "" || metadata.namespace === namespace);
  }
}

async function setReferences(kind: AnyKind, object: Any, ownerReferences: readonly Ref[], context: Context): Promise<void> {
  const { uid, resourceVersion } = object.metadata;
  await context.ifThere(context.patch(kind, object, { type: "merge", body: { metadata: { uid, resourceVersion, ownerReferences: ownerReferences.length === 0 ? null : jsonOf(ownerReferences) } } }));
}
async function removeFinalizer(kind: AnyKind, object: Any, finalizer: string, context: Context): Promise<void> {
  const { uid, resourceVersion, finalizers = [] } = object.metadata;
  const kept = finalizers.filter(other => other !== finalizer);
  await context.ifThere(context.patch(kind, object, { type: "merge", body: { metadata: { uid, resourceVersion, finalizers: kept.length === 0 ? null : kept } } }));
}

function kindOf(context: Context, apiVersion: string, kind: string): AnyKind | undefined {
  const slash = apiVersion.indexOf("/");
  const group = slash < 0 ? "" : apiVersion.slice(0, slash);
  return context.kinds().find(other => other.kind === kind && other.group === group);
}
function ownerIn(context: Context, ref: Ref, dependent: Any): { readonly kind: AnyKind; readonly object: Any | undefined } | undefined {
  const kind = kindOf(context, ref.apiVersion, ref.kind);
  if (kind === undefined) return undefined;
  const object = context.read(kind).get(joinKey(kind.namespaced ? dependent.metadata.namespace : "", ref.name));
  return { kind, object };
}
const keyFor = (kind: AnyKind, object: Any): string => `${kind.group}/${kind.plural}/${keyOf(object)}`;
function parseKey(key: string, context: Context): { readonly kind: AnyKind | undefined; readonly name: string } {
  const [group, plural] = key.split("/", 2);
  return { kind: context.kinds().find(kind => kind.group === group && kind.plural === plural), name: key.slice(`${group}/${plural}/`.length) };
}
