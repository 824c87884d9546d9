/** `metadata.managedFields`: who set which fields, how, when and in which version of the schema. */
import { type Json, type JsonObject, isObject } from "../base/json.ts";
import { type FieldSet, emptySet, hasPath, parseFieldSet, setOf, union, difference } from "./apply-field-set.ts";
import { isEmpty } from "./apply-shape.ts";
import { sharedSet, textOfSet } from "./apply-shared.ts";

/** An entry as it is on the wire. */
export type ManagedFieldsEntry = {
  readonly manager?: string;
  readonly operation: "Apply" | "Update";
  readonly apiVersion: string;
  readonly time?: string;
  readonly fieldsType: "FieldsV1";
  readonly fieldsV1: FieldSet;
  readonly subresource?: string;
};

/** The entry of one manager, and what it owns. */
export type Owner = {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  readonly apiVersion: string;
  readonly subresource: string;
  readonly set: FieldSet;
  readonly time: string | undefined;
};
/** By identity: see `identityOf`. */
export type Owners = Map<string, Owner>;

/** What makes two writes the same manager's: an applier stays the same whatever version it applies (managedfields/internal/managedfields.go). */
export function identityOf(owner: Pick<Owner, "manager" | "operation" | "apiVersion" | "subresource">): string {
  return JSON.stringify({
    ...(owner.manager === "" ? {} : { manager: owner.manager }), operation: owner.operation,
    ...(owner.operation === "Apply" ? {} : { apiVersion: owner.apiVersion }), ...(owner.subresource === "" ? {} : { subresource: owner.subresource }),
  });
}

export type Decoded = { readonly ok: true; readonly owners: Owners } | { readonly ok: false; readonly problem: string };

/** Reads entries off an object. With `trusted`, the sets in them are taken as they are: ours, not a client's. */
export function decodeManagedFields(entries: unknown, trusted: boolean): Decoded {
  const owners: Owners = new Map();
  if (!Array.isArray(entries)) return { ok: true, owners };
  for (const [index, entry] of (entries as readonly unknown[]).entries()) {
    if (!isObject(entry)) return { ok: false, problem: "operation must be `Apply` or `Update`" };
    const { operation, apiVersion, fieldsType } = entry;
    if (operation !== "Apply" && operation !== "Update") return { ok: false, problem: "operation must be `Apply` or `Update`" };
    if (typeof apiVersion !== "string" || apiVersion === "") return { ok: false, problem: "apiVersion must not be empty" };
    if (fieldsType === undefined || fieldsType === "") return { ok: false, problem: `missing fieldsType in managed fields entry ${index}` };
    if (fieldsType !== "FieldsV1") return { ok: false, problem: `invalid fieldsType ${JSON.stringify(fieldsType)} in managed fields entry ${index}` };
    const given = entry["fieldsV1"] ?? {};
    const set = trusted ? (given as FieldSet) : parseFieldSet(given);
    if (set === undefined) return { ok: false, problem: `error decoding versioned set from managed fields entry ${index}` };
    const owner: Owner = {
      manager: textOf(entry["manager"]), operation, apiVersion, subresource: textOf(entry["subresource"]), set,
      time: typeof entry["time"] === "string" ? entry["time"] : undefined,
    };
    owners.set(identityOf(owner), owner);
  }
  return { ok: true, owners };
}

function textOf(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}

/** The client wants ownership forgotten: an empty list, or one empty entry (managedfields/internal/fieldmanager.go). */
export function isReset(entries: unknown): boolean {
  return Array.isArray(entries) && (entries.length === 0 || (entries.length === 1 && isObject(entries[0]) && Object.values(entries[0]).every(value => value === null || value === "")));
}

/** Entries for the wire: appliers first, then by time and name. `undefined` when there are none. */
export function encodeManagedFields(owners: Owners): readonly ManagedFieldsEntry[] | undefined {
  if (owners.size === 0) return undefined;
  const sorted = owners.size === 1 ? owners.values() : [...owners.values()].sort(compareOwners);
  return Array.from(sorted, owner => ({
    ...(owner.manager === "" ? {} : { manager: owner.manager }),
    operation: owner.operation, apiVersion: owner.apiVersion,
    ...(owner.time === undefined ? {} : { time: owner.time }),
    fieldsType: "FieldsV1" as const, fieldsV1: sharedSet(owner.set),
    ...(owner.subresource === "" ? {} : { subresource: owner.subresource }),
  }));
}

/** The JSON of entries whose sets are shared ones; `undefined` if others are among them. */
export function managedFieldsText(entries: unknown): string | undefined {
  if (!Array.isArray(entries) || entries.length === 0) return undefined;
  let text = "";
  for (const { fieldsV1, subresource, ...head } of entries as readonly ManagedFieldsEntry[]) {
    const set = typeof fieldsV1 === "object" && fieldsV1 !== null ? textOfSet(fieldsV1) : undefined;
    if (set === undefined) return undefined;
    text += `${text === "" ? "[" : ","}${JSON.stringify(head).slice(0, -1)},"fieldsV1":${set}${subresource === undefined ? "" : `,"subresource":${JSON.stringify(subresource)}`}}`;
  }
  return `${text}]`;
}

function compareOwners(a: Owner, b: Owner): number {
  return compareText(a.operation, b.operation) || secondsOf(a) - secondsOf(b) || compareText(a.manager, b.manager)
    || compareText(a.apiVersion, b.apiVersion) || compareText(a.subresource, b.subresource);
}

function compareText(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

function secondsOf(owner: Owner): number {
  const ms = owner.time === undefined ? 0 : Date.parse(owner.time);
  return Number.isNaN(ms) ? 0 : Math.floor(ms / 1000);
}

/** Most entries of operation Update that an object keeps; older ones are united (fieldmanager.go, DefaultMaxUpdateManagers). */
export const updateOwnersMax = 10;

/** Unites the oldest updaters of each version into one called "ancient-changes" until no more than `updateOwnersMax` are left. */
export function capUpdaters(owners: Owners): void {
  const updaters = [...owners].filter(([, owner]) => owner.operation === "Update");
  if (updaters.length <= updateOwnersMax) return;
  updaters.sort(([a, left], [b, right]) => secondsOf(left) - secondsOf(right) || compareText(a, b));
  const firstOf = new Map<string, string>();
  let count = updaters.length;
  for (const [identity, owner] of updaters) {
    if (count <= updateOwnersMax) return;
    const first = firstOf.get(owner.apiVersion);
    if (first === undefined) { firstOf.set(owner.apiVersion, identity); continue; }
    const ancient = { manager: "ancient-changes", operation: "Update", apiVersion: owner.apiVersion, subresource: "" } as const;
    const bucket = identityOf(ancient);
    const so = owners.get(bucket) ?? owners.get(first);
    if (!owners.has(bucket)) owners.delete(first);
    owners.delete(identity);
    owners.set(bucket, { ...ancient, set: union(owner.set, so?.set ?? emptySet), time: owner.time });
    count--;
  }
}

/** Longest name of a field manager (apimachinery apis/meta/v1/validation). */
export const managerLengthMax = 128;

/** Who writes: the request's `fieldManager`, or else the start of its User-Agent (apiserver endpoints/handlers/create.go). */
export function managerOf(fieldManager: string | undefined, userAgent: string | undefined): string {
  if (fieldManager !== undefined && fieldManager !== "") return fieldManager;
  let name = "";
  for (const char of (userAgent ?? "").split("/")[0]!) {
    if (name.length + char.length > managerLengthMax) break;
    if (!/[\p{C}\p{Z}]/u.test(char) || char === " ") name += char;
  }
  return name === "" ? "unknown" : name;
}

const scaleVersion = "autoscaling/v1";
const scaleReplicas: readonly string[] = ["f:spec", "f:replicas"];

/** Owners of a workload's replicas as owners of `.spec.replicas` of its Scale (apimachinery managedfields/scalehandler.go). */
export function scaleManagedFields(entries: unknown, replicas: readonly string[]): readonly ManagedFieldsEntry[] | undefined {
  const decoded = decodeManagedFields(entries, true);
  if (!decoded.ok) return undefined;
  const owners: Owners = new Map();
  for (const [identity, owner] of decoded.owners) {
    if (hasPath(owner.set, replicas)) owners.set(identity, { ...owner, apiVersion: scaleVersion, set: setOf(scaleReplicas) });
  }
  return encodeManagedFields(owners);
}

/** The workload's entries after its Scale was written: who lost the replicas loses them here, who took them has them here. */
export function parentManagedFields(
  parent: unknown, scale: unknown, target: { readonly apiVersion: string; readonly replicas: readonly string[] },
): readonly ManagedFieldsEntry[] | undefined {
  const before = decodeManagedFields(parent, true), after = decodeManagedFields(scale, true);
  if (!before.ok || !after.ok) return Array.isArray(parent) ? (parent as readonly ManagedFieldsEntry[]) : undefined;
  const key = (owner: Owner): string => identityOf({ ...owner, apiVersion: "" });
  const left = new Map([...after.owners.values()].filter(owner => hasPath(owner.set, scaleReplicas)).map(owner => [key(owner), owner]));
  const owners: Owners = new Map();
  for (const [identity, owner] of before.owners) {
    const kept = !hasPath(owner.set, target.replicas) || left.delete(key(owner)) ? owner : { ...owner, set: difference(owner.set, setOf(target.replicas)) };
    if (!isEmpty(kept.set)) owners.set(identity, kept);
  }
  for (const owner of left.values()) {
    const taker = { ...owner, apiVersion: target.apiVersion };
    const so = owners.get(identityOf(taker));
    // Quirk: who is new has no time (scalehandler.go ToParent takes it of the parent's entries).
    owners.set(identityOf(taker), { ...taker, set: union(so?.set ?? emptySet, setOf(target.replicas)), time: so?.time });
  }
  return encodeManagedFields(owners);
}

/** `object` with these entries, or with none. */
export function withManagedFields(object: JsonObject, entries: readonly ManagedFieldsEntry[] | undefined): JsonObject {
  const { managedFields: _, ...metadata } = isObject(object["metadata"]) ? object["metadata"] : {};
  return { ...object, metadata: entries === undefined ? metadata : { ...metadata, managedFields: entries as unknown as Json } };
}
