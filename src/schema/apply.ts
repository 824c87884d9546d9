/**
 * Field ownership and server-side apply, as apimachinery's managedfields and structured-merge-diff have them. Pure: the
 * caller decodes, defaults, validates and stores.
 */
import { type Json, type JsonObject, isObject, sameJson } from "../base/json.ts";
import { timeOf } from "../base/time.ts";
import { type Reading, compare, fieldsOf, Untyped } from "./apply-compare.ts";
import { type Conflict, conflictError } from "./apply-conflict.ts";
import { type FieldSet, difference, emptySet, intersection, pathsOf, recursiveDifference, union } from "./apply-field-set.ts";
import { allowedByLastApplied, withLastApplied } from "./apply-last-applied.ts";
import { mergeApplied, withoutEmptied } from "./apply-merge.ts";
import { pruneUnapplied } from "./apply-prune.ts";
import { reconcileSet, rememberFit } from "./apply-reconcile.ts";
import { isEmpty, ownedShapeOf, shapeOf } from "./apply-shape.ts";
import { setOfText } from "./apply-shared.ts";
import { createdText } from "./apply-text.ts";
import { checkApplied, renderKind } from "./apply-validate.ts";
import {
  type ManagedFieldsEntry, type Owner, type Owners, capUpdaters, decodeManagedFields, encodeManagedFields, identityOf, isReset, withManagedFields,
} from "./managed-fields.ts";
import { ApiError } from "../base/api-error.ts";
import type { Node } from "./t.ts";

/** How to see the object in another version that it is served in; `undefined` if there is none such (any more). */
export type Versions = (apiVersion: string) => Version | undefined;
export type Version = { readonly node: Node; readonly to: (object: JsonObject) => JsonObject; readonly from: (object: JsonObject) => JsonObject };

type Common = {
  /** The whole kind's schema. */
  readonly node: Node;
  readonly manager: string;
  readonly apiVersion: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly subresource?: string;
  /** Paths that a write to this endpoint cannot change, so that nobody comes to own them through it (upstream's GetResetFields). */
  readonly reset?: readonly (readonly string[])[];
  readonly versions?: Versions;
};
export type UpdateOptions = Common & { readonly before: JsonObject | undefined; readonly after: JsonObject };
export type ApplyOptions = Common & { readonly live: JsonObject | undefined; readonly applied: JsonObject; readonly kind: string; readonly force: boolean };

/** What a write changed: paths added or given another value, and paths gone. */
type Change = { readonly changed: FieldSet; readonly removed: FieldSet };
/** The same as each version sees it; `undefined` for a version that is gone. */
type Changes = (apiVersion: string) => Change | undefined;

/**
 * The entries that an object has after a create, update or patch. `after`'s own entries are the client's: it may reset
 * or edit them, except through a subresource. `undefined` when ownership is not tracked.
 */
export function updateManagedFields(options: UpdateOptions): readonly ManagedFieldsEntry[] | undefined {
  return unlessUntyped(() => managedFieldsAfter(options));
}

function unlessUntyped<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof Untyped) return undefined;
    throw error;
  }
}

function managedFieldsAfter(options: UpdateOptions): readonly ManagedFieldsEntry[] | undefined {
  const { before, after } = options;
  const live = entriesOf(before), sent = entriesOf(after);
  const owners = ownersToUpdate(live, sent, (options.subresource ?? "") !== "");
  if (owners.size === 0 && before !== undefined && isTracked(before)) return undefined;
  if (owners.size === 0 && before === undefined && (options.reset ?? []).every(path => path.length === 1)) return encodeManagedFields(ownersOfNew(options));
  return encodeManagedFields(updateOwners(options, before ?? {}, after, reconciled(options, owners)));
}

function entriesOf(object: JsonObject | undefined): Json | undefined {
  const metadata = object?.["metadata"];
  return isObject(metadata) ? metadata["managedFields"] : undefined;
}

/** Once stored, an object without entries stays without: someone has reset them. */
function isTracked(object: JsonObject): boolean {
  const metadata = object["metadata"];
  return isObject(metadata) && typeof metadata["uid"] === "string" && metadata["uid"] !== "";
}

function ownersToUpdate(live: Json | undefined, sent: Json | undefined, isSubresource: boolean): Owners {
  const ours = (): Owners => {
    const decoded = decodeManagedFields(live, true);
    return decoded.ok ? decoded.owners : new Map();
  };
  if (isSubresource || sent === live) return ours();
  if (isReset(sent)) return new Map();
  if (sent === undefined || sent === null || sameJson(sent, live)) return ours();
  const decoded = decodeManagedFields(sent, false);
  return decoded.ok && decoded.owners.size > 0 ? decoded.owners : ours();
}

/** Of a new object everything is the writer's; its set is told from its text, which most often another object has already. */
function ownersOfNew(options: UpdateOptions): Owners {
  const set = setOfText(createdText(ownedShapeOf(options.node), options.after, new Set(options.reset?.map(([name = ""]) => name))));
  if (isEmpty(set)) return new Map();
  const self: Owner = { ...identity(options, "Update"), set, time: timeOf(options.now) };
  rememberFit(shapeOf(options.node), set);
  return new Map([[identityOf(self), self]]);
}

function updateOwners(options: Common, before: JsonObject, after: JsonObject, owners: Owners): Owners {
  const change = settle(options, changesByVersion(options, before, after, "typed"), owners, undefined);
  if (!isEmpty(change.changed)) {
    const self: Owner = { ...identity(options, "Update"), set: change.changed, time: timeOf(options.now) };
    const key = identityOf(self);
    const previous = owners.get(key);
    const set = previous === undefined ? self.set : union(previous.set, self.set);
    rememberFit(shapeOf(options.node), set);
    owners.set(key, { ...self, set });
  }
  capUpdaters(owners);
  return owners;
}

function identity(options: Common, operation: "Apply" | "Update"): Pick<Owner, "manager" | "operation" | "apiVersion" | "subresource"> {
  return { manager: options.manager === "" ? "unknown" : options.manager, operation, apiVersion: options.apiVersion, subresource: options.subresource ?? "" };
}

/** Takes from everybody but `self` what the write changed or removed, and tells what that was (structured-merge-diff merge/update.go). */
function settle(options: Common, changes: Changes, owners: Owners, self: string | undefined): Change {
  for (const [key, owner] of owners) {
    if (key === self) continue;
    const change = changes(owner.apiVersion);
    const set = change === undefined ? emptySet : difference(difference(owner.set, change.changed), change.removed);
    if (isEmpty(set)) owners.delete(key);
    else if (set !== owner.set) owners.set(key, { ...owner, set });
  }
  return changes(options.apiVersion)!;
}

function changesByVersion(options: Common, before: JsonObject, after: JsonObject, reading: Reading): Changes {
  const known = new Map<string, Change | undefined>();
  const reset = resetSet(options.reset);
  const find = (apiVersion: string): Change | undefined => {
    const version = apiVersion === options.apiVersion ? { node: options.node, to: same } : options.versions?.(apiVersion);
    if (version === undefined) return undefined;
    const shape = ownedShapeOf(version.node), old = version.to(before), now = version.to(after);
    const changed = compare(shape, old, now, true, reading) ?? emptySet, removed = isEmpty(old) ? emptySet : compare(shape, now, old, false, reading) ?? emptySet;
    return { changed: recursiveDifference(changed, reset), removed: recursiveDifference(removed, reset) };
  };
  return apiVersion => {
    if (!known.has(apiVersion)) known.set(apiVersion, find(apiVersion));
    return known.get(apiVersion);
  };
}

function same(object: JsonObject): JsonObject {
  return object;
}

function resetSet(paths: readonly (readonly string[])[] = []): FieldSet {
  return paths.reduce<FieldSet>((set, path) => union(set, path.reduceRight<FieldSet>((below, name) => ({ [`f:${name}`]: below }), emptySet)), emptySet);
}

/** Owners whose sets fit the schema as it is now; of versions that are gone, none. */
function reconciled(options: Common, owners: Owners): Owners {
  for (const [key, owner] of owners) {
    const node = owner.apiVersion === options.apiVersion ? options.node : options.versions?.(owner.apiVersion)?.node;
    const set = node === undefined ? emptySet : reconcileSet(shapeOf(node), owner.set);
    if (node === undefined) owners.delete(key);
    else if (set !== owner.set) owners.set(key, { ...owner, set });
  }
  return owners;
}

/**
 * Server-side apply: `live` with what `applied` says and without what this manager applied before and does not any more
 * (unless someone else owns it), entries included. Refuses with Conflict if another manager owns what would change,
 * unless `force`. A result equal to `live` means that nothing is to be written.
 */
export function applyPatch(options: ApplyOptions): JsonObject {
  const { applied } = options;
  if (applied["apiVersion"] !== options.apiVersion || applied["kind"] !== options.kind) {
    const { apiVersion } = applied;
    throw new ApiError("BadRequest", `invalid object type: ${typeof apiVersion === "string" && apiVersion.split("/").length > 2 ? "/, Kind=" : renderKind(applied)}`);
  }
  if (isObject(applied["metadata"]) && "managedFields" in applied["metadata"]) throw new ApiError("BadRequest", "metadata.managedFields must be nil");
  const decoded = decodeManagedFields(entriesOf(options.live), true);
  if (!decoded.ok) throw new ApiError("", `failed to decode managed fields: ${decoded.problem}`);
  checkApplied(shapeOf(options.node), applied, options);
  const live = options.live ?? {};
  const owners = reconciled(options, decoded.owners);
  // Upstream answers 500 where what is there is owned by nobody because it cannot be told apart; here the apply goes on.
  if (owners.size === 0) unlessUntyped(() => updateOwners({ ...options, manager: "before-first-apply" }, {}, live, owners));
  const attempt = merge(options, live, owners);
  let conflicts = options.force ? [] : conflictsIn(attempt, owners);
  if (conflicts.length > 0 && options.manager === "kubectl") conflicts = conflictsWithout(conflicts, allowedByLastApplied(options.node, live, options.apiVersion));
  if (conflicts.length > 0) throw conflictError(conflicts);
  return finish(options, attempt, owners);
}

type Attempt = { readonly self: string; readonly object: JsonObject; readonly set: FieldSet; readonly unchanged: boolean; readonly changes: Changes };

function merge(options: ApplyOptions, live: JsonObject, owners: Owners): Attempt {
  const shape = shapeOf(options.node);
  const self = identityOf(identity(options, "Apply"));
  const reset = resetSet(options.reset);
  const { metadata, ...bare } = options.applied;
  // Nobody owns metadata itself: one that names nothing is none (managedfields/internal/stripmeta.go).
  const given = metadata === null || (isObject(metadata) && Object.keys(metadata).length === 0) ? bare : options.applied;
  const set = recursiveDifference(fieldsOf(ownedShapeOf(options.node), given) ?? emptySet, reset);
  const merged = (mergeApplied(shape, live, options.applied) ?? {}) as JsonObject;
  const last = owners.get(self);
  // Identity is owned by nobody, but as long as it is applied it keeps metadata from being pruned.
  const named = recursiveDifference(fieldsOf(shape, options.applied) ?? emptySet, reset);
  const pruned = last === undefined ? merged : pruneUnapplied(options, merged, last, [...owners].map(([key, owner]) => (key === self ? { ...owner, apiVersion: options.apiVersion, set: named } : owner)));
  const unchanged = sameJson(live, pruned);
  return { self, object: (options.node.custom === undefined ? withoutEmptied(shape, merged, pruned) : pruned) as JsonObject, set, unchanged, changes: changesByVersion(options, live, pruned, "written") };
}

function conflictsIn({ self, changes }: Attempt, owners: Owners): readonly Conflict[] {
  return [...owners].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([key, owner]) => {
    const change = key === self ? undefined : changes(owner.apiVersion);
    return change === undefined ? [] : Array.from(pathsOf(intersection(owner.set, change.changed)), path => ({ owner, path }));
  });
}

function conflictsWithout(conflicts: readonly Conflict[], allowed: ((path: readonly string[]) => boolean) | undefined): readonly Conflict[] {
  return allowed === undefined ? conflicts : conflicts.filter(({ path }) => !allowed(path));
}

function finish(options: ApplyOptions, attempt: Attempt, owners: Owners): JsonObject {
  settle(options, attempt.changes, owners, attempt.self);
  const previous = owners.get(attempt.self);
  // Quirk: an apply that changes nothing does not touch the time, and a new owner gets none. See managedfields/internal/managedfieldsupdater.go.
  if (isEmpty(attempt.set)) owners.delete(attempt.self);
  else owners.set(attempt.self, { ...identity(options, "Apply"), set: attempt.set, time: attempt.unchanged ? previous?.time : timeOf(options.now) });
  const object = options.manager === "kubectl" ? withLastApplied(attempt.object, options.applied) : attempt.object;
  return withManagedFields(object, encodeManagedFields(owners));
}

/** `after`, but with `before`'s entries if the two differ in nothing but their entries' times: then there is nothing to write. */
export function keepTimestamps(before: JsonObject, after: JsonObject): JsonObject {
  const old = entriesOf(before), now = entriesOf(after);
  if (!Array.isArray(old) || !Array.isArray(now) || old.length !== now.length || old === now) return after;
  const sameEntries = (old as readonly Json[]).every((entry, i) => {
    const other = (now as readonly Json[])[i];
    if (!isObject(entry) || !isObject(other)) return false;
    return sameJson({ ...entry, time: null }, { ...other, time: null });
  });
  if (!sameEntries || !sameJson(withManagedFields(before, undefined), withManagedFields(after, undefined))) return after;
  return withManagedFields(after, old as unknown as readonly ManagedFieldsEntry[]);
}

