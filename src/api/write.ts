/** Create and update: one path for every verb, endpoint and kind that stores an object. */
import { isApiError } from "../base/api-error.ts";
import { sameJson } from "../base/json.ts";
import { suffix } from "../base/random.ts";
import type { AnyKind } from "../kinds/kind.ts";
import { keepTimestamps, updateManagedFields, type Versions } from "../schema/apply.ts";
import { managerOf } from "../schema/managed-fields.ts";
import type { Entry } from "../store/store.ts";
import { admit, type Admission } from "./admission/pipeline.ts";
import type { Answer, Call, Core, Reservation } from "./core.ts";
import { alreadyExists, badRequest, conflict, forbidden, generateNameConflict, invalid, notFound, uidConflict } from "./errors.ts";
import { storedText, withVersion } from "./objects.ts";
import type { WriteOptions } from "./options.ts";
import { storeKey } from "./registry.ts";
import { asServed, asStored, countGeneration, hasStatus, limitToEndpoint, matchNamespace, prepareAndValidate, setServedDefaults, stampNew, stampUpdate, startingFrom, wipeForCreate } from "./strategy.ts";
import { versionsOf, withVersions } from "./versions.ts";

/** Names tried for one generateName before the client is told (registry/store.go maxNameGenerationCreateAttempts). */
const generatedNamesMax = 8;
/** Upstream cuts the prefix so that the whole stays a label (apiserver pkg/storage/names/generate.go). */
const generatedPrefixMax = 58;
/** How often a write that named no resourceVersion is redone on a newer object before the client sees the conflict. */
const conflictRetriesMax = 16;

/** Stores a new object. `given` is private, canonical and defaulted. */
export async function create(core: Core, call: Call, given: any, options: WriteOptions, applied = false): Promise<Answer> {
  const { served, namespace } = call;
  const { kind } = served;
  if (kind.terminating === true) throw forbidden(served, given.metadata.name ?? "", "create not allowed while custom resource definition is terminating");
  const version: string = given.metadata.resourceVersion ?? "";
  delete given.metadata.resourceVersion;
  wipeForCreate(served, given, namespace);
  dropDuplicateOwners(given, call);
  const owned = applied ? undefined : own(core, call, given, undefined, options);
  if (owned !== undefined) await owned;
  const admission = admissionOf(core, call, "CREATE", given, undefined, options, given.metadata.name ?? "");
  const mutated = admit(core, "mutate", admission);
  if (mutated !== undefined) await mutated;
  setServedDefaults(served, given);
  // Nobody may have moved it to where the client has no permission.
  matchNamespace(kind, given.metadata, namespace);
  for (let attempt = 1; ; attempt++) {
    const generated = (given.metadata.name ?? "") === "" && (given.metadata.generateName ?? "") !== "";
    const next = generated ? { ...given, metadata: { ...given.metadata } } : given;
    const name = generated ? given.metadata.generateName.slice(0, generatedPrefixMax) + suffix(core.random) : (given.metadata.name ?? "") || (kind.namedIfNameless === true ? core.random.uuid() : "");
    const now = core.clock.now();
    stampNew(kind, next, name, core.random.uuid(), now);
    const checked = prepareAndValidate(served, core.hooks.get(kind), next, undefined, { now, operation: "create", subresource: call.subresource, apiVersion: served.apiVersion, writer: call.user.name, warn: text => call.warn(text) }, () => core.clock.sleep(0));
    if (checked !== undefined) await checked;
    const admitted = admit(core, "validate", { ...admission, object: next, name });
    if (admitted !== undefined) await admitted;
    // Storage refuses it, after everybody else (apiserver pkg/storage/etcd3/store.go).
    if (version !== "" && !options.dryRun) throw badRequest("resourceVersion should not be set on objects to be created");
    const key = storeKey(served.prefix, kind.namespaced ? next.metadata.namespace : "", name);
    const written = await put(core, kind, key, await asStored(served, next), undefined, options.dryRun);
    // Quirk: a dry run does not get as far as storage, and shows what it would refuse.
    if (written !== undefined) return { ...written, ...(version === "" ? {} : { object: withVersion(written.object, version) }), created: true };
    if (!generated) throw alreadyExists(served, name, isDeleting(core, key));
    if (attempt >= generatedNamesMax) throw generateNameConflict(served, name);
  }
}

function isDeleting(core: Core, key: string): boolean {
  const entry = core.store.get(key);
  return entry !== undefined && core.objects.object(entry).metadata.deletionTimestamp !== undefined;
}

/** Makes the next state from the one that is stored; called again when another write came between. Private, canonical, defaulted. */
export type Change = (previous: any | undefined) => any | Promise<any>;
export type UpdateMode = {
  /** An absent object is created from `change(undefined)`. */
  readonly createAbsent?: boolean;
  /** `change` already set managedFields (server-side apply). */
  readonly applied?: boolean;
  /** The object is as a client wrote or patched it: it must name its version where the kind wants that. */
  readonly written?: boolean;
  /** A uid that is given must be that of what is stored (PUT's precondition); else validation tells that it cannot change. */
  readonly exactUid?: boolean;
  /** Checked before an absent object is created: creating takes its own permission. */
  readonly authorizeCreate?: () => Promise<void>;
};

/** Stores a new state of an object that exists. */
export async function update(core: Core, call: Call, change: Change, options: WriteOptions, mode: UpdateMode = {}): Promise<Answer> {
  const { served, namespace, name } = call;
  const key = storeKey(served.prefix, served.kind.namespaced ? namespace : "", name);
  for (let attempt = 1; ; attempt++) {
    const entry = core.store.get(key);
    if (entry === undefined) {
      if (mode.createAbsent !== true) throw notFound(served, name);
      const given = await change(undefined);
      await mode.authorizeCreate?.();
      if (given.metadata.uid !== undefined && given.metadata.uid !== "") throw uidConflict(served, name, key, given.metadata.uid, "");
      try {
        return await create(core, call, given, options, mode.applied);
      } catch (error) {
        if (isApiError(error, "AlreadyExists") && attempt <= conflictRetriesMax) continue;
        throw error;
      }
    }
    const previous = await startingFrom(served, core.objects.object(entry));
    const next = await change(previous);
    checkIdentity(call, key, next, previous, mode);
    const answer = await replace(core, call, entry, previous, next, options, mode);
    if (answer !== undefined) return answer;
    if (attempt > conflictRetriesMax) throw conflict(served, name);
  }
}

/** Namespace, uid (of a PUT) and resourceVersion against what is stored: a client that names the version it changes fails here when that is no longer current. */
function checkIdentity(call: Call, key: string, next: any, previous: any, { written, exactUid }: UpdateMode): void {
  const { served, namespace, name } = call;
  const { uid, resourceVersion } = next.metadata;
  if (exactUid === true && uid !== undefined && uid !== "" && uid !== previous.metadata.uid) throw uidConflict(served, name, key, uid, previous.metadata.uid);
  matchNamespace(served.kind, next.metadata, namespace);
  const given = resourceVersion ?? "";
  if (written === true && (given === "" || given === "0") && (served.kind.conditionalUpdate === true || served.kind.custom === true))
    throw invalid({ group: served.group, kind: served.resource }, name, [{ field: "metadata.resourceVersion", reason: "Invalid", value: 0, detail: "must be specified for an update" }]);
  if (given === "" || given === "0") return;
  if (!/^[0-9]{1,16}$/.test(given)) throw badRequest(`invalid resource version ${JSON.stringify(given)}`);
  if (given !== previous.metadata.resourceVersion) throw conflict(served, name);
}

async function replace(core: Core, call: Call, entry: Entry, previous: any, made: any, options: WriteOptions, mode: UpdateMode): Promise<Answer | undefined> {
  const { served, subresource } = call;
  const { kind } = served;
  limitToEndpoint(kind, core.hooks.get(kind), subresource, made, previous);
  dropDuplicateOwners(made, call);
  stampUpdate(kind, made, previous);
  const owned = mode.applied === true ? undefined : own(core, call, made, previous, options);
  if (owned !== undefined) await owned;
  const admission = admissionOf(core, call, "UPDATE", made, previous, options, call.name);
  await admit(core, "mutate", admission);
  setServedDefaults(served, made);
  limitToEndpoint(kind, core.hooks.get(kind), subresource, made, previous);
  stampUpdate(kind, made, previous);
  countGeneration(kind, made, previous, subresource);
  const now = core.clock.now();
  const checked = prepareAndValidate(served, core.hooks.get(kind), made, previous, { now, operation: "update", subresource, apiVersion: served.apiVersion, writer: call.user.name, warn: text => call.warn(text) }, () => core.clock.sleep(0));
  if (checked !== undefined) await checked;
  await admit(core, "validate", admission);
  const { resourceVersion, ...metadata } = previous.metadata;
  const stored = { ...previous, metadata };
  const next: any = keepTimestamps(stored, made);
  // What is stored in an older version is written again, though nothing else has changed.
  const current = core.objects.object(entry);
  if (sameJson(stored, next) && (kind.storedAs === undefined || current.apiVersion === kind.storedAs)) return { object: current, entry };
  if (finished(core, kind, next)) return remove(core, kind, entry, next, resourceVersion, options.dryRun);
  return put(core, kind, entry.key, await asStored(served, next), { entry, object: previous }, options.dryRun);
}

/** An object being deleted whose last finalizer this very update takes away is gone with it (registry/store.go ShouldDeleteDuringUpdate). */
function finished(core: Core, kind: AnyKind, next: any): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds } = next.metadata;
  return deletionTimestamp !== undefined && (deletionGracePeriodSeconds ?? 0) === 0 && !isHeld(core, kind, next);
}

/** Something must still happen before the object may go. */
export function isHeld(core: Core, kind: AnyKind, object: any): boolean {
  return (object.metadata.finalizers?.length ?? 0) > 0 || core.hooks.get(kind)?.holds?.(object) === true;
}

async function remove(core: Core, kind: AnyKind, entry: Entry, next: any, resourceVersion: string, dryRun: boolean): Promise<Answer | undefined> {
  if (dryRun) return { object: withVersion(next, resourceVersion) };
  const result = await core.store.delete(entry.key, entry.revision);
  if (!result.ok) return undefined;
  core.hooks.get(kind)?.released?.(core.objects.object(entry));
  return { object: withVersion(next, String(result.entry.revision)) };
}

/** Writes it; `undefined` when something else is there by now. */
export async function put(core: Core, kind: AnyKind, key: string, next: any, before: { readonly entry: Entry; readonly object: any } | undefined, dryRun: boolean): Promise<Answer | undefined> {
  const reservation: Reservation | undefined = core.hooks.get(kind)?.reserve?.(next, before?.object, dryRun);
  if (dryRun) {
    reservation?.rollback();
    if (before === undefined && core.store.get(key) !== undefined) return undefined;
    return { object: before === undefined ? next : withVersion(next, before.object.metadata.resourceVersion) };
  }
  const value = storedText(kind.schema.node, next);
  const withdraw = core.objects.offer(key, value, next);
  let stored = false;
  try {
    // An object on its way out may use the space that is held back for a full disk.
    const frees = before !== undefined && next.metadata.deletionTimestamp !== undefined;
    const result = await core.store.put(key, value, before?.entry.revision ?? 0, { frees });
    if (!result.ok) return undefined;
    stored = true;
    return { object: core.objects.object(result.entry), entry: result.entry };
  } finally {
    withdraw();
    if (stored) reservation?.commit();
    else reservation?.rollback();
  }
}

/** Who owns what after this write. Waits only where a webhook converts. */
function own(core: Core, call: Call, after: any, before: any | undefined, options: WriteOptions): Promise<void> | undefined {
  const { served, subresource } = call;
  const { kind } = served;
  const converts = served.convert !== undefined && kind.custom !== true;
  const seen = (object: any): any => {
    if (object === undefined) return object;
    // The type stands among the fields, which nobody owns.
    if (kind.custom !== true) return converts ? asServed(served, object) : object;
    const { apiVersion: _a, kind: _k, ...rest } = object;
    return rest;
  };
  // Quirk: an empty list of entries is none in an unstructured object, and resets nobody.
  if (kind.custom === true && after.metadata.managedFields?.length === 0) delete after.metadata.managedFields;
  const set = (versions: Versions): void => {
    const fields = updateManagedFields({
      node: converts || kind.custom === true ? served.node : kind.schema.node, before: seen(before), after: seen(after), manager: managerOf(options.fieldManager, call.userAgent), apiVersion: served.apiVersion, now: core.clock.now(),
      ...(subresource === "" ? {} : { subresource }), reset: resetFields(kind, subresource), versions,
    });
    if (fields === undefined) delete after.metadata.managedFields;
    else after.metadata.managedFields = fields;
  };
  if (kind.conversion !== undefined) return withVersions(core.registry, served, set);
  set(versionsOf(core.registry, served));
  return undefined;
}

const resetsOf = { none: [], object: [["status"]], status: [["spec"]], statusAlone: [["metadata"], ["spec"]] } as const;

/** Paths that an endpoint ignores, so that writing through it does not own them (upstream's GetResetFields). */
export function resetFields(kind: AnyKind, subresource: string): readonly (readonly string[])[] {
  if (kind.resets !== undefined) return kind.resets(subresource);
  if (subresource === "status") return kind.statusAlone === true || kind.custom === true ? resetsOf.statusAlone : resetsOf.status;
  return hasStatus(kind) ? resetsOf.object : resetsOf.none;
}

function admissionOf(core: Core, call: Call, operation: Admission["operation"], object: any, previous: any, options: WriteOptions, name: string): Admission {
  return {
    operation, ...(call.verb === undefined ? {} : { verb: call.verb }), kind: call.served.kind, served: call.served, subresource: call.subresource, namespace: call.served.kind.namespaced ? call.namespace : "", name, user: call.user, dryRun: options.dryRun, options,
    object, previous, now: core.clock.now(), read: core.reader, warn: text => call.warn(text), annotate: (key, value) => call.annotate?.(key, value), trail: call.trail,
  };
}

/** Owner references given twice are dropped with a warning (handlers/rest.go dedupOwnerReferencesAndAddWarning). */
function dropDuplicateOwners(object: any, call: Call): void {
  const owners: readonly any[] | undefined = object.metadata.ownerReferences;
  if (owners === undefined || owners.length < 2) return;
  const kept = owners.filter((owner, i) => !owners.slice(0, i).some(earlier => sameJson(earlier, owner)));
  if (kept.length === owners.length) return;
  const uids = owners.filter((owner, i) => owners.slice(0, i).some(earlier => sameJson(earlier, owner))).map(({ uid }) => uid);
  call.warn(`.metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${uids.join(", ")}`);
  object.metadata.ownerReferences = kept;
}
