/** Delete, with preconditions, grace, propagation and finalizers (apiserver pkg/registry/rest/delete.go, generic/registry/store.go). */
import { copyJson } from "../base/json-codec.ts";
import { timeOf } from "../base/time.ts";
import type { Entry } from "../store/store.ts";
import { admit } from "./admission/pipeline.ts";
import type { Call, Core } from "./core.ts";
import { conflict, notFound } from "./errors.ts";
import { withVersion } from "./objects.ts";
import type { DeleteOptions } from "./options.ts";
import { storeKey } from "./registry.ts";
import { isHeld, put } from "./write.ts";

/** How often a delete is redone when the object changes underneath it. */
const conflictRetriesMax = 16;

/** A caller who leaves open what becomes of dependents is told where that is not what most expect (registry/batch/job/storage Delete). */
export function adviseOnDelete({ served: { kind }, warn }: Pick<Call, "served" | "warn">, { propagationPolicy, orphanDependents }: DeleteOptions): void {
  if (typeof kind.orphanByDefault === "string" && propagationPolicy === undefined && orphanDependents === undefined) warn(kind.orphanByDefault);
}

/** `deleted`: it is gone now. `object` is its last (or still current) state. */
export type Deleted = { readonly deleted: boolean; readonly object: any; readonly entry?: Entry };

/** `asks`: whether admission hears of it; it has heard of what led to it otherwise. */
export async function remove(core: Core, call: Call, options: DeleteOptions, asks = true): Promise<Deleted> {
  const { served, namespace, name } = call;
  const key = storeKey(served.prefix, served.kind.namespaced ? namespace : "", name);
  adviseOnDelete(call, options);
  for (let attempt = 1; ; attempt++) {
    const entry = core.store.get(key);
    if (entry === undefined) throw notFound(served, name);
    const previous = core.objects.object(entry);
    checkPreconditions(core, call, previous, options);
    if (asks) await admitDelete(core, call, previous, options);
    const done = await attemptDelete(core, call, entry, previous, options);
    if (done !== undefined) return done;
    if (attempt > conflictRetriesMax || options.resourceVersion !== undefined) throw conflict(served, name);
  }
}

async function admitDelete(core: Core, call: Call, previous: any, options: DeleteOptions): Promise<void> {
  const { served, namespace, name, user, subresource, verb } = call;
  const admission = {
    operation: "DELETE" as const, ...(verb === undefined ? {} : { verb }), kind: served.kind, served, subresource, namespace: served.kind.namespaced ? namespace : "", name, user, dryRun: options.dryRun, options,
    object: undefined, previous, now: core.clock.now(), read: core.reader, warn: (text: string) => call.warn(text), annotate: (key: string, value: string) => call.annotate?.(key, value), trail: call.trail,
  };
  await admit(core, "mutate", admission);
  await admit(core, "validate", admission);
}

function checkPreconditions(core: Core, { served, name }: Call, { metadata }: any, { uid, resourceVersion }: DeleteOptions): void {
  // Quirk: the message names the kind where every other one names the resource. See rest/delete.go BeforeDelete.
  const { kind } = served, of = { group: kind.group, resource: kind.kind };
  // … except where a kind marks its objects itself.
  const refuse = (what: string, given: string, found: string, otherwise: string) => (core.hooks.get(kind)?.markDeleted === undefined ? conflict(of, name, otherwise) : conflict(served, name, `Precondition failed: ${what} in precondition: ${given}, ${what} in object meta: ${found}`));
  if (uid !== undefined && uid !== metadata.uid)
    throw refuse("UID", uid, metadata.uid, `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`);
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion)
    throw refuse("ResourceVersion", resourceVersion, metadata.resourceVersion, `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`);
}

async function attemptDelete(core: Core, call: Call, entry: Entry, previous: any, options: DeleteOptions): Promise<Deleted | undefined> {
  const { kind } = call.served;
  const hooks = core.hooks.get(kind);
  // What holds it besides its finalizers comes first: until then nobody changes how it goes (namespaces).
  if (previous.metadata.deletionTimestamp !== undefined && hooks?.holds?.(previous) === true) return { deleted: false, object: previous, entry };
  const next = copyJson(previous);
  delete next.metadata.resourceVersion;
  const now = core.clock.now();
  const grace = graceOf(previous, options, hooks?.gracePeriod === undefined ? undefined : asked => hooks.gracePeriod!(previous, asked), now);
  if (grace === "pending") return { deleted: false, object: previous, entry };
  const finalizersChanged = kind.ownsNothing !== true && setPropagationFinalizers(next, options, kind.orphanByDefault !== undefined);
  if (previous.metadata.deletionTimestamp === undefined) hooks?.onDelete?.(next);
  const goes = !isHeld(core, kind, next) && (grace === undefined || grace.seconds === 0);
  const announced = grace === undefined || previous.metadata.deletionTimestamp !== undefined;
  if (goes && announced) return removeNow(core, call, entry, previous, options.dryRun);
  mark(next, previous, grace ?? { seconds: 0, at: now }, now);
  hooks?.markDeleted?.(next, previous);
  if (!finalizersChanged && same(next, previous)) return { deleted: false, object: previous, entry };
  const answer = await put(core, kind, entry.key, next, { entry, object: previous }, options.dryRun);
  if (answer === undefined) return undefined;
  // Watchers see an object that ends gracefully marked before they see it gone, however short its grace.
  if (goes) return answer.entry === undefined ? { deleted: true, ...answer } : removeNow(core, call, answer.entry, answer.object, options.dryRun);
  return { deleted: false, ...answer };
}

type Grace = { readonly seconds: number; readonly at: number };

/** How long the object gets and when that ends; `pending`: it is on its way already and nothing changes; `undefined`: no grace here. */
function graceOf(previous: any, options: DeleteOptions, period: ((asked: number | undefined) => number) | undefined, now: number): Grace | "pending" | undefined {
  if (period === undefined) return undefined;
  const asked = options.gracePeriodSeconds === undefined ? undefined : options.gracePeriodSeconds < 0 ? 1 : options.gracePeriodSeconds;
  const { deletionTimestamp, deletionGracePeriodSeconds: current } = previous.metadata;
  if (deletionTimestamp === undefined) {
    const seconds = period(asked);
    return { seconds, at: now + seconds * 1000 };
  }
  if (current === undefined || current === 0) return undefined;
  if (asked === undefined || asked >= current) return "pending";
  const at = Date.parse(deletionTimestamp) + (asked - current) * 1000;
  return at < now ? { seconds: asked === 0 ? 0 : 1, at: now } : { seconds: asked, at };
}

function mark(next: any, previous: any, grace: Grace, now: number): void {
  const first = previous.metadata.deletionTimestamp === undefined;
  if (!first && grace.seconds >= (previous.metadata.deletionGracePeriodSeconds ?? 0)) return;
  next.metadata.deletionTimestamp = timeOf(first ? Math.max(grace.at, now) : grace.at);
  next.metadata.deletionGracePeriodSeconds = grace.seconds;
  if (first && next.metadata.generation > 0) next.metadata.generation++;
}

const same = (next: any, previous: any): boolean =>
  next.metadata.deletionTimestamp === previous.metadata.deletionTimestamp && next.metadata.deletionGracePeriodSeconds === previous.metadata.deletionGracePeriodSeconds;

/** `orphan` and `foregroundDeletion` as the caller wants them (registry/store.go deletionFinalizersForGarbageCollection). True if they changed. */
function setPropagationFinalizers(next: any, { propagationPolicy, orphanDependents }: DeleteOptions, orphanByDefault: boolean): boolean {
  const old: readonly string[] = next.metadata.finalizers ?? [];
  const asked = propagationPolicy ?? (orphanDependents === undefined ? undefined : orphanDependents ? "Orphan" : "Background");
  const [orphan, foreground] = asked !== undefined
    ? [asked === "Orphan", asked === "Foreground"]
    : [old.includes("orphan") || (orphanByDefault && !old.includes("foregroundDeletion")), old.includes("foregroundDeletion") && !old.includes("orphan")];
  const kept = old.filter(finalizer => finalizer !== "orphan" && finalizer !== "foregroundDeletion");
  const finalizers = [...kept, ...(orphan ? ["orphan"] : []), ...(foreground ? ["foregroundDeletion"] : [])];
  if (finalizers.length === old.length && finalizers.every(finalizer => old.includes(finalizer))) return false;
  if (finalizers.length === 0) delete next.metadata.finalizers;
  else next.metadata.finalizers = finalizers;
  return true;
}

async function removeNow(core: Core, call: Call, entry: Entry, previous: any, dryRun: boolean): Promise<Deleted | undefined> {
  if (dryRun) return { deleted: true, object: previous };
  const result = await core.store.delete(entry.key, entry.revision);
  if (!result.ok) return undefined;
  core.hooks.get(call.served.kind)?.released?.(previous);
  return { deleted: true, object: withVersion(previous, String(result.entry.revision)) };
}
